// What lies over a picture: the suggested parts as numbered buttons, the part that is chosen, and a box to draw.
// Cropper.js draws; its styles are adopted style sheets, which a strict Content-Security-Policy allows.

import { CropperCanvas } from "cropperjs";

import { Crop, placeOf, WHOLE } from "./region-crop.js";

const CORNERS = ["nw-resize", "ne-resize", "sw-resize", "se-resize"];
const SIDES = ["n-resize", "e-resize", "s-resize", "w-resize"];
const LEAST_DRAWN = 6; // pixels; less is a click with an unsteady hand
const SAME = 0.5; // overlap from which a suggestion is the part that is chosen already

/** The wheel scrolls the page, as everywhere else. */
class RegionCanvas extends CropperCanvas {
  $handleWheel() {}
}
RegionCanvas.$define("region-canvas");

/**
 * `lasting`: a drawn box stays, with handles, to be changed; else it is chosen as soon as it is drawn, by a mouse or pen
 * alone, so that fingers scroll.
 *
 * Events: `region-drawn` (detail: a Crop) after a box was drawn or changed, `region-picked` (detail: a Crop) for a
 * suggested part, `region-pressed` (detail: the click) for a click on the picture.
 */
export class Canvas {
  constructor(host, img, { lasting = false, crop = null, partLabel }) {
    Object.assign(this, { host, img, lasting, crop, partLabel, parts: [], drawn: false });
    this.element = document.createElement("region-canvas");
    this.element.className = lasting ? "is-lasting" : "";
    this.selection = this.#selection();
    const draw = handle("select");
    this.current = document.createElement("span");
    this.current.className = "region-current";
    this.element.append(draw, this.current, document.createElement("cropper-shade"), this.selection);
    host.append(this.element);
    // Cropper.js shows a selection as soon as it knows its size, even of nothing.
    this.selection.$nextTick(() => this.crop && lasting ? null : this.selection.$clear());
    this.#listen();
    this.resized = new ResizeObserver(() => this.place());
    this.resized.observe(img);
    this.place();
  }

  remove() {
    this.resized.disconnect();
    this.element.remove();
  }

  /** Offer these crops, instead of what was offered before. */
  suggest(crops) {
    for (const part of this.parts) part.button.remove();
    this.parts = crops.map((crop, index) => ({ crop, button: this.#partButton(crop, index + 1) }));
    this.selection.before(...this.parts.map(({ button }) => button));
    this.place();
  }

  /** Lay everything over the picture anew. */
  place() {
    const { shown, whole } = placeOf(this.img);
    if (!(shown.width > 0 && shown.height > 0)) return;
    const host = this.host.getBoundingClientRect();
    this.size = { width: shown.width, height: shown.height };
    this.whole = { left: whole.left - shown.left, top: whole.top - shown.top, width: whole.width, height: whole.height };
    put(this.element, { left: shown.left - host.left - this.host.clientLeft, top: shown.top - host.top - this.host.clientTop, ...this.size });
    for (const { crop, button } of this.parts) put(button, this.#seen(crop));
    this.#hideChosen();
    this.current.hidden = this.lasting || !this.crop;
    if (this.crop) put(this.current, this.#seen(this.crop));
    // While it is dragged the box is ahead of the crop: what arrives meanwhile must not pull it back.
    if (this.lasting && this.crop && !this.dragged) this.draw(this.crop);
  }

  /** Draw the box of a crop, as if by hand. */
  draw(crop) {
    const { left, top, width, height } = this.#pixels(crop);
    this.crop = crop;
    this.setting = true; // rounding to pixels must not change what was asked for
    this.selection.$change(left, top, width, height);
    this.setting = false;
    this.#hideChosen();
  }

  #hideChosen() {
    for (const { crop, button } of this.parts) button.hidden = Boolean(this.crop && crop.overlap(this.crop) >= SAME);
  }

  #selection() {
    const selection = document.createElement("cropper-selection");
    selection.hidden = true;
    for (const name of ["movable", "resizable", "outlined", "precise"]) selection.setAttribute(name, "");
    if (this.lasting) selection.append(handle("move"), ...[...SIDES, ...CORNERS].map(handle));
    return selection;
  }

  #listen() {
    const { element, selection } = this;
    element.addEventListener("actionstart", (event) => {
      this.drawn = false;
      if (!this.lasting && event.detail.relatedEvent.pointerType === "touch") event.preventDefault();
    });
    selection.addEventListener("change", (event) => {
      const inside = this.#inside(event.detail);
      if (!inside) return;
      event.preventDefault();
      selection.$change(inside.x, inside.y, inside.width, inside.height);
    });
    element.addEventListener("action", () => (this.drawn = this.dragged = true));
    element.addEventListener("actionend", () => {
      this.dragged = false;
      if (this.drawn) this.#finish();
    });
    element.addEventListener("click", (event) => this.#click(event));
  }

  #finish() {
    const { x, y, width, height } = this.selection;
    if (Math.min(width, height) < LEAST_DRAWN) return this.#undo();
    const { left, top, width: across, height: down } = this.whole;
    const share = (length, whole) => (length / whole) * WHOLE;
    this.crop = new Crop(share(x - left, across), share(y - top, down), share(width, across), share(height, down));
    this.#hideChosen();
    this.#tell("region-drawn", this.crop);
  }

  #undo() {
    if (this.lasting && this.crop) this.draw(this.crop);
    else this.selection.$clear();
    this.drawn = false;
  }

  #click(event) {
    if (event.detail && this.drawn) {
      // The end of a drag is a click, too.
      this.drawn = false;
      return event.preventDefault();
    }
    const part = this.parts.find(({ button }) => button.contains(event.target));
    if (part) this.#tell("region-picked", part.crop);
    else this.#tell("region-pressed", event);
  }

  #tell(name, detail) {
    this.element.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** Where the box has to go to stay on the picture; null where it is on it. */
  #inside({ x, y, width, height }) {
    if (this.setting) return null;
    const { size, selection } = this;
    const slack = 0.5;
    if (x >= -slack && y >= -slack && x + width <= size.width + slack && y + height <= size.height + slack) return null;
    if (width === selection.width && height === selection.height && width <= size.width && height <= size.height) {
      const within = (start, length, side) => Math.min(Math.max(0, start), side - length);
      return { x: within(x, width, size.width), y: within(y, height, size.height), width, height };
    }
    const left = Math.min(Math.max(0, x), size.width);
    const top = Math.min(Math.max(0, y), size.height);
    return {
      x: left,
      y: top,
      width: Math.max(0, Math.min(x + width, size.width) - left),
      height: Math.max(0, Math.min(y + height, size.height) - top),
    };
  }

  /** The box of a crop in pixels of this canvas. */
  #pixels(crop) {
    const { left, top, width, height } = this.whole;
    return {
      left: left + (crop.left / WHOLE) * width,
      top: top + (crop.top / WHOLE) * height,
      width: (crop.width / WHOLE) * width,
      height: (crop.height / WHOLE) * height,
    };
  }

  /** What of it is seen: a mat may show only the middle of a picture. */
  #seen(crop) {
    const { left, top, width, height } = this.#pixels(crop);
    const x = Math.max(0, left);
    const y = Math.max(0, top);
    return {
      left: x,
      top: y,
      width: Math.max(0, Math.min(left + width, this.size.width) - x),
      height: Math.max(0, Math.min(top + height, this.size.height) - y),
    };
  }

  #partButton(crop, number) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "region-part";
    button.setAttribute("aria-label", this.partLabel({ number }));
    button.setAttribute("action", "select"); // a drag that begins on it draws a box
    const badge = document.createElement("span");
    badge.className = "region-number";
    badge.setAttribute("action", "select");
    badge.textContent = number;
    button.append(badge);
    return button;
  }
}

function handle(action) {
  const made = document.createElement("cropper-handle");
  made.setAttribute("action", action);
  if (action === "move" || action === "select") made.setAttribute("plain", "");
  return made;
}

function put(element, box) {
  for (const [side, length] of Object.entries(box)) element.style[side] = `${length}px`;
}
