//! Premises: the supposed changes as sentences, by the annotations `@told` of the schema.
//!
//! A sentence comes from the annotation `@told` of an attribute (`@told_not` if the attribute is false), or of the
//! type of a parent.

use std::collections::BTreeSet;

use cedar_policy::{EntityId, EntityUid};
use cedar_policy_core::ast;
use serde_json::Value;

use super::FLAG;
use crate::change::fact::{Assertion, Statement};
use tarbac_host::bundle::{Attribute, Kind};
use tarbac_host::engine::Engine;
use tarbac_host::lookup::{Lookup, in_words};

/// The number of entities that a sentence names.
const NAMED: usize = 5;

/// The assumptions of an answer that differ from the workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Premises {
    /// The changes as they were typed.
    pub typed: Vec<String>,
    /// Other assumptions as they were typed: files and readings.
    pub besides: Vec<String>,
    /// Statements that did not hold before, a clause each: `Use Intune RBAC is On for contoso`.
    pub says: Vec<String>,
    /// Statements that held before and side effects, a sentence each without its full stop.
    pub notes: Vec<String>,
}

impl Premises {
    /// Whether there are no assumptions.
    pub fn is_empty(&self) -> bool {
        self.typed.is_empty() && self.besides.is_empty()
    }

    /// All assumptions as they were typed.
    pub fn all_typed(&self) -> impl Iterator<Item = &str> {
        self.typed.iter().chain(&self.besides).map(String::as_str)
    }

    /// The beginning of a sentence that an answer ends: `If … and …`, or `With …` and the typed changes if all
    /// statements held before. `None` without assumptions.
    pub fn sentence(&self) -> Option<String> {
        let besides = self.besides.join(", ");
        let says = match self.says.as_slice() {
            [] if self.is_empty() => return None,
            [] => {
                let typed: Vec<&str> = self.all_typed().collect();
                return Some(format!("With {}", typed.join(", ")));
            }
            [one] => one.clone(),
            [others @ .., last] => format!("{}, and {last}", others.join(", ")),
        };
        Some(match besides.is_empty() {
            true => format!("If {says}"),
            false => format!("If {says}, with {besides}"),
        })
    }
}

/// The statements of facts in sentences: first those that did not hold before, then notes about those that did.
pub(super) fn in_sentences(
    engine: &Engine,
    names: &Lookup<'_>,
    assertions: &[Assertion],
) -> [Vec<String>; 2] {
    let wording = Wording { engine, names };
    // Another change may end a membership that held before: next to other changes it is stated as a premise.
    let all_held = assertions.iter().all(|of| of.held_before);
    let is_note = |of: &&Assertion| {
        of.held_before && (all_held || !matches!(of.statement, Statement::In(..)))
    };
    let (held, new): (Vec<&Assertion>, Vec<&Assertion>) = assertions.iter().partition(is_note);
    let sentences = wording.sentences(held.iter().copied().map(Clause::from));
    let mut notes: Vec<String> = sentences.iter().map(|of| format!("{of} already")).collect();
    let unchanged = wording.unchanged_flags(&held, &new);
    if !unchanged.is_empty() {
        notes.push(format!("still: {}", unchanged.join("; ")));
    }
    [wording.sentences(new.into_iter().map(Clause::from)), notes]
}

/// A statement about an entity.
struct Clause<'s> {
    entity: EntityUid,
    statement: &'s Statement,
}

impl<'s> From<&'s Assertion> for Clause<'s> {
    fn from(assertion: &'s Assertion) -> Self {
        Self {
            entity: assertion.entity.clone(),
            statement: &assertion.statement,
        }
    }
}

/// The words of the schema for statements.
struct Wording<'a> {
    engine: &'a Engine,
    names: &'a Lookup<'a>,
}

impl Wording<'_> {
    /// The sentences of clauses. Clauses in which a flag has the same value for several entities share one.
    fn sentences<'s>(&self, clauses: impl Iterator<Item = Clause<'s>>) -> Vec<String> {
        let mut groups: Vec<(Statement, String, Vec<String>)> = Vec::new();
        for clause in clauses {
            let type_name = clause.entity.type_name().to_string();
            let name = self.names.name_of(&clause.entity);
            let can_share = match clause.statement {
                Statement::Is(path, _) => {
                    let attribute = self.attribute(&clause.entity, path);
                    // A sentence that begins with the name is about one entity.
                    let is_for_many = |attribute: &Attribute| {
                        let text = attribute.annotations.get("told");
                        text.is_some_and(|text| !text.starts_with("{entity}"))
                    };
                    let flag = attribute.filter(|of| of.annotations.contains_key(FLAG));
                    flag.is_some_and(is_for_many)
                }
                _ => false,
            };
            let known = groups.iter_mut().find(|(statement, of_type, _)| {
                can_share && statement == clause.statement && *of_type == type_name
            });
            match known {
                Some((.., names)) => names.push(name),
                None => groups.push((clause.statement.clone(), type_name, vec![name])),
            }
        }
        let sentence = |(statement, type_name, names): (Statement, String, Vec<String>)| {
            self.sentence(&statement, &type_name, &listed(&names))
        };
        groups.into_iter().map(sentence).collect()
    }

    fn attribute(&self, entity: &EntityUid, path: &[String]) -> Option<&Attribute> {
        let vocabulary = self.engine.bundle().vocabulary();
        vocabulary.attribute(&entity.type_name().to_string(), path)
    }

    /// The sentence of a statement about the entity or entities that `subject` names.
    fn sentence(&self, statement: &Statement, type_name: &str, subject: &str) -> String {
        let vocabulary = self.engine.bundle().vocabulary();
        let annotation = |path: &[String], key: &str| {
            let attribute = vocabulary.attribute(type_name, path)?;
            attribute.annotations.get(key).map(String::as_str)
        };
        match statement {
            Statement::Exists => format!("there is {subject}"),
            Statement::Is(path, None) => format!("{subject} has no {}", path.join(".")),
            Statement::Is(path, Some(value)) => {
                let text = match value {
                    Value::Bool(false) => annotation(path, "told_not"),
                    _ => annotation(path, "told"),
                };
                let value = self.value(value);
                match text {
                    Some(text) => filled(text, subject, &value),
                    None => format!("{} of {subject} is {value}", path.join(".")),
                }
            }
            Statement::Contains(path, element, is_contained) => {
                let element = self.value(element);
                let sentence = match annotation(path, "told") {
                    Some(text) => filled(text, subject, &element),
                    None => format!("{} of {subject} has {element}", path.join(".")),
                };
                not_unless(*is_contained, sentence)
            }
            Statement::In(group, is_in) => {
                let text = vocabulary.type_annotation(&group.type_name().to_string(), "told");
                let name = self.names.name_of(group);
                let sentence = match text {
                    Some(text) => filled(text, subject, &name),
                    None => format!("{subject} is in the {} {name}", in_words(group.type_name())),
                };
                not_unless(*is_in, sentence)
            }
        }
    }

    fn value(&self, value: &Value) -> String {
        match (entity_of(value), value) {
            (Some(uid), _) => self.names.name_of(&uid),
            (None, Value::String(text)) => text.clone(),
            (None, value) => value.to_string(),
        }
    }

    /// The Boolean attributes of a type with a flag.
    fn flags(&self, type_name: &str) -> impl Iterator<Item = &String> {
        let vocabulary = self.engine.bundle().vocabulary();
        let attributes = vocabulary.attributes(type_name).into_iter().flatten();
        let flags = attributes.filter(|(_, attribute)| {
            attribute.kind == Kind::Bool && attribute.annotations.contains_key(FLAG)
        });
        flags.map(|(name, _)| name)
    }

    /// Sentences about flags that may decide instead where a stated flag makes no difference: flags of the entities
    /// that its entity refers to or that refer to it, unless an assertion is about them.
    fn unchanged_flags(&self, held: &[&Assertion], new: &[&Assertion]) -> Vec<String> {
        let mut related: BTreeSet<EntityUid> = BTreeSet::new();
        for assertion in held {
            let Statement::Is(path, _) = &assertion.statement else {
                continue;
            };
            let attribute = self.attribute(&assertion.entity, path);
            if attribute.is_some_and(|of| of.annotations.contains_key(FLAG)) {
                related.extend(self.related(&assertion.entity));
            }
        }
        let mut unchanged: Vec<(EntityUid, Statement)> = Vec::new();
        for uid in related {
            for name in self.flags(&uid.type_name().to_string()) {
                let is_stated = |of: &&Assertion| match &of.statement {
                    Statement::Is(path, _) => {
                        of.entity == uid && path.as_slice() == [name.as_str()]
                    }
                    _ => false,
                };
                if held.iter().chain(new).any(is_stated) {
                    continue;
                }
                if let Some(value) = self.boolean(&uid, name) {
                    let value = Some(Value::Bool(value));
                    unchanged.push((uid.clone(), Statement::Is(vec![name.clone()], value)));
                }
            }
        }
        self.sentences(unchanged.iter().map(|(entity, statement)| Clause {
            entity: entity.clone(),
            statement,
        }))
    }

    /// The entities that an entity refers to, and those with a flag that refer to it.
    fn related(&self, uid: &EntityUid) -> Vec<EntityUid> {
        let vocabulary = self.engine.bundle().vocabulary();
        let directory = self.engine.directory();
        let Some(row) = directory.row(uid) else {
            return Vec::new();
        };
        let references = directory.references(row).map(|row| directory.uid(row));
        let mut related: Vec<EntityUid> = references.collect();
        let kind = Kind::Entity(uid.type_name().to_string());
        for type_name in vocabulary.type_names() {
            let attributes = vocabulary.attributes(type_name).into_iter().flatten();
            let referring = attributes.filter(|(_, attribute)| attribute.kind == kind);
            let referring: Vec<&String> = referring.map(|(name, _)| name).collect();
            let Ok(of_type) = type_name.parse() else {
                continue;
            };
            if referring.is_empty() || self.flags(type_name).next().is_none() {
                continue;
            }
            let refers = |other: &tarbac_store::Row| {
                let mut referring = referring.iter();
                referring.any(|name| directory.attribute_entity(*other, name) == Some(row))
            };
            let rows = directory.rows_of(&of_type).filter(refers);
            related.extend(rows.map(|row| directory.uid(row)));
        }
        related
    }

    fn boolean(&self, uid: &EntityUid, attribute: &str) -> Option<bool> {
        let directory = self.engine.directory();
        let entity = directory.entity(directory.row(uid)?);
        match entity.get(attribute)? {
            ast::PartialValue::Value(value) => match value.value_kind() {
                ast::ValueKind::Lit(ast::Literal::Bool(bool)) => Some(*bool),
                _ => None,
            },
            ast::PartialValue::Residual(_) => None,
        }
    }
}

/// The entity that a value of Cedar's JSON refers to.
fn entity_of(value: &Value) -> Option<EntityUid> {
    let value = value.get("__entity").unwrap_or(value);
    let type_name = value.get("type")?.as_str()?.parse().ok()?;
    let id = EntityId::new(value.get("id")?.as_str()?);
    Some(EntityUid::from_type_name_and_id(type_name, id))
}

fn not_unless(holds: bool, sentence: String) -> String {
    match holds {
        true => sentence,
        false => format!("it is no longer so that {sentence}"),
    }
}

/// The text of an annotation with its placeholders filled.
fn filled(text: &str, entity: &str, value: &str) -> String {
    text.replace("{entity}", entity).replace("{value}", value)
}

/// The first of these names, and the number of further ones.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        names if names.len() > NAMED => {
            let first = names.get(..NAMED).unwrap_or(names);
            format!(
                "{} and {} more",
                first.join(", "),
                names.len() - first.len()
            )
        }
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}
