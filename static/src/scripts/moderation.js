// The queue by keyboard: a key presses the button of that name. A decision shows the photo that was loaded ahead at
// once and is sent meanwhile, one after the other; what is refused is said, and its photo comes back.

import { keysAct } from "./keys.js";
import { ahead } from "./moderation-ahead.js";
import { alertOf, announce, clearAlert } from "./say.js";

const place = document.querySelector("[data-judging]");
const waiting = ahead(place);
let sending = Promise.resolve(); // decisions go out in the order in which they were made

waiting.prepare(current());
waiting.fill();

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const typing = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog");
  if (typing) {
    if (event.key === "Escape") typing.blur();
    if (event.key === "Enter" && typing.matches("[data-reason]")) {
      event.preventDefault();
      current()?.querySelector("[data-change]").click();
    }
    return;
  }
  if (!keysAct()) return;
  const key = event.key.toLowerCase();
  if (key === "?") toggleKeys();
  else if (key === "c") current()?.querySelector("[data-reason]").focus();
  else if (key === "v") uncover(true);
  else if (/^[a-z1-9]$/.test(key)) press(key);
  else return;
  event.preventDefault();
});
document.addEventListener("keyup", ({ key }) => key.toLowerCase() === "v" && uncover(false));
addEventListener("blur", () => uncover(false));
for (const [kind, shows] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false]]) {
  document.addEventListener(kind, (event) => (!shows || event.target.closest?.("[data-hold]")) && uncover(shows));
}
// The button itself held with the space bar or Enter.
document.addEventListener("keydown", ({ key, target }) => {
  if ((key === " " || key === "Enter") && target.closest?.("[data-hold]")) uncover(true);
});
document.addEventListener("keyup", ({ target }) => target.closest?.("[data-hold]") && uncover(false));

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-undo]")) {
    event.preventDefault();
    undo(form);
  } else if (form.matches("[data-decide]") && form.closest("[data-judge]")) {
    event.preventDefault();
    decide(form, event.submitter);
  }
});

function current() {
  return place.querySelector("[data-judge]:not([hidden])");
}

function press(key) {
  const button = current()?.querySelector(`[data-key="${key}"]`) ?? document.querySelector(`[data-undo] [data-key="${key}"]`);
  if (button && !button.disabled) button.click();
}

function toggleKeys() {
  const keys = document.querySelector("[data-keys]");
  keys.open = !keys.open;
  if (keys.open) keys.scrollIntoView({ block: "nearest" });
}

function uncover(shows) {
  current()?.classList.toggle("is-shown", shows);
}

async function decide(form, submitter) {
  const judge = form.closest("[data-judge]");
  const body = new FormData(form, submitter);
  if (submitter?.value === "change" && !form.elements.reason.value.trim()) {
    form.elements.reason.focus(); // the sentence comes first
    return;
  }
  clearAlert();
  // Look-alikes that go along are not to be shown next.
  const also = body.getAll("also").map((one) => one.split(":")[0]);
  waiting.drop(also);
  const next = place.dataset.goesOn ? waiting.take() : null;
  if (next) {
    show(judge, next);
    waiting.fill();
  }
  const answer = await send(form.action, body);
  if (answer.error) {
    refused(judge, next, answer);
    return;
  }
  if (answer.said) announce(answer.said);
  update(answer);
  if (next) judge.remove();
  else location.assign(place.dataset.next);
}

async function undo(form) {
  clearAlert();
  const answer = await send(form.action, new FormData(form));
  if (answer.error) {
    alertOf(answer.error);
    update(answer);
    return;
  }
  const shown = current();
  if (!place.dataset.goesOn || !shown) {
    location.assign(place.dataset.next.replace(/[?].*/, "") + `${answer.key}/`);
    return;
  }
  const back = waiting.made(answer.html);
  const isSame = shown.dataset.photo === answer.key;
  if (!isSame) waiting.drop([answer.key]);
  place.append(back);
  reveal(back, shown);
  if (isSame) shown.remove();
  else waiting.putBack(shown);
  waiting.prepare(back);
  announce(answer.said);
  update(answer);
}

/** The next photo in place of this one, which stays aside until its decision has been taken. */
function show(judge, next) {
  judge.classList.remove("is-shown");
  reveal(next, judge);
  announce(next.getAttribute("aria-label"));
  if (scrollY > 0) scrollTo(0, 0);
}

/** One photo in place of another: who stood in that one goes on in this one, not at the top of the page. */
function reveal(judge, instead) {
  const stoodInIt = instead.contains(document.activeElement);
  judge.hidden = false;
  instead.hidden = true;
  if (stoodInIt) judge.focus({ preventScroll: true });
}

function refused(judge, next, answer) {
  alertOf(answer.error);
  update(answer);
  // Of what another moderator decided nothing is left to do; what was wrong with the form can be mended.
  if (answer.status === 409 && next) judge.remove();
  else if (next) {
    reveal(judge, next);
    waiting.putBack(next);
  }
}

function send(address, body) {
  const answer = sending.then(() => post(address, body));
  sending = answer.catch(() => {});
  return answer;
}

async function post(address, body) {
  try {
    const response = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
    if (response.redirected && response.url.includes("/accounts/")) location.assign(response.url);
    const answer = await response.json();
    return { ...answer, status: response.status };
  } catch {
    return { error: place.dataset.failed, status: 0 };
  }
}

function update({ counts, can_undo: canUndo }) {
  for (const [state, number] of Object.entries(counts ?? {})) {
    const shown = document.querySelector(`[data-count="${state}"]`);
    if (shown) shown.textContent = number.toLocaleString(document.documentElement.lang);
  }
  if (canUndo === undefined) return;
  const button = document.querySelector("[data-undo] button");
  if (!canUndo && button === document.activeElement) current()?.focus({ preventScroll: true });
  button.disabled = !canUndo;
}
