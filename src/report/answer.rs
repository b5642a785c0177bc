//! An answer to one request: a line for people, an object for programs.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::premises::PremisesDocument;
use super::{Style, VERSION, json, provenance};
use crate::schema;
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::wire::RefusalShape;
use tarbac_diagnostic::printable;
use tarbac_host::decision::{Answer, Basis, Decision, Notice, Outcome, Refusal};
use tarbac_host::engine::Engine;
use tarbac_host::lookup::lower_first;

/// The JSON Schema of an answer.
pub const SCHEMA: fn() -> String = schema::text::<AnswerWire<'static>>;

/// The JSON of an answer. An answer in a stream of lines has no version.
#[derive(Debug, Serialize, JsonSchema)]
struct AnswerWire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    id: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<PremisesDocument<'a>>,
    #[schemars(schema_with = "schema::decision")]
    decision: Decision,
    #[schemars(schema_with = "schema::basis")]
    basis: Basis,
    authority: Option<&'a str>,
    policies: &'a [String],
    errors: &'a [String],
    notices: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::former")]
    former: Option<Decision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<RefusalShape>>")]
    refusals: Option<&'a [Refusal]>,
    readings: &'a [String],
    #[serde(flatten)]
    provenance: provenance::ProvenanceWire<'a>,
}

/// The JSON of a decision without authority, notices and messages.
#[derive(Debug, Serialize, JsonSchema)]
struct DecisionWire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    id: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<PremisesDocument<'a>>,
    #[schemars(schema_with = "schema::decision")]
    decision: Decision,
    #[schemars(schema_with = "schema::basis")]
    basis: Basis,
    policies: &'a [String],
    errors: &'a [String],
    #[serde(flatten)]
    provenance: provenance::ProvenanceWire<'a>,
}

/// One line: the decision, the policies or the rule that decide it, and the premises.
pub fn human(answer: &Answer, premises: &Premises, style: Style) -> String {
    let supposed = premises.sentence();
    let supposed =
        supposed.map(|sentence| format!("  ({})", printable::line(&lower_first(&sentence))));
    let line = decided(answer, style);
    format!("{line}{}\n", supposed.unwrap_or_default())
}

fn decided(answer: &Answer, style: Style) -> String {
    let outcome = &answer.outcome;
    match outcome.basis {
        Basis::Permitted => format!(
            "{}  {}",
            style.green("ALLOW"),
            printable::line(&outcome.policies.join(", "))
        ),
        Basis::Forbidden => {
            let first = answer.refusals.first();
            let first = first.map_or("forbidden", |refusal| &refusal.policy);
            let more = match outcome.policies.len().saturating_sub(1) {
                0 => String::new(),
                more => format!(" (and {more} more; see tarbac explain)"),
            };
            let first = printable::line(first);
            format!(
                "{}  {first}{}{more}",
                style.red("DENY"),
                first_message(answer)
            )
        }
        Basis::NotPermitted => format!(
            "{}  not permitted{}",
            style.red("DENY"),
            first_message(answer)
        ),
        Basis::Error => format!(
            "{}  {}",
            style.yellow("INDETERMINATE"),
            printable::line(&outcome.errors.join("; "))
        ),
    }
}

fn first_message(answer: &Answer) -> String {
    answer
        .refusals
        .first()
        .and_then(|refusal| refusal.message.as_deref())
        .map_or_else(String::new, |message| {
            format!(" — {}", printable::line(message))
        })
}

/// The notices of an answer, a line each.
pub fn notes(answer: &Answer) -> String {
    answer.notices.iter().map(note).collect()
}

/// The notes about the premises, a line each.
pub fn notes_of_premises(premises: &Premises) -> String {
    let notes = premises.notes.iter();
    let said = notes.map(|note| format!("note: {}\n", printable::line(note)));
    said.collect()
}

fn note(notice: &Notice) -> String {
    let about = match &notice.about {
        Some(about) => format!(" ({about})"),
        None => String::new(),
    };
    let former = match notice.former {
        Some(Decision::Allow) => " The former answer is allow.",
        Some(Decision::Deny) => " The former answer is deny.",
        Some(Decision::Indeterminate) => " The former answer is indeterminate.",
        None => "",
    };
    let note = format!("note: {}{about}{former}", notice.message);
    printable::line(&note).into_owned() + "\n"
}

/// The answer as a document for programs.
pub fn document(answer: &Answer, engine: &Engine, premises: &Premises) -> String {
    json(&AnswerWire {
        version: Some(VERSION),
        asked: PremisesDocument::if_any(premises),
        refusals: Some(&answer.refusals),
        ..wire(answer, engine)
    })
}

/// The answer as one line of a stream, with the id of its request if there is one.
pub fn line(
    id: Option<&RawValue>,
    answer: &Answer,
    engine: &Engine,
    premises: &Premises,
) -> String {
    one_line(&AnswerWire {
        id,
        asked: PremisesDocument::if_any(premises),
        messages: Some(messages(answer)),
        ..wire(answer, engine)
    })
}

/// The decision alone as one line of a stream, with the id of its request if there is one.
pub fn decision_line(
    id: Option<&RawValue>,
    outcome: &Outcome,
    engine: &Engine,
    premises: &Premises,
) -> String {
    one_line(&DecisionWire {
        id,
        asked: PremisesDocument::if_any(premises),
        decision: outcome.decision,
        basis: outcome.basis,
        policies: &outcome.policies,
        errors: &outcome.errors,
        provenance: provenance::ProvenanceWire::new(engine.provenance()),
    })
}

fn one_line(line: &impl Serialize) -> String {
    match serde_json::to_string(line) {
        Ok(text) => printable::json(&text).into_owned() + "\n",
        Err(error) => format!(
            "{{\"decision\":\"indeterminate\",\"basis\":\"error\",\"errors\":[\"{error}\"]}}\n"
        ),
    }
}

fn wire<'a>(answer: &'a Answer, engine: &'a Engine) -> AnswerWire<'a> {
    let outcome = &answer.outcome;
    AnswerWire {
        id: None,
        version: None,
        asked: None,
        decision: outcome.decision,
        basis: outcome.basis,
        authority: answer
            .authority
            .as_ref()
            .map(|authority| authority.name.as_str()),
        policies: &outcome.policies,
        errors: &outcome.errors,
        notices: codes(answer),
        former: former(answer),
        messages: None,
        refusals: None,
        readings: engine.readings(),
        provenance: provenance::ProvenanceWire::new(engine.provenance()),
    }
}

/// The decision before a recent change that may not have taken effect yet.
fn former(answer: &Answer) -> Option<Decision> {
    answer.notices.iter().find_map(|notice| notice.former)
}

fn codes(answer: &Answer) -> Vec<&str> {
    let mut codes: Vec<&str> = answer
        .notices
        .iter()
        .map(|notice| notice.code.as_str())
        .collect();
    codes.dedup();
    codes
}

/// The messages of the admin center, each text once.
fn messages(answer: &Answer) -> Vec<&str> {
    let mut messages = Vec::new();
    for message in answer
        .refusals
        .iter()
        .filter_map(|refusal| refusal.message.as_deref())
    {
        if !messages.contains(&message) {
            messages.push(message);
        }
    }
    messages
}
