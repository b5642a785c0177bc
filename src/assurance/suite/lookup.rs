//! The names of a suite, looked up in a directory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cedar_policy::{Context, EntityUid};
use miette::Diagnostic;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::document;
use super::error;
use super::resolve::Scope;
use super::shared::Group;
use tarbac_analysis::bulk::class::Classes;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Source;
use tarbac_host::bundle::Action;
use tarbac_host::engine::{Engine, Undecidable, entities_of};
use tarbac_host::lookup::{Lookup, Name, NameError, RequestPart};
use tarbac_host::yaml::place;

/// The word for all people or all resources.
pub(super) const ALL: &str = "all";

/// The word for one of each kind that the policies can tell apart.
pub(super) const CLASSES: &str = "classes";

/// A cache of the meanings of names in one directory.
#[derive(Default)]
pub(super) struct NameCache {
    actions: HashMap<String, Result<EntityUid, NameError>>,
    principals: HashMap<String, Result<EntityUid, NameError>>,
    resources: HashMap<String, Result<EntityUid, NameError>>,
}

/// The look-up of names in one directory, with a cache of earlier results.
pub(super) struct SuiteLookup<'e> {
    engine: &'e Engine,
    names: Lookup<'e>,
    known: &'e mut NameCache,
}

impl<'e> SuiteLookup<'e> {
    pub(super) fn new(engine: &'e Engine, known: &'e mut NameCache) -> Self {
        Self {
            engine,
            names: Lookup::new(engine),
            known,
        }
    }

    /// The actions with these names, with groups expanded.
    pub(super) fn actions(
        &mut self,
        scope: &Scope<'_, '_>,
        names: &[Spanned<String>],
        findings: &mut Vec<Finding>,
    ) -> Vec<&'e Action> {
        let mut actions: Vec<&Action> = Vec::new();
        for (source, name) in members(scope.source, &scope.shared.actions, names) {
            let found = self
                .known
                .actions
                .entry(name.value.clone())
                .or_insert_with(|| {
                    let text = Name::from(name.value.as_str());
                    let action = self.names.action_or_question(&text)?;
                    Ok(action.uid.clone())
                });
            match found {
                Ok(uid) => actions.extend(self.engine.bundle().vocabulary().action(uid)),
                Err(error) => findings.push(unknown(source, name, error)),
            }
        }
        // Groups may overlap.
        let mut seen = BTreeSet::new();
        actions.retain(|action| seen.insert(&action.uid));
        actions
    }

    /// The entities with these names, with groups expanded.
    pub(super) fn entities(
        &mut self,
        scope: &Scope<'_, '_>,
        part: RequestPart,
        action: &Action,
        names: &[Spanned<String>],
        findings: &mut Vec<Finding>,
    ) -> Vec<EntityUid> {
        let groups = match part {
            RequestPart::Resource => &scope.shared.resources,
            RequestPart::Principal | RequestPart::Action => &scope.shared.principals,
        };
        let mut entities = Vec::new();
        for (source, name) in members(scope.source, groups, names) {
            let known = match part {
                RequestPart::Resource => &mut self.known.resources,
                RequestPart::Principal | RequestPart::Action => &mut self.known.principals,
            };
            // The possible types depend on the action alone.
            let key = format!("{} {}", action.uid, name.value);
            let found = known.entry(key).or_insert_with(|| {
                let text = Name::from(name.value.as_str());
                let found = match part {
                    RequestPart::Resource => self.names.resource(action, &text),
                    RequestPart::Principal | RequestPart::Action => {
                        self.names.principal(action, &text)
                    }
                };
                found.map_err(|error| self.names.suggest(error, Some(action)))
            });
            match found {
                Ok(uid) => entities.push(uid.clone()),
                Err(error) => findings.push(unknown(source, name, error)),
            }
        }
        without_repetition(entities)
    }

    /// All entities, one of each class, or those with these names.
    pub(super) fn selected(
        &mut self,
        scope: &Scope<'_, '_>,
        part: RequestPart,
        names: &document::Names,
        findings: &mut Vec<Finding>,
    ) -> Vec<EntityUid> {
        match word(names) {
            Some(ALL) => return self.names.all(part),
            Some(CLASSES) => {
                let all = self.names.all(part);
                return Classes::new(self.engine, &all).representatives();
            }
            _ => {}
        }
        let groups = match part {
            RequestPart::Resource => &scope.shared.resources,
            RequestPart::Principal | RequestPart::Action => &scope.shared.principals,
        };
        let mut entities = Vec::new();
        for (source, name) in members(scope.source, groups, &names.0) {
            let text = Name::from(name.value.as_str());
            let found = match part {
                RequestPart::Resource => self.names.any_resource(&text),
                RequestPart::Principal | RequestPart::Action => self.names.any_principal(&text),
            };
            match found {
                Ok(uid) => entities.push(uid),
                Err(error) => {
                    findings.push(unknown(source, name, &self.names.suggest(error, None)));
                }
            }
        }
        without_repetition(entities)
    }

    pub(super) fn context(
        &self,
        scope: &Scope<'_, '_>,
        action: &Action,
        context: Option<&Spanned<Value>>,
        findings: &mut Vec<Finding>,
    ) -> Context {
        let Some(context) = context else {
            return Context::empty();
        };
        let read = self
            .engine
            .context(&action.uid, context.value.clone())
            .and_then(|read| {
                let named = entities_of(&read);
                match named
                    .into_iter()
                    .find(|uid| !self.engine.directory().knows(uid))
                {
                    Some(uid) => Err(Undecidable::Missing(Box::new(uid))),
                    None => Ok(read),
                }
            });
        read.unwrap_or_else(|problem| {
            findings.push(
                error(
                    code::suite::CONTEXT,
                    format!("the context does not conform to the schema: {problem}"),
                    place(scope.source, context.referenced),
                    "this context",
                )
                .help(format!("the context of `{}` is in the schema", action.uid)),
            );
            Context::empty()
        })
    }
}

/// The entities, each once, as groups may overlap.
fn without_repetition(mut entities: Vec<EntityUid>) -> Vec<EntityUid> {
    let mut seen = BTreeSet::new();
    entities.retain(|uid| seen.insert(uid.clone()));
    entities
}

/// The word, if there is only one name.
pub(super) fn word(names: &document::Names) -> Option<&str> {
    match names.0.as_slice() {
        [only] => Some(only.value.as_str()),
        _ => None,
    }
}

/// Names with groups expanded, each with its file.
fn members<'s>(
    source: &'s Arc<Source>,
    groups: &'s BTreeMap<&str, Group<'s>>,
    names: &'s [Spanned<String>],
) -> Vec<(&'s Arc<Source>, &'s Spanned<String>)> {
    names
        .iter()
        .flat_map(|name| match groups.get(name.value.as_str()) {
            Some(group) => group
                .names
                .iter()
                .map(|name| (group.source, name))
                .collect(),
            None => vec![(source, name)],
        })
        .collect()
}

/// The finding for an unknown name.
pub(super) fn unknown(
    source: &Arc<Source>,
    name: &Spanned<String>,
    problem: &NameError,
) -> Finding {
    let mut finding = error(
        code::suite::UNKNOWN_NAME,
        problem.to_string(),
        place(source, name.referenced),
        "this name",
    );
    finding.help = problem.help().map(|help| help.to_string());
    finding
}
