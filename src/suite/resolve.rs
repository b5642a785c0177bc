//! Finds out what suite files mean in a workspace.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cedar_policy::{Context, EntityUid};
use miette::Diagnostic;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::document::{self, Document, Entries, Facts, Part, Switch};
use super::read::{Documents, place};
use super::setting::{Fact, Settings};
use super::{Case, Check, Exemption, Expected, Setting, Snapshot, Suite, did_you_mean, error};
use crate::bundle::{Action, Switches};
use crate::class;
use crate::decision::Request;
use crate::engine::Engine;
use crate::finding::Finding;
use crate::matrix::Selection;
use crate::names::{Name, NameError, Names, Part as Of};
use crate::source::{Place, Source};

/// The word for everybody and everything.
const ALL: &str = "all";

/// The word for one of each kind that the policies can tell apart.
const CLASSES: &str = "classes";

/// Turns documents into suites.
pub(super) struct Resolver<'a> {
    documents: &'a Documents,
    settings: Settings,
    switches: &'a Switches,
    /// By setting, what names have been found to mean.
    known: HashMap<usize, Known>,
    findings: Vec<Finding>,
}

/// What names mean in one directory.
#[derive(Default)]
struct Known {
    principals: HashMap<String, Result<EntityUid, NameError>>,
    resources: HashMap<String, Result<EntityUid, NameError>>,
}

/// What the names of a file can stand for: its own groups and fixtures, and those it uses.
#[derive(Default)]
struct Shared<'a> {
    principals: BTreeMap<&'a str, Group<'a>>,
    actions: BTreeMap<&'a str, Group<'a>>,
    resources: BTreeMap<&'a str, Group<'a>>,
    fixtures: BTreeMap<&'a str, (&'a Arc<Source>, &'a Facts)>,
}

/// A group and the file it stands in.
struct Group<'a> {
    source: &'a Arc<Source>,
    names: &'a [Spanned<String>],
}

/// A suite while its cases are resolved.
struct Scope<'a, 'b> {
    source: &'a Arc<Source>,
    shared: &'b Shared<'a>,
    switches: Switches,
    given: Vec<Fact>,
    context: Option<&'a Spanned<Value>>,
}

/// Names in one directory, with what was found before.
struct Lookup<'e> {
    engine: &'e Engine,
    names: Names<'e>,
    known: &'e mut Known,
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

    pub fn finish(self) -> (Vec<Setting>, Vec<Finding>) {
        (self.settings.into_settings(), self.findings)
    }

    /// The suite of a document; `None` for a shared file, and where it cannot be one.
    pub fn suite(&mut self, source: &'a Arc<Source>, document: &'a Document) -> Option<Suite> {
        let Some(name) = &document.suite else {
            let first = document.cases.first().map(|case| &case.name);
            let first = first.or(document.matrices.first().map(|matrix| &matrix.name));
            if let Some(first) = first {
                self.findings.push(
                    error(
                        "unnamed",
                        "a file with cases is a suite, and this one has no name",
                        place(source, first.referenced),
                        "the first case",
                    )
                    .help("say what it is about: `suite: …`"),
                );
            }
            return None;
        };
        let shared = self.shared(source, document);
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

    /// The groups and fixtures of a file and of those it uses.
    fn shared(&mut self, source: &'a Arc<Source>, document: &'a Document) -> Shared<'a> {
        let mut shared = Shared::default();
        let mut files = vec![(source, document)];
        for used in &document.uses {
            let path = beside(&source.name, &used.value);
            match self.documents.get(&path) {
                Some((source, document)) => files.push((source, document)),
                None => {
                    let mut finding = error(
                        "unknown_file",
                        format!("there is no file `{path}` among the suites, or it has errors"),
                        place(source, used.referenced),
                        "used here",
                    );
                    let names = self.documents.keys().map(String::as_str);
                    finding.help = did_you_mean(&path, names);
                    self.findings.push(finding);
                }
            }
        }
        for (source, document) in files {
            self.collect(source, &document.principals, &mut shared.principals);
            self.collect(source, &document.actions, &mut shared.actions);
            self.collect(source, &document.resources, &mut shared.resources);
            for (name, facts) in &document.fixtures.0 {
                if shared
                    .fixtures
                    .insert(&name.value, (source, facts))
                    .is_some()
                {
                    self.twice(source, name, "fixture");
                }
            }
        }
        self.check_groups(&shared.principals, Of::Principal);
        self.check_groups(&shared.resources, Of::Resource);
        self.check_groups(&shared.actions, Of::Action);
        shared
    }

    fn collect(
        &mut self,
        source: &'a Arc<Source>,
        entries: &'a Entries<document::Names>,
        groups: &mut BTreeMap<&'a str, Group<'a>>,
    ) {
        for (name, names) in &entries.0 {
            let group = Group {
                source,
                names: &names.0,
            };
            if groups.insert(&name.value, group).is_some() {
                self.twice(source, name, "group");
            }
            if name.value == ALL || name.value == CLASSES {
                self.findings.push(error(
                    "group_name",
                    format!("`{}` has a meaning of its own in snapshots", name.value),
                    place(source, name.referenced),
                    "this group",
                ));
            }
        }
    }

    fn twice(&mut self, source: &Arc<Source>, name: &Spanned<String>, what: &str) {
        self.findings.push(error(
            "duplicate_name",
            format!("there is another {what} `{}`", name.value),
            place(source, name.referenced),
            "this one",
        ));
    }

    /// A group must not be called like somebody or something: nobody could tell which is meant.
    fn check_groups(&mut self, groups: &BTreeMap<&'a str, Group<'a>>, part: Of) {
        let names = Names::of(self.settings.base());
        for (name, group) in groups {
            let text = Name::from(*name);
            let is_taken = match part {
                Of::Principal => !matches!(names.any_principal(&text), Err(NameError::Unknown { .. })),
                Of::Resource => !matches!(names.any_resource(&text), Err(NameError::Unknown { .. })),
                Of::Action => names.action(&text).is_ok(),
            };
            if is_taken {
                let at = group.names.first().map(|first| first.referenced);
                self.findings.push(error(
                    "group_name",
                    format!("`{name}` is the name of a {part} and of a group"),
                    at.map_or_else(
                        || Place::new(group.source, 0..0),
                        |at| place(group.source, at),
                    ),
                    "this group",
                ));
            }
        }
    }

    /// The readings of a suite: its own, and those of the command line where it says nothing.
    fn readings(&mut self, source: &Arc<Source>, readings: &Entries<Switch>) -> Switches {
        let known = self.settings.base().bundle().readings();
        let mut switches = self.switches.clone();
        for (name, switch) in &readings.0 {
            if !known.iter().any(|reading| reading.name == name.value) {
                let names: Vec<&str> = known.iter().map(|known| known.name.as_str()).collect();
                let mut finding = error(
                    "unknown_reading",
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
                            "unknown_fixture",
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
                    Finding::error("suite::unknown_reading", unknown.to_string())
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
        let mut lookup = Lookup::new(engine, self.known.entry(setting).or_default());
        let source = scope.source;
        let expected = expected(scope, engine, case.expect, &case.because, &mut findings);
        let mut checks = Vec::new();
        let at = place(source, case.name.referenced);
        for action in lookup.actions(scope, &case.action.0, &mut findings) {
            let context = lookup.context(
                scope,
                action,
                case.context.as_ref().or(scope.context),
                &mut findings,
            );
            let principals = lookup.entities(scope, Of::Principal, action, &case.principal.0, &mut findings);
            let resources = lookup.entities(scope, Of::Resource, action, &case.resource.0, &mut findings);
            for principal in &principals {
                for resource in &resources {
                    checks.push(Check {
                        request: Request {
                            principal: principal.clone(),
                            action: action.uid.clone(),
                            resource: resource.clone(),
                            context: context.clone(),
                        },
                        expected: Arc::clone(&expected),
                        place: at.clone(),
                    });
                }
            }
        }
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
        let mut lookup = Lookup::new(engine, self.known.entry(setting).or_default());
        let source = scope.source;
        let legend: BTreeMap<&str, Arc<Expected>> = matrix
            .legend
            .0
            .iter()
            .map(|(word, entry)| {
                let expected = expected(scope, engine, entry.expect, &entry.because, &mut findings);
                (word.value.as_str(), expected)
            })
            .collect();
        let columns: Vec<(&Action, Context)> = lookup
            .actions(scope, &matrix.actions.0, &mut findings)
            .into_iter()
            .map(|action| {
                let context = matrix.context.as_ref().or(scope.context);
                (action, lookup.context(scope, action, context, &mut findings))
            })
            .collect();
        let mut checks = Vec::new();
        for (resource, rows) in &matrix.table.0 {
            for (principal, cells) in &rows.0 {
                let words = words(source, cells);
                if words.len() != columns.len() {
                    findings.push(
                        error(
                            "table",
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
                            "table",
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
                    let principals =
                        lookup.entities(scope, Of::Principal, action, one(principal), &mut findings);
                    let resources =
                        lookup.entities(scope, Of::Resource, action, one(resource), &mut findings);
                    for principal in &principals {
                        for resource in &resources {
                            checks.push(Check {
                                request: Request {
                                    principal: principal.clone(),
                                    action: action.uid.clone(),
                                    resource: resource.clone(),
                                    context: context.clone(),
                                },
                                expected: Arc::clone(expected),
                                place: at.clone(),
                            });
                        }
                    }
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
        let mut lookup = Lookup::new(engine, self.known.entry(setting).or_default());
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
        let context = scope
            .context
            .map_or_else(|| Value::Object(serde_json::Map::new()), |context| context.value.clone());
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
        let bundle = self.settings.base().bundle();
        let Some(policy) = bundle.policy(id) else {
            let ids = bundle.policies().iter().map(|policy| policy.id());
            let mut finding = error(
                "unknown_policy",
                format!("there is no policy `{id}`"),
                at,
                "exempted here",
            );
            finding.help = did_you_mean(id, ids);
            self.findings.push(finding);
            return None;
        };
        if let Some(clause) = &exemption.clause {
            let known = crate::coverage::clauses(policy);
            if !known.contains(&clause.value) {
                let mut finding = error(
                    "unknown_clause",
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

impl<'e> Lookup<'e> {
    fn new(engine: &'e Engine, known: &'e mut Known) -> Self {
        Self {
            engine,
            names: Names::of(engine),
            known,
        }
    }

    /// The actions of these names, groups taken apart.
    fn actions(
        &mut self,
        scope: &Scope<'_, '_>,
        names: &[Spanned<String>],
        findings: &mut Vec<Finding>,
    ) -> Vec<&'e Action> {
        let mut actions: Vec<&Action> = Vec::new();
        for (source, name) in members(scope.source, &scope.shared.actions, names) {
            match self.names.action_or_question(&Name::from(name.value.as_str())) {
                Ok(action) => actions.push(action),
                Err(error) => findings.push(unknown(source, name, &error)),
            }
        }
        actions
    }

    /// The people or things of these names, groups taken apart.
    fn entities(
        &mut self,
        scope: &Scope<'_, '_>,
        part: Of,
        action: &Action,
        names: &[Spanned<String>],
        findings: &mut Vec<Finding>,
    ) -> Vec<EntityUid> {
        let groups = match part {
            Of::Resource => &scope.shared.resources,
            Of::Principal | Of::Action => &scope.shared.principals,
        };
        let mut entities = Vec::new();
        for (source, name) in members(scope.source, groups, names) {
            let known = match part {
                Of::Resource => &mut self.known.resources,
                Of::Principal | Of::Action => &mut self.known.principals,
            };
            // The types that are possible depend on the action alone.
            let key = format!("{} {}", action.uid, name.value);
            let found = known.entry(key).or_insert_with(|| {
                let text = Name::from(name.value.as_str());
                let found = match part {
                    Of::Resource => self.names.resource(action, &text),
                    Of::Principal | Of::Action => self.names.principal(action, &text),
                };
                found.map_err(|error| self.names.suggest(error, Some(action)))
            });
            match found {
                Ok(uid) => entities.push(uid.clone()),
                Err(error) => findings.push(unknown(source, name, error)),
            }
        }
        entities
    }

    /// Everybody, one of each class, or those of these names.
    fn selected(
        &mut self,
        scope: &Scope<'_, '_>,
        part: Of,
        names: &document::Names,
        findings: &mut Vec<Finding>,
    ) -> Vec<EntityUid> {
        match word(names) {
            Some(ALL) => return self.names.all(part),
            Some(CLASSES) => {
                let all = self.names.all(part);
                return class::Classes::of(self.engine, &all).representatives();
            }
            _ => {}
        }
        let groups = match part {
            Of::Resource => &scope.shared.resources,
            Of::Principal | Of::Action => &scope.shared.principals,
        };
        let mut entities = Vec::new();
        for (source, name) in members(scope.source, groups, &names.0) {
            let text = Name::from(name.value.as_str());
            let found = match part {
                Of::Resource => self.names.any_resource(&text),
                Of::Principal | Of::Action => self.names.any_principal(&text),
            };
            match found {
                Ok(uid) => entities.push(uid),
                Err(error) => {
                    findings.push(unknown(source, name, &self.names.suggest(error, None)));
                }
            }
        }
        entities
    }

    fn context(
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
                let named = crate::engine::entities_of(&read);
                match named.into_iter().find(|uid| !super::setting::exists(self.engine, uid)) {
                    Some(uid) => Err(format!("`{uid}` is nobody and nothing")),
                    None => Ok(read),
                }
            });
        read.unwrap_or_else(|problem| {
            findings.push(
                error(
                    "context",
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

/// The one word of names that are one.
fn word(names: &document::Names) -> Option<&str> {
    match names.0.as_slice() {
        [only] => Some(only.value.as_str()),
        _ => None,
    }
}

/// Names with groups taken apart, each with its file.
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

fn expected(
    scope: &Scope<'_, '_>,
    engine: &Engine,
    expect: document::Expect,
    because: &[Spanned<String>],
    findings: &mut Vec<Finding>,
) -> Arc<Expected> {
    let mut ids = Vec::new();
    for id in because {
        ids.push(id.value.clone());
        let at = || place(scope.source, id.referenced);
        match engine.bundle().policy(&id.value) {
            None => {
                let known = engine.bundle().policies().iter().map(|policy| policy.id());
                let mut finding = error(
                    "unknown_policy",
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
                            "policy_not_in_force",
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
        because: ids,
    })
}

fn unknown(source: &Arc<Source>, name: &Spanned<String>, problem: &NameError) -> Finding {
    let mut finding = error(
        "unknown_name",
        problem.to_string(),
        place(source, name.referenced),
        "this name",
    );
    finding.help = problem.help().map(|help| help.to_string());
    finding
}

fn written(source: &Arc<Source>, entries: &Facts) -> Vec<Fact> {
    entries
        .0
        .iter()
        .map(|(expression, value)| Fact {
            expression: expression.value.clone(),
            value: value.value.clone(),
            place: place(source, expression.referenced),
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

/// A path as seen from the folder of a file, with `/` between its parts.
fn beside(file: &str, path: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
