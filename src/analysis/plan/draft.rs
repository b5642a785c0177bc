//! The policies and memberships that a plan proposes, and the engine with them.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::{EntityId, EntityTypeName, EntityUid};
use serde_json::{Value, json};

use super::PlannedFile;
use super::policy_text::{NewRole, policy_id};
use crate::change::fact::{self, Fact};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};
use tarbac_host::assembly;
use tarbac_host::bundle::Switches;
use tarbac_host::engine::Engine;
use tarbac_host::lookup::Lookup;
use tarbac_store::GivenEntity;

/// A draft of role changes.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Files of policies; a policy in them replaces the one with its id.
    pub files: Vec<Arc<Source>>,
    /// The ids of the policies that are removed.
    pub dropped: BTreeSet<String>,
    facts: Vec<(String, Value)>,
    created: BTreeSet<EntityUid>,
}

impl Draft {
    /// A new entity of a type.
    pub(super) fn fresh(
        &self,
        engine: &Engine,
        type_name: &EntityTypeName,
        name: &str,
    ) -> EntityUid {
        let of_id =
            |id: String| EntityUid::from_type_name_and_id(type_name.clone(), EntityId::new(id));
        let numbered = (2..).map(|number| of_id(format!("{name} ({number})")));
        let mut all = std::iter::once(of_id(name.to_owned())).chain(numbered);
        let is_free = |uid: &EntityUid| {
            let policy = policy_id(uid);
            engine.directory().row(uid).is_none()
                && engine.bundle().policy(&policy).is_none()
                && self
                    .created
                    .iter()
                    .all(|created| policy_id(created) != policy)
        };
        all.find(is_free).unwrap_or_else(|| of_id(String::new()))
    }

    /// Makes a role without permissions.
    pub(super) fn make(&mut self, role: &EntityUid) {
        self.facts.push((role.to_string(), json!({})));
        self.created.insert(role.clone());
    }

    /// Makes a role with its policy, and returns the file; none without permissions.
    pub(super) fn make_with(&mut self, role: &NewRole<'_>) -> Vec<PlannedFile> {
        self.make(role.uid);
        if role.actions.is_empty() {
            return Vec::new();
        }
        let file = role.file();
        self.files
            .push(Source::held(file.path.clone(), file.text.clone()));
        vec![file]
    }

    /// Makes an entity a member of a group, or assigns it a role.
    pub(super) fn join(&mut self, uid: &EntityUid, group: &EntityUid) {
        self.facts
            .push((format!("{uid} in {group}"), Value::Bool(true)));
    }

    /// Removes an entity from a parent.
    pub(super) fn leave(&mut self, uid: &EntityUid, group: &EntityUid) {
        self.facts
            .push((format!("{uid} in {group}"), Value::Bool(false)));
    }

    /// The state with these changes.
    ///
    /// # Errors
    /// The changes cannot be made, which is a bug of the planner.
    pub(super) fn applied(&self, engine: &Engine) -> Result<Engine, Vec<Finding>> {
        let switches = as_in(engine);
        let wrong = |error: tarbac_host::bundle::UnknownReading| {
            vec![Finding::error(code::what_if::PLAN, error.to_string())]
        };
        let bundle = engine.bundle().with(&self.files, &self.dropped)?;
        let directory = Arc::clone(engine.directory());
        let changed = Engine::new(Arc::new(bundle), directory, &switches).map_err(wrong)?;
        if self.facts.is_empty() {
            return Ok(changed);
        }
        let (entities, findings) = entities(engine, &self.facts);
        if !findings.is_empty() {
            return Err(findings);
        }
        let (changed, findings) =
            assembly::with_entities(&changed, &entities, &switches).map_err(wrong)?;
        changed.ok_or(findings)
    }
}

/// Whether the schema and the entities allow the assignment of a role, which may be new, to a person.
pub(super) fn can_have(engine: &Engine, uid: &EntityUid, role: &EntityUid) -> bool {
    let mut draft = Draft::default();
    draft.make(role);
    draft.join(uid, role);
    entities(engine, &draft.facts).1.is_empty()
}

fn entities(engine: &Engine, facts: &[(String, Value)]) -> (Vec<GivenEntity>, Vec<Finding>) {
    let source = Source::held("the plan", "");
    let fact = |(expression, value): &(String, Value)| Fact {
        expression: expression.clone(),
        value: value.clone(),
        place: Place::new(&source, 0..0),
        map: (source.name.clone(), 0),
    };
    let facts: Vec<Fact> = facts.iter().map(fact).collect();
    fact::entities(engine, &Lookup::new(engine), &facts, &code::what_if::PLAN)
}

/// The switches under which the readings are those of an engine.
fn as_in(engine: &Engine) -> Switches {
    let on = engine.readings().to_vec();
    let all = engine.bundle().readings().iter();
    let off = all.map(|reading| reading.name.clone());
    Switches {
        off: off.filter(|name| !on.contains(name)).collect(),
        on,
    }
}
