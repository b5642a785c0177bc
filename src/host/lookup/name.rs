//! Names as people type them, and the parts of a request that they name.

use std::str::FromStr;

use cedar_policy::{EntityId, EntityTypeName, EntityUid};
use cedar_policy_core::ast;

/// The name of an action or entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// A text that a person typed.
    Text(String),
    /// A type and an id, as in Cedar's JSON.
    Uid {
        /// The entity type, for example `Entra::User`.
        type_name: String,
        /// The id.
        id: String,
    },
}

/// A part of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestPart {
    /// The principal.
    Principal,
    /// The action.
    Action,
    /// The resource.
    Resource,
}

/// The kind of thing that a name is looked up for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A part of a request.
    Part(RequestPart),
    /// An entity of one of these types, or of any type if there are none.
    Entity(Vec<EntityTypeName>),
}

impl Name {
    /// The UID, if the name is one.
    pub fn uid(&self) -> Option<EntityUid> {
        match self {
            // The public parser accepts a UID only with the escapes that Cedar itself would write.
            Self::Text(text) if text.contains("::\"") => {
                Some(ast::EntityUID::from_str(text).ok()?.into())
            }
            Self::Text(_) => None,
            Self::Uid { type_name, id } => {
                let type_name = EntityTypeName::from_str(type_name).ok()?;
                Some(EntityUid::from_type_name_and_id(
                    type_name,
                    EntityId::new(id),
                ))
            }
        }
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self, self.uid()) {
            (_, Some(uid)) => write!(formatter, "{uid}"),
            (Self::Text(text), None) => formatter.write_str(text),
            (Self::Uid { type_name, id }, None) => write!(formatter, "{type_name}::{id:?}"),
        }
    }
}

impl std::fmt::Display for RequestPart {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Principal => "principal",
            Self::Action => "action",
            Self::Resource => "resource",
        })
    }
}

impl From<RequestPart> for Wanted {
    fn from(part: RequestPart) -> Self {
        Self::Part(part)
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Part(part) => part.fmt(formatter),
            Self::Entity(types) if types.is_empty() => formatter.write_str("entity"),
            Self::Entity(types) => {
                let types: Vec<String> = types.iter().map(in_words).collect();
                formatter.write_str(&types.join(" or "))
            }
        }
    }
}

/// A type in words, for example "role assignment" for `Intune::RoleAssignment`.
pub fn in_words(type_name: &EntityTypeName) -> String {
    let mut words = String::new();
    for character in type_name.basename().chars() {
        if character.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(character.to_lowercase());
    }
    words
}
