//! The errors of a look-up, with what helps.

use cedar_policy::{EntityTypeName, EntityUid};
use miette::Diagnostic;
use thiserror::Error;

use super::name::Wanted;
use super::nearest::LISTED;

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

/// So many of them: a name may be that of a user and of a group.
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
