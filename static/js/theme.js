// Remembers a theme; without it the system's preference rules.
const root = document.documentElement;
const read = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
if (read()) root.dataset.theme = read();
document.querySelector("[data-theme-toggle]")?.addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* private window */ }
});
