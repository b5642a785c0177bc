//! The output of suites: failures as text, all cases for programs.

use cedar_policy::EntityUid;
use schemars::JsonSchema;
use serde::Serialize;

use super::Style;
use super::explanation;
use super::words::counted;
use crate::schema;
use tarbac_analysis::explain::explain;
use tarbac_assurance::suite::{Expected, Missed, Suite, Tried};
use tarbac_assurance::test_report;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::decision::{Decision, Outcome};
use tarbac_host::engine::Engine;
use tarbac_host::lookup::{Lookup, visible};

/// The most failures of one case that are explained; the others have only their outcome.
const EXPLAINED: usize = 3;

/// A suite in JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SuiteWire<'a> {
    suite: &'a str,
    file: &'a str,
    cases: Vec<CaseWire<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct CaseWire<'a> {
    name: &'a str,
    line: Option<usize>,
    passed: bool,
    decisions: usize,
    missed: Vec<MissedWire<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MissedWire<'a> {
    line: Option<usize>,
    principal: String,
    action: String,
    resource: String,
    expected: ExpectedWire<'a>,
    came: CameWire<'a>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ExpectedWire<'a> {
    #[schemars(schema_with = "schema::decision")]
    decision: Decision,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<&'a [String]>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct CameWire<'a> {
    #[schemars(schema_with = "schema::decision")]
    decision: Decision,
    because: &'a [String],
    errors: &'a [String],
}

/// One line for a suite and, for each case that failed, the expected and the actual outcome, with the explanation.
pub fn human(suite: &Suite, tried: &[Tried<'_>], style: Style) -> String {
    let failed: Vec<&Tried> = tried.iter().filter(|tried| !tried.passed()).collect();
    let decisions: usize = tried.iter().map(|tried| tried.case.checks.len()).sum();
    let (sign, said) = match failed.len() {
        0 => (style.green("ok"), String::new()),
        count => (style.red("FAILED"), format!(", {count} failed")),
    };
    let mut text = format!(
        "{sign}  {}  {}: {}, {}{said}\n",
        suite.name,
        visible(&suite.source.name),
        counted(tried.len(), "case"),
        counted(decisions, "decision"),
    );
    for tried in failed {
        text += &failure(tried, style);
    }
    text
}

fn failure(tried: &Tried<'_>, style: Style) -> String {
    let line = tried.case.place.line().unwrap_or_default();
    let mut text = format!(
        "\n  {} {}  {}:{line}\n",
        style.red("✗"),
        tried.case.name,
        visible(&tried.suite.source.name)
    );
    text += &indented(
        &detail(tried, style.columns.map(|of| of.saturating_sub(4))),
        4,
    );
    text.push('\n');
    text
}

/// The failures of a case: the expected and the actual outcome, with the explanation. Several lines.
pub fn detail(tried: &Tried<'_>, width: Option<usize>) -> String {
    let mut text = String::new();
    let names = Lookup::new(tried.engine);
    for (index, missed) in tried.missed.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let line = match missed.check.place.line() {
            Some(line) if missed.check.place != tried.case.place => format!("  line {line}"),
            _ => String::new(),
        };
        text += &format!("{}{line}\n", asked(&names, tried.engine, missed));
        text += &format!("  expected  {}\n", expectation(&missed.check.expected));
        text += &format!("  came      {}\n", came(&missed.outcome));
        if index < EXPLAINED && !is_question(tried.engine, &missed.check.request.action) {
            let explanation = explain(tried.engine, &missed.check.request);
            text.push('\n');
            let width = width.map(|width| width.saturating_sub(2));
            text += &indented(&explanation::human(&explanation, width), 2);
        }
    }
    text
}

/// The failure of a case for a report; `None` if it passed.
pub fn failed(tried: &Tried<'_>) -> Option<test_report::Failure> {
    let first = tried.missed.first()?;
    let names = Lookup::new(tried.engine);
    let message = format!(
        "{}: {}: expected {}, came {}{}",
        tried.case.name,
        asked(&names, tried.engine, first),
        expectation(&first.check.expected),
        came(&first.outcome),
        match tried.missed.len() {
            1 => String::new(),
            several => format!(" (and {} more)", several - 1),
        }
    );
    let finding = Finding::error(code::test::FAILED, message)
        .label(first.check.place.clone(), "expected here")
        .help("`tarbac explain` says why; if the new outcome is right, correct the expectation");
    Some(test_report::Failure {
        finding,
        detail: detail(tried, None),
    })
}

/// The JSON of a suite.
pub fn wire<'a>(suite: &'a Suite, tried: &'a [Tried<'a>]) -> SuiteWire<'a> {
    SuiteWire {
        suite: &suite.name,
        file: &suite.source.name,
        cases: tried
            .iter()
            .map(|tried| CaseWire {
                name: &tried.case.name,
                line: tried.case.place.line(),
                passed: tried.passed(),
                decisions: tried.case.checks.len(),
                missed: tried.missed.iter().map(missed).collect(),
            })
            .collect(),
    }
}

fn missed<'a>(missed: &'a Missed<'_>) -> MissedWire<'a> {
    let request = &missed.check.request;
    MissedWire {
        line: missed.check.place.line(),
        principal: request.principal.to_string(),
        action: request.action.to_string(),
        resource: request.resource.to_string(),
        expected: ExpectedWire {
            decision: missed.check.expected.decision,
            because: missed.check.expected.because.as_deref(),
        },
        came: CameWire {
            decision: missed.outcome.decision,
            because: &missed.outcome.policies,
            errors: &missed.outcome.errors,
        },
    }
}

fn asked(names: &Lookup<'_>, engine: &Engine, missed: &Missed<'_>) -> String {
    let request = &missed.check.request;
    let action = engine.bundle().vocabulary().action(&request.action);
    format!(
        "{}, {}, {}",
        names.name_of(&request.principal),
        action.map_or_else(
            || request.action.to_string(),
            |action| match action.is_question() {
                true => action.uid.to_string(),
                false => action.short_name().to_owned(),
            }
        ),
        names.name_of(&request.resource),
    )
}

fn is_question(engine: &Engine, action: &EntityUid) -> bool {
    let action = engine.bundle().vocabulary().action(action);
    action.is_some_and(|action| action.is_question())
}

fn expectation(expected: &Expected) -> String {
    match &expected.because {
        Some(because) => decided(expected.decision, because),
        None => expected.decision.word().to_owned(),
    }
}

fn came(outcome: &Outcome) -> String {
    let errors = match outcome.errors.as_slice() {
        [] => String::new(),
        errors => format!("; {}", errors.join("; ")),
    };
    format!("{}{errors}", decided(outcome.decision, &outcome.policies))
}

fn decided(decision: Decision, policies: &[String]) -> String {
    let because = match policies {
        [] => "no policy".to_owned(),
        policies => policies.join(", "),
    };
    format!("{} because of {because}", decision.word())
}

/// A text with each line indented by so many columns.
pub fn indented(text: &str, columns: usize) -> String {
    text.lines()
        .map(|line| match line.is_empty() {
            true => "\n".to_owned(),
            false => format!("{}{line}\n", " ".repeat(columns)),
        })
        .collect()
}
