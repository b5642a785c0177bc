//! Classes of principals and resources under the policies about some actions.

use std::collections::BTreeSet;

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::ast;

use super::conditions::{Side, SplitConditions};
use super::partition::Partition;
use crate::bulk::index::{ActionId, ClassId, DecidingId, PersonId, ResourceClassId, ResourceId};
use tarbac_host::bundle::{Action, Kind, Policy};
use tarbac_host::engine::{Engine, EntitySlice};
use tarbac_store::index::{Id, IndexVec};
use tarbac_store::{Fingerprinter, Row};

/// What the policies about some actions see.
#[derive(Debug)]
pub(crate) struct Projection {
    parts: SplitConditions,
    /// What any policy looks into, whatever the request.
    looked_into: EntitySlice,
    /// For each reach the actions whose policies ask about it.
    asked: Vec<BTreeSet<ActionId>>,
    /// See [`Projection::telling`].
    telling: Vec<String>,
}

/// The entities of a principal's of which it is asked whether the resource is one or in one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OwnedSets {
    /// The entities, sorted.
    pub rows: Vec<Row>,
    /// Whether only the resource itself counts, and not what it is in.
    pub is_itself: bool,
    /// The actions whose policies ask.
    pub actions: BTreeSet<ActionId>,
}

/// How the entities on one side of requests are told apart.
#[derive(Debug)]
pub(crate) struct SideFingerprints {
    /// By everything that is read of them.
    everything: Fingerprinter,
    /// By what is read of them beside the conditions.
    values: Fingerprinter,
    /// The conditions of which the truth matters.
    conditions: Vec<ast::Expr>,
    /// What any policy looks into, whatever the request.
    looked_into: EntitySlice,
}

/// Entities of a type, each with its row in a state; none of what is not there.
pub(crate) type Rows<T> = IndexVec<T, Option<Row>>;

/// What a condition comes to.
const TRUE: u32 = 1;
const FALSE: u32 = 0;
const FAILED: u32 = 2;

impl Projection {
    /// What the policies in force see that take part in what is decided about these actions. A place
    /// without an action stands for one that nobody asks about.
    pub fn new(engine: &Engine, actions: &IndexVec<ActionId, Option<&Action>>) -> Self {
        let policies: IndexVec<DecidingId, &Policy> = engine
            .bundle()
            .in_force(engine.readings())
            .filter(|policy| {
                let mut asked = actions.iter().flatten();
                asked.any(|action| engine.takes_part(policy, action))
            })
            .collect();
        let parts = SplitConditions::of(&policies, engine.bundle().vocabulary());
        let asked = parts.reaches().map(|reach| {
            let about = |action: &Action| {
                let mut askers = reach.askers.iter();
                askers.any(|asker| engine.takes_part(policies[*asker], action))
            };
            actions
                .iter_enumerated()
                .filter(|(_, action)| action.is_some_and(about))
                .map(|(place, _)| place)
                .collect()
        });
        let asked = asked.collect();
        Self {
            parts,
            looked_into: engine.looked_into(),
            asked,
            telling: Vec::new(),
        }
    }

    /// Tells resources of a type apart by the entities that those of their attributes name at which any policy
    /// looks, even where it comes to the same.
    #[must_use]
    pub fn by_attributes_of(mut self, engine: &Engine, type_name: &EntityTypeName) -> Self {
        let mut names = entity_attributes(engine, type_name);
        names.retain(|name| self.parts.resource.everything.looks_at_attribute(name));
        for name in &names {
            let read = |sight: &mut super::ReadSetBuilder| sight.look_at_attribute(name);
            self.parts.resource.read(read);
        }
        self.telling = names;
        self
    }

    /// The attributes by whose entities resources are told apart.
    pub fn telling(&self) -> &[String] {
        &self.telling
    }

    /// Puts people into classes. One who is not there is like
    /// everybody who is not.
    pub fn principals(
        &self,
        engine: &Engine,
        rows: &Rows<PersonId>,
    ) -> Partition<PersonId, ClassId> {
        self.principal_fingerprints(engine).classes(engine, rows)
    }

    /// Puts resources into classes, but for what is asked of one person alone (see [`Projection::reached`]).
    pub fn resources(
        &self,
        engine: &Engine,
        rows: &Rows<ResourceId>,
    ) -> Partition<ResourceId, ResourceClassId> {
        self.resource_fingerprints(engine).classes(engine, rows)
    }

    /// The same without looking at what comes of it: people of whom the same is seen. There are more of
    /// these classes, but Cedar is not asked to find them; so they are the better ones for whoever has one
    /// question for each.
    pub fn principals_as_seen(
        &self,
        engine: &Engine,
        rows: &Rows<PersonId>,
    ) -> Partition<PersonId, ClassId> {
        self.principal_fingerprints(engine).as_read(engine, rows)
    }

    /// How principals are told apart.
    pub fn principal_fingerprints(&self, engine: &Engine) -> SideFingerprints {
        SideFingerprints::new(engine, &self.parts.principal)
    }

    /// How resources are told apart.
    pub fn resource_fingerprints(&self, engine: &Engine) -> SideFingerprints {
        SideFingerprints::new(engine, &self.parts.resource)
    }

    /// The sets of a person of which it is asked whether a resource is in them, each once.
    pub fn reached(&self, engine: &Engine, person: Row) -> Vec<OwnedSets> {
        let mut all: Vec<OwnedSets> = Vec::new();
        let mut trial = None;
        for (reach, actions) in self.parts.reaches().zip(&self.asked) {
            let trial = trial.get_or_insert_with(|| engine.trial_alone(person, &self.looked_into));
            // What cannot be evaluated is so whatever the resource.
            let Ok(Ok(value)) = trial.as_ref().map(|trial| trial.evaluate(&reach.set)) else {
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
            let same =
                |known: &&mut OwnedSets| known.rows == rows && known.is_itself == reach.is_itself;
            match all.iter_mut().find(same) {
                Some(known) => known.actions.extend(actions),
                None => all.push(OwnedSets {
                    rows,
                    is_itself: reach.is_itself,
                    actions: actions.clone(),
                }),
            }
        }
        all
    }
}

impl SideFingerprints {
    fn new(engine: &Engine, side: &Side) -> Self {
        let directory = engine.directory();
        let prepared =
            |read: &super::ReadSetBuilder| Fingerprinter::new(&read.glance(directory), directory);
        Self {
            everything: prepared(&side.everything),
            values: prepared(&side.values),
            conditions: side.conditions().cloned().collect(),
            looked_into: engine.looked_into(),
        }
    }

    /// Adds what is read of an entity to `seen`: entities of which the same is read are decided alike.
    pub fn read(&self, engine: &Engine, row: Row, seen: &mut Vec<u32>) {
        engine.directory().look(row, &self.everything, seen);
    }

    /// Adds what conditions make of an entity to `seen`: those of which it is the same are decided alike. There
    /// are fewer of these, and Cedar evaluates the conditions.
    pub fn evaluated(&self, engine: &Engine, row: Row, seen: &mut Vec<u32>) {
        engine.directory().look(row, &self.values, seen);
        if self.conditions.is_empty() {
            return;
        }
        let trial = engine.trial_alone(row, &self.looked_into);
        seen.extend(self.conditions.iter().map(|condition| {
            let truth = trial.as_ref().map(|trial| trial.truth(condition));
            match truth {
                Ok(Ok(true)) => TRUE,
                Ok(Ok(false)) => FALSE,
                Ok(Err(_)) | Err(_) => FAILED,
            }
        }));
    }

    fn as_read<T: Id, C: Id>(&self, engine: &Engine, rows: &Rows<T>) -> Partition<T, C> {
        Partition::of(rows.len(), |index, seen| {
            if let Some(row) = rows[index] {
                self.read(engine, row, seen);
            }
        })
    }

    fn classes<T: Id, C: Id>(&self, engine: &Engine, rows: &Rows<T>) -> Partition<T, C> {
        self.as_read(engine, rows).joined(|index, seen| {
            if let Some(row) = rows[index] {
                self.evaluated(engine, row, seen);
            }
        })
    }
}

/// The attributes of a type that name an entity.
fn entity_attributes(engine: &Engine, type_name: &EntityTypeName) -> Vec<String> {
    let vocabulary = engine.bundle().vocabulary();
    let attributes = vocabulary.attributes(&type_name.to_string());
    let attributes = attributes.into_iter().flatten();
    attributes
        .filter(|(_, attribute)| matches!(attribute.kind, Kind::Entity(_)))
        .map(|(name, _)| name.clone())
        .collect()
}

/// The entity that a value is, or the entities in the set that it is.
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
