//! Classes of principals and resources under the policies about some actions.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::ast;

use super::conditions::{Side, SplitConditions};
use super::equality::Equality;
use super::pair::PairTest;
use super::partition::Partition;
use crate::bulk::index::{ActionId, ClassId, DecidingId, PersonId, ResourceClassId, ResourceId};
use tarbac_host::bundle::{Action, Kind, Policy};
use tarbac_host::engine::{Engine, EntitySlice, ReadSetBuilder, Undecidable};
use tarbac_store::index::{Id, IndexVec};
use tarbac_store::{Directory, Fingerprinter, Row};

/// The properties of principals and resources that the policies about some actions read.
#[derive(Debug)]
pub(crate) struct Projection {
    parts: SplitConditions,
    /// The entities that policies read in every request.
    looked_into: EntitySlice,
    /// For each membership test, the actions whose policies have it.
    asked: Vec<BTreeSet<ActionId>>,
    /// The equality tests.
    equalities: Arc<[Equality]>,
    /// See [`Projection::distinguishing_attributes`].
    distinguishing_attributes: Vec<String>,
}

/// A set of entities of a principal that policies ask a resource to be in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OwnedSets {
    /// The entities, sorted.
    pub rows: Vec<Row>,
    /// Whether the resource must be one of them; otherwise it may also be in one.
    pub is_itself: bool,
    /// The actions whose policies ask that.
    pub actions: BTreeSet<ActionId>,
}

/// The fingerprints that tell principals, or resources, apart.
#[derive(Debug)]
pub(crate) struct SideFingerprints {
    /// The fingerprint of everything that policies read.
    everything: Fingerprinter,
    /// The fingerprint of the values that policies read outside of the conditions.
    values: Fingerprinter,
    /// The conditions whose truth value alone matters.
    conditions: Vec<ast::Expr>,
    /// The entities that policies read in every request.
    looked_into: EntitySlice,
    compared: Compared,
}

/// The attributes of a side that equality tests compare with the other.
#[derive(Debug)]
enum Compared {
    /// Principals differ by the resources with their value.
    Principal(Arc<[Equality]>),
    /// Resources with different values differ only by the sets of a principal, but for those that have none.
    Resource(Vec<String>),
}

/// The row of each entity of a type in a state; `None` if it does not exist there.
pub(crate) type Rows<T> = IndexVec<T, Option<Row>>;

/// The values of a condition, in keys of classes.
const TRUE: u32 = 1;
const FALSE: u32 = 0;
const FAILED: u32 = 2;
const NOT_KNOWN: u32 = 3;

impl Projection {
    /// The projection for the policies in force that take part in decisions about these actions. `None` stands for an
    /// action that is not asked about.
    pub(crate) fn new(engine: &Engine, actions: &IndexVec<ActionId, Option<&Action>>) -> Self {
        let policies: IndexVec<DecidingId, &Policy> = engine
            .bundle()
            .in_force(engine.readings())
            .filter(|policy| {
                let mut asked = actions.iter().flatten();
                asked.any(|action| engine.takes_part(policy, action))
            })
            .collect();
        let parts = SplitConditions::new(&policies, engine.bundle().vocabulary());
        let asked = |deciding: &BTreeSet<DecidingId>| -> BTreeSet<ActionId> {
            let about = |action: &Action| {
                let mut deciding = deciding.iter();
                deciding.any(|id| engine.takes_part(policies[*id], action))
            };
            actions
                .iter_enumerated()
                .filter(|(_, action)| action.is_some_and(about))
                .map(|(id, _)| id)
                .collect()
        };
        let equalities = parts.equality_tests().map(|test| {
            let asked = asked(&test.policies);
            let of_actions = asked.iter().filter_map(|id| actions[*id]);
            let types = of_actions.flat_map(|action| &action.resources).collect();
            Equality::new(engine.directory(), test, &types, asked)
        });
        Self {
            looked_into: engine.looked_into(),
            asked: parts
                .membership_tests()
                .map(|test| asked(&test.policies))
                .collect(),
            equalities: equalities.collect(),
            parts,
            distinguishing_attributes: Vec::new(),
        }
    }

    /// Tells resources of a type apart also by the entities in those of their attributes that any policy reads, even
    /// if the decisions are the same.
    #[must_use]
    pub(crate) fn by_attributes_of(mut self, engine: &Engine, type_name: &EntityTypeName) -> Self {
        let mut names = entity_attributes(engine, type_name);
        names.retain(|name| {
            let mut tests = self.parts.equality_tests();
            tests.any(|test| test.resource == *name)
                || self.parts.resource.everything.reads_attribute(name)
        });
        for name in &names {
            let read = |read_set: &mut ReadSetBuilder| read_set.add_attribute(name);
            self.parts.resource.read(read);
        }
        self.distinguishing_attributes = names;
        self
    }

    /// The attributes whose entities tell resources apart.
    pub(crate) fn distinguishing_attributes(&self) -> &[String] {
        &self.distinguishing_attributes
    }

    /// The classes of people. Those who do not exist share a class.
    pub(crate) fn principals(
        &self,
        engine: &Engine,
        rows: &Rows<PersonId>,
    ) -> Partition<PersonId, ClassId> {
        self.principal_fingerprints(engine).classes(engine, rows)
    }

    /// The classes of resources, apart from the sets of a single person (see [`Projection::owned_sets`]).
    pub(crate) fn resources(
        &self,
        engine: &Engine,
        rows: &Rows<ResourceId>,
    ) -> Partition<ResourceId, ResourceClassId> {
        self.resource_fingerprints(engine).classes(engine, rows)
    }

    /// For each class of resources, the first class that the policies about one action do not tell apart from it.
    pub(crate) fn resources_of_action(
        &self,
        engine: &Engine,
        action: &Action,
        rows: &Rows<ResourceId>,
        classes: &Partition<ResourceId, ResourceClassId>,
    ) -> IndexVec<ResourceClassId, ResourceClassId> {
        let policies = engine.bundle().in_force(engine.readings());
        let policies = policies.filter(|policy| {
            let names_resource = policy.resource_anchor().is_some();
            (names_resource || policy.reads(&[ast::Var::Resource]))
                && engine.takes_part(policy, action)
        });
        let parts = SplitConditions::new(&policies.collect(), engine.bundle().vocabulary());
        let fingerprints = self.of_resources(engine, &parts);
        let like: Partition<ResourceClassId, ResourceClassId> =
            Partition::new(classes.len(), |class, key| {
                if let Some(row) = rows[classes.first(class)] {
                    fingerprints.evaluated(engine, row, key);
                }
            });
        let all = (0..classes.len()).map(ResourceClassId::from_usize);
        all.map(|class| like.first(like.class(class))).collect()
    }

    /// A finer partition of people by raw values. It has more classes, but is found without Cedar, so it is cheaper
    /// if each class is asked about only once.
    pub(crate) fn principals_by_values(
        &self,
        engine: &Engine,
        rows: &Rows<PersonId>,
    ) -> Partition<PersonId, ClassId> {
        self.principal_fingerprints(engine).by_values(engine, rows)
    }

    /// The fingerprints of principals.
    pub(crate) fn principal_fingerprints(&self, engine: &Engine) -> SideFingerprints {
        let compared = Compared::Principal(Arc::clone(&self.equalities));
        SideFingerprints::new(engine, &self.parts.principal, &self.looked_into, compared)
    }

    /// The fingerprints of resources.
    pub(crate) fn resource_fingerprints(&self, engine: &Engine) -> SideFingerprints {
        self.of_resources(engine, &self.parts)
    }

    fn of_resources(&self, engine: &Engine, parts: &SplitConditions) -> SideFingerprints {
        let compared = parts.equality_tests().map(|test| test.resource.clone());
        let compared = Compared::Resource(compared.collect());
        SideFingerprints::new(engine, &parts.resource, &self.looked_into, compared)
    }

    /// The tests of a resource against a principal that policies about an action have; `None` if a set of one has to
    /// be evaluated (see [`Projection::owned_sets`]).
    pub(crate) fn pair_tests(&self, action: ActionId) -> Option<Vec<PairTest>> {
        let tests = self.parts.membership_tests().zip(&self.asked);
        let tests = tests.filter(|(_, actions)| actions.contains(&action));
        let tests = tests.map(|(test, _)| PairTest::of_membership(test));
        let equal = self.parts.equality_tests().zip(&*self.equalities);
        let equal = equal.filter(|(_, equality)| equality.actions().contains(&action));
        let equal = equal.map(|(test, _)| Some(PairTest::of_equality(test)));
        tests.chain(equal).collect()
    }

    /// The sets of a person that policies ask resources to be in, each once.
    pub(crate) fn owned_sets(&self, engine: &Engine, person: Row) -> Vec<OwnedSets> {
        let mut all: Vec<OwnedSets> = Vec::new();
        let mut trial = None;
        for (test, actions) in self.parts.membership_tests().zip(&self.asked) {
            let trial = trial.get_or_insert_with(|| engine.trial_alone(person, &self.looked_into));
            // A set that cannot be evaluated fails for every resource.
            let Ok(Ok(value)) = trial.as_ref().map(|trial| trial.evaluate(&test.set)) else {
                continue;
            };
            let mut rows: Vec<Row> = entities(&value)
                .into_iter()
                .filter_map(|uid| engine.directory().row(&uid))
                .collect();
            if rows.is_empty() {
                continue;
            }
            rows.sort_unstable();
            rows.dedup();
            add(&mut all, rows, test.is_itself, actions);
        }
        for equality in &*self.equalities {
            let rows = equality.resources(engine.directory(), person);
            if !rows.is_empty() {
                add(&mut all, rows, true, equality.actions());
            }
        }
        all
    }
}

impl SideFingerprints {
    fn new(engine: &Engine, side: &Side, looked_into: &EntitySlice, compared: Compared) -> Self {
        let directory = engine.directory();
        let prepared =
            |read: &ReadSetBuilder| Fingerprinter::new(&read.build(directory), directory);
        Self {
            everything: prepared(&side.everything),
            values: prepared(&side.values),
            conditions: side.conditions().cloned().collect(),
            looked_into: looked_into.clone(),
            compared,
        }
    }

    /// Adds the attributes that equality tests compare.
    fn compared(&self, directory: &Directory, row: Row, key: &mut Vec<u32>) {
        match &self.compared {
            Compared::Principal(tests) => {
                key.extend(tests.iter().map(|test| test.sought(directory, row)));
            }
            Compared::Resource(attributes) => key.extend(attributes.iter().map(|attribute| {
                match directory.value_number(row, attribute) {
                    Some(_) => TRUE,
                    None if directory.is_defined(row) => FALSE,
                    None => FAILED,
                }
            })),
        }
    }

    /// Adds the values of an entity that policies read to a key. Entities with equal keys get equal decisions.
    pub(crate) fn read(&self, engine: &Engine, row: Row, key: &mut Vec<u32>) {
        engine.directory().fingerprint(row, &self.everything, key);
        self.compared(engine.directory(), row, key);
    }

    /// Adds the truth of the conditions and the other values to a key. Entities with equal keys get equal decisions;
    /// there are fewer keys than of [`read`](Self::read), and Cedar evaluates the conditions.
    pub(crate) fn evaluated(&self, engine: &Engine, row: Row, key: &mut Vec<u32>) {
        engine.directory().fingerprint(row, &self.values, key);
        self.compared(engine.directory(), row, key);
        if self.conditions.is_empty() {
            return;
        }
        let trial = engine.trial_alone(row, &self.looked_into);
        key.extend(self.conditions.iter().map(|condition| {
            let truth = trial.as_ref().map(|trial| trial.truth(condition));
            match truth {
                Ok(Ok(true)) => TRUE,
                Ok(Ok(false)) => FALSE,
                Ok(Err(Undecidable::NotKnown(_))) => NOT_KNOWN,
                Ok(Err(_)) | Err(_) => FAILED,
            }
        }));
    }

    fn by_values<T: Id, C: Id>(&self, engine: &Engine, rows: &Rows<T>) -> Partition<T, C> {
        Partition::new(rows.len(), |index, key| {
            if let Some(row) = rows[index] {
                self.read(engine, row, key);
            }
        })
    }

    fn classes<T: Id, C: Id>(&self, engine: &Engine, rows: &Rows<T>) -> Partition<T, C> {
        self.by_values(engine, rows).joined(|index, key| {
            if let Some(row) = rows[index] {
                self.evaluated(engine, row, key);
            }
        })
    }
}

/// Adds a set to those of a person, each once.
fn add(all: &mut Vec<OwnedSets>, rows: Vec<Row>, is_itself: bool, actions: &BTreeSet<ActionId>) {
    let same = |known: &&mut OwnedSets| known.rows == rows && known.is_itself == is_itself;
    match all.iter_mut().find(same) {
        Some(known) => known.actions.extend(actions),
        None => all.push(OwnedSets {
            rows,
            is_itself,
            actions: actions.clone(),
        }),
    }
}

/// The attributes of a type whose values are entities.
fn entity_attributes(engine: &Engine, type_name: &EntityTypeName) -> Vec<String> {
    let vocabulary = engine.bundle().vocabulary();
    let attributes = vocabulary.attributes(&type_name.to_string());
    let attributes = attributes.into_iter().flatten();
    attributes
        .filter(|(_, attribute)| matches!(attribute.kind, Kind::Entity(_)))
        .map(|(name, _)| name.clone())
        .collect()
}

/// The entities in a value: itself, or the elements of a set.
fn entities(value: &ast::Value) -> Vec<EntityUid> {
    let entity = |value: &ast::Value| match value.value_kind() {
        ast::ValueKind::Lit(ast::Literal::EntityUID(uid)) => Some(uid.as_ref().clone().into()),
        _ => None,
    };
    match value.value_kind() {
        ast::ValueKind::Set(elements) => elements.iter().filter_map(entity).collect(),
        _ => entity(value).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests;
