// Parts of pictures: suggested ones as boxes to press, others by a drag over the picture or on a sheet of their own.

import { Canvas } from "./region-canvas.js";
import { Crop, resultsWith } from "./region-crop.js";
import { openSheet } from "./region-sheet.js";
import { textsOf } from "./texts.js";

const LEAST_WIDTH = 160; // pixels; on a smaller picture boxes could not be told apart
const THUMBNAIL = 88; // pixels of a button that shows a part
const sought = new Map(); // address → promise of the crops that the server suggests

class Region {
  constructor(figure) {
    this.figure = figure;
    this.img = figure.querySelector("[data-region-image], img");
    this.link = figure.querySelector("[data-region-link]");
    this.template = figure.querySelector("[data-region-sheet]") ?? document.querySelector("[data-region-sheet]");
    this.texts = textsOf(this.template.content.firstElementChild);
    const host = figure.querySelector(".region-picture");
    this.canvas = new Canvas(host, this.img, { crop: this.crop, partLabel: this.texts.part });
    const { element } = this.canvas;
    element.addEventListener("region-drawn", ({ detail }) => this.choose(detail));
    element.addEventListener("region-picked", ({ detail }) => this.choose(detail));
    element.addEventListener("region-pressed", ({ detail }) => this.press(detail));
    this.stopping = new AbortController();
    const { signal } = this.stopping;
    for (const tools of this.tools) {
      tools.querySelector("[data-region-open]").addEventListener("click", () => this.open(), { signal });
    }
    figure.addEventListener("region-open", () => this.open(), { signal });
    this.shows = this.#data();
    this.suggest();
  }

  /** Whether it still belongs to what the figure shows, and nothing took it away. */
  get isCurrent() {
    return this.figure.contains(this.canvas.element) && this.shows === this.#data();
  }

  remove() {
    this.stopping.abort();
    this.canvas.remove();
  }

  #data() {
    const { key, crop, regionsUrl } = this.figure.dataset;
    return [key, crop, regionsUrl].join();
  }

  get crop() {
    return Crop.parse(this.figure.dataset.crop);
  }

  /** Beside the picture, and elsewhere on small screens. */
  get tools() {
    const { key, crop } = this.figure.dataset;
    return document.querySelectorAll(`[data-region-tools="${crop ? `${key}@${crop}` : key}"]`);
  }

  get suggested() {
    const url = this.figure.dataset.regionsUrl;
    if (!sought.has(url)) sought.set(url, seek(url));
    return sought.get(url);
  }

  async suggest() {
    const [crops] = await Promise.all([this.suggested, loaded(this.img)]);
    if (!this.isCurrent) return;
    if (this.img.clientWidth >= LEAST_WIDTH) this.canvas.suggest(crops);
    for (const tools of this.tools) {
      const buttons = crops.map((crop, index) => this.#thumbnail(crop, index + 1));
      tools.querySelector("[data-region-parts]").replaceChildren(...buttons);
    }
  }

  choose(crop) {
    location.assign(resultsWith(this.figure.dataset, crop));
  }

  /** A click goes through to what lies under the canvas; a picture that leads nowhere opens the sheet. */
  press(click) {
    if (this.link) this.link.dispatchEvent(new MouseEvent("click", click));
    else this.open();
  }

  open() {
    openSheet({
      template: this.template,
      img: this.img,
      src: this.figure.dataset.src || this.img.currentSrc,
      crop: this.crop,
      suggested: this.suggested,
      choose: (crop) => this.choose(crop),
    });
  }

  #thumbnail(crop, number) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "region-thumbnail";
    button.setAttribute("aria-label", this.texts.part({ number }));
    const sheet = document.createElement("canvas");
    sheet.width = sheet.height = THUMBNAIL;
    const { naturalWidth, naturalHeight } = this.img;
    const width = (crop.width / 1000) * naturalWidth;
    const height = (crop.height / 1000) * naturalHeight;
    const scale = THUMBNAIL / Math.max(width, height);
    const place = [(THUMBNAIL - width * scale) / 2, (THUMBNAIL - height * scale) / 2, width * scale, height * scale];
    sheet.getContext("2d").drawImage(this.img, (crop.left / 1000) * naturalWidth, (crop.top / 1000) * naturalHeight, width, height, ...place);
    button.append(sheet);
    button.addEventListener("click", () => this.choose(crop));
    return button;
  }
}

/** Without suggestions everything else goes on, so whatever goes wrong there are none. */
async function seek(url, again = true) {
  try {
    const response = await fetch(url, { headers: { Accept: "application/json" } });
    const seconds = Number(response.headers.get("Retry-After"));
    if (response.status === 503 && seconds && again) {
      await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
      return seek(url, false);
    }
    return response.ok ? (await response.json()).regions.map(({ crop }) => Crop.parse(crop)) : [];
  } catch {
    return [];
  }
}

const loaded = (img) =>
  img.complete || new Promise((resolve) => ["load", "error"].forEach((kind) => img.addEventListener(kind, resolve, { once: true })));

const made = new WeakMap(); // figure → its Region

/** Swapped results bring other pictures, and take out of a figure what they did not bring. */
function enhance() {
  for (const figure of document.querySelectorAll("[data-region]")) {
    const region = made.get(figure);
    if (region?.isCurrent) continue;
    region?.remove();
    made.set(figure, new Region(figure));
  }
}

enhance();
document.body.addEventListener("htmx:afterSettle", enhance);
document.body.addEventListener("htmx:historyRestore", enhance);
