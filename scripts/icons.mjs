// One SVG sprite of the Phosphor icons that templates and scripts name: {% icon "camera" %} and icon("camera").

import { readFile, readdir } from "node:fs/promises";
import path from "node:path";

const NAMED = [/\{%\s*icon\s+"([a-z-]+)"/g, /\bicon\("([a-z-]+)"/g, /\bicon="([a-z-]+)"/g];

async function textFiles(folder, endings) {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => endings.includes(path.extname(name))).map((name) => path.join(folder, name));
}

/** Names of all icons in use, sorted. */
async function iconNames(root) {
  const files = [
    ...(await textFiles(path.join(root, "templates"), [".html"])),
    ...(await textFiles(path.join(root, "static/src/scripts"), [".js"])),
  ];
  const names = new Set();
  for (const file of files) {
    const text = await readFile(file, "utf8");
    for (const pattern of NAMED) for (const [, name] of text.matchAll(pattern)) names.add(name);
  }
  return [...names].sort();
}

/** The sprite's text; fails on a name that Phosphor does not have. */
export async function iconSprite(root) {
  const symbols = [];
  for (const name of await iconNames(root)) {
    const svg = await readFile(path.join(root, "node_modules/@phosphor-icons/core/assets/regular", `${name}.svg`), "utf8");
    const [, viewBox, body] = svg.match(/^<svg[^>]*viewBox="([^"]+)"[^>]*>(.*)<\/svg>\s*$/s);
    symbols.push(`<symbol id="${name}" viewBox="${viewBox}">${body}</symbol>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`;
}
