//! The attributes of entity types and records.

use cedar_policy::EntityUid;

use super::Annotations;

/// An attribute that stands in place of a parent: what its entities are in of a type, or would be but for the
/// setting of something else that they are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn<'v> {
    /// The name of the attribute.
    pub attribute: &'v str,
    /// The type of the parent.
    pub parent: &'v str,
    /// The type and the attribute of the parent while which is true the attribute stands in (`@while`).
    pub during: Option<(&'v str, &'v str)>,
    /// Parents of which any keeps the entity where it would be without (`@unless_in`).
    pub exceptions: Vec<EntityUid>,
    /// What an administrator does who gives it one of those (`@restore`).
    pub restoring: Option<&'v str>,
    /// What it comes to, in words (`@told`).
    pub told: Option<&'v str>,
}

/// An attribute of an entity type or of a record.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// What the schema says of it.
    pub annotations: Annotations,
    /// What its values are.
    pub kind: Kind,
    /// Whether every entity has it.
    pub required: bool,
}

/// What the values of an attribute are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `Bool`
    Bool,
    /// `Long`
    Long,
    /// `String`
    String,
    /// An entity of the named type.
    Entity(String),
    /// A set of values.
    Set(Box<Kind>),
    /// A record; its attributes are found in the vocabulary under this name.
    Record(String),
    /// An extension type, for example `datetime`.
    Extension(String),
}

impl Kind {
    /// The type of the entities that the values name, be it one or a set of them.
    pub fn entity_type(&self) -> Option<&str> {
        match self {
            Self::Entity(type_name) => Some(type_name),
            Self::Set(element) => element.entity_type(),
            _ => None,
        }
    }

    /// The entity type or the record that the values are of, be it one or a set of them.
    pub fn named(&self) -> Option<&str> {
        match self {
            Self::Entity(name) | Self::Record(name) => Some(name),
            Self::Set(element) => element.named(),
            _ => None,
        }
    }
}
