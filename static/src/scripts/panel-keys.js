// Keys of a panel marked with data-keys, while the focus is inside it: each presses the button that names the key.

const BUSY = "a, button, summary, input, textarea, select, [contenteditable]";
const TYPED = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

export function panelKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
    const { target, key } = event;
    if (target.closest(key === "Enter" ? BUSY : TYPED)) return; // Enter on a button is that button's own
    const button = buttonOf(target.closest("[data-keys]"), key.length === 1 ? key.toLowerCase() : key);
    if (!button) return;
    event.preventDefault();
    button.click();
  });
  document.querySelector("[data-keys-first]")?.focus();
  document.body.addEventListener("htmx:afterSettle", moveOn);
}

/** The first button of the panel, or of one around it, that names the key. */
function buttonOf(panel, key) {
  for (; panel; panel = panel.parentElement.closest("[data-keys]")) {
    const found = [...panel.querySelectorAll("[data-key]")].find((one) => one.dataset.key.split(" ").includes(key));
    if (found && !found.disabled) return found;
  }
  return null;
}

/** After an answer the focus stays at the panel; a row that is done hands it to the next one. */
function moveOn({ detail }) {
  if (detail.requestConfig?.verb !== "post" || document.activeElement !== document.body) return;
  const panel = detail.elt.closest?.("[data-keys]") ?? detail.elt;
  if (panel.matches?.("li[data-keys]")) {
    const next = [...panel.parentElement.children].find((row) => row !== panel && row.querySelector("[data-key]") && follows(panel, row));
    panel.removeAttribute("data-keys");
    (next ?? panel).focus();
  } else if (panel.matches?.("[data-keys]")) {
    panel.focus();
  }
}

function follows(first, second) {
  return Boolean(first.compareDocumentPosition(second) & Node.DOCUMENT_POSITION_FOLLOWING);
}
