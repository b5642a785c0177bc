//! The reader of uids, with checks of the type and id.

use std::borrow::Cow;
use std::fmt;

use cedar_policy::EntityUid;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use crate::Row;
use crate::read::entity::Reader;
use crate::read::refusal::{Problem, nearest, quoted};
use crate::read::schema::Kind;
use crate::tables::ids::TypeId;
use tarbac_diagnostic::code::entities::NONCONFORMING;

/// The most ids of an enumerated type that a help lists.
const LISTED: usize = 8;

/// The uid of an entity: the index of its type, and its index in the store.
#[derive(Copy, Clone)]
pub(crate) struct Uid {
    /// The index of the type.
    pub(crate) entity_type: TypeId,
    /// The uid.
    pub(crate) index: Row,
}

/// A string of the JSON text, copied only if it has escapes.
pub(crate) struct Word<'de>(pub(crate) Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Word<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordVisitor;
        impl<'de> Visitor<'de> for WordVisitor {
            type Value = Word<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Word<'de>, E> {
                Ok(Word(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Word<'de>, E> {
                Ok(Word(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(WordVisitor)
    }
}

/// The role of a uid in an entity.
#[derive(Copy, Clone)]
pub(crate) enum Role {
    /// The uid of the entity itself.
    Own,
    /// The uid of a parent.
    Parent,
    /// The value of an attribute of this type.
    Value(Option<TypeId>),
}

impl Role {
    fn verb(self) -> &'static str {
        match self {
            Self::Own => "is",
            Self::Parent => "has the parent",
            Self::Value(_) => "has the value",
        }
    }
}

const UID_KEYS: &[&str] = &["type", "id"];

/// A reader of a uid: `{"type": …, "id": …}`, or `{"__entity": …}` around it.
pub(crate) struct UidSeed<'r, 's, 'de> {
    /// The reader that stores the uid.
    pub(crate) reader: &'r mut Reader<'s, 'de>,
    /// The role of the uid.
    pub(crate) role: Role,
    /// Whether the uid is within `__entity`.
    pub(crate) escaped: bool,
}

impl<'de> DeserializeSeed<'de> for UidSeed<'_, '_, 'de> {
    type Value = Uid;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Uid, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for UidSeed<'_, '_, 'de> {
    type Value = Uid;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(r#"an entity, {"type": …, "id": …}"#)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Uid, A::Error> {
        let Self {
            reader,
            role,
            escaped,
        } = self;
        let (mut type_name, mut id): (Option<Word<'de>>, Option<Word<'de>>) = (None, None);
        while let Some(key) = map.next_key::<Word<'de>>()? {
            match &*key.0 {
                "type" if type_name.is_none() => type_name = Some(map.next_value()?),
                "id" if id.is_none() => id = Some(map.next_value()?),
                "type" | "id" => return Err(reader.twice(&key.0)),
                "__entity" if !escaped && type_name.is_none() && id.is_none() => {
                    let uid = map.next_value_seed(UidSeed {
                        reader: &mut *reader,
                        role,
                        escaped: true,
                    })?;
                    return match map.next_key::<Word<'de>>()? {
                        Some(key) if key.0 == "__entity" => Err(reader.twice("__entity")),
                        Some(key) => Err(reader.unknown_key(&key.0, &["__entity"], "this object")),
                        None => Ok(uid),
                    };
                }
                key => return Err(reader.unknown_key(key, UID_KEYS, "an entity uid")),
            }
        }
        match (type_name, id) {
            (Some(type_name), Some(id)) => reader.resolve(&role, &type_name.0, &id.0),
            (missing, _) => {
                let missing = if missing.is_none() { "type" } else { "id" };
                let what = format!("has an entity uid without `{missing}`");
                Err(reader.fail(Problem::new(NONCONFORMING, what)))
            }
        }
    }
}

impl Reader<'_, '_> {
    fn find_type(&mut self, name: &str) -> Option<TypeId> {
        if let Some(index) = self.recent_type
            && self.shapes.name(index) == name
        {
            return Some(index);
        }
        self.recent_type = self.shapes.find(name);
        self.recent_type
    }

    /// Checks the uid of a given entity, or one that it refers to, and stores it.
    pub(crate) fn resolve_uid<E: Error>(&mut self, role: &Role, uid: &EntityUid) -> Result<Uid, E> {
        self.resolve(role, &uid.type_name().to_string(), uid.id().unescaped())
    }

    /// Checks a uid for its role and stores it.
    pub(crate) fn resolve<E: Error>(
        &mut self,
        role: &Role,
        type_name: &str,
        id: &str,
    ) -> Result<Uid, E> {
        let shapes = self.shapes;
        let found = self.find_type(type_name);
        let Some((index, shape)) = found.map(|index| (index, &shapes.types[index])) else {
            return Err(self.unknown_type(role, type_name, id));
        };
        match role {
            Role::Own if shape.external => {
                let what = "is of a type that the schema declares `external`, so that none of its \
                            entities can be checked";
                self.uid = Some(self.stored(index, id));
                return Err(self.fail(Problem::new(NONCONFORMING, what)));
            }
            Role::Value(expected) if *expected != Some(index) => {
                return Err(self.wrong_type(*expected, type_name, id));
            }
            _ => {}
        }
        if let Some(ids) = &shape.ids
            && !ids.contains(id)
        {
            let help = match nearest(id, ids.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    let ids: Vec<&str> = ids.iter().take(LISTED).map(String::as_str).collect();
                    format!(
                        "ids of `{type_name}` are for example `{}`",
                        ids.join("`, `")
                    )
                }
            };
            let what = format!(
                "{} {}, an id that the schema does not list",
                role.verb(),
                quoted(type_name, id)
            );
            return Err(self.fail(Problem::new(NONCONFORMING, what).help(help)));
        }
        Ok(self.stored(index, id))
    }

    /// Checks that the schema allows a parent of this type.
    pub(crate) fn check_parent<E: Error>(&mut self, own: Uid, parent: Uid) -> Result<(), E> {
        if self.shapes.types[own.entity_type].above[parent.entity_type] {
            return Ok(());
        }
        let own = self.shapes.name(own.entity_type);
        let name = self.shapes.name(parent.entity_type);
        let parent = quoted(name, self.store.uids.get(parent.index));
        let what =
            format!("has the parent {parent}, but the schema puts no `{name}` above a `{own}`");
        Err(self.fail(Problem::new(NONCONFORMING, what)))
    }

    fn stored(&mut self, entity_type: TypeId, id: &str) -> Uid {
        Uid {
            entity_type,
            index: self.store.uids.intern(entity_type, id),
        }
    }

    fn wrong_type<E: Error>(&mut self, expected: Option<TypeId>, type_name: &str, id: &str) -> E {
        let expected = self.shapes.describe(&Kind::Entity(expected));
        let what = format!("must be {expected}, but is {}", quoted(type_name, id));
        self.fail(Problem::new(NONCONFORMING, what))
    }

    fn unknown_type<E: Error>(&mut self, role: &Role, type_name: &str, id: &str) -> E {
        let uid = quoted(type_name, id);
        if type_name == "Action" || type_name.ends_with("::Action") {
            let (what, help) = match role {
                Role::Own => {
                    self.is_action = true;
                    (
                        format!("is {uid}, but the schema has this action otherwise or not at all"),
                        "take the action out, or give it the groups that it has in the schema as its parents",
                    )
                }
                _ => (
                    format!(
                        "{} {uid}, but actions stand in the schema only",
                        role.verb()
                    ),
                    "take the action out; no entity but an action can have one above it",
                ),
            };
            return self.fail(Problem::new(NONCONFORMING, what).help(help.to_owned()));
        }
        if let Role::Value(expected) = role {
            return self.wrong_type(*expected, type_name, id);
        }
        let names = self.shapes.types.iter().map(|shape| shape.name.as_str());
        let help = nearest(type_name, names).map(|near| format!("did you mean `{near}`?"));
        let what = format!(
            "{} {uid}, but the schema has no entity type `{type_name}`",
            role.verb()
        );
        self.fail(Problem::new(NONCONFORMING, what).help(help))
    }
}
