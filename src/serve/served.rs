//! The workspace as it is served at one moment.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::http::HeaderValue;
use cedar_policy::{Context, EntityTypeName, EntityUid};
use jiff::Timestamp;
use tarbac_analysis::bulk::decider::Decider;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::decision::Outcome;
use tarbac_host::engine::EntitySlice;
use tarbac_host::{Engine, Request, Workspace};
use tarbac_store::Row;

use crate::clock;
use crate::names::Names;

/// A workspace, ready to decide: policies, schema, entities, names, readings and kept decisions, which belong
/// together and never change.
pub(crate) struct Served {
    pub(crate) engine: Arc<Engine>,
    pub(crate) names: Names,
    /// The warnings that were found.
    pub(crate) findings: Vec<Finding>,
    /// When it was read.
    pub(crate) loaded: Timestamp,
    decider: Decider<Arc<Engine>>,
    revision: HeaderValue,
}

impl Served {
    pub(crate) fn new(workspace: Workspace) -> Self {
        let engine = Arc::new(workspace.engine);
        let id = engine.provenance().revision_id();
        let revision = HeaderValue::from_str(&format!("\"{id}\""));
        Self {
            names: Names::new(&engine),
            decider: Decider::new(Arc::clone(&engine)),
            findings: workspace.warnings,
            loaded: clock::now(),
            revision: revision.unwrap_or_else(|_| HeaderValue::from_static("\"\"")),
            engine,
        }
    }

    /// What is decided with, as 16 hexadecimal digits: the first of those that `validate` prints.
    pub(crate) fn revision(&self) -> &str {
        self.engine.provenance().revision_id()
    }

    /// The same as the value of a header.
    pub(crate) fn revision_header(&self) -> HeaderValue {
        self.revision.clone()
    }

    /// The number of entities of each type that has any, by the Cedar name of the type.
    pub(crate) fn entities_by_type(&self) -> Vec<(String, usize)> {
        let directory = self.engine.directory();
        let types = self.engine.bundle().vocabulary().type_names();
        let counted = types.filter_map(|name| {
            let type_name: EntityTypeName = name.parse().ok()?;
            Some((name.to_owned(), directory.rows_of(&type_name).count()))
        });
        counted.filter(|(_, count)| *count > 0).collect()
    }

    /// Decides a request. A panic on the way is an indeterminate decision, never an allow.
    pub(crate) fn decide(&self, request: &Request) -> Arc<Outcome> {
        caught(|| self.decider.decide(request))
    }

    /// The same about entities of the directory.
    pub(crate) fn decide_rows(
        &self,
        rows: (Row, &EntityUid, Row),
        context: &Context,
    ) -> Arc<Outcome> {
        caught(|| self.decider.decide_rows(rows, context))
    }

    /// The same where the entities differ from those that were read.
    pub(crate) fn decide_in(&self, request: &Request, slice: &EntitySlice) -> Arc<Outcome> {
        caught(|| Arc::new(self.engine.decide_in(request, slice)))
    }
}

/// What was decided, unless that ended in a panic.
fn caught(decide: impl FnOnce() -> Arc<Outcome>) -> Arc<Outcome> {
    // What is kept of decisions is whole after each step.
    catch_unwind(AssertUnwindSafe(decide)).unwrap_or_else(|_| {
        tracing::error!("a decision ended in a panic; it is answered as indeterminate");
        Arc::new(Outcome::indeterminate(["the decision ended in a panic"]))
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, reason = "a panic is what is tried")]

    use tarbac_host::Decision;

    use super::caught;

    #[test]
    fn a_panic_in_a_decision_is_no_allow() {
        let outcome = caught(|| panic!("broken"));
        assert_eq!(outcome.decision, Decision::Indeterminate);
    }
}
