//! A change that an administrator can make, and the entities after it.
//!
//! The schema says what can be changed, by annotations whose text is the sentence shown: `@set_true`, `@set_false`,
//! `@set` and `@raise` (a number, upwards only) on attributes, `@add` on sets, `@join` on types of groups that a
//! person can join. Attributes and types without such an annotation never change.

mod edit;
mod membership;

use cedar_policy::EntityUid;
use cedar_policy_core::ast;
use schemars::JsonSchema;
use serde::Serialize;

use super::probe::{Probe, Target};
use super::role::Withheld;
use super::value::{Named, Value};
use crate::wire;
use edit::{current_long, edited};
use membership::{joined, restored};
use tarbac_host::engine::{Activation, EntitySlice};

pub(super) use edit::with_record;
pub(super) use membership::{brought_along, needed_first};

/// A change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct RemedyChange {
    /// The kind.
    pub kind: ChangeKind,
    /// The entity that changes.
    pub entity: Named,
    /// The attribute, through records where there is more than one name; empty for a join.
    #[serde(serialize_with = "wire::path")]
    #[schemars(with = "Option<String>")]
    pub attribute: Vec<String>,
    /// The length of the chain from the entity that is to be in the new element; the closest element gives least.
    #[serde(skip)]
    pub(super) distance: usize,
    /// The new value, the new element, or the group that is joined.
    pub value: Value,
    /// The sentence of the schema.
    pub sentence: String,
}

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Activates an eligible membership.
    Activate,
    /// Gives an attribute a value.
    Set,
    /// Adds an element to an attribute that is a set.
    Add,
    /// Makes an entity a member of another.
    Join,
}

impl RemedyChange {
    /// Gives an attribute a value, if the schema allows that.
    pub(super) fn set(probe: &Probe<'_>, target: &Target<'_>, value: Value) -> Option<Self> {
        let annotations = &target.attribute.annotations;
        let sentence = match &value {
            Value::Bool(true) => annotations.get("set_true")?,
            Value::Bool(false) => annotations.get("set_false")?,
            Value::Long(new) => match annotations.get("raise") {
                Some(sentence) => Some(sentence)
                    .filter(|_| current_long(probe, target).is_some_and(|old| *new > old))?,
                None => annotations.get("set")?,
            },
            _ => annotations.get("set")?,
        };
        Some(Self::new(
            probe,
            ChangeKind::Set,
            &target.entity,
            target.path.clone(),
            value,
            sentence,
        ))
    }

    /// Adds an element to a set, if the schema allows that.
    pub(super) fn add(probe: &Probe<'_>, target: &Target<'_>, value: Value) -> Option<Self> {
        let sentence = target.attribute.annotations.get("add")?;
        Some(Self::new(
            probe,
            ChangeKind::Add,
            &target.entity,
            target.path.clone(),
            value,
            sentence,
        ))
    }

    /// Makes the principal a member of a group, if the schema allows that.
    pub(super) fn join(probe: &Probe<'_>, group: &EntityUid) -> Option<Self> {
        let type_name = group.type_name().to_string();
        let sentence = probe.vocabulary().type_annotation(&type_name, "join")?;
        let value = Value::Entity(probe.names().named(group));
        let principal = probe.request().principal.clone();
        Some(Self::new(
            probe,
            ChangeKind::Join,
            &principal,
            Vec::new(),
            value,
            sentence,
        ))
    }

    /// Activates a membership for which an attribute makes the principal eligible.
    pub(super) fn activate(probe: &Probe<'_>, activation: &Activation) -> Option<Self> {
        let principal = probe.request().principal.clone();
        let of_type = principal.type_name().to_string();
        let mut activations = probe.vocabulary().activations(&of_type);
        let (_, sentence) = activations.find(|(name, _)| *name == activation.attribute)?;
        Some(Self::new(
            probe,
            ChangeKind::Activate,
            &principal,
            vec![activation.attribute.clone()],
            Value::Entity(probe.names().named(&activation.entity)),
            sentence,
        ))
    }

    /// Restores a parent that an attribute replaces in an ancestor of the principal: the ancestor joins an entity
    /// whose members keep their parents.
    pub(super) fn restore(probe: &Probe<'_>, withheld: &Withheld) -> Option<Self> {
        let of_type = withheld.from.type_name().to_string();
        let stand_ins = probe.vocabulary().stand_ins(&of_type);
        let stand_in = stand_ins
            .into_iter()
            .find(|stand_in| stand_in.attribute == withheld.attribute)?;
        let exception = stand_in.exceptions.first()?;
        Some(Self::new(
            probe,
            ChangeKind::Join,
            &withheld.from,
            Vec::new(),
            Value::Entity(probe.names().named(exception)),
            stand_in.restoring?,
        ))
    }

    fn new(
        probe: &Probe<'_>,
        kind: ChangeKind,
        entity: &EntityUid,
        attribute: Vec<String>,
        value: Value,
        sentence: &str,
    ) -> Self {
        let entity = probe.names().named(entity);
        let sentence = sentence
            .replace("{value}", &value.to_string())
            .replace("{entity}", &entity.name);
        Self {
            kind,
            entity,
            attribute,
            distance: 0,
            value,
            sentence,
        }
    }

    /// Whether it is about the same attribute of the same entity.
    pub(super) fn is_about(&self, target: &Target<'_>) -> bool {
        self.entity.uid == target.entity && self.attribute == target.path
    }

    /// The entities after the change; `None` if it cannot be made.
    pub(super) fn applied(&self, probe: &Probe<'_>) -> Option<EntitySlice> {
        let value = self.value.to_cedar()?;
        match self.kind {
            ChangeKind::Activate => match &self.value {
                Value::Entity(group) => {
                    probe
                        .engine()
                        .activated(probe.request(), probe.slice(), &[&group.uid])
                }
                _ => None,
            },
            ChangeKind::Set => edited(probe, &self.entity.uid, &self.attribute, &|_| {
                Some(value.clone())
            }),
            ChangeKind::Add => edited(probe, &self.entity.uid, &self.attribute, &|set| {
                let elements = match set.as_ref().map(ast::Value::value_kind) {
                    Some(ast::ValueKind::Set(set)) => set.iter().cloned().collect(),
                    Some(_) => return None,
                    None => Vec::new(),
                };
                Some(ast::Value::set(
                    elements.into_iter().chain([value.clone()]),
                    None,
                ))
            }),
            ChangeKind::Join => match &self.value {
                Value::Entity(group) if self.entity.uid == probe.request().principal => {
                    joined(probe, &self.entity.uid, &group.uid)
                }
                Value::Entity(group) => restored(probe, &self.entity.uid, &group.uid),
                _ => None,
            },
        }
    }
}
