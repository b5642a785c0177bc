//! A counterexample told in the words of the schema.
//!
//! The annotations `@told` and `@told_not` of attributes and entity types are sentences with
//! `{entity}` and `{value}` in them: what it means that an attribute is true or has the value, that
//! it is false, or that an entity is in one of the type.

use cedar_policy::EntityUid;
use serde_json::Value;

use crate::bundle::{Bundle, Policy, Vocabulary};
use crate::decision::{Basis, Decision, Outcome};
use crate::proof::{Counterexample, Fact};

/// What matters of a counterexample, a sentence each.
pub fn facts(counterexample: &Counterexample, bundle: &Bundle) -> Vec<String> {
    let vocabulary = bundle.vocabulary();
    let mut told: Vec<String> = counterexample
        .facts
        .iter()
        .map(|fact| sentence(fact, vocabulary, bundle))
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    told.retain(|sentence| seen.insert(sentence.clone()));
    told
}

/// What decides, in a clause: `allowed by …` or `refused by …`.
pub fn decided(outcome: &Outcome, bundle: &Bundle) -> String {
    let policies: Vec<String> = outcome
        .policies
        .iter()
        .map(|id| match bundle.policy(id) {
            Some(policy) => format!("{id} ({})", place(policy)),
            None => id.clone(),
        })
        .collect();
    match (outcome.decision, outcome.basis) {
        (Decision::Allow, _) => format!("allowed by {}", policies.join(", ")),
        (_, Basis::NotPermitted) => "refused, since no policy permits it".to_owned(),
        _ => format!("refused by {}", policies.join(", ")),
    }
}

fn place(policy: &Policy) -> String {
    let place = policy.place();
    match place.line() {
        Some(line) => format!("{}:{line}", place.source.name),
        None => place.source.name.clone(),
    }
}

fn sentence(fact: &Fact, vocabulary: &Vocabulary, bundle: &Bundle) -> String {
    match fact {
        Fact::In { entity, parent } => {
            let type_name = parent.type_name().to_string();
            let (entity, value) = (called(entity, bundle), called(parent, bundle));
            match vocabulary.type_annotation(&type_name, "told") {
                Some(told) => filled(told, &entity, &value),
                None => format!("{entity} is in {value}"),
            }
        }
        Fact::Value {
            entity,
            path,
            value,
            is_element,
        } => {
            let told = |key: &str| {
                let type_name = entity.as_ref()?.type_name().to_string();
                let attribute = vocabulary.attribute(&type_name, path)?;
                attribute.annotations.get(key).map(String::as_str)
            };
            let name = match entity {
                Some(entity) => called(entity, bundle),
                None => "the request".to_owned(),
            };
            let said = said(value, bundle);
            let told = match value {
                Value::Bool(false) => told("told_not"),
                _ => told("told"),
            };
            match told {
                Some(told) => filled(told, &name, &said),
                None => {
                    let holds = if *is_element { "has" } else { "is" };
                    format!("{} of {name} {holds} {said}", path.join("."))
                }
            }
        }
    }
}

fn filled(told: &str, entity: &str, value: &str) -> String {
    told.replace("{entity}", entity).replace("{value}", value)
}

/// An entity that a policy names goes by its id; of any other, it is enough what it is.
fn called(uid: &EntityUid, bundle: &Bundle) -> String {
    let id = uid.id().unescaped();
    let is_named = bundle
        .policies()
        .iter()
        .any(|policy| policy.named_entities().any(|named| named == *uid));
    match is_named {
        true => id.to_owned(),
        false => format!("the {id}"),
    }
}

fn said(value: &Value, bundle: &Bundle) -> String {
    if let Some(uid) = crate::proof::entity_of(value) {
        return called(&uid, bundle);
    }
    match value.get("__extn").and_then(|call| call.get("arg")) {
        Some(Value::String(text)) => text.clone(),
        _ => match value {
            Value::String(text) => format!("`{text}`"),
            value => value.to_string(),
        },
    }
}
