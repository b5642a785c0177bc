//! Suites resolved against a workspace: names, settings and expectations.

mod exemption;
mod expectation;
mod matrix;
mod snapshot;

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy::EntityUid;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::document::{self, Document, Entries, Facts, Part, Switch};
use super::lookup::{NameCache, SuiteLookup};
use super::read::Documents;
use super::setting::Settings;
use super::shared::{Shared, unused};
use super::{Case, Check, Setting, Suite, did_you_mean, error};
use expectation::{expected, invalid_name, pairs, request};
use tarbac_analysis::change::fact::Fact;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};
use tarbac_host::bundle::Switches;
use tarbac_host::engine::Engine;
use tarbac_host::lookup::{Lookup, RequestPart};
use tarbac_host::yaml::place;

/// The resolver of the documents of a workspace into suites.
pub(super) struct Resolver<'a> {
    documents: &'a Documents,
    settings: Settings,
    switches: &'a Switches,
    /// The meanings of names that have been looked up, by setting.
    known: HashMap<usize, NameCache>,
    findings: Vec<Finding>,
}

/// A suite while its cases are resolved.
pub(super) struct Scope<'a, 'b> {
    pub source: &'a Arc<Source>,
    pub shared: &'b Shared<'a>,
    switches: Switches,
    given: Vec<Fact>,
    context: Option<&'a Spanned<Value>>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(documents: &'a Documents, engine: Engine, switches: &'a Switches) -> Self {
        Self {
            documents,
            settings: Settings::new(engine),
            switches,
            known: HashMap::new(),
            findings: Vec::new(),
        }
    }

    pub(super) fn finish(mut self) -> (Vec<Setting>, Vec<Finding>) {
        let unused = unused(
            self.documents,
            self.settings.base(),
            self.settings.settings(),
        );
        self.findings.extend(unused);
        (self.settings.into_settings(), self.findings)
    }

    /// The suite of a document; `None` for a shared file or an invalid one.
    pub(super) fn suite(
        &mut self,
        source: &'a Arc<Source>,
        document: &'a Document,
    ) -> Option<Suite> {
        let Some(name) = &document.suite else {
            if !document.is_shared() {
                self.findings.push(
                    error(
                        code::suite::UNNAMED,
                        "this is more than groups and fixtures for others, and has no name",
                        Place::new(source, 0..0),
                        "in this file",
                    )
                    .help("say what the suite is about: `suite: …`"),
                );
            }
            return None;
        };
        self.findings.extend(invalid_name(source, name));
        let names = Lookup::new(self.settings.base());
        let shared = Shared::new(self.documents, &names, source, document, &mut self.findings);
        let switches = self.readings(source, &document.readings);
        let mut scope = Scope {
            source,
            shared: &shared,
            switches,
            given: Vec::new(),
            context: document.context.as_ref(),
        };
        scope.given = self.facts(&scope, document.given.as_ref());
        let mut cases = Vec::new();
        for case in &document.cases {
            cases.extend(self.case(&scope, case));
        }
        for matrix in &document.matrices {
            cases.extend(self.matrix(&scope, matrix));
        }
        let snapshot = document
            .snapshot
            .as_ref()
            .and_then(|snapshot| self.snapshot(&scope, snapshot));
        let exemptions = document
            .exempt
            .iter()
            .filter_map(|exemption| self.exemption(source, exemption))
            .collect();
        Some(Suite {
            name: name.value.clone(),
            source: Arc::clone(source),
            cases,
            snapshot,
            exemptions,
        })
    }

    /// The readings of a suite: its own, and those of the command line that it does not set.
    fn readings(&mut self, source: &Arc<Source>, readings: &Entries<Switch>) -> Switches {
        let known = self.settings.base().bundle().readings();
        let mut switches = self.switches.clone();
        for (name, switch) in &readings.0 {
            if !known.iter().any(|reading| reading.name == name.value) {
                let names: Vec<&str> = known.iter().map(|known| known.name.as_str()).collect();
                let mut finding = error(
                    code::suite::UNKNOWN_READING,
                    format!("`{}` is not a reading of these policies", name.value),
                    place(source, name.referenced),
                    "this reading",
                );
                finding.help = did_you_mean(&name.value, names.iter().copied())
                    .or_else(|| Some(format!("the readings are: {}", names.join(", "))));
                self.findings.push(finding);
                continue;
            }
            switches.on.retain(|other| *other != name.value);
            switches.off.retain(|other| *other != name.value);
            match switch {
                Switch::On => switches.on.push(name.value.clone()),
                Switch::Off => switches.off.push(name.value.clone()),
            }
        }
        switches
    }

    /// The facts under `given`, with those of fixtures.
    fn facts(&mut self, scope: &Scope<'a, '_>, given: Option<&'a document::Given>) -> Vec<Fact> {
        let mut facts = Vec::new();
        for part in given.into_iter().flat_map(|given| &given.0) {
            match part {
                Part::Facts(entries) => facts.extend(written(scope.source, entries)),
                Part::Fixture(name) => match scope.shared.fixtures.get(name.value.as_str()) {
                    Some((source, entries)) => facts.extend(written(source, entries)),
                    None => {
                        let mut finding = error(
                            code::suite::UNKNOWN_FIXTURE,
                            format!("there is no fixture `{}`", name.value),
                            place(scope.source, name.referenced),
                            "given here",
                        );
                        let known = scope.shared.fixtures.keys().copied();
                        finding.help = did_you_mean(&name.value, known);
                        self.findings.push(finding);
                    }
                },
            }
        }
        facts
    }

    /// The index of the engine for the readings and facts of a suite and one of its cases.
    fn setting(
        &mut self,
        scope: &Scope<'a, '_>,
        given: Option<&'a document::Given>,
    ) -> Option<usize> {
        let mut facts = scope.given.clone();
        facts.extend(self.facts(scope, given));
        match self
            .settings
            .engine_under(&scope.switches, &facts, &mut self.findings)
        {
            Ok(Some(setting)) => Some(setting),
            // The facts are invalid: other findings are collected without them.
            Ok(None) => self
                .settings
                .engine_under(&scope.switches, &[], &mut self.findings)
                .unwrap_or_default(),
            Err(unknown) => {
                self.findings.push(
                    Finding::error(code::suite::UNKNOWN_READING, unknown.to_string())
                        .label(Place::new(scope.source, 0..0), "in this suite"),
                );
                None
            }
        }
    }

    fn case(&mut self, scope: &Scope<'a, '_>, case: &'a document::Case) -> Option<Case> {
        let setting = self.setting(scope, case.given.as_ref())?;
        let engine = self.settings.engine(setting)?;
        let mut findings = Vec::new();
        let mut lookup = SuiteLookup::new(engine, self.known.entry(setting).or_default());
        let source = scope.source;
        let expected = expected(
            scope,
            engine,
            case.expect,
            match &case.because {
                document::Because::These(policies) => Some(policies),
                document::Because::Any => None,
            },
            &mut findings,
        );
        let mut checks = Vec::new();
        let at = place(source, case.name.referenced);
        for action in lookup.actions(scope, &case.action.0, &mut findings) {
            let context = lookup.context(
                scope,
                action,
                case.context.as_ref().or(scope.context),
                &mut findings,
            );
            let principals = lookup.entities(
                scope,
                RequestPart::Principal,
                action,
                &case.principal.0,
                &mut findings,
            );
            let resources = lookup.entities(
                scope,
                RequestPart::Resource,
                action,
                &case.resource.0,
                &mut findings,
            );
            let check = |principal: &EntityUid, resource: &EntityUid| Check {
                request: request(principal, action, resource, &context),
                expected: Arc::clone(&expected),
                place: at.clone(),
            };
            checks.extend(pairs(&principals, &resources, check));
        }
        findings.extend(invalid_name(source, &case.name));
        self.findings.extend(findings);
        Some(Case {
            name: case.name.value.clone(),
            place: at,
            setting,
            checks,
        })
    }
}

pub(super) fn written(source: &Arc<Source>, entries: &Facts) -> Vec<Fact> {
    let first = entries.0.first();
    let start = first.map_or(0, |(key, _)| place(source, key.referenced).start);
    entries
        .0
        .iter()
        .map(|(expression, value)| Fact {
            expression: expression.value.clone(),
            value: value.value.clone(),
            place: place(source, expression.referenced),
            map: (source.name.clone(), start),
        })
        .collect()
}
