// Pairs by keys: j and k walk, 1, 2 and n choose a button, which Enter then presses. Nothing is merged by one key alone.

import { keysAct } from "./keys.js";

const list = document.querySelector("[data-duplicates]");

function pairs() {
  return [...list.querySelectorAll(".duplicate")];
}

function current() {
  return document.activeElement?.closest(".duplicate");
}

function walk(step) {
  const all = pairs();
  const here = all.indexOf(current());
  const next = here < 0 ? 0 : here + step;
  if (next >= all.length) document.querySelector(".pager [rel=next]")?.focus();
  else all[Math.max(0, next)].focus();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !keysAct()) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  if (event.key === "j") walk(1);
  else if (event.key === "k") walk(-1);
  else if (["1", "2", "n"].includes(event.key)) (current() ?? pairs()[0]).querySelector(`[data-key="${event.key}"]`).focus();
  else return;
  event.preventDefault();
}

if (list) {
  document.addEventListener("keydown", onKey);
  for (const skip of list.querySelectorAll("[data-key=j]")) {
    skip.hidden = false;
    skip.addEventListener("click", () => walk(1));
  }
}
