//! The text of generated suites: cases from counterexamples and mutants.

#[cfg(feature = "prove")]
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

/// A suite to be written into a file.
#[cfg(feature = "prove")]
#[derive(Debug, Serialize)]
pub(crate) struct SuiteText {
    /// The name.
    pub suite: String,
    /// Readings, each `on` or `off`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub readings: BTreeMap<String, &'static str>,
    /// Its cases.
    pub cases: Vec<CaseText>,
}

/// A case to be written into a suite.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CaseText {
    /// The name: a sentence that holds.
    pub name: String,
    /// The given facts.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub given: Map<String, Value>,
    /// The principal.
    pub principal: String,
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// The context.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub context: Map<String, Value>,
    /// The decision.
    pub expect: &'static str,
    /// The policies that determine it.
    pub because: BecauseText,
}

/// The policies that determine a decision, in the form of a suite.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum BecauseText {
    /// Exactly these.
    These(Vec<String>),
    /// Any policies, as the word `any`.
    #[cfg(feature = "prove")]
    Any(&'static str),
}

#[cfg(feature = "prove")]
impl BecauseText {
    /// Any policies.
    pub(crate) const ANY: Self = Self::Any("any");
}
