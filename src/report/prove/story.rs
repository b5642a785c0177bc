//! A counterexample in the words of the schema.
//!
//! The annotations `@told` and `@told_not` of attributes and entity types are sentences with
//! `{entity}` and `{value}` in them: what it means that an attribute is true or has the value, that
//! it is false, or that an entity is in one of the type.

use std::collections::BTreeSet;

use cedar_policy::EntityUid;
use serde_json::Value;

use tarbac_assurance::prove::{Counterexample, Holder, RelevantFact, spaced};
use tarbac_host::bundle::{Action, Bundle, Vocabulary};
use tarbac_host::decision::{Basis, Decision, Outcome};
use tarbac_host::engine::Engine;
use tarbac_host::lookup::{Lookup, visible};

/// The relevant facts of a counterexample, a sentence each.
pub(super) fn facts(counterexample: &Counterexample, engine: &Engine) -> Vec<String> {
    let teller = Teller {
        counterexample,
        vocabulary: engine.bundle().vocabulary(),
        names: Lookup::new(engine),
        engine,
    };
    let mut told: Vec<String> = counterexample
        .facts
        .iter()
        .map(|fact| teller.sentence(fact))
        .collect();
    let mut seen = BTreeSet::new();
    told.retain(|sentence| seen.insert(sentence.clone()));
    told
}

/// The relevant facts of a counterexample, a line each.
pub(super) fn list(counterexample: &Counterexample, engine: &Engine) -> String {
    let mut text: String = facts(counterexample, engine)
        .iter()
        .map(|fact| format!("  - {}\n", visible(fact)))
        .collect();
    if text.is_empty() {
        text += "  - no other fact is relevant\n";
    }
    if !counterexample.is_possible {
        text += "No directory can contain this. If nothing else refutes the spec, add the assumption to its conditions.\n";
    }
    text
}

/// The deciding policies of an action in a clause: `allowed by …` or `refused by …`; for a question, `answered by …`.
pub(super) fn decided(outcome: &Outcome, action: &EntityUid, bundle: &Bundle) -> String {
    let policies: Vec<String> = outcome
        .policies
        .iter()
        .map(|id| match bundle.policy(id) {
            Some(policy) => format!("{id} ({})", policy.place()),
            None => id.clone(),
        })
        .collect();
    let decided = in_words(outcome.decision, action, bundle);
    match (is_question(action, bundle), outcome.basis) {
        (true, Basis::NotPermitted) => decided.to_owned(),
        (false, Basis::NotPermitted) => format!("{decided}, since no policy permits it"),
        _ => format!("{decided} by {}", policies.join(", ")),
    }
}

/// A decision about an action in words. A question is answered instead of allowed.
pub(super) fn in_words(decision: Decision, action: &EntityUid, bundle: &Bundle) -> &'static str {
    match (is_question(action, bundle), decision) {
        (false, Decision::Allow) => "allowed",
        (false, _) => "refused",
        (true, Decision::Allow) => "answered",
        (true, _) => "not answered",
    }
}

fn is_question(action: &EntityUid, bundle: &Bundle) -> bool {
    let action = bundle.vocabulary().action(action);
    action.is_some_and(Action::is_question)
}

/// The writer of the sentences about one counterexample.
struct Teller<'a> {
    counterexample: &'a Counterexample,
    vocabulary: &'a Vocabulary,
    names: Lookup<'a>,
    engine: &'a Engine,
}

impl Teller<'_> {
    fn sentence(&self, fact: &RelevantFact) -> String {
        match fact {
            RelevantFact::In { entity, parent } => {
                let type_name = parent.type_name().to_string();
                let (entity, value) = (self.called(entity), self.called(parent));
                match self.vocabulary.type_annotation(&type_name, "told") {
                    Some(told) => filled(told, &entity, &value),
                    None => format!("{entity} is in {value}"),
                }
            }
            RelevantFact::Has { of, path } => {
                let (what, name) = self.holder(of);
                format!("{name} has {what}{}", path.join("."))
            }
            RelevantFact::Is(entity) => {
                let what = spaced(entity.type_name().basename());
                format!("the {what} is {}", self.called(entity))
            }
            RelevantFact::Value {
                of,
                path,
                value,
                is_element,
            } => {
                let told = |key: &str| {
                    let Holder::Attributes(entity) = of else {
                        return None;
                    };
                    let type_name = entity.type_name().to_string();
                    let attribute = self.vocabulary.attribute(&type_name, path)?;
                    attribute.annotations.get(key).map(String::as_str)
                };
                let (what, name) = self.holder(of);
                let said = self.said(value);
                let told = match value {
                    Value::Bool(false) => told("told_not"),
                    _ => told("told"),
                };
                match told {
                    Some(told) => filled(told, &name, &said),
                    None => {
                        let holds = if *is_element { "has" } else { "is" };
                        format!("{what}{} of {name} {holds} {said}", path.join("."))
                    }
                }
            }
        }
    }

    /// The owner of a value, and the words before its name.
    fn holder(&self, of: &Holder) -> (&'static str, String) {
        match of {
            Holder::Context => ("", "the request".to_owned()),
            Holder::Attributes(entity) => ("", self.called(entity)),
            Holder::Tags(entity) => ("the tag ", self.called(entity)),
        }
    }

    /// An entity that a policy names has its name; any other has only its kind.
    fn called(&self, uid: &EntityUid) -> String {
        let id = uid.id().unescaped();
        if self.counterexample.anonymous.contains(uid) {
            return format!("the {id}");
        }
        match self.engine.directory().defines(uid) {
            true => self.names.name_of(uid),
            false => id.to_owned(),
        }
    }

    fn said(&self, value: &Value) -> String {
        if let Some(uid) = tarbac_assurance::prove::entity_of(value) {
            return self.called(&uid);
        }
        match (value, value.get("__extn")) {
            (Value::String(text), _) => format!("`{text}`"),
            (_, Some(call)) => extension(call).unwrap_or_else(|| call.to_string()),
            (value, _) => value.to_string(),
        }
    }
}

/// The text of a value of an extension; of a datetime far off, the text and the distance.
fn extension(call: &Value) -> Option<String> {
    if let Some(Value::String(text)) = call.get("arg") {
        return Some(text.clone());
    }
    let arguments = call.get("args")?.as_array()?.iter();
    let texts: Option<Vec<String>> = arguments
        .map(|argument| extension(argument.get("__extn")?))
        .collect();
    Some(texts?.join(" + "))
}

fn filled(told: &str, entity: &str, value: &str) -> String {
    told.replace("{entity}", entity).replace("{value}", value)
}
