//! Checks of policy ids: duplicate, similar, misleading and unprintable ones.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::parse::Template;
use super::policy::Policy;
use crate::look::{are_alike, is_unseen, looks_of};
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

/// Findings about ids that a reader takes for each other, because they differ only in letter case or in similar
/// letters of other scripts. Similar characters within ASCII count only beside the id of a policy that ships: `role-1`
/// and `role-l`, both made of the names of roles, may both be meant.
fn look_alikes(policies: &[Policy]) -> Vec<Finding> {
    let alike = |policy: &Policy, other: &Policy| {
        let (one, other_id) = (policy.id(), other.id());
        match one.is_ascii() && other_id.is_ascii() {
            false => one != other_id,
            true if policy.is_shipped() == other.is_shipped() => {
                one != other_id && one.eq_ignore_ascii_case(other_id)
            }
            true => {
                one != other_id && (one.eq_ignore_ascii_case(other_id) || are_alike(one, other_id))
            }
        }
    };
    let mut by_look: HashMap<u64, Vec<&Policy>> = HashMap::new();
    let mut findings = Vec::new();
    for policy in policies {
        let looks = looks_of(policy.id());
        let before = looks.iter().filter_map(|look| by_look.get(look)).flatten();
        if let Some(other) = before.copied().find(|other| alike(policy, other)) {
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
        for look in BTreeSet::from(looks) {
            by_look.entry(look).or_default().push(policy);
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
