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

use super::in_full;

/// An entity by itself.
enum Single {
    /// It conforms to the schema.
    Thing(Thing),
    /// An action exactly as the schema has it.
    Action(Arc<Entity>),
    /// An action that may be the schema's once the parents of its parents are added.
    Incomplete(Arc<Entity>),
}

/// An entity that is no action.
struct Thing {
    entity: Arc<Entity>,
    /// The number of its uid.
    uid: usize,
    /// The numbers of its ancestors, as far as it names them itself; sorted.
    above: Vec<usize>,
}

/// Lists of entities, by number.
pub(super) struct Lists<'s> {
    schema: CoreSchema<'s>,
    /// The actions of the schema.
    actions: CoreEntities,
    lists: Vec<Result<Vec<usize>, String>>,
    singles: Vec<Result<Single, String>>,
}

impl<'s> Lists<'s> {
    /// Reads the entities in these texts, each a JSON array.
    pub(super) fn read(texts: &[&str], schema: &'s Schema) -> Self {
        let schema = CoreSchema::new(schema.as_ref());
        let lists: Vec<Result<Vec<&RawValue>, String>> = texts
            .par_iter()
            .map(|text| serde_json::from_str(text).map_err(|error| in_full(&error)))
            .collect();
        let mut distinct = Distinct::default();
        let lists = lists
            .into_iter()
            .map(|list| {
                let singles = list?.into_iter();
                Ok(singles
                    .map(|entity| distinct.number(entity.get()))
                    .collect())
            })
            .collect();
        let mut singles: Vec<Result<Single, String>> = distinct
            .texts
            .par_iter()
            .map(|text| single(text, &schema))
            .collect();
        number(&mut singles);
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
    /// What is wrong with one of them.
    pub(super) fn entities(&self, list: usize) -> Result<Entities, String> {
        let singles = match self.lists.get(list) {
            Some(Ok(singles)) => singles,
            Some(Err(error)) => return Err(error.clone()),
            None => return Err("there are none".to_owned()),
        };
        let mut things = Vec::with_capacity(singles.len());
        let mut given = Vec::new();
        let mut complete = true;
        for single in singles
            .iter()
            .filter_map(|single| self.singles.get(*single))
        {
            match single {
                Ok(Single::Thing(thing)) => things.push(thing),
                Ok(Single::Action(entity)) => given.push(entity),
                Ok(Single::Incomplete(entity)) => {
                    complete = false;
                    given.push(entity);
                }
                Err(error) => return Err(error.clone()),
            }
        }
        if !complete {
            self.check_actions(&given)?;
        }
        let computation = match are_closed(&mut things) {
            true => TCComputation::AssumeAlreadyComputed,
            false => TCComputation::ComputeNow,
        };
        // The schema's own actions take the place of those given, which are the same. No thing is
        // in an action, nor an action in a thing.
        self.actions
            .clone()
            .add_entities(
                things.into_iter().map(|thing| Arc::clone(&thing.entity)),
                None::<&NoEntitiesSchema>,
                computation,
                Extensions::all_available(),
            )
            .map(Entities::from)
            .map_err(|error| in_full(&error))
    }

    /// Compares actions with the schema's when all ancestors are known.
    fn check_actions(&self, actions: &[&Arc<Entity>]) -> Result<(), String> {
        CoreEntities::from_entities(
            actions.iter().map(|action| action.as_ref().clone()),
            Some(&self.schema),
            TCComputation::ComputeNow,
            Extensions::all_available(),
        )
        .map(|_| ())
        .map_err(|error| in_full(&error))
    }
}

/// Gives numbers to the uids of things and of their ancestors.
fn number(singles: &mut [Result<Single, String>]) {
    let mut numbers: HashMap<EntityUID, usize> = HashMap::new();
    let mut number = |uid: &EntityUID| match numbers.get(uid) {
        Some(number) => *number,
        None => {
            let next = numbers.len();
            numbers.insert(uid.clone(), next);
            next
        }
    };
    for single in singles {
        if let Ok(Single::Thing(thing)) = single {
            thing.uid = number(thing.entity.uid());
            thing.above = thing.entity.ancestors().map(&mut number).collect();
            thing.above.sort_unstable();
        }
    }
}

/// Whether each of these names all its ancestors among these, none of them itself, so that Cedar
/// need not look for them; sorts them.
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

/// Texts, each once, in the order in which they first come.
#[derive(Default)]
pub(super) struct Distinct<'t> {
    pub(super) texts: Vec<&'t str>,
    numbers: HashMap<&'t str, usize>,
}

impl<'t> Distinct<'t> {
    /// The number of a text.
    pub(super) fn number(&mut self, text: &'t str) -> usize {
        *self.numbers.entry(text).or_insert_with(|| {
            self.texts.push(text);
            self.texts.len() - 1
        })
    }
}

fn single(text: &str, schema: &CoreSchema<'_>) -> Result<Single, String> {
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
    // Only of actions is the whole ancestry compared with the schema's.
    match EntityJsonParser::new(None::<&NoEntitiesSchema>, extensions, computation)
        .single_from_json_str(text)
    {
        Ok(entity) if entity.uid().is_action() => Ok(Single::Incomplete(Arc::new(entity))),
        _ => Err(in_full(&error)),
    }
}
