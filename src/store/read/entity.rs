//! The reader of one entity, by the schema.
//!
//! It accepts what Cedar accepts with the schema, except for three spellings that Cedar accepts by accident: an array
//! in place of an object, unknown keys, and `unknown`.

use std::fmt;

use hashbrown::HashMap;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::read::refusal::{Problem, nearest, quoted};
use crate::read::schema::Shapes;
use crate::read::uid::{Role, Uid, UidSeed, Word};
use crate::read::value::{RecordSeed, TagsSeed};
use crate::tables::entities::{EntityRow, Store};
use crate::tables::ids::TypeId;
use crate::tables::value_ref::ValueRef;
use crate::{GivenEntity, ListId};
use tarbac_diagnostic::code::entities::{NONCONFORMING, SYNTAX, UNKNOWN_FIELD};

/// A reader of entities, which keeps them in a store.
pub(crate) struct Reader<'s, 'de> {
    /// The schema.
    pub(crate) shapes: &'s Shapes,
    /// The entities so far.
    pub(crate) store: Store,
    /// The values of unfinished compounds and lists of parents, the innermost on top.
    pub(crate) stack: Vec<ValueRef>,
    /// The first problem of the current entity.
    problem: Option<Problem>,
    /// The uid of the current entity, once it is known.
    pub(crate) uid: Option<Uid>,
    /// Whether the uid is that of an action.
    pub(crate) is_action: bool,
    slots: Vec<ValueRef>,
    /// The type of the latest look-up; most often, the next look-up is for the same one.
    pub(crate) recent_type: Option<TypeId>,
    /// The parents by their JSON texts.
    spellings: HashMap<&'de str, Uid>,
    /// The values that Cedar evaluated, by their types and JSON texts.
    pub(crate) evaluated: HashMap<String, ValueRef>,
}

/// The refusal of an entity.
pub(crate) struct Refusal {
    /// The offset in the text of the entity; 0 unless the text is not valid JSON.
    pub(crate) at: usize,
    /// The problem.
    pub(crate) problem: Problem,
    /// The entity as messages name it, if its uid could be read.
    pub(crate) entity: Option<String>,
}

impl<'s, 'de> Reader<'s, 'de> {
    /// A reader with an empty store.
    pub(crate) fn new(shapes: &'s Shapes) -> Self {
        Self {
            shapes,
            store: Store::default(),
            stack: Vec::new(),
            problem: None,
            uid: None,
            is_action: false,
            slots: Vec::new(),
            recent_type: None,
            spellings: HashMap::new(),
            evaluated: HashMap::new(),
        }
    }

    /// Reads the entity in `text`, which begins at an offset of a file.
    pub(crate) fn read(
        &mut self,
        text: &'de str,
        file: u32,
        offset: u64,
    ) -> Result<(), Box<Refusal>> {
        self.begin();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let result = EntitySeed(self)
            .deserialize(&mut deserializer)
            .and_then(|parents| deserializer.end().map(|()| parents));
        match (result, self.uid) {
            (Ok(parents), Some(uid)) => {
                self.keep(uid, parents, file, offset);
                Ok(())
            }
            (Ok(_), None) => Err(self.refuse(|| (0, Problem::new(SYNTAX, "has no uid")))),
            // Cedar adds the actions of the schema itself.
            (Err(_), None) if self.is_action && self.shapes.actions.have(text) => Ok(()),
            (Err(error), _) => Err(self.refuse(|| {
                let at = self::offset(text, error.line(), error.column());
                (at, cannot_be_read(&error))
            })),
        }
    }

    /// Reads an entity that stands in no file.
    pub(crate) fn take(&mut self, entity: &'de GivenEntity, file: u32) -> Result<(), Box<Refusal>> {
        self.begin();
        let taken = self.taken(entity);
        let (uid, parents) = taken.map_err(|error| self.refuse(|| (0, cannot_be_read(&error))))?;
        self.keep(uid, parents, file, 0);
        Ok(())
    }

    /// The uid and the list of parents of an entity that stands in no file.
    fn taken(&mut self, entity: &'de GivenEntity) -> Result<(Uid, ListId), serde_json::Error> {
        let uid = self.resolve_uid(&Role::Own, &entity.uid)?;
        self.own(uid);
        AttrsSeed(&mut *self, uid).deserialize(&entity.attributes)?;
        EntityTagsSeed(&mut *self, uid).deserialize(&entity.tags)?;
        let start = self.stack.len();
        for parent in &entity.parents {
            let parent = self.resolve_uid(&Role::Parent, parent)?;
            self.check_parent::<serde_json::Error>(uid, parent)?;
            self.stack.push(ValueRef::entity(parent.index));
        }
        Ok((uid, self.parents_from(start)))
    }

    fn begin(&mut self) {
        self.stack.clear();
        self.slots.clear();
        self.problem = None;
        self.uid = None;
        self.is_action = false;
    }

    /// Sets the uid of the current entity, and clears its attributes.
    fn own(&mut self, uid: Uid) {
        self.uid = Some(uid);
        let slots = self.shapes.slots(uid.entity_type);
        self.slots.resize(slots, ValueRef::ABSENT);
    }

    /// Stores the parents on the stack, from `start` on, as a list. Equal lists become one when the batches are
    /// joined.
    fn parents_from(&mut self, start: usize) -> ListId {
        let parents = self.stack.split_off(start);
        self.store.parents.push(&parents)
    }

    /// Stores the current entity.
    fn keep(&mut self, uid: Uid, parents: ListId, file: u32, offset: u64) {
        let member = EntityRow::new(uid.index, parents, 0, file, offset);
        self.store.push(member, &self.slots);
    }

    /// The refusal of the current entity. `otherwise` gives the offset and the problem if none was noted.
    fn refuse(&mut self, otherwise: impl FnOnce() -> (usize, Problem)) -> Box<Refusal> {
        let (at, problem) = match self.problem.take() {
            Some(problem) => (0, problem),
            None => otherwise(),
        };
        let entity = self.uid.map(|uid| {
            self.store.broken.push(uid.index);
            let id = self.store.uids.get(uid.index);
            quoted(self.shapes.name(uid.entity_type), id)
        });
        Box::new(Refusal {
            at,
            problem,
            entity,
        })
    }

    /// Notes a problem, and returns an error without content that ends the reading.
    pub(crate) fn fail<E: Error>(&mut self, problem: Problem) -> E {
        self.problem.get_or_insert(problem);
        E::custom("refused")
    }

    /// Adds an attribute to the path of the noted problem.
    pub(crate) fn within<E>(&mut self, attribute: &str, error: E) -> E {
        if let Some(problem) = &mut self.problem {
            problem.path.push(attribute.to_owned());
        }
        error
    }

    /// The error for a key that an object has twice.
    pub(crate) fn twice<E: Error>(&mut self, key: &str) -> E {
        self.fail(Problem::new(SYNTAX, format!("has `{key}` twice")))
    }

    /// The error for an unknown key of an object, with the keys that the object may have.
    pub(crate) fn unknown_key<E: Error>(
        &mut self,
        key: &str,
        keys: &[&'static str],
        whose: &str,
    ) -> E {
        let help = match nearest(key, keys.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the keys of {whose} are `{}`", keys.join("`, `")),
        };
        let problem = Problem::new(UNKNOWN_FIELD, format!("has the unknown key `{key}`"));
        self.fail(problem.help(help))
    }
}

/// The problem of a text that is not valid JSON.
fn cannot_be_read(error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    let message = message
        .split_once(" at line ")
        .map_or(&*message, |parts| parts.0);
    Problem::new(SYNTAX, format!("cannot be read: {message}"))
}

/// The offset of a line and a column, both counted from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    (before + column.saturating_sub(1)).min(text.len())
}

struct EntitySeed<'r, 's, 'de>(&'r mut Reader<'s, 'de>);

impl<'de> DeserializeSeed<'de> for EntitySeed<'_, '_, 'de> {
    type Value = ListId;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ListId, D::Error> {
        deserializer.deserialize_map(self)
    }
}

const ENTITY_KEYS: &[&str] = &["uid", "attrs", "parents", "tags"];

impl<'de> Visitor<'de> for EntitySeed<'_, '_, 'de> {
    type Value = ListId;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an entity object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ListId, A::Error> {
        let reader = self.0;
        let (mut attrs, mut tags, mut parents) = (false, false, None);
        // The keys before the uid are read after it, because their meaning depends on the type.
        let mut early: Vec<(Word<'de>, &'de RawValue)> = Vec::new();
        while let Some(key) = map.next_key::<Word<'de>>()? {
            let is_early = early.iter().any(|(early, _)| early.0 == key.0);
            match (&*key.0, reader.uid) {
                ("uid", None) => {
                    let uid = map.next_value_seed(UidSeed {
                        reader: &mut *reader,
                        role: Role::Own,
                        escaped: false,
                    })?;
                    reader.own(uid);
                }
                ("attrs", Some(uid)) if !attrs && !is_early => {
                    attrs = true;
                    map.next_value_seed(AttrsSeed(&mut *reader, uid))?;
                }
                ("parents", Some(uid)) if parents.is_none() && !is_early => {
                    parents = Some(map.next_value_seed(ParentsSeed(&mut *reader, uid))?);
                }
                ("tags", Some(uid)) if !tags && !is_early => {
                    tags = true;
                    map.next_value_seed(EntityTagsSeed(&mut *reader, uid))?;
                }
                ("attrs" | "parents" | "tags", None) if !is_early => {
                    early.push((key, map.next_value()?));
                }
                ("uid" | "attrs" | "parents" | "tags", _) => return Err(reader.twice(&key.0)),
                (key, _) => return Err(reader.unknown_key(key, ENTITY_KEYS, "an entity")),
            }
        }
        let Some(uid) = reader.uid else {
            let problem = Problem::new(NONCONFORMING, "has no `uid`");
            let help = r#"say which one it is: "uid": {"type": …, "id": …}"#;
            return Err(reader.fail(problem.help(help.to_owned())));
        };
        for (key, raw) in early {
            let mut raw = serde_json::Deserializer::from_str(raw.get());
            let result = match &*key.0 {
                "attrs" => {
                    attrs = true;
                    AttrsSeed(&mut *reader, uid).deserialize(&mut raw)
                }
                "parents" => ParentsSeed(&mut *reader, uid)
                    .deserialize(&mut raw)
                    .map(|list| parents = Some(list)),
                _ => EntityTagsSeed(&mut *reader, uid).deserialize(&mut raw),
            };
            result.map_err(Error::custom)?;
        }
        match (attrs, parents) {
            (true, Some(parents)) => Ok(parents),
            (true, None) => Err(reader.fail(lacks("parents", "[]"))),
            (false, _) => Err(reader.fail(lacks("attrs", "{}"))),
        }
    }
}

/// The problem of an entity without a key that it must have; the help says how to write an empty one.
fn lacks(key: &str, empty: &str) -> Problem {
    let problem = Problem::new(NONCONFORMING, format!("has no `{key}`"));
    problem.help(format!("write `\"{key}\": {empty}` if there are none"))
}

struct AttrsSeed<'r, 's, 'de>(&'r mut Reader<'s, 'de>, Uid);

impl<'de> DeserializeSeed<'de> for AttrsSeed<'_, '_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self(reader, uid) = self;
        let record = reader.shapes.types[uid.entity_type].record;
        let start = reader.stack.len();
        deserializer.deserialize_map(RecordSeed {
            reader: &mut *reader,
            record,
        })?;
        let values = reader.stack.get(start..).unwrap_or_default();
        for (slot, value) in reader.slots.iter_mut().zip(values) {
            *slot = *value;
        }
        reader.stack.truncate(start);
        Ok(())
    }
}

struct EntityTagsSeed<'r, 's, 'de>(&'r mut Reader<'s, 'de>, Uid);

impl<'de> DeserializeSeed<'de> for EntityTagsSeed<'_, '_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self(reader, uid) = self;
        let shapes = reader.shapes;
        let kind = shapes.types[uid.entity_type].tags.as_ref();
        let tags = deserializer.deserialize_map(TagsSeed {
            reader: &mut *reader,
            kind,
        })?;
        if kind.is_some()
            && let Some(slot) = reader.slots.last_mut()
        {
            *slot = tags;
        }
        Ok(())
    }
}

struct ParentsSeed<'r, 's, 'de>(&'r mut Reader<'s, 'de>, Uid);

impl<'de> DeserializeSeed<'de> for ParentsSeed<'_, '_, 'de> {
    type Value = ListId;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ListId, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ParentsSeed<'_, '_, 'de> {
    type Value = ListId;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of parents")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<ListId, A::Error> {
        let Self(reader, uid) = self;
        let start = reader.stack.len();
        // Devices have many parents, and most parents occur again with the same JSON text.
        while let Some(raw) = array.next_element::<&'de RawValue>()? {
            let parent = match reader.spellings.get(raw.get()) {
                Some(parent) => *parent,
                None => {
                    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
                    let seed = UidSeed {
                        reader: &mut *reader,
                        escaped: false,
                        role: Role::Parent,
                    };
                    let parent = seed.deserialize(&mut deserializer).map_err(Error::custom)?;
                    reader.spellings.insert(raw.get(), parent);
                    parent
                }
            };
            reader.check_parent(uid, parent)?;
            reader.stack.push(ValueRef::entity(parent.index));
        }
        Ok(reader.parents_from(start))
    }
}
