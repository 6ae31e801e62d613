// A part of a picture as addresses carry it, and where a picture and its parts are on the screen.

export const WHOLE = 1000;
const LEAST = 20; // thousandths; the server refuses thinner boxes
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** A box in whole thousandths of the picture's sides, kept inside of it. */
export class Crop {
  constructor(left, top, width, height) {
    this.width = clamp(Math.round(width), LEAST, WHOLE);
    this.height = clamp(Math.round(height), LEAST, WHOLE);
    this.left = clamp(Math.round(left), 0, WHOLE - this.width);
    this.top = clamp(Math.round(top), 0, WHOLE - this.height);
  }

  /** Null for an empty text. */
  static parse(text) {
    return text ? new Crop(...text.split(",").map(Number)) : null;
  }

  static middle() {
    return new Crop(250, 250, 500, 500);
  }

  toString() {
    return [this.left, this.top, this.width, this.height].join(",");
  }

  moved(across, down) {
    return new Crop(this.left + across, this.top + down, this.width, this.height);
  }

  /** The upper left corner stays. */
  grown(across, down) {
    const { left, top } = this;
    return new Crop(left, top, Math.min(this.width + across, WHOLE - left), Math.min(this.height + down, WHOLE - top));
  }

  /** Intersection over union. */
  overlap(other) {
    const shared = (start, side) =>
      Math.max(0, Math.min(this[start] + this[side], other[start] + other[side]) - Math.max(this[start], other[start]));
    const both = shared("left", "width") * shared("top", "height");
    return both / (this.width * this.height + other.width * other.height - both);
  }
}

/**
 * Where the picture of an `<img>` is on the screen. A mat shows the middle of a picture, or a picture with air around it.
 * `shown` is what is seen of it, `whole` where all of it would be; `left` and `top` are the window's.
 */
export function placeOf(img) {
  const style = getComputedStyle(img);
  const air = (side) => parseFloat(style[`padding${side}`]) + parseFloat(style[`border${side}Width`]);
  const box = img.getBoundingClientRect();
  const content = {
    left: box.left + air("Left"),
    top: box.top + air("Top"),
    width: box.width - air("Left") - air("Right"),
    height: box.height - air("Top") - air("Bottom"),
  };
  const width = Number(img.getAttribute("width")) || img.naturalWidth || 1;
  const height = Number(img.getAttribute("height")) || img.naturalHeight || 1;
  const scales = [content.width / width, content.height / height];
  const scale = style.objectFit === "cover" ? Math.max(...scales) : Math.min(...scales);
  const whole = {
    width: width * scale,
    height: height * scale,
    left: content.left + (content.width - width * scale) / 2,
    top: content.top + (content.height - height * scale) / 2,
  };
  const left = Math.max(whole.left, content.left);
  const top = Math.max(whole.top, content.top);
  const shown = {
    left,
    top,
    width: Math.min(whole.left + whole.width, content.left + content.width) - left,
    height: Math.min(whole.top + whole.height, content.top + content.height) - top,
  };
  return { shown, whole };
}

/**
 * The address of the results with this part of the picture in place of what the query had of it; all of it for null.
 * What the query had besides stays, but for the page and the wish for weaker matches.
 */
export function resultsWith({ search, query, name, key, crop: before }, crop) {
  const valueOf = (part) => `${name}=${key}${part ? `@${part}` : ""}`;
  const rest = query.split("&").filter((part) => part && !/^(page|weaker)=/.test(part));
  const own = rest.findIndex((part) => decodeURIComponent(part) === valueOf(before));
  if (own < 0) rest.unshift(valueOf(crop));
  else rest[own] = valueOf(crop);
  return `${search}?${rest.join("&")}`;
}
