// Remembers a theme; without it the system's preference rules. Runs before the first paint, so that nothing flashes.
const root = document.documentElement;
root.dataset.script = "on";
try { root.dataset.theme = localStorage.getItem("theme") ?? ""; } catch { /* private window */ }
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-toggle]")) return;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* private window */ }
});
