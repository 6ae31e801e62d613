// Rows that are edited where they stand, by keys alone if somebody likes.

import { keysAct } from "./keys.js";

/** @param {{ restore: (row: Element) => void }} chosen */
export function editRows(chosen) {
  // A form that is refused comes back in place of itself, with the reason.
  document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (!detail.target?.matches("[data-row]") || ![409, 422].includes(detail.xhr.status)) return;
    detail.shouldSwap = true;
    detail.isError = false;
  });
  document.body.addEventListener("htmx:afterSettle", ({ target }) => {
    if (!target.matches?.("[data-row]")) return;
    chosen.restore(target);
    const form = target.querySelector("[data-row-form]");
    if (!form) return target.querySelector("[data-edit]").focus();
    const field = form.querySelector("[aria-invalid=true]") ?? form.elements.title;
    field.focus();
    field.select?.();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const form = event.target.closest("[data-row-form]");
    if (!form) return;
    event.preventDefault();
    form.querySelector("[data-cancel]").click();
  });
}

/** J and K, or the arrows, go from row to row; E edits and X chooses the row that has the focus. */
export function moveByKeys() {
  const verbs = {
    j: (row) => go(row, 1),
    k: (row) => go(row, -1),
    ArrowDown: (row) => row && go(row, 1),
    ArrowUp: (row) => row && go(row, -1),
    e: (row) => row?.querySelector("[data-edit]")?.click(),
    x: (row) => row?.querySelector("[data-choose]")?.click(),
  };
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || !(key in verbs)) return;
    if (!document.querySelector("[data-products]") || (key.length === 1 && !keysAct())) return;
    if (target.closest("textarea, select, summary, [contenteditable], input:not([type=checkbox])")) return;
    if (verbs[key](target.closest("[data-row]")) !== undefined) event.preventDefault();
    else if (key === "e" || key === "x") event.preventDefault();
  });
}

function go(row, step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  const next = row ? rows[rows.indexOf(row) + step] : rows[step > 0 ? 0 : rows.length - 1];
  const stop = next?.querySelector("[data-row-link], [data-row-form] input:not([type=hidden])");
  stop?.focus();
  stop?.scrollIntoView({ block: "nearest" });
  return Boolean(stop);
}
