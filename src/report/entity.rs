//! Entities in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use tarbac_analysis::explain::Named;

/// An entity, with the name a person knows it by.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Entity<'a> {
    r#type: String,
    id: &'a str,
    name: &'a str,
}

impl<'a> Entity<'a> {
    pub fn of(named: &'a Named) -> Self {
        Self {
            r#type: named.uid.type_name().to_string(),
            id: named.uid.id().unescaped(),
            name: &named.name,
        }
    }
}

/// An entity that stands for others, with their number.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Counted<'a> {
    #[serde(flatten)]
    entity: Entity<'a>,
    count: u64,
}

/// Entities with numbers.
pub(super) fn counts(of: &[(Named, u64)]) -> Vec<Counted<'_>> {
    of.iter()
        .map(|(entity, count)| Counted {
            entity: Entity::of(entity),
            count: *count,
        })
        .collect()
}
