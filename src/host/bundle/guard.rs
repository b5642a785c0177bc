//! What would get round the rules that hold whoever decides.
//!
//! A guardrail is a name that forbids share by `@guardrail`. It holds for each type of resources
//! that a permission of one of them is about: any other permission on such a resource would get
//! round it, and is refused unless the schema says with `@unguarded` that it is meant to. And a
//! forbid that names a question answers none, but would silence the policies that do.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityTypeName;

use super::policy::{ActionScope, Effect, Policy};
use super::vocabulary::{Action, Vocabulary};
use tarbac_diagnostic::finding::Finding;

/// What gets round guardrails or silences questions.
pub(super) fn check(policies: &[Policy], vocabulary: &Vocabulary) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut guardrails: BTreeMap<&str, Vec<&Policy>> = BTreeMap::new();
    for policy in policies {
        findings.extend(silenced(policy, vocabulary));
        let Some(name) = policy.guardrail() else {
            continue;
        };
        // A policy of a reading holds only sometimes, and one for some people only for those.
        let holds_for_all = policy.reading().is_none() && policy.principal_anchor().is_none();
        match policy.effect() {
            Effect::Forbid if holds_for_all && policy.resource_anchor().is_none() => {
                guardrails.entry(name).or_default().push(policy);
            }
            _ => findings.push(no_guardrail(policy)),
        }
    }
    let permissions: Vec<&Action> = vocabulary.permissions().collect();
    for (name, policies) in guardrails {
        for resource in guarded(&policies, &permissions) {
            for action in &permissions {
                if action.resources.contains(resource) && action.unguarded().is_none() {
                    findings.extend(unguarded(name, &policies, action, resource));
                }
            }
        }
    }
    findings
}

/// The types of resources that a permission of one of the policies is about.
fn guarded<'a>(policies: &[&Policy], permissions: &[&'a Action]) -> BTreeSet<&'a EntityTypeName> {
    let of_action = |action: &&'a Action| {
        let action = *action;
        let resources = action.resources.iter();
        resources.filter(|resource| {
            let resource = std::slice::from_ref(*resource);
            let mut policies = policies.iter();
            policies.any(|policy| policy.may_apply_among(action, &action.principals, resource))
        })
    };
    permissions.iter().flat_map(of_action).collect()
}

/// A permission on a resource that none of these policies holds back.
fn unguarded(
    name: &str,
    policies: &[&Policy],
    action: &Action,
    resource: &EntityTypeName,
) -> Option<Finding> {
    let resources = std::slice::from_ref(resource);
    let is_held = |principal: &EntityTypeName| {
        let principals = std::slice::from_ref(principal);
        let mut policies = policies.iter();
        policies.any(|policy| policy.may_apply_among(action, principals, resources))
    };
    if action.principals.iter().all(is_held) {
        return None;
    }
    let groups: BTreeSet<String> = policies
        .iter()
        .filter_map(|policy| match policy.action_scope() {
            ActionScope::In(named) => Some(named),
            _ => None,
        })
        .flatten()
        .map(|group| format!("`{group}`"))
        .collect();
    let groups: Vec<String> = groups.into_iter().collect();
    let ids: Vec<&str> = policies.iter().map(|policy| policy.id()).collect();
    let how = match groups.is_empty() {
        true => format!("name it in `{}`", ids.join("`, `")),
        false => format!(
            "put it into {}, or name it in `{}`",
            groups.join(" or "),
            ids.join("`, `")
        ),
    };
    let message = format!(
        "no policy of the guardrail `{name}` holds `{}` on a `{resource}`, so it gets round it",
        action.uid
    );
    let finding = Finding::error("policy::unguarded_permission", message);
    Some(
        finding
            .label(action.place.clone(), "declared here")
            .help(format!(
                "{how}; if nothing is to hold it back, say why in the schema: `@unguarded(\"…\")`"
            )),
    )
}

fn no_guardrail(policy: &Policy) -> Finding {
    Finding::error(
        "policy::guardrail",
        format!("`{}` is no guardrail: it does not hold for everybody and always", policy.id()),
    )
    .label(policy.place().clone(), "this policy")
    .help("`@guardrail` is for a forbid of no reading, whose scope names neither principal nor resource")
}

/// A forbid that names questions.
fn silenced(policy: &Policy, vocabulary: &Vocabulary) -> Option<Finding> {
    let scope = policy.action_scope();
    let questions = vocabulary.questions();
    let named: Vec<String> = questions
        .filter(|question| scope.answers(question))
        .map(|question| format!("`{}`", question.uid))
        .collect();
    (policy.effect() == Effect::Forbid && !named.is_empty()).then(|| {
        Finding::error(
            "policy::silences_question",
            format!("the forbid `{}` silences whoever answers {}", policy.id(), named.join(", ")),
        )
        .label(policy.place().clone(), "this policy")
        .help("a permit answers a question, and a forbid takes the answers of others away: change the policies that answer")
    })
}
