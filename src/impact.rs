//! What changes for whom between two states of a tenant.
//!
//! Both states are surveyed together (see `survey`): every decision about everybody
//! and everything, before and after. An entity is the same by its uid; one that is missing in a state
//! may nothing there.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Context, EntityTypeName, EntityUid};

use crate::bundle::Action;
use crate::class::Partition;
use crate::decision::{Decision, Outcome};
use crate::engine::Engine;
use crate::explain::Named;
use crate::extent::{Detail, Extents, Place, Placed, Whole, asking, is, is_stuck, on_page, tell};
use crate::survey::{Population, Seen, Survey};

/// The question whether somebody should look at a change, and the annotation of the policies that
/// answer it: the direction that they are about.
const CONCERN: &str = "concern";
const ABOUT: &str = "change";

const BEFORE: usize = 0;
const AFTER: usize = 1;

/// Two states of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct States<'e> {
    /// The state before.
    pub before: &'e Engine,
    /// The state after.
    pub after: &'e Engine,
}

/// Two states of a tenant, ready to be compared.
pub struct Comparison<'e> {
    states: States<'e>,
    /// For each type that asks, a survey for each type that it is asked about.
    surveys: Vec<Vec<Survey<'e>>>,
}

/// What changes between two states.
#[derive(Debug, Clone, PartialEq)]
pub struct Impact {
    /// How much changes.
    pub totals: Totals,
    /// People for whom something changes, together with those for whom the same does; whoever loses
    /// everything first, then by how much changes.
    pub people: Vec<Touched>,
    /// What to look at first, as the policies say: in the order of their ids.
    pub concerns: Vec<Concern>,
}

/// How much changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// All decisions that can be asked for in either state.
    pub decisions: u64,
    /// Those that are allowed before.
    pub allowed_before: u64,
    /// Those that are allowed after.
    pub allowed_after: u64,
    /// Those that are allowed after only.
    pub gained: u64,
    /// Those that are allowed before only.
    pub lost: u64,
    /// Those that could not be made before.
    pub unknown_before: u64,
    /// Those that cannot be made after.
    pub unknown_after: u64,
    /// People who gain something.
    pub people_gaining: u64,
    /// People who lose something.
    pub people_losing: u64,
    /// People who may something before and nothing after.
    pub people_losing_everything: u64,
    /// Resources on which anything changes for anybody.
    pub resources: u64,
}

/// People for whom the same changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Touched {
    /// The people, sorted by name.
    pub people: Vec<Named>,
    /// The decisions about each that are allowed before.
    pub allowed_before: u64,
    /// The decisions about each that are allowed after.
    pub allowed_after: u64,
    /// What changes for each, in the order of the schema; gains before losses.
    pub changes: Vec<Change>,
}

/// Whether somebody gains or loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Allowed after only.
    Gained,
    /// Allowed before only.
    Lost,
}

/// An action that somebody gains or loses on some resources, for the same reasons on all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    at: Place,
    /// The action.
    pub action: EntityUid,
    /// Its documented name without its category.
    pub name: String,
    /// Whether it is gained or lost.
    pub direction: Direction,
    /// The decision before; none where it could not be asked for.
    pub before: Option<Outcome>,
    /// The decision after; likewise.
    pub after: Option<Outcome>,
    /// On how many resources.
    pub count: u64,
    /// The same by what the attributes of the resources name, as the hierarchy of devices.
    pub under: Vec<(Named, u64)>,
    /// Whether the action cannot be reached after, because the page that carries it is refused, and
    /// could be before.
    pub is_out_of_reach: bool,
    /// Some of the resources, in the order of their ids; all of them if [`Comparison::detail`] was asked
    /// for all.
    pub resources: Vec<Named>,
    /// What the resources are in, with how many of them are, most first; only after
    /// [`Comparison::detail`].
    pub groups: Vec<(Named, u64)>,
}

/// Changes that somebody should look at, as a policy says.
#[derive(Debug, Clone, PartialEq)]
pub struct Concern {
    /// The id of the policy; what went wrong where one cannot be evaluated.
    pub policy: String,
    /// What it says.
    pub says: String,
    /// What to do about it.
    pub advice: Option<String>,
    /// The direction of the changes that it is about.
    pub direction: Direction,
    /// Whom it concerns, most resources first.
    pub people: Vec<Concerned>,
}

/// Somebody whom a policy says to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Concerned {
    /// The person.
    pub person: Named,
    /// On how many resources anything changes for the person that the policy is about.
    pub resources: u64,
    /// Some of them.
    pub examples: Vec<Named>,
}

impl Direction {
    /// The word in JSON: `gained` or `lost`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gained => "gained",
            Self::Lost => "lost",
        }
    }

    /// The state in which what is gained or lost is allowed.
    fn allowed_in(self) -> usize {
        match self {
            Self::Gained => AFTER,
            Self::Lost => BEFORE,
        }
    }
}

impl<'e> States<'e> {
    /// Prepares to compare the states. `context` is what is known about every request.
    pub fn compare(self, context: impl Fn(&Engine, &Action) -> Context) -> Comparison<'e> {
        let engines = [self.before, self.after];
        let survey = |principal: &EntityTypeName, resource: &EntityTypeName| {
            Survey::new(
                &engines,
                (principal, Population::of(&engines, principal)),
                (resource, Population::of(&engines, resource)),
                |action| !action.is_question() || action.id() == CONCERN,
                &context,
            )
        };
        let surveys = asking(&engines).into_iter().map(|(principal, resources)| {
            let resources = resources.iter();
            resources
                .map(|resource| survey(&principal, resource))
                .collect()
        });
        Comparison {
            states: self,
            surveys: surveys.collect(),
        }
    }

    /// An action, as the state says it that has it; the later if both do.
    fn asked(self, uid: &EntityUid) -> Option<&'e Action> {
        let after = self.after.bundle().vocabulary().action(uid);
        after.or_else(|| self.before.bundle().vocabulary().action(uid))
    }

    fn concern(self, policy: String, direction: Direction, people: Vec<Concerned>) -> Concern {
        let known = self.engine(direction).bundle().policy(&policy);
        let says = known.and_then(|policy| policy.doc());
        Concern {
            says: says.unwrap_or(&policy).to_owned(),
            advice: known.and_then(|policy| policy.advice()).map(str::to_owned),
            policy,
            direction,
            people,
        }
    }

    /// The state that allows what is gained or lost.
    fn engine(self, direction: Direction) -> &'e Engine {
        self.state(direction.allowed_in())
    }

    fn state(self, number: usize) -> &'e Engine {
        match number {
            BEFORE => self.before,
            _ => self.after,
        }
    }
}

impl Comparison<'_> {
    /// How many classes of people there are to look at.
    pub fn classes(&self) -> usize {
        self.surveys.iter().flatten().map(Survey::classes).sum()
    }

    /// Finds out everything that changes. `done` is told of each class of people that was looked at.
    pub fn impact(&self, done: impl Fn() + Sync) -> Impact {
        let mut totals = Totals::default();
        let mut touched = Vec::new();
        let mut concerns: BTreeMap<(String, Direction), Vec<Concerned>> = BTreeMap::new();
        for (principal, surveys) in self.surveys.iter().enumerate() {
            let mut by_class = Vec::new();
            for (number, survey) in surveys.iter().enumerate() {
                let looking = Looking::new(self.states, survey, (principal, number));
                let surveyed = survey.each(|seen| looking.at(seen), &done);
                let matters = surveyed.matters.iter().filter(|matters| **matters);
                totals.resources += matters.count() as u64;
                by_class.push(surveyed.made);
            }
            // People may be alike for one type of resources and not for another.
            let Some(people) = surveys.first() else {
                continue;
            };
            let alike = Partition::of(people.people(), |person, seen| {
                seen.extend(surveys.iter().map(|survey| survey.class(person)));
            });
            for members in alike.members() {
                let Some(first) = members.first() else {
                    continue;
                };
                let of_surveys = surveys.iter().zip(&by_class);
                let mut made = Made::default();
                for (survey, by_class) in of_surveys {
                    if let Some(of_survey) = by_class.get(survey.class(*first) as usize) {
                        made.add(of_survey);
                    }
                }
                totals.add(&made, members.len() as u64);
                if made.changes.is_empty() {
                    continue;
                }
                let extents = Looking::new(self.states, people, (principal, 0)).extents();
                let named = members.iter().filter_map(|number| extents.person(*number));
                let mut named: Vec<Named> = named.collect();
                named.sort();
                for (policy, direction, resources, examples) in made.concerns {
                    let of_policy = concerns.entry((policy, direction)).or_default();
                    of_policy.extend(named.iter().map(|person| Concerned {
                        person: person.clone(),
                        resources,
                        examples: examples.clone(),
                    }));
                }
                touched.push(Touched {
                    people: named,
                    allowed_before: made.allowed_before,
                    allowed_after: made.allowed_after,
                    changes: made.changes,
                });
            }
        }
        touched.sort_by_cached_key(|touched| {
            let changed: u64 = touched.changes.iter().map(|change| change.count).sum();
            (
                !touched.loses_everything(),
                std::cmp::Reverse(changed),
                touched.people.first().cloned(),
            )
        });
        let concerns = concerns.into_iter();
        let concerns = concerns.map(|((policy, direction), mut people)| {
            people.sort_by(|one, other| {
                let by_count = other.resources.cmp(&one.resources);
                by_count.then_with(|| one.person.cmp(&other.person))
            });
            self.states.concern(policy, direction, people)
        });
        Impact {
            totals,
            people: touched,
            concerns: concerns.collect(),
        }
    }

    /// What is decided about a person before and after, for each of some actions and resources; nothing
    /// where it cannot be asked for.
    pub fn decisions(
        &self,
        person: &EntityUid,
        asked: &[(EntityUid, EntityUid)],
    ) -> Vec<[Option<Decision>; 2]> {
        let mut decisions = vec![[None; 2]; asked.len()];
        for survey in self.surveys.iter().flatten() {
            let Some(class) = survey.class_of(person) else {
                continue;
            };
            let resources = survey.numbers(asked.iter().map(|(_, resource)| resource));
            survey.one(class, |seen| {
                let of_asked = asked.iter().zip(resources).zip(&mut decisions);
                for (((action, _), resource), decided) in of_asked {
                    let action = survey.actions().iter().position(|known| known == action);
                    let (Some(action), Some(resource)) = (action, resource) else {
                        continue;
                    };
                    let cell = seen.cell(resource);
                    for (state, decided) in decided.iter_mut().enumerate() {
                        let outcome = seen.outcome(state, action, cell);
                        *decided = outcome.map(|outcome| outcome.decision);
                    }
                }
            });
        }
        decisions
    }

    /// Finds out what the resources of changes of this comparison are in, and names so many of them. `done` is
    /// told of each of the people.
    pub fn detail(&self, touched: &mut [Touched], named: usize, done: impl Fn()) {
        let engines = [self.states.before, self.states.after];
        let mut whole = Whole::new();
        for touched in touched {
            tell(
                &engines,
                &self.surveys,
                &mut touched.changes,
                named,
                &mut whole,
            );
            done();
        }
    }
}

impl Placed for Change {
    fn place(&self) -> &Place {
        &self.at
    }

    fn tell(&mut self, detail: &Detail) {
        self.resources.clone_from(&detail.resources);
        self.groups.clone_from(&detail.groups);
    }
}

impl Touched {
    /// Whether they may something before and nothing after.
    pub fn loses_everything(&self) -> bool {
        self.allowed_before > 0 && self.allowed_after == 0
    }
}

/// What changes for a class of people.
#[derive(Default)]
struct Made {
    decisions: u64,
    allowed_before: u64,
    allowed_after: u64,
    unknown_before: u64,
    unknown_after: u64,
    gained: u64,
    lost: u64,
    changes: Vec<Change>,
    /// By policy and direction, how many resources and some of them.
    concerns: Vec<(String, Direction, u64, Vec<Named>)>,
}

impl Made {
    /// Adds what changes on resources of another type.
    fn add(&mut self, other: &Self) {
        self.decisions += other.decisions;
        self.allowed_before += other.allowed_before;
        self.allowed_after += other.allowed_after;
        self.unknown_before += other.unknown_before;
        self.unknown_after += other.unknown_after;
        self.gained += other.gained;
        self.lost += other.lost;
        self.changes.extend(other.changes.iter().cloned());
        self.concerns.extend(other.concerns.iter().cloned());
    }
}

/// Looks at classes of people in two states.
struct Looking<'s, 'e> {
    states: States<'e>,
    survey: &'s Survey<'e>,
    /// The place of the type that asks, and of the survey.
    place: (usize, usize),
    actions: Vec<Option<&'e Action>>,
}

impl<'s, 'e> Looking<'s, 'e> {
    fn new(states: States<'e>, survey: &'s Survey<'e>, place: (usize, usize)) -> Self {
        let actions = survey.actions().iter();
        Self {
            states,
            survey,
            place,
            actions: actions.map(|uid| states.asked(uid)).collect(),
        }
    }

    /// What changes for a class of people, and in which cells.
    fn at(&self, seen: &Seen<'_>) -> (Made, Vec<bool>) {
        let mut made = Made::default();
        let mut matters = vec![false; seen.cells().len()];
        // By direction, the cells in which anything changes so.
        let mut changed: BTreeMap<Direction, BTreeSet<usize>> = BTreeMap::new();
        for (number, action) in self.actions.iter().enumerate() {
            let Some(action) = action.filter(|action| !action.is_question()) else {
                continue;
            };
            let mut alike: Vec<Alike<'_>> = Vec::new();
            for (cell, of) in seen.cells().iter().enumerate() {
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
                let direction = match (is(before, Decision::Allow), is(after, Decision::Allow)) {
                    (false, true) => Direction::Gained,
                    (true, false) => Direction::Lost,
                    _ => continue,
                };
                match direction {
                    Direction::Gained => made.gained += of.count,
                    Direction::Lost => made.lost += of.count,
                }
                if let Some(matters) = matters.get_mut(cell) {
                    *matters = true;
                }
                changed.entry(direction).or_default().insert(cell);
                let is_out_of_reach = self.is_out_of_reach(seen, action, cell);
                let this = Alike {
                    direction,
                    before,
                    after,
                    is_out_of_reach,
                    cells: Vec::new(),
                };
                let place = alike.iter().position(|known| known.is_like(&this));
                let place = place.unwrap_or_else(|| {
                    alike.push(this);
                    alike.len() - 1
                });
                if let Some(alike) = alike.get_mut(place) {
                    alike.cells.push(cell);
                }
            }
            alike.sort_by_key(|alike| alike.direction);
            let changes = alike.iter().map(|alike| self.change(seen, action, alike));
            made.changes.extend(changes);
        }
        made.concerns = self.concerns(seen, &changed);
        (made, matters)
    }

    fn change(&self, seen: &Seen<'_>, action: &Action, alike: &Alike<'_>) -> Change {
        let extents = self.extents();
        let extent = extents.count(seen, &alike.cells);
        Change {
            at: Place {
                principal: self.place.0,
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

    /// Whether an action is refused its page after, and was not before.
    fn is_out_of_reach(&self, seen: &Seen<'_>, action: &Action, cell: usize) -> bool {
        let Some(places) = on_page(&self.actions, action) else {
            return false;
        };
        let is_stuck = |state| is_stuck(seen, state, places, cell);
        is_stuck(AFTER) && !is_stuck(BEFORE)
    }

    fn concerns(
        &self,
        seen: &Seen<'_>,
        changed: &BTreeMap<Direction, BTreeSet<usize>>,
    ) -> Vec<(String, Direction, u64, Vec<Named>)> {
        let is_concern = |of: &Option<&Action>| of.is_some_and(Action::is_question);
        let Some(question) = self.actions.iter().position(is_concern) else {
            return Vec::new();
        };
        let mut concerns: BTreeMap<(String, Direction), Vec<usize>> = BTreeMap::new();
        for (direction, cells) in changed {
            let bundle = self.states.engine(*direction).bundle();
            for cell in cells {
                let said = seen.outcome(direction.allowed_in(), question, *cell);
                // What cannot be evaluated is said instead of a policy.
                let said = said.into_iter();
                for id in said.flat_map(|said| said.policies.iter().chain(&said.errors)) {
                    let about = bundle
                        .policy(id)
                        .and_then(|policy| policy.annotation(ABOUT));
                    if about.is_none_or(|about| about == direction.word()) {
                        let cells = concerns.entry((id.clone(), *direction)).or_default();
                        cells.push(*cell);
                    }
                }
            }
        }
        concerns
            .into_iter()
            .map(|((policy, direction), cells)| {
                let counts = cells.iter().filter_map(|cell| seen.cells().get(*cell));
                let resources = counts.map(|cell| cell.count).sum();
                (
                    policy,
                    direction,
                    resources,
                    self.extents().examples(seen, &cells),
                )
            })
            .collect()
    }

    fn extents(&self) -> Extents<'s, 'e> {
        Extents::of(vec![self.states.before, self.states.after], self.survey)
    }
}

/// Cells in which an action changes for the same reasons.
struct Alike<'s> {
    direction: Direction,
    before: Option<&'s Outcome>,
    after: Option<&'s Outcome>,
    is_out_of_reach: bool,
    cells: Vec<usize>,
}

impl Alike<'_> {
    fn is_like(&self, other: &Self) -> bool {
        self.direction == other.direction
            && self.before == other.before
            && self.after == other.after
            && self.is_out_of_reach == other.is_out_of_reach
    }
}

impl Totals {
    /// Adds what changes for each of some people.
    fn add(&mut self, made: &Made, people: u64) {
        self.decisions += people * made.decisions;
        self.allowed_before += people * made.allowed_before;
        self.allowed_after += people * made.allowed_after;
        self.unknown_before += people * made.unknown_before;
        self.unknown_after += people * made.unknown_after;
        self.gained += people * made.gained;
        self.lost += people * made.lost;
        self.people_gaining += people * u64::from(made.gained > 0);
        self.people_losing += people * u64::from(made.lost > 0);
        let is_everything = made.allowed_before > 0 && made.allowed_after == 0;
        self.people_losing_everything += people * u64::from(is_everything);
    }
}
