//! Facts that changes stand for.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::ast;
use serde_json::Value;

use super::roles::{holder_and_role, leading};
use super::{Change, ChangeId, Changes, FLAG, place, unknown_name};
use crate::change::fact::{Fact, FactId};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Place;
use tarbac_host::bundle::Kind;
use tarbac_host::engine::Engine;
use tarbac_host::lookup::{Lookup, Name, NameError};
use tarbac_store::index::IndexVec;

/// The arguments that a flag takes: a value for all entities that have the attribute, and `NAME=VALUE` for each; the
/// value is left out if it is neither `on` nor `off`.
pub fn settings(engine: &Engine, flag: &str) -> Vec<String> {
    let Ok((of_type, attribute)) = flagged(engine, flag) else {
        return Vec::new();
    };
    let vocabulary = engine.bundle().vocabulary();
    let kind = vocabulary.attribute(&of_type.to_string(), std::slice::from_ref(&attribute));
    let values: &[&str] = match kind.map(|of| &of.kind) {
        Some(Kind::Bool) => &["on", "off"],
        _ => &[""],
    };
    let names = Lookup::new(engine);
    let of_all = values.iter().filter(|value| !value.is_empty());
    let mut settings: Vec<String> = of_all.map(|value| (*value).to_owned()).collect();
    for uid in names.all_of_type(&of_type) {
        let name = names.name_of(&uid);
        settings.extend(values.iter().map(|value| format!("{name}={value}")));
    }
    settings
}

/// The facts that changes stand for.
pub(super) struct Facts {
    pub(super) facts: Vec<Fact>,
    /// For each fact, its change.
    pub(super) changes: IndexVec<FactId, ChangeId>,
    /// Findings for invalid changes.
    pub(super) findings: Vec<Finding>,
}

/// The facts of changes. A flag for one entity wins over the same flag for all; equal facts are kept once.
pub(super) fn facts(engine: &Engine, names: &Lookup<'_>, changes: &Changes<'_>) -> Facts {
    let mut all = Facts {
        facts: Vec::new(),
        changes: IndexVec::new(),
        findings: Vec::new(),
    };
    let mut for_one: HashSet<(&str, String)> = HashSet::new();
    let mut known: HashMap<String, Vec<Value>> = HashMap::new();
    let indexed = changes.iter_enumerated();
    let (of_all, of_one): (Vec<_>, Vec<_>) = indexed.partition(|(_, change)| change.is_for_all());
    for (index, change) in of_one.into_iter().chain(of_all) {
        let facts = facts_of(engine, names, change, &place(change));
        let facts = facts.unwrap_or_else(|finding| {
            let finding = finding.label(place(change), "this change");
            all.findings.push(finding);
            Vec::new()
        });
        for fact in facts {
            if let Change::Flag { flag, .. } = change {
                let of_flag = (flag.as_str(), fact.expression.clone());
                match change.is_for_all() {
                    true if for_one.contains(&of_flag) => continue,
                    true => {}
                    false => {
                        for_one.insert(of_flag);
                    }
                }
            }
            let values = known.entry(fact.expression.clone()).or_default();
            if !values.contains(&fact.value) {
                values.push(fact.value.clone());
                all.facts.push(fact);
                all.changes.push(index);
            }
        }
    }
    all
}

/// The facts of one change.
fn facts_of(
    engine: &Engine,
    names: &Lookup<'_>,
    change: &Change,
    place: &Place,
) -> Result<Vec<Fact>, Box<Finding>> {
    let fact = |expression: String, value: Value| Fact {
        expression,
        value,
        place: place.clone(),
        // All changes count as one map, in which a repeated statement is an error.
        map: (place.source.name.clone(), 0),
    };
    match change {
        Change::Flag { flag, value } => {
            let (name, value) = match value.rsplit_once('=') {
                Some((name, value)) => (Some(name), value),
                None => (None, value.as_str()),
            };
            let (of_type, attribute) = flagged(engine, flag)?;
            let entities = match name {
                Some(name) => vec![
                    names
                        .of_type(&of_type, &Name::from(name))
                        .map_err(unknown_name)?,
                ],
                None => entities_of(engine, &of_type),
            };
            let facts = entities
                .iter()
                .map(|uid| fact(format!("{uid}.{attribute}"), read(value)));
            Ok(facts.collect())
        }
        Change::Set(text) => {
            let (expression, value) = set(names, text)?;
            Ok(vec![fact(expression, value)])
        }
        Change::Grant(text) => {
            let (uid, role) = holder_and_role(engine, names, text)?;
            Ok(vec![fact(format!("{uid} in {role}"), Value::Bool(true))])
        }
        Change::Revoke(text) => {
            let (uid, role) = holder_and_role(engine, names, text)?;
            let leading = leading(engine, &uid, &role);
            if leading.is_empty() {
                let message = format!("{} does not have that role", names.name_of(&uid));
                return Err(Box::new(Finding::error(code::what_if::CHANGE, message)));
            }
            let left = leading
                .iter()
                .map(|group| fact(format!("{uid} in {group}"), Value::Bool(false)));
            Ok(left.collect())
        }
    }
}

/// The first type and attribute of the schema with this flag.
fn flagged(engine: &Engine, flag: &str) -> Result<(EntityTypeName, String), Box<Finding>> {
    let vocabulary = engine.bundle().vocabulary();
    let mut found = vocabulary.type_names().flat_map(|type_name| {
        let attributes = vocabulary.attributes(type_name).into_iter().flatten();
        attributes
            .filter(|(_, attribute)| {
                attribute.annotations.get(FLAG).map(String::as_str) == Some(flag)
            })
            .filter_map(|(name, _)| Some((type_name.parse().ok()?, name.clone())))
    });
    found.next().ok_or_else(|| {
        let message = format!("no attribute of the schema is set by --{flag}");
        let help = format!("annotate the attribute with @flag(\"{flag}\"), or use --set");
        Box::new(Finding::error(code::what_if::CHANGE, message).help(help))
    })
}

pub(super) fn entities_of(engine: &Engine, type_name: &EntityTypeName) -> Vec<EntityUid> {
    let directory = engine.directory();
    let rows = directory.rows_of(type_name);
    rows.map(|row| directory.uid(row)).collect()
}

/// The expression and the value of `FACT=VALUE`.
fn set(names: &Lookup<'_>, text: &str) -> Result<(String, Value), Box<Finding>> {
    let mut first_error = None;
    // Ids and values may have equals signs: a fact is text that Cedar can parse, or that has names in it.
    for (fact, value) in splits(text, "=") {
        if ast::Expr::from_str(fact).is_ok() {
            return Ok((fact.to_owned(), read(value)));
        }
        for found in with_names(names, fact) {
            match found {
                Ok(expression) => return Ok((expression, read(value))),
                Err(error @ NameError::Ambiguous { .. }) => return Err(unknown_name(error)),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
    }
    Err(match first_error {
        Some(error) => unknown_name(names.suggest(error, None)),
        None => {
            let message = "write an attribute, an equals sign, and the new value";
            let help = "for example --set 'P01.version=2403'";
            Box::new(Finding::error(code::what_if::CHANGE, message).help(help))
        }
    })
}

/// The Cedar expressions that a fact with names may stand for: `NAME has ATTRIBUTE`, `NAME in NAME`, and `NAME.PATH`.
/// Names may contain any of these signs, so each occurrence is tried.
fn with_names(names: &Lookup<'_>, fact: &str) -> Vec<Result<String, NameError>> {
    let named = |name: &str| entity(names, &Name::from(name.trim()));
    // The longest name comes first.
    let dotted = |fact: &str| -> Vec<Result<String, NameError>> {
        let splits: Vec<_> = splits(fact, ".").collect();
        let found = splits.into_iter().rev();
        let found = found.map(|(name, path)| Ok(format!("{}.{path}", named(name)?)));
        found.collect()
    };
    let mut found = Vec::new();
    for (name, attribute) in splits(fact, " has ") {
        let whole = named(name).map(|uid| uid.to_string());
        let has = |subject| format!("{subject} has {}", attribute.trim());
        found.push(whole.map(has));
        found.extend(dotted(name).into_iter().map(|subject| subject.map(has)));
    }
    for (name, group) in splits(fact, " in ") {
        let both = named(name).and_then(|uid| Ok(format!("{uid} in {}", named(group)?)));
        found.push(both);
    }
    found.extend(dotted(fact));
    found
}

/// The entity of a name; behind a type, as in `Entra::Group::"Service Desk"`, there may be an id or a name.
fn entity(names: &Lookup<'_>, name: &Name) -> Result<EntityUid, NameError> {
    let found = names.entity_of_any_type(name);
    match (&found, name.uid()) {
        (Err(NameError::Unknown { .. }), Some(uid)) => {
            let of_type = names.of_type(uid.type_name(), &Name::from(uid.id().unescaped()));
            of_type.or(found)
        }
        _ => found,
    }
}

/// The texts before and after each occurrence of a sign.
pub(super) fn splits<'a>(text: &'a str, sign: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let found = text.match_indices(sign);
    found.filter_map(|(at, sign)| Some((text.get(..at)?, text.get(at + sign.len()..)?)))
}

/// The value of a typed text: `on` and `off`, JSON, or the text itself.
fn read(text: &str) -> Value {
    match text.to_ascii_lowercase().as_str() {
        "on" => Value::Bool(true),
        "off" => Value::Bool(false),
        _ => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
    }
}
