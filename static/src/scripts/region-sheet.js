// The sheet on which a part of a picture is chosen, as large as the window: by mouse, finger or keys.

import { Canvas } from "./region-canvas.js";
import { Crop } from "./region-crop.js";
import { textsOf } from "./texts.js";

const STEP = 10; // thousandths that an arrow key moves
const ARROWS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

/**
 * Open it for a picture.
 * `choose` is called with the Crop that was chosen, or null for the whole picture; `suggested` promises crops.
 */
export function openSheet({ template, img, src, crop, suggested, choose }) {
  const sheet = template.content.firstElementChild.cloneNode(true);
  const find = (name) => sheet.querySelector(`[data-region-${name}]`);
  const texts = textsOf(sheet);
  const picture = find("image");
  const search = find("search");
  document.body.append(sheet);
  for (const side of ["width", "height"]) picture.setAttribute(side, img.getAttribute(side) ?? img[`natural${side}`]);
  picture.src = src;
  picture.alt = img.alt;
  sheet.showModal();

  const canvas = new Canvas(find("stage"), picture, { lasting: true, crop, partLabel: texts.part });
  const box = canvas.element;
  box.tabIndex = 0;
  box.setAttribute("role", "application");
  box.setAttribute("aria-label", texts.box());
  box.focus();
  search.disabled = !crop;
  find("whole").hidden = !crop;
  suggested.then((crops) => {
    canvas.suggest(crops);
    find("numbered").hidden = !crops.length;
  });

  const changed = () => {
    search.disabled = false;
    const percent = Object.fromEntries(["left", "top", "width", "height"].map((side) => [side, Math.round(canvas.crop[side] / 10)]));
    find("said").textContent = texts.where(percent);
  };
  const take = (chosen) => {
    sheet.close();
    choose(chosen);
  };
  box.addEventListener("region-drawn", changed);
  box.addEventListener("region-picked", ({ detail }) => take(detail));
  box.addEventListener("keydown", (event) => {
    if (event.target !== box || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" && canvas.crop) take(canvas.crop);
    const step = ARROWS[event.key];
    if (!step) return;
    event.preventDefault();
    const moved = canvas.crop ? (event.shiftKey ? canvas.crop.grown(...step) : canvas.crop.moved(...step)) : Crop.middle();
    canvas.draw(moved);
    changed();
  });
  search.addEventListener("click", () => take(canvas.crop));
  find("whole").addEventListener("click", () => take(null));
  find("cancel").addEventListener("click", () => sheet.close());
  // A press beside the sheet is one on its backdrop. A drag that ends there is none.
  sheet.addEventListener("pointerdown", (event) => event.target === sheet && isBeside(sheet, event) && sheet.close());
  sheet.addEventListener("close", () => {
    canvas.remove();
    sheet.remove(); // the browser gives the focus back to what had it
  });
}

function isBeside(element, { clientX, clientY }) {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
