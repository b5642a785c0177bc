//! Decisions that differ for one class of people.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;

use super::{AFTER, BEFORE, Change, Concerned, Direction, States};
use crate::bulk::index::{AskerId, CellId, SurveyId};
use crate::bulk::summary::{Asked, OnPage, Place, Summary, is, is_stuck, on_page};
use crate::bulk::survey::{BulkDecision, CellMarks, ClassDecisions};
use crate::explain::Named;
use tarbac_host::bundle::Action;
use tarbac_host::decision::{Decision, Outcome};
use tarbac_store::index::IndexVec;

/// The annotation of the policies that say to look at changes: the direction that they are about.
const ABOUT: &str = "change";

/// What changes for a class of people.
#[derive(Default)]
pub(super) struct ClassImpact {
    pub decisions: u64,
    pub allowed_before: u64,
    pub allowed_after: u64,
    pub unknown_before: u64,
    pub unknown_after: u64,
    pub gained: u64,
    pub lost: u64,
    pub undecided: u64,
    pub changes: Vec<Change>,
    /// By policy and direction the resources.
    pub concerns: BTreeMap<(String, Direction), On>,
    /// By page that becomes unreachable what it carries, and the resources.
    pub pages: BTreeMap<EntityUid, (BTreeSet<EntityUid>, On)>,
}

/// How many resources something is about, and some of them.
#[derive(Clone, Default)]
pub(super) struct On {
    resources: u64,
    examples: Vec<Named>,
}

impl On {
    /// Adds resources of another type.
    fn add(&mut self, other: &Self) {
        self.resources += other.resources;
        self.examples.extend(other.examples.iter().cloned());
    }

    /// Each of some people, whom it concerns.
    pub fn each(&self, people: &[Named]) -> impl Iterator<Item = Concerned> {
        people.iter().map(|person| Concerned {
            person: person.clone(),
            resources: self.resources,
            examples: self.examples.clone(),
        })
    }
}

impl ClassImpact {
    /// Adds what changes on resources of another type.
    pub fn add(&mut self, other: &Self) {
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

/// Looks at classes of people in two states.
pub(super) struct ClassComparer<'s, 'e> {
    states: States<'e>,
    survey: &'s BulkDecision<'e>,
    /// The type that asks, and the survey.
    place: (AskerId, SurveyId),
    actions: Asked<'e>,
    /// Those of the actions that are compared.
    compared: &'s [EntityUid],
}

impl<'s, 'e> ClassComparer<'s, 'e> {
    pub fn new(
        states: States<'e>,
        survey: &'s BulkDecision<'e>,
        place: (AskerId, SurveyId),
    ) -> Self {
        let actions = survey.actions().iter();
        Self {
            states,
            survey,
            place,
            actions: actions.map(|uid| states.asked(uid)).collect(),
            compared: survey.actions().raw.as_slice(),
        }
    }

    /// The same, of these actions only.
    pub fn about(self, compared: &'s [EntityUid]) -> Self {
        Self { compared, ..self }
    }

    /// What changes for a class of people, and in which cells.
    pub fn at(&self, seen: &ClassDecisions<'_>) -> (ClassImpact, CellMarks) {
        let mut made = ClassImpact::default();
        let mut matters: CellMarks = IndexVec::filled(false, seen.cells().len());
        // By direction, the cells in which anything changes so.
        let mut changed: BTreeMap<Direction, BTreeSet<CellId>> = BTreeMap::new();
        // By page, what it carries and the cells in which that is out of reach.
        let mut pages: BTreeMap<&EntityUid, Stuck> = BTreeMap::new();
        for (number, action) in self.actions.iter_enumerated() {
            let is_compared =
                |action: &&Action| !action.is_question() && self.compared.contains(&action.uid);
            let Some(action) = action.filter(is_compared) else {
                continue;
            };
            let page = self.page(action);
            let mut alike: Vec<Alike<'_>> = Vec::new();
            for (cell, of) in seen.cells().iter_enumerated() {
                let [before, after] =
                    [BEFORE, AFTER].map(|state| seen.outcome(state, number, cell));
                if before.is_none() && after.is_none() {
                    continue;
                }
                made.decisions += of.count;
                made.allowed_before += of.count * u64::from(is(before, Decision::Allow));
                made.allowed_after += of.count * u64::from(is(after, Decision::Allow));
                made.unknown_before += of.count * u64::from(is(before, Decision::Indeterminate));
                made.unknown_after += of.count * u64::from(is(after, Decision::Indeterminate));
                let is_out_of_reach =
                    page.is_some_and(|(_, on_page)| is_newly_stuck(seen, on_page, cell));
                if let Some((page, _)) = page.filter(|_| is_out_of_reach) {
                    let stuck = pages.entry(page).or_default();
                    stuck.carried.insert(action.uid.clone());
                    stuck.cells.insert(cell);
                }
                let Some(direction) = direction(before, after) else {
                    continue;
                };
                match direction {
                    Direction::Gained => made.gained += of.count,
                    Direction::Lost => made.lost += of.count,
                    Direction::Undecided => made.undecided += of.count,
                }
                matters[cell] = true;
                changed.entry(direction).or_default().insert(cell);
                let this = Alike {
                    direction,
                    before,
                    after,
                    is_out_of_reach,
                    cells: vec![cell],
                };
                match alike.iter_mut().find(|known| known.is_like(&this)) {
                    Some(known) => known.cells.push(cell),
                    None => alike.push(this),
                }
            }
            alike.sort_by_key(|alike| alike.direction);
            let changes = alike.iter().map(|alike| self.change(seen, action, alike));
            made.changes.extend(changes);
        }
        made.concerns = self.concerns(seen, &changed);
        let pages = pages.into_iter();
        let pages = pages.map(|(page, stuck)| {
            let on = self.on(seen, &Vec::from_iter(stuck.cells));
            (page.clone(), (stuck.carried, on))
        });
        made.pages = pages.collect();
        (made, matters)
    }

    fn change(&self, seen: &ClassDecisions<'_>, action: &Action, alike: &Alike<'_>) -> Change {
        let extents = self.extents();
        let extent = extents.count(seen, &alike.cells);
        Change {
            at: Place {
                asker: self.place.0,
                survey: self.place.1,
                class: seen.class,
                cells: alike.cells.clone(),
            },
            action: action.uid.clone(),
            name: action.short_name().to_owned(),
            direction: alike.direction,
            before: alike.before.cloned(),
            after: alike.after.cloned(),
            count: extent.count,
            under: extent.under,
            is_out_of_reach: alike.is_out_of_reach,
            resources: extents.examples(seen, &alike.cells),
            groups: Vec::new(),
        }
    }

    /// The page that carries an action; none where it is on no page.
    fn page(&self, action: &Action) -> Option<(&'e EntityUid, OnPage)> {
        let on_page = on_page(&self.actions, action)?;
        let page = self.actions[on_page.page]?;
        Some((&page.uid, on_page))
    }

    fn concerns(
        &self,
        seen: &ClassDecisions<'_>,
        changed: &BTreeMap<Direction, BTreeSet<CellId>>,
    ) -> BTreeMap<(String, Direction), On> {
        let is_concern = |of: &Option<&Action>| of.is_some_and(Action::is_question);
        let Some(question) = self.actions.position(is_concern) else {
            return BTreeMap::new();
        };
        let mut concerns: BTreeMap<(String, Direction), Vec<CellId>> = BTreeMap::new();
        for (direction, cells) in changed {
            let bundle = self.states.engine(*direction).bundle();
            for cell in cells {
                let said = seen.outcome(direction.seen_in(), question, *cell);
                // What cannot be evaluated is said instead of a policy.
                let said = said.into_iter();
                for id in said.flat_map(|said| said.policies.iter().chain(&said.errors)) {
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
            .map(|(concern, cells)| (concern, self.on(seen, &cells)))
            .collect()
    }

    /// The resources of some cells.
    fn on(&self, seen: &ClassDecisions<'_>, cells: &[CellId]) -> On {
        let counts = cells.iter().map(|cell| seen.cells()[*cell].count);
        On {
            resources: counts.sum(),
            examples: self.extents().examples(seen, cells),
        }
    }

    fn extents(&self) -> Summary<'s, 'e> {
        Summary::of(&[self.states.before, self.states.after], self.survey)
    }
}

/// What is out of reach on a page, and the cells in which it is.
#[derive(Default)]
struct Stuck {
    carried: BTreeSet<EntityUid>,
    cells: BTreeSet<CellId>,
}

/// How a decision changes, if it does.
fn direction(before: Option<&Outcome>, after: Option<&Outcome>) -> Option<Direction> {
    let are = |decision| [before, after].map(|outcome| is(outcome, decision));
    match (are(Decision::Allow), are(Decision::Indeterminate)) {
        ([false, true], _) => Some(Direction::Gained),
        ([true, false], _) => Some(Direction::Lost),
        ([false, false], [before, after]) if before != after => Some(Direction::Undecided),
        _ => None,
    }
}

/// Whether an action is allowed and its page is not, and was not so before.
fn is_newly_stuck(seen: &ClassDecisions<'_>, on_page: OnPage, cell: CellId) -> bool {
    let is_stuck = |state| is_stuck(seen, state, on_page, cell);
    is_stuck(AFTER) && !is_stuck(BEFORE)
}

/// Cells in which an action changes for the same reasons.
struct Alike<'s> {
    direction: Direction,
    before: Option<&'s Outcome>,
    after: Option<&'s Outcome>,
    is_out_of_reach: bool,
    cells: Vec<CellId>,
}

impl Alike<'_> {
    fn is_like(&self, other: &Self) -> bool {
        self.direction == other.direction
            && self.before == other.before
            && self.after == other.after
            && self.is_out_of_reach == other.is_out_of_reach
    }
}
