//! Memberships that take effect once they are activated.
//!
//! The schema says which attributes of a principal name such memberships (`@activate`). Nothing is decided by
//! them: what activating them would change is found by deciding again with the principal in them.

use std::collections::BTreeSet;

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::ast;

use super::{Engine, EntitySlice};
use crate::decision::{Decision, Request};
use tarbac_store::Row;

/// Something that a principal can activate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Activation {
    /// What the principal is then in.
    pub entity: EntityUid,
    /// The attribute of the principal that names it.
    pub attribute: String,
}

impl Engine {
    /// What an entity of a world can activate, sorted; each once.
    pub fn activations(&self, uid: &EntityUid, world: &EntitySlice) -> Vec<Activation> {
        let Some(entity) = world.get(uid) else {
            return Vec::new();
        };
        let vocabulary = self.bundle.vocabulary();
        let mut found = BTreeSet::new();
        for (attribute, _) in vocabulary.activations(&uid.type_name().to_string()) {
            for named in entities_in(entity, attribute) {
                found.insert(Activation {
                    entity: named,
                    attribute: attribute.to_owned(),
                });
            }
        }
        found.into_iter().collect()
    }

    /// Whatever somebody can activate, with everything that it is in.
    pub fn can_be_activated(&self) -> BTreeSet<Row> {
        let types = self.bundle.vocabulary().all_attributes().keys();
        let types = types.filter_map(|name| name.parse::<EntityTypeName>().ok());
        let found = types.flat_map(|name| {
            let rows: Vec<Row> = self.directory.rows_of(&name).collect();
            rows.into_iter()
                .flat_map(move |row| self.activatable(&name, row))
        });
        found.collect()
    }

    /// The world in which the principal of a request is in these entities; `None` where one of them, or the
    /// principal, is not there.
    pub fn activated(
        &self,
        request: &Request,
        world: &EntitySlice,
        entities: &[&EntityUid],
    ) -> Option<EntitySlice> {
        let directory = &self.directory;
        let entity = world.get(&request.principal)?;
        let (uid, attributes, mut indirect, mut direct, tags) = entity.clone().into_inner();
        for group in entities {
            let row = directory.row(group).filter(|row| directory.exists(*row))?;
            indirect.extend(
                directory
                    .ancestors(row)
                    .map(|row| directory.uid(row).as_ref().clone()),
            );
            direct.insert(group.as_ref().clone());
        }
        let indirect = indirect.difference(&direct).cloned().collect();
        let mut world = world.clone();
        world.put(ast::Entity::new_with_attr_partial_value(
            uid, attributes, indirect, direct, tags,
        ));
        self.widen(request, &mut world);
        Some(world)
    }

    /// What the principal of a refused request could activate to be allowed it: each that is enough by itself
    /// or, where none is, some that are enough together and of which none is superfluous. Nothing where the
    /// principal can activate nothing, or it does not help.
    pub fn lifting(&self, request: &Request, world: &EntitySlice) -> Vec<Vec<Activation>> {
        let all = self.activations(&request.principal, world);
        let allows = |chosen: &[&Activation]| {
            let entities: Vec<&EntityUid> = chosen.iter().map(|of| &of.entity).collect();
            self.activated(request, world, &entities)
                .is_some_and(|world| self.decide_in(request, &world).decision == Decision::Allow)
        };
        let single: Vec<Vec<Activation>> = all
            .iter()
            .filter(|activation| allows(&[activation]))
            .map(|activation| vec![activation.clone()])
            .collect();
        let mut together: Vec<&Activation> = all.iter().collect();
        if !single.is_empty() || together.len() < 2 || !allows(&together) {
            return single;
        }
        for activation in &all {
            let fewer: Vec<&Activation> = together
                .iter()
                .copied()
                .filter(|of| *of != activation)
                .collect();
            if allows(&fewer) {
                together = fewer;
            }
        }
        vec![together.into_iter().cloned().collect()]
    }
}

/// The entities in an attribute that is a set of them, sorted; none where it is something else.
pub(super) fn entities_in(entity: &ast::Entity, attribute: &str) -> BTreeSet<EntityUid> {
    let Some(ast::PartialValue::Value(value)) = entity.get(attribute) else {
        return BTreeSet::new();
    };
    let ast::ValueKind::Set(set) = value.value_kind() else {
        return BTreeSet::new();
    };
    let uid = |value: &ast::Value| match value.value_kind() {
        ast::ValueKind::Lit(ast::Literal::EntityUID(uid)) => {
            Some(EntityUid::from(uid.as_ref().clone()))
        }
        _ => None,
    };
    set.iter().filter_map(uid).collect()
}
