//! Suggestions for a name that is not known.

use cedar_policy::EntityTypeName;

use super::nearest::Nearest;
use super::{Lookup, Name, NameError, RequestPart, Wanted};
use crate::bundle::Action;

/// The most entities that an error lists in full if none is similar.
const FEW: usize = 12;

impl Lookup<'_> {
    /// Adds a suggestion to the error about an unknown name: the most similar names that fit the action, or the hint
    /// that something else has the name.
    ///
    /// It goes through all possible entities, so it is meant for a single error.
    #[must_use]
    pub fn suggest(&self, error: NameError, action: Option<&Action>) -> NameError {
        let NameError::Unknown { part, .. } = &error else {
            return error;
        };
        let types = match (action, part) {
            (Some(action), Wanted::Part(RequestPart::Principal)) => action.principals.clone(),
            (Some(action), Wanted::Part(RequestPart::Resource)) => action.resources.clone(),
            (_, Wanted::Part(part)) => self.types(*part),
            (_, Wanted::Entity(types)) if types.is_empty() => self.every_type(),
            (_, Wanted::Entity(types)) => types.clone(),
        };
        self.suggest_among(error, &types)
    }

    pub(super) fn suggest_among(&self, error: NameError, types: &[EntityTypeName]) -> NameError {
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
                        let called = self.alias_or_id(type_name, row);
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

    /// A list of all entities of these types; `None` if there are too many.
    pub(super) fn every_name(&self, types: &[EntityTypeName]) -> Option<String> {
        let of_types = types
            .iter()
            .flat_map(|of| self.directory.rows_of(of).map(move |row| (of, row)));
        let called = of_types.map(|(of, row)| self.alias_or_id(of, row));
        let mut called: Vec<&str> = called.take(FEW + 1).collect();
        called.sort_unstable();
        (called.len() <= FEW).then(|| format!("there are: {}", called.join(", ")))
    }

    pub(super) fn nearest_actions(&self, text: &str) -> Option<String> {
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
