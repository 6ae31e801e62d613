// "/" goes to the field, unless something is being typed.

import { keysAct } from "./keys.js";

export function shortcuts() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || !keysAct() || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const field = document.getElementById("field-words");
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
}
