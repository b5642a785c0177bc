//! The names that are found while one is typed.

use cedar_policy::{EntityTypeName, EntityUid};
use serde::Serialize;
use tarbac_analysis::change::what_if::assignable_types;
use tarbac_analysis::inquiry;
use tarbac_host::Engine;
use tarbac_host::bundle::Action;
use tarbac_host::lookup::{Lookup, Name, in_words};
use tarbac_host::roles::role_type;

use crate::fault::Fault;
use crate::name_index;
use crate::served::Served;

/// The most that is found at once.
const MOST: usize = 100;

/// The number of hits by default.
const SOME: usize = 10;

/// The kinds of results that are no type of the schema.
mod kind {
    /// The principals of permissions.
    pub(crate) const PRINCIPAL: &str = "principal";
    /// The resources of permissions.
    pub(crate) const RESOURCE: &str = "resource";
    /// The permissions.
    pub(crate) const ACTION: &str = "action";
    /// Roles.
    pub(crate) const ROLE: &str = "role";
    /// The possible assignees of a role.
    pub(crate) const ASSIGNEE: &str = "assignee";
}

/// Something that was found.
#[derive(Debug, Serialize)]
pub(crate) struct Hit {
    pub(crate) r#type: String,
    pub(crate) id: String,
    /// Its name for people.
    pub(crate) name: String,
    /// A name for questions, which means nothing else.
    pub(crate) value: String,
    /// Its type in words.
    #[serde(skip)]
    pub(crate) kind: String,
    /// The part that it plays in requests.
    #[serde(skip)]
    pub(crate) role: Role,
}

/// The part that something plays in requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The principal.
    Principal,
    /// The resource.
    Resource,
    /// The action.
    Action,
    /// None.
    Other,
}

/// The entities with a word that begins with a text, best first.
///
/// # Errors
/// There is no such kind.
pub(crate) fn found(
    served: &Served,
    text: &str,
    kinds: Option<&str>,
    limit: Option<usize>,
) -> Result<Vec<Hit>, Fault> {
    let limit = limit.unwrap_or(SOME).min(MOST);
    let engine = &served.engine;
    let vocabulary = engine.bundle().vocabulary();
    let mut types = Vec::new();
    let mut actions = kinds.is_none();
    for kind in kinds
        .unwrap_or_default()
        .split(',')
        .filter(|kind| !kind.is_empty())
    {
        match kind {
            kind::ACTION => actions = true,
            kind::PRINCIPAL => types.extend(asked_of(engine, |action| &action.principals)),
            kind::RESOURCE => types.extend(asked_of(engine, |action| &action.resources)),
            kind::ROLE => types.extend(role_type(vocabulary)),
            kind::ASSIGNEE => types.extend(assignable_types(engine)),
            name => match served.names.type_name(name) {
                Some(type_name) => types.push(type_name.clone()),
                None => return Err(Fault::bad_request(format!("there is no kind `{name}`"))),
            },
        }
    }
    if kinds.is_none() {
        types = searched(engine);
    }
    let entities = served.name_index().find(engine, text, &types, limit);
    let mut hits: Vec<Hit> = entities.iter().map(|uid| hit(engine, uid)).collect();
    if actions {
        let rest = limit.saturating_sub(hits.len());
        hits.extend(
            name_index::actions(vocabulary, text, rest)
                .into_iter()
                .map(of_action),
        );
    }
    Ok(hits)
}

/// The types that are searched: those that permissions are asked of and about, roles, and whoever can have them.
pub(crate) fn searched(engine: &Engine) -> Vec<EntityTypeName> {
    let mut types = asked_of(engine, |action| &action.principals);
    types.extend(asked_of(engine, |action| &action.resources));
    types.extend(assignable_types(engine));
    types.extend(role_type(engine.bundle().vocabulary()));
    types.sort();
    types.dedup();
    types
}

fn asked_of<'e>(
    engine: &'e Engine,
    types: impl Fn(&'e Action) -> &'e Vec<EntityTypeName>,
) -> Vec<EntityTypeName> {
    let permissions = engine.bundle().vocabulary().permissions();
    let types = permissions.flat_map(types).cloned();
    let mut types: Vec<EntityTypeName> = types.collect();
    types.sort();
    types.dedup();
    types
}

fn hit(engine: &Engine, uid: &EntityUid) -> Hit {
    Hit {
        r#type: uid.type_name().to_string(),
        id: uid.id().unescaped().to_owned(),
        name: inquiry::named(engine, uid).name,
        value: value(engine, uid),
        kind: in_words(uid.type_name()),
        role: role_of(engine, uid.type_name()),
    }
}

/// A name of an entity for questions, which means nothing else: that for people, or else its UID.
pub(crate) fn value(engine: &Engine, uid: &EntityUid) -> String {
    let names = Lookup::new(engine);
    let called = names.name_of(uid);
    let of_type = std::slice::from_ref(uid.type_name());
    let others = asked_of(engine, |action| {
        match action.principals.contains(uid.type_name()) {
            true => &action.principals,
            false => &action.resources,
        }
    });
    let types = if others.contains(uid.type_name()) {
        others.as_slice()
    } else {
        of_type
    };
    match names.of_types(types, &Name::from(called.as_str())) {
        Ok(found) if found == *uid => called,
        _ => uid.to_string(),
    }
}

/// The part that a type plays in requests.
fn role_of(engine: &Engine, of_type: &EntityTypeName) -> Role {
    let mut permissions = engine.bundle().vocabulary().permissions();
    let mut others = engine.bundle().vocabulary().permissions();
    if permissions.any(|action| action.principals.contains(of_type)) {
        Role::Principal
    } else if others.any(|action| action.resources.contains(of_type)) {
        Role::Resource
    } else {
        Role::Other
    }
}

fn of_action(action: &Action) -> Hit {
    Hit {
        r#type: action.uid.type_name().to_string(),
        id: action.id().to_owned(),
        name: action.name().to_owned(),
        value: action.id().to_owned(),
        kind: in_words(action.uid.type_name()),
        role: Role::Action,
    }
}
