//! Changes of a workspace that are thought through before they are made.
//!
//! A change is a fact that is given, as in the suites: the engine after it is that of the same
//! policies with the entities changed, and holds them to the schema like everything else. Which
//! attribute a flag of the command line sets is said by the schema (`@flag`).

use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{EntityId, EntityTypeName, EntityUid};
use cedar_policy_core::ast;
use serde_json::Value;

use crate::assembly;
use crate::bundle::Switches;
use crate::engine::Engine;
use crate::finding::Finding;
use crate::given::{self, Fact};
use crate::names::{Name, NameError, Names};
use crate::role::role_type;
use crate::source::{Place, Source};

/// The annotation of an attribute with the name of the flag that sets it.
const FLAG: &str = "flag";

const CODE: &str = "what_if::change";

/// A change of the entities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// `VALUE` or `NAME=VALUE`: gives a value to the attribute of this `@flag`, of everything that has it or
    /// of the one of that name.
    Flag {
        /// The flag, for example `use-intune-rbac`.
        flag: String,
        /// The value, with the name before it if there is one.
        value: String,
    },
    /// `FACT=VALUE`: a fact of Cedar's, such as `Entra::User::"ada".cloudOnly`, and its value. In place of
    /// the entity there may be what people call it, as in `ada@contoso.example.cloudOnly`.
    Set(String),
    /// `NAME=ROLE`: gives a role to a person or group.
    Grant(String),
    /// `NAME=ROLE`: takes a person or group out of everything through which it has a role.
    Revoke(String),
}

impl Change {
    /// The change as it is typed.
    fn typed(&self) -> String {
        match self {
            Self::Flag { flag, value } => format!("--{flag} {value}"),
            Self::Set(text) => format!("--set {text}"),
            Self::Grant(text) => format!("--grant {text}"),
            Self::Revoke(text) => format!("--revoke {text}"),
        }
    }
}

/// The engine after changes; without any, under these switches only.
///
/// # Errors
/// A change cannot be made, about which there are findings: it names nobody or nothing, or what it makes is
/// not what the schema allows.
pub fn after(
    engine: &Engine,
    changes: &[Change],
    switches: &Switches,
) -> Result<Engine, Vec<Finding>> {
    let names = Names::of(engine);
    let mut facts = Vec::new();
    let mut findings = Vec::new();
    for change in changes {
        let source = Source::held("the command line", change.typed());
        match facts_of(engine, &names, change, &source) {
            Ok(of_change) => facts.extend(of_change),
            Err(finding) => findings.push(label(*finding, &source)),
        }
    }
    let (entities, wrong) = given::entities(engine, &names, &facts, CODE);
    findings.extend(wrong);
    if !findings.is_empty() {
        return Err(findings);
    }
    let unknown =
        |error: crate::bundle::UnknownReading| vec![Finding::error(CODE, error.to_string())];
    if facts.is_empty() {
        return engine.under(switches).map_err(unknown);
    }
    let (changed, findings) =
        assembly::with_entities(engine, &entities, switches).map_err(unknown)?;
    // What the reader says is about entities that stand in no file.
    changed.ok_or_else(|| {
        let without_places = findings.into_iter().map(|finding| Finding {
            code: CODE.to_owned(),
            message: format!("the change cannot be made: {}", finding.message),
            labels: Vec::new(),
            ..finding
        });
        without_places.collect()
    })
}

fn label(finding: Finding, source: &Arc<Source>) -> Finding {
    finding.label(whole(source), "this change")
}

fn whole(source: &Arc<Source>) -> Place {
    Place::new(source, 0..source.text().len())
}

/// The facts that a change gives.
fn facts_of(
    engine: &Engine,
    names: &Names<'_>,
    change: &Change,
    source: &Arc<Source>,
) -> Result<Vec<Fact>, Box<Finding>> {
    let fact = |expression: String, value: Value| Fact {
        expression,
        value,
        place: whole(source),
        // One change may well give what another gives otherwise: the last holds.
        map: (source.text().to_owned(), 0),
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
                        .map_err(unnamed)?,
                ],
                None => everything(engine, &of_type),
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
            let (uid, role) = holding(engine, names, text)?;
            Ok(vec![fact(format!("{uid} in {role}"), Value::Bool(true))])
        }
        Change::Revoke(text) => {
            let (uid, role) = holding(engine, names, text)?;
            let leading = leading(engine, &uid, &role);
            if leading.is_empty() {
                let message = format!("{} does not have that role", names.call(&uid));
                return Err(Box::new(Finding::error(CODE, message)));
            }
            let left = leading
                .iter()
                .map(|group| fact(format!("{uid} in {group}"), Value::Bool(false)));
            Ok(left.collect())
        }
    }
}

/// The type and the attribute with this flag.
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
        Box::new(Finding::error(CODE, message).help(help))
    })
}

fn everything(engine: &Engine, type_name: &EntityTypeName) -> Vec<EntityUid> {
    let directory = engine.directory();
    let rows = directory.rows_of(type_name);
    rows.map(|row| directory.uid(row)).collect()
}

/// The person or group and the role that `NAME=ROLE` names.
fn holding(
    engine: &Engine,
    names: &Names<'_>,
    text: &str,
) -> Result<(EntityUid, EntityUid), Box<Finding>> {
    let wrong = |message: &str| Box::new(Finding::error(CODE, message));
    let (who, role) = text
        .split_once('=')
        .ok_or_else(|| wrong("write the person or group, an equals sign, and the role"))?;
    let of_type = role_type(engine.bundle().vocabulary())
        .ok_or_else(|| wrong("the schema does not say which of its types is that of roles"))?;
    let who = Name::from(who);
    let who = names
        .any_principal(&who)
        .or_else(|error| {
            names.entity_of_any_type(&who).map_err(|other| match other {
                NameError::Ambiguous { .. } => other,
                _ => names.suggest(error, None),
            })
        })
        .map_err(unnamed)?;
    let by_id = EntityUid::from_type_name_and_id(of_type.clone(), EntityId::new(role));
    match engine.directory().knows(&by_id) {
        true => Ok((who, by_id)),
        false => Ok((
            who,
            names
                .of_type(&of_type, &Name::from(role))
                .map_err(unnamed)?,
        )),
    }
}

/// The direct parents of an entity through which it is in a group.
fn leading(engine: &Engine, uid: &EntityUid, group: &EntityUid) -> Vec<EntityUid> {
    let directory = engine.directory();
    let (Some(row), Some(group)) = (directory.row(uid), directory.row(group)) else {
        return Vec::new();
    };
    let leads = |parent: &crate::directory::Row| {
        *parent == group || directory.ancestors(*parent).any(|row| row == group)
    };
    let parents = directory.parents(row).filter(leads);
    parents.map(|row| directory.uid(row)).collect()
}

/// The expression and the value of `FACT=VALUE`.
fn set(names: &Names<'_>, text: &str) -> Result<(String, Value), Box<Finding>> {
    let mut wrong = None;
    // Ids and values may have equals signs: the fact is what Cedar can read, or a name and a path.
    for (at, _) in text.match_indices('=') {
        let (fact, value) = (text.get(..at), text.get(at + 1..));
        let (Some(fact), Some(value)) = (fact, value) else {
            continue;
        };
        if ast::Expr::from_str(fact).is_ok() {
            return Ok((fact.to_owned(), read(value)));
        }
        for (dot, _) in fact
            .match_indices('.')
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
        {
            let (Some(name), Some(path)) = (fact.get(..dot), fact.get(dot + 1..)) else {
                continue;
            };
            match names.entity_of_any_type(&Name::from(name)) {
                Ok(uid) => return Ok((format!("{uid}.{path}"), read(value))),
                Err(error) => wrong = wrong.or(Some(error)),
            }
        }
    }
    Err(match wrong {
        Some(error) => unnamed(error),
        None => {
            let message = "write an attribute, an equals sign, and the value it is to have";
            let help = "for example --set 'P01.version=2403'";
            Box::new(Finding::error(CODE, message).help(help))
        }
    })
}

/// A value as it is typed: JSON, `on` and `off`, or a text.
fn read(text: &str) -> Value {
    match text.to_ascii_lowercase().as_str() {
        "on" => Value::Bool(true),
        "off" => Value::Bool(false),
        _ => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
    }
}

fn unnamed(error: NameError) -> Box<Finding> {
    let finding = Finding::error(CODE, error.to_string());
    let help = miette::Diagnostic::help(&error).map(|help| help.to_string());
    Box::new(match help {
        Some(help) => finding.help(help),
        None => finding,
    })
}
