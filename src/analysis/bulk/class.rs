//! Classes: entities that policies cannot tell apart.
//!
//! A decision depends on a person and a device only through the read set of the policies: the attributes that they
//! name, the groups that they ask about, and the entities that they name by id. Entities with equal values there get
//! equal decisions in every request, so one of them stands for all.
//!
//! A read set may be too large, so a class may be split without need; but two entities that a policy could tell apart
//! are never in one class.

mod conditions;
mod equality;
mod pair;
mod partition;
mod projection;

use cedar_policy::EntityUid;

use super::index::{ClassId, PersonId};
use tarbac_host::bundle::Policy;
use tarbac_host::engine::{Engine, ReadSetBuilder};
use tarbac_store::Fingerprinter;
use tarbac_store::index::IndexVec;

pub(crate) use pair::PairTest;
pub(crate) use partition::Partition;
pub(crate) use projection::{OwnedSets, Projection, Rows, SideFingerprints};

/// Entities in classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classes(Vec<Vec<EntityUid>>);

impl Classes {
    /// The classes of some entities under the policies in force that decide about permissions, in
    /// the order of their first members.
    pub fn new(engine: &Engine, entities: &[EntityUid]) -> Self {
        let vocabulary = engine.bundle().vocabulary();
        let deciding = engine
            .bundle()
            .in_force(engine.readings())
            .filter(|policy| {
                vocabulary
                    .permissions()
                    .any(|action| engine.takes_part(policy, action))
            });
        Self::under(engine, deciding, entities)
    }

    /// The classes of some entities under these policies.
    pub fn under<'p>(
        engine: &Engine,
        policies: impl IntoIterator<Item = &'p Policy>,
        entities: &[EntityUid],
    ) -> Self {
        let mut read_set = ReadSetBuilder::default();
        for policy in policies {
            read_set.add_policy(policy, engine.bundle().vocabulary());
        }
        let directory = engine.directory();
        let fingerprinter = Fingerprinter::new(&read_set.build(directory), directory);
        let rows: IndexVec<PersonId, _> = entities.iter().map(|uid| directory.row(uid)).collect();
        let partition: Partition<PersonId, ClassId> =
            Partition::new(entities.len(), |index: PersonId, key| {
                match rows[index] {
                    Some(row) => directory.fingerprint(row, &fingerprinter, key),
                    // An entity without a row is a class of its own.
                    None => key.push(index.raw()),
                }
            });
        let entities: IndexVec<PersonId, &EntityUid> = entities.iter().collect();
        let members = partition.members().into_iter();
        let classes = members.map(|members| {
            let members = members.into_iter();
            members.map(|index| entities[index].clone()).collect()
        });
        Self(classes.collect())
    }

    /// The first entity of each class.
    pub fn representatives(&self) -> Vec<EntityUid> {
        self.0
            .iter()
            .filter_map(|members| members.first().cloned())
            .collect()
    }

    /// The classes, each in the order of the entities.
    pub fn members(&self) -> &[Vec<EntityUid>] {
        &self.0
    }
}
