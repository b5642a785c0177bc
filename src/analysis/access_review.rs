//! The access review: entitlements of people, the roles behind them, and redundant assignments.
//!
//! Every decision about the tenant in its present state is made (see [`bulk`](crate::bulk)). A role *grants* a
//! permission on a resource if a permit applies whose scope names a principal or a group of principals; a forbid may
//! refuse the request all the same. A refusal by a policy with `@beyond` means that the permission was not granted, as
//! on the devices of another tenant. [`Assignment`] defines redundant assignments.

mod assignment;
mod assignment_types;
mod entitlement;
mod granted;
mod redundancy;
mod result;
mod summary;

use std::collections::BTreeMap;

use cedar_policy::{Context, EntityUid};
use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};

use crate::bulk::class::Partition;
use crate::bulk::decision::CellMarks;
use crate::bulk::decisions::{BulkDecisions, OfPrincipalType, Selection, kinds};
use crate::bulk::index::{BulkId, ClassId, KindId, PersonId, PrincipalTypeId};
use crate::bulk::summary::{SharedMembers, fill_members};
use crate::explain::{Support, supports_of};
use assignment::Assignments;
use entitlement::{ClassEntitlements, ClassReviewer, NOW};
use redundancy::AssignmentEffects;
use summary::Summary;
use tarbac_host::bundle::Action;
use tarbac_host::decision::Request;
use tarbac_host::engine::Engine;
use tarbac_store::Row;
use tarbac_store::index::IndexVec;

pub use assignment::{Assignment, Redundancy};
pub use result::{
    AccessReview, AccessTotals, Accounts, Entitlement, Obstacle, PersonAccess, Role, Status,
    Through,
};

/// The number of resources of an entitlement that are examined for supporting facts.
const EXAMPLES: usize = 3;

/// For each bulk decision of a type of people, the entitlements of each class.
type ByClass = IndexVec<BulkId, IndexVec<ClassId, ClassEntitlements>>;

/// The bulk decisions of a tenant, ready to be reviewed.
pub struct Review<'e> {
    engine: &'e Engine,
    bulk_decisions: BulkDecisions<'e>,
    /// The context of requests of each action.
    contexts: BTreeMap<EntityUid, Context>,
    assignments: Assignments<'e>,
}

impl<'e> Review<'e> {
    /// Prepares a review of all people and resources. `context` gives the context of requests.
    pub fn new(engine: &'e Engine, context: impl Fn(&Action) -> Context) -> Self {
        let bulk_decisions = BulkDecisions::new(
            &[engine],
            Selection::default(),
            |action| !action.is_question(),
            |_, action| context(action),
        );
        let actions = engine.bundle().vocabulary().permissions();
        let contexts = actions.map(|action| (action.uid.clone(), context(action)));
        Self {
            engine,
            bulk_decisions,
            contexts: contexts.collect(),
            assignments: Assignments::new(engine),
        }
    }

    /// The number of classes of people.
    pub fn classes(&self) -> usize {
        self.bulk_decisions.classes()
    }

    /// Reviews all decisions. `done` is called after each class of people.
    pub fn access(&self, done: impl Fn() + Sync) -> AccessReview {
        let bulk_decisions = self.bulk_decisions.by_principal_type();
        let kinds = bulk_decisions.iter().map(|of_type| self.kinds(of_type));
        let kinds: Vec<Partition<PersonId, KindId>> = kinds.collect();
        let effects = AssignmentEffects::new(&self.assignments, self.representatives(&kinds));
        let mut summary = Summary::new(self.engine, &self.assignments);
        for ((principal_type, of_type), people) in bulk_decisions.iter_enumerated().zip(&kinds) {
            let by_class = self.by_class(principal_type, people, &effects, &done);
            self.add(of_type, people, by_class, &mut summary);
        }
        let redundant = self.redundant(&kinds, &effects);
        summary.into_review(&redundant, &effects)
    }

    /// People who are in one class for every type of resources and have the same assignments.
    fn kinds(&self, of_type: &OfPrincipalType<'e>) -> Partition<PersonId, KindId> {
        let people = of_type.first();
        kinds(of_type, |person, key| {
            let row = people.and_then(|bulk| bulk.person(NOW, person)).into_iter();
            let leading = row.flat_map(|row| self.assignments.leading(row));
            key.extend(leading.map(|row| row.raw()));
        })
    }

    /// The entitlements of every class of people of a type. Records for each kind of people the effect of removing
    /// their assignments.
    fn by_class(
        &self,
        principal_type: PrincipalTypeId,
        people: &Partition<PersonId, KindId>,
        effects: &AssignmentEffects,
        done: &(impl Fn() + Sync),
    ) -> ByClass {
        let of_type = self.bulk_decisions.by_principal_type()[principal_type].iter_enumerated();
        let by_class = of_type.map(|(id, bulk)| {
            let reviewer = ClassReviewer::new(self, bulk, (principal_type, id));
            // For each class, one person of each kind.
            let mut kinds: IndexVec<ClassId, Vec<PersonId>> =
                IndexVec::filled(Vec::new(), bulk.classes());
            for first in people.firsts() {
                kinds[bulk.class(first)].push(first);
            }
            let visited = bulk.visit_classes(
                |decisions| {
                    let entitlements = reviewer.entitlements(decisions);
                    let people = kinds[decisions.class].iter();
                    for person in people.filter_map(|of| bulk.person(NOW, *of)) {
                        reviewer.without_each(decisions, person, effects, &entitlements);
                    }
                    (entitlements, CellMarks::new())
                },
                done,
            );
            visited.results
        });
        by_class.collect()
    }

    /// Adds the entitlements of all people of a type to a summary.
    fn add(
        &self,
        of_type: &OfPrincipalType<'e>,
        people: &Partition<PersonId, KindId>,
        mut by_class: ByClass,
        summary: &mut Summary<'e>,
    ) {
        let Some(bulk) = of_type.first() else {
            return;
        };
        share_cells(&mut by_class);
        let of_person = |person: PersonId| {
            let of_type = of_type.iter().zip(&by_class);
            of_type.map(move |(bulk, classes)| &classes[bulk.class(person)])
        };
        // People have the same permits through different chains of memberships.
        let chains: Partition<PersonId, KindId> = Partition::new(bulk.people(), |person, key| {
            key.push(people.class(person).raw());
            let row = bulk.person(NOW, person);
            let ends = of_person(person).flat_map(ClassEntitlements::ends);
            for path in ends.filter_map(|end| self.path(row?, end)) {
                key.extend(path.iter().map(|row| row.raw()));
                key.push(u32::MAX);
            }
        });
        for members in chains.members() {
            let rows = members.iter().filter_map(|of| bulk.person(NOW, *of));
            let rows: Vec<Row> = rows.collect();
            let Some((first, row)) = members.first().copied().zip(rows.first().copied()) else {
                continue;
            };
            let entitlements = of_person(first).flat_map(|of| &of.found);
            let entitlements =
                entitlements.map(|found| found.with_paths(self.engine, |end| self.path(row, end)));
            let decisions = of_person(first).map(|of| of.decisions).sum();
            let is_suspended = of_person(first).any(|of| of.is_suspended);
            summary.add(&rows, decisions, is_suspended, entitlements.collect());
        }
    }

    /// A shortest chain from a person to an entity, without the person.
    fn path(&self, person: Row, end: Row) -> Option<Vec<Row>> {
        let path = self.engine.directory().path(person, end)?;
        Some(path.get(1..).unwrap_or_default().to_vec())
    }

    /// Fills in the resources of entitlements: `named` by name, and the groups of all. `done` is called after each of
    /// the people.
    pub fn detail(&self, people: &mut [PersonAccess], named: usize, done: impl Fn() + Sync) {
        let shared = SharedMembers::default();
        people.par_iter_mut().for_each(|people| {
            let entitlements = &mut people.holds;
            fill_members(
                &[self.engine],
                &self.bulk_decisions,
                entitlements,
                named,
                &shared,
            );
            done();
        });
    }

    /// Fills in the facts, apart from roles, that allowed entitlements depend on.
    pub fn support(&self, people: &mut [PersonAccess]) {
        people.par_iter_mut().for_each(|people| {
            let Some(person) = people.people.first() else {
                return;
            };
            let entitlements = people.holds.iter_mut();
            for entitlement in entitlements.filter(|of| of.status.is_allowed()) {
                entitlement.supports = self.supports(&person.uid, entitlement);
            }
        });
    }

    fn supports(&self, person: &EntityUid, entitlement: &Entitlement) -> Vec<Support> {
        let mut supports: Vec<Support> = Vec::new();
        let Some(context) = self.contexts.get(&entitlement.action) else {
            return supports;
        };
        for resource in entitlement.resources.iter().take(EXAMPLES) {
            let found = supports_of(
                self.engine,
                &Request {
                    principal: person.clone(),
                    action: entitlement.action.clone(),
                    resource: resource.uid.clone(),
                    context: context.clone(),
                },
            );
            for support in found {
                let is_same = |known: &Support| known.is_of_same_fact(&support);
                if !supports.iter().any(is_same) {
                    supports.push(support);
                }
            }
        }
        supports
    }
}

/// Gives all classes without sets of resources the same cells, so that their entitlements can be compared.
fn share_cells(by_class: &mut ByClass) {
    for classes in by_class {
        let Some(shared) = classes.position(|of| of.is_whole) else {
            continue;
        };
        for class in classes.iter_mut().filter(|of| of.is_whole) {
            let found = class.found.iter_mut();
            found.for_each(|found| found.entitlement.cells.class = shared);
        }
    }
}
