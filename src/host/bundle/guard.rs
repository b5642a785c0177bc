//! Guardrails: forbids that every permission must be subject to.
//!
//! A guardrail is a name that forbids share by `@guardrail`. It holds for each type of resource that a permission of
//! one of them is about, and for every type if one of them says so (`@guards`). Any other permission on such a
//! resource would get round the guardrail; it is an error unless the schema declares it with `@unguarded`. A forbid
//! that names a question is an error too: it answers nothing, and silences the policies that do. Schemas without
//! questions have no guardrails.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityTypeName;

use super::policy::{ActionScope, Effect, Policy};
use super::vocabulary::{Action, Vocabulary};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;

/// The value of `@guards` for a guardrail that holds back permissions on resources of every type.
const EVERYTHING: &str = "everything";

/// Findings about permissions that get round guardrails, and about forbids that silence questions.
pub(super) fn check(policies: &[Policy], vocabulary: &Vocabulary) -> Vec<Finding> {
    if !vocabulary.asks() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut guardrails: BTreeMap<&str, Vec<&Policy>> = BTreeMap::new();
    for policy in policies {
        findings.extend(silenced(policy, vocabulary));
        let Some(name) = policy.guardrail() else {
            findings.extend(policy.guards().map(|_| guards_nothing(policy)));
            continue;
        };
        if policy.guards().is_some_and(|guards| guards != EVERYTHING) {
            findings.push(guards_nothing(policy));
        }
        // A policy of a reading is not always in force, one for some people does not hold others back, and a void one
        // nobody.
        let holds_for_all =
            policy.reading().is_none() && policy.principal_anchor().is_none() && !policy.is_void();
        match policy.effect() {
            Effect::Forbid if holds_for_all && policy.resource_anchor().is_none() => {
                guardrails.entry(name).or_default().push(policy);
            }
            _ => findings.push(no_guardrail(policy)),
        }
    }
    let permissions: Vec<&Action> = vocabulary.permissions().collect();
    for (name, policies) in guardrails {
        let guarded = guarded(&policies, &permissions);
        let guards_all = policies.iter().any(|policy| policy.guards().is_some());
        let around = guards_all.then(|| around(&guarded, vocabulary));
        for action in &permissions {
            let is_guarded = |of: &&EntityTypeName| {
                let is_around = |around: &BTreeSet<String>| {
                    let mut types = action.principals.iter().chain([*of]);
                    types.any(|of| around.contains(&of.to_string()))
                };
                guarded.contains(of) || around.as_ref().is_some_and(is_around)
            };
            for resource in action.resources.iter().filter(is_guarded) {
                if action.unguarded().is_none() && !is_held(&policies, action, resource) {
                    let how = match guarded.contains(resource) {
                        true => to_be_held(&policies),
                        // The groups and policies of the guardrail are about other resources.
                        false => format!("hold it by a forbid with `@guardrail(\"{name}\")`"),
                    };
                    findings.push(unguarded(name, action, resource, &how));
                }
            }
        }
    }
    findings
}

/// The types of resources that permissions of these policies are about.
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

/// These types and all types that are connected with them by attributes or parents, in either direction. A type
/// without a connection has nothing to do with them.
fn around(types: &BTreeSet<&EntityTypeName>, vocabulary: &Vocabulary) -> BTreeSet<String> {
    let mut joined: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut join = |one, other| {
        joined.entry(one).or_default().insert(other);
        joined.entry(other).or_default().insert(one);
    };
    for (owner, attributes) in vocabulary.all_attributes() {
        for kind in attributes.values().map(|attribute| &attribute.kind) {
            kind.named()
                .into_iter()
                .for_each(|named| join(owner, named));
        }
    }
    for (child, parents) in vocabulary.declared_parents() {
        parents.iter().for_each(|parent| join(child, parent));
    }
    let mut around = BTreeSet::new();
    let mut open: Vec<String> = types.iter().map(ToString::to_string).collect();
    while let Some(name) = open.pop() {
        let beside = joined.get(name.as_str()).into_iter().flatten();
        let beside: Vec<String> = beside.map(|name| (*name).to_owned()).collect();
        if around.insert(name) {
            open.extend(beside);
        }
    }
    around
}

/// Whether these policies hold back a permission on a resource, for every type of principal.
fn is_held(policies: &[&Policy], action: &Action, resource: &EntityTypeName) -> bool {
    let resources = std::slice::from_ref(resource);
    action.principals.iter().all(|principal| {
        let principals = std::slice::from_ref(principal);
        let mut policies = policies.iter();
        policies.any(|policy| policy.may_apply_among(action, principals, resources))
    })
}

/// The way to put a permission under these policies, for the help.
fn to_be_held(policies: &[&Policy]) -> String {
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
    match groups.is_empty() {
        true => format!("name it in `{}`", ids.join("`, `")),
        false => format!(
            "put it into {}, or name it in `{}`",
            groups.join(" or "),
            ids.join("`, `")
        ),
    }
}

/// The finding about a permission on a resource that no policy of a guardrail holds back.
fn unguarded(name: &str, action: &Action, resource: &EntityTypeName, how: &str) -> Finding {
    let message = format!(
        "no policy of the guardrail `{name}` holds `{}` on a `{resource}`, so it gets round it",
        action.uid
    );
    Finding::error(code::policy::UNGUARDED_PERMISSION, message)
        .label(action.place.clone(), "declared here")
        .help(format!(
            "{how}; if nothing is to hold it back, say why in the schema: `@unguarded(\"…\")`"
        ))
}

fn guards_nothing(policy: &Policy) -> Finding {
    let message = format!("what `{}` guards cannot be known", policy.id());
    Finding::error(code::policy::GUARDRAIL, message)
        .label(policy.place().clone(), "this policy")
        .help("`@guards(\"everything\")` stands beside `@guardrail`, and says nothing else")
}

fn no_guardrail(policy: &Policy) -> Finding {
    Finding::error(
        code::policy::GUARDRAIL,
        format!("`{}` is no guardrail: it does not hold for everybody and always", policy.id()),
    )
    .label(policy.place().clone(), "this policy")
    .help("`@guardrail` is for a forbid of no reading that can apply, whose scope names neither principal nor resource")
}

/// The finding about a forbid that names questions.
fn silenced(policy: &Policy, vocabulary: &Vocabulary) -> Option<Finding> {
    let scope = policy.action_scope();
    let questions = vocabulary.questions();
    let named: Vec<String> = questions
        .filter(|question| scope.answers(question))
        .map(|question| format!("`{}`", question.uid))
        .collect();
    (policy.effect() == Effect::Forbid && !named.is_empty()).then(|| {
        Finding::error(
            code::policy::SILENCES_QUESTION,
            format!("the forbid `{}` takes away the answers to {}", policy.id(), named.join(", ")),
        )
        .label(policy.place().clone(), "this policy")
        .help("a permit answers a question, and a forbid takes the answers of others away: change the policies that answer")
    })
}
