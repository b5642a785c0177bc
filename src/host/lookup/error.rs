//! The errors of a look-up, with suggestions.

use cedar_policy::{EntityTypeName, EntityUid};
use miette::Diagnostic;
use thiserror::Error;

use super::name::Wanted;
use super::nearest::LISTED;

/// The reason why a name does not identify one action or entity.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum NameError {
    /// No action or entity has the name.
    #[error("no {part} is called `{text}`")]
    #[diagnostic(code(name::unknown))]
    Unknown {
        /// The part or type that was looked for.
        part: Wanted,
        /// The name as given.
        text: String,
        /// The suggestion.
        #[help]
        help: Option<String>,
    },
    /// Several actions or entities have the name.
    #[error("`{text}` is the name of {}", several(*count, part))]
    #[diagnostic(code(name::ambiguous), help("say which, in full: {}", listed(found, *count)))]
    Ambiguous {
        /// The part or type that was looked for.
        part: Wanted,
        /// The name as given.
        text: String,
        /// The UIDs of the first few, sorted.
        found: Vec<String>,
        /// The number of all.
        count: usize,
    },
    /// The UID has another type.
    #[error("`{uid}` is no {part} of this request")]
    #[diagnostic(code(name::wrong_type), help("the {part} is one of the type {}", expected.join(" or ")))]
    WrongType {
        /// The part or type that was looked for.
        part: Wanted,
        /// The UID as given.
        uid: String,
        /// The possible types.
        expected: Vec<String>,
    },
}

impl NameError {
    pub(super) fn unknown(part: Wanted, text: String) -> Self {
        Self::Unknown {
            part,
            text,
            help: None,
        }
    }

    pub(super) fn wrong_type(part: Wanted, uid: &EntityUid, types: &[EntityTypeName]) -> Self {
        Self::WrongType {
            part,
            uid: uid.to_string(),
            expected: types.iter().map(|name| format!("`{name}`")).collect(),
        }
    }

    pub(super) fn ambiguous(
        part: Wanted,
        text: String,
        found: impl Iterator<Item = String>,
    ) -> Self {
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

/// A count with its noun; entities of several types are counted as entities.
pub(super) fn several(count: usize, part: &Wanted) -> String {
    match part {
        Wanted::Entity(types) if types.len() != 1 => format!("{count} entities"),
        part => match part.to_string().strip_suffix('y') {
            Some(stem) => format!("{count} {stem}ies"),
            None => format!("{count} {part}s"),
        },
    }
}

pub(super) fn listed(found: &[String], count: usize) -> String {
    let more = count.saturating_sub(found.len());
    match more {
        0 => found.join(", "),
        more => format!("{} and {more} more", found.join(", ")),
    }
}
