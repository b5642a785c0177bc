//! Suites resolved against a workspace: names, settings and expectations.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cedar_policy::{Context, EntityUid};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::document::{self, Document, Entries, Facts, Part, Switch};
use super::lookup::{ALL, CLASSES, Known, SuiteLookup, word};
use super::read::Documents;
use super::setting::Settings;
use super::shared::{Shared, unused};
use super::{Case, Check, Exemption, Expected, Setting, Snapshot, Suite, did_you_mean, error};
use tarbac_analysis::change::fact::Fact;
use tarbac_analysis::matrix::Selection;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};
use tarbac_host::bundle::{Action, Conditions, Switches};
use tarbac_host::decision::Request;
use tarbac_host::engine::Engine;
use tarbac_host::lookup::{Lookup, Part as Of};
use tarbac_host::yaml::place;

/// Turns documents into suites.
pub(super) struct Resolver<'a> {
    documents: &'a Documents,
    settings: Settings,
    switches: &'a Switches,
    /// By setting, what names have been found to mean.
    known: HashMap<usize, Known>,
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
    pub fn new(documents: &'a Documents, engine: Engine, switches: &'a Switches) -> Self {
        Self {
            documents,
            settings: Settings::new(engine),
            switches,
            known: HashMap::new(),
            findings: Vec::new(),
        }
    }

    pub fn finish(mut self) -> (Vec<Setting>, Vec<Finding>) {
        let unused = unused(self.documents, self.settings.base(), self.settings.made());
        self.findings.extend(unused);
        (self.settings.into_settings(), self.findings)
    }

    /// The suite of a document; `None` for a shared file, and where it cannot be one.
    pub fn suite(&mut self, source: &'a Arc<Source>, document: &'a Document) -> Option<Suite> {
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
        self.findings.extend(wrong_name(source, name));
        let names = Lookup::of(self.settings.base());
        let shared = Shared::of(self.documents, &names, source, document, &mut self.findings);
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

    /// The readings of a suite: its own, and those of the command line where it says nothing.
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

    /// The facts of what is given, fixtures first looked up.
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

    /// The index of the engine under what a suite and one of its cases say.
    fn setting(
        &mut self,
        scope: &Scope<'a, '_>,
        given: Option<&'a document::Given>,
    ) -> Option<usize> {
        let mut facts = scope.given.clone();
        facts.extend(self.facts(scope, given));
        match self
            .settings
            .of(&scope.switches, &facts, &mut self.findings)
        {
            Ok(Some(setting)) => Some(setting),
            // The facts are wrong, and what else is wrong is found out without them.
            Ok(None) => self
                .settings
                .of(&scope.switches, &[], &mut self.findings)
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
                Of::Principal,
                action,
                &case.principal.0,
                &mut findings,
            );
            let resources =
                lookup.entities(scope, Of::Resource, action, &case.resource.0, &mut findings);
            let about = |principal: &EntityUid, resource: &EntityUid| Check {
                request: request(principal, action, resource, &context),
                expected: Arc::clone(&expected),
                place: at.clone(),
            };
            checks.extend(pairs(&principals, &resources, about));
        }
        findings.extend(wrong_name(source, &case.name));
        self.findings.extend(findings);
        Some(Case {
            name: case.name.value.clone(),
            place: at,
            setting,
            checks,
        })
    }

    fn matrix(&mut self, scope: &Scope<'a, '_>, matrix: &'a document::Matrix) -> Option<Case> {
        let setting = self.setting(scope, matrix.given.as_ref())?;
        let engine = self.settings.engine(setting)?;
        let mut findings = Vec::new();
        let mut lookup = SuiteLookup::new(engine, self.known.entry(setting).or_default());
        let source = scope.source;
        let legend: BTreeMap<&str, Arc<Expected>> = matrix
            .legend
            .0
            .iter()
            .map(|(word, entry)| {
                let expected = expected(
                    scope,
                    engine,
                    entry.expect,
                    Some(&entry.because),
                    &mut findings,
                );
                (word.value.as_str(), expected)
            })
            .collect();
        let columns: Vec<(&Action, Context)> = lookup
            .actions(scope, &matrix.actions.0, &mut findings)
            .into_iter()
            .map(|action| {
                let context = matrix.context.as_ref().or(scope.context);
                (
                    action,
                    lookup.context(scope, action, context, &mut findings),
                )
            })
            .collect();
        let mut checks = Vec::new();
        findings.extend(wrong_name(source, &matrix.name));
        if matrix.table.0.is_empty() {
            findings.push(error(
                code::suite::TABLE,
                "the table is empty",
                place(source, matrix.name.referenced),
                "of this one",
            ));
        }
        for (resource, rows) in &matrix.table.0 {
            if rows.0.is_empty() {
                findings.push(error(
                    code::suite::TABLE,
                    "there is no row",
                    place(source, resource.referenced),
                    "for this one",
                ));
            }
            for (principal, cells) in &rows.0 {
                let words = words(source, cells);
                if words.len() != columns.len() {
                    findings.push(
                        error(
                            code::suite::TABLE,
                            format!(
                                "the row has {} cells, and the table {} columns",
                                words.len(),
                                columns.len()
                            ),
                            place(source, cells.referenced),
                            "this row",
                        )
                        .help("every cell is stated: a word of the legend for each permission"),
                    );
                    continue;
                }
                for ((word, at), (action, context)) in words.into_iter().zip(&columns) {
                    let Some(expected) = legend.get(word) else {
                        let mut finding = error(
                            code::suite::TABLE,
                            format!("`{word}` is not in the legend"),
                            at,
                            "this cell",
                        );
                        let known: Vec<&str> = legend.keys().copied().collect();
                        finding.help = Some(format!("the legend has: {}", known.join(", ")));
                        findings.push(finding);
                        continue;
                    };
                    let one = std::slice::from_ref;
                    let principals = lookup.entities(
                        scope,
                        Of::Principal,
                        action,
                        one(principal),
                        &mut findings,
                    );
                    let resources =
                        lookup.entities(scope, Of::Resource, action, one(resource), &mut findings);
                    let about = |principal: &EntityUid, resource: &EntityUid| Check {
                        request: request(principal, action, resource, context),
                        expected: Arc::clone(expected),
                        place: at.clone(),
                    };
                    checks.extend(pairs(&principals, &resources, about));
                }
            }
        }
        self.findings.extend(findings);
        Some(Case {
            name: matrix.name.value.clone(),
            place: place(source, matrix.name.referenced),
            setting,
            checks,
        })
    }

    fn snapshot(
        &mut self,
        scope: &Scope<'a, '_>,
        snapshot: &'a document::Snapshot,
    ) -> Option<Snapshot> {
        let setting = self.setting(scope, None)?;
        let engine = self.settings.engine(setting)?;
        let mut findings = Vec::new();
        let mut lookup = SuiteLookup::new(engine, self.known.entry(setting).or_default());
        let first = snapshot.principals.0.first();
        let at = first.map_or_else(
            || Place::new(scope.source, 0..0),
            |first| place(scope.source, first.referenced),
        );
        let actions: Vec<EntityUid> = match word(&snapshot.actions) {
            Some(ALL) => engine
                .bundle()
                .vocabulary()
                .permissions()
                .map(|action| action.uid.clone())
                .collect(),
            _ => lookup
                .actions(scope, &snapshot.actions.0, &mut findings)
                .into_iter()
                .map(|action| action.uid.clone())
                .collect(),
        };
        let principals = lookup.selected(scope, Of::Principal, &snapshot.principals, &mut findings);
        let resources = lookup.selected(scope, Of::Resource, &snapshot.resources, &mut findings);
        // A workspace that has no data yet has nobody, and whoever asks for all of them means those to come.
        let is_all = |names: &document::Names| matches!(word(names), Some(ALL | CLASSES));
        let lacks_people = principals.is_empty() && !is_all(&snapshot.principals);
        let lacks_resources = resources.is_empty() && !is_all(&snapshot.resources);
        if lacks_people || actions.is_empty() || lacks_resources {
            findings.push(error(
                code::suite::EMPTY,
                "there is nothing to take a snapshot of",
                at.clone(),
                "asked for here",
            ));
        }
        let context = scope.context.map_or_else(
            || Value::Object(serde_json::Map::new()),
            |context| context.value.clone(),
        );
        self.findings.extend(findings);
        Some(Snapshot {
            setting,
            selection: Selection {
                principals,
                actions,
                resources,
                context,
            },
            place: at,
        })
    }

    fn exemption(
        &mut self,
        source: &Arc<Source>,
        exemption: &document::Exemption,
    ) -> Option<Exemption> {
        let at = place(source, exemption.policy.referenced);
        let id = &exemption.policy.value;
        if exemption.reason.trim().is_empty() {
            self.findings.push(error(
                code::suite::EXEMPTION,
                "an exemption has a reason, and this one is empty",
                at.clone(),
                "exempted here",
            ));
        }
        let bundle = self.settings.base().bundle();
        let Some(policy) = bundle.policy(id) else {
            let ids = bundle.policies().iter().map(|policy| policy.id());
            let mut finding = error(
                code::suite::UNKNOWN_POLICY,
                format!("there is no policy `{id}`"),
                at,
                "exempted here",
            );
            finding.help = did_you_mean(id, ids);
            self.findings.push(finding);
            return None;
        };
        if let Some(clause) = &exemption.clause {
            let known = Conditions::of(policy).names();
            if !known.contains(&clause.value) {
                let mut finding = error(
                    code::suite::UNKNOWN_CLAUSE,
                    format!("the policy `{id}` has no clause `{}`", clause.value),
                    place(source, clause.referenced),
                    "exempted here",
                );
                finding.help = Some(format!("its clauses are: `{}`", known.join("`, `")));
                self.findings.push(finding);
                return None;
            }
        }
        Some(Exemption {
            policy: id.clone(),
            clause: exemption.clause.as_ref().map(|clause| clause.value.clone()),
            reason: exemption.reason.clone(),
            place: at,
        })
    }
}

/// What is wrong with the name of a suite or case: it is shown on terminals, one to a line.
fn wrong_name(source: &Arc<Source>, name: &Spanned<String>) -> Option<Finding> {
    let what = match &name.value {
        text if text.trim().is_empty() => "is empty",
        text if text.chars().any(char::is_control) => "has a control character in it",
        _ => return None,
    };
    Some(
        error(
            code::suite::NAME,
            format!("the name {what}"),
            place(source, name.referenced),
            "this name",
        )
        .help("say in a sentence, on one line, what holds"),
    )
}

/// Something for every principal on every resource.
fn pairs<'p, T>(
    principals: &'p [EntityUid],
    resources: &'p [EntityUid],
    about: impl Fn(&EntityUid, &EntityUid) -> T + 'p,
) -> impl Iterator<Item = T> + 'p {
    let on_all = move |principal| resources.iter().map(move |resource| (principal, resource));
    principals
        .iter()
        .flat_map(on_all)
        .map(move |(principal, resource)| about(principal, resource))
}

fn request(
    principal: &EntityUid,
    action: &Action,
    resource: &EntityUid,
    context: &Context,
) -> Request {
    Request {
        principal: principal.clone(),
        action: action.uid.clone(),
        resource: resource.clone(),
        context: context.clone(),
    }
}

fn expected(
    scope: &Scope<'_, '_>,
    engine: &Engine,
    expect: document::Expect,
    because: Option<&[Spanned<String>]>,
    findings: &mut Vec<Finding>,
) -> Arc<Expected> {
    let mut ids = Vec::new();
    for id in because.unwrap_or_default() {
        ids.push(id.value.clone());
        let at = || place(scope.source, id.referenced);
        match engine.bundle().policy(&id.value) {
            None => {
                let known = engine.bundle().policies().iter().map(|policy| policy.id());
                let mut finding = error(
                    code::suite::UNKNOWN_POLICY,
                    format!("there is no policy `{}`", id.value),
                    at(),
                    "this policy",
                );
                finding.help = did_you_mean(&id.value, known);
                findings.push(finding);
            }
            Some(policy) => {
                if let Some((reading, holds)) = policy.reading()
                    && engine.readings().iter().any(|on| on == reading) != holds
                {
                    let state = if holds { "off" } else { "on" };
                    findings.push(
                        error(
                            code::suite::POLICY_NOT_IN_FORCE,
                            format!(
                                "the policy `{}` is not in force: the reading `{reading}` is {state} here",
                                id.value
                            ),
                            at(),
                            "this policy",
                        )
                        .help(format!("switch it under `readings`: `{reading}: {}`", if holds { "on" } else { "off" })),
                    );
                }
            }
        }
    }
    ids.sort_unstable();
    ids.dedup();
    Arc::new(Expected {
        decision: expect.into(),
        because: because.map(|_| ids),
    })
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

/// The words of a row, each with its place.
fn words<'s>(source: &'s Arc<Source>, cells: &'s Spanned<String>) -> Vec<(&'s str, Place)> {
    let row = place(source, cells.referenced);
    let start = usize::try_from(row.start).unwrap_or_default();
    let end = usize::try_from(row.end).unwrap_or_default();
    let text = source.text().get(start..end).unwrap_or_default();
    let mut from = 0;
    cells
        .value
        .split_whitespace()
        .map(|word| {
            let at = text
                .get(from..)
                .and_then(|rest| rest.find(word))
                .map(|offset| from + offset);
            let place = match at {
                Some(at) => {
                    from = at + word.len();
                    Place::new(source, start + at..start + at + word.len())
                }
                None => row.clone(),
            };
            (word, place)
        })
        .collect()
}
