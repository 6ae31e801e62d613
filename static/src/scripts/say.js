// Words for people who look and for people who listen.

import { icon } from "./icon.js";

/** Tell of a fault, in the page's own place for it; the last one replaces the one before. */
export function alertOf(words) {
  const line = document.createElement("p");
  line.className = "notice is-danger";
  const text = document.createElement("span");
  text.className = "notice-words";
  text.textContent = words;
  line.append(icon("warning-circle"), text);
  const place = document.getElementById("alerts");
  place.replaceChildren(line);
  line.scrollIntoView({ block: "nearest" });
}

export function clearAlert() {
  document.getElementById("alerts").replaceChildren();
}

/** Tell a screen reader, without showing anything. */
export function announce(words) {
  document.getElementById("announcer").textContent = words;
}
