const view = {
  filter: "Outcome",
  kinds: [
    { id: "allowed", name: "allowed", mark: "", className: "good" },
    { id: "out-of-reach", name: "allowed, out of reach", mark: "!", className: "open" },
    { id: "refused", name: "has in a role, but is refused", mark: "−", className: "bad" },
    { id: "unknown", name: "cannot be decided", mark: "?", className: "open" },
  ],
  entries: (row) => row.holds,
  kind: (entry) => entry.status,
  remark: (row) => row.allowed == 0 ? "nothing works" : "",
  facts: (entry) => [
    ["through", entry.through.map((of) => (of.steps.length ? of.steps.map((step) => step.name).join(" → ") + ", " : "") + of.policy).join("; ")],
    ["with, for example", (entry.supports || []).map((of) => of.sentence).join("; ")],
    [entry.status == "unknown" ? "because" : "refused by", entry.reasons.map((of) => `${of.reason} (${number(of.count)})`).join(", ")],
    ["out of reach", entry.status == "out-of-reach" && "the page that carries it is refused"],
  ],
};
const totals = report.totals;
byId("totals").append(
  element("strong", `${number(totals.people_allowed)} of ${number(totals.people)} accounts can do something`), ": ",
  element("span", `${number(totals.allowed)} of ${number(totals.decisions)} decisions are allowed`, "good"), ", of which ",
  element("span", `${number(totals.out_of_reach)} are out of reach`, "open"), "; ",
  element("span", `${number(totals.refused)} are granted by a role, but refused`, "bad"),
  totals.unknown ? `; ${number(totals.unknown)} cannot be made.` : ".",
  totals.assignments_unknown ? ` Of ${number(totals.assignments)} assignments, ${number(totals.assignments_unknown)} cannot be judged because of that.` : "",
  totals.assignments_unlisted ? ` Of ${number(totals.assignments)} assignments, ${number(totals.assignments_unlisted)} are not judged, because members of them are not known.` : "");
// A table that can be folded away; a long one is.
function table(title, headings, rows) {
  if (!rows.length) return;
  const about = element("details");
  about.open = rows.length <= 12;
  about.append(element("summary", `${title} (${number(rows.length)})`));
  const made = element("table");
  const heading = element("tr");
  heading.append(...headings.map((text) => element("th", text)));
  made.append(heading);
  for (const row of rows.slice(0, most)) {
    const line = element("tr");
    line.append(...row.map((value) => typeof value == "number" ? element("td", number(value), "cell") : element("td", value)));
    made.append(line);
  }
  about.append(made);
  if (rows.length > most) about.append(element("p", `and ${number(rows.length - most)} more`));
  byId("first").append(about);
}
for (const [gives, title] of [["nothing", "Assignments that give nothing"], ["repeats", "Assignments that give only what others give"], ["withheld", "Assignments that give nothing here"], ["suspended", "Assignments that give nothing more now, and may with accounts that may do nothing yet, or with memberships that are activated"]]) {
  const of = report.assignments.filter((of) => of.gives == gives);
  table(title, ["members", "accounts", "assignment", "roles", "because"], of.map((of) => [
    of.from ? of.from.name : "nobody", of.people, of.to.name, some(of.roles, 5), of.because || ""]));
}
for (const of of report.obstacles.filter((of) => of.accounts))
  table(of.accounts.called, ["account"], of.accounts.people.map((person) => [person.name]));
table("The policies that refuse most of the granted permissions", ["what", "policy", "decisions", "accounts", "what to do"], report.obstacles.map((of) => [
  of.says, of.policy, of.decisions, of.people, of.advice || ""]));
table("By role", ["role", "accounts", "can use it", "allowed", "refused"], report.roles.filter((of) => of.people).map((of) => [
  of.role.name, of.people, of.people_allowed, of.allowed, of.refused]));
