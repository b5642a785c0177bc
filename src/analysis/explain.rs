//! Explanations: the reasons of a decision, and the changes that would reverse it.
//!
//! Explanations come from the policies and the schema alone: the clauses of the policies that determine an answer, the
//! values that these clauses read, and the changes that the schema says an administrator can make. No role, setting or
//! message is known here.
//!
//! No file is read here; the texts of reports are in `tarbac_report`.

mod change;
mod clause;
mod grant;
mod observation;
mod probe;
mod remedies;
mod role;
mod rule;
mod solve;
mod support;
mod value;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use tarbac_host::decision::{Answer, Basis, Decision, Provenance, Request};
use tarbac_host::engine::Engine;

pub use change::{ChangeKind, RemedyChange};
pub use clause::{ExplainedClause, ExplainedCondition, Truth};
pub use grant::{Grant, Path};
pub use observation::{Observation, Read};
pub use remedies::Remedies;
pub use role::{Elsewhere, GrantingGroup, GrantingGroups, HeldGroup};
pub use rule::Rule;
pub use support::Support;
pub use value::{Named, Value};

pub(crate) use grant::{asked_to_be_in, ways};
use probe::Probe;
pub(crate) use support::supports_of;
pub(crate) use value::Labels;

/// A decision with its reasons, remedies and provenance.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The principal.
    pub principal: Named,
    /// The action.
    pub action: ExplainedAction,
    /// The resource.
    pub resource: Named,
    /// The answer, as [`Engine::answer`] gives it.
    pub answer: Answer,
    /// The policy that says which authority is in force, with the facts that make it so.
    pub authority: Option<Rule>,
    /// The name of the authority: the `@decides` of that policy.
    pub decides: Option<String>,
    /// The reasons of the decision.
    pub why: DecisionReasons,
    /// Changes that turn a refusal into a permission; `None` unless it is a refusal.
    pub remedies: Option<Remedies>,
    /// The readings in force, sorted by name.
    pub readings: Vec<InForce>,
    /// The provenance of the decision.
    pub provenance: Arc<Provenance>,
}

/// The action of a request, in its spellings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExplainedAction {
    /// Its id, for example `runScript`.
    pub id: String,
    /// Its documented name, for example `Cloud attached devices\Run script`.
    pub name: String,
    /// The documented name without its category.
    #[serde(skip)]
    pub short_name: String,
}

/// The reasons of a decision.
#[derive(Debug, Clone, PartialEq)]
pub enum DecisionReasons {
    /// The determining permits with the chains of memberships behind them, and the facts that keep forbids from
    /// refusing.
    Permitted(Vec<Grant>, Vec<Support>),
    /// The determining forbids, each with the clauses that decide.
    Forbidden(Vec<Rule>),
    /// No policy permits it; with the groups whose members would be permitted, and the groups of the person.
    NotPermitted(GrantingGroups),
    /// It could not be decided; the errors are those of the answer.
    Indeterminate,
}

/// A reading that is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InForce {
    /// Its name.
    pub name: String,
    /// The `@doc`.
    pub doc: String,
    /// The document it comes from.
    pub source: String,
}

/// Explains the decision on a request.
pub fn explain(engine: &Engine, request: &Request) -> Explanation {
    let names = Labels::new(engine);
    let answer = engine.answer(request);
    let probe = engine
        .slice(request)
        .map(|slice| Probe::new(engine, request, slice));
    let (authority, why, remedies) = match &probe {
        Ok(probe) => (
            authority(probe, &answer),
            why(probe, &answer),
            (answer.outcome.decision == Decision::Deny).then(|| remedies::remedies(probe)),
        ),
        Err(_) => (None, DecisionReasons::Indeterminate, None),
    };
    let decides = authority.as_ref().and_then(|rule| {
        let policy = engine.bundle().policy(&rule.policy)?;
        policy.annotation("decides").map(str::to_owned)
    });
    Explanation {
        decides,
        principal: names.named(&request.principal),
        action: asked(engine, request),
        resource: names.named(&request.resource),
        answer,
        authority,
        why,
        remedies,
        readings: readings(engine),
        provenance: Arc::clone(engine.provenance()),
    }
}

fn asked(engine: &Engine, request: &Request) -> ExplainedAction {
    match engine.bundle().vocabulary().action(&request.action) {
        Some(action) => ExplainedAction {
            id: action.id().to_owned(),
            name: action.name().to_owned(),
            short_name: action.short_name().to_owned(),
        },
        None => {
            let id = request.action.id().unescaped().to_owned();
            ExplainedAction {
                name: id.clone(),
                short_name: id.clone(),
                id,
            }
        }
    }
}

fn readings(engine: &Engine) -> Vec<InForce> {
    engine
        .bundle()
        .readings()
        .iter()
        .filter(|reading| engine.readings().contains(&reading.name))
        .map(|reading| InForce {
            name: reading.name.clone(),
            doc: reading.doc.clone(),
            source: reading.source.clone(),
        })
        .collect()
}

/// The policy that says which authority is in force, with its clauses judged for that question.
fn authority(probe: &Probe<'_>, answer: &Answer) -> Option<Rule> {
    let engine = probe.engine();
    let policy = engine.bundle().policy(&answer.authority.as_ref()?.policy)?;
    let request = probe.request();
    let question = engine.as_question("authority", request, &request.resource);
    let question = question.ok().flatten()?;
    let slice = engine.slice_of_question(&question, probe.slice());
    Some(Rule::new(policy, &Probe::new(engine, &question, slice)))
}

fn supports_in(probe: &Probe<'_>) -> Vec<Support> {
    let action = probe.vocabulary().action(&probe.request().action);
    action.map_or_else(Vec::new, |action| support::supports(probe, action))
}

fn why(probe: &Probe<'_>, answer: &Answer) -> DecisionReasons {
    let bundle = probe.engine().bundle();
    let determining = || bundle.as_said(&answer.outcome.policies).into_iter();
    match answer.outcome.basis {
        Basis::Permitted => DecisionReasons::Permitted(
            determining()
                .map(|policy| Grant::new(policy, probe))
                .collect(),
            supports_in(probe),
        ),
        Basis::Forbidden => DecisionReasons::Forbidden(
            determining()
                .map(|policy| Rule::new(policy, probe))
                .collect(),
        ),
        Basis::NotPermitted => DecisionReasons::NotPermitted(GrantingGroups::new(probe)),
        Basis::Error => DecisionReasons::Indeterminate,
    }
}
