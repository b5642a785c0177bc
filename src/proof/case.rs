//! A counterexample as a case of a suite, so that it is not forgotten: the case fails as long as the
//! spec is refuted.

use std::collections::BTreeMap;

use cedar_policy::EntityUid;
use serde_json::{Map, Value, json};

use super::spec::Says;
use super::world::{Element, World, as_entity};
use super::{Counterexample, Prover, Tried};
use crate::decision::Decision;
use crate::suite::{CaseText, SuiteText};

impl Prover<'_> {
    /// The counterexamples of a spec as the text of a suite; `None` where it has none, or none that
    /// a directory can have. `exists` says of an entity that the directory has it: its attributes
    /// are given one by one.
    pub fn suite_of(
        &self,
        tried: &Tried<'_>,
        exists: &dyn Fn(&EntityUid) -> bool,
    ) -> Option<String> {
        let spec = tried.spec;
        let cases: Vec<CaseText> = tried
            .refutations()
            .filter(|(_, counterexample)| counterexample.is_possible)
            .map(|(environment, counterexample)| {
                let action = self.bundle.vocabulary().action(&environment.action);
                let asked = action.map_or("", |action| action.short_name());
                let said = spec.doc().unwrap_or(spec.id());
                let world = &counterexample.world;
                CaseText {
                    name: format!("{said} ({asked})"),
                    given: given(world, exists),
                    principal: world.principal.to_string(),
                    action: match action.is_some_and(|action| action.is_question()) {
                        true => world.action.to_string(),
                        false => world.action.id().unescaped().to_owned(),
                    },
                    resource: world.resource.to_string(),
                    context: world.context.clone(),
                    expect: expected(&spec.says, counterexample).word(),
                    because: None,
                }
            })
            .collect();
        if cases.is_empty() {
            return None;
        }
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
        let text = SuiteText {
            suite: format!("Counterexamples of {}", spec.id()),
            readings,
            cases,
        };
        serde_saphyr::to_string(&text).ok()
    }
}

/// What is not decided so today.
fn expected(says: &Says, counterexample: &Counterexample) -> Decision {
    match (says, &counterexample.other) {
        (Says::Allowed, _) => Decision::Allow,
        (Says::Refused, _) => Decision::Deny,
        (Says::SameWhatever(_) | Says::SameUnderReading(_), Some(other)) => other.decision,
        (Says::SameWhatever(_) | Says::SameUnderReading(_), None) => {
            counterexample.outcome.decision
        }
    }
}

/// A world as facts: each entity after those that it names.
fn given(world: &World, exists: &dyn Fn(&EntityUid) -> bool) -> Map<String, Value> {
    let mut facts = Map::new();
    let mut done = Vec::new();
    for uid in world.entities.keys() {
        make(uid, world, exists, &mut done, &mut facts);
    }
    for (uid, element) in &world.entities {
        for parent in &element.parents {
            facts.insert(format!("{uid} in {parent}"), json!(true));
        }
    }
    facts
}

fn make(
    uid: &EntityUid,
    world: &World,
    exists: &dyn Fn(&EntityUid) -> bool,
    done: &mut Vec<EntityUid>,
    facts: &mut Map<String, Value>,
) {
    if done.contains(uid) {
        return;
    }
    done.push(uid.clone());
    let Some(Element { attributes, .. }) = world.entities.get(uid) else {
        return;
    };
    for named in world.named_by(uid) {
        make(&named, world, exists, done, facts);
    }
    match exists(uid) {
        true => facts.extend(
            attributes
                .iter()
                .map(|(name, value)| (format!("{uid}.{name}"), plain(value))),
        ),
        false => drop(facts.insert(uid.to_string(), plain(&json!(attributes)))),
    }
}

/// A value as a suite has it: entities by their uids.
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
