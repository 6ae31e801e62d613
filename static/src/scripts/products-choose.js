// Choosing rows: each alone, a stretch of them with Shift, or all of a page.
import { textsOf } from "./texts.js";

/**
 * Boxes live in rows that come and go, so what is chosen is kept by key.
 * @returns {{ restore: (row: Element) => void }} `restore` ticks the box of a row that was drawn anew
 */
export function chooseRows() {
  const chosen = new Set();
  let last; // the box that was ticked before, for a stretch
  const boxes = () => [...document.querySelectorAll("[data-choose]")];

  const keep = (box) => (box.checked ? chosen.add(box.value) : chosen.delete(box.value));

  function tell() {
    const form = document.querySelector("[data-chosen]");
    if (!form) return;
    const say = textsOf(form);
    const number = boxes().filter((box) => box.checked).length;
    form.querySelector("[data-chosen-says]").textContent = number ? say.some({ number }) : say.none();
    form.querySelector("[data-edit-chosen]").disabled = !number;
    const all = document.querySelector("[data-choose-all]");
    all.checked = number > 0 && number === boxes().length;
    all.indeterminate = number > 0 && !all.checked;
  }

  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-choose]");
    if (!box) return;
    const list = boxes();
    if (event.shiftKey && last?.isConnected) {
      const [from, to] = [list.indexOf(last), list.indexOf(box)].sort((a, b) => a - b);
      for (const one of list.slice(from, to + 1)) {
        one.checked = box.checked;
        keep(one);
      }
    }
    last = box;
  });
  document.addEventListener("change", ({ target }) => {
    if (target.matches("[data-choose-all]")) {
      for (const box of boxes()) {
        box.checked = target.checked;
        keep(box);
      }
    } else if (target.matches("[data-choose]")) keep(target);
    else return;
    tell();
  });
  // Other filters, another list: what is out of sight is not chosen any more.
  document.body.addEventListener("htmx:afterSettle", ({ target }) => {
    if (target.id !== "products") return;
    chosen.clear();
    tell();
  });
  for (const box of boxes()) keep(box); // Back may have ticked some
  tell();

  return {
    restore(row) {
      const box = row.querySelector("[data-choose]");
      if (box) box.checked = chosen.has(box.value);
      tell();
    },
  };
}
