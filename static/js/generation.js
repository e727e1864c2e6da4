// Runs that are going are asked about every two seconds, for as long as the page is seen.
const place = document.getElementById("runs");

async function look() {
  if (document.hidden || !place.querySelector("[data-going]")) return;
  const open = place.querySelector("details[open]") || place.contains(document.activeElement);
  if (open) return; // nobody's reading is taken away
  const answer = await fetch("?runs", { headers: { "X-Fragment": "1" } }).catch(() => null);
  if (answer?.ok) place.innerHTML = await answer.text();
}

setInterval(look, 2000);
