const view = {
  filter: "Change",
  kinds: [
    { id: "gained", name: "gained", mark: "+", className: "good" },
    { id: "lost", name: "lost", mark: "−", className: "bad" },
  ],
  entries: (row) => row.changes,
  kind: (entry) => entry.change,
  remark: (row) => row.allowed_before > 0 && row.allowed_after == 0 ? "loses everything" : "",
  facts: (entry) => [
    ["was", decided(entry.before)],
    ["now", decided(entry.after)],
    ["out of reach", entry.out_of_reach && "the page that carries it is refused"],
  ],
};
function decided(outcome) {
  if (!outcome) return "not there";
  const by = outcome.policies.concat(outcome.errors).join(", ");
  return outcome.decision + (by ? " by " + by : ": no policy permits it");
}
// Something to look at first, with what there is of it.
function lookAt(says, className, items, advice) {
  const about = element("div");
  about.append(element("strong", says, className));
  const list = element("ul");
  for (const item of items.slice(0, 20)) list.append(element("li", item));
  if (items.length > 20) list.append(element("li", `and ${number(items.length - 20)} more`));
  about.append(list);
  if (advice) about.append(element("p", advice, "advice"));
  return about;
}
const totals = report.totals;
byId("totals").append(
  element("strong", number(totals.gained) + " gained", "good"), ", ",
  element("strong", number(totals.lost) + " lost", "bad"),
  ` of ${number(totals.decisions)} decisions, on ${number(totals.resources)} devices and tenants. ` +
  `${number(totals.people_gaining)} accounts gain something, ${number(totals.people_losing)} lose something, ` +
  `${number(totals.people_losing_everything)} everything.`);
if (report.concerns.length) {
  byId("first").append(element("h2", "Look at first"));
  for (const concern of report.concerns) {
    const className = view.kinds.find((of) => of.id == concern.change).className;
    const people = concern.people.map((of) =>
      `${of.principal.name}: ${number(of.resources)}, for example ${some(of.examples, 3)}`);
    byId("first").append(lookAt(concern.says, className, people, concern.advice));
  }
}
const names = (list) => list.map((of) => of.name).join(", ");
function planned(title, proposal, nothing) {
  const about = element("div");
  about.append(element("h2", title));
  if (!proposal.changes.length) {
    about.append(element("p", nothing));
    return about;
  }
  const found = `${number(proposal.totals.lost)} decisions lost instead of ${number(totals.lost)}, ` +
    `${number(proposal.totals.gained)} gained instead of ${number(totals.gained)}.`;
  about.append(element("p", (proposal.verified ? "Verified by comparing again: " : "NOT VERIFIED, do not use it: ") + found,
    proposal.verified ? "" : "bad"));
  if (!proposal.smallest) about.append(element("p", "Fewer changes may do: there are too many to be certain."));
  for (const change of proposal.changes) {
    const what = { extended: "add to the role", reduced: "take out of the role", made: "make the role", replaced: "make the role" }[change.what];
    const box = element("details");
    const instead = change.instead_of ? `, in place of ${change.instead_of.name}` : "";
    box.append(element("summary", `${what} ${change.role.name}${instead}: ${names(change.permissions)}`));
    const facts = element("ul");
    const assigned = change.assigned.map((of) => of.people > 1 ? `${of.name} (${number(of.people)} accounts)` : of.name).join(", ");
    if (assigned) facts.append(element("li", `assign it ${change.what == "made" ? "to" : "in"} ${assigned}`));
    for (const gain of change.gains) facts.append(element("li", `lets ${number(gain.people)} accounts do more than before: ${gain.name}, ${number(gain.decisions)} decisions`, "good"));
    if (change.without_it) facts.append(element("li", `without it ${change.without_it.principal.name} loses ${change.without_it.action} on ${change.without_it.resource.name}`));
    box.append(facts);
    for (const file of change.files) box.append(element("p", file.path), element("pre", file.policy));
    about.append(box);
  }
  return about;
}
if (report.plan) {
  const plan = report.plan;
  const section = byId("first");
  section.append(planned("Plan: that nobody loses anything", plan.keep,
    totals.lost ? "No role change keeps anything of what is lost." : "Nobody loses anything."));
  const list = (title, rows) => {
    if (!rows.length) return;
    const items = element("ul");
    items.append(...rows.slice(0, 20).map((text) => element("li", text)));
    if (rows.length > 20) items.append(element("li", `and ${number(rows.length - 20)} more`));
    section.append(element("h3", title), items);
  };
  const people = (of) => of.slice(0, 5).map((one) => one.name).join(", ") + (of.length > 5 ? ` and ${number(of.length - 5)} more` : "");
  list("What no role keeps", plan.lost.map((of) => `${people(of.principals)}: ${names(of.permissions)}`));
  if (totals.gained) {
    section.append(planned("Plan: that nobody gains what they did not have", plan.spare,
      "Nothing of what is gained can be taken away by a role change without a loss."));
    list("The roles that give what is gained", plan.giving.map((of) => `${of.role.name}: ${number(of.decisions)} decisions of ${number(of.people)} accounts`));
    const why = (of) => of.reason == "shared" ? `${of.with.name} would lose it, who has the role by ${of.through.name} as well`
      : of.reason == "had_elsewhere" ? "had before on other resources" : `permitted by ${of.policies.join(", ")}`;
    list("What stays gained", plan.gained.map((of) => `${people(of.principals)}: ${names(of.permissions)}; ${why(of)}`));
  }
}
