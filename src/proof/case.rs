//! A counterexample as a case of a suite, so that it is not forgotten: the case fails as long as the
//! spec is refuted.

use std::collections::BTreeMap;

use cedar_policy::EntityUid;
use serde_json::{Map, Value, json};

use super::spec::Says;
use super::world::{Element, World, as_entity};
use super::{Counterexample, Prover, Tried};
use crate::decision::Decision;
use crate::directory::Directory;
use crate::suite::{BecauseText, CaseText, SuiteText};

impl Prover<'_> {
    /// The counterexamples of a spec as the text of a suite; `None` where it has none, or none that
    /// a directory can have. What the directory at hand defines has its attributes given one by one.
    pub fn suite_of(&self, tried: &Tried<'_>, directory: &Directory) -> Option<String> {
        let spec = tried.spec;
        let on = self.readings_of(spec);
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
                    given: given(world, directory),
                    principal: world.principal.to_string(),
                    action: match action.is_some_and(|action| action.is_question()) {
                        true => world.action.to_string(),
                        false => world.action.id().unescaped().to_owned(),
                    },
                    resource: world.resource.to_string(),
                    context: world.context.clone(),
                    expect: expected(&spec.says, counterexample, &on).word(),
                    because: BecauseText::ANY,
                }
            })
            .collect();
        if cases.is_empty() {
            return None;
        }
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

/// What is not decided so today, under these readings.
fn expected(says: &Says, counterexample: &Counterexample, on: &[String]) -> Decision {
    let otherwise = match &counterexample.other {
        Some(other) => other.decision,
        None => counterexample.outcome.decision,
    };
    match says {
        Says::Allowed => Decision::Allow,
        Says::Refused => Decision::Deny,
        Says::SameWhatever(_) => otherwise,
        Says::SameUnderReading(name) => match on.contains(name) {
            true => otherwise,
            false => counterexample.outcome.decision,
        },
    }
}

/// A world as facts: each entity after those that it names.
fn given(world: &World, directory: &Directory) -> Map<String, Value> {
    let mut facts = Map::new();
    let mut done = Vec::new();
    for uid in world.entities.keys() {
        make(uid, world, directory, &mut done, &mut facts);
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
    directory: &Directory,
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
        make(&named, world, directory, done, facts);
    }
    match directory.knows(uid) {
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
