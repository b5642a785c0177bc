//! New memberships of an entity, through a new entity if the schema requires one.

use std::str::FromStr;

use cedar_policy::{EntityId, EntityTypeName, EntityUid};
use cedar_policy_core::ast;

use crate::explain::probe::Probe;
use crate::explain::role;
use tarbac_host::bundle::{Kind, Vocabulary};
use tarbac_host::engine::EntitySlice;

/// The entities after an entity joins a group, through an entity in between if the schema requires one.
pub(super) fn joined(probe: &Probe<'_>, uid: &EntityUid, group: &EntityUid) -> Option<EntitySlice> {
    let mut parents = Vec::new();
    let mut above = with_ancestors(probe, group);
    match between(probe, uid.type_name(), group.type_name()) {
        Between::Unrelated => return None,
        Between::Nothing => {}
        Between::Type(link) => {
            let required = required_by(probe.vocabulary(), &link);
            if required.contains(&group.type_name().to_string()) {
                // Every link needs a parent of each required type, so this one needs a link of its own.
                for other in required
                    .iter()
                    .filter(|other| **other != group.type_name().to_string())
                {
                    above.extend(with_ancestors(probe, &own(probe, uid, other)?));
                }
                parents.push(unused(probe, &link)?);
            } else if !probe
                .ancestors(uid)
                .iter()
                .any(|ancestor| *ancestor.type_name() == link)
            {
                // No entity in between could be given that parent.
                return None;
            }
        }
    }
    let entity = probe.slice().get(uid)?;
    let (uid, attributes, indirect, direct, tags) = entity.clone().into_inner();
    let indirect = indirect
        .into_iter()
        .chain(above.into_iter().map(ast::EntityUID::from))
        .collect();
    let direct = direct
        .into_iter()
        .chain(parents.into_iter().map(ast::EntityUID::from))
        .collect();
    let mut slice = probe.slice().clone();
    slice.put(ast::Entity::new_with_attr_partial_value(
        uid, attributes, indirect, direct, tags,
    ));
    Some(slice)
}

/// The entities after an ancestor of the principal joins a group and regains the parents that its attributes replace.
pub(super) fn restored(
    probe: &Probe<'_>,
    from: &EntityUid,
    group: &EntityUid,
) -> Option<EntitySlice> {
    let withheld = role::withheld(probe).into_iter();
    let withheld: Vec<EntityUid> = withheld
        .filter(|withheld| withheld.from == *from)
        .map(|withheld| withheld.parent)
        .collect();
    if withheld.is_empty() {
        return None;
    }
    let above = withheld.iter().chain([group]);
    let above: Vec<EntityUid> = above.flat_map(|uid| with_ancestors(probe, uid)).collect();
    let entity = probe.slice().get(&probe.request().principal)?;
    let (uid, attributes, mut indirect, direct, tags) = entity.clone().into_inner();
    let above = above.into_iter().map(ast::EntityUID::from);
    indirect.extend(above.filter(|uid| !direct.contains(uid)));
    let mut slice = probe.slice().clone();
    slice.put(ast::Entity::new_with_attr_partial_value(
        uid, attributes, indirect, direct, tags,
    ));
    Some(slice)
}

/// The relation of an entity to a group that it can join.
enum Between {
    /// It cannot be in the group.
    Unrelated,
    /// The group can be its parent.
    Nothing,
    /// An entity of this type is in between.
    Type(EntityTypeName),
}

/// The type that is nearest to `group` on the way from `member`.
fn between(probe: &Probe<'_>, member: &EntityTypeName, group: &EntityTypeName) -> Between {
    let schema = probe.engine().bundle().schema();
    let above = |type_name: &EntityTypeName| -> Vec<EntityTypeName> {
        schema
            .ancestors(type_name)
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    };
    let all = above(member);
    if !all.contains(group) {
        return Between::Unrelated;
    }
    let mut on_the_way: Vec<EntityTypeName> = all
        .into_iter()
        .filter(|type_name| type_name != group && above(type_name).contains(group))
        .collect();
    on_the_way.sort_by_key(ToString::to_string);
    let nearest = on_the_way.iter().find(|type_name| {
        let above = above(type_name);
        !on_the_way
            .iter()
            .any(|other| other != *type_name && above.contains(other))
    });
    nearest.map_or(Between::Nothing, |type_name| {
        Between::Type(type_name.clone())
    })
}

/// The types of parents that each entity of a type needs: its `@requires`.
fn required_by(vocabulary: &Vocabulary, type_name: &EntityTypeName) -> Vec<String> {
    vocabulary
        .type_annotation(&type_name.to_string(), "requires")
        .into_iter()
        .flat_map(|required| required.split(','))
        .map(|required| required.trim().to_owned())
        .collect()
}

/// The types of groups one of which the principal must join before it can join `group`. If an entity in between would
/// have `group` as a parent and does not exist, these are the types that come with a new one.
pub(in crate::explain) fn needed_first(probe: &Probe<'_>, group: &EntityUid) -> Vec<String> {
    let principal = &probe.request().principal;
    let Between::Type(link) = between(probe, principal.type_name(), group.type_name()) else {
        return Vec::new();
    };
    if probe
        .ancestors(principal)
        .iter()
        .any(|ancestor| *ancestor.type_name() == link)
    {
        return Vec::new();
    }
    let vocabulary = probe.vocabulary();
    required_by(vocabulary, &link)
        .into_iter()
        .filter(|name| *name != group.type_name().to_string())
        .filter(|name| vocabulary.type_annotation(name, "join").is_some())
        .collect()
}

/// The types of parents that come with a new membership: pairs of a type with `@join` and a type that is required
/// along with it.
pub(in crate::explain) fn brought_along(probe: &Probe<'_>) -> Vec<(String, String)> {
    let vocabulary = probe.vocabulary();
    let mut pairs = Vec::new();
    for link in vocabulary.type_names() {
        let Ok(link) = EntityTypeName::from_str(link) else {
            continue;
        };
        let required = required_by(vocabulary, &link);
        for joined in required
            .iter()
            .filter(|name| vocabulary.type_annotation(name, "join").is_some())
        {
            for other in required.iter().filter(|other| *other != joined) {
                pairs.push((joined.clone(), other.clone()));
            }
        }
    }
    pairs
}

/// The entity of a type that is the value of an attribute of `uid`.
fn own(probe: &Probe<'_>, uid: &EntityUid, type_name: &str) -> Option<EntityUid> {
    let entity = probe.slice().get(uid)?;
    let attributes = probe
        .vocabulary()
        .attributes(&uid.type_name().to_string())?;
    attributes
        .iter()
        .filter(|(_, attribute)| attribute.kind == Kind::Entity(type_name.to_owned()))
        .find_map(|(name, _)| match entity.get(name)? {
            ast::PartialValue::Value(value) => match value.value_kind() {
                ast::ValueKind::Lit(ast::Literal::EntityUID(uid)) => {
                    Some(EntityUid::from(uid.as_ref().clone()))
                }
                _ => None,
            },
            ast::PartialValue::Residual(_) => None,
        })
}

fn with_ancestors(probe: &Probe<'_>, uid: &EntityUid) -> Vec<EntityUid> {
    let directory = probe.engine().directory();
    let ancestors = directory
        .row(uid)
        .into_iter()
        .flat_map(|row| directory.ancestors(row));
    std::iter::once(uid.clone())
        .chain(ancestors.map(|row| directory.uid(row)))
        .collect()
}

/// A uid of a type that the directory does not know.
fn unused(probe: &Probe<'_>, type_name: &EntityTypeName) -> Option<EntityUid> {
    let directory = probe.engine().directory();
    (1..)
        .map(|number: u32| EntityId::new(format!("new {number}")))
        .map(|id| EntityUid::from_type_name_and_id(type_name.clone(), id))
        .find(|uid| directory.row(uid).is_none())
}
