// @ts-check
// What the page adds where there is a script: names that are found while they are typed, progress, copying, and the
// remark that another revision is served. Everything else works by links and forms.

/**
 * Something that was found.
 * @typedef {{ type: string, id: string, name: string, value: string }} Hit
 */

/** The pause after a key before names are asked for, in milliseconds. */
const PAUSE = 60;

/** The pause between two looks at the revision, in milliseconds. */
const LOOK = 15000;

const base = new URL(document.querySelector("a.product")?.getAttribute("href") ?? "/", location.href);

/**
 * An address of the API.
 * @param {string} path
 * @param {Record<string, string>} [query]
 */
function api(path, query = {}) {
  const address = new URL(`api/v1/${path}`, base.href.endsWith("/") ? base : `${base.href}/`);
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  return address;
}

/**
 * An element with a text and attributes.
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {string} [text]
 */
function element(name, attributes, text) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Names that are found while they are typed: the combobox of the ARIA practices, with a list that pops up. */
class Combobox {
  /** @param {HTMLInputElement} input */
  constructor(input) {
    this.input = input;
    this.kinds = input.dataset.find ?? "";
    this.go = input.dataset.go;
    this.number = 0;
    this.active = -1;
    /** @type {Hit[]} */
    this.hits = [];
    this.timer = 0;
    const id = `${input.id || input.name}-found`;
    this.list = element("ul", { id, role: "listbox", class: "found", "aria-label": "Names" });
    this.list.hidden = true;
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", id);
    input.parentElement?.classList.add("finds");
    input.after(this.list);
    input.addEventListener("input", () => this.soon());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("blur", () => this.close());
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE);
  }

  async ask() {
    const text = this.input.value.trim();
    const number = ++this.number;
    if (text === "") return this.close();
    const answer = await fetch(api("find", { q: text, kind: this.kinds, limit: "8" }));
    if (!answer.ok || number !== this.number || document.activeElement !== this.input) return;
    /** @type {{ results: Hit[] }} */
    const { results } = await answer.json();
    this.hits = results;
    this.show();
  }

  show() {
    this.active = -1;
    const options = this.hits.map((hit, place) => {
      const option = element("li", { role: "option", id: `${this.list.id}-${place}`, "aria-selected": "false" });
      option.append(element("span", {}, hit.name), element("span", { class: "quiet" }, hit.type.split("::").pop() ?? ""));
      option.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        this.take(place);
      });
      return option;
    });
    this.list.replaceChildren(...options);
    this.list.hidden = options.length === 0;
    this.input.setAttribute("aria-expanded", String(options.length > 0));
    this.input.removeAttribute("aria-activedescendant");
  }

  close() {
    this.number++;
    this.list.hidden = true;
    this.active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  /** @param {number} place */
  point(place) {
    this.active = place;
    for (const [number, option] of [...this.list.children].entries()) {
      option.setAttribute("aria-selected", String(number === place));
      if (number === place) option.scrollIntoView({ block: "nearest" });
    }
    this.input.setAttribute("aria-activedescendant", `${this.list.id}-${place}`);
  }

  /** @param {number} place */
  take(place) {
    const hit = this.hits[place];
    if (hit === undefined) return;
    this.input.value = hit.value;
    this.close();
    if (this.go !== undefined) this.input.form?.requestSubmit();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const count = this.hits.length;
    if (this.list.hidden || count === 0) {
      if (event.key === "ArrowDown") this.soon();
      return;
    }
    if (event.key === "ArrowDown") this.point((this.active + 1) % count);
    else if (event.key === "ArrowUp") this.point((this.active + count - 1) % count);
    else if (event.key === "Enter" && this.active >= 0) this.take(this.active);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
  }
}

/** Buttons that copy a text. */
function copying() {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    if (!(button instanceof HTMLButtonElement)) continue;
    const words = button.lastChild;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copy ?? "")?.textContent ?? "";
      await navigator.clipboard.writeText(text);
      if (words === null) return;
      const before = words.textContent;
      words.textContent = "Copied";
      setTimeout(() => (words.textContent = before), 1500);
    });
  }
}

/** The rows from which on a table can be filtered. */
const MANY = 8;

/**
 * The text of a cell, or its number.
 * @param {Element} row
 * @param {number} column
 */
function content(row, column) {
  const text = row.children[column]?.textContent?.trim() ?? "";
  const number = Number(text.replaceAll(",", ""));
  return text !== "" && !Number.isNaN(number) ? number : text.toLowerCase();
}

/** Tables whose rows are filtered and sorted; of a longer list, those of the page that is shown. */
function tables() {
  for (const table of document.querySelectorAll(".grid > table:not(.heat)")) {
    const body = table.querySelector("tbody");
    if (body === null || body.rows.length < MANY) continue;
    const name = table.querySelector("caption")?.textContent ?? "this table";
    const filter = element("input", { type: "search", placeholder: "Filter", "aria-label": `Filter: ${name}`, class: "filter" });
    table.parentElement?.before(filter);
    filter.addEventListener("input", () => {
      if (!(filter instanceof HTMLInputElement)) return;
      const text = filter.value.trim().toLowerCase();
      for (const row of body.rows) row.hidden = !(row.textContent ?? "").toLowerCase().includes(text);
    });
    for (const [column, heading] of [...table.querySelectorAll("thead th")].entries()) {
      const button = element("button", { type: "button", class: "sort" }, heading.textContent ?? "");
      heading.replaceChildren(button);
      button.addEventListener("click", () => {
        const isUp = heading.getAttribute("aria-sort") === "ascending";
        for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
        heading.setAttribute("aria-sort", isUp ? "descending" : "ascending");
        const rows = [...body.rows].sort((one, other) => {
          const [first, second] = [content(one, column), content(other, column)];
          const order = first < second ? -1 : first > second ? 1 : 0;
          return isUp ? -order : order;
        });
        body.append(...rows);
      });
    }
  }
}

/** The progress of a what-if, and the button that stops it. */
async function progress() {
  const card = document.getElementById("progress");
  const path = card?.dataset.job;
  if (card === null || path === undefined) return;
  const bar = document.getElementById("bar");
  const percent = document.getElementById("percent");
  const stop = card.querySelector("button[data-do=stop]");
  if (stop instanceof HTMLButtonElement) {
    stop.hidden = false;
    stop.addEventListener("click", async () => {
      await fetch(path, { method: "DELETE" });
      location.assign(location.pathname);
    });
  }
  for (;;) {
    const answer = await fetch(`${path}?wait=1s`);
    if (!answer.ok) break;
    /** @type {{ state?: string, done?: number }} */
    const state = await answer.json();
    if (state.state !== "running") break;
    const done = Math.round((state.done ?? 0) * 100);
    if (bar instanceof HTMLProgressElement) bar.value = done;
    if (percent !== null) percent.textContent = `${done} %`;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  location.reload();
}

/** Tells when another revision is served, and when the newest is not. What is shown stays as it is. */
function watching() {
  const shown = document.querySelector("[data-revision]");
  const newer = document.getElementById("newer");
  const stale = document.getElementById("stale");
  const because = document.getElementById("stale-because");
  if (!(shown instanceof HTMLElement) || newer === null || stale === null || because === null) return;
  const look = async () => {
    if (document.hidden) return;
    const answer = await fetch(api("status")).catch(() => undefined);
    if (answer === undefined || answer.status === 401) return;
    const revision = answer.headers.get("tarbac-revision")?.split('"')[1];
    if (revision !== undefined && revision !== shown.dataset.revision) newer.hidden = false;
    /** @type {{ stale?: string, error?: string }} */
    const said = await answer.json();
    const reason = answer.ok ? said.stale : said.error;
    stale.hidden = reason === undefined;
    because.textContent = reason ?? "";
  };
  setInterval(look, LOOK);
  document.addEventListener("visibilitychange", look);
}

for (const input of document.querySelectorAll("input[data-find]")) {
  if (input instanceof HTMLInputElement) new Combobox(input);
}
copying();
tables();
watching();
void progress();
