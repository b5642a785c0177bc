//! Bulk decisions for each pair of a type of people and a type of resources.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Context, EntityTypeName, EntityUid};

use crate::bulk::class::Partition;
use crate::bulk::decision::{BulkDecision, Population};
use crate::bulk::index::{BulkId, KindId, PersonId, PrincipalTypeId};
use tarbac_host::bundle::Action;
use tarbac_host::engine::Engine;
use tarbac_store::index::{Id, IndexVec};

/// The bulk decisions of one type of people, one for each type of resources.
pub(crate) type OfPrincipalType<'e> = IndexVec<BulkId, BulkDecision<'e>>;

/// All bulk decisions of some states.
pub(crate) struct BulkDecisions<'e>(IndexVec<PrincipalTypeId, OfPrincipalType<'e>>);

/// The entities of bulk decisions; all of each type if none are selected.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Selection<'u> {
    /// The people.
    pub(crate) people: Option<&'u [EntityUid]>,
    /// The resources.
    pub(crate) resources: Option<&'u [EntityUid]>,
}

impl<'e> BulkDecisions<'e> {
    /// Prepares decisions for each pair of types to which a permission applies in any of the states.
    pub(crate) fn new(
        engines: &[&'e Engine],
        selection: Selection<'_>,
        is_asked: impl Fn(&Action) -> bool,
        context: impl Fn(&Engine, &Action) -> Context,
    ) -> Self {
        let has = |selected: Option<&[EntityUid]>, type_name: &EntityTypeName| {
            selected.is_none_or(|uids| uids.iter().any(|uid| uid.type_name() == type_name))
        };
        let bulk_decision = |principal: &EntityTypeName, resource: &EntityTypeName| {
            let people = population(engines, selection.people, principal);
            let resources = population(engines, selection.resources, resource);
            BulkDecision::new(
                engines,
                (principal, people),
                (resource, resources),
                &is_asked,
                &context,
            )
        };
        let types = types(engines).into_iter();
        let types = types.filter(|(principal, _)| has(selection.people, principal));
        let bulk_decisions = types.map(|(principal, resources)| {
            let resources = resources.iter();
            resources
                .filter(|resource| has(selection.resources, resource))
                .map(|resource| bulk_decision(&principal, resource))
                .collect()
        });
        Self(bulk_decisions.collect())
    }

    /// The bulk decisions by type of people.
    pub(crate) fn by_principal_type(&self) -> &IndexVec<PrincipalTypeId, OfPrincipalType<'e>> {
        &self.0
    }

    /// All bulk decisions.
    pub(crate) fn all(&self) -> impl Iterator<Item = &BulkDecision<'e>> {
        self.0.iter().flatten()
    }

    /// The number of classes of people, of all types.
    pub(crate) fn classes(&self) -> usize {
        self.all().map(BulkDecision::classes).sum()
    }
}

/// The people of a type by kind: in one class for every type of resources, and with equal keys.
pub(crate) fn kinds(
    of_type: &OfPrincipalType<'_>,
    key: impl Fn(PersonId, &mut Vec<u32>) + Sync,
) -> Partition<PersonId, KindId> {
    let people = of_type.first().map_or(0, BulkDecision::people);
    Partition::new(people, |person, seen| {
        seen.extend(of_type.iter().map(|bulk| bulk.class(person).raw()));
        key(person, seen);
    })
}

/// The types of people, each with the types of resources to which a permission applies in any of these states.
fn types(engines: &[&Engine]) -> BTreeMap<EntityTypeName, BTreeSet<EntityTypeName>> {
    let mut types: BTreeMap<EntityTypeName, BTreeSet<EntityTypeName>> = BTreeMap::new();
    for engine in engines {
        for action in engine.bundle().vocabulary().permissions() {
            for principal in &action.principals {
                let resources = types.entry(principal.clone()).or_default();
                resources.extend(action.resources.iter().cloned());
            }
        }
    }
    types
}

/// The selected entities of a type, or all.
fn population<T: Id, C: Id>(
    engines: &[&Engine],
    selected: Option<&[EntityUid]>,
    type_name: &EntityTypeName,
) -> Population<T, C> {
    let Some(selected) = selected else {
        return Population::all(engines, type_name);
    };
    let of_type = selected.iter().filter(|uid| uid.type_name() == type_name);
    let mut of_type: Vec<EntityUid> = of_type.cloned().collect();
    of_type.sort_by(|one, other| one.id().unescaped().cmp(other.id().unescaped()));
    of_type.dedup();
    Population::some(engines, &of_type)
}
