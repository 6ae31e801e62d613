// The photos of a product, full size: swipe, zoom, keys.
import PhotoSwipeLightbox from "photoswipe/lightbox";
import PhotoSwipe from "photoswipe";

import { icon } from "./icon.js";

const photos = document.querySelector("[data-photos]");
if (photos) {
  const texts = photos.dataset;
  const lightbox = new PhotoSwipeLightbox({
    gallery: photos,
    children: "a",
    pswpModule: PhotoSwipe,
    bgOpacity: 0.96,
    showHideAnimationType: matchMedia("(prefers-reduced-motion: reduce)").matches ? "none" : "zoom",
    closeTitle: texts.close,
    zoomTitle: texts.zoom,
    arrowPrevTitle: texts.previous,
    arrowNextTitle: texts.next,
    errorMsg: texts.failed,
  });
  lightbox.on("afterInit", () => lightbox.pswp.element.setAttribute("aria-label", texts.name));
  lightbox.on("uiRegister", () =>
    lightbox.pswp.ui.registerElement({
      name: "part",
      title: texts.part,
      order: 9, // before the button that closes
      isButton: true,
      html: icon("crop", 24).outerHTML,
      onClick: (_event, _element, pswp) => {
        const figure = pswp.currSlide.data.element.closest("[data-region]");
        pswp.on("destroy", () => figure.dispatchEvent(new Event("region-open", { bubbles: true })));
        pswp.close();
      },
    }),
  );
  lightbox.init();
}

// Going back by history keeps the place on the results page, which a link would lose.
const back = document.querySelector("[data-back]");
back?.addEventListener("click", (event) => {
  const plain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (!plain || document.referrer !== back.href || history.length < 2) return;
  event.preventDefault();
  history.back();
});
