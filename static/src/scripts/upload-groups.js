// Photos of one product lie together: proposed by their names, put right by dragging or by each file's own list.

// "SKU_1", "SKU-02", "SKU (3)": one or two digits. Cameras number with four, and those are no photos of one thing.
const NUMBERED = /^(.+?)(?:[\s_-]+(\d{1,2})|\s*\((\d{1,2})\))$/;

/** What the names of one product's photos share: `DRESS-1` of `DRESS-1_2.jpg`. */
export function stemOf(name) {
  const stem = name.replace(/\.[^.]*$/, "");
  return NUMBERED.exec(stem)?.[1] ?? stem;
}

/** A key that nobody else makes, also where the page is served without TLS and `randomUUID` is missing. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export class FileGroups {
  #dragged;

  /**
   * @param {HTMLElement} place of the groups
   * @param {HTMLTemplateElement} template of one group
   * @param {HTMLInputElement} together: ticked while names propose groups
   * @param {Record<string, (values?: object) => string>} say
   */
  constructor(place, template, together, say) {
    Object.assign(this, { place, template, together, say });
    this.#takeDragged();
    place.addEventListener("change", ({ target }) => target.matches("[data-move]") && this.#move(target));
    together.addEventListener("change", () => this.#regroup());
  }

  /** Put a file's row where its name says, and let it be moved. */
  add(row, name) {
    row.dataset.stem = stemOf(name);
    row.dataset.stemWhole = name.replace(/\.[^.]*$/, "");
    row.draggable = true;
    this.#listFor(row).append(row);
    this.refresh();
  }

  /** What the server is told of a file: its group's key, the group's name if it is one, and its place in it. */
  metaOf(row) {
    const group = row.closest("[data-group]");
    const rows = [...group.querySelectorAll("[data-file]")];
    return { group: group.dataset.key, group_name: rows.length > 1 ? group.dataset.name : "", place: String(rows.indexOf(row)) };
  }

  /** A file that is up stays with its product. */
  fix(row) {
    row.draggable = false;
    row.closest("[data-group]").dataset.begun = "";
    this.refresh();
  }

  /** Drop empty groups, and say anew what each is and where each file could go. */
  refresh() {
    for (const group of this.#groups()) if (!group.querySelector("[data-file]")) group.remove();
    const groups = this.#groups();
    this.together.closest("[data-together-row]").hidden = groups.length === 0;
    for (const group of groups) {
      const rows = [...group.querySelectorAll("[data-file]")];
      const several = rows.length > 1;
      if (!several) group.dataset.name = rows[0].dataset.stemWhole;
      const head = group.querySelector("[data-group-head]");
      head.hidden = !several;
      head.textContent = this.say.oneProduct({ name: group.dataset.name, number: rows.length });
      group.querySelector("ul").setAttribute("aria-label", this.say.filesOf({ name: group.dataset.name }));
      for (const row of rows) this.#offer(row, group, groups);
    }
  }

  #offer(row, group, groups) {
    const move = row.querySelector("[data-move]");
    const alone = group.querySelectorAll("[data-file]").length === 1;
    const others = groups.filter((one) => one !== group).map((one) => new Option(one.dataset.name, one.dataset.key));
    const own = new Option(alone ? group.dataset.name : this.say.ownProduct(), alone ? group.dataset.key : "");
    const here = alone ? [] : [new Option(group.dataset.name, group.dataset.key)];
    move.replaceChildren(...here, own, ...others);
    move.value = group.dataset.key;
    move.closest("[data-move-row]").hidden = !row.draggable || (groups.length === 1 && alone);
  }

  #move(select) {
    const row = select.closest("[data-file]");
    const group = this.#groups().find((one) => one.dataset.key === select.value);
    this.#listOf(group ?? this.#start(row.dataset.stemWhole)).append(row);
    this.refresh();
    select.focus();
  }

  #regroup() {
    for (const row of this.place.querySelectorAll("[data-file][draggable=true]")) {
      row.remove();
      this.#listFor(row).append(row);
    }
    this.refresh();
  }

  #listFor(row) {
    const name = this.together.checked ? row.dataset.stem : row.dataset.stemWhole;
    const alike = this.together.checked && this.#groups().find((group) => this.#stemOfGroup(group) === name);
    return this.#listOf(alike || this.#start(name));
  }

  #stemOfGroup = (group) => group.querySelector("[data-file]")?.dataset.stem;

  #start(name) {
    const group = this.template.content.firstElementChild.cloneNode(true);
    group.dataset.key = newKey();
    group.dataset.name = name;
    this.place.append(group);
    return group;
  }

  #groups = () => [...this.place.querySelectorAll("[data-group]")];
  #listOf = (group) => {
    // As soon as a second file comes, the product is named after what both share.
    const first = group.querySelector("[data-file]");
    if (first && group.querySelectorAll("[data-file]").length === 1 && !("begun" in group.dataset)) {
      group.dataset.name = first.dataset.stem;
    }
    return group.querySelector("ul");
  };

  #takeDragged() {
    const overFile = (event) => event.target.closest?.("[data-file]");
    this.place.addEventListener("dragstart", (event) => {
      this.#dragged = overFile(event);
      if (!this.#dragged) return;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/x-file-row", "");
      this.#dragged.classList.add("is-dragged");
    });
    this.place.addEventListener("dragover", (event) => {
      if (!this.#dragged) return;
      event.preventDefault();
      const over = overFile(event);
      const group = event.target.closest("[data-group]");
      if (over === this.#dragged) return;
      if (over) {
        const below = event.clientY > over.getBoundingClientRect().top + over.offsetHeight / 2;
        if (below) over.after(this.#dragged);
        else over.before(this.#dragged);
      } else if (group) group.querySelector("ul").append(this.#dragged);
    });
    this.place.addEventListener("drop", (event) => this.#dragged && event.preventDefault());
    document.addEventListener("dragend", () => {
      if (!this.#dragged) return;
      this.#dragged.classList.remove("is-dragged");
      const group = this.#dragged.closest("[data-group]");
      if (group.querySelectorAll("[data-file]").length === 2 && !("begun" in group.dataset)) {
        group.dataset.name = this.#stemOfGroup(group);
      }
      this.#dragged = undefined;
      this.refresh();
    });
  }
}
