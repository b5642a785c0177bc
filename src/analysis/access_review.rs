//! The access review: who can do what through which role, and which assignments give nothing.
//!
//! Everybody and everything is surveyed (see [`survey`](crate::bulk::survey)) in the tenant as it is. A
//! permission is *granted* on a resource by a permit that asks the principal to be something or in something,
//! as a role, and applies; whether it works is up to the decision. What is refused by a policy with `@beyond`
//! was not granted, as it is on the devices of another tenant. What is said of assignments is defined in
//! [`Assignment`].

mod assignment;
mod entitlement;
mod granted;
mod redundancy;
mod summary;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use cedar_policy::{Context, EntityUid};
use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};
use schemars::JsonSchema;
use serde::Serialize;
use strum::AsRefStr;

use crate::bulk::class::Partition;
use crate::bulk::index::{AskerId, ClassId, PersonId, SurveyId, Surveys};
use crate::bulk::summary::{HasCells, Members, Place, SharedMembers, asking, tell};
use crate::bulk::survey::{BulkDecision, CellMarks, Population};
use crate::explain::{Named, Support, supports_of};
use crate::wire;
use assignment::Assignments;
use entitlement::{ClassReviewer, Made, NOW};
use redundancy::AssignmentEffects;
use summary::Summary;
use tarbac_host::bundle::Action;
use tarbac_host::decision::Request;
use tarbac_host::engine::Engine;
use tarbac_store::Row;
use tarbac_store::index::IndexVec;
use tarbac_store::index_type;

pub use assignment::{Assignment, Redundancy};

/// On how many resources of an entitlement it is found out what it rests on.
const EXAMPLES: usize = 3;

index_type! {
    /// People who are alike in every survey and in their assignments.
    struct KindId;
}

/// The surveys of a type that asks.
type OfAsker<'e> = IndexVec<SurveyId, BulkDecision<'e>>;

/// For each survey what holds for each class of people.
type ByClass = IndexVec<SurveyId, IndexVec<ClassId, Made>>;

/// Everybody and everything, ready to be looked at.
pub struct Review<'e> {
    engine: &'e Engine,
    /// For each type that asks, a survey for each type that it is asked about.
    surveys: Surveys<BulkDecision<'e>>,
    /// What is known about a request of each action.
    contexts: BTreeMap<EntityUid, Context>,
    edges: Assignments<'e>,
}

/// Who can do what.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessReview {
    /// How much is allowed.
    pub totals: Totals,
    /// What is named by permits, as roles are: by how much is allowed through it.
    pub roles: Vec<Role>,
    /// What refuses most of what is granted, most first.
    pub obstacles: Vec<Obstacle>,
    /// Assignments that give nothing, and then those that give nothing that others do not.
    pub assignments: Vec<Assignment>,
    /// People who can do something, to whom something is granted, or about whom something cannot be decided,
    /// together with those for whom exactly the same holds; by how much is allowed.
    pub people: Vec<PersonAccess>,
}

/// How much is allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Totals {
    /// People there are.
    pub people: u64,
    /// Those who can do something.
    pub people_allowed: u64,
    /// Those to whom something is granted that is refused.
    pub people_refused: u64,
    /// All decisions that can be asked for.
    pub decisions: u64,
    /// Those that are allowed.
    pub allowed: u64,
    /// Of those the ones that are out of reach: the page that carries the action is refused.
    pub out_of_reach: u64,
    /// Those that are refused though a role grants the permission.
    pub refused: u64,
    /// Those that cannot be made.
    pub unknown: u64,
    /// The role assignments, each with whoever is directly in it.
    pub assignments: u64,
    /// Those that cannot be judged: something about somebody in them cannot be decided.
    pub assignments_unknown: u64,
    /// Those about which nothing is said, because more people may come by them than are known.
    pub assignments_unlisted: u64,
}

/// Something that permits ask to be in, as a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Role {
    /// The entity.
    #[serde(rename = "role")]
    pub entity: Named,
    /// The permits in force that name it.
    pub policies: Vec<String>,
    /// How many people have it.
    pub people: u64,
    /// How many of them can do something through it.
    pub people_allowed: u64,
    /// Decisions that are allowed through it.
    pub allowed: u64,
    /// Decisions that it grants and that are refused.
    pub refused: u64,
}

/// What refuses something that is granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Obstacle {
    /// The id of the policy.
    pub policy: String,
    /// What it says.
    pub says: String,
    /// What the admin center says.
    pub message: Option<String>,
    /// What to do about it.
    pub advice: Option<String>,
    /// How many decisions it refuses that are granted, alone or with others.
    pub decisions: u64,
    /// Of how many people.
    pub people: u64,
    /// Those people by name, where the policy has a name for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<Accounts>,
}

/// People to whom a policy refuses what is granted, whom it is worth to know by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Accounts {
    /// What the policy calls them (`@accounts`), for example disabled accounts that still hold a role.
    pub called: String,
    /// The people, sorted by name.
    pub people: Vec<Named>,
}

/// People for whom exactly the same holds.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PersonAccess {
    /// The people, sorted by name.
    #[serde(rename = "principals")]
    pub people: Vec<Named>,
    /// The decisions about each that are allowed.
    pub allowed: u64,
    /// Those that are granted and refused.
    pub refused: u64,
    /// Those that cannot be made.
    pub unknown: u64,
    /// What holds for each, in the order of the schema.
    pub holds: Vec<Entitlement>,
}

/// What comes of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, AsRefStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Status {
    /// It is allowed.
    Allowed,
    /// It is allowed, and the page that carries it is refused.
    OutOfReach,
    /// It is granted and refused.
    Refused,
    /// It cannot be decided.
    Unknown,
}

/// What holds of an action on some resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Entitlement {
    #[serde(skip)]
    at: Place,
    /// The action.
    #[serde(serialize_with = "wire::id")]
    #[schemars(with = "String")]
    pub action: EntityUid,
    /// Its documented name without its category.
    pub name: String,
    /// What comes of it.
    pub status: Status,
    /// On how many resources.
    pub count: u64,
    /// Of how many that it can be asked about.
    pub of: u64,
    /// The same by what the attributes of the resources name, as the hierarchy of devices.
    #[serde(serialize_with = "wire::counts")]
    #[schemars(with = "Vec<wire::Counted<'_>>")]
    pub under: Vec<(Named, u64)>,
    /// What the resources are in, with how many of them are, most first; only after [`Review::detail`].
    #[serde(serialize_with = "wire::counts")]
    #[schemars(with = "Vec<wire::Counted<'_>>")]
    pub groups: Vec<(Named, u64)>,
    /// Some of the resources, in the order of their ids; as many as [`Review::detail`] was asked for.
    pub resources: Vec<Named>,
    /// The permits that allow or grant it: those that name a role, or all where none does.
    pub through: Vec<Through>,
    /// What it rests on besides, where it is allowed: the facts of the first of the people that keep forbids from
    /// refusing it on some of the resources, as permissions on what holds these. Only after [`Review::support`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub supports: Vec<Support>,
    /// The policies that refuse it, or what went wrong, each with on how many of the resources; most first.
    #[serde(serialize_with = "wire::reasons")]
    #[schemars(with = "Vec<wire::ReasonCount<'_>>")]
    pub reasons: Vec<(String, u64)>,
}

/// A permit, and how people come by it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Through {
    /// The id of the permit.
    pub policy: String,
    /// Whether its scope asks the principal to be something or in something.
    #[serde(rename = "role")]
    pub is_role: bool,
    /// From what the person is directly in to what the permit asks to be in, each a shortest chain; empty for
    /// a permit that names the person or asks for nothing. Where the permit finds that out from the resource,
    /// it is that of the first of the resources.
    pub steps: Vec<Named>,
}

impl Status {
    /// Whether the decision is an allow.
    pub fn is_allowed(self) -> bool {
        matches!(self, Self::Allowed | Self::OutOfReach)
    }
}

impl Entitlement {
    /// What is compared, one after the other: how people come by it before on how many resources.
    fn key(&self) -> impl Ord + '_ {
        (
            (
                &self.at,
                &self.action,
                &self.name,
                self.status,
                &self.through,
            ),
            (self.count, self.of, &self.under, &self.reasons),
            (&self.supports, &self.resources, &self.groups),
        )
    }
}

impl Ord for Entitlement {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Entitlement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl HasCells for Entitlement {
    fn place(&self) -> &Place {
        &self.at
    }

    fn tell(&mut self, detail: &Members) {
        self.resources.clone_from(&detail.resources);
        self.groups.clone_from(&detail.groups);
    }
}

impl PersonAccess {
    /// What comes of a status for each of the people.
    pub fn of_status(&self, status: Status) -> impl Iterator<Item = &Entitlement> {
        self.holds.iter().filter(move |hold| hold.status == status)
    }
}

impl<'e> Review<'e> {
    /// Prepares to look at everybody and everything. `context` is what is known about every request.
    pub fn new(engine: &'e Engine, context: impl Fn(&Action) -> Context) -> Self {
        let engines = [engine];
        let surveys = asking(&engines).into_iter().map(|(principal, resources)| {
            let survey = |resource| {
                BulkDecision::new(
                    &engines,
                    (&principal, Population::of(&engines, &principal)),
                    (resource, Population::of(&engines, resource)),
                    |action| !action.is_question(),
                    |_, action| context(action),
                )
            };
            resources.iter().map(survey).collect()
        });
        let actions = engine.bundle().vocabulary().permissions();
        let contexts = actions.map(|action| (action.uid.clone(), context(action)));
        Self {
            engine,
            surveys: surveys.collect(),
            contexts: contexts.collect(),
            edges: Assignments::of(engine),
        }
    }

    /// How many classes of people there are to look at.
    pub fn classes(&self) -> usize {
        self.surveys
            .iter()
            .flatten()
            .map(BulkDecision::classes)
            .sum()
    }

    /// Finds out who can do what. `done` is told of each class of people that was looked at.
    pub fn standing(&self, done: impl Fn() + Sync) -> AccessReview {
        let alike = self.surveys.iter();
        let alike: Vec<Partition<PersonId, KindId>> =
            alike.map(|surveys| self.by_assignments(surveys)).collect();
        let gives = AssignmentEffects::of(&self.edges, self.looked_at(&alike));
        let mut summary = Summary::of(self.engine, &self.edges);
        for ((asker, surveys), people) in self.surveys.iter_enumerated().zip(&alike) {
            let by_class = self.look(asker, people, &gives, &done);
            self.gather(surveys, people, by_class, &mut summary);
        }
        let idle = self.idle(&alike, &gives);
        summary.into_standing(&idle, &gives)
    }

    /// People in classes of those who are alike in every survey and have the same assignments.
    fn by_assignments(&self, surveys: &OfAsker<'e>) -> Partition<PersonId, KindId> {
        let people = surveys.first();
        Partition::of(people.map_or(0, BulkDecision::people), |person, seen| {
            seen.extend(surveys.iter().map(|survey| survey.class(person).raw()));
            let row = people.and_then(|survey| survey.person(NOW, person));
            let leading = row.into_iter().flat_map(|row| self.edges.leading(row));
            seen.extend(leading.map(|row| row.raw()));
        })
    }

    /// Looks at every class of people of a type in every survey, and at what becomes of those with
    /// assignments without each of them.
    fn look(
        &self,
        asker: AskerId,
        people: &Partition<PersonId, KindId>,
        gives: &AssignmentEffects,
        done: &(impl Fn() + Sync),
    ) -> ByClass {
        let surveys = self.surveys[asker].iter_enumerated();
        let by_class = surveys.map(|(number, survey)| {
            let looking = ClassReviewer::new(self, survey, (asker, number));
            // For each class of the survey one of each kind of assignments.
            let mut kinds: IndexVec<ClassId, Vec<PersonId>> =
                IndexVec::filled(Vec::new(), survey.classes());
            for first in people.firsts() {
                kinds[survey.class(first)].push(first);
            }
            let surveyed = survey.each(
                |seen| {
                    let made = looking.at(seen);
                    let of_class = kinds[seen.class].iter();
                    for person in of_class.filter_map(|of| survey.person(NOW, *of)) {
                        looking.without_each(seen, person, gives, &made);
                    }
                    (made, CellMarks::new())
                },
                done,
            );
            surveyed.made
        });
        by_class.collect()
    }

    /// Puts together what was found about people of a type.
    fn gather(
        &self,
        surveys: &OfAsker<'e>,
        people: &Partition<PersonId, KindId>,
        mut by_class: ByClass,
        summary: &mut Summary<'e>,
    ) {
        let Some(any) = surveys.first() else {
            return;
        };
        // Whoever has no sets of resources has the same cells, so what holds for them can be compared.
        for made in &mut by_class {
            let Some(class) = made.position(|made| made.is_whole) else {
                continue;
            };
            for made in made.iter_mut().filter(|made| made.is_whole) {
                let found = made.found.iter_mut();
                found.for_each(|found| found.hold.at.class = class);
            }
        }
        let made = |person: PersonId| {
            let surveys = surveys.iter().zip(&by_class);
            surveys.map(move |(survey, made)| &made[survey.class(person)])
        };
        // People come by the same permits on different ways.
        let alike: Partition<PersonId, KindId> = Partition::of(any.people(), |person, seen| {
            seen.push(people.class(person).raw());
            let row = any.person(NOW, person);
            let ends = made(person).flat_map(Made::ends);
            for path in ends.filter_map(|end| self.path(row?, end)) {
                seen.extend(path.iter().map(|row| row.raw()));
                seen.push(u32::MAX);
            }
        });
        for members in alike.members() {
            let rows = members.iter().filter_map(|number| any.person(NOW, *number));
            let rows: Vec<Row> = rows.collect();
            let Some((first, row)) = members.first().copied().zip(rows.first().copied()) else {
                continue;
            };
            let holds = made(first).flat_map(|made| &made.found);
            let holds = holds.map(|found| found.hold_of(self.engine, |end| self.path(row, end)));
            let decisions = made(first).map(|made| made.decisions).sum();
            let is_suspended = made(first).any(|made| made.is_suspended);
            summary.add(&rows, decisions, is_suspended, holds.collect());
        }
    }

    /// A shortest chain from a person to something, without the person.
    fn path(&self, person: Row, end: Row) -> Option<Vec<Row>> {
        let path = self.engine.directory().path(person, end)?;
        Some(path.get(1..).unwrap_or_default().to_vec())
    }

    /// Finds out what the resources are in of what holds for some people, and names so many of them. `done` is
    /// told of each of the people.
    pub fn detail(&self, people: &mut [PersonAccess], named: usize, done: impl Fn() + Sync) {
        let whole = SharedMembers::default();
        people.par_iter_mut().for_each(|holder| {
            tell(
                &[self.engine],
                &self.surveys,
                &mut holder.holds,
                named,
                &whole,
            );
            done();
        });
    }

    /// Finds out what rests on other facts of some people than their roles.
    pub fn support(&self, people: &mut [PersonAccess]) {
        people.par_iter_mut().for_each(|holder| {
            let Some(person) = holder.people.first() else {
                return;
            };
            let allowed = holder
                .holds
                .iter_mut()
                .filter(|hold| hold.status.is_allowed());
            for hold in allowed {
                hold.supports = self.supports(&person.uid, hold);
            }
        });
    }

    fn supports(&self, person: &EntityUid, hold: &Entitlement) -> Vec<Support> {
        let mut supports: Vec<Support> = Vec::new();
        for resource in hold.resources.iter().take(EXAMPLES) {
            let of_one = supports_of(
                self.engine,
                &Request {
                    principal: person.clone(),
                    action: hold.action.clone(),
                    resource: resource.uid.clone(),
                    context: self.context(&hold.action),
                },
            );
            for support in of_one {
                let is_it = |known: &Support| known.is_of_same_fact(&support);
                if !supports.iter().any(is_it) {
                    supports.push(support);
                }
            }
        }
        supports
    }

    /// What is known about a request of an action.
    fn context(&self, action: &EntityUid) -> Context {
        let known = self.contexts.get(action).cloned();
        known.unwrap_or_else(Context::empty)
    }
}

impl AccessReview {
    /// Whether something is granted and does not work, or an assignment gives nothing.
    pub fn has_findings(&self) -> bool {
        self.totals.refused + self.totals.out_of_reach > 0
            || self
                .assignments
                .iter()
                .any(|of| of.idle == Redundancy::Nothing)
    }

    /// Whether something could not be decided.
    pub fn has_unknown(&self) -> bool {
        self.totals.unknown > 0
    }
}
