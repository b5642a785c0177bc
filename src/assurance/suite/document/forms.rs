//! Readers and JSON Schemas of values that can be written in several forms.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::json;
use serde_saphyr::{Location, Spanned};

use super::{Because, Entries, Facts, Given, Names, Part};

impl Because {
    pub(super) fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "array", "items": { "type": "string" } },
                { "const": "any" },
            ]
        })
    }
}

impl<'de> Deserialize<'de> for Because {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BecauseVisitor)
    }
}

struct BecauseVisitor;

impl<'de> Visitor<'de> for BecauseVisitor {
    type Value = Because;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of policies or the word `any`")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Because, E> {
        match word {
            "any" => Ok(Because::Any),
            word => Err(E::invalid_value(Unexpected::Str(word), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Because, A::Error> {
        let mut policies = Vec::new();
        while let Some(policy) = list.next_element()? {
            policies.push(policy);
        }
        Ok(Because::These(policies))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
    type Value = Entries<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // One name has its own place, which only the deserializer of a single value knows.
        let one = Spanned::<OneOrMore>::deserialize(deserializer)?;
        Ok(Self(match one.value {
            OneOrMore::One(name) => vec![Spanned {
                value: name,
                referenced: one.referenced,
                defined: one.defined,
            }],
            OneOrMore::More(names) => names,
        }))
    }
}

enum OneOrMore {
    One(String),
    More(Vec<Spanned<String>>),
}

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMoreVisitor)
    }
}

struct OneOrMoreVisitor;

impl<'de> Visitor<'de> for OneOrMoreVisitor {
    type Value = OneOrMore;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name or a list of names")
    }

    fn visit_str<E>(self, text: &str) -> Result<OneOrMore, E> {
        Ok(OneOrMore::One(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<OneOrMore, A::Error> {
        let mut all = Vec::new();
        while let Some(name) = names.next_element()? {
            all.push(name);
        }
        match all.is_empty() {
            true => Err(Error::custom("no name stands here")),
            false => Ok(OneOrMore::More(all)),
        }
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let one = Spanned::<OnePart>::deserialize(deserializer)?;
        let place = (one.referenced, one.defined);
        Ok(Self(match one.value {
            OnePart::Name(name) => vec![fixture(name, place)],
            OnePart::Facts(facts) => vec![Part::Facts(facts)],
            OnePart::List(parts) => parts,
        }))
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let one = Spanned::<OnePart>::deserialize(deserializer)?;
        let place = (one.referenced, one.defined);
        match one.value {
            OnePart::Name(name) => Ok(fixture(name, place)),
            OnePart::Facts(facts) => Ok(Self::Facts(facts)),
            OnePart::List(_) => Err(Error::custom("a list within a list")),
        }
    }
}

fn fixture(value: String, (referenced, defined): (Location, Location)) -> Part {
    Part::Fixture(Spanned {
        value,
        referenced,
        defined,
    })
}

enum OnePart {
    Name(String),
    Facts(Facts),
    List(Vec<Part>),
}

impl<'de> Deserialize<'de> for OnePart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OnePartVisitor)
    }
}

struct OnePartVisitor;

impl<'de> Visitor<'de> for OnePartVisitor {
    type Value = OnePart;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("facts, the name of a fixture, or a list of both")
    }

    fn visit_str<E>(self, text: &str) -> Result<OnePart, E> {
        Ok(OnePart::Name(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<OnePart, A::Error> {
        let mut all = Vec::new();
        while let Some(part) = parts.next_element()? {
            all.push(part);
        }
        Ok(OnePart::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OnePart, A::Error> {
        Ok(OnePart::Facts(EntriesVisitor(PhantomData).visit_map(map)?))
    }
}

impl<T: JsonSchema> JsonSchema for Entries<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("MapOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let values = generator.subschema_for::<T>();
        json_schema!({ "type": "object", "additionalProperties": values })
    }
}

impl JsonSchema for Names {
    fn schema_name() -> Cow<'static, str> {
        "Names".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "One name, or a list of them.",
            "oneOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "string" }, "minItems": 1 },
            ],
        })
    }
}

impl JsonSchema for Given {
    fn schema_name() -> Cow<'static, str> {
        "Given".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let facts = json!({
            "description": "Facts: a Cedar expression about an entity, and the new value.",
            "type": "object",
        });
        let fixture = json!({ "description": "The name of a fixture.", "type": "string" });
        json_schema!({
            "description": "Changes of the directory: facts, the name of a fixture, or a list of both.",
            "oneOf": [
                facts,
                fixture,
                { "type": "array", "items": { "oneOf": [facts, fixture] } },
            ],
        })
    }
}
