//! Decisions that differ between two states of a tenant, for everybody.
//!
//! Both states are surveyed together (see [`survey`](crate::bulk::survey)): every decision about everybody
//! and everything, before and after. An entity is the same by its uid; one that is missing in a state
//! may nothing there.

mod compare;
mod totals;

use std::cmp::Reverse;

use cedar_policy::{Context, EntityTypeName, EntityUid};
use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};
use schemars::JsonSchema;
use serde::Serialize;
use strum::AsRefStr;

use crate::bulk::class::Partition;
use crate::bulk::index::{PersonId, StateId, Surveys};
use crate::bulk::summary::{HasCells, Members, Place, SharedMembers, Summary, asking, tell};
use crate::bulk::survey::{BulkDecision, Population};
use crate::explain::Named;
use crate::wire;
use compare::{ClassComparer, ClassImpact};
use tarbac_host::bundle::Action;
use tarbac_host::decision::{Decision, Outcome};
use tarbac_host::engine::Engine;
use tarbac_store::index::Id;
use tarbac_store::index_type;
use totals::Gathered;

/// The question whether somebody should look at a change.
const CONCERN: &str = "concern";

const BEFORE: StateId = StateId::new(0);
const AFTER: StateId = StateId::new(1);

index_type! {
    /// People who are alike in every survey.
    struct KindId;
}

/// Two states of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct States<'e> {
    /// The state before.
    pub before: &'e Engine,
    /// The state after.
    pub after: &'e Engine,
}

/// What a comparison is about; where a list is empty, everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The people.
    pub principals: Vec<EntityUid>,
    /// The actions.
    pub actions: Vec<EntityUid>,
    /// The resources.
    pub resources: Vec<EntityUid>,
}

/// Two states of a tenant, ready to be compared.
pub struct Comparison<'e> {
    states: States<'e>,
    /// The actions that are compared.
    actions: Vec<EntityUid>,
    /// For each type that asks, a survey for each type that it is asked about.
    surveys: Surveys<BulkDecision<'e>>,
}

/// What changes between two states.
#[derive(Debug, Clone, PartialEq)]
pub struct Impact {
    /// How much changes.
    pub totals: Totals,
    /// People for whom something changes, together with those for whom the same does; whoever loses
    /// everything first, then by how much they lose, and by how much they gain.
    pub people: Vec<Affected>,
    /// What to look at first, as the policies say: in the order of their ids.
    pub concerns: Vec<Concern>,
    /// What to look at besides: pages that become unreachable, in the order of the schema.
    pub pages: Vec<Unreachable>,
}

/// How much changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
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
    /// Those that are allowed in neither state, and can be made in one of them only.
    pub undecided: u64,
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
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Affected {
    /// The people, sorted by name.
    #[serde(rename = "principals")]
    pub people: Vec<Named>,
    /// The decisions about each that are allowed before.
    pub allowed_before: u64,
    /// The decisions about each that are allowed after.
    pub allowed_after: u64,
    /// What changes for each, in the order of the schema; gains before losses.
    pub changes: Vec<Change>,
}

/// Whether somebody gains or loses.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema, AsRefStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Direction {
    /// Allowed after only.
    Gained,
    /// Allowed before only.
    Lost,
    /// Allowed in neither state, and undecidable in one of them only.
    Undecided,
}

/// An action whose decision changes for somebody on some resources, for the same reasons on all of them.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Change {
    #[serde(skip)]
    at: Place,
    /// The action.
    #[serde(serialize_with = "wire::id")]
    #[schemars(with = "String")]
    pub action: EntityUid,
    /// Its documented name without its category.
    pub name: String,
    /// How it changes.
    #[serde(rename = "change")]
    pub direction: Direction,
    /// On how many resources.
    pub count: u64,
    /// The same by what the attributes of the resources name, as the hierarchy of devices.
    #[serde(serialize_with = "wire::counts")]
    #[schemars(with = "Vec<wire::Counted<'_>>")]
    pub under: Vec<(Named, u64)>,
    /// What the resources are in, with how many of them are, most first; only after
    /// [`Comparison::detail`].
    #[serde(serialize_with = "wire::counts")]
    #[schemars(with = "Vec<wire::Counted<'_>>")]
    pub groups: Vec<(Named, u64)>,
    /// Some of the resources, in the order of their ids; all of them if [`Comparison::detail`] was asked
    /// for all.
    pub resources: Vec<Named>,
    /// Whether the action cannot be reached after, because the page that carries it is refused, and
    /// could be before.
    #[serde(rename = "out_of_reach")]
    pub is_out_of_reach: bool,
    /// The decision before; none where it could not be asked for.
    #[schemars(with = "Option<wire::OutcomeShape>")]
    pub before: Option<Outcome>,
    /// The decision after; likewise.
    #[schemars(with = "Option<wire::OutcomeShape>")]
    pub after: Option<Outcome>,
}

/// Changes that somebody should look at, as a policy says.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Concern {
    /// The id of the policy; none where one cannot be evaluated, which is what is said then.
    pub policy: Option<String>,
    /// What it says.
    pub says: String,
    /// What to do about it.
    pub advice: Option<String>,
    /// The direction of the changes that it is about.
    #[serde(rename = "change")]
    pub direction: Direction,
    /// Whom it concerns, most resources first.
    pub people: Vec<Concerned>,
}

/// A page that is refused after to people who may do something that it carries, which they could reach or
/// might not do before.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Unreachable {
    /// The permission that opens the page.
    #[serde(serialize_with = "wire::id")]
    #[schemars(with = "String")]
    pub page: EntityUid,
    /// Its documented name without its category.
    pub name: String,
    /// The names of the permissions that it carries and that any of them has; in the order of the schema.
    pub carries: Vec<String>,
    /// The people, most resources first.
    pub people: Vec<Concerned>,
}

/// Somebody whom something to look at concerns.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Concerned {
    /// The person.
    #[serde(rename = "principal")]
    pub person: Named,
    /// On how many resources.
    pub resources: u64,
    /// Some of them.
    pub examples: Vec<Named>,
}

impl Direction {
    /// The state in which what changes is looked at: the one that allows it, or the later.
    fn seen_in(self) -> StateId {
        match self {
            Self::Gained | Self::Undecided => AFTER,
            Self::Lost => BEFORE,
        }
    }
}

impl<'e> States<'e> {
    /// Prepares to compare the states. `context` is what is known about every request.
    pub fn compare(self, context: impl Fn(&Engine, &Action) -> Context) -> Comparison<'e> {
        self.compare_about(&About::default(), context)
    }

    /// The same about some people, actions and resources only.
    pub fn compare_about(
        self,
        about: &About,
        context: impl Fn(&Engine, &Action) -> Context,
    ) -> Comparison<'e> {
        let engines = [self.before, self.after];
        let actions: Vec<&Action> = self.permissions();
        let actions = actions
            .into_iter()
            .filter(|action| about.actions.is_empty() || about.actions.contains(&action.uid));
        let actions: Vec<&Action> = actions.collect();
        // Whether something can be reached is up to the page that carries it.
        let is_asked = |action: &Action| match action.is_question() {
            true => action.id() == CONCERN,
            false => actions
                .iter()
                .any(|asked| asked.uid == action.uid || asked.page() == Some(action.id())),
        };
        let survey = |principal: &EntityTypeName, resource: &EntityTypeName| {
            BulkDecision::new(
                &engines,
                (
                    principal,
                    population(&engines, &about.principals, principal),
                ),
                (resource, population(&engines, &about.resources, resource)),
                is_asked,
                &context,
            )
        };
        let is_of = |named: &[EntityUid], type_name: &EntityTypeName| {
            named.is_empty() || named.iter().any(|uid| uid.type_name() == type_name)
        };
        let asking = asking(&engines).into_iter();
        let asking = asking.filter(|(principal, _)| is_of(&about.principals, principal));
        let surveys = asking.map(|(principal, resources)| {
            let resources = resources.iter();
            resources
                .filter(|resource| is_of(&about.resources, resource))
                .map(|resource| survey(&principal, resource))
                .collect()
        });
        Comparison {
            states: self,
            actions: actions.iter().map(|action| action.uid.clone()).collect(),
            surveys: surveys.collect(),
        }
    }

    /// An action, as the state says it that has it; the later if both do.
    fn asked(self, uid: &EntityUid) -> Option<&'e Action> {
        let after = self.after.bundle().vocabulary().action(uid);
        after.or_else(|| self.before.bundle().vocabulary().action(uid))
    }

    /// The permissions of both states, in the order of the later schema.
    pub(crate) fn permissions(self) -> Vec<&'e Action> {
        let [before, after] = [self.before, self.after].map(|state| state.bundle().vocabulary());
        let gone = before
            .permissions()
            .filter(|action| after.action(&action.uid).is_none());
        after.permissions().chain(gone).collect()
    }

    /// The state in which what changes is looked at.
    fn engine(self, direction: Direction) -> &'e Engine {
        match direction.seen_in() {
            BEFORE => self.before,
            _ => self.after,
        }
    }
}

impl Comparison<'_> {
    /// How many classes of people there are to look at.
    pub fn classes(&self) -> usize {
        self.surveys
            .iter()
            .flatten()
            .map(BulkDecision::classes)
            .sum()
    }

    /// Finds out everything that changes. `done` is told of each class of people that was looked at.
    pub fn impact(&self, done: impl Fn() + Sync) -> Impact {
        let mut gathered = Gathered::default();
        for (asker, surveys) in self.surveys.iter_enumerated() {
            let mut by_class = Vec::new();
            for (number, survey) in surveys.iter_enumerated() {
                let looking =
                    ClassComparer::new(self.states, survey, (asker, number)).about(&self.actions);
                let surveyed = survey.each(|seen| looking.at(seen), &done);
                let matters = surveyed.matters.iter().filter(|matters| **matters);
                gathered.totals.resources += matters.count() as u64;
                by_class.push(surveyed.made);
            }
            // People may be alike for one type of resources and not for another.
            let Some(people) = surveys.first() else {
                continue;
            };
            let alike: Partition<PersonId, KindId> =
                Partition::of(people.people(), |person, seen| {
                    seen.extend(surveys.iter().map(|survey| survey.class(person).raw()));
                });
            for members in alike.members() {
                let Some(first) = members.first() else {
                    continue;
                };
                let of_surveys = surveys.iter().zip(&by_class);
                let mut made = ClassImpact::default();
                for (survey, by_class) in of_surveys {
                    made.add(&by_class[survey.class(*first)]);
                }
                gathered.totals.add(&made, members.len() as u64);
                if made.changes.is_empty() {
                    continue;
                }
                let extents = Summary::of(&[self.states.before, self.states.after], people);
                let named = members.iter().filter_map(|number| extents.person(*number));
                gathered.add(made, named.collect());
            }
        }
        gathered.impact(self.states)
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
                    let action = survey.actions().position(|known| known == action);
                    let (Some(action), Some(resource)) = (action, resource) else {
                        continue;
                    };
                    let cell = seen.cell(resource);
                    for (state, decided) in [BEFORE, AFTER].into_iter().zip(decided) {
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
    pub fn detail(&self, touched: &mut [Affected], named: usize, done: impl Fn() + Sync) {
        let engines = [self.states.before, self.states.after];
        let whole = SharedMembers::default();
        touched.par_iter_mut().for_each(|touched| {
            tell(&engines, &self.surveys, &mut touched.changes, named, &whole);
            done();
        });
    }
}

impl HasCells for Change {
    fn place(&self) -> &Place {
        &self.at
    }

    fn tell(&mut self, detail: &Members) {
        self.resources.clone_from(&detail.resources);
        self.groups.clone_from(&detail.groups);
    }
}

impl Affected {
    /// Whether they may something before and nothing after.
    pub fn loses_everything(&self) -> bool {
        self.allowed_before > 0 && self.allowed_after == 0
    }

    /// How many decisions about each of them change in a direction.
    fn count(&self, direction: Direction) -> u64 {
        let changes = self.changes.iter();
        let changes = changes.filter(|change| change.direction == direction);
        changes.map(|change| change.count).sum()
    }
}

impl Impact {
    /// Puts those first who gain most, and not those who lose everything.
    pub fn gains_first(&mut self) {
        let gained = |touched: &Affected| Reverse(touched.count(Direction::Gained));
        self.people.sort_by_cached_key(gained);
    }
}

impl Totals {
    /// Whether every decision is the same in both states.
    pub fn is_same(&self) -> bool {
        self.gained + self.lost + self.undecided == 0
    }

    /// Adds what changes for each of some people.
    fn add(&mut self, made: &ClassImpact, people: u64) {
        self.decisions += people * made.decisions;
        self.allowed_before += people * made.allowed_before;
        self.allowed_after += people * made.allowed_after;
        self.unknown_before += people * made.unknown_before;
        self.unknown_after += people * made.unknown_after;
        self.gained += people * made.gained;
        self.lost += people * made.lost;
        self.undecided += people * made.undecided;
        self.people_gaining += people * u64::from(made.gained > 0);
        self.people_losing += people * u64::from(made.lost > 0);
        let is_everything = made.allowed_before > 0 && made.allowed_after == 0;
        self.people_losing_everything += people * u64::from(is_everything);
    }
}

/// Those of a type that are named, or everything of the type.
fn population<T: Id, C: Id>(
    engines: &[&Engine],
    named: &[EntityUid],
    type_name: &EntityTypeName,
) -> Population<T, C> {
    if named.is_empty() {
        return Population::of(engines, type_name);
    }
    let mut named: Vec<EntityUid> = named
        .iter()
        .filter(|uid| uid.type_name() == type_name)
        .cloned()
        .collect();
    // A population is in the order of its ids, each once.
    named.sort_by(|one, other| one.id().unescaped().cmp(other.id().unescaped()));
    named.dedup();
    Population::these(engines, &named)
}
