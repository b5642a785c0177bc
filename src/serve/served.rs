//! The served workspace: one revision, shared by all requests.

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

/// A workspace that is ready to decide, with its names and kept decisions. They belong to one revision, so no answer
/// mixes two.
pub(crate) struct Served {
    pub(crate) engine: Arc<Engine>,
    pub(crate) names: Names,
    /// The warnings of the load.
    pub(crate) findings: Vec<Finding>,
    /// The time of the load.
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

    /// The id of the revision: the first 16 of the hexadecimal digits that `validate` prints.
    pub(crate) fn revision(&self) -> &str {
        self.engine.provenance().revision_id()
    }

    /// The id of the revision as the value of a header, in quotes.
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

    /// Decides about a principal and a resource of the directory, by their rows.
    pub(crate) fn decide_rows(
        &self,
        rows: (Row, &EntityUid, Row),
        context: &Context,
    ) -> Arc<Outcome> {
        caught(|| self.decider.decide_rows(rows, context))
    }

    /// Decides a request on the entities of a slice, which may differ from those of the directory.
    pub(crate) fn decide_in(&self, request: &Request, slice: &EntitySlice) -> Arc<Outcome> {
        caught(|| Arc::new(self.engine.decide_in(request, slice)))
    }
}

/// The outcome of a decision; an indeterminate one if it panics.
fn caught(decide: impl FnOnce() -> Arc<Outcome>) -> Arc<Outcome> {
    // A panic leaves no kept decision half made.
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
