//! Policies of a workspace that have the id of one that ships and decide otherwise.
//!
//! A workspace whose rules replace those that ship may change them. That it has, nobody sees who reads the ids in
//! answers, so it is said unless the policy says so itself (`@changed`). Texts for a reader may differ, and so may the
//! default of a reading: every answer names the readings in force.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use cedar_policy_core::ast;

use super::policy::{Effect, Policy, is_for_readers};
use super::{Bundle, parse};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Source;

/// The annotation with the reason why a policy is not as it ships.
const CHANGED: &str = "changed";

/// What the record of a workspace says of its policies.
#[derive(Debug, Default)]
pub(crate) struct OnRecord {
    /// The names of files of roles that are as an import made them of a tenant, whose roles are its own.
    pub roles: BTreeSet<String>,
    /// The files and folders that were removed on purpose.
    pub removed: BTreeSet<String>,
}

impl Bundle {
    /// Findings about policies that differ from the one that ships under their id, and about those that ship and are
    /// gone. Only rules among which is one that ships, be it changed, are meant to be these.
    pub(crate) fn departures(&self, texts: &[Arc<Source>], on_record: &OnRecord) -> Vec<Finding> {
        let own: HashSet<&str> = texts.iter().map(|source| source.text()).collect();
        let shipped = self.shipped().policies();
        let changed = shipped.iter().filter(|source| !own.contains(source.text()));
        let changed: Vec<Arc<Source>> = changed.cloned().collect();
        let mut ids = shipped.iter().flat_map(|source| ids_in(source.text()));
        if changed.is_empty() || !ids.any(|id| self.policy(id).is_some()) {
            return Vec::new();
        }
        let (parsed, _) = parse::policies(&changed, &|_| true);
        let mut findings = Vec::new();
        let mut gone = Vec::new();
        for shipped in &parsed.policies {
            match self.policy(shipped.id()) {
                None if self.is_missed(shipped, on_record) => gone.push(shipped),
                None => {}
                Some(own) => {
                    let is_of_tenant = on_record.roles.contains(&own.place().source.name);
                    if !is_of_tenant && reason(own).is_none() && !is_same(own, shipped) {
                        findings.push(differs(own));
                    }
                }
            }
        }
        findings.extend(are_gone(&gone));
        findings
    }

    /// Whether it is missed that a policy which ships is gone: without a permit nobody may do more.
    fn is_missed(&self, shipped: &Policy, on_record: &OnRecord) -> bool {
        let is_permit = shipped.effect() == Effect::Permit;
        let name = &shipped.place().source.name;
        let path = name.split_once('/').map_or(name.as_str(), |(_, path)| path);
        let mut removed = on_record.removed.iter();
        let is_removed = removed.any(|named| {
            let rest = path.strip_prefix(named.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let is_excused = || {
            let mut reasons = self.policies().iter().filter_map(reason);
            reasons.any(|reason| names(reason, shipped.id()))
        };
        let answers = self.questions_of(shipped).next().is_some();
        (!is_permit || answers) && !is_removed && !is_excused()
    }
}

fn differs(own: &Policy) -> Finding {
    let message = format!(
        "the policy `{}` is not the one that ships under this id",
        own.id()
    );
    Finding::warning(code::policy::NOT_AS_SHIPPED, message)
        .label(own.place().clone(), "this policy")
        .help("if that is meant, say why with `@changed(\"…\")`; to see who gains and loses by it, compare with what ships: `tarbac init --bare shipped`, then `tarbac diff shipped/policies`")
}

fn are_gone(gone: &[&Policy]) -> Option<Finding> {
    let (first, others) = gone.split_first()?;
    let message = match others.len() {
        0 => format!("the policy `{}` ships, and is not here", first.id()),
        more => format!(
            "the policy `{}` and {more} more ship, and are not here",
            first.id()
        ),
    };
    let finding = Finding::warning(code::policy::NOT_AS_SHIPPED, message);
    Some(finding.help("put back what is missing (`tarbac init --bare shipped` writes it); if it is gone on purpose, name its file under `removed` in `tarbac-files.json`, or name it in the `@changed(\"…\")` of the policy in its place"))
}

/// Whether a policy in a file says that it is in the place of one of these.
pub(crate) fn replaces_any(source: &Arc<Source>, ids: &[&str]) -> bool {
    let (parsed, _) = parse::policies(std::slice::from_ref(source), &|_| true);
    let mut reasons = parsed.policies.iter().filter_map(reason);
    reasons.any(|reason| ids.iter().any(|id| names(reason, id)))
}

/// The reason why a policy is not as it ships.
fn reason(policy: &Policy) -> Option<&str> {
    // In a schema without questions as well, where annotations have no meaning otherwise.
    let reason = policy.annotations().get(CHANGED)?.trim();
    (!reason.is_empty()).then_some(reason)
}

/// Whether a reason names a policy.
fn names(reason: &str, id: &str) -> bool {
    let is_of_id = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    let mut words = reason.split(|letter| !is_of_id(letter));
    words.any(|word| word.trim_end_matches('.') == id)
}

/// Whether two policies decide the same, by their text.
fn is_same(one: &Policy, other: &Policy) -> bool {
    let (first, second) = (one.written(), other.written());
    first.effect() == second.effect()
        && first.principal_constraint() == second.principal_constraint()
        && first.resource_constraint() == second.resource_constraint()
        && are_same_actions(first.action_constraint(), second.action_constraint())
        && first.non_scope_constraints() == second.non_scope_constraints()
        && meaning(one) == meaning(other)
}

/// Whether two scopes name the same actions, in whatever order.
fn are_same_actions(one: &ast::ActionConstraint, other: &ast::ActionConstraint) -> bool {
    let actions = |constraint: &ast::ActionConstraint| -> BTreeSet<String> {
        constraint.iter_euids().map(ToString::to_string).collect()
    };
    std::mem::discriminant(one) == std::mem::discriminant(other) && actions(one) == actions(other)
}

/// The annotations by which a policy decides.
fn meaning(policy: &Policy) -> BTreeMap<&str, &str> {
    let annotations = policy.annotations().iter();
    annotations
        .filter(|(key, _)| !is_for_readers(key) && ![CHANGED, "default"].contains(&key.as_str()))
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

/// The ids in a text of policies that ships, where each stands on a line of its own.
pub(crate) fn ids_in(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("@id(\"")?.strip_suffix("\")"))
}
