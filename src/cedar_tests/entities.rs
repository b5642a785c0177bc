//! Reads the entities of many tests.
//!
//! The tests of a file tend to repeat entities, so each distinct text is read once: first of single
//! entities, then of whole lists. The result is that of `Entities::from_json_str` with a schema.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy::{Entities, Schema};
use cedar_policy_core::ast::Entity;
use cedar_policy_core::entities::{
    Entities as CoreEntities, EntityJsonParser, NoEntitiesSchema, Schema as _, TCComputation,
};
use cedar_policy_core::extensions::Extensions;
use cedar_policy_core::validator::CoreSchema;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde_json::value::RawValue;

use super::in_full;

/// An entity by itself.
enum Single {
    /// It conforms to the schema.
    Thing(Arc<Entity>),
    /// An action exactly as the schema has it.
    Action(Arc<Entity>),
    /// An action that may be the schema's once the parents of its parents are added.
    Incomplete(Arc<Entity>),
}

/// The entities of each of these texts, or what is wrong with them.
pub(super) fn of_texts<'t>(
    texts: impl Iterator<Item = &'t str>,
    schema: &Schema,
) -> HashMap<&'t str, Result<Entities, String>> {
    let schema = CoreSchema::new(schema.as_ref());
    let texts = distinct(texts);
    let lists: Vec<(&str, Result<Vec<&RawValue>, String>)> = texts
        .par_iter()
        .map(|text| {
            (
                *text,
                serde_json::from_str(text).map_err(|error| in_full(&error)),
            )
        })
        .collect();
    let singles = lists
        .iter()
        .filter_map(|(_, list)| list.as_ref().ok())
        .flatten()
        .map(|entity| entity.get());
    let singles: HashMap<&str, Result<Single, String>> = distinct(singles)
        .par_iter()
        .map(|text| (*text, single(text, &schema)))
        .collect();
    let actions: Vec<Arc<Entity>> = schema.action_entities().collect();
    lists
        .par_iter()
        .map(|(text, list)| {
            let joined = match list {
                Ok(list) => {
                    let list = list.iter().filter_map(|entity| singles.get(entity.get()));
                    join(list, &actions, &schema)
                }
                Err(error) => Err(error.clone()),
            };
            (*text, joined)
        })
        .collect()
}

/// Each text once, in the order in which it first comes.
fn distinct<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    let mut seen = hashbrown::HashSet::new();
    texts.filter(|text| seen.insert(*text)).collect()
}

fn single(text: &str, schema: &CoreSchema<'_>) -> Result<Single, String> {
    let extensions = Extensions::all_available();
    let computation = TCComputation::ComputeNow;
    let error = match EntityJsonParser::new(Some(schema), extensions, computation)
        .single_from_json_str(text)
    {
        Ok(entity) if entity.uid().is_action() => return Ok(Single::Action(Arc::new(entity))),
        Ok(entity) => return Ok(Single::Thing(Arc::new(entity))),
        Err(error) => error,
    };
    // Only of actions is the whole ancestry compared with the schema's.
    match EntityJsonParser::new(None::<&NoEntitiesSchema>, extensions, computation)
        .single_from_json_str(text)
    {
        Ok(entity) if entity.uid().is_action() => Ok(Single::Incomplete(Arc::new(entity))),
        _ => Err(in_full(&error)),
    }
}

fn join<'s>(
    singles: impl Iterator<Item = &'s Result<Single, String>>,
    actions: &[Arc<Entity>],
    schema: &CoreSchema<'_>,
) -> Result<Entities, String> {
    let mut things = Vec::new();
    let mut given = Vec::new();
    let mut complete = true;
    for single in singles {
        match single {
            Ok(Single::Thing(entity)) => things.push(Arc::clone(entity)),
            Ok(Single::Action(entity)) => given.push(entity),
            Ok(Single::Incomplete(entity)) => {
                complete = false;
                given.push(entity);
            }
            Err(error) => return Err(error.clone()),
        }
    }
    let extensions = Extensions::all_available();
    if !complete {
        let given = given.into_iter().map(|action| action.as_ref().clone());
        CoreEntities::from_entities(given, Some(schema), TCComputation::ComputeNow, extensions)
            .map_err(|error| in_full(&error))?;
    }
    let entities = CoreEntities::new()
        .add_entities(
            things,
            None::<&NoEntitiesSchema>,
            TCComputation::ComputeNow,
            extensions,
        )
        .map_err(|error| in_full(&error))?;
    // The schema's own actions take the place of those given, which are the same.
    entities
        .add_entities(
            actions.iter().map(Arc::clone),
            None::<&NoEntitiesSchema>,
            TCComputation::AssumeAlreadyComputed,
            extensions,
        )
        .map(Entities::from)
        .map_err(|error| in_full(&error))
}
