//! Roles that changes grant or revoke, and their possible holders.

use cedar_policy::{EntityTypeName, EntityUid};

use super::facts::splits;
use super::unknown_name;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::engine::Engine;
use tarbac_host::lookup::{Lookup, Name, NameError, did_you_mean};
use tarbac_host::roles::role_type;

/// The people and groups who can be assigned a role.
pub fn assignees(engine: &Engine) -> Vec<EntityUid> {
    let Some(of_type) = role_type(engine.bundle().vocabulary()) else {
        return Vec::new();
    };
    let names = Lookup::new(engine);
    let types = assignable(engine, &of_type).into_iter();
    types
        .flat_map(|of_type| names.all_of_type(&of_type))
        .collect()
}

/// The types whose entities can be assigned a role.
pub fn assignable_types(engine: &Engine) -> Vec<EntityTypeName> {
    let of_type = role_type(engine.bundle().vocabulary());
    of_type.map_or_else(Vec::new, |of_type| assignable(engine, &of_type))
}

/// The person or group, and the role, of `NAME=ROLE`.
pub(super) fn holder_and_role(
    engine: &Engine,
    names: &Lookup<'_>,
    text: &str,
) -> Result<(EntityUid, EntityUid), Box<Finding>> {
    let error = |message: &str| Box::new(Finding::error(code::what_if::CHANGE, message));
    let of_type = role_type(engine.bundle().vocabulary())
        .ok_or_else(|| error("the schema does not say which of its types is that of roles"))?;
    let types = assignable(engine, &of_type);
    let mut found = splits(text, "=").map(|(who, role)| {
        let who = names.of_types(&types, &Name::from(who));
        who.map(|who| (who, role))
    });
    // Names may have equals signs: the first sign after a known name counts.
    let first = found.next();
    let first =
        first.ok_or_else(|| error("write the person or group, an equals sign, and the role"))?;
    let (who, role) = match first {
        Err(error @ NameError::Unknown { .. }) => {
            let found = found.find(|found| !matches!(found, Err(NameError::Unknown { .. })));
            found.unwrap_or(Err(error))
        }
        first => first,
    }
    .map_err(unknown_name)?;
    let found = names.of_type(&of_type, &Name::from(role));
    let found = found.map_err(|error| {
        let is_unknown = matches!(error, NameError::Unknown { .. });
        let mut finding = unknown_name(error);
        if is_unknown {
            // Roles that only policies name are in no file of entities.
            let named = engine.bundle().named_entities();
            let roles = named.iter().filter(|uid| *uid.type_name() == of_type);
            let near = did_you_mean(role, roles.map(|uid| uid.id().unescaped()));
            finding.help = near.or(finding.help.take());
        }
        finding
    });
    Ok((who, found?))
}

/// The types whose entities can be assigned a role: first the principals of actions, then those that the schema
/// puts into a child of roles, as groups into role assignments.
fn assignable(engine: &Engine, role_type: &EntityTypeName) -> Vec<EntityTypeName> {
    let vocabulary = engine.bundle().vocabulary();
    let parents = vocabulary.declared_parents();
    let is_in = |of: &str, parent: &str| parents.get(of).is_some_and(|of| of.contains(parent));
    let role_type = role_type.to_string();
    let is_principal = |name: &EntityTypeName| {
        let mut actions = vocabulary.permissions();
        actions.any(|action| action.principals.contains(name))
    };
    let types = vocabulary.type_names();
    let types = types.filter_map(|name| name.parse::<EntityTypeName>().ok());
    let can_be_assigned = |name: &EntityTypeName| {
        let of = name.to_string();
        let mut between = vocabulary.type_names();
        is_principal(name)
            || between.any(|between| is_in(&of, between) && is_in(between, &role_type))
    };
    let mut types: Vec<EntityTypeName> = types.filter(can_be_assigned).collect();
    types.sort_by_key(|name| !is_principal(name));
    types
}

/// The direct parents of an entity through which it is in a group.
pub(super) fn leading(engine: &Engine, uid: &EntityUid, group: &EntityUid) -> Vec<EntityUid> {
    let directory = engine.directory();
    let (Some(row), Some(group)) = (directory.row(uid), directory.row(group)) else {
        return Vec::new();
    };
    let leads = |parent: &tarbac_store::Row| {
        *parent == group || directory.ancestors(*parent).any(|row| row == group)
    };
    let parents = directory.parents(row).filter(leads);
    parents.map(|row| directory.uid(row)).collect()
}
