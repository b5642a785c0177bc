//! The way of every decision out of the server.

use std::sync::Arc;
use std::time::Duration;

use tarbac_host::decision::Outcome;

use crate::app::App;
use crate::authzen::{Asked, Kind, Problem, Reasons, Resolved, SearchParts};
use crate::caller::Caller;
use crate::fault::Fault;
use crate::http::RequestId;
use crate::served::Served;

/// The circumstances of a request: who sent it, and under which id.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) caller: Caller,
    pub(crate) request_id: RequestId,
    /// The path of the endpoint, for example `/access/v1/evaluation`.
    pub(crate) endpoint: &'static str,
}

/// What was decided about one request, alone or as an item of a batch.
#[derive(Debug)]
pub(crate) struct Decided {
    /// The place in the batch.
    pub(crate) item: Option<usize>,
    /// The request as it was sent; `None` where it could not be read.
    pub(crate) asked: Option<Asked>,
    /// The request as the workspace knows it; `None` where it names something unknown.
    pub(crate) resolved: Option<Resolved>,
    /// The decision.
    pub(crate) outcome: Arc<Outcome>,
    /// Why there is none, as the caller is told.
    pub(crate) problem: Option<Problem>,
    /// Its reasons, if they were asked for.
    pub(crate) reasons: Option<Reasons>,
    /// How long it took.
    pub(crate) took: Duration,
}

/// What was found by a search.
#[derive(Debug, Clone)]
pub(crate) struct Searched {
    pub(crate) kind: Kind,
    /// The request as it was sent.
    pub(crate) asked: Arc<SearchParts>,
    /// The results of the page.
    pub(crate) count: usize,
    /// The results of all pages.
    pub(crate) total: usize,
    /// The candidates that could not be decided.
    pub(crate) undecided: usize,
    /// Whether the answer is a page of several.
    pub(crate) is_page: bool,
    /// How long it took.
    pub(crate) took: Duration,
}

impl App {
    /// Lets decisions out. Each answer that holds a decision passes here first, and is not sent where this fails.
    ///
    /// # Errors
    /// The decisions may not be given.
    pub(crate) fn give(
        &self,
        call: &Call,
        served: &Arc<Served>,
        decided: &Arc<[Decided]>,
    ) -> Result<(), Fault> {
        if let Some(log) = &self.decision_log {
            log.decisions(call, served, decided)?;
        }
        for one in decided.iter() {
            self.metrics.decisions.given(&one.outcome, one.took);
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

    /// Lets the results of a search out, as [`App::give`] does with decisions.
    ///
    /// # Errors
    /// The results may not be given.
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
