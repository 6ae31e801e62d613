// Words for people who look and for people who listen.

import { icon } from "./icon.js";

/** Tell of one or several faults, in the page's own place for them, instead of what was told before. */
export function alertOf(...faults) {
  const place = document.getElementById("alerts");
  place.replaceChildren(...faults.map(lineOf));
  place.firstElementChild.scrollIntoView({ block: "nearest" });
}

function lineOf(words) {
  const line = document.createElement("p");
  line.className = "notice is-danger";
  const text = document.createElement("span");
  text.className = "notice-words";
  text.textContent = words;
  line.append(icon("warning-circle"), text);
  return line;
}

export function clearAlert() {
  document.getElementById("alerts").replaceChildren();
}

/** Tell a screen reader, without showing anything. */
export function announce(words) {
  document.getElementById("announcer").textContent = words;
}
