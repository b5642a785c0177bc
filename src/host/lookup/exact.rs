//! The look-up of entities by their exact ids and aliases.

use cedar_policy::{EntityId, EntityTypeName, EntityUid};

use crate::engine::Engine;
use tarbac_store::Row;

/// Why a name means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotNamed {
    /// Nothing has the name.
    Unknown,
    /// Several have it.
    Several,
}

/// The entity of a type with this id or alias, with its row in the directory.
///
/// # Errors
/// There is none, or several: an id can be the alias of another entity.
pub fn exact(
    engine: &Engine,
    type_name: &EntityTypeName,
    name: &str,
) -> Result<(EntityUid, Row), NotNamed> {
    let directory = engine.directory();
    let uid = EntityUid::from_type_name_and_id(type_name.clone(), EntityId::new(name));
    let by_id = directory.row(&uid).filter(|row| directory.is_defined(*row));
    let by_alias = directory.called(type_name, name).into_iter();
    let by_alias = by_alias.filter(|row| directory.is_defined(*row) && Some(*row) != by_id);
    let mut rows = by_id.into_iter().chain(by_alias);
    match (rows.next(), rows.next()) {
        (None, _) => Err(NotNamed::Unknown),
        (Some(row), None) if by_id == Some(row) => Ok((uid, row)),
        (Some(row), None) => Ok((directory.uid(row), row)),
        (Some(_), Some(_)) => Err(NotNamed::Several),
    }
}
