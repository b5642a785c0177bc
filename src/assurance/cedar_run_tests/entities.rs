//! The entities of many tests, each text parsed once.
//!
//! The tests of a file tend to repeat entities, so each distinct text of one is read once. The
//! result is that of `Entities::from_json_str` with a schema.

use std::sync::Arc;

use cedar_policy::{Entities, Schema};
use cedar_policy_core::ast::{Entity, EntityUID};
use cedar_policy_core::entities::{
    Entities as CoreEntities, EntityJsonParser, NoEntitiesSchema, Schema as _, TCComputation,
};
use cedar_policy_core::extensions::Extensions;
use cedar_policy_core::validator::CoreSchema;
use hashbrown::HashMap;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde_json::value::RawValue;

use super::error::EntityError;

/// An entity, read without others.
enum Single {
    /// An entity that is no action, and conforms to the schema.
    Thing(Thing),
    /// An action that is equal to that of the schema.
    Action(Arc<Entity>),
    /// An action that may be equal to that of the schema once the parents of its parents are added.
    Incomplete(Arc<Entity>),
}

/// An entity that is no action.
struct Thing {
    entity: Arc<Entity>,
    /// The index of its uid.
    uid: usize,
    /// The indices of the ancestors that it names itself; sorted.
    above: Vec<usize>,
}

/// Lists of entities, by index.
pub(super) struct Lists<'s> {
    schema: CoreSchema<'s>,
    /// The actions of the schema.
    actions: CoreEntities,
    lists: Vec<Result<Vec<usize>, EntityError>>,
    singles: Vec<Result<Single, EntityError>>,
}

impl<'s> Lists<'s> {
    /// Reads the entities in these texts, each a JSON array.
    pub(super) fn read(texts: &[&str], schema: &'s Schema) -> Self {
        let schema = CoreSchema::new(schema.as_ref());
        let lists: Vec<Result<Vec<&RawValue>, EntityError>> = texts
            .par_iter()
            .map(|text| serde_json::from_str(text).map_err(|error| EntityError::invalid(&error)))
            .collect();
        let mut distinct = Distinct::default();
        let lists = lists
            .into_iter()
            .map(|list| {
                let singles = list?.into_iter();
                Ok(singles.map(|entity| distinct.index(entity.get())).collect())
            })
            .collect();
        let mut singles: Vec<Result<Single, EntityError>> = distinct
            .texts
            .par_iter()
            .map(|text| single(text, &schema))
            .collect();
        index_uids(&mut singles);
        let actions = CoreEntities::new().add_entities(
            schema.action_entities(),
            None::<&NoEntitiesSchema>,
            TCComputation::AssumeAlreadyComputed,
            Extensions::all_available(),
        );
        Self {
            // A schema has each action once.
            actions: actions.unwrap_or_default(),
            schema,
            lists,
            singles,
        }
    }

    /// The entities of a list, with all actions of the schema.
    ///
    /// # Errors
    /// An entity is invalid.
    pub(super) fn entities(&self, list: usize) -> Result<Entities, EntityError> {
        let singles = match self.lists.get(list) {
            Some(Ok(singles)) => singles,
            Some(Err(error)) => return Err(error.clone()),
            None => return Err(EntityError::Missing),
        };
        let mut things = Vec::with_capacity(singles.len());
        let mut actions = Vec::new();
        let mut complete = true;
        for single in singles
            .iter()
            .filter_map(|single| self.singles.get(*single))
        {
            match single {
                Ok(Single::Thing(thing)) => things.push(thing),
                Ok(Single::Action(entity)) => actions.push(entity),
                Ok(Single::Incomplete(entity)) => {
                    complete = false;
                    actions.push(entity);
                }
                Err(error) => return Err(error.clone()),
            }
        }
        if !complete {
            self.check_actions(&actions)?;
        }
        let computation = match are_closed(&mut things) {
            true => TCComputation::AssumeAlreadyComputed,
            false => TCComputation::ComputeNow,
        };
        // The actions of the schema take the place of equal ones in the list. Things and actions are never in
        // each other.
        self.actions
            .clone()
            .add_entities(
                things.into_iter().map(|thing| Arc::clone(&thing.entity)),
                None::<&NoEntitiesSchema>,
                computation,
                Extensions::all_available(),
            )
            .map(Entities::from)
            .map_err(|error| EntityError::invalid(&error))
    }

    /// Compares actions with the schema's when all ancestors are known.
    fn check_actions(&self, actions: &[&Arc<Entity>]) -> Result<(), EntityError> {
        CoreEntities::from_entities(
            actions.iter().map(|action| action.as_ref().clone()),
            Some(&self.schema),
            TCComputation::ComputeNow,
            Extensions::all_available(),
        )
        .map(|_| ())
        .map_err(|error| EntityError::invalid(&error))
    }
}

/// Gives an index to each uid of things and of their ancestors.
fn index_uids(singles: &mut [Result<Single, EntityError>]) {
    let mut indices: HashMap<EntityUID, usize> = HashMap::new();
    let mut index = |uid: &EntityUID| match indices.get(uid) {
        Some(index) => *index,
        None => {
            let next = indices.len();
            indices.insert(uid.clone(), next);
            next
        }
    };
    for single in singles {
        if let Ok(Single::Thing(thing)) = single {
            thing.uid = index(thing.entity.uid());
            thing.above = thing.entity.ancestors().map(&mut index).collect();
            thing.above.sort_unstable();
        }
    }
}

/// Whether each thing names all of its ancestors among these things, and none is its own ancestor. If so, Cedar need
/// not compute the closure. Sorts the things.
fn are_closed(things: &mut [&Thing]) -> bool {
    things.sort_unstable_by_key(|thing| thing.uid);
    let named = |uid: usize| {
        let index = things.binary_search_by_key(&uid, |thing| thing.uid).ok()?;
        things.get(index)
    };
    let is_above = |thing: &Thing, uid: usize| thing.above.binary_search(&uid).is_ok();
    things.iter().all(|thing| {
        let mut above = thing.above.iter().filter_map(|uid| named(*uid));
        let whole = above.all(|other| other.above.iter().all(|uid| is_above(thing, *uid)));
        whole && !is_above(thing, thing.uid)
    })
}

/// Distinct texts, in the order of their first occurrence.
#[derive(Default)]
pub(super) struct Distinct<'t> {
    pub(super) texts: Vec<&'t str>,
    indices: HashMap<&'t str, usize>,
}

impl<'t> Distinct<'t> {
    /// The index of a text.
    pub(super) fn index(&mut self, text: &'t str) -> usize {
        *self.indices.entry(text).or_insert_with(|| {
            self.texts.push(text);
            self.texts.len() - 1
        })
    }
}

fn single(text: &str, schema: &CoreSchema<'_>) -> Result<Single, EntityError> {
    let extensions = Extensions::all_available();
    let computation = TCComputation::ComputeNow;
    let error = match EntityJsonParser::new(Some(schema), extensions, computation)
        .single_from_json_str(text)
    {
        Ok(entity) if entity.uid().is_action() => return Ok(Single::Action(Arc::new(entity))),
        Ok(entity) => {
            return Ok(Single::Thing(Thing {
                entity: Arc::new(entity),
                uid: 0,
                above: Vec::new(),
            }));
        }
        Err(error) => error,
    };
    // The whole ancestry is compared with the schema for actions only.
    match EntityJsonParser::new(None::<&NoEntitiesSchema>, extensions, computation)
        .single_from_json_str(text)
    {
        Ok(entity) if entity.uid().is_action() => Ok(Single::Incomplete(Arc::new(entity))),
        _ => Err(EntityError::invalid(&error)),
    }
}
