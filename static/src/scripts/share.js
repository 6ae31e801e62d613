// Sharing: the address is made by the server, then handed to the device's own sheet or to the clipboard.

import { announce } from "./say.js";

export function shareQueries() {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!("share" in form.dataset) || event.submitter?.hasAttribute("formaction")) return;
    event.preventDefault();
    const say = (words) => {
      form.querySelector("[data-share-status]").textContent = words;
      announce(words);
    };
    const body = new FormData(form, event.submitter);
    const address = await addressFor(form, body);
    if (!address) return say(form.dataset.failed);
    try {
      // A phone has a sheet of its own for this; at a desk the address is pasted.
      if (navigator.share && matchMedia("(pointer: coarse)").matches) await navigator.share({ url: address });
      else await navigator.clipboard.writeText(address);
      say(form.dataset.copied);
    } catch (error) {
      if (error.name !== "AbortError") say(address); // it can be copied by hand
    }
  });
}

async function addressFor(form, body) {
  try {
    const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    return response.ok ? (await response.json()).url : null;
  } catch {
    return null;
  }
}
