// The script of reports: filters of tables, buttons that copy and print. Without it, a report shows everything.
// What is filtered stands in the fragment of the address, so that it can be sent along.

/** The text without upper case. @param {Element | null} element */
const textOf = (element) => (element?.textContent ?? "").toLowerCase();

/** @param {number} count */
const accounts = (count) => count === 1 ? "1 account" : `${count.toLocaleString("en")} accounts`;

/**
 * A part of a table: people with the rows about them.
 * @typedef {{ body: HTMLTableSectionElement, names: string, people: number, rows: { row: HTMLTableRowElement, keys: Set<string> }[] }} Part
 */

/**
 * The parts of a table.
 * @param {ParentNode} within
 * @returns {Part[]}
 */
function parts(within) {
  return [...within.querySelectorAll("tbody")].map((body) => ({
    body,
    names: textOf(body.querySelector("tr[data-people]")),
    people: Number(body.querySelector("tr[data-people]")?.getAttribute("data-people") ?? 1),
    rows: [...body.querySelectorAll("tr")].filter((row) => row.hasAttribute("data-keys"))
      .map((row) => ({ row, keys: new Set((row.getAttribute("data-keys") ?? "").split(" ")) })),
  }));
}

/**
 * Filters a table by a form.
 * @param {HTMLFormElement} form
 * @param {Element} table
 */
function filter(form, table) {
  const all = parts(table);
  const fields = /** @type {(HTMLInputElement | HTMLSelectElement)[]} */ ([...form.querySelectorAll("input, select")]);
  const shown = form.querySelector("[data-shown]");

  function apply() {
    const who = (fields.find((field) => field.name === "who")?.value ?? "").trim().toLowerCase();
    const wanted = fields.filter((field) => field.name !== "who" && field.value !== "").map((field) => field.value);
    let people = 0;
    for (const part of all) {
      const isNamed = part.names.includes(who);
      let rows = 0;
      for (const { row, keys } of part.rows) {
        row.hidden = !(isNamed && wanted.every((key) => keys.has(key)));
        rows += row.hidden ? 0 : 1;
      }
      part.body.hidden = rows === 0;
      people += rows === 0 ? 0 : part.people;
    }
    if (shown) shown.textContent = who || wanted.length > 0 ? `${accounts(people)} shown` : "";
  }

  function read() {
    const asked = new URLSearchParams(location.hash.slice(1));
    for (const field of fields) field.value = asked.get(field.name) ?? "";
    apply();
  }

  form.addEventListener("input", () => {
    const asked = new URLSearchParams(fields.filter((field) => field.value !== "").map((field) => [field.name, field.value]));
    history.replaceState(null, "", `#${asked}`);
    apply();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => {
    if (location.hash === "" || location.hash.includes("=")) read();
  });
  form.hidden = false;
  read();
}

for (const form of document.querySelectorAll("form")) {
  const table = form.hasAttribute("data-filter") ? form.parentElement?.querySelector("table") : null;
  if (table) filter(form, table);
}

for (const button of document.querySelectorAll("button")) {
  const from = button.getAttribute("data-copy");
  if (from !== null && navigator.clipboard) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(from)?.textContent ?? "");
      const words = button.lastChild;
      if (words) words.textContent = "Copied";
    });
  }
  if (button.getAttribute("data-do") === "print") {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }
}
