// Keys that act by themselves, without Ctrl or Alt, can be turned off: who speaks to the machine, or rests a hand on it,
// would press them by mistake. Kept on this device alone.

const root = document.documentElement;

export const keysAct = () => root.dataset.singleKeys !== "off";

export function switchKeys() {
  const button = document.querySelector("[data-keys-switch]");
  try {
    if (localStorage.getItem("keys") === "off") root.dataset.singleKeys = "off";
  } catch {
    // Storage may be forbidden: keys act.
  }
  button?.setAttribute("aria-pressed", String(keysAct()));
  button?.addEventListener("click", () => {
    choose(!keysAct());
    button.setAttribute("aria-pressed", String(keysAct()));
  });
}

function choose(act) {
  if (act) delete root.dataset.singleKeys;
  else root.dataset.singleKeys = "off";
  try {
    if (act) localStorage.removeItem("keys");
    else localStorage.setItem("keys", "off");
  } catch {
    // The choice then lasts as long as the page.
  }
}
