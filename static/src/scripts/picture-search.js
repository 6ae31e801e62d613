// Drop, paste, choose or take a photo anywhere: it is shown at once, made small, sent, and its results follow.

import { isPicture, onIncomingFiles } from "./incoming.js";
import { alertOf, announce, clearAlert } from "./say.js";
import { shrink } from "./shrink.js";

/** Returns the function that covers the page while the server looks at a picture, for other ways to name one. */
export function searchByPicture() {
  const form = document.querySelector("[data-photo-form]");
  const overlay = document.getElementById("drop");
  if (!form || !overlay) return;
  const view = new Overlay(overlay);
  let sending = null; // AbortController of the photo on its way

  const stop = () => {
    sending?.abort();
    sending = null;
    view.hide();
  };

  async function search(files, { add = false } = {}) {
    const photo = files.find(isPicture);
    if (!photo) return alertOf(form.dataset.noPicture);
    if (files.length > 1) announce(form.dataset.several);
    await follow(async (signal) => {
      const small = await shrink(photo);
      // Not the photo as it came: decoding a dozen megapixels twice takes twice as long.
      if (!signal.aborted) view.picture(small);
      return send(form, fieldsOf(small, photo.name, add), signal);
    }, form.dataset.searching);
  }

  /** Wait for the answer of `asking` under the cover, where it can be cancelled; then go where it leads. */
  async function follow(asking, status) {
    sending?.abort();
    const controller = new AbortController();
    sending = controller;
    clearAlert();
    view.show(status);
    const answer = await asking(controller.signal);
    if (sending !== controller) return; // cancelled, or another picture came
    if (answer.url) return location.assign(answer.url);
    stop();
    alertOf(answer.error);
  }

  // Some pages take dropped files for something else.
  if (!("ownDrop" in document.body.dataset)) {
    onIncomingFiles({
      enter: () => view.invite(),
      leave: () => sending || view.hide(),
      files: search,
    });
  }
  // On the document: results that are swapped bring inputs of their own.
  document.addEventListener("change", ({ target: input }) => {
    if (!input.matches("[data-photo-input]")) return;
    const files = [...input.files];
    input.value = ""; // the same photo can be chosen again
    if (files.length) search(files, { add: "add" in input.dataset });
  });
  overlay.querySelector("[data-drop-cancel]").addEventListener("click", stop);
  overlay.addEventListener("keydown", (event) => event.key === "Escape" && stop());
  window.addEventListener("pageshow", (event) => event.persisted && stop());
  return follow;
}

/** What the form sends of a photo: small, with the words and filters of the page that is open. */
function fieldsOf(photo, name, add) {
  return { next: openQuery().toString(), ...(add && { add: "1" }), image: [photo, name || "photo.jpg"] };
}

/** The query of the results page, if that is open. */
export function openQuery() {
  const results = new URL(document.querySelector("[data-words-form]").action);
  return new URLSearchParams(location.pathname === results.pathname ? location.search : "");
}

/** Post the fields (a file with its name) to where the form leads; the answer has `url` or `error`. */
export async function send(form, fields, signal) {
  const body = new FormData();
  body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  for (const [name, value] of Object.entries(fields)) body.set(name, ...[value].flat());
  let response;
  try {
    response = await fetch(form.action, { method: "POST", body, signal, headers: { Accept: "application/json" } });
  } catch {
    return { error: form.dataset.offline };
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok && answer.url) return answer;
  return { error: answer.error ?? (response.status === 413 ? form.dataset.tooLarge : form.dataset.failed) };
}

/** The cover of the whole window: it invites while a file is dragged, and shows the photo that is searched for. */
class Overlay {
  constructor(element) {
    this.element = element;
    this.photo = element.querySelector("[data-drop-photo]");
    this.status = element.querySelector("[data-drop-status]");
    // A format that the browser cannot show (HEIC) is still searched for.
    this.photo.addEventListener("error", () => (this.photo.hidden = true));
  }

  invite() {
    this.element.dataset.state = "dragging";
    this.element.hidden = false;
  }

  /** Say what is going on. */
  show(status) {
    this.#release();
    this.photo.hidden = true;
    this.element.dataset.state = "searching";
    this.element.hidden = false;
    this.status.textContent = status;
    this.#rest(true);
    this.before ??= document.activeElement;
    this.element.querySelector("[data-drop-cancel]").focus();
  }

  /** The photo that is searched for, beside what is said. */
  picture(file) {
    this.photo.src = URL.createObjectURL(file);
    this.photo.hidden = false;
  }

  hide() {
    if (this.element.hidden) return;
    this.element.hidden = true;
    this.#release();
    this.#rest(false);
    this.before?.focus();
    this.before = null;
  }

  #release() {
    if (this.photo.src) URL.revokeObjectURL(this.photo.src);
    this.photo.removeAttribute("src");
  }

  /** While the photo is on its way nothing behind the cover can be reached. */
  #rest(inert) {
    for (const part of document.querySelectorAll(".site-header, .site-main, .site-footer")) part.inert = inert;
  }
}
