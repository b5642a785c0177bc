//! The rules that ship with a program, and their files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::{RulesOrigin, Texts};
use tarbac_diagnostic::source::Source;

/// The beginning of the names of sources that ship.
const PREFIX: &str = "shipped/";

/// A text and its path in a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFile {
    /// The path, with `/` between its parts, for example `policies/authority.cedar`.
    pub path: String,
    /// The text.
    pub text: String,
}

/// The rules that ship with a program: they are in force in a workspace that does not replace them.
///
/// They are checked when the program is built, and not again when it runs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Shipped {
    schema: Vec<Arc<Source>>,
    policies: Vec<Arc<Source>>,
    files: Vec<TextFile>,
    /// The schema files in Cedar's JSON format, by the path.
    schema_in_json: BTreeMap<String, Value>,
}

impl Shipped {
    /// The files of `policies/` and `schema/`; those with the extensions `.cedar` and `.cedarschema` are the rules.
    pub fn new(files: Vec<TextFile>) -> Self {
        let called = |extension: &str| {
            let files = files.iter().filter(|file| file.path.ends_with(extension));
            files
                .map(|TextFile { path, text }| Source::held(format!("{PREFIX}{path}"), text))
                .collect()
        };
        Self {
            schema: called(".cedarschema"),
            policies: called(".cedar"),
            files,
            schema_in_json: BTreeMap::new(),
        }
    }

    /// The same with schema files in Cedar's JSON format as well, by their paths: Cedar reads these twenty times as
    /// fast. They must say the same as the files.
    #[must_use]
    pub fn with_schema_in_json(mut self, files: BTreeMap<String, Value>) -> Self {
        self.schema_in_json = files;
        self
    }

    /// A text that is one of the schema files, in Cedar's JSON format, if there is a translation.
    pub(super) fn in_json(&self, text: &str) -> Option<&Value> {
        let file = self.files.iter().find(|file| file.text == text)?;
        self.schema_in_json.get(&file.path)
    }

    /// The files, in the given order.
    pub fn files(&self) -> &[TextFile] {
        &self.files
    }

    /// The schema files.
    pub fn schema(&self) -> &[Arc<Source>] {
        &self.schema
    }

    /// The policy files.
    pub fn policies(&self) -> &[Arc<Source>] {
        &self.policies
    }

    /// The texts of a bundle with only the rules that ship.
    pub fn alone(self: &Arc<Self>) -> Texts {
        Texts {
            schema: self.schema.clone(),
            policies: self.policies.clone(),
            shipped: Arc::clone(self),
            ..Texts::default()
        }
    }

    /// Whether a text is exactly one of those that ship.
    pub fn has_text(&self, text: &str) -> bool {
        self.files.iter().any(|file| file.text == text)
    }

    /// Whether a source is one of those that ship, and not a file of a workspace.
    pub fn holds(&self, source: &Source) -> bool {
        source.name.starts_with(PREFIX) && self.has_text(source.text())
    }

    /// The origin of the rules in these texts. The policies decide it: a schema of the workspace is an addition, unless
    /// it has the texts of the one that ships.
    pub(super) fn rules(&self, texts: &Texts) -> RulesOrigin {
        let known: BTreeSet<&Source> = texts.policies.iter().map(Arc::as_ref).collect();
        let are_in_force = self
            .policies
            .iter()
            .all(|source| known.contains(source.as_ref()));
        if self.policies.is_empty() || !are_in_force {
            return RulesOrigin::Own;
        }
        let has_more = !texts.links.is_empty() || known.len() > self.policies.len();
        match has_more || all(&texts.schema) != all(&self.schema) {
            true => RulesOrigin::ShippedAndCustom,
            false => RulesOrigin::Shipped,
        }
    }
}

fn all(files: &[Arc<Source>]) -> BTreeSet<&str> {
    files.iter().map(|file| file.text()).collect()
}
