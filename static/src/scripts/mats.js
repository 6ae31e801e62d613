// A mat has its photo's colour until the photo is there. `load` does not bubble, but it can be captured.

const loaded = (img) => img.closest(".mat")?.classList.add("is-loaded");

export function loadMats() {
  document.addEventListener("load", (event) => event.target instanceof HTMLImageElement && loaded(event.target), true);
  markLoaded(document);
}

/** Mark the photos that were there before anybody listened. */
export function markLoaded(within) {
  for (const img of within.querySelectorAll(".mat img")) if (img.complete && img.naturalWidth) loaded(img);
}
