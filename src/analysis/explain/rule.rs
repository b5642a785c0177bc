//! A policy in an explanation, with its annotations and judged clauses.

use super::clause::{self, ExplainedClause};
use super::probe::Probe;
use tarbac_host::bundle::Policy;

/// A policy with its annotations, and its clauses as they were judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its id.
    pub policy: String,
    /// Its `@doc`.
    pub doc: Option<String>,
    /// The document it comes from.
    pub source: Option<String>,
    /// The file it stands in.
    pub file: String,
    /// The line of its first annotation, counted from 1.
    pub line: Option<usize>,
    /// Its `@message`: the words of the admin center.
    pub message: Option<String>,
    /// Its `@advice` for the refused person.
    pub advice: Option<String>,
    /// The reading it belongs to.
    pub reading: Option<String>,
    /// Its `when` and `unless`, in order.
    pub clauses: Vec<ExplainedClause>,
}

impl Rule {
    pub(super) fn new(policy: &Policy, probe: &Probe<'_>) -> Self {
        Self {
            policy: policy.id().to_owned(),
            doc: policy.doc().map(str::to_owned),
            source: policy.source().map(str::to_owned),
            file: policy.place().source.name.clone(),
            line: policy.place().line(),
            message: policy.message().map(str::to_owned),
            advice: policy.advice().map(str::to_owned),
            reading: policy.reading().map(|(name, _)| name.to_owned()),
            clauses: clause::clauses(policy, probe),
        }
    }
}
