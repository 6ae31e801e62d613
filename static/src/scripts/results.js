// Filters, sorts and pages swap the results in place. Elements that stay are kept (morphed), so that the focus,
// an open sheet and loaded photos stay too.

import { Idiomorph } from "idiomorph";
import htmx from "htmx.org";

import { endlessly, sayAddress } from "./endless.js";
import { markLoaded } from "./mats.js";
import { announce } from "./say.js";

const RESULTS = "results";
// What people or scripts changed on an element marked with data-keeps-state, and the server does not know.
const KEPT = new Set(["open", "class", "style", "role", "aria-modal"]);

export function swapResults() {
  htmx.defineExtension("morphed", {
    isInlineSwap: (style) => style === "morphed",
    handleSwap(style, target, fragment) {
      if (style !== "morphed") return false;
      // An answer is the results alone, or for Back and Forward taken out of a whole page by htmx.
      const fresh = fragment.id === RESULTS ? fragment : fragment.querySelector(`#${RESULTS}`);
      return Idiomorph.morph(target, fresh, {
        morphStyle: "outerHTML",
        callbacks: {
          beforeAttributeUpdated: (name, element) => !("keepsState" in element.dataset && KEPT.has(name)),
        },
      });
    },
  });
  // Nothing of a page is kept on this device: Back asks the server again, and morphs like any other answer.
  let asked; // for the page that Back or Forward leads to
  const overtaken = () => asked?.abort();
  document.body.addEventListener("htmx:historyCacheMiss", ({ detail }) => {
    detail.swapSpec.swapStyle = "morphed";
    overtaken(); // a late answer would put an earlier page under the address of this one
    asked = detail.xhr;
  });
  document.body.addEventListener("htmx:pushedIntoHistory", () => {
    overtaken();
    carryQuery(); // whoever is quicker than the swap sends the new filters, too
  });
  document.body.addEventListener("htmx:historyRestore", () => settled(document.getElementById(RESULTS)));
  document.body.addEventListener("htmx:afterSettle", (event) => event.target.id === RESULTS && settled(event.target));
  document.body.addEventListener("htmx:afterSwap", (event) => markLoaded(event.target));
  endlessly();
  // A page that says what is wrong is better than results that silently stay.
  document.body.addEventListener("htmx:responseError", ({ detail }) => {
    if (detail.target?.id === RESULTS) location.assign(detail.pathInfo.finalRequestPath);
  });
  // What stands beside a page and does not come makes room, or says so.
  for (const kind of ["htmx:responseError", "htmx:sendError"]) {
    document.body.addEventListener(kind, ({ target }) => giveUp(target.closest("[data-optional]")));
  }
  dropEmptyFields();
}

/** What another bundle puts into the page does what its hx- attributes say: htmx lives in this bundle alone. */
export function takeAdded() {
  document.addEventListener("page:added", ({ target }) => htmx.process(target));
}

function giveUp(place) {
  const words = place?.dataset.optional;
  if (!words) return place?.remove();
  const said = Object.assign(document.createElement("p"), { className: "muted", textContent: words });
  place.replaceChildren(said);
}

function settled(results) {
  announce(results.dataset.announce);
  sayAddress(results.dataset.address);
  carryQuery();
  // A link that has gone, or that now leads to yet another page, is no place to go on from: the top of the results is.
  const focused = document.activeElement;
  if (focused === document.body || focused.closest(".pager, .after")) {
    document.getElementById("found")?.focus({ preventScroll: true });
  }
}

/** The field keeps what the address now says: its words, and the picture and filters that go with them. */
function carryQuery() {
  const form = document.querySelector("[data-words-form]");
  const parameters = new URLSearchParams(location.search);
  const { q } = form.elements;
  const isTypedIn = q === document.activeElement && q.value !== q.defaultValue;
  q.defaultValue = parameters.get("q") ?? "";
  if (!isTypedIn) q.value = q.defaultValue;
  for (const name of ["q", "weaker", "page"]) parameters.delete(name);
  const inputs = [...parameters].map(([name, value]) => Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  form.querySelector("[data-kept]").replaceChildren(...inputs);
}

/** Empty fields of GET forms stay out of addresses. */
function dropEmptyFields() {
  document.addEventListener("formdata", ({ target, formData }) => {
    if (target.method !== "get") return;
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  });
}

