//! Readable ids for the entities of a counterexample.

use cedar_policy::{EntityId, EntityUid};

/// An entity of the same type with another id.
pub(super) fn with_id(uid: &EntityUid, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(uid.type_name().clone(), EntityId::new(id))
}

/// A name for the first, the second or a further one of its kind.
pub(super) fn numbered(name: &str, number: usize) -> String {
    match number {
        1 => name.to_owned(),
        2 => format!("other {name}"),
        number => format!("{name} {number}"),
    }
}

/// `RoleAssignment` as words: `role assignment`.
pub fn spaced(name: &str) -> String {
    let mut words = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(character.to_lowercase());
    }
    words
}
