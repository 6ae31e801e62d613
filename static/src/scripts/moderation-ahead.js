// Photos that come next, with their pictures and evidence loaded before they are asked for, and the claims on them.

const AHEAD = 2;
const RENEW_MS = 30_000; // a third of the server's claim

export function ahead(place) {
  const waiting = []; // in order, in the page and hidden, so that their pictures load
  let filling = null;
  setInterval(renew, RENEW_MS);

  function fill() {
    if (!place.dataset.goesOn || waiting.length >= AHEAD) return null;
    filling ??= load().finally(() => {
      filling = null;
    });
    return filling;
  }

  async function load() {
    const have = [...place.querySelectorAll("[data-judge]")].map((judge) => ["have", judge.dataset.photo]);
    const response = await fetch(`${place.dataset.ahead}?${new URLSearchParams(have)}`).catch(() => null);
    if (!response?.ok || response.redirected) return;
    for (const judge of parsed(await response.text())) {
      if (waiting.length >= AHEAD || place.querySelector(`[data-photo="${judge.dataset.photo}"]`)) continue;
      judge.hidden = true;
      judge.dataset.waits = "";
      place.append(judge);
      waiting.push(judge);
      prepare(judge);
    }
  }

  /** Load the evidence, and decode the picture before it has to be painted. */
  async function prepare(judge) {
    if (!judge) return;
    judge.querySelector(".judge-photo img")?.decode().catch(() => {});
    const target = judge.querySelector("[data-evidence-place]");
    try {
      const response = await fetch(judge.dataset.evidence, { headers: { "HX-Request": "true" } });
      if (!response.ok) throw new Error(response.statusText);
      target.innerHTML = await response.text();
    } catch {
      target.textContent = place.dataset.noEvidence;
    }
  }

  function take() {
    const next = waiting.shift() ?? null;
    if (next) delete next.dataset.waits;
    return next;
  }

  function putBack(judge) {
    judge.hidden = true;
    judge.dataset.waits = "";
    waiting.unshift(judge);
  }

  function drop(keys) {
    for (const judge of waiting.filter((one) => keys.includes(one.dataset.photo))) {
      waiting.splice(waiting.indexOf(judge), 1);
      judge.remove();
    }
  }

  function renew() {
    const shown = [...place.querySelectorAll("[data-judge]")];
    if (!shown.length || document.hidden) return;
    const body = new FormData();
    for (const judge of shown) body.append("have", judge.dataset.photo);
    const token = place.querySelector("[name=csrfmiddlewaretoken]").value;
    fetch(place.dataset.claims, { method: "POST", body, headers: { "X-CSRFToken": token } }).catch(() => {});
  }

  return { fill, prepare, take, putBack, drop, made: (html) => parsed(html)[0] };
}

function parsed(html) {
  return [...new DOMParser().parseFromString(html, "text/html").querySelectorAll("[data-judge]")].map((judge) =>
    document.importNode(judge, true),
  );
}
