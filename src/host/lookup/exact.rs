//! The lookup of entities by their exact ids and aliases.

use cedar_policy::{EntityId, EntityTypeName, EntityUid};

use crate::engine::Engine;

/// Why a name means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotNamed {
    /// Nothing has the name.
    Unknown,
    /// Several have it.
    Several,
}

/// The entity of a type with this id; else the one whose alias it is.
///
/// # Errors
/// There is none, or several have the alias.
pub fn exact(
    engine: &Engine,
    type_name: &EntityTypeName,
    name: &str,
) -> Result<EntityUid, NotNamed> {
    let directory = engine.directory();
    let uid = EntityUid::from_type_name_and_id(type_name.clone(), EntityId::new(name));
    if directory.defines(&uid) {
        return Ok(uid);
    }
    let called = directory.called(type_name, name);
    let mut called = called.into_iter().filter(|row| directory.is_defined(*row));
    match (called.next(), called.next()) {
        (None, _) => Err(NotNamed::Unknown),
        (Some(row), None) => Ok(directory.uid(row)),
        (Some(_), Some(_)) => Err(NotNamed::Several),
    }
}
