//! What an answer was decided with.

use serde::Serialize;

use super::json;
use crate::decision::Provenance;
use crate::printable;

/// The keys that every JSON answer ends with.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Wire<'a> {
    rules_in_force: &'static str,
    revision: &'a str,
    not_read: &'a [String],
}

/// A document with what it was decided with.
#[derive(Debug, Serialize)]
pub(super) struct With<'a, T> {
    #[serde(flatten)]
    document: T,
    #[serde(flatten)]
    provenance: Wire<'a>,
}

impl<'a> Wire<'a> {
    /// For programs.
    pub fn of(provenance: &'a Provenance) -> Self {
        Self {
            rules_in_force: provenance.rules.word(),
            revision: &provenance.revision,
            not_read: &provenance.not_read,
        }
    }

    /// A document with these keys.
    pub(super) fn with<T>(self, document: T) -> With<'a, T> {
        With {
            document,
            provenance: self,
        }
    }
}

/// A document for programs, with what it was decided with.
pub fn document(document: impl Serialize, provenance: &Provenance) -> String {
    json(&Wire::of(provenance).with(document))
}

/// A document, or a line of one, that is written already, with what it was decided with.
pub fn added(document: &str, provenance: &Provenance) -> String {
    let wire = Wire::of(provenance);
    let is_line = !document.trim_end().contains('\n');
    let keys = match is_line {
        true => {
            printable::json(&serde_json::to_string(&wire).unwrap_or_default()).into_owned() + "\n"
        }
        false => json(&wire),
    };
    // Both are objects that are not empty.
    match (
        document.trim_end().strip_suffix('}'),
        keys.strip_prefix('{'),
    ) {
        (Some(head), Some(keys)) => format!("{},{keys}", head.trim_end()),
        _ => document.to_owned(),
    }
}

/// The same in a line, for people.
pub fn human(provenance: &Provenance) -> String {
    format!(
        "rules: {}, revision {}\n",
        provenance.rules.word(),
        provenance.revision
    )
}
