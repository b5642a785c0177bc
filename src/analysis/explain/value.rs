//! Readable values, and the names of entities for people.

use std::fmt;

use cedar_policy::EntityUid;
use cedar_policy_core::ast;
use serde::Serialize;

use crate::wire;
use tarbac_host::engine::Engine;

/// The number of elements of a set that are written out.
const WRITTEN: usize = 4;

/// An entity and its name for people; sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// The first attribute with `@alias`, or the id. Both if several principals or resources of a type share the
    /// alias.
    pub name: String,
    /// The entity.
    pub uid: EntityUid,
}

/// A value that a policy read.
///
/// [`fmt::Display`] is short: entities by name, sets by their first elements and the number of further ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Long(i64),
    /// A string.
    Text(String),
    /// An entity.
    Entity(Named),
    /// A set, sorted.
    Set(Vec<Value>),
    /// A record, by attribute.
    #[serde(serialize_with = "wire::record")]
    Record(Vec<(String, Value)>),
    /// A value of an extension type, as Cedar writes it.
    Extension(String),
}

/// Finds the names of entities.
#[derive(Clone, Copy)]
pub(crate) struct Labels<'a> {
    engine: &'a Engine,
}

impl<'a> Labels<'a> {
    pub(crate) fn new(engine: &'a Engine) -> Self {
        Self { engine }
    }

    /// The name of an entity for people. Principals and resources that share an alias have their ids with it; other
    /// entities, as collections of several hierarchies, are told apart by the rest of the answer.
    pub(crate) fn named(self, uid: &EntityUid) -> Named {
        let directory = self.engine.directory();
        let alias = directory
            .row(uid)
            .filter(|row| directory.is_defined(*row))
            .and_then(|row| {
                self.engine
                    .bundle()
                    .vocabulary()
                    .aliases(directory.type_name(row))
                    .find_map(|attribute| directory.attribute_text(row, attribute))
            });
        let id = uid.id().unescaped();
        let name = match alias {
            None => id.to_owned(),
            Some(name)
                if directory.called(uid.type_name(), name).len() > 1 && self.is_asked(uid) =>
            {
                format!("{name} {id}")
            }
            Some(name) => name.to_owned(),
        };
        Named {
            uid: uid.clone(),
            name,
        }
    }

    fn is_asked(self, uid: &EntityUid) -> bool {
        let mut permissions = self.engine.bundle().vocabulary().permissions();
        permissions.any(|action| {
            let mut types = action.principals.iter().chain(&action.resources);
            types.any(|type_name| type_name == uid.type_name())
        })
    }

    pub(crate) fn value(self, value: &ast::Value) -> Value {
        match value.value_kind() {
            ast::ValueKind::Lit(ast::Literal::Bool(bool)) => Value::Bool(*bool),
            ast::ValueKind::Lit(ast::Literal::Long(long)) => Value::Long(*long),
            ast::ValueKind::Lit(ast::Literal::String(text)) => Value::Text(text.to_string()),
            ast::ValueKind::Lit(ast::Literal::EntityUID(uid)) => {
                Value::Entity(self.named(&EntityUid::from(uid.as_ref().clone())))
            }
            ast::ValueKind::Set(set) => {
                let mut elements: Vec<Value> =
                    set.iter().map(|element| self.value(element)).collect();
                elements.sort();
                Value::Set(elements)
            }
            ast::ValueKind::Record(record) => Value::Record(
                record
                    .iter()
                    .map(|(name, value)| (name.to_string(), self.value(value)))
                    .collect(),
            ),
            ast::ValueKind::ExtensionValue(_) => Value::Extension(value.to_string()),
        }
    }
}

impl Value {
    /// The value for Cedar; `None` for a kind of value that no change sets.
    pub(super) fn to_cedar(&self) -> Option<ast::Value> {
        match self {
            Self::Bool(bool) => Some(ast::Value::from(*bool)),
            Self::Long(long) => Some(ast::Value::from(*long)),
            Self::Text(text) => Some(ast::Value::from(text.as_str())),
            Self::Entity(entity) => Some(ast::Value::from(entity.uid.as_ref().clone())),
            Self::Set(_) | Self::Record(_) | Self::Extension(_) => None,
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(bool) => write!(f, "{bool}"),
            Self::Long(long) => write!(f, "{long}"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Entity(entity) => write!(f, "{entity}"),
            Self::Extension(text) => f.write_str(text),
            Self::Set(elements) => {
                let written: Vec<String> = elements
                    .iter()
                    .take(WRITTEN)
                    .map(ToString::to_string)
                    .collect();
                write!(f, "[{}", written.join(", "))?;
                match elements.len().saturating_sub(WRITTEN) {
                    0 => f.write_str("]"),
                    more => write!(f, " and {more} more]"),
                }
            }
            Self::Record(attributes) => {
                let names: Vec<&str> = attributes
                    .iter()
                    .take(WRITTEN)
                    .map(|(name, _)| name.as_str())
                    .collect();
                let dots = if attributes.len() > WRITTEN {
                    ", …"
                } else {
                    ""
                };
                write!(f, "{{{}{dots}}}", names.join(", "))
            }
        }
    }
}
