//! The lookup of people, devices, roles and actions by the names that people type.
//!
//! A permission goes by any of its spellings, a person or thing by its full Cedar UID, its id, or
//! an attribute that the schema marks `@alias`. The case of ASCII letters does not matter, that of
//! all others does, so that nothing passes for a name that only looks like it. What matches nothing,
//! and what matches several, is an error that helps; nothing is ever guessed.

use std::collections::HashMap;
use std::str::FromStr;

use cedar_policy::{EntityId, EntityTypeName, EntityUid};
use cedar_policy_core::ast;
use miette::Diagnostic;
use thiserror::Error;

use crate::bundle::{Action, Vocabulary};
use crate::engine::Engine;
use tarbac_diagnostic::printable;
use tarbac_store::{Directory, Row};

/// How many names an error lists that are near.
const LISTED: usize = 5;

/// Up to how many names an error lists all of them, where none is near.
const FEW: usize = 12;

/// How a person or thing is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// As a person types it.
    Text(String),
    /// By type and id, as Cedar's JSON does.
    Uid {
        /// The entity type, for example `Entra::User`.
        type_name: String,
        /// The id.
        id: String,
    },
}

/// The part of a request that a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Who asks.
    Principal,
    /// What for.
    Action,
    /// On what.
    Resource,
}

/// What a name was looked up for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A part of a request.
    Part(Part),
    /// An entity of one of these types; of any without.
    Entity(Vec<EntityTypeName>),
}

/// Why a name does not lead to one thing.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum NameError {
    /// Nothing has the name.
    #[error("no {part} is called `{text}`")]
    #[diagnostic(code(name::unknown))]
    Unknown {
        /// What is wanted.
        part: Wanted,
        /// The name as given.
        text: String,
        /// What to do about it.
        #[help]
        help: Option<String>,
    },
    /// Several things have the name.
    #[error("`{text}` is the name of {}", several(*count, part))]
    #[diagnostic(code(name::ambiguous), help("say which, in full: {}", listed(found, *count)))]
    Ambiguous {
        /// What is wanted.
        part: Wanted,
        /// The name as given.
        text: String,
        /// The UIDs of the first of them, sorted.
        found: Vec<String>,
        /// How many there are.
        count: usize,
    },
    /// The name is that of something else.
    #[error("`{uid}` is no {part} of this request")]
    #[diagnostic(code(name::wrong_type), help("the {part} is one of the type {}", expected.join(" or ")))]
    WrongType {
        /// What is wanted.
        part: Wanted,
        /// The UID as given.
        uid: String,
        /// The types that are possible.
        expected: Vec<String>,
    },
}

/// The names of everything that a request can be about.
#[derive(Debug)]
pub struct Lookup<'a> {
    vocabulary: &'a Vocabulary,
    directory: &'a Directory,
    /// The permissions by each spelling as the schema writes it: the quick way for the usual ones.
    spelled: HashMap<String, &'a Action>,
}

impl<'a> Lookup<'a> {
    /// The names that an engine knows.
    pub fn of(engine: &'a Engine) -> Self {
        Self {
            vocabulary: engine.bundle().vocabulary(),
            directory: engine.directory(),
            spelled: HashMap::new(),
        }
    }

    /// The same, prepared for many look-ups of permissions: their spellings are indexed once.
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

    /// The permission of this spelling.
    ///
    /// # Errors
    /// None has it, or several have.
    pub fn action(&self, name: &Name) -> Result<&'a Action, NameError> {
        let text = name.to_string();
        if let Some(action) = self.spelled.get(&text) {
            return Ok(action);
        }
        match self.vocabulary.actions_spelled(&text).as_slice() {
            [action] => Ok(action),
            [] => Err(NameError::Unknown {
                part: Part::Action.into(),
                help: self.nearest_actions(&text),
                text,
            }),
            several => Err(NameError::ambiguous(
                Part::Action.into(),
                text,
                several.iter().map(|action| action.uid.to_string()),
            )),
        }
    }

    /// The permission of this spelling, or the question of this UID.
    ///
    /// # Errors
    /// Neither has the name, or several have.
    pub fn action_or_question(&self, name: &Name) -> Result<&'a Action, NameError> {
        let uid = name.uid();
        let question = uid.and_then(|uid| {
            self.vocabulary
                .questions()
                .find(|question| question.uid == uid)
        });
        question.map_or_else(|| self.action(name), Ok)
    }

    /// The entity of this name that a permission or a question can be about.
    ///
    /// # Errors
    /// None has the name, or several have.
    pub fn anything(&self, name: &Name) -> Result<EntityUid, NameError> {
        let mut types = self.types(Part::Resource);
        for question in self.vocabulary.questions() {
            types.extend(question.resources.iter().cloned());
        }
        types.sort();
        types.dedup();
        self.entity(Part::Resource, &types, name)
    }

    /// The entity of this name, whatever its type.
    ///
    /// # Errors
    /// None has the name, or several have.
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

    /// The entity of a type that has this id, or is called like this; it may be in no file, as a role that
    /// only policies name.
    ///
    /// # Errors
    /// None is, or several are; the error has the nearest names.
    pub fn of_type(&self, type_name: &EntityTypeName, name: &Name) -> Result<EntityUid, NameError> {
        self.of_types(std::slice::from_ref(type_name), name)
    }

    /// The entity of one of these types that has this id, or is called like this; it may be in no file.
    ///
    /// # Errors
    /// None is, or several are; the error has the nearest names.
    pub fn of_types(&self, types: &[EntityTypeName], name: &Name) -> Result<EntityUid, NameError> {
        self.found(
            Wanted::Entity(types.to_vec()),
            types,
            name,
            Directory::exists,
        )
        .map_err(|error| self.suggest_among(error, types))
    }

    /// The principal of this name, of a type that the action is asked of.
    ///
    /// # Errors
    /// None has the name, or several have.
    pub fn principal(&self, action: &Action, name: &Name) -> Result<EntityUid, NameError> {
        self.entity(Part::Principal, &action.principals, name)
    }

    /// The resource of this name, of a type that the action is asked about.
    ///
    /// # Errors
    /// None has the name, or several have.
    pub fn resource(&self, action: &Action, name: &Name) -> Result<EntityUid, NameError> {
        self.entity(Part::Resource, &action.resources, name)
    }

    /// The principal of this name, whatever the permission.
    ///
    /// # Errors
    /// None has the name, or several have.
    pub fn any_principal(&self, name: &Name) -> Result<EntityUid, NameError> {
        self.entity(Part::Principal, &self.types(Part::Principal), name)
    }

    /// The resource of this name, whatever the permission.
    ///
    /// # Errors
    /// None has the name, or several have.
    pub fn any_resource(&self, name: &Name) -> Result<EntityUid, NameError> {
        self.entity(Part::Resource, &self.types(Part::Resource), name)
    }

    /// Every entity that can be this part of a request, by type and then by what it is called.
    pub fn all(&self, part: Part) -> Vec<EntityUid> {
        let types = self.types(part);
        types
            .iter()
            .flat_map(|type_name| self.all_of_type(type_name))
            .collect()
    }

    /// Every entity of a type that stands in a file, by what it is called.
    pub fn all_of_type(&self, type_name: &EntityTypeName) -> Vec<EntityUid> {
        let rows = self.directory.rows_of(type_name);
        let mut called: Vec<_> = rows.map(|row| (self.called(type_name, row), row)).collect();
        called.sort_unstable();
        let uids = called.into_iter();
        uids.map(|(_, row)| self.directory.uid(row)).collect()
    }

    /// What people call an entity, fit to be shown: its first alias, or its id.
    pub fn call(&self, uid: &EntityUid) -> String {
        match self.directory.row(uid) {
            Some(row) => visible(self.called(uid.type_name(), row)),
            None => visible(uid.id().unescaped()),
        }
    }

    fn called(&self, type_name: &EntityTypeName, row: Row) -> &'a str {
        self.aliases_of(type_name, row)
            .next()
            .unwrap_or_else(|| self.directory.id(row))
    }

    /// The types that can be this part of a request, in schema order.
    fn types(&self, part: Part) -> Vec<EntityTypeName> {
        let mut types = Vec::new();
        for action in self.vocabulary.permissions() {
            let of_action = match part {
                Part::Principal => &action.principals,
                Part::Resource => &action.resources,
                Part::Action => continue,
            };
            for type_name in of_action {
                if !types.contains(type_name) {
                    types.push(type_name.clone());
                }
            }
        }
        types
    }

    /// The entity of this name that stands in a file, as whoever asks and what is asked about do.
    fn entity(
        &self,
        part: Part,
        types: &[EntityTypeName],
        name: &Name,
    ) -> Result<EntityUid, NameError> {
        self.found(part.into(), types, name, Directory::is_defined)
    }

    /// The entity of this name, of these types and of those that are there.
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
        // An id of one and the name of another is no way to say which.
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

    /// Adds what helps to an error about a name that nothing has: the nearest names of what the
    /// action is asked of or about, or that the name is that of something else.
    ///
    /// It passes over every entity that is possible, so it is for one error, not for a stream.
    #[must_use]
    pub fn suggest(&self, error: NameError, action: Option<&Action>) -> NameError {
        let NameError::Unknown { part, .. } = &error else {
            return error;
        };
        let types = match (action, part) {
            (Some(action), Wanted::Part(Part::Principal)) => action.principals.clone(),
            (Some(action), Wanted::Part(Part::Resource)) => action.resources.clone(),
            (_, Wanted::Part(part)) => self.types(*part),
            (_, Wanted::Entity(types)) if types.is_empty() => self.every_type(),
            (_, Wanted::Entity(types)) => types.clone(),
        };
        self.suggest_among(error, &types)
    }

    fn suggest_among(&self, error: NameError, types: &[EntityTypeName]) -> NameError {
        let NameError::Unknown {
            part,
            text,
            help: None,
        } = error
        else {
            return error;
        };
        if let Wanted::Part(wanted) = part
            && let Ok(uid) = self.entity(wanted, &self.types(wanted), &Name::from(text.as_str()))
        {
            return NameError::wrong_type(part, &uid, types);
        }
        let nothing = types
            .iter()
            .all(|type_name| self.directory.rows_of(type_name).next().is_none());
        let help = match nothing {
            true => Some(format!(
                "the workspace has no {part} at all: name one that has entities with -C, or write a sample with `tarbac init`"
            )),
            false => {
                let uid = Name::Text(text.clone()).uid();
                let mut nearest =
                    Nearest::to(uid.as_ref().map_or(&text, |uid| uid.id().unescaped()));
                for type_name in types {
                    for row in self.directory.rows_of(type_name) {
                        let called = self.called(type_name, row);
                        nearest.offer(self.directory.id(row), called);
                        for alias in self.aliases_of(type_name, row) {
                            nearest.offer(alias, alias);
                        }
                    }
                }
                nearest.help().or_else(|| self.every_name(types))
            }
        };
        NameError::Unknown { part, text, help }
    }

    /// What to say of entities that are few; `None` where they are many.
    fn every_name(&self, types: &[EntityTypeName]) -> Option<String> {
        let of_types = types
            .iter()
            .flat_map(|of| self.directory.rows_of(of).map(move |row| (of, row)));
        let called = of_types.map(|(of, row)| self.called(of, row));
        let mut called: Vec<&str> = called.take(FEW + 1).collect();
        called.sort_unstable();
        (called.len() <= FEW).then(|| format!("there are: {}", called.join(", ")))
    }

    fn nearest_actions(&self, text: &str) -> Option<String> {
        let mut nearest = Nearest::to(text);
        for action in self.vocabulary.permissions() {
            for spelling in action.spellings() {
                nearest.offer(spelling, action.id());
            }
        }
        nearest.help().or_else(|| {
            let ids: Vec<&str> = self.vocabulary.permissions().map(Action::id).collect();
            Some(format!("the permissions are: {}", ids.join(", ")))
        })
    }
}

impl Name {
    /// The UID, if the name is one.
    fn uid(&self) -> Option<EntityUid> {
        match self {
            // The public parser takes a UID only with every escape that Cedar itself would write.
            Self::Text(text) if text.contains("::\"") => {
                Some(ast::EntityUID::from_str(text).ok()?.into())
            }
            Self::Text(_) => None,
            Self::Uid { type_name, id } => {
                let type_name = EntityTypeName::from_str(type_name).ok()?;
                Some(EntityUid::from_type_name_and_id(
                    type_name,
                    EntityId::new(id),
                ))
            }
        }
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self, self.uid()) {
            (_, Some(uid)) => write!(formatter, "{uid}"),
            (Self::Text(text), None) => formatter.write_str(text),
            (Self::Uid { type_name, id }, None) => write!(formatter, "{type_name}::{id:?}"),
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Principal => "principal",
            Self::Action => "action",
            Self::Resource => "resource",
        })
    }
}

impl From<Part> for Wanted {
    fn from(part: Part) -> Self {
        Self::Part(part)
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Part(part) => part.fmt(formatter),
            Self::Entity(types) if types.is_empty() => formatter.write_str("entity"),
            Self::Entity(types) => {
                let types: Vec<String> = types.iter().map(in_words).collect();
                formatter.write_str(&types.join(" or "))
            }
        }
    }
}

impl NameError {
    fn unknown(part: Wanted, text: String) -> Self {
        Self::Unknown {
            part,
            text,
            help: None,
        }
    }

    fn wrong_type(part: Wanted, uid: &EntityUid, types: &[EntityTypeName]) -> Self {
        Self::WrongType {
            part,
            uid: uid.to_string(),
            expected: types.iter().map(|name| format!("`{name}`")).collect(),
        }
    }

    fn ambiguous(part: Wanted, text: String, found: impl Iterator<Item = String>) -> Self {
        let mut found: Vec<String> = found.collect();
        found.sort_unstable();
        let count = found.len();
        found.truncate(LISTED * 4);
        Self::Ambiguous {
            part,
            text,
            found,
            count,
        }
    }
}

/// A type in words: `Intune::RoleAssignment` is a role assignment.
pub fn in_words(type_name: &EntityTypeName) -> String {
    let mut words = String::new();
    for character in type_name.basename().chars() {
        if character.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(character.to_lowercase());
    }
    words
}

/// A sentence that goes on after something else.
pub fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_lowercase().chain(characters).collect())
        .unwrap_or_default()
}

/// So many of them: a name may be that of a user and of a group.
fn several(count: usize, part: &Wanted) -> String {
    match part {
        Wanted::Entity(types) if types.len() != 1 => format!("{count} entities"),
        part => match part.to_string().strip_suffix('y') {
            Some(stem) => format!("{count} {stem}ies"),
            None => format!("{count} {part}s"),
        },
    }
}

fn listed(found: &[String], count: usize) -> String {
    let more = count.saturating_sub(found.len());
    match more {
        0 => found.join(", "),
        more => format!("{} and {more} more", found.join(", ")),
    }
}

/// What to say of the nearest of some words; `None` where none is near.
pub fn did_you_mean<'a>(text: &str, words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut nearest = Nearest::to(text);
    for word in words {
        nearest.offer(word, word);
    }
    nearest.help()
}

/// The few names that are most like a text.
pub(crate) struct Nearest {
    text: String,
    length: usize,
    best: Vec<(usize, String)>,
}

impl Nearest {
    pub(crate) fn to(text: &str) -> Self {
        let text = text.to_lowercase();
        Self {
            length: text.chars().count(),
            text,
            best: Vec::new(),
        }
    }

    /// Considers a name, to be shown as `shown`.
    pub(crate) fn offer(&mut self, name: &str, shown: &str) {
        let Some(distance) = self.distance(name) else {
            return;
        };
        if self.best.iter().any(|(_, other)| other == shown) {
            self.best
                .retain(|(other, name)| name != shown || *other <= distance);
            if self.best.iter().any(|(_, other)| other == shown) {
                return;
            }
        }
        let candidate = (distance, shown.to_owned());
        let position = self.best.partition_point(|other| *other < candidate);
        if position < LISTED {
            self.best.insert(position, candidate);
            self.best.truncate(LISTED);
        }
    }

    /// How far a name is from the text; none when it is too far to be meant.
    fn distance(&self, name: &str) -> Option<usize> {
        let farthest = (self.length / 3).max(2);
        let length = name.chars().count();
        // To compare what is nobody's name takes as long as it is.
        if self.length > LONGEST_NAME {
            return None;
        }
        // Comparing is dear, and most names differ in length or hold nothing of the text.
        let may_be_near = length.abs_diff(self.length) <= farthest;
        if !may_be_near && length < self.length {
            return None;
        }
        let name = name.to_lowercase();
        if self.length >= 3 && name.contains(&self.text) {
            return Some(usize::from(!name.starts_with(&self.text)));
        }
        if !may_be_near {
            return None;
        }
        // Two names of a few letters are always near each other; at least half must be the same.
        let distance = strsim::damerau_levenshtein(&name, &self.text);
        (distance <= farthest && distance * 2 <= self.length).then_some(distance + 1)
    }

    pub(crate) fn help(self) -> Option<String> {
        // Beside one that is very near, those that are merely similar are no help.
        let farthest = self.best.first().map_or(0, |(distance, _)| distance + 1);
        let near = self
            .best
            .into_iter()
            .filter(|(distance, _)| *distance <= farthest);
        let names: Vec<String> = near
            .map(|(_, name)| format!("`{}`", visible(&name)))
            .collect();
        (!names.is_empty()).then(|| format!("did you mean {}?", names.join(" or ")))
    }
}

/// What is longer is nobody's name, in characters.
const LONGEST_NAME: usize = 500;

/// Text without the characters that a terminal obeys, those among them that turn the direction of writing.
pub fn visible(text: &str) -> String {
    printable::line(text).into_owned()
}
