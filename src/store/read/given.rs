//! Given entities: they stand in no file, and pass the same checks.

use blake3::Hasher;
use cedar_policy::EntityUid;
use serde_json::{Map, Value};

use crate::digest::Content;

/// An entity that is given. Its values are in Cedar's JSON format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenEntity {
    /// The uid.
    pub uid: EntityUid,
    /// The attributes.
    pub attributes: Map<String, Value>,
    /// The tags.
    pub tags: Map<String, Value>,
    /// The direct parents.
    pub parents: Vec<EntityUid>,
}

impl GivenEntity {
    /// An entity without attributes, tags and parents.
    pub fn new(uid: EntityUid) -> Self {
        Self {
            uid,
            attributes: Map::new(),
            tags: Map::new(),
            parents: Vec::new(),
        }
    }
}

/// The size and digest of given entities, in place of those of a file.
pub(crate) fn content(entities: &[GivenEntity]) -> Content {
    let mut hasher = Hasher::new();
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    for entity in entities {
        add(&entity.uid.to_string());
        for values in [&entity.attributes, &entity.tags] {
            for (name, value) in values {
                add(name);
                add(&value.to_string());
            }
            add("");
        }
        entity
            .parents
            .iter()
            .for_each(|parent| add(&parent.to_string()));
        add("");
    }
    Content {
        size: hasher.count(),
        hash: hasher.finalize(),
    }
}
