// Makes static/dist from static/src: scripts by esbuild, styles by sass, fonts and the icon sprite from npm.
// `node scripts/bundle.mjs --watch` goes on as files change.

import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { watch } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import esbuild from "esbuild";
import * as sass from "sass";

import { iconSprite } from "./icons.mjs";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const SOURCE = path.join(ROOT, "static/src");
const FINISHED = path.join(ROOT, "static/dist");
const MODULES = path.join(ROOT, "node_modules");
// Made aside and moved at the end: a server that runs meanwhile never finds half of it.
const DIST = path.join(MODULES, ".cache", `dist-${process.pid}`);
const SCRIPTS = ["theme", "main", "product", "region", "upload", "moderation", "products", "duplicates"];
const STYLES = ["main", "product", "upload", "staff"];
const FONTS = ["latin", "latin-ext"].map((subset) => `instrument-sans-${subset}-wght-normal.woff2`);

async function scripts() {
  await esbuild.build({
    entryPoints: SCRIPTS.map((name) => path.join(SOURCE, "scripts", `${name}.js`)),
    outdir: DIST,
    bundle: true,
    minify: true,
    format: "iife",
    target: ["es2022"],
    legalComments: "linked",
    logLevel: "warning",
  });
}

async function styles() {
  for (const name of STYLES) {
    const { css } = await sass.compileAsync(path.join(SOURCE, "styles", `${name}.scss`), {
      loadPaths: [MODULES],
      quietDeps: true,
      silenceDeprecations: ["import"], // Bootstrap 5 is still written with @import
    });
    // esbuild only minifies here: addresses of fonts stay as they are, beside the sheet.
    const { code } = await esbuild.transform(css, { loader: "css", minify: true, target: ["chrome111", "safari16.4", "firefox114"] });
    await writeFile(path.join(DIST, `${name}.css`), code);
  }
}

async function files() {
  const fonts = path.join(MODULES, "@fontsource-variable/instrument-sans");
  await mkdir(path.join(DIST, "fonts"), { recursive: true });
  for (const font of FONTS) await cp(path.join(fonts, "files", font), path.join(DIST, "fonts", font));
  await cp(path.join(fonts, "LICENSE"), path.join(DIST, "fonts", "LICENSE"));
  await cp(path.join(SOURCE, "images"), DIST, { recursive: true });
  await writeFile(path.join(DIST, "icons.svg"), await iconSprite(ROOT));
}

async function build() {
  const start = performance.now();
  await rm(DIST, { recursive: true, force: true });
  await mkdir(DIST, { recursive: true });
  await Promise.all([scripts(), styles(), files()]);
  await rm(FINISHED, { recursive: true, force: true });
  await rename(DIST, FINISHED);
  const sizes = await Promise.all(
    ["main.js", "main.css", "upload.js", "product.js"].map(
      async (name) => `${name} ${Math.ceil((await readFile(path.join(FINISHED, name))).length / 1024)} kB`,
    ),
  );
  console.log(`static/dist: ${sizes.join(", ")} in ${Math.round(performance.now() - start)} ms`);
}

await build();

if (process.argv.includes("--watch")) {
  let waiting;
  const again = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => build().catch((error) => console.error(error.message)), 80);
  };
  watch(SOURCE, { recursive: true }, again);
  watch(path.join(ROOT, "templates"), { recursive: true }, again);
}
