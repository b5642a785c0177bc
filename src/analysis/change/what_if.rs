//! Changes from the command line, and the engine after them.
//!
//! A change stands for facts, like those of suites. The engine after it has the same policies and the edited entities,
//! which are checked against the schema like all others. The schema says which attribute a flag of the command line
//! sets (`@flag`).

mod contradictions;
mod facts;
mod premises;
mod roles;
mod settings;

use std::collections::BTreeSet;

use cedar_policy::{EntityId, EntityTypeName, EntityUid};
use miette::Diagnostic;

use crate::change::fact::{self, FactOutcome};
use facts::Facts;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};
use tarbac_host::assembly;
use tarbac_host::bundle::{Switches, UnknownReading};
use tarbac_host::engine::Engine;
use tarbac_host::lookup::{Lookup, NameError};
use tarbac_store::index::IndexVec;
use tarbac_store::{GivenEntity, index_type};

pub use facts::settings;
pub use premises::Premises;
pub use roles::{assignable_types, assignees};
pub use settings::{SettingWords, TenantSetting, flags, settings_now};

/// The annotation of an attribute with the name of the flag that sets it.
const FLAG: &str = "flag";

/// A change of the entities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// `VALUE` or `NAME=VALUE`: gives a value to the attribute of this `@flag`, of all entities that have it or of
    /// one.
    Flag {
        /// The flag, for example `use-intune-rbac`.
        flag: String,
        /// The value, with the name before it if there is one.
        value: String,
    },
    /// `FACT=VALUE`: a Cedar expression, such as `Entra::User::"ada".cloudOnly`, and its value. In place of an
    /// entity there may be a name, as in `ada@contoso.example.cloudOnly`,
    /// `ada@contoso.example has configMgr` or `ada@contoso.example in Infrastructure`.
    Set(String),
    /// `NAME=ROLE`: assigns a role to a person or group.
    Grant(String),
    /// `NAME=ROLE`: removes a person or group from all parents through which it has a role.
    Revoke(String),
}

impl Change {
    /// Whether it is a flag for all entities that have the attribute.
    fn is_for_all(&self) -> bool {
        matches!(self, Self::Flag { value, .. } if !value.contains('='))
    }

    /// Help about its syntax.
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

index_type! {
    /// The index of a change among those that are made together.
    struct ChangeId;
}

/// Changes that are made together.
type Changes<'c> = IndexVec<ChangeId, &'c Change>;

/// The choices where a name is that of several types, of one entity each: in the form in which each can be typed.
fn by_type(error: &NameError) -> Option<String> {
    let NameError::Ambiguous {
        text, found, count, ..
    } = error
    else {
        return None;
    };
    let uids: Vec<EntityUid> = found.iter().filter_map(|uid| uid.parse().ok()).collect();
    let types: BTreeSet<&EntityTypeName> = uids.iter().map(EntityUid::type_name).collect();
    let id = EntityId::new(text);
    let choices: Vec<String> = types
        .iter()
        .map(|of| EntityUid::from_type_name_and_id((*of).clone(), id.clone()).to_string())
        .collect();
    (choices.len() == *count).then(|| format!("say which: {}", choices.join(" or ")))
}

/// The engine after changes; without changes, the engine under these switches.
///
/// # Errors
/// Findings for changes that cannot be made: a name is unknown, or the schema does not allow the result.
pub fn after(
    engine: &Engine,
    changes: &[Change],
    switches: &Switches,
) -> Result<Engine, Vec<Finding>> {
    suppose(engine, changes, switches).map(|(after, _)| after)
}

/// The engine after changes, and the changes in words.
///
/// # Errors
/// Those of [`after`].
pub fn suppose(
    engine: &Engine,
    changes: &[Change],
    switches: &Switches,
) -> Result<(Engine, Premises), Vec<Finding>> {
    let names = Lookup::new(engine);
    let changes: &Changes<'_> = &changes.iter().collect();
    let facts = facts::facts(engine, &names, changes);
    let outcome = fact::outcome(engine, &names, &facts.facts, &code::what_if::CHANGE);
    let invalid = invalid(engine, &names, changes, &facts, &outcome);
    if !invalid.is_empty() {
        return Err(invalid);
    }
    let [says, mut notes] = premises::in_sentences(engine, &names, &outcome.assertions);
    notes.extend(contradictions::side_effects(engine, &names, changes));
    let premises = Premises {
        typed: changes.iter().map(|change| change.typed()).collect(),
        besides: Vec::new(),
        says,
        notes,
    };
    if facts.facts.is_empty() {
        let under = engine.under(switches).map_err(unknown_reading)?;
        return Ok((under, premises));
    }
    let changed = with_entities(engine, &outcome.entities, switches)?;
    let mut findings = contradictions::lasting_ended(engine, &changed, &names);
    findings.extend(contradictions::not_holding(
        &changed,
        &names,
        changes,
        &outcome.assertions,
        &facts.changes,
    ));
    match findings.is_empty() {
        true => Ok((changed, premises)),
        false => Err(findings),
    }
}

/// Findings for changes that are invalid by themselves or contradict each other.
fn invalid(
    engine: &Engine,
    names: &Lookup<'_>,
    changes: &Changes<'_>,
    facts: &Facts,
    outcome: &FactOutcome,
) -> Vec<Finding> {
    let repeated = outcome.repetitions.iter().map(|of| of.facts);
    let pairs = repeated.chain(outcome.overridden.iter().copied());
    let pairs = pairs.map(|(one, other)| (facts.changes[one], facts.changes[other]));
    let of_roles = contradictions::granted_and_revoked(engine, names, changes);
    let pairs: BTreeSet<(ChangeId, ChangeId)> = pairs
        .chain(of_roles)
        .map(|(one, other)| (one.min(other), one.max(other)))
        .collect();
    let mut findings = facts.findings.clone();
    findings.extend(outcome.findings.iter().cloned());
    // An invalid change for many entities has a finding for each: one will do.
    let text = |finding: &Finding| {
        let label = finding.labels.first();
        label.map(|label| label.place.source.text().to_owned())
    };
    findings.dedup_by(|one, other| text(one).is_some() && text(one) == text(other));
    for finding in &mut findings {
        let text = text(finding);
        let change = changes.iter().find(|of| Some(of.typed()) == text);
        finding.help = finding
            .help
            .take()
            .or(change.and_then(|change| change.help()));
    }
    let contradictions = pairs.into_iter();
    findings.extend(contradictions.map(|pair| contradictions::contradiction(changes, pair)));
    findings
}

/// The engine with edited entities.
fn with_entities(
    engine: &Engine,
    entities: &[GivenEntity],
    switches: &Switches,
) -> Result<Engine, Vec<Finding>> {
    let (changed, findings) =
        assembly::with_entities(engine, entities, switches).map_err(unknown_reading)?;
    // The labels of the reader point at entities that are in no file.
    changed.ok_or_else(|| {
        let without_places = findings.into_iter().map(|finding| Finding {
            code: code::what_if::CHANGE,
            message: format!("the change cannot be made: {}", finding.message),
            labels: Vec::new(),
            ..finding
        });
        without_places.collect()
    })
}

/// The place of a change: the whole of it, on the command line.
fn place(change: &Change) -> Place {
    let source = Source::held("the command line", change.typed());
    Place::new(&source, 0..source.text().len())
}

fn unknown_reading(error: UnknownReading) -> Vec<Finding> {
    let mut finding = Finding::error(code::what_if::CHANGE, error.to_string());
    finding.help = error.help().map(|help| help.to_string());
    vec![finding]
}

fn unknown_name(error: NameError) -> Box<Finding> {
    let finding = Finding::error(code::what_if::CHANGE, error.to_string());
    let help = by_type(&error).or_else(|| error.help().map(|help| help.to_string()));
    Box::new(match help {
        Some(help) => finding.help(help),
        None => finding,
    })
}
