//! The attributes of entity types and records.

use cedar_policy::EntityUid;

use super::Annotations;

/// An attribute in place of a parent: its value is the parent, or would be the parent but for a setting of another
/// one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn<'v> {
    /// The name of the attribute.
    pub attribute: &'v str,
    /// The type of the parent.
    pub parent: &'v str,
    /// The type and a Bool attribute of another parent: while that is true, the attribute replaces the parent
    /// (`@while`).
    pub during: Option<(&'v str, &'v str)>,
    /// Parents with any of which the entity keeps the replaced parent (`@unless_in`).
    pub exceptions: Vec<EntityUid>,
    /// The action of an administrator who adds one of these parents (`@restore`).
    pub restoring: Option<&'v str>,
    /// The effect in words (`@told`).
    pub told: Option<&'v str>,
}

/// An attribute of an entity type or a record.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// The annotations in the schema.
    pub annotations: Annotations,
    /// The type of the values.
    pub kind: Kind,
    /// Whether the attribute is required.
    pub required: bool,
}

/// The type of an attribute's values.
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
    /// A record; the vocabulary has its attributes under this name.
    Record(String),
    /// An extension type, for example `datetime`.
    Extension(String),
}

impl Kind {
    /// The type of the entities in the values, which are entities or sets of them.
    pub fn entity_type(&self) -> Option<&str> {
        match self {
            Self::Entity(type_name) => Some(type_name),
            Self::Set(element) => element.entity_type(),
            _ => None,
        }
    }

    /// The entity type or record of the values, alone or in sets.
    pub fn named(&self) -> Option<&str> {
        match self {
            Self::Entity(name) | Self::Record(name) => Some(name),
            Self::Set(element) => element.named(),
            _ => None,
        }
    }
}
