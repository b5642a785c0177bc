//! The rules, revision and readings behind an answer.

use schemars::JsonSchema;
use serde::Serialize;

use super::json;
use super::page::Page;
use crate::schema;
use tarbac_host::bundle::RulesOrigin;
use tarbac_host::decision::Provenance;

/// The keys that every JSON answer ends with.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct ProvenanceWire<'a> {
    #[schemars(schema_with = "schema::rules")]
    rules_in_force: RulesOrigin,
    revision: &'a str,
    not_read: &'a [String],
}

/// A document with its provenance.
#[derive(Debug, Serialize, JsonSchema)]
pub struct With<'a, T> {
    #[serde(flatten)]
    document: T,
    #[serde(flatten)]
    provenance: ProvenanceWire<'a>,
}

impl<'a> ProvenanceWire<'a> {
    /// The keys for programs.
    pub fn new(provenance: &'a Provenance) -> Self {
        Self {
            rules_in_force: provenance.rules,
            revision: &provenance.revision,
            not_read: &provenance.not_read,
        }
    }

    /// A document followed by these keys.
    pub(super) fn with<T>(self, document: T) -> With<'a, T> {
        With {
            document,
            provenance: self,
        }
    }
}

/// A JSON document with its provenance.
pub fn document(document: impl Serialize, provenance: &Provenance) -> String {
    json(&ProvenanceWire::new(provenance).with(document))
}

/// The provenance of both states that an answer compares.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub(super) struct States<'a> {
    before: ProvenanceWire<'a>,
    after: ProvenanceWire<'a>,
}

impl<'a> States<'a> {
    /// For programs.
    pub(crate) fn new([before, after]: [&'a Provenance; 2]) -> Self {
        Self {
            before: ProvenanceWire::new(before),
            after: ProvenanceWire::new(after),
        }
    }
}

/// The provenance in one line, for people; on a narrow terminal with only the beginning of the revision.
pub fn human(provenance: &Provenance, width: Option<usize>) -> String {
    let mut page = Page::new(width);
    let line = |revision: &str| format!("rules: {}, revision {revision}", provenance.rules.word());
    let whole = line(&provenance.revision);
    match page.fits(&whole) {
        true => page.line(0, &whole),
        false => page.line(0, &line(provenance.short_revision())),
    }
    page.into_text()
}
