// The list of files on the upload page: what each one is, how far it is, and what became of it.

import { icon } from "./icon.js";

const STATES = { good: () => icon("check-circle", 16), danger: () => icon("warning-circle", 16) };

const share = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });

export class FileList {
  #rows = new Map(); // id → the row's parts by name

  /**
   * @param {HTMLElement} list where rows go
   * @param {HTMLTemplateElement} template of one row
   * @param {Record<string, (values?: object) => string>} say
   * @param {{remove: (id: string) => void, retry: (id: string) => void, leave: () => void}} actions: `leave` takes the focus
   */
  constructor(list, template, say, actions) {
    Object.assign(this, { list, template, say, actions });
  }

  add({ id, name }) {
    const row = this.template.content.firstElementChild.cloneNode(true);
    const part = (wanted) => row.querySelector(`[data-${wanted}]`);
    const names = ["thumb", "name", "says", "progress", "open", "again", "remove"];
    const parts = { row, ...Object.fromEntries(names.map((wanted) => [wanted, part(wanted)])) };
    parts.name.textContent = name;
    parts.progress.setAttribute("aria-label", this.say.sendingOf({ file: name }));
    parts.remove.setAttribute("aria-label", this.say.remove({ file: name }));
    parts.remove.addEventListener("click", () => this.actions.remove(id));
    parts.again.addEventListener("click", () => this.actions.retry(id));
    this.#rows.set(id, parts);
    this.list.append(row);
    this.#tell(parts, this.say.ready());
  }

  remove(id) {
    const { row } = this.#rows.get(id) ?? {};
    if (!row) return;
    const next = row.nextElementSibling ?? row.previousElementSibling;
    const hadFocus = row.contains(document.activeElement);
    row.remove();
    this.#rows.delete(id);
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

  /** @param {{product_url: string, notes: string[]}} answer of the server */
  done(id, { product_url: url, notes = [] }) {
    const parts = this.#rows.get(id);
    if (!parts) return;
    parts.progress.hidden = true;
    parts.again.hidden = true;
    parts.open.href = url;
    parts.open.hidden = false;
    this.#tell(parts, [this.say.done(), ...notes].join(" "), "good");
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
