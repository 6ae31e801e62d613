// One page of results after the other, as one grid; the address always says which page is in sight, so that Back,
// reload and a shared link lead to the same place.

const RESULTS = "results";

export function endlessly() {
  document.body.addEventListener("htmx:afterSwap", joinBands);
  addEventListener("scroll", onceAFrame(followPage), { passive: true });
  document.addEventListener("click", rememberCard, { capture: true });
  sayAddress(document.getElementById(RESULTS)?.dataset.address);
}

/** The address of what is shown, where the page was asked for in another spelling of it. */
export function sayAddress(address) {
  if (!address || address === location.pathname + location.search) return;
  history.replaceState(history.state, "", address + location.hash);
}

/** A page that begins inside a band goes on in the band's own grid. */
function joinBands() {
  for (const band of document.querySelectorAll(`#${RESULTS} .band[data-continues]`)) {
    const before = band.previousElementSibling;
    if (!before?.matches(".band")) continue;
    before.querySelector(".grid").append(...band.querySelector(".grid").children);
    band.remove();
  }
}

function followPage() {
  const first = document.querySelectorAll(`#${RESULTS} [data-page]`);
  if (first.length < 2) return;
  const seen = [...first].filter((card) => card.getBoundingClientRect().top < innerHeight / 2);
  sayAddress((seen.at(-1) ?? first[0]).dataset.page);
}

/** Where the browser does not keep the page itself, the card that was opened is where Back leads. */
function rememberCard({ target }) {
  const card = target.closest?.(`#${RESULTS} .tile[id]`);
  if (!card || !target.closest(".tile-link")) return;
  const chunk = [...document.querySelectorAll(`#${RESULTS} [data-page]`)].filter(
    (first) => first === card || first.compareDocumentPosition(card) & Node.DOCUMENT_POSITION_FOLLOWING,
  );
  if (chunk.length) history.replaceState(history.state, "", `${chunk.at(-1).dataset.page}#${card.id}`);
}

function onceAFrame(action) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      action();
    });
  };
}
