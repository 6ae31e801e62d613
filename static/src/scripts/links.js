// A link to a picture, typed into the field or pasted elsewhere: the server fetches it, and its results follow.

import { openQuery, send } from "./picture-search.js";

const LINK = /^https?:\/\/\S+$/i;
const FIELDS = "input, textarea, select, [contenteditable]";

/** @param {Function} [follow] covers the page while the server looks at a picture */
export function searchByLink(follow) {
  const form = document.querySelector("[data-link-form]");
  const words = document.querySelector("[data-words-form]");
  if (!follow || !form || !words) return; // links are turned off, or the page has no field

  const search = (url, query) =>
    follow((signal) => send(form, { url, next: query.toString() }, signal), form.dataset.fetching);

  words.addEventListener("submit", (event) => {
    const link = words.elements.q.value.trim();
    if (!LINK.test(link)) return;
    event.preventDefault();
    const query = openQuery();
    query.delete("q"); // the link stands where these words stood
    search(link, query);
  });
  if ("ownDrop" in document.body.dataset) return;
  document.addEventListener("paste", (event) => {
    if (event.defaultPrevented || event.target.closest(FIELDS)) return;
    const link = event.clipboardData?.getData("text/plain").trim() ?? "";
    if (!LINK.test(link)) return;
    event.preventDefault();
    search(link, openQuery());
  });
}
