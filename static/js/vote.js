// The voting page: one stage, painted by the server; this module sends its forms, streams its answers and reads its keys.

import { TurnStream } from "./stream.js";
import { prepare, spend } from "./work.js";

const stage = document.getElementById("stage");
const words = document.getElementById("words").dataset;
const keys = /** @type {HTMLDialogElement} */ (document.getElementById("keys"));
const page = stage.dataset.page;
const MOST_REDRAWS = 2;
let stream = null;
let busy = false;
let redraws = 0;
try { document.documentElement.dataset.panes = localStorage.getItem("panes") ?? ""; } catch { /* private window */ }

const inner = () => stage.querySelector(".stage");
const wait = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Says something where screen readers hear it without a shout. */
function say(text) {
  const status = stage.querySelector("#why");
  if (status) status.textContent = text ?? "";
}

/** Fetches a stage, or the sentence of the page that came instead; null when the server could not be reached. */
async function fragment(url, options = {}) {
  try {
    const headers = { "X-Fragment": "1", ...options.headers };
    const answer = await fetch(url, { ...options, headers, redirect: "follow" });
    const given = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = given.querySelector(".stage");
    const sentence = part ? "" : given.querySelector(".promise")?.textContent ?? "";
    return part || sentence ? { part, sentence, status: answer.status } : null;
  } catch {
    return null;
  }
}

function paint(part) {
  stream?.close();
  stream = null;
  const [was, guide] = [stage.querySelector("[data-guide]"), part.querySelector("[data-guide]")];
  if (was && guide && inner()?.dataset.battle === part.dataset.battle) guide.open = was.open;
  const slot = part.querySelector("[data-turns]:empty");
  if (slot) slot.replaceWith(stage.querySelector("[data-turns]") ?? "");
  stage.replaceChildren(document.adoptNode(part));
  begin();
}

/** What a fresh stage needs: a stream while answering, focus where the voter should read on, one redraw after a void. */
function begin() {
  const now = inner();
  if (!now) return;
  const state = now.dataset.state;
  if (state === "answering") follow(now.dataset.battle, now.dataset.turn);
  if (state === "complete" || state === "start") redraws = 0;
  const redraw = stage.querySelector("[data-redraw]");
  if (state === "void" && redraw && redraws < MOST_REDRAWS) {
    redraws += 1;
    send(redraw);
    return;
  }
  arrange();
  const target = stage.querySelector("[data-focus]") ?? (state === "start" ? stage.querySelector("textarea") : null);
  target?.focus({ preventScroll: state === "start" });
  if (state === "revealed" || state === "answering") scrollTo({ top: 0 });
}

/** Whether both sides scroll with the page or each alone; remembered. */
function arrange(turn = false) {
  const root = document.documentElement;
  if (turn) {
    root.dataset.panes = root.dataset.panes === "apart" ? "together" : "apart";
    try { localStorage.setItem("panes", root.dataset.panes); } catch { /* private window */ }
  }
  const apart = root.dataset.panes === "apart";
  stage.querySelector("[data-together]")?.setAttribute("aria-pressed", String(!apart));
  for (const pane of stage.querySelectorAll("[data-answer]")) {
    if (apart) pane.tabIndex = 0; // a scrolling pane must be reachable by key
    else pane.removeAttribute("tabindex");
  }
}

/** Streams a turn into both panes as plain text; the rendered answers come when both are complete. */
function follow(battle, turn) {
  const panes = { a: stage.querySelector('[data-answer="a"] .raw'), b: stage.querySelector('[data-answer="b"] .raw') };
  stream = new TurnStream(battle, turn, {
    frame(frame) {
      for (const side of ["a", "b"]) {
        if (frame.whole) panes[side].textContent = frame[side];
        else if (frame[side]) panes[side].append(frame[side]);
      }
      if (frame.end) finish(battle);
    },
    state(word) {
      say({ open: words.writing, reconnecting: words.reconnecting, offline: words.offline }[word]);
    },
    lost: () => refresh(battle),
  });
}

/** Fetches the stage until the server answers. */
async function load(battle) {
  for (let pause = 250; ; pause = Math.min(pause * 2, 5000)) {
    const got = await fragment(`${page}?battle=${battle}`);
    if (got?.part && got.status < 500) return got.part;
    say(words.retrying);
    await wait(pause);
  }
}

/** The end of a turn: rendered answers take the place of the text, the page stays where it was. */
async function finish(battle) {
  const part = await load(battle);
  if (inner()?.dataset.battle !== battle) return;
  const [x, y] = [scrollX, scrollY];
  const typed = stage.querySelector("textarea")?.value ?? "";
  const secondSeen = stage.querySelector("#answer-b")?.getBoundingClientRect().top < innerHeight;
  const hadFocus = stage.contains(document.activeElement) && document.activeElement.tagName === "TEXTAREA";
  paint(part);
  if (part.dataset.state === "complete") {
    stage.querySelector(".turns > .sheet")?.classList.toggle("live", secondSeen); // nothing in view moves
    scrollTo(x, y);
    const box = stage.querySelector("textarea");
    if (box && typed) box.value = typed;
    if (box && hadFocus) box.focus({ preventScroll: true });
    say(words.complete);
  }
}

async function refresh(battle) {
  const got = await fragment(`${page}?battle=${battle}`);
  if (got?.part && got.status < 500 && got.part.dataset.state !== "answering" && inner()?.dataset.battle === battle) paint(got.part);
}

/** Sends a form and paints the answer. Votes may be sent again, as often as it takes; a send looks first what became of it. */
async function send(form, submitter = null) {
  if (busy) return;
  busy = true;
  let body = new URLSearchParams(new FormData(form, submitter));
  const isVote = form.hasAttribute("data-vote");
  const battle = inner()?.dataset.battle;
  if (isVote) say(words.saving);
  if (form.hasAttribute("data-redraw")) say(words.redrawing);
  lock(form, true);
  try {
    for (let pause = 300, tries = 0; ; pause = Math.min(pause * 2, 5000), tries += 1) {
      const url = form.method === "get" ? `${form.action}?${body}` : form.action;
      const headers = isVote ? { "X-Has-Turns": "1" } : await workFor(form);
      const got = await fragment(url, form.method === "get" ? {} : { method: "POST", body, headers });
      if (got?.status === 403 && !got.part && tries === 0 && await renew(form)) {
        body = new URLSearchParams(new FormData(form, submitter));
        continue;
      }
      if (got && (got.status < 500 || !isVote || tries > 4)) {
        if (got.part && (got.status !== 503 || isVote)) paint(got.part);
        else complain(form, got.part?.querySelector(".notice")?.textContent || got.sentence);
        return;
      }
      say(words.retrying);
      await wait(pause);
      if (!isVote) {
        const now = await fragment(page);
        if (now?.part && now.status < 500 && now.part.dataset.battle && now.part.dataset.battle !== battle) {
          paint(now.part);
          return;
        }
      }
    }
  } finally {
    busy = false;
    lock(form, false);
  }
}

/** Work goes along with a wish for a battle. */
async function workFor(form) {
  const work = form.matches("[data-open], [data-redraw]") ? await spend() : "";
  return work ? { "X-Work": work } : {};
}

function lock(form, on) {
  for (const button of form.querySelectorAll("button")) button.toggleAttribute("aria-disabled", on);
}

/** A page that was open for too long carries an old token: takes a fresh one, and says whether there is one. */
async function renew(form) {
  const fresh = (await fragment(page))?.part?.querySelector('input[name="csrfmiddlewaretoken"]')?.value;
  const field = form.querySelector('input[name="csrfmiddlewaretoken"]');
  if (fresh && field) field.value = fresh;
  return Boolean(fresh && field);
}

/** Shows a refusal above a form without losing what was typed. */
function complain(form, text) {
  say("");
  stage.querySelector(".notice")?.remove();
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.setAttribute("role", "alert");
  notice.textContent = text;
  form.before(notice);
}

stage.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.hasAttribute("data-note")) return;
  send(form, event.submitter);
});

/** Notes are saved in the background and never keep anybody waiting. */
stage.addEventListener("change", (event) => {
  const form = event.target.closest("[data-note]");
  if (form) fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { "X-Fragment": "1" }, keepalive: true }).catch(() => {});
});

stage.addEventListener("click", (event) => {
  if (event.target.closest("[data-together]")) arrange(true);
  if (event.target.closest("[data-keys]")) keys.showModal();
  const chosen = event.target.closest(".switch a");
  if (chosen) mark(chosen.hash.slice(1));
});

/** On phones: which answer is in view. */
function mark(id) {
  for (const link of stage.querySelectorAll(".switch a")) {
    if (link.hash === `#${id}`) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}
addEventListener("scroll", () => {
  const second = stage.querySelector("#answer-b");
  if (second && getComputedStyle(stage.querySelector(".switch") ?? stage).display !== "none") {
    mark(second.getBoundingClientRect().top < innerHeight / 3 ? "answer-b" : "answer-a");
  }
}, { passive: true });

stage.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target.matches(".composer textarea")) {
    event.preventDefault();
    if (event.target.value.trim()) event.target.form.requestSubmit();
  }
});

const VOTE_KEYS = { ArrowLeft: "a", ArrowRight: "b", ArrowUp: "tie", ArrowDown: "both_bad" };

addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || keys.open) return;
  if (event.target.closest?.('input:not([type="checkbox"]), textarea, select, [contenteditable]')) return;
  const button = keyTarget(event);
  if (button) {
    event.preventDefault();
    button.click();
  }
});

/** The button that a key stands for, if it can be pressed now. */
function keyTarget(event) {
  if (event.key in VOTE_KEYS && !event.shiftKey) {
    return stage.querySelector(`[data-vote] button[value="${VOTE_KEYS[event.key]}"]:enabled`);
  }
  const onControl = event.target.closest?.("button, a, summary");
  if (event.key.toLowerCase() === "n" || (event.key === "Enter" && !onControl)) return stage.querySelector("[data-next] button, [data-again]");
  if (event.key.toLowerCase() === "s") return stage.querySelector("[data-skip] button");
  if (event.key === "?") return stage.querySelector("[data-keys]");
  return null;
}

begin();
prepare(stage.dataset.work);
