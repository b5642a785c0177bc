//! Activations: memberships that take effect once a principal activates them.
//!
//! The schema marks the attributes of a principal that list such memberships with `@activate`. They take no part in
//! decisions. The effect of an activation is found by a second decision, in which the principal has the membership.

use std::collections::BTreeSet;

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::ast;

use super::{Engine, EntitySlice};
use crate::decision::{Decision, Request};
use tarbac_store::Row;

/// A membership that a principal can activate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Activation {
    /// The entity that the principal would be in.
    pub entity: EntityUid,
    /// The attribute of the principal that lists the entity.
    pub attribute: String,
}

impl Engine {
    /// The activations open to an entity of a slice, sorted and without repetition.
    pub fn activations(&self, uid: &EntityUid, slice: &EntitySlice) -> Vec<Activation> {
        let Some(entity) = slice.get(uid) else {
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

    /// The entities that anybody can activate a membership in, and their ancestors.
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

    /// The slice in which the principal of a request is in these entities; `None` if one of them or the principal does
    /// not exist.
    pub fn activated(
        &self,
        request: &Request,
        slice: &EntitySlice,
        entities: &[&EntityUid],
    ) -> Option<EntitySlice> {
        let directory = &self.directory;
        let entity = slice.get(&request.principal)?;
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
        let mut slice = slice.clone();
        slice.put(ast::Entity::new_with_attr_partial_value(
            uid, attributes, indirect, direct, tags,
        ));
        self.widen(request, &mut slice);
        Some(slice)
    }

    /// The activations that turn a refusal into an allow: each that is enough alone or, if there is none, one
    /// combination in which none is superfluous. Empty if no activation helps.
    pub fn lifting(&self, request: &Request, slice: &EntitySlice) -> Vec<Vec<Activation>> {
        let all = self.activations(&request.principal, slice);
        let allows = |chosen: &[&Activation]| {
            let entities: Vec<&EntityUid> = chosen.iter().map(|of| &of.entity).collect();
            self.activated(request, slice, &entities)
                .is_some_and(|slice| self.decide_in(request, &slice).decision == Decision::Allow)
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

/// The entities in an attribute that is a set, sorted; empty if it is not a set.
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
