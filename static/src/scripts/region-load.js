// Choosing a part of a picture needs a script of its own, which a page asks for when it is wanted: for suggested parts
// once the page has settled, on a product's photos when a pointer or the focus comes near.

let loading = null; // the promise of the script
let isLoaded = false;

export function chooseParts() {
  for (const kind of ["pointerover", "focusin"]) {
    document.addEventListener(kind, ({ target }) => target.closest?.("[data-region]") && load());
  }
  // What is asked for before the script is there is asked for again.
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-region-open]");
    if (button && !isLoaded) load().then(() => button.click());
  });
  document.addEventListener("region-open", ({ target }) => {
    if (!isLoaded) load().then(() => target.dispatchEvent(new Event("region-open")));
  });
  const suggest = () => document.querySelector("[data-region][data-suggest]") && load();
  document.body.addEventListener("htmx:afterSettle", suggest);
  if (document.readyState === "complete") suggest();
  else addEventListener("load", suggest);
}

/** Does not come to an end where the script cannot be loaded; the next call tries again. */
function load() {
  loading ??= new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = document.querySelector("[data-region]").dataset.region;
    script.addEventListener("load", () => {
      isLoaded = true;
      resolve();
    });
    script.addEventListener("error", () => {
      loading = null;
      script.remove();
    });
    document.head.append(script);
  });
  return loading;
}
