// The product list, a product's own page and a draft of a bulk edit: keys, choosing rows, forms in rows, dragged photos.
import { chooseRows } from "./products-choose.js";
import { arrangePhotos } from "./products-photos.js";
import { editRows, moveByKeys } from "./products-rows.js";

/** On a phone the filters begin closed: the products are what somebody came for. */
function closeFilters() {
  const more = document.querySelector("[data-filters-more]");
  if (more && matchMedia("(width < 48rem)").matches) more.open = false;
}

/** A draft of a bulk edit shows the fields of the action that was chosen. */
function showFieldsOfAction() {
  const form = document.querySelector("[data-bulk-form]");
  if (!form) return;
  const show = () => {
    for (const field of form.querySelectorAll("[data-for]")) {
      field.closest("[data-field]").hidden = !field.dataset.for.split(" ").includes(form.elements.action.value);
    }
  };
  form.elements.action.addEventListener("change", show);
  show();
}

/** A menu that was opened closes by Escape and by a click elsewhere. */
function closeMenus() {
  const close = (keep) => {
    for (const menu of document.querySelectorAll("[data-menu][open]")) if (menu !== keep) menu.open = false;
  };
  document.addEventListener("click", ({ target }) => close(target.closest("[data-menu]")));
  document.addEventListener("keydown", ({ key, target }) => {
    if (key !== "Escape") return;
    const summary = target.closest("[data-menu][open]")?.querySelector("summary");
    close();
    summary?.focus();
  });
}

const chosen = chooseRows();
editRows(chosen);
moveByKeys();
arrangePhotos();
closeFilters();
showFieldsOfAction();
closeMenus();
