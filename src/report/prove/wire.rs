//! The JSON of proofs, comparisons and mutants.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::story;
use crate::mutation::{MutantWire, mutant};
use crate::schema;
use tarbac_assurance::prove::{
    Counterexample, DecisionChange, EnvironmentComparison, InEnvironment, SpecMutation, SpecResult,
    Unknown, Verdict,
};
use tarbac_host::decision::{Decision, Outcome};
use tarbac_host::engine::Engine;

/// A spec in JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SpecWire<'a> {
    spec: &'a str,
    doc: Option<&'a str>,
    source: Option<&'a str>,
    file: &'a str,
    line: Option<usize>,
    verdict: &'static str,
    vacuous: bool,
    environments: Vec<EnvironmentWire<'a>>,
}

/// The result of a spec in one request environment.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EnvironmentWire<'a> {
    principal: String,
    action: String,
    resource: String,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counterexample: Option<CounterexampleWire<'a>>,
}

/// A counterexample in JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CounterexampleWire<'a> {
    principal: String,
    action: String,
    resource: String,
    context: &'a Map<String, Value>,
    entities: Value,
    /// Whether a directory can contain these entities.
    possible: bool,
    facts: Vec<String>,
    decided: DecidedWire<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    otherwise: Option<DecidedWire<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct DecidedWire<'a> {
    #[schemars(schema_with = "schema::decision")]
    decision: Decision,
    because: &'a [String],
}

/// The comparison of two policy sets in one request environment, in JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ComparisonWire<'a> {
    principal: String,
    action: String,
    resource: String,
    /// Whether the action is a question about decisions, and no permission.
    question: bool,
    change: DecisionChange,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<CounterexampleWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gained: Option<CounterexampleWire<'a>>,
}

/// The results of mutants in JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MutationWire<'a> {
    mutants: usize,
    refuted: usize,
    refused: usize,
    equivalent: Vec<MutantWire<'a>>,
    survivors: Vec<MutantWire<'a>>,
    unknown: Vec<MutantWire<'a>>,
}

/// The JSON of a spec.
pub fn spec<'a>(tried: &'a SpecResult<'a>, engine: &Engine) -> SpecWire<'a> {
    let place = tried.spec.place();
    SpecWire {
        spec: tried.spec.id(),
        doc: tried.spec.doc(),
        source: tried.spec.source(),
        file: &place.source.name,
        line: place.line(),
        verdict: match (
            tried.refutations().next().is_some(),
            tried.unknown().next().is_some(),
        ) {
            (true, _) => "refuted",
            (false, true) => "not_proved",
            (false, false) => "proved",
        },
        vacuous: tried.is_vacuous,
        environments: tried
            .environments
            .iter()
            .map(|environment| self::environment(environment, engine))
            .collect(),
    }
}

fn environment<'a>(environment: &'a InEnvironment, engine: &Engine) -> EnvironmentWire<'a> {
    let (verdict, reason, counterexample) = match &environment.verdict {
        Verdict::Proved => ("proved", None, None),
        Verdict::NotProved(unknown) => ("not_proved", Some(unknown.to_string()), None),
        Verdict::Refuted(counterexample) => (
            "refuted",
            None,
            Some(self::counterexample(counterexample, engine)),
        ),
    };
    EnvironmentWire {
        principal: environment.principal.to_string(),
        action: environment.action.to_string(),
        resource: environment.resource.to_string(),
        verdict,
        reason,
        counterexample,
    }
}

fn counterexample<'a>(
    counterexample: &'a Counterexample,
    engine: &Engine,
) -> CounterexampleWire<'a> {
    let decided = |outcome: &'a Outcome| DecidedWire {
        decision: outcome.decision,
        because: &outcome.policies,
    };
    let model = &counterexample.model;
    CounterexampleWire {
        principal: model.principal.to_string(),
        action: model.action.to_string(),
        resource: model.resource.to_string(),
        context: &model.context,
        entities: model.entities_json(),
        possible: counterexample.is_possible,
        facts: story::facts(counterexample, engine),
        decided: decided(&counterexample.outcome),
        otherwise: counterexample.other.as_ref().map(decided),
    }
}

/// The JSON of the comparison of two policy sets in one environment.
pub fn comparison<'a>(
    comparison: &'a EnvironmentComparison,
    engine: &Engine,
) -> ComparisonWire<'a> {
    let environment = &comparison.less;
    ComparisonWire {
        principal: environment.principal.to_string(),
        action: environment.action.to_string(),
        resource: environment.resource.to_string(),
        question: comparison.is_question,
        change: comparison.change(),
        unknown: comparison.unknown().map(Unknown::to_string).collect(),
        lost: comparison
            .lost()
            .map(|lost| self::counterexample(lost, engine)),
        gained: comparison
            .gained()
            .map(|gained| self::counterexample(gained, engine)),
    }
}

/// The JSON of the mutants.
pub fn mutation(mutation: &SpecMutation) -> MutationWire<'_> {
    MutationWire {
        mutants: mutation.mutants,
        refuted: mutation.refuted,
        refused: mutation.refused,
        equivalent: mutation.equivalent.iter().map(mutant).collect(),
        survivors: mutation
            .survivors
            .iter()
            .map(|survivor| mutant(&survivor.mutant))
            .collect(),
        unknown: mutation
            .unknown
            .iter()
            .map(|(unknown, _)| mutant(unknown))
            .collect(),
    }
}
