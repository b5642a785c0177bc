//! The vocabulary of a schema: spellings of actions, annotations of types and attributes.
//!
//! It is read from the schema fragments, because Cedar's `Schema` does not keep it.

mod action;
mod attribute;
pub(super) mod declarations;

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use cedar_policy::{EntityTypeName, EntityUid};

pub use action::Action;
pub use attribute::{Attribute, Kind, StandIn};

/// The namespace of the questions; every other action is a permission.
pub const QUESTIONS: &str = "Tarbac";

/// The record type of the context of a question.
pub const QUESTION_CONTEXT: &str = "Tarbac::QuestionContext";

/// Annotations by key.
pub type Annotations = BTreeMap<String, String>;

/// The actions, types and attributes of a schema, with their annotations.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    actions: Vec<Action>,
    types: BTreeMap<String, Annotations>,
    parents: BTreeMap<String, BTreeSet<String>>,
    attributes: BTreeMap<String, BTreeMap<String, Attribute>>,
    choices: BTreeMap<String, BTreeSet<String>>,
}

impl Vocabulary {
    /// The permissions and the questions.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter()
    }

    /// Whether entities of some type have an attribute of this name.
    pub(crate) fn has_attribute(&self, name: &str) -> bool {
        let mut types = self.types.keys().filter_map(|of| self.attributes.get(of));
        types.any(|attributes| attributes.contains_key(name))
    }

    /// The permissions, in the order of the schema.
    pub fn permissions(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(|action| !action.is_question())
    }

    /// The questions.
    pub fn questions(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(|action| action.is_question())
    }

    /// Whether the schema has any question. A schema without one is not written for tarbac, and decisions under it are
    /// those of Cedar.
    pub fn asks(&self) -> bool {
        self.questions().next().is_some()
    }

    /// The question with this id.
    pub fn question(&self, id: &str) -> Option<&Action> {
        let mut questions = self.questions();
        questions
            .find(|action| action.id() == id && action.uid.type_name().namespace() == QUESTIONS)
    }

    /// The action with this uid.
    pub fn action(&self, uid: &EntityUid) -> Option<&Action> {
        self.actions.iter().find(|action| &action.uid == uid)
    }

    /// The permission with this id.
    pub fn permission(&self, id: &str) -> Option<&Action> {
        self.permissions().find(|action| action.id() == id)
    }

    /// The permissions with this spelling. The case of ASCII letters does not matter, `\` and `/` are the same
    /// separator, and the category may be left out.
    pub fn actions_spelled(&self, text: &str) -> Vec<&Action> {
        let wanted = plain(text);
        self.permissions()
            .filter(|action| {
                action.uid.to_string() == text
                    || action.spellings().any(|spelling| plain(spelling) == wanted)
            })
            .collect()
    }

    /// An annotation of an entity type.
    pub fn type_annotation(&self, type_name: &str, key: &str) -> Option<&str> {
        self.types.get(type_name)?.get(key).map(String::as_str)
    }

    /// The names of the entity types, sorted.
    pub fn type_names(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }

    /// All ids of an enumerated entity type; `None` for another type.
    pub fn choices(&self, type_name: &str) -> Option<&BTreeSet<String>> {
        self.choices.get(type_name)
    }

    /// For each entity type, the types of its direct parents: those after `in`.
    pub fn declared_parents(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.parents
    }

    /// For each entity type with `@requires`, the types of which every entity needs a parent.
    pub fn required_parents(&self) -> BTreeMap<String, Vec<String>> {
        self.types
            .iter()
            .filter_map(|(name, annotations)| {
                let required = annotations.get("requires")?.split(',');
                Some((
                    name.clone(),
                    required.map(|name| name.trim().to_owned()).collect(),
                ))
            })
            .collect()
    }

    /// For each entity type with `@unless_stated`, the entity that stands for no parent of its type.
    pub fn stand_for_none(&self) -> BTreeMap<String, EntityUid> {
        let none = |(name, annotations): (&String, &BTreeMap<String, String>)| {
            let none = annotations.get("unless_stated")?.parse().ok()?;
            Some((name.clone(), none))
        };
        self.types.iter().filter_map(none).collect()
    }

    /// For each entity type, the attributes that can replace a parent, each with the type of the parent.
    pub fn in_place_of_parents(&self) -> BTreeMap<String, Vec<(String, String)>> {
        let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for owner in self.attributes.keys() {
            for stand_in in self.stand_ins(owner) {
                let of_owner = found.entry(owner.clone()).or_default();
                of_owner.push((stand_in.attribute.to_owned(), stand_in.parent.to_owned()));
            }
        }
        found
    }

    /// The attributes with `@unlisted`, each after the type that has it: those that mark an entity as having unknown
    /// members, and those that refer to such entities.
    pub fn unlisted(&self) -> impl Iterator<Item = (&str, &str)> {
        self.annotated("unlisted")
    }

    /// The attributes that list those attributes of an entity whose values are assumed (`@assumed`), each after the
    /// type that has it.
    pub fn assumed(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.annotated("assumed");
        all.filter(|(owner, name)| !self.is_unknown_if_absent(owner, name))
    }

    /// The attributes of an entity type that list those whose values are assumed.
    pub fn recording<'v>(&'v self, owner: &'v str) -> impl Iterator<Item = &'v str> {
        let all = self.assumed().filter(move |(of, _)| *of == owner);
        all.map(|(_, name)| name)
    }

    /// Whether the absence of an attribute means that its value is not known (`@assumed("absent")`).
    pub fn is_unknown_if_absent(&self, owner: &str, attribute: &str) -> bool {
        let attributes = self.attributes.get(owner);
        let known = attributes.and_then(|attributes| attributes.get(attribute));
        let assumed = known.and_then(|known| known.annotations.get("assumed"));
        assumed.is_some_and(|assumed| assumed == "absent")
    }

    /// The attributes with an annotation, each after the type or record that has it.
    fn annotated<'v>(&'v self, key: &'v str) -> impl Iterator<Item = (&'v str, &'v str)> {
        let all = self.attributes.iter().flat_map(|(owner, attributes)| {
            let attributes = attributes.iter();
            attributes.map(move |(name, attribute)| (owner.as_str(), name.as_str(), attribute))
        });
        all.filter(move |(.., attribute)| attribute.annotations.contains_key(key))
            .map(|(owner, name, _)| (owner, name))
    }

    /// The attributes of an entity type that can replace a parent: those with `@in_place_of`.
    pub fn stand_ins(&self, owner: &str) -> Vec<StandIn<'_>> {
        let attributes = self.attributes.get(owner).into_iter().flatten();
        let stand_ins = attributes.filter_map(|(name, attribute)| {
            let said = |key: &str| attribute.annotations.get(key).map(String::as_str);
            let exceptions = said("unless_in").unwrap_or_default().split(',');
            Some(StandIn {
                attribute: name,
                parent: said("in_place_of")?,
                during: said("while").and_then(|path| path.rsplit_once('.')),
                exceptions: exceptions
                    .filter_map(|uid| EntityUid::from_str(uid.trim()).ok())
                    .collect(),
                restoring: said("restore"),
                told: said("told"),
            })
        });
        stand_ins.collect()
    }

    /// The attributes of an entity type that list memberships which an entity can activate (`@activate`), each with
    /// the sentence about the activation.
    pub fn activations<'v>(
        &'v self,
        owner: &str,
    ) -> impl Iterator<Item = (&'v str, &'v str)> + use<'v> {
        let attributes = self.attributes.get(owner).into_iter().flatten();
        attributes.filter_map(|(name, attribute)| {
            let words = attribute.annotations.get("activate")?;
            Some((name.as_str(), words.as_str()))
        })
    }

    /// The attributes of all entity types and records, by the name of the type or record.
    pub fn all_attributes(&self) -> &BTreeMap<String, BTreeMap<String, Attribute>> {
        &self.attributes
    }

    /// The attributes of an entity type or a record, by name.
    pub fn attributes(&self, owner: &str) -> Option<&BTreeMap<String, Attribute>> {
        self.attributes.get(owner)
    }

    /// The attribute at the end of a path that begins at an entity type and leads through its records.
    pub fn attribute(&self, type_name: &str, path: &[impl AsRef<str>]) -> Option<&Attribute> {
        let (first, rest) = path.split_first()?;
        let attribute = self.attributes.get(type_name)?.get(first.as_ref())?;
        match (&attribute.kind, rest.is_empty()) {
            (_, true) => Some(attribute),
            (Kind::Record(record), false) => self.attribute(record, rest),
            _ => None,
        }
    }

    /// The attributes whose values each name one entity only, each with its type: those with `@alias("unique")`.
    pub fn unique_aliases(&self) -> impl Iterator<Item = (EntityTypeName, &str)> {
        let types = self.types.keys();
        let types = types.filter_map(|name| Some((name.parse::<EntityTypeName>().ok()?, name)));
        types.flat_map(move |(type_name, name)| {
            let unique = self.attributes.get(name).into_iter().flatten();
            let unique = unique.filter(|(_, attribute)| {
                let alias = attribute.annotations.get("alias");
                alias.is_some_and(|alias| alias == "unique")
            });
            unique.map(move |(attribute, _)| (type_name.clone(), attribute.as_str()))
        })
    }

    /// Whether the names in an attribute are counted by machines, so that similar ones are no mistake
    /// (`@alias("numbered")`).
    pub fn is_numbered(&self, type_name: &str, attribute: &str) -> bool {
        let attribute = self.attribute(type_name, &[attribute]);
        let alias = attribute.and_then(|attribute| attribute.annotations.get("alias"));
        alias.is_some_and(|alias| alias == "numbered")
    }

    /// The attributes that are aliases of a type's entities: those with `@alias`.
    pub fn aliases(&self, type_name: &str) -> impl Iterator<Item = &str> {
        self.attributes
            .get(type_name)
            .into_iter()
            .flatten()
            .filter(|(_, attribute)| attribute.annotations.contains_key("alias"))
            .map(|(name, _)| name.as_str())
    }
}

fn plain(spelling: &str) -> String {
    spelling.trim().replace('\\', "/").to_ascii_lowercase()
}
