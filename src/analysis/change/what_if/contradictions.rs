//! Changes that contradict each other or the schema, and side effects of changes.

use std::collections::BTreeSet;

use cedar_policy::EntityUid;

use super::facts::entities_of;
use super::roles::{holder_and_role, leading};
use super::{Change, ChangeId, Changes};
use crate::change::fact::{self, Assertion, FactId, Statement};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::engine::Engine;
use tarbac_host::lookup::{Lookup, in_words};
use tarbac_store::index::IndexVec;

/// The finding for two changes that cannot both be made.
pub(super) fn contradiction(changes: &Changes<'_>, (one, other): (ChangeId, ChangeId)) -> Finding {
    let typed = |index: ChangeId| changes[index].typed();
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

/// Findings for attributes that the schema keeps true (`@lasting`) and that changes make false.
pub(super) fn lasting_ended(engine: &Engine, changed: &Engine, names: &Lookup<'_>) -> Vec<Finding> {
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
            for uid in entities_of(engine, &of_type) {
                if !is_true(engine, &uid, name) || is_true(changed, &uid, name) {
                    continue;
                }
                let told = attribute.annotations.get("told");
                let told = told.map_or_else(
                    || format!("{name} of {{entity}} is true"),
                    ToString::to_string,
                );
                let told = told.replace("{entity}", &names.name_of(&uid));
                findings.push(Finding::error(
                    code::what_if::CHANGE,
                    format!("{told}, and {lasting}"),
                ));
            }
        }
    }
    findings
}

/// Pairs of changes that grant and revoke the same role of the same person or group.
pub(super) fn granted_and_revoked(
    engine: &Engine,
    names: &Lookup<'_>,
    changes: &Changes<'_>,
) -> Vec<(ChangeId, ChangeId)> {
    let mut granted: Vec<(ChangeId, (EntityUid, EntityUid))> = Vec::new();
    let mut revoked = Vec::new();
    for (index, change) in changes.iter_enumerated() {
        let (text, of_kind) = match change {
            Change::Grant(text) => (text, &mut granted),
            Change::Revoke(text) => (text, &mut revoked),
            Change::Flag { .. } | Change::Set(_) => continue,
        };
        // An unknown name has a finding already.
        of_kind.extend(
            holder_and_role(engine, names, text)
                .ok()
                .map(|held| (index, held)),
        );
    }
    let pairs = granted.iter().flat_map(|(grant, held)| {
        let same = revoked.iter().filter(move |(_, of)| of == held);
        same.map(|(revoke, _)| (*grant, *revoke))
    });
    pairs.collect()
}

/// Findings for changes without effect after all changes, as for a person who leaves a group and joins another that is
/// in it. `of_fact` has the change of each fact.
pub(super) fn not_holding(
    changed: &Engine,
    names: &Lookup<'_>,
    changes: &Changes<'_>,
    assertions: &[Assertion],
    of_fact: &IndexVec<FactId, ChangeId>,
) -> Vec<Finding> {
    let mut intended: BTreeSet<(ChangeId, EntityUid, EntityUid, bool)> = BTreeSet::new();
    for assertion in assertions {
        if let Statement::In(group, is_in) = &assertion.statement {
            let change = of_fact[assertion.fact];
            intended.insert((change, assertion.entity.clone(), group.clone(), *is_in));
        }
    }
    for (index, change) in changes.iter_enumerated() {
        if let Change::Revoke(text) = change
            && let Ok((holder, role)) = holder_and_role(changed, names, text)
        {
            intended.insert((index, holder, role, false));
        }
    }
    let missed = intended
        .into_iter()
        .filter(|(_, uid, group, is_in)| fact::is_in_other(changed, uid, group) != *is_in);
    let mut findings: Vec<Finding> = Vec::new();
    let mut reported = BTreeSet::new();
    for (index, uid, group, is_in) in missed {
        if reported.insert(index) {
            let message = format!(
                "after all changes {} is {} {}, other than `{}` says",
                names.name_of(&uid),
                if is_in { "not in" } else { "still in" },
                names.name_of(&group),
                changes[index].typed()
            );
            let finding = Finding::error(code::what_if::CHANGE, message);
            findings.push(finding.help("leave it away, or the change that contradicts it"));
        }
    }
    findings
}

/// Side effects of changes, a sentence each: a person who leaves a group to lose one role loses the other roles of
/// the group too.
pub(super) fn side_effects(
    engine: &Engine,
    names: &Lookup<'_>,
    changes: &Changes<'_>,
) -> Vec<String> {
    let directory = engine.directory();
    let mut side_effects = Vec::new();
    for change in changes {
        let Change::Revoke(text) = change else {
            continue;
        };
        let Ok((holder, role)) = holder_and_role(engine, names, text) else {
            continue;
        };
        for left in leading(engine, &holder, &role) {
            let above = directory.row(&left).into_iter();
            let above = above.flat_map(|row| directory.ancestors(row));
            let roles =
                above.filter(|row| directory.type_name(*row) == role.type_name().to_string());
            let others: Vec<String> = roles
                .map(|row| directory.uid(row))
                .filter(|other| *other != role)
                .map(|other| names.name_of(&other))
                .collect();
            if !others.is_empty() {
                side_effects.push(format!(
                    "{} leaves the {} {}, which gives more than {}: {}",
                    names.name_of(&holder),
                    in_words(left.type_name()),
                    names.name_of(&left),
                    names.name_of(&role),
                    others.join(", ")
                ));
            }
        }
    }
    side_effects
}
