//! The last step before a decision leaves the server: it is logged and counted.

use std::sync::Arc;
use std::time::Duration;

use tarbac_host::decision::Outcome;

use crate::app::App;
use crate::authzen::{DecisionRequest, Kind, Problem, Reasons, Resolved, SearchParts};
use crate::caller::Caller;
use crate::fault::Fault;
use crate::http::RequestId;
use crate::served::Served;

/// The caller, the id and the endpoint of a request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) caller: Caller,
    pub(crate) request_id: RequestId,
    /// The workspace, if it is one of several.
    pub(crate) workspace: Option<Arc<str>>,
    /// The path of the endpoint, for example `/access/v1/evaluation`.
    pub(crate) endpoint: &'static str,
}

/// The decision about one request, alone or as an item of a batch.
#[derive(Debug)]
pub(crate) struct Decided {
    /// The index in the batch; `None` for a single request.
    pub(crate) item: Option<usize>,
    /// The request as it was sent; `None` if it could not be parsed.
    pub(crate) asked: Option<DecisionRequest>,
    /// The request in Cedar's names; `None` if it could not be resolved.
    pub(crate) resolved: Option<Resolved>,
    /// The decision.
    pub(crate) outcome: Arc<Outcome>,
    /// The reason why there is no decision, as the caller gets it.
    pub(crate) problem: Option<Problem>,
    /// The reasons of the decision, if they were asked for.
    pub(crate) reasons: Option<Reasons>,
    /// The time that it took.
    pub(crate) took: Duration,
}

/// A finished search, without its results.
#[derive(Debug, Clone)]
pub(crate) struct Searched {
    pub(crate) kind: Kind,
    /// The request as it was sent.
    pub(crate) asked: Arc<SearchParts>,
    /// The number of results on the page.
    pub(crate) count: usize,
    /// The number of results on all pages.
    pub(crate) total: usize,
    /// The number of candidates that could not be decided.
    pub(crate) undecided: usize,
    /// Whether the answer is a page of several.
    pub(crate) is_page: bool,
    /// The time that it took.
    pub(crate) took: Duration,
}

impl App {
    /// Logs and counts decisions. Every answer with decisions passes here first, and is not sent if this fails.
    ///
    /// # Errors
    /// The decisions cannot be logged, and must not be sent.
    pub(crate) fn give(
        &self,
        call: &Call,
        served: &Arc<Served>,
        decided: &Arc<[Decided]>,
    ) -> Result<(), Fault> {
        if let Some(log) = &self.decision_log {
            log.decisions(call, served, decided)?;
        }
        let given = decided.iter().map(|one| (&*one.outcome, one.took));
        self.metrics.decisions.given(given);
        for one in decided.iter() {
            tracing::debug!(
                request_id = ?call.request_id.id,
                caller = call.caller.name(),
                endpoint = call.endpoint,
                revision = served.revision(),
                item = one.item,
                asked = ?one.asked,
                outcome = ?one.outcome,
                took = ?one.took,
                "decided"
            );
        }
        Ok(())
    }

    /// Logs and counts a search, as [`App::give`] does for decisions.
    ///
    /// # Errors
    /// The search cannot be logged, and its results must not be sent.
    pub(crate) fn give_search(
        &self,
        call: &Call,
        served: &Arc<Served>,
        searched: &Searched,
    ) -> Result<(), Fault> {
        if let Some(log) = &self.decision_log {
            log.search(call, served, searched)?;
        }
        self.metrics.decisions.searched(searched.total);
        tracing::debug!(
            request_id = ?call.request_id.id,
            caller = call.caller.name(),
            endpoint = call.endpoint,
            revision = served.revision(),
            kind = ?searched.kind,
            asked = ?searched.asked,
            count = searched.count,
            total = searched.total,
            undecided = searched.undecided,
            is_page = searched.is_page,
            took = ?searched.took,
            "searched"
        );
        Ok(())
    }
}
