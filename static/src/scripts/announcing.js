// Parts of a page that come anew say what has changed: data-announces names whose words. A live region inside such a
// part would be a new one each time, which screen readers pass over, or read again each second.

import { announce } from "./say.js";

export function announceChanges() {
  let said = "";
  document.body.addEventListener("htmx:afterSettle", ({ target }) => {
    const wanted = target.dataset?.announces;
    const words = wanted && target.querySelector(wanted)?.textContent.trim().replace(/\s+/g, " ");
    if (!words || words === said) return;
    said = words;
    announce(words);
  });
}
