//! The reasons in an answer: messages of a refusal, and documents of `check` and `explain`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use tarbac_analysis::change::what_if::Premises;
use tarbac_host::Decision;
use tarbac_report::{Style, answer, explanation};
use utoipa::ToSchema;

use super::request::Explain;
use crate::decided::Decided;
use crate::served::Served;
use crate::trace::step;

/// The key of the reason for a refusal, as in the examples of AuthZEN.
const REFUSED: &str = "403";

/// The reasons of a decision. The words for the user are those of the message that a policy gives.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Reasons {
    /// For an administrator: the line of `tarbac check`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_admin: Option<BTreeMap<&'static str, String>>,
    /// For whoever is refused: what the admin center says.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_user: Option<BTreeMap<&'static str, String>>,
    /// The document of `tarbac check --format json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    tarbac: Option<Value>,
    /// The document of `tarbac explain --format json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    explanation: Option<Value>,
}

impl Reasons {
    /// The reasons of a decision that were asked for. There are none if nothing was decided, or if the request set
    /// attributes: an explanation would read those of the directory instead.
    pub(crate) fn new(served: &Served, decided: &Decided, explain: Explain) -> Option<Self> {
        let _step = (explain != Explain::No).then(|| step!("explain").entered());
        let resolved = decided.resolved.as_ref().filter(|of| of.set.is_empty());
        let request = &resolved.filter(|_| explain != Explain::No)?.request;
        let answer = served.engine.answer(request);
        let is_refused = answer.outcome.decision == Decision::Deny;
        let none = Premises::default();
        let line = answer::human(&answer, &none, Style::PLAIN);
        let said = answer.refusals.iter().find_map(|of| of.message.clone());
        let reason = |text: String| BTreeMap::from([(REFUSED, text)]);
        let document = answer::document(&answer, &served.engine, &none);
        Some(Self {
            reason_admin: is_refused.then(|| reason(line.trim_end().to_owned())),
            reason_user: said.filter(|_| is_refused).map(reason),
            tarbac: serde_json::from_str(&document).ok(),
            explanation: (explain == Explain::Full)
                .then(|| {
                    let explained = tarbac_analysis::explain(&served.engine, request);
                    serde_json::to_value(explanation::wire(&explained, &none)).ok()
                })
                .flatten(),
        })
    }
}
