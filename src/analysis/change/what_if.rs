//! Changes as they are typed, and the engine after them.
//!
//! A change is a fact that is given, as in the suites: the engine after it is that of the same
//! policies with the entities changed, and holds them to the schema like everything else. Which
//! attribute a flag of the command line sets is said by the schema (`@flag`).

mod premises;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::str::FromStr;

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::ast;
use miette::Diagnostic;
use serde_json::Value;

use crate::change::fact::{self, Fact, Stated, Statement};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};
use tarbac_host::assembly;
use tarbac_host::bundle::{Kind, Switches, UnknownReading};
use tarbac_host::engine::Engine;
use tarbac_host::lookup::{Lookup, Name, NameError, did_you_mean, in_words};
use tarbac_host::roles::role_type;

pub use premises::Premises;

/// The annotation of an attribute with the name of the flag that sets it.
const FLAG: &str = "flag";

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
    /// an entity there may be what people call it, as in `ada@contoso.example.cloudOnly`,
    /// `ada@contoso.example has configMgr` or `ada@contoso.example in IT Staff`.
    Set(String),
    /// `NAME=ROLE`: gives a role to a person or group.
    Grant(String),
    /// `NAME=ROLE`: takes a person or group out of everything through which it has a role.
    Revoke(String),
}

impl Change {
    /// Whether it changes everything that can be changed so, and not one thing by name.
    fn is_of_all(&self) -> bool {
        matches!(self, Self::Flag { value, .. } if !value.contains('='))
    }

    /// What to know of how it is typed.
    fn help(&self) -> Option<String> {
        match self {
            Self::Flag { flag, .. } => Some(format!(
                "write --{flag} VALUE for everything that has it, or --{flag} NAME=VALUE for one of that \
                 name; `on` and `off` are true and false"
            )),
            Self::Set(_) | Self::Grant(_) | Self::Revoke(_) => None,
        }
    }

    /// The change as it is typed.
    pub fn typed(&self) -> String {
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
    suppose(engine, changes, switches).map(|(after, _)| after)
}

/// The engine after changes, and what they suppose in words.
///
/// # Errors
/// Those of [`after`].
pub fn suppose(
    engine: &Engine,
    changes: &[Change],
    switches: &Switches,
) -> Result<(Engine, Premises), Vec<Finding>> {
    let names = Lookup::of(engine);
    let Facts {
        facts,
        changes: by,
        mut findings,
    } = facts(engine, &names, changes);
    let change_of = |fact: usize| by.get(fact).copied().unwrap_or_default();
    let given = fact::given(engine, &names, &facts, &code::what_if::CHANGE);
    let twice = given.twice.iter().map(|twice| twice.facts);
    let pairs = twice.chain(given.undone.iter().copied());
    let pairs = pairs.map(|(one, other)| (change_of(one), change_of(other)));
    let held = granted_and_revoked(engine, &names, changes);
    let at_odds: BTreeSet<(usize, usize)> = pairs
        .chain(held)
        .map(|(one, other)| (one.min(other), one.max(other)))
        .collect();
    findings.extend(given.findings);
    // What is wrong with a change is so of everything that it changes.
    let text = |finding: &Finding| {
        let label = finding.labels.first();
        label.map(|label| label.place.source.text().to_owned())
    };
    findings.dedup_by(|one, other| text(one).is_some() && text(one) == text(other));
    for finding in &mut findings {
        let text = text(finding);
        let change = changes.iter().find(|of| Some(of.typed()) == text);
        finding.help = finding.help.take().or(change.and_then(Change::help));
    }
    findings.extend(at_odds.into_iter().map(|pair| self::at_odds(changes, pair)));
    if !findings.is_empty() {
        return Err(findings);
    }
    let unknown = |error: UnknownReading| {
        let mut finding = Finding::error(code::what_if::CHANGE, error.to_string());
        finding.help = error.help().map(|help| help.to_string());
        vec![finding]
    };
    let [says, mut notes] = premises::told(engine, &names, &given.stated);
    notes.extend(consequences(engine, &names, changes));
    let premises = Premises {
        typed: changes.iter().map(Change::typed).collect(),
        besides: Vec::new(),
        says,
        notes,
    };
    if facts.is_empty() {
        let under = engine.under(switches).map_err(unknown)?;
        return Ok((under, premises));
    }
    let (changed, findings) =
        assembly::with_entities(engine, &given.entities, switches).map_err(unknown)?;
    // What the reader says is about entities that stand in no file.
    let changed = changed.ok_or_else(|| {
        let without_places = findings.into_iter().map(|finding| Finding {
            code: code::what_if::CHANGE,
            message: format!("the change cannot be made: {}", finding.message),
            labels: Vec::new(),
            ..finding
        });
        without_places.collect::<Vec<Finding>>()
    })?;
    let mut findings = undone(engine, &changed, &names);
    findings.extend(not_so(&changed, &names, changes, &given.stated, &by));
    match findings.is_empty() {
        true => Ok((changed, premises)),
        false => Err(findings),
    }
}

/// Where a change stands on the command line: the whole of it.
fn place(change: &Change) -> Place {
    let source = Source::held("the command line", change.typed());
    Place::new(&source, 0..source.text().len())
}

/// Two changes, by number, that cannot both be made.
fn at_odds(changes: &[Change], (one, other): (usize, usize)) -> Finding {
    let typed = |number: usize| changes.get(number).map_or_else(String::new, Change::typed);
    let message = match one == other {
        true => format!("`{}` contradicts itself", typed(one)),
        false => format!(
            "`{}` and `{}` contradict each other",
            typed(one),
            typed(other)
        ),
    };
    Finding::error(code::what_if::CHANGE, message).help("keep one of the two")
}

/// What can be typed for a flag: a value for everything that has the attribute, and `NAME=VALUE` for each; without
/// the value where that is not on or off.
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
    let names = Lookup::of(engine);
    let of_all = values.iter().filter(|value| !value.is_empty());
    let mut settings: Vec<String> = of_all.map(|value| (*value).to_owned()).collect();
    for uid in names.all_of_type(&of_type) {
        let name = names.call(&uid);
        settings.extend(values.iter().map(|value| format!("{name}={value}")));
    }
    settings
}

/// Whoever can be assigned a role.
pub fn assignees(engine: &Engine) -> Vec<EntityUid> {
    let Some(of_type) = role_type(engine.bundle().vocabulary()) else {
        return Vec::new();
    };
    let names = Lookup::of(engine);
    let types = assignable(engine, &of_type).into_iter();
    types
        .flat_map(|of_type| names.all_of_type(&of_type))
        .collect()
}

/// The facts that changes give.
struct Facts {
    facts: Vec<Fact>,
    /// The number of the change that gives each of them.
    changes: Vec<usize>,
    /// What is wrong with the changes.
    findings: Vec<Finding>,
}

/// The facts that changes give. A flag with a name holds whatever the same flag says of everything, and what is
/// said twice is said once.
fn facts(engine: &Engine, names: &Lookup<'_>, changes: &[Change]) -> Facts {
    let mut gathered = Facts {
        facts: Vec::new(),
        changes: Vec::new(),
        findings: Vec::new(),
    };
    let mut named: HashSet<(&str, String)> = HashSet::new();
    let mut said: HashMap<String, Vec<Value>> = HashMap::new();
    let numbered = changes.iter().enumerate();
    let (of_all, of_one): (Vec<_>, Vec<_>) = numbered.partition(|(_, change)| change.is_of_all());
    for (number, change) in of_one.into_iter().chain(of_all) {
        let of_change = facts_of(engine, names, change, &place(change));
        let of_change = of_change.unwrap_or_else(|finding| {
            let finding = finding.label(place(change), "this change");
            gathered.findings.push(finding);
            Vec::new()
        });
        for fact in of_change {
            if let Change::Flag { flag, .. } = change {
                let of_flag = (flag.as_str(), fact.expression.clone());
                match change.is_of_all() {
                    true if named.contains(&of_flag) => continue,
                    true => {}
                    false => {
                        named.insert(of_flag);
                    }
                }
            }
            let values = said.entry(fact.expression.clone()).or_default();
            if !values.contains(&fact.value) {
                values.push(fact.value.clone());
                gathered.facts.push(fact);
                gathered.changes.push(number);
            }
        }
    }
    gathered
}

/// What would be undone that lasts: attributes that are true and that the schema says stay so (`@lasting`).
fn undone(engine: &Engine, changed: &Engine, names: &Lookup<'_>) -> Vec<Finding> {
    let vocabulary = engine.bundle().vocabulary();
    let is_true = |engine: &Engine, uid: &EntityUid, name: &str| {
        let directory = engine.directory();
        let row = directory.row(uid);
        row.is_some_and(|row| fact::is_true(directory.entity(row).get(name)))
    };
    let mut findings = Vec::new();
    for type_name in vocabulary.type_names() {
        for (name, attribute) in vocabulary.attributes(type_name).into_iter().flatten() {
            let (Some(lasting), Ok(of_type)) =
                (attribute.annotations.get("lasting"), type_name.parse())
            else {
                continue;
            };
            for uid in everything(engine, &of_type) {
                if !is_true(engine, &uid, name) || is_true(changed, &uid, name) {
                    continue;
                }
                let told = attribute.annotations.get("told");
                let told = told.map_or_else(
                    || format!("{name} of {{entity}} is true"),
                    ToString::to_string,
                );
                let told = told.replace("{entity}", &names.call(&uid));
                findings.push(Finding::error(
                    code::what_if::CHANGE,
                    format!("{told}, and {lasting}"),
                ));
            }
        }
    }
    findings
}

/// The changes that give a role to somebody and take it away, in pairs.
fn granted_and_revoked(
    engine: &Engine,
    names: &Lookup<'_>,
    changes: &[Change],
) -> Vec<(usize, usize)> {
    let mut granted: Vec<(usize, (EntityUid, EntityUid))> = Vec::new();
    let mut revoked = Vec::new();
    for (number, change) in changes.iter().enumerate() {
        let (text, of_kind) = match change {
            Change::Grant(text) => (text, &mut granted),
            Change::Revoke(text) => (text, &mut revoked),
            Change::Flag { .. } | Change::Set(_) => continue,
        };
        // What cannot be found is said where it is looked for in earnest.
        of_kind.extend(holding(engine, names, text).ok().map(|held| (number, held)));
    }
    let pairs = granted.iter().flat_map(|(grant, held)| {
        let same = revoked.iter().filter(move |(_, of)| of == held);
        same.map(|(revoke, _)| (*grant, *revoke))
    });
    pairs.collect()
}

/// What is not as changes say after all of them are made, as somebody who is to leave a group and is in it through
/// another that they join.
fn not_so(
    changed: &Engine,
    names: &Lookup<'_>,
    changes: &[Change],
    stated: &[Stated],
    by: &[usize],
) -> Vec<Finding> {
    let mut meant: BTreeSet<(usize, EntityUid, EntityUid, bool)> = BTreeSet::new();
    for stated in stated {
        if let (Statement::In(group, is_in), Some(change)) = (&stated.what, by.get(stated.fact)) {
            meant.insert((*change, stated.entity.clone(), group.clone(), *is_in));
        }
    }
    for (number, change) in changes.iter().enumerate() {
        if let Change::Revoke(text) = change
            && let Ok((who, role)) = holding(changed, names, text)
        {
            meant.insert((number, who, role, false));
        }
    }
    let gone = meant
        .into_iter()
        .filter(|(_, uid, group, is_in)| fact::is_in_other(changed, uid, group) != *is_in);
    let mut findings: Vec<Finding> = Vec::new();
    let mut told = BTreeSet::new();
    for (number, uid, group, is_in) in gone {
        if let Some(change) = changes.get(number).filter(|_| told.insert(number)) {
            let message = format!(
                "after all changes {} is {} {}, other than `{}` says",
                names.call(&uid),
                if is_in { "not in" } else { "still in" },
                names.call(&group),
                change.typed()
            );
            let finding = Finding::error(code::what_if::CHANGE, message);
            findings.push(finding.help("leave it away, or the change that contradicts it"));
        }
    }
    findings
}

/// What goes along with changes of a state, a sentence each: somebody who is taken out of a group for the sake of
/// a role has nothing else of it either.
fn consequences(engine: &Engine, names: &Lookup<'_>, changes: &[Change]) -> Vec<String> {
    let directory = engine.directory();
    let mut consequences = Vec::new();
    for change in changes {
        let Change::Revoke(text) = change else {
            continue;
        };
        let Ok((who, role)) = holding(engine, names, text) else {
            continue;
        };
        for left in leading(engine, &who, &role) {
            let above = directory.row(&left).into_iter();
            let above = above.flat_map(|row| directory.ancestors(row));
            let roles =
                above.filter(|row| directory.type_name(*row) == role.type_name().to_string());
            let others: Vec<String> = roles
                .map(|row| directory.uid(row))
                .filter(|other| *other != role)
                .map(|other| names.call(&other))
                .collect();
            if !others.is_empty() {
                consequences.push(format!(
                    "{} leaves the {} {}, which gives more than {}: {}",
                    names.call(&who),
                    in_words(left.type_name()),
                    names.call(&left),
                    names.call(&role),
                    others.join(", ")
                ));
            }
        }
    }
    consequences
}

/// The facts that a change gives.
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
        // What several changes give is given several times, which is an error.
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
                return Err(Box::new(Finding::error(code::what_if::CHANGE, message)));
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
        Box::new(Finding::error(code::what_if::CHANGE, message).help(help))
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
    names: &Lookup<'_>,
    text: &str,
) -> Result<(EntityUid, EntityUid), Box<Finding>> {
    let wrong = |message: &str| Box::new(Finding::error(code::what_if::CHANGE, message));
    let of_type = role_type(engine.bundle().vocabulary())
        .ok_or_else(|| wrong("the schema does not say which of its types is that of roles"))?;
    let types = assignable(engine, &of_type);
    let mut found = splits(text, "=").map(|(who, role)| {
        let who = names.of_types(&types, &Name::from(who));
        who.map(|who| (who, role))
    });
    // Names may have equals signs: the first of them before which somebody is named.
    let first = found.next();
    let first =
        first.ok_or_else(|| wrong("write the person or group, an equals sign, and the role"))?;
    let (who, role) = match first {
        Err(error @ NameError::Unknown { .. }) => {
            let found = found.find(|found| !matches!(found, Err(NameError::Unknown { .. })));
            found.unwrap_or(Err(error))
        }
        first => first,
    }
    .map_err(unnamed)?;
    let found = names.of_type(&of_type, &Name::from(role));
    let found = found.map_err(|error| {
        let is_unknown = matches!(error, NameError::Unknown { .. });
        let mut finding = unnamed(error);
        if is_unknown {
            // Roles that only policies name are in no file of entities.
            let named = engine.bundle().named_entities();
            let roles = named.iter().filter(|uid| *uid.type_name() == of_type);
            let near = did_you_mean(role, roles.map(|uid| uid.id().unescaped()));
            finding.help = near.or(finding.help.take());
        }
        finding
    });
    Ok((who, found?))
}

/// The types whose entities can be given a role: those that ask, and then those that the schema puts into what is
/// in a role, as people and groups into role assignments.
fn assignable(engine: &Engine, role_type: &EntityTypeName) -> Vec<EntityTypeName> {
    let vocabulary = engine.bundle().vocabulary();
    let parents = vocabulary.declared_parents();
    let is_in = |of: &str, parent: &str| parents.get(of).is_some_and(|of| of.contains(parent));
    let role_type = role_type.to_string();
    let asks = |name: &EntityTypeName| {
        let mut actions = vocabulary.permissions();
        actions.any(|action| action.principals.contains(name))
    };
    let types = vocabulary.type_names();
    let types = types.filter_map(|name| name.parse::<EntityTypeName>().ok());
    let can_be_given = |name: &EntityTypeName| {
        let of = name.to_string();
        let mut between = vocabulary.type_names();
        asks(name) || between.any(|between| is_in(&of, between) && is_in(between, &role_type))
    };
    let mut types: Vec<EntityTypeName> = types.filter(can_be_given).collect();
    types.sort_by_key(|name| !asks(name));
    types
}

/// The direct parents of an entity through which it is in a group.
fn leading(engine: &Engine, uid: &EntityUid, group: &EntityUid) -> Vec<EntityUid> {
    let directory = engine.directory();
    let (Some(row), Some(group)) = (directory.row(uid), directory.row(group)) else {
        return Vec::new();
    };
    let leads = |parent: &tarbac_store::Row| {
        *parent == group || directory.ancestors(*parent).any(|row| row == group)
    };
    let parents = directory.parents(row).filter(leads);
    parents.map(|row| directory.uid(row)).collect()
}

/// The expression and the value of `FACT=VALUE`.
fn set(names: &Lookup<'_>, text: &str) -> Result<(String, Value), Box<Finding>> {
    let mut wrong = None;
    // Ids and values may have equals signs: the fact is what Cedar can read, or has names in it.
    for (fact, value) in splits(text, "=") {
        if ast::Expr::from_str(fact).is_ok() {
            return Ok((fact.to_owned(), read(value)));
        }
        for found in with_names(names, fact) {
            match found {
                Ok(expression) => return Ok((expression, read(value))),
                Err(error @ NameError::Ambiguous { .. }) => return Err(unnamed(error)),
                Err(error) => wrong = wrong.or(Some(error)),
            }
        }
    }
    Err(match wrong {
        Some(error) => unnamed(names.suggest(error, None)),
        None => {
            let message = "write an attribute, an equals sign, and the value it is to have";
            let help = "for example --set 'P01.version=2403'";
            Box::new(Finding::error(code::what_if::CHANGE, message).help(help))
        }
    })
}

/// What a fact with names in it may be in Cedar, with uids in their place: `NAME has ATTRIBUTE`,
/// `NAME in NAME`, and `NAME.PATH`. Names may have any of these signs in them, so each is tried.
fn with_names(names: &Lookup<'_>, fact: &str) -> Vec<Result<String, NameError>> {
    let called = |name: &str| names.entity_of_any_type(&Name::from(name.trim()));
    // The longest name comes first.
    let dotted = |fact: &str| -> Vec<Result<String, NameError>> {
        let splits: Vec<_> = splits(fact, ".").collect();
        let found = splits.into_iter().rev();
        let found = found.map(|(name, path)| Ok(format!("{}.{path}", called(name)?)));
        found.collect()
    };
    let mut found = Vec::new();
    for (name, attribute) in splits(fact, " has ") {
        let whole = called(name).map(|uid| uid.to_string());
        let has = |subject| format!("{subject} has {}", attribute.trim());
        found.push(whole.map(has));
        found.extend(dotted(name).into_iter().map(|subject| subject.map(has)));
    }
    for (name, group) in splits(fact, " in ") {
        let both = called(name).and_then(|uid| Ok(format!("{uid} in {}", called(group)?)));
        found.push(both);
    }
    found.extend(dotted(fact));
    found
}

/// What is before and after each occurrence of a sign.
fn splits<'a>(text: &'a str, sign: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let found = text.match_indices(sign);
    found.filter_map(|(at, sign)| Some((text.get(..at)?, text.get(at + sign.len()..)?)))
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
    let finding = Finding::error(code::what_if::CHANGE, error.to_string());
    let help = miette::Diagnostic::help(&error).map(|help| help.to_string());
    Box::new(match help {
        Some(help) => finding.help(help),
        None => finding,
    })
}
