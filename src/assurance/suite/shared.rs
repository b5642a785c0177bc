//! Shared names of suites: groups and fixtures.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_saphyr::Spanned;

use super::document::{self, Document, Entries, Facts, Part};
use super::lookup::{ALL, CLASSES, unknown};
use super::read::Documents;
use super::resolve::written;
use super::{Setting, did_you_mean, error};
use tarbac_analysis::change::fact;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};
use tarbac_host::engine::Engine;
use tarbac_host::lookup::{Lookup, Name, NameError, RequestPart};
use tarbac_host::yaml::place;

/// The groups and fixtures of a file, and of those that it uses.
#[derive(Default)]
pub(super) struct Shared<'a> {
    pub principals: BTreeMap<&'a str, Group<'a>>,
    pub actions: BTreeMap<&'a str, Group<'a>>,
    pub resources: BTreeMap<&'a str, Group<'a>>,
    pub fixtures: BTreeMap<&'a str, (&'a Arc<Source>, &'a Facts)>,
}

/// A group and its file.
pub(super) struct Group<'a> {
    pub source: &'a Arc<Source>,
    pub names: &'a [Spanned<String>],
}

impl<'a> Shared<'a> {
    /// The groups and fixtures of a file and of those it uses. `names` are those of the workspace.
    pub(super) fn new(
        documents: &'a Documents,
        names: &Lookup<'_>,
        source: &'a Arc<Source>,
        document: &'a Document,
        findings: &mut Vec<Finding>,
    ) -> Self {
        let mut shared = Shared::default();
        let mut files = vec![(source, document)];
        for used in &document.uses {
            let path = beside(&source.name, &used.value);
            match documents.get(&path) {
                Some((source, document)) => files.push((source, document)),
                None => {
                    let mut finding = error(
                        code::suite::UNKNOWN_FILE,
                        format!("there is no file `{path}` among the suites, or it has errors"),
                        place(source, used.referenced),
                        "used here",
                    );
                    let names = documents.keys().map(String::as_str);
                    finding.help = did_you_mean(&path, names);
                    findings.push(finding);
                }
            }
        }
        for (source, document) in files {
            collect(
                source,
                &document.principals,
                &mut shared.principals,
                findings,
            );
            collect(source, &document.actions, &mut shared.actions, findings);
            collect(source, &document.resources, &mut shared.resources, findings);
            for (name, facts) in &document.fixtures.0 {
                if shared
                    .fixtures
                    .insert(&name.value, (source, facts))
                    .is_some()
                {
                    findings.push(twice(source, name, "fixture"));
                }
            }
        }
        check_groups(names, &shared.principals, RequestPart::Principal, findings);
        check_groups(names, &shared.resources, RequestPart::Resource, findings);
        check_groups(names, &shared.actions, RequestPart::Action, findings);
        shared
    }
}

fn collect<'a>(
    source: &'a Arc<Source>,
    entries: &'a Entries<document::Names>,
    groups: &mut BTreeMap<&'a str, Group<'a>>,
    findings: &mut Vec<Finding>,
) {
    for (name, names) in &entries.0 {
        let group = Group {
            source,
            names: &names.0,
        };
        if groups.insert(&name.value, group).is_some() {
            findings.push(twice(source, name, "group"));
        }
        if name.value == ALL || name.value == CLASSES {
            findings.push(error(
                code::suite::GROUP_NAME,
                format!("`{}` has a meaning of its own in snapshots", name.value),
                place(source, name.referenced),
                "this group",
            ));
        }
    }
}

fn twice(source: &Arc<Source>, name: &Spanned<String>, what: &str) -> Finding {
    error(
        code::suite::DUPLICATE_NAME,
        format!("there is another {what} `{}`", name.value),
        place(source, name.referenced),
        "this one",
    )
}

/// Findings for groups with the name of an entity, which would be ambiguous.
fn check_groups(
    names: &Lookup<'_>,
    groups: &BTreeMap<&str, Group<'_>>,
    part: RequestPart,
    findings: &mut Vec<Finding>,
) {
    for (name, group) in groups {
        let text = Name::from(*name);
        let is_taken = match part {
            RequestPart::Principal => {
                !matches!(names.any_principal(&text), Err(NameError::Unknown { .. }))
            }
            RequestPart::Resource => {
                !matches!(names.any_resource(&text), Err(NameError::Unknown { .. }))
            }
            RequestPart::Action => names.action(&text).is_ok(),
        };
        if is_taken {
            let at = group.names.first().map(|first| first.referenced);
            findings.push(error(
                code::suite::GROUP_NAME,
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

/// Findings for groups and fixtures that no case uses.
pub(super) fn unused(documents: &Documents, base: &Engine, settings: &[Setting]) -> Vec<Finding> {
    let engines: Vec<&Engine> = std::iter::once(base)
        .chain(settings.iter().map(|setting| setting.engine.as_ref()))
        .collect();
    let used: BTreeSet<&str> = documents
        .values()
        .flat_map(|(_, document)| document.givens())
        .flat_map(|given| &given.0)
        .filter_map(|part| match part {
            Part::Fixture(name) => Some(name.value.as_str()),
            Part::Facts(_) => None,
        })
        .collect();
    let names = Lookup::new(base);
    let mut findings = Vec::new();
    for (source, document) in documents.values() {
        for (name, facts) in &document.fixtures.0 {
            if !used.contains(name.value.as_str()) {
                findings.extend(
                    fact::entities(base, &names, &written(source, facts), &code::suite::GIVEN).1,
                );
            }
        }
        for (groups, part) in [
            (&document.principals, RequestPart::Principal),
            (&document.actions, RequestPart::Action),
            (&document.resources, RequestPart::Resource),
        ] {
            for name in groups.0.iter().flat_map(|(_, names)| &names.0) {
                let text = Name::from(name.value.as_str());
                let find = |names: &Lookup<'_>| match part {
                    RequestPart::Principal => names.any_principal(&text).map(drop),
                    RequestPart::Action => names.action_or_question(&text).map(drop),
                    // A question may apply to other types than a permission.
                    RequestPart::Resource => names.anything(&text).map(drop),
                };
                // The facts of a case may have made the entity.
                if engines
                    .iter()
                    .all(|engine| find(&Lookup::new(engine)).is_err())
                    && let Err(problem) = find(&names)
                {
                    findings.push(unknown(source, name, &names.suggest(problem, None)));
                }
            }
        }
    }
    findings
}

/// A path that is relative to the folder of a file, with `/` between its parts.
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
