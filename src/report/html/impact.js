const view = {
  filter: "Change",
  kinds: [
    { id: "gained", name: "gained", mark: "+", className: "good" },
    { id: "lost", name: "lost", mark: "−", className: "bad" },
    { id: "undecided", name: "can be decided in one state only", mark: "?", className: "open" },
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
  const by = (outcome.errors.length ? outcome.errors : outcome.policies).join(", ");
  return outcome.decision + (by ? " by " + by : ": no policy permits it");
}
// Something that is said of several, which fold away.
function fold(says, className, items, advice) {
  if (!items.length) return;
  const about = element("details");
  about.open = items.length <= 3;
  about.append(element("summary", `${says} (${number(items.length)})`, className));
  const list = element("ul");
  for (const item of items.slice(0, 20)) list.append(element("li", item));
  if (items.length > 20) list.append(element("li", `and ${number(items.length - 20)} more`));
  about.append(list);
  if (advice) about.append(element("p", advice, "advice"));
  byId("first").append(about);
}
const accounts = (count) => count == 1 ? "1 account" : `${number(count)} accounts`;
const names = (list) => list.map((of) => of.name).join(", ");
const on = (of) => {
  const names = some(of.examples, 3);
  return `${of.principal.name}, on ${number(of.resources)}` +
    (of.resources > of.examples.length ? `, for example ${names}` : `: ${names}`);
};
const totals = report.totals;
byId("totals").append(
  element("strong", number(totals.gained) + " gained", "good"), ", ",
  element("strong", number(totals.lost) + " lost", "bad"),
  ` of ${number(totals.decisions)} decisions, on ${number(totals.resources)} devices and tenants. ` +
  `${number(totals.people_gaining)} accounts gain something, ${number(totals.people_losing)} lose something, ` +
  `${number(totals.people_losing_everything)} everything.` +
  (totals.unknown_before || totals.unknown_after ? ` ${number(totals.unknown_before)} cannot be made before and ${number(totals.unknown_after)} after; `
    + `${number(totals.undecided)} that are never allowed can be made in one of the two only.` : ""));
const losing = report.people.filter((row) => row.allowed_before > 0 && row.allowed_after == 0)
  .flatMap((row) => row.principals.map((of) => of.name));
const planned = { extended: "Add to the role", reduced: "Take out of the role", made: "Make the role", replaced: "Make the role" };
const inNeed = report.plan ? [] : report.roles;
if (losing.length || report.concerns.length || report.pages.length || inNeed.length) {
  byId("first").append(element("h2", "Look at first"));
  fold("Accounts that lose everything", "bad", losing);
  for (const concern of report.concerns) {
    // Whatever is to be looked at is no good news.
    const className = concern.change == "lost" ? "bad" : "open";
    fold(concern.says, className, concern.people.map(on), concern.advice);
  }
  for (const page of report.pages) {
    fold(`The page ${page.name} is refused to people who keep permissions on it: ${page.carries.join(", ")}.`,
      "open", page.people.map(on));
  }
  fold("Roles that would need a permission so that nobody loses it", "open", inNeed.map((of) =>
    `${of.what == "made" ? "Make a role of" : `${planned[of.what]} ${of.role.name}:`} ${names(of.permissions)} (${accounts(of.people)})`));
}
function proposed(title, proposal, nothing) {
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
  if (!proposal.smallest) about.append(element("p", "Fewer changes may be enough: there are too many to be certain."));
  for (const change of proposal.changes) {
    const box = element("details");
    const instead = change.instead_of ? `, in place of ${change.instead_of.name}` : "";
    box.append(element("summary", `${planned[change.what]} ${change.role.name}${instead}: ${names(change.permissions)}`));
    const facts = element("ul");
    const assigned = change.assigned.map((of) => of.people > 1 ? `${of.name} (${accounts(of.people)})` : of.name).join(", ");
    if (assigned) facts.append(element("li", `assign it ${change.what == "made" ? "to" : "in"} ${assigned}`));
    for (const gain of change.gains) facts.append(element("li", `lets ${accounts(gain.people)} do more than before: ${gain.name}, ${number(gain.decisions)} decisions`, "good"));
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
  section.append(proposed("Plan against losses", plan.keep,
    totals.lost ? "No role change prevents any of the losses." : "Nobody loses anything."));
  const people = (of) => of.slice(0, 5).map((one) => one.name).join(", ") + (of.length > 5 ? ` and ${number(of.length - 5)} more` : "");
  fold("Losses that no role prevents", "", plan.lost.map((of) => `${people(of.principals)}: ${names(of.permissions)}`));
  if (totals.gained) {
    section.append(proposed("Plan against gains", plan.spare,
      "No role change removes any of the gains without a loss."));
    fold("The roles that give the gains", "", plan.giving.map((of) => `${of.role.name}: ${number(of.decisions)} decisions of ${accounts(of.people)}`));
    const why = (of) => of.reason == "shared" ? `${of.with.name} would lose it, who has the role by ${of.through.name} as well`
      : of.reason == "had_elsewhere" ? "had before on other resources" : `permitted by ${of.policies.join(", ")}`;
    fold("Gains that remain", "", plan.gained.map((of) => `${people(of.principals)}: ${names(of.permissions)}; ${why(of)}`));
  }
}
