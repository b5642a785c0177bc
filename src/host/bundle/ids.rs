//! Checks of policy ids: duplicate, similar, misleading and unprintable ones.

use std::collections::{BTreeMap, BTreeSet};

use unicode_security::confusable_detection::skeleton;

use super::parse::Template;
use super::policy::Policy;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;

/// Findings about duplicate, unprintable, similar and misleading ids.
pub(super) fn check(policies: &[Policy], templates: &[Template]) -> Vec<Finding> {
    let mut findings = duplicates(policies, templates);
    findings.extend(policies.iter().filter_map(unfit));
    findings.extend(look_alikes(policies));
    findings.extend(misleading(policies));
    findings
}

/// Findings about ids that two policies share.
fn duplicates(policies: &[Policy], templates: &[Template]) -> Vec<Finding> {
    let mut places: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for policy in policies.iter().filter(|policy| policy.ast().is_static()) {
        places
            .entry(policy.id().to_owned())
            .or_default()
            .push(policy.place());
    }
    for template in templates {
        places
            .entry(template.ast.id().to_string())
            .or_default()
            .push(&template.place);
    }
    for policy in policies.iter().filter(|policy| !policy.ast().is_static()) {
        places
            .entry(policy.id().to_owned())
            .or_default()
            .push(policy.place());
    }
    places
        .into_iter()
        .filter(|(_, places)| places.len() > 1)
        .map(|(id, places)| {
            let mut finding = Finding::error(
                code::policy::DUPLICATE_ID,
                format!("the id `{id}` is that of {} policies", places.len()),
            )
            .help("an id in a log must lead to one policy: rename all but one");
            for (index, place) in places.into_iter().enumerate() {
                let text = if index == 0 {
                    "first here"
                } else {
                    "again here"
                };
                finding = finding.label(place.clone(), text);
            }
            finding
        })
        .collect()
}

/// The finding about an id with characters that are invisible or steer a terminal.
fn unfit(policy: &Policy) -> Option<Finding> {
    // The displayed form of an id has them escaped.
    let id: &str = policy.ast().id().as_ref();
    id.chars().any(is_unseen).then(|| {
        let message = format!("the id `{}` has characters that do not show", policy.id());
        Finding::error(code::policy::UNFIT_ID, message)
            .label(policy.place().clone(), "this policy")
            .help("an id is written into logs: use letters, digits, dots and hyphens")
    })
}

/// Whether a character is invisible or steers a terminal.
pub(crate) fn is_unseen(character: char) -> bool {
    let is_blank = character.is_whitespace() && character != ' ';
    character.is_control() || is_blank || is_format(character)
}

/// Whether a character only changes how others are shown: it joins, separates or turns them.
fn is_format(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Findings about ids that a reader takes for each other, because they differ only in letter case or in similar
/// letters of other scripts. ASCII ids are compared by letter case only: `role-1` and `role-l` may both be meant.
fn look_alikes(policies: &[Policy]) -> Vec<Finding> {
    let is_plain = policies.iter().all(|policy| policy.id().is_ascii());
    let look = |id: &str| match is_plain {
        true => id.to_ascii_lowercase(),
        false => skeleton(&id.to_lowercase()).collect(),
    };
    let alike = |one: &str, other: &str| {
        let are_plain = one.is_ascii() && other.is_ascii();
        one != other && (!are_plain || one.eq_ignore_ascii_case(other))
    };
    let mut by_look: BTreeMap<String, Vec<&Policy>> = BTreeMap::new();
    for policy in policies {
        by_look.entry(look(policy.id())).or_default().push(policy);
    }
    let mut findings = Vec::new();
    for alikes in by_look.values() {
        for (index, policy) in alikes.iter().enumerate() {
            let mut before = alikes.iter().take(index);
            let Some(other) = before.find(|other| alike(other.id(), policy.id())) else {
                continue;
            };
            findings.push(
                Finding::warning(
                    code::policy::SIMILAR_ID,
                    format!("the id `{}` looks like `{}`", policy.id(), other.id()),
                )
                .label(policy.place().clone(), "this one")
                .label(other.place().clone(), "and this one")
                .help("an id in a log must lead to one policy: rename one of the two"),
            );
        }
    }
    findings
}

/// Findings about ids that begin with the area of rules that ship but stand in another folder, so that a reader of a
/// log takes the policy for one of these.
fn misleading(policies: &[Policy]) -> Vec<Finding> {
    let area = |policy: &Policy| policy.id().split('.').next().map(str::to_owned);
    let shipped = policies.iter().filter(|policy| policy.is_shipped());
    let ids: BTreeSet<&str> = shipped.clone().map(Policy::id).collect();
    let areas: BTreeSet<String> = shipped.filter_map(area).collect();
    let mut findings = Vec::new();
    for policy in policies.iter().filter(|policy| !policy.is_shipped()) {
        let Some(area) = area(policy).filter(|area| areas.contains(area)) else {
            continue;
        };
        // An id that equals one that ships has a finding already.
        if ids.contains(policy.id()) {
            continue;
        }
        let name = policy.place().source.name.as_str();
        let name = name.rsplit_once('.').map_or(name, |(name, _)| name);
        if name.split(['/', ':']).any(|part| part == area) {
            continue;
        }
        findings.push(
            Finding::warning(
                code::policy::MISLEADING_ID,
                format!(
                    "the id `{}` says that the policy stands in `{area}`",
                    policy.id()
                ),
            )
            .label(policy.place().clone(), "this policy")
            .help("begin it with the path of its file, for example `custom.`"),
        );
    }
    findings
}
