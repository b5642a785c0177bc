//! Counterexamples as cases of a suite, which fail as long as the spec is refuted.

use std::collections::BTreeMap;

use cedar_policy::{Entity, EntityUid};
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::claim::{Environment, Side, body};
use super::model::{Model, as_entity};
use super::spec::{Says, Spec};
use super::verdict::is_asked_under;
use super::{Counterexample, InEnvironment, Prover, SpecResult};
use crate::suite::{self, BecauseText, CaseText, SuiteText};
use tarbac_diagnostic::source::Source;
use tarbac_host::bundle::{Policy, Switches, UnknownReading};
use tarbac_host::decision::Decision;
use tarbac_host::engine::Engine;
use tarbac_store::Directory;

/// The counterexamples of a spec, as a suite.
#[derive(Debug, Default)]
pub struct CounterexampleSuite {
    /// The text of the suite; `None` if no case is left.
    pub suite: Option<String>,
    /// The counterexamples that are not in it, with the reasons.
    pub left_out: Vec<(InEnvironment, CaseError)>,
}

/// The reason why a counterexample is no case of a suite.
#[derive(Debug, Error)]
pub enum CaseError {
    /// It contradicts the data that every directory has.
    #[error("no directory can have it")]
    Impossible,
    /// An entity has tags.
    #[error("a case cannot give tags")]
    Tags,
    /// It is about no request, but about the policies alone.
    #[error("it is about no request")]
    NoRequest,
    /// It does not conform to the schema.
    #[error("it does not fit the schema")]
    Schema,
    /// The spec demands an answer that no policy gives.
    #[error("no policy gives that answer")]
    NoAnswer,
    /// The spec demands an answer that several policies could give.
    #[error("several policies could give that answer")]
    SeveralAnswers,
    /// The case has no form in YAML.
    #[error("it cannot be written")]
    NotWritable,
    /// The engine does not know a reading.
    #[error("{0}")]
    Reading(UnknownReading),
    /// The findings of the case as a suite, joined.
    #[error("{0}")]
    Findings(String),
    /// The case passes: the entities of the workspace make a difference.
    #[error("the counterexample does not hold beside the entities of the workspace")]
    Passes,
}

/// The expectation of a case.
struct Expected {
    decision: Decision,
    because: BecauseText,
}

impl Prover<'_> {
    /// The counterexamples of a spec as the text of a suite. Every case in it was run with the present directory, and
    /// fails.
    pub fn suite_of(&self, tried: &SpecResult<'_>, engine: &Engine) -> CounterexampleSuite {
        let mut cases = Vec::new();
        let mut left_out = Vec::new();
        for (environment, counterexample) in tried.refutations() {
            let case = self.case(tried.spec, environment, counterexample, engine.directory());
            match case.and_then(|case| self.failing_case(tried.spec, case, engine)) {
                Ok(case) => cases.push(case),
                Err(error) => left_out.push((environment.clone(), error)),
            }
        }
        let suite = match cases.is_empty() {
            true => None,
            false => self.text(tried.spec, cases),
        };
        CounterexampleSuite { suite, left_out }
    }

    fn text(&self, spec: &Spec, cases: Vec<CaseText>) -> Option<String> {
        let on = self.readings_of(spec);
        let readings: BTreeMap<String, &str> = self
            .bundle
            .readings()
            .iter()
            .map(|reading| match on.contains(&reading.name) {
                true => (reading.name.clone(), "on"),
                false => (reading.name.clone(), "off"),
            })
            .collect();
        serde_saphyr::to_string(&SuiteText {
            suite: format!("Counterexamples of {}", spec.id()),
            readings,
            cases,
        })
        .ok()
    }

    /// A case, if it fails when it is run.
    fn failing_case(
        &self,
        spec: &Spec,
        case: CaseText,
        engine: &Engine,
    ) -> Result<CaseText, CaseError> {
        let text = self.text(spec, vec![case.clone()]);
        let source = Source::held("case", text.ok_or(CaseError::NotWritable)?);
        // The suite itself sets the readings.
        let switches = Switches::default();
        let engine = engine.under(&switches).map_err(CaseError::Reading)?;
        let (suites, findings) = suite::read(&[source], &|_| true, engine, &switches);
        let Some(suites) = suites else {
            let messages: Vec<String> = findings
                .into_iter()
                .map(|finding| finding.message)
                .collect();
            return Err(CaseError::Findings(messages.join("; ")));
        };
        match suite::run(&suites).iter().any(suite::Tried::passed) {
            true => Err(CaseError::Passes),
            false => Ok(case),
        }
    }

    fn case(
        &self,
        spec: &Spec,
        environment: &InEnvironment,
        counterexample: &Counterexample,
        directory: &Directory,
    ) -> Result<CaseText, CaseError> {
        if !counterexample.is_possible {
            return Err(CaseError::Impossible);
        }
        let model = &counterexample.model;
        if model
            .entities
            .values()
            .any(|entity| !entity.tags.is_empty())
        {
            return Err(CaseError::Tags);
        }
        let asked = self.environments.iter().find(|known| {
            known.types.action() == &environment.action
                && known.types.principal() == &environment.principal
                && known.types.resource() == &environment.resource
        });
        let environment = asked.ok_or(CaseError::NoRequest)?;
        let action = environment.action;
        let Expected { decision, because } = self.expected(spec, environment, counterexample)?;
        Ok(CaseText {
            name: format!(
                "{} ({})",
                spec.doc().unwrap_or(spec.id()),
                action.short_name()
            ),
            given: given(model, directory),
            principal: model.principal.to_string(),
            action: match action.is_question() {
                true => model.action.to_string(),
                false => model.action.id().unescaped().to_owned(),
            },
            resource: model.resource.to_string(),
            context: model.context.clone(),
            expect: decision.word(),
            because,
        })
    }

    /// The expectation that the counterexample does not meet today.
    fn expected(
        &self,
        spec: &Spec,
        environment: &Environment<'_>,
        counterexample: &Counterexample,
    ) -> Result<Expected, CaseError> {
        let on = self.readings_of(spec);
        if environment.action.is_question() {
            return self.expected_answers(spec, environment, counterexample, &on);
        }
        let otherwise = match &counterexample.other {
            Some(other) => other.decision,
            None => counterexample.outcome.decision,
        };
        let decision = match &spec.says {
            Says::Allowed => Decision::Allow,
            Says::Refused => Decision::Deny,
            Says::SameWhatever(_) => otherwise,
            Says::SameUnderReading(name) => match on.contains(name) {
                true => otherwise,
                false => counterexample.outcome.decision,
            },
        };
        Ok(Expected {
            decision,
            because: BecauseText::ANY,
        })
    }

    /// The policies that should answer a question: those that do, without those that must not or with
    /// the one that must.
    fn expected_answers(
        &self,
        spec: &Spec,
        environment: &Environment<'_>,
        counterexample: &Counterexample,
        on: &[String],
    ) -> Result<Expected, CaseError> {
        let asked = |policy: &&Policy| is_asked_under(environment, policy, on);
        let policies = self.bundle.policies().iter().filter(asked);
        let all = Side::new(policies.clone().map(body).collect());
        let outcome = all.outcome(&counterexample.model, environment.schema);
        let mut answers = outcome.ok_or(CaseError::Schema)?.policies;
        match &spec.says {
            Says::Allowed => {
                let mut missing = policies.filter(|policy| spec.is_about_answer(policy));
                match (missing.next(), missing.next()) {
                    (Some(missing), None) => answers.push(missing.id().to_owned()),
                    (None, _) => return Err(CaseError::NoAnswer),
                    _ => return Err(CaseError::SeveralAnswers),
                }
            }
            _ => answers.retain(|answer| !counterexample.outcome.policies.contains(answer)),
        }
        answers.sort();
        Ok(Expected {
            decision: match answers.is_empty() {
                true => Decision::Deny,
                false => Decision::Allow,
            },
            because: BecauseText::These(answers),
        })
    }
}

/// A model as facts: each entity after those that it names. Attributes and parents of the directory that the model
/// does not have are removed.
fn given(model: &Model, directory: &Directory) -> Map<String, Value> {
    let mut facts = Map::new();
    let mut done = Vec::new();
    for uid in model.entities.keys() {
        make(uid, model, directory, &mut done, &mut facts);
    }
    for (uid, element) in &model.entities {
        for parent in &element.parents {
            facts.insert(format!("{uid} in {parent}"), json!(true));
        }
    }
    facts
}

fn make(
    uid: &EntityUid,
    model: &Model,
    directory: &Directory,
    done: &mut Vec<EntityUid>,
    facts: &mut Map<String, Value>,
) {
    if done.contains(uid) {
        return;
    }
    done.push(uid.clone());
    let Some(element) = model.entities.get(uid) else {
        return;
    };
    for named in model.named_by(uid) {
        make(&named, model, directory, done, facts);
    }
    let attributes = &element.attributes;
    if !directory.knows(uid) {
        facts.insert(uid.to_string(), plain(&json!(attributes)));
        return;
    }
    let there = attributes.iter();
    facts.extend(there.map(|(name, value)| (format!("{uid}.{name}"), plain(value))));
    let Some(row) = directory.row(uid).filter(|row| directory.is_defined(*row)) else {
        return;
    };
    let defined = Entity::from(directory.entity(row).as_ref().clone());
    let others = defined.attrs().map(|(name, _)| name);
    let others = others.filter(|name| !attributes.contains_key(*name));
    facts.extend(others.map(|name| (format!("{uid} has {name}"), json!(false))));
    let parents = directory.parents(row).map(|parent| directory.uid(parent));
    let others = parents.filter(|parent| !element.parents.contains(parent));
    facts.extend(others.map(|parent| (format!("{uid} in {parent}"), json!(false))));
}

/// A value in the form of a suite: entities by their uids.
fn plain(value: &Value) -> Value {
    if let Some(uid) = as_entity(value) {
        return json!(uid.to_string());
    }
    match value {
        Value::Array(values) => values.iter().map(plain).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect(),
        value => value.clone(),
    }
}
