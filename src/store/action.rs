//! Actions in files of entities: accepted if they are as in the schema.

use std::collections::{BTreeSet, HashMap};

use cedar_policy::Schema;
use cedar_policy_core::ast::{Entity, EntityUID};
use cedar_policy_core::entities::{EntityJsonParser, NoEntitiesSchema, TCComputation};
use cedar_policy_core::extensions::Extensions;

/// The actions of a schema, with all groups of each.
#[derive(Default)]
pub(super) struct Actions(HashMap<EntityUID, BTreeSet<EntityUID>>);

impl Actions {
    /// The actions of a schema.
    pub(super) fn new(schema: &Schema) -> Self {
        let entities = schema.action_entities().ok();
        let actions = entities.iter().flat_map(|entities| {
            let entities: &cedar_policy_core::entities::Entities = entities.as_ref();
            entities.iter()
        });
        let with_groups = actions.map(|action| {
            let groups = action.ancestors().cloned().collect();
            (action.uid().clone(), groups)
        });
        Self(with_groups.collect())
    }

    /// Whether the JSON text is an action of the schema; its parents may be the direct ones or all groups.
    pub(super) fn have(&self, text: &str) -> bool {
        let extensions = Extensions::all_available();
        let parser: EntityJsonParser<'_, '_, NoEntitiesSchema> =
            EntityJsonParser::new(None, extensions, TCComputation::ComputeNow);
        let action = parser.single_from_json_str(text).ok();
        action.is_some_and(|action| self.has(&action))
    }

    fn has(&self, action: &Entity) -> bool {
        let mut above: BTreeSet<&EntityUID> = action.ancestors().collect();
        let through = above
            .iter()
            .filter_map(|group| self.0.get(*group))
            .flatten();
        let through: Vec<&EntityUID> = through.collect();
        above.extend(through);
        let is_bare = action.attrs().next().is_none() && action.tags().next().is_none();
        let known = self.0.get(action.uid());
        is_bare && known.is_some_and(|groups| groups.iter().eq(above))
    }
}
