//! The served workspace: one revision, shared by all requests.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, OnceLock};
use std::thread;

use axum::http::HeaderValue;
use cedar_policy::{Context, EntityTypeName, EntityUid};
use jiff::Timestamp;
use tarbac_analysis::access_review::{AccessReview, Review};
use tarbac_analysis::bulk::decider::Decider;
use tarbac_analysis::change::what_if;
use tarbac_analysis::inquiry::{InquiryStep, Progress};
use tarbac_diagnostic::finding::Finding;
use tarbac_host::decision::Outcome;
use tarbac_host::engine::EntitySlice;
use tarbac_host::{Engine, Request, Workspace};
use tarbac_report::access_review;
use tarbac_store::Row;

use crate::clock;
use crate::explore::searched;
use crate::name_index::NameIndex;
use crate::names::Names;
use crate::source::RevisionName;

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
    /// The flags of its settings.
    flags: Vec<String>,
    /// Its names, as they are found while they are typed; made when they are first needed, or before.
    name_index: OnceLock<NameIndex>,
    /// Its access review, once somebody has asked for it.
    reviewed: OnceLock<Arc<AccessReview>>,
    /// Its name in a store, if it comes from one.
    name: Option<RevisionName>,
}

impl Served {
    pub(crate) fn new(workspace: Workspace) -> Self {
        Self::called(workspace, None)
    }

    /// A revision of a store.
    pub(crate) fn of_store(workspace: Workspace, name: RevisionName) -> Self {
        Self::called(workspace, Some(name))
    }

    fn called(workspace: Workspace, name: Option<RevisionName>) -> Self {
        let engine = Arc::new(workspace.engine);
        let id = engine.provenance().revision_id();
        let number = name.map(|name| format!(";number={}", name.number));
        let number = number.unwrap_or_default();
        let revision = revision_header(&format!("\"{id}\"{number}"));
        Self {
            names: Names::new(&engine),
            decider: Decider::new(Arc::clone(&engine)),
            findings: workspace.warnings,
            flags: what_if::flags(&engine),
            name_index: OnceLock::new(),
            reviewed: OnceLock::new(),
            loaded: clock::now(),
            revision,
            engine,
            name,
        }
    }

    /// The id of the revision: the first 16 of the hexadecimal digits that `validate` prints.
    pub(crate) fn revision(&self) -> &str {
        self.engine.provenance().revision_id()
    }

    /// The id of the revision as the value of a header, in quotes; then its number in a store, if it has one.
    pub(crate) fn revision_header(&self) -> HeaderValue {
        self.revision.clone()
    }

    /// Its name in a store, if it comes from one.
    pub(crate) fn name(&self) -> Option<RevisionName> {
        self.name
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

    /// The flags of the settings that a question can suppose to be otherwise.
    pub(crate) fn flags(&self) -> &[String] {
        &self.flags
    }

    /// The names, as they are found while they are typed. Whoever is first waits until they are sorted.
    pub(crate) fn name_index(&self) -> &NameIndex {
        let new = || NameIndex::new(&self.engine, &searched(&self.engine));
        self.name_index.get_or_init(|| apart(new))
    }

    /// The access review of the workspace, if it was made.
    pub(crate) fn known_review(&self) -> Option<Arc<AccessReview>> {
        self.reviewed.get().cloned()
    }

    /// The access review of the workspace, which is made once.
    pub(crate) fn review(&self, progress: &dyn Progress) -> Arc<AccessReview> {
        let new = || {
            let review = Review::new(&self.engine, |_| Context::empty());
            Arc::new(reviewed(&review, progress))
        };
        Arc::clone(self.reviewed.get_or_init(|| apart(new)))
    }

    /// Decides about a principal and a resource of the directory, by their rows. A panic on the way is an indeterminate
    /// decision, never an allow.
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

#[expect(
    clippy::expect_used,
    reason = "hexadecimal digits and a number; a header without them would be that of no revision"
)]
fn revision_header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("the id of a revision fits in a header")
}

/// Makes something on a thread of its own. A worker that waited for parts of it would take up another request meanwhile,
/// which may want the same, and wait for itself.
fn apart<T: Send>(make: impl FnOnce() -> T + Send) -> T {
    let made = thread::scope(|scope| scope.spawn(make).join());
    made.unwrap_or_else(|panic| resume_unwind(panic))
}

/// A review with the devices and facts that its reports name.
pub(crate) fn reviewed(review: &Review<'_>, progress: &dyn Progress) -> AccessReview {
    progress.begin(InquiryStep::Comparing, review.classes());
    let mut access = review.access(|| progress.advance());
    progress.end();
    progress.begin(InquiryStep::Naming, access.people.len());
    review.detail(&mut access.people, access_review::LISTED, || {
        progress.advance();
    });
    progress.end();
    review.support(&mut access.people);
    access
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
