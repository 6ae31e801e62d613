// The list of files on the upload page: what each one is, how far it is, and what became of it.

import { icon } from "./icon.js";

const STATES = { good: () => icon("check-circle", 16), danger: () => icon("warning-circle", 16) };

const share = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });

export class FileList {
  #rows = new Map(); // id → the row's parts by name

  /**
   * @param {import("./upload-groups.js").FileGroups} groups where rows go
   * @param {HTMLTemplateElement} template of one row
   * @param {Record<string, (values?: object) => string>} say
   * @param {{remove: (id: string) => void, retry: (id: string) => void, leave: () => void}} actions: `leave` takes the focus
   */
  constructor(groups, template, say, actions) {
    Object.assign(this, { groups, template, say, actions });
  }

  add({ id, name }) {
    const row = this.template.content.firstElementChild.cloneNode(true);
    const part = (wanted) => row.querySelector(`[data-${wanted}]`);
    const names = ["thumb", "name", "says", "progress", "open", "similar", "alike", "again", "remove", "move"];
    const parts = { row, ...Object.fromEntries(names.map((wanted) => [wanted, part(wanted)])) };
    parts.name.textContent = name;
    parts.progress.setAttribute("aria-label", this.say.sendingOf({ file: name }));
    parts.remove.setAttribute("aria-label", this.say.remove({ file: name }));
    parts.remove.addEventListener("click", () => this.actions.remove(id));
    parts.again.addEventListener("click", () => this.actions.retry(id));
    parts.move.setAttribute("aria-label", this.say.productOf({ file: name }));
    this.#rows.set(id, parts);
    this.groups.add(row, name);
    this.#tell(parts, this.say.ready());
  }

  /** What the server is told of a file beside what holds for all. */
  metaOf(id) {
    return this.groups.metaOf(this.#rows.get(id).row);
  }

  remove(id) {
    const { row } = this.#rows.get(id) ?? {};
    if (!row) return;
    const rows = [...this.#rows.values()].map((parts) => parts.row);
    rows.sort((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
    const next = rows[rows.indexOf(row) + 1] ?? rows[rows.indexOf(row) - 1];
    const hadFocus = row.contains(document.activeElement);
    row.remove();
    this.#rows.delete(id);
    this.groups.refresh();
    if (!hadFocus) return;
    if (next) next.querySelector("[data-remove]").focus();
    else this.actions.leave();
  }

  picture(id, url) {
    const { thumb } = this.#rows.get(id) ?? {};
    if (!thumb) return;
    thumb.src = url;
    thumb.hidden = false;
  }

  sending(id) {
    const parts = this.#rows.get(id);
    if (!parts) return;
    parts.progress.hidden = false;
    parts.progress.value = 0;
    if (parts.again === document.activeElement) parts.remove.focus();
    parts.again.hidden = true;
    this.#tell(parts, this.say.sending({ share: share.format(0) }));
  }

  progress(id, { bytesUploaded, bytesTotal }) {
    const parts = this.#rows.get(id);
    if (!parts || !bytesTotal) return;
    const sent = bytesUploaded / bytesTotal;
    parts.progress.value = 100 * sent;
    this.#tell(parts, sent < 1 ? this.say.sending({ share: share.format(sent) }) : this.say.checking());
  }

  /** A place for what the photo suggests, once for each product: its panel loads when it comes into view. */
  #suggest(row, url) {
    if (!url || row.closest("[data-group]").querySelector(".suggestion-place")) return;
    const place = document.createElement("div");
    place.className = "suggestion-place";
    place.setAttribute("hx-get", url);
    place.setAttribute("hx-trigger", "revealed");
    row.append(place);
    place.dispatchEvent(new CustomEvent("page:added", { bubbles: true }));
  }

  /**
   * @param {{product_url: string, similar_url: string, suggestion_url: string, state: string, notes: string[],
   *   alike: {sku: string, url: string, says: string}[]}} answer of the server
   */
  done(id, { product_url: url, similar_url: similar, suggestion_url: suggestion, state = "", notes = [], alike = [] }) {
    const parts = this.#rows.get(id);
    if (!parts) return;
    parts.progress.hidden = true;
    parts.again.hidden = true;
    parts.open.href = url;
    parts.open.hidden = false;
    parts.similar.href = similar;
    parts.similar.hidden = !similar;
    parts.alike.replaceChildren(...alike.map(lineOf));
    this.groups.fix(parts.row);
    this.#suggest(parts.row, suggestion);
    this.#tell(parts, [this.say.done(), state, ...notes].filter(Boolean).join(" "), "good");
  }

  failed(id, reason) {
    const parts = this.#rows.get(id);
    if (!parts) return;
    parts.progress.hidden = true;
    parts.thumb.hidden = true; // a picture that cannot be read has a black one
    parts.again.hidden = false;
    this.#tell(parts, reason, "danger");
  }

  #tell({ says }, words, state) {
    const text = document.createElement("span");
    text.textContent = words;
    says.replaceChildren(...(state ? [STATES[state]()] : []), text);
    says.className = state ? `file-says is-${state}` : "file-says";
  }
}

/** One product that may be the same: why, and where it is. */
function lineOf({ sku, url, says }) {
  const line = document.createElement("li");
  const link = Object.assign(document.createElement("a"), { href: url, textContent: sku });
  line.append(icon("copy", 16), `${says} `, link);
  return line;
}
