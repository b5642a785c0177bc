//! Decisions that differ for one class of people.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;

use super::{AFTER, BEFORE, ChangedDecision, Concerned, Direction, States};
use crate::bulk::decision::{BulkDecision, CellMarks, ClassDecisions};
use crate::bulk::index::{ActionId, BulkId, CellId, PrincipalTypeId};
use crate::bulk::summary::{
    AskedActions, CellSet, OnPage, Summary, has_decision, is_out_of_reach, on_page,
};
use crate::explain::Named;
use tarbac_host::bundle::Action;
use tarbac_host::decision::{Decision, Outcome};
use tarbac_store::index::IndexVec;

/// The annotation of a policy about concerns: the direction of the changes.
const ABOUT: &str = "change";

/// The differences of a class of people.
#[derive(Default)]
pub(super) struct ClassImpact {
    pub(super) decisions: u64,
    pub(super) allowed_before: u64,
    pub(super) allowed_after: u64,
    pub(super) unknown_before: u64,
    pub(super) unknown_after: u64,
    pub(super) gained: u64,
    pub(super) lost: u64,
    pub(super) undecided: u64,
    pub(super) changes: Vec<ChangedDecision>,
    /// The resources of concerns, by policy and direction.
    pub(super) concerns: BTreeMap<(String, Direction), Resources>,
    /// The permissions on pages that become unreachable, and the resources, by page.
    pub(super) pages: BTreeMap<EntityUid, (BTreeSet<EntityUid>, Resources)>,
}

/// The number of resources of a concern or page, and some of them.
#[derive(Clone, Default)]
pub(super) struct Resources {
    resources: u64,
    examples: Vec<Named>,
}

impl Resources {
    /// Adds resources of another type.
    fn add(&mut self, other: &Self) {
        self.resources += other.resources;
        self.examples.extend(other.examples.iter().cloned());
    }

    /// An entry for each of some people.
    pub(super) fn for_each_of(&self, people: &[Named]) -> impl Iterator<Item = Concerned> {
        people.iter().map(|person| Concerned {
            person: person.clone(),
            resources: self.resources,
            examples: self.examples.clone(),
        })
    }
}

impl ClassImpact {
    /// Counts the decisions about an action on `count` resources.
    fn count(
        &mut self,
        before: Option<&Outcome>,
        after: Option<&Outcome>,
        direction: Option<Direction>,
        count: u64,
    ) {
        self.decisions += count;
        self.allowed_before += count * u64::from(has_decision(before, Decision::Allow));
        self.allowed_after += count * u64::from(has_decision(after, Decision::Allow));
        self.unknown_before += count * u64::from(has_decision(before, Decision::Indeterminate));
        self.unknown_after += count * u64::from(has_decision(after, Decision::Indeterminate));
        match direction {
            Some(Direction::Gained) => self.gained += count,
            Some(Direction::Lost) => self.lost += count,
            Some(Direction::Undecided) => self.undecided += count,
            None => {}
        }
    }

    /// Adds the differences on resources of another type.
    pub(super) fn add(&mut self, other: &Self) {
        self.decisions += other.decisions;
        self.allowed_before += other.allowed_before;
        self.allowed_after += other.allowed_after;
        self.unknown_before += other.unknown_before;
        self.unknown_after += other.unknown_after;
        self.gained += other.gained;
        self.lost += other.lost;
        self.undecided += other.undecided;
        self.changes.extend(other.changes.iter().cloned());
        for (concern, on) in &other.concerns {
            self.concerns.entry(concern.clone()).or_default().add(on);
        }
        for (page, (carried, on)) in &other.pages {
            let (all, known) = self.pages.entry(page.clone()).or_default();
            all.extend(carried.iter().cloned());
            known.add(on);
        }
    }
}

/// Compares the decisions about classes of people in two states.
pub(super) struct ClassComparer<'s, 'e> {
    states: States<'e>,
    bulk: &'s BulkDecision<'e>,
    /// The bulk decision, by index.
    index: (PrincipalTypeId, BulkId),
    actions: AskedActions<'e>,
    /// The actions that are compared.
    compared: &'s [EntityUid],
}

impl<'s, 'e> ClassComparer<'s, 'e> {
    pub(super) fn new(
        states: States<'e>,
        bulk: &'s BulkDecision<'e>,
        index: (PrincipalTypeId, BulkId),
    ) -> Self {
        let actions = bulk.actions().iter();
        Self {
            states,
            bulk,
            index,
            actions: actions.map(|uid| states.action(uid)).collect(),
            compared: bulk.actions().raw.as_slice(),
        }
    }

    /// Restricts the comparison to these actions.
    pub(super) fn only(self, compared: &'s [EntityUid]) -> Self {
        Self { compared, ..self }
    }

    /// The differences of a class of people, and the cells that have any.
    pub(super) fn compare(&self, decisions: &ClassDecisions<'_>) -> (ClassImpact, CellMarks) {
        let mut found = ClassDifferences::new(decisions.cells().len());
        for (index, action) in self.actions.iter_enumerated() {
            let is_compared =
                |action: &&Action| !action.is_question() && self.compared.contains(&action.uid);
            if let Some(action) = action.filter(is_compared) {
                self.compare_action(decisions, (index, action), &mut found);
            }
        }
        let mut impact = found.impact;
        impact.concerns = self.concerns(decisions, &found.by_direction);
        let pages = found.pages.into_iter().map(|(page, lost)| {
            let resources = self.resources(decisions, &Vec::from_iter(lost.cells));
            (page, (lost.carried, resources))
        });
        impact.pages = pages.collect();
        (impact, found.marks)
    }

    fn compare_action(
        &self,
        decisions: &ClassDecisions<'_>,
        (index, action): (ActionId, &Action),
        found: &mut ClassDifferences,
    ) {
        let page = self.page(action);
        let mut groups: Vec<ChangedCells<'_>> = Vec::new();
        for (id, cell) in decisions.cells().iter_enumerated() {
            let [before, after] = [BEFORE, AFTER].map(|state| decisions.outcome(state, index, id));
            if before.is_none() && after.is_none() {
                continue;
            }
            let direction = direction(before, after);
            found.impact.count(before, after, direction, cell.count);
            let is_out_of_reach =
                page.is_some_and(|(_, on_page)| becomes_out_of_reach(decisions, on_page, id));
            if let Some((page, _)) = page.filter(|_| is_out_of_reach) {
                let lost = found.pages.entry(page.clone()).or_default();
                lost.carried.insert(action.uid.clone());
                lost.cells.insert(id);
            }
            let Some(direction) = direction else {
                continue;
            };
            found.marks[id] = true;
            found.by_direction.entry(direction).or_default().insert(id);
            let group = ChangedCells {
                direction,
                before,
                after,
                is_out_of_reach,
                cells: vec![id],
            };
            match groups.iter_mut().find(|known| known.is_like(&group)) {
                Some(known) => known.cells.push(id),
                None => groups.push(group),
            }
        }
        groups.sort_by_key(|group| group.direction);
        let changes = groups
            .iter()
            .map(|group| self.change(decisions, action, group));
        found.impact.changes.extend(changes);
    }

    fn change(
        &self,
        decisions: &ClassDecisions<'_>,
        action: &Action,
        group: &ChangedCells<'_>,
    ) -> ChangedDecision {
        let summary = self.summary();
        let count = summary.count(decisions, &group.cells);
        ChangedDecision {
            cells: CellSet {
                principal_type: self.index.0,
                bulk: self.index.1,
                class: decisions.class,
                cells: group.cells.clone(),
            },
            action: action.uid.clone(),
            name: action.short_name().to_owned(),
            direction: group.direction,
            before: group.before.cloned(),
            after: group.after.cloned(),
            count: count.count,
            under: count.under,
            is_out_of_reach: group.is_out_of_reach,
            resources: summary.examples(decisions, &group.cells),
            groups: Vec::new(),
        }
    }

    /// The page that carries an action; `None` if it is on no page.
    fn page(&self, action: &Action) -> Option<(&'e EntityUid, OnPage)> {
        let on_page = on_page(&self.actions, action)?;
        let page = self.actions[on_page.page]?;
        Some((&page.uid, on_page))
    }

    /// The resources of concerns, by policy and direction; `by_direction` has the changed cells.
    fn concerns(
        &self,
        decisions: &ClassDecisions<'_>,
        by_direction: &BTreeMap<Direction, BTreeSet<CellId>>,
    ) -> BTreeMap<(String, Direction), Resources> {
        let is_concern = |of: &Option<&Action>| of.is_some_and(Action::is_question);
        let Some(question) = self.actions.position(is_concern) else {
            return BTreeMap::new();
        };
        let mut concerns: BTreeMap<(String, Direction), Vec<CellId>> = BTreeMap::new();
        for (direction, cells) in by_direction {
            let bundle = self.states.engine(*direction).bundle();
            for cell in cells {
                let answer = decisions.outcome(direction.examined_state(), question, *cell);
                // An error takes the place of a policy that cannot be evaluated.
                let answer = answer.into_iter();
                for id in answer.flat_map(|answer| answer.policies.iter().chain(&answer.errors)) {
                    let about = bundle
                        .policy(id)
                        .and_then(|policy| policy.annotation(ABOUT));
                    if about.is_none_or(|about| about == direction.as_ref()) {
                        let cells = concerns.entry((id.clone(), *direction)).or_default();
                        cells.push(*cell);
                    }
                }
            }
        }
        let concerns = concerns.into_iter();
        concerns
            .map(|(concern, cells)| (concern, self.resources(decisions, &cells)))
            .collect()
    }

    /// The resources of some cells.
    fn resources(&self, decisions: &ClassDecisions<'_>, cells: &[CellId]) -> Resources {
        let counts = cells.iter().map(|cell| decisions.cells()[*cell].count);
        Resources {
            resources: counts.sum(),
            examples: self.summary().examples(decisions, cells),
        }
    }

    fn summary(&self) -> Summary<'s, 'e> {
        Summary::new(&[self.states.before, self.states.after], self.bulk)
    }
}

/// The differences of a class while they are collected.
struct ClassDifferences {
    impact: ClassImpact,
    marks: CellMarks,
    /// The changed cells by direction.
    by_direction: BTreeMap<Direction, BTreeSet<CellId>>,
    pages: BTreeMap<EntityUid, LostPage>,
}

impl ClassDifferences {
    fn new(cells: usize) -> Self {
        Self {
            impact: ClassImpact::default(),
            marks: IndexVec::filled(false, cells),
            by_direction: BTreeMap::new(),
            pages: BTreeMap::new(),
        }
    }
}

/// The permissions on a page that become out of reach, and the cells in which they do.
#[derive(Default)]
struct LostPage {
    carried: BTreeSet<EntityUid>,
    cells: BTreeSet<CellId>,
}

/// The direction in which a decision changes, if it does.
fn direction(before: Option<&Outcome>, after: Option<&Outcome>) -> Option<Direction> {
    let are = |decision| [before, after].map(|outcome| has_decision(outcome, decision));
    match (are(Decision::Allow), are(Decision::Indeterminate)) {
        ([false, true], _) => Some(Direction::Gained),
        ([true, false], _) => Some(Direction::Lost),
        ([false, false], [before, after]) if before != after => Some(Direction::Undecided),
        _ => None,
    }
}

/// Whether an action is out of reach after and was not before.
fn becomes_out_of_reach(decisions: &ClassDecisions<'_>, on_page: OnPage, cell: CellId) -> bool {
    let is_out_of_reach = |state| is_out_of_reach(decisions, state, on_page, cell);
    is_out_of_reach(AFTER) && !is_out_of_reach(BEFORE)
}

/// Cells in which the decision about an action changes for the same reasons.
struct ChangedCells<'s> {
    direction: Direction,
    before: Option<&'s Outcome>,
    after: Option<&'s Outcome>,
    is_out_of_reach: bool,
    cells: Vec<CellId>,
}

impl ChangedCells<'_> {
    fn is_like(&self, other: &Self) -> bool {
        self.direction == other.direction
            && self.before == other.before
            && self.after == other.after
            && self.is_out_of_reach == other.is_out_of_reach
    }
}
