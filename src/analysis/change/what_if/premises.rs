//! The premises of an answer: its changes in the words of the schema.
//!
//! A sentence comes from the annotation `@told` (for what is false or taken away, `@told_not`) of the
//! attribute, or of the type that something is in.

use std::collections::BTreeSet;

use cedar_policy::{EntityId, EntityUid};
use cedar_policy_core::ast;
use serde_json::Value;

use super::FLAG;
use crate::change::fact::{Stated, Statement};
use tarbac_host::bundle::{Attribute, Kind};
use tarbac_host::engine::Engine;
use tarbac_host::lookup::{Lookup, in_words};

/// How many entities are named of which the same is supposed.
const NAMED: usize = 5;

/// What a state supposes that may not be so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Premises {
    /// The changes as they were typed.
    pub typed: Vec<String>,
    /// What else is otherwise than in the workspace, as it was typed: files and readings.
    pub besides: Vec<String>,
    /// What they make so and was not, a clause each: `Use Intune RBAC is On for contoso`.
    pub says: Vec<String>,
    /// What else there is to know of them, a sentence each without its end: what is so already, and what goes
    /// along with them.
    pub notes: Vec<String>,
}

impl Premises {
    /// Whether nothing is supposed.
    pub fn is_empty(&self) -> bool {
        self.typed.is_empty() && self.besides.is_empty()
    }

    /// Everything as it was typed.
    pub fn all_typed(&self) -> impl Iterator<Item = &str> {
        self.typed.iter().chain(&self.besides).map(String::as_str)
    }

    /// The premises in one sentence, which an answer follows: `If … and …`; those that are so already as they were
    /// typed. None where nothing is supposed.
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

/// Puts what facts state into words: what was not so, and what is so already.
pub(super) fn told(engine: &Engine, names: &Lookup<'_>, stated: &[Stated]) -> [Vec<String>; 2] {
    let teller = Teller { engine, names };
    // What somebody is in may be what another change takes away: where there is one, it is supposed to stay.
    let is_all_so = stated.iter().all(|stated| stated.was_so);
    let is_so = |stated: &&Stated| {
        stated.was_so && (is_all_so || !matches!(stated.what, Statement::In(..)))
    };
    let (already, new): (Vec<&Stated>, Vec<&Stated>) = stated.iter().partition(is_so);
    let so = teller.sentences(already.iter().copied().map(Clause::from));
    let mut notes: Vec<String> = so.iter().map(|says| format!("{says} already")).collect();
    let standing = teller.standing(&already, &new);
    if !standing.is_empty() {
        notes.push(format!("still: {}", standing.join("; ")));
    }
    [teller.sentences(new.into_iter().map(Clause::from)), notes]
}

/// What a clause is about.
struct Clause<'s> {
    entity: EntityUid,
    what: &'s Statement,
}

impl<'s> From<&'s Stated> for Clause<'s> {
    fn from(stated: &'s Stated) -> Self {
        Self {
            entity: stated.entity.clone(),
            what: &stated.what,
        }
    }
}

struct Teller<'a> {
    engine: &'a Engine,
    names: &'a Lookup<'a>,
}

impl Teller<'_> {
    /// The sentences of clauses; entities of which a flag says the same are told of together.
    fn sentences<'s>(&self, clauses: impl Iterator<Item = Clause<'s>>) -> Vec<String> {
        let mut groups: Vec<(Statement, String, Vec<String>)> = Vec::new();
        for clause in clauses {
            let type_name = clause.entity.type_name().to_string();
            let name = self.names.call(&clause.entity);
            let is_flag = match clause.what {
                Statement::Is(path, _) => {
                    let attribute = self.attribute(&clause.entity, path);
                    // What begins with the name is a sentence about one.
                    let is_of_many = |of: &Attribute| {
                        let told = of.annotations.get("told");
                        told.is_some_and(|told| !told.starts_with("{entity}"))
                    };
                    let flag = attribute.filter(|of| of.annotations.contains_key(FLAG));
                    flag.is_some_and(is_of_many)
                }
                _ => false,
            };
            let known = groups
                .iter_mut()
                .find(|(what, of_type, _)| is_flag && what == clause.what && *of_type == type_name);
            match known {
                Some((.., names)) => names.push(name),
                None => groups.push((clause.what.clone(), type_name, vec![name])),
            }
        }
        let groups = groups.into_iter();
        groups
            .map(|(what, type_name, names)| self.sentence(&what, &type_name, &listed(&names)))
            .collect()
    }

    fn attribute(&self, entity: &EntityUid, path: &[String]) -> Option<&Attribute> {
        let vocabulary = self.engine.bundle().vocabulary();
        vocabulary.attribute(&entity.type_name().to_string(), path)
    }

    /// One sentence about what is called so.
    fn sentence(&self, what: &Statement, type_name: &str, called: &str) -> String {
        let vocabulary = self.engine.bundle().vocabulary();
        let annotation = |path: &[String], key: &str| {
            let attribute = vocabulary.attribute(type_name, path)?;
            attribute.annotations.get(key).map(String::as_str)
        };
        match what {
            Statement::Made => format!("there is {called}"),
            Statement::Is(path, None) => format!("{called} has no {}", path.join(".")),
            Statement::Is(path, Some(value)) => {
                let value_said = self.said(value);
                let told = match value {
                    Value::Bool(false) => annotation(path, "told_not"),
                    _ => annotation(path, "told"),
                };
                match told {
                    Some(told) => filled(told, called, &value_said),
                    None => format!("{} of {called} is {value_said}", path.join(".")),
                }
            }
            Statement::Contains(path, element, contained) => {
                let element = self.said(element);
                let told = match annotation(path, "told") {
                    Some(told) => filled(told, called, &element),
                    None => format!("{} of {called} has {element}", path.join(".")),
                };
                not_unless(*contained, told)
            }
            Statement::In(group, is_in) => {
                let told = vocabulary.type_annotation(&group.type_name().to_string(), "told");
                let name = self.names.call(group);
                let told = match told {
                    Some(told) => filled(told, called, &name),
                    None => format!("{called} is in the {} {name}", in_words(group.type_name())),
                };
                not_unless(*is_in, told)
            }
        }
    }

    fn said(&self, value: &Value) -> String {
        match (entity_of(value), value) {
            (Some(uid), _) => self.names.call(&uid),
            (None, Value::String(text)) => text.clone(),
            (None, value) => value.to_string(),
        }
    }

    /// What other flags say of whatever stands beside that of which a flag is so already: of the entities that it
    /// names and of those that name it; but for what is supposed.
    fn standing(&self, already: &[&Stated], new: &[&Stated]) -> Vec<String> {
        let vocabulary = self.engine.bundle().vocabulary();
        let directory = self.engine.directory();
        let flagged = |type_name: &str| {
            let attributes = vocabulary.attributes(type_name).into_iter().flatten();
            attributes.filter(|(_, attribute)| {
                attribute.kind == Kind::Bool && attribute.annotations.contains_key(FLAG)
            })
        };
        // Only a flag is about what decides; a fact may be about anything.
        let of_flags = already.iter().filter(|stated| {
            let Statement::Is(path, _) = &stated.what else {
                return false;
            };
            let attribute = self.attribute(&stated.entity, path);
            attribute.is_some_and(|of| of.annotations.contains_key(FLAG))
        });
        let mut beside: BTreeSet<EntityUid> = BTreeSet::new();
        for stated in of_flags {
            let Some(row) = directory.row(&stated.entity) else {
                continue;
            };
            beside.extend(directory.references(row).map(|row| directory.uid(row)));
            let kind = Kind::Entity(stated.entity.type_name().to_string());
            for type_name in vocabulary.type_names() {
                let attributes = vocabulary.attributes(type_name).into_iter().flatten();
                let naming = attributes.filter(|(_, attribute)| attribute.kind == kind);
                let naming: Vec<&String> = naming.map(|(name, _)| name).collect();
                let Ok(of_type) = type_name.parse() else {
                    continue;
                };
                if naming.is_empty() || flagged(type_name).next().is_none() {
                    continue;
                }
                let names_it = |other: &tarbac_store::Row| {
                    let mut naming = naming.iter();
                    naming.any(|name| directory.attribute_entity(*other, name) == Some(row))
                };
                let rows = directory.rows_of(&of_type).filter(names_it);
                beside.extend(rows.map(|row| directory.uid(row)));
            }
        }
        let mut standing: Vec<(EntityUid, Statement)> = Vec::new();
        for uid in beside {
            for (name, _) in flagged(&uid.type_name().to_string()) {
                let is_it = |stated: &&Stated| {
                    let of = match &stated.what {
                        Statement::Is(path, _) => path.as_slice() == [name.as_str()],
                        _ => false,
                    };
                    of && stated.entity == uid
                };
                if already.iter().chain(new).any(is_it) {
                    continue;
                }
                if let Some(value) = self.boolean(&uid, name) {
                    let value = Some(Value::Bool(value));
                    standing.push((uid.clone(), Statement::Is(vec![name.clone()], value)));
                }
            }
        }
        self.sentences(standing.iter().map(|(entity, what)| Clause {
            entity: entity.clone(),
            what,
        }))
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

/// The entity that a value is, as Cedar's JSON has it.
fn entity_of(value: &Value) -> Option<EntityUid> {
    let value = value.get("__entity").unwrap_or(value);
    let type_name = value.get("type")?.as_str()?.parse().ok()?;
    let id = EntityId::new(value.get("id")?.as_str()?);
    Some(EntityUid::from_type_name_and_id(type_name, id))
}

fn not_unless(is_so: bool, told: String) -> String {
    match is_so {
        true => told,
        false => format!("it is no longer so that {told}"),
    }
}

fn filled(told: &str, entity: &str, value: &str) -> String {
    told.replace("{entity}", entity).replace("{value}", value)
}

/// The first of these names, and how many more there are.
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
