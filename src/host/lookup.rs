//! The look-up of people, devices, roles and actions by the names that people type.
//!
//! A permission is named by any of its spellings; an entity by its full Cedar UID, its id, or an attribute that the
//! schema marks with `@alias`. The case of ASCII letters does not matter. That of other letters does, so that no
//! look-alike is taken for a name. A name without a match, or with several, is an error with suggestions; nothing is
//! guessed.

mod error;
mod exact;
mod name;
mod nearest;
mod suggestion;

use std::collections::HashMap;

use cedar_policy::{EntityId, EntityTypeName, EntityUid};

use crate::bundle::{Action, Vocabulary};
use crate::engine::Engine;
use tarbac_diagnostic::printable;
use tarbac_store::{Directory, Row};

pub use error::NameError;
pub use exact::{NotNamed, exact};
pub use name::{Name, RequestPart, Wanted, in_words};
pub use nearest::did_you_mean;

/// The names of the actions and entities of an engine.
#[derive(Debug)]
pub struct Lookup<'a> {
    vocabulary: &'a Vocabulary,
    directory: &'a Directory,
    /// The permissions by spelling in the letter case of the schema, for a fast look-up.
    spelled: HashMap<String, &'a Action>,
}

impl<'a> Lookup<'a> {
    /// The names of an engine.
    pub fn new(engine: &'a Engine) -> Self {
        Self {
            vocabulary: engine.bundle().vocabulary(),
            directory: engine.directory(),
            spelled: HashMap::new(),
        }
    }

    /// The names, prepared for many look-ups of permissions by an index of their spellings.
    #[must_use]
    pub fn indexed(mut self) -> Self {
        for action in self.vocabulary.permissions() {
            let full = action.uid.to_string();
            for spelling in action.spellings().chain([full.as_str()]) {
                if let [only] = self.vocabulary.actions_spelled(spelling).as_slice() {
                    self.spelled.insert(spelling.to_owned(), *only);
                }
            }
        }
        self
    }

    /// The permission with this spelling.
    ///
    /// # Errors
    /// No permission has it, or several have.
    pub fn action(&self, name: &Name) -> Result<&'a Action, NameError> {
        let text = name.to_string();
        if let Some(action) = self.spelled.get(&text) {
            return Ok(action);
        }
        match self.vocabulary.actions_spelled(&text).as_slice() {
            [action] => Ok(action),
            [] => Err(NameError::Unknown {
                part: RequestPart::Action.into(),
                help: self.nearest_actions(&text),
                text,
            }),
            several => Err(NameError::ambiguous(
                RequestPart::Action.into(),
                text,
                several.iter().map(|action| action.uid.to_string()),
            )),
        }
    }

    /// The permission with this spelling, or the question with this UID.
    ///
    /// # Errors
    /// No action has the name, or several have.
    pub fn action_or_question(&self, name: &Name) -> Result<&'a Action, NameError> {
        let uid = name.uid();
        let question = uid.and_then(|uid| {
            self.vocabulary
                .questions()
                .find(|question| question.uid == uid)
        });
        question.map_or_else(|| self.action(name), Ok)
    }

    /// The entity with this name that a permission or a question can be about.
    ///
    /// # Errors
    /// No entity has the name, or several have.
    pub fn anything(&self, name: &Name) -> Result<EntityUid, NameError> {
        let mut types = self.types(RequestPart::Resource);
        for question in self.vocabulary.questions() {
            types.extend(question.resources.iter().cloned());
        }
        types.sort();
        types.dedup();
        self.entity(RequestPart::Resource, &types, name)
    }

    /// The entity with this name, of any type.
    ///
    /// # Errors
    /// No entity has the name, or several have.
    pub fn entity_of_any_type(&self, name: &Name) -> Result<EntityUid, NameError> {
        self.found(
            Wanted::Entity(Vec::new()),
            &self.every_type(),
            name,
            Directory::exists,
        )
    }

    fn every_type(&self) -> Vec<EntityTypeName> {
        let types = self.vocabulary.type_names();
        types.filter_map(|name| name.parse().ok()).collect()
    }

    /// The entity of a type with this id or alias. It need not stand in a file, for example a role that only policies
    /// name.
    ///
    /// # Errors
    /// No entity has the name, or several have; the error suggests similar names.
    pub fn of_type(&self, type_name: &EntityTypeName, name: &Name) -> Result<EntityUid, NameError> {
        self.of_types(std::slice::from_ref(type_name), name)
    }

    /// The entity of one of these types with this id or alias. It need not stand in a file.
    ///
    /// # Errors
    /// No entity has the name, or several have; the error suggests similar names.
    pub fn of_types(&self, types: &[EntityTypeName], name: &Name) -> Result<EntityUid, NameError> {
        self.found(
            Wanted::Entity(types.to_vec()),
            types,
            name,
            Directory::exists,
        )
        .map_err(|error| self.suggest_among(error, types))
    }

    /// The principal with this name, of a type that the action applies to.
    ///
    /// # Errors
    /// No principal has the name, or several have.
    pub fn principal(&self, action: &Action, name: &Name) -> Result<EntityUid, NameError> {
        self.entity(RequestPart::Principal, &action.principals, name)
    }

    /// The resource with this name, of a type that the action applies to.
    ///
    /// # Errors
    /// No resource has the name, or several have.
    pub fn resource(&self, action: &Action, name: &Name) -> Result<EntityUid, NameError> {
        self.entity(RequestPart::Resource, &action.resources, name)
    }

    /// The principal with this name, for any permission.
    ///
    /// # Errors
    /// No principal has the name, or several have.
    pub fn any_principal(&self, name: &Name) -> Result<EntityUid, NameError> {
        self.entity(
            RequestPart::Principal,
            &self.types(RequestPart::Principal),
            name,
        )
    }

    /// The resource with this name, for any permission.
    ///
    /// # Errors
    /// No resource has the name, or several have.
    pub fn any_resource(&self, name: &Name) -> Result<EntityUid, NameError> {
        self.entity(
            RequestPart::Resource,
            &self.types(RequestPart::Resource),
            name,
        )
    }

    /// Every entity that can be this part of a request, sorted by type and then by name.
    pub fn all(&self, part: RequestPart) -> Vec<EntityUid> {
        let types = self.types(part);
        types
            .iter()
            .flat_map(|type_name| self.all_of_type(type_name))
            .collect()
    }

    /// Every entity of a type that stands in a file, sorted by name.
    pub fn all_of_type(&self, type_name: &EntityTypeName) -> Vec<EntityUid> {
        let rows = self.directory.rows_of(type_name);
        let mut called: Vec<_> = rows
            .map(|row| (self.alias_or_id(type_name, row), row))
            .collect();
        called.sort_unstable();
        let uids = called.into_iter();
        uids.map(|(_, row)| self.directory.uid(row)).collect()
    }

    /// The printable name of an entity: its first alias, or else its id.
    pub fn name_of(&self, uid: &EntityUid) -> String {
        match self.directory.row(uid) {
            Some(row) => visible(self.alias_or_id(uid.type_name(), row)),
            None => visible(uid.id().unescaped()),
        }
    }

    fn alias_or_id(&self, type_name: &EntityTypeName, row: Row) -> &'a str {
        self.aliases_of(type_name, row)
            .next()
            .unwrap_or_else(|| self.directory.id(row))
    }

    /// The types that this part of a request can have, in the order of the schema.
    fn types(&self, part: RequestPart) -> Vec<EntityTypeName> {
        let mut types = Vec::new();
        for action in self.vocabulary.permissions() {
            let of_action = match part {
                RequestPart::Principal => &action.principals,
                RequestPart::Resource => &action.resources,
                RequestPart::Action => continue,
            };
            for type_name in of_action {
                if !types.contains(type_name) {
                    types.push(type_name.clone());
                }
            }
        }
        types
    }

    /// The entity with this name that stands in a file, as a principal or resource must.
    fn entity(
        &self,
        part: RequestPart,
        types: &[EntityTypeName],
        name: &Name,
    ) -> Result<EntityUid, NameError> {
        self.found(part.into(), types, name, Directory::is_defined)
    }

    /// The entity of these types with this name that passes a test.
    fn found(
        &self,
        part: Wanted,
        types: &[EntityTypeName],
        name: &Name,
        is_there: impl Fn(&Directory, Row) -> bool,
    ) -> Result<EntityUid, NameError> {
        let is_there = |uid: &EntityUid| {
            let row = self.directory.row(uid);
            row.is_some_and(|row| is_there(self.directory, row))
        };
        if let Some(uid) = name.uid() {
            if !types.contains(uid.type_name()) {
                return Err(NameError::wrong_type(part, &uid, types));
            }
            return match is_there(&uid) {
                true => Ok(uid),
                false => Err(NameError::unknown(part, uid.to_string())),
            };
        }
        let Name::Text(text) = name else {
            return Err(NameError::unknown(part, name.to_string()));
        };
        // If a text is the id of one entity and the alias of another, it is ambiguous.
        let by_id = types
            .iter()
            .map(|type_name| {
                EntityUid::from_type_name_and_id(type_name.clone(), EntityId::new(text))
            })
            .filter(is_there);
        let by_alias = types
            .iter()
            .flat_map(|type_name| self.directory.called(type_name, text))
            .map(|row| self.directory.uid(row));
        let mut found: Vec<EntityUid> = by_id.chain(by_alias).collect();
        found.sort();
        found.dedup();
        match found.as_slice() {
            [uid] => Ok(uid.clone()),
            [] => Err(NameError::unknown(part, text.to_owned())),
            several => Err(NameError::ambiguous(
                part,
                text.to_owned(),
                several.iter().map(ToString::to_string),
            )),
        }
    }

    fn aliases_of(&self, type_name: &EntityTypeName, row: Row) -> impl Iterator<Item = &'a str> {
        let directory = self.directory;
        self.vocabulary
            .aliases(&type_name.to_string())
            .filter_map(move |attribute| directory.attribute_text(row, attribute))
            .collect::<Vec<_>>()
            .into_iter()
    }
}

/// A text that continues a sentence: its first letter is in lower case.
pub fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_lowercase().chain(characters).collect())
        .unwrap_or_default()
}

/// A text without characters that a terminal obeys, including those that change the direction of writing.
pub fn visible(text: &str) -> String {
    printable::line(text).into_owned()
}
