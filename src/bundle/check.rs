//! Looks for what is wrong with policies that parse.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{EntityUid, PolicySet, Schema, ValidationMode, ValidationResult, Validator};
use cedar_policy_core::ast;
use rayon::prelude::{ParallelIterator, ParallelSlice};

use super::parse::Template;
use super::policy::{ActionScope, Effect, Policy};
use super::{Bundle, diagnostic};
use crate::finding::{Finding, Severity};

/// How many policies are validated at once.
const AT_ONCE: usize = 32;

/// The annotation keys of policies.
const KEYS: &[&str] = &[
    "about",
    "accounts",
    "advice",
    "authority",
    "beyond",
    "change",
    "code",
    "default",
    "doc",
    "former",
    "holds",
    "id",
    "lifts",
    "message",
    "reading",
    "severity",
    "source",
];

/// Ids that two policies share.
pub(super) fn ids(policies: &[Policy], templates: &[Template]) -> Vec<Finding> {
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
                "policy::duplicate_id",
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

/// Annotations that are unknown or missing.
pub(super) fn annotations(policies: &[Policy]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for policy in policies {
        for key in policy.annotations().keys() {
            findings.extend(unknown_key(policy, key));
        }
        if policy.doc().is_none() {
            findings.push(
                Finding::warning(
                    "policy::missing_doc",
                    format!("the policy `{}` has no `@doc`", policy.id()),
                )
                .label(policy.place().clone(), "this policy")
                .help("say in one sentence what it allows or refuses: `@doc(\"…\")`"),
            );
        }
        let missing: Vec<&str> = ["message", "advice"]
            .into_iter()
            .filter(|key| policy.effect() == Effect::Forbid && policy.annotation(key).is_none())
            .collect();
        if !missing.is_empty() {
            findings.push(
                Finding::warning(
                    "policy::missing_message",
                    format!("the forbid `{}` has no `@{}`", policy.id(), missing.join("` and no `@")),
                )
                .label(policy.place().clone(), "this policy")
                .help("`@message` is what the admin center says, `@advice` what the refused person can do"),
            );
        }
        if let Some(other) = policy
            .annotation("severity")
            .filter(|value| !matches!(*value, "error" | "warning"))
        {
            findings.push(
                Finding::error(
                    "policy::severity",
                    format!("`@severity(\"{other}\")` is neither \"error\" nor \"warning\""),
                )
                .label(policy.place().clone(), "this policy"),
            );
        }
    }
    findings
}

/// A key close to a known one is an error: a misspelt `@reading` would leave a policy in force.
fn unknown_key(policy: &Policy, key: &str) -> Option<Finding> {
    if KEYS.contains(&key) {
        return None;
    }
    let near = KEYS
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, key), known))
        .min()
        .filter(|(distance, _)| *distance <= 2);
    let message = format!("`@{key}` is not an annotation that tarbac knows");
    let finding = match near {
        Some((_, known)) => Finding::error("policy::unknown_annotation", message)
            .help(format!("did you mean `@{known}`?")),
        None => Finding::warning("policy::unknown_annotation", message)
            .help(format!("the annotations are: @{}", KEYS.join(", @"))),
    };
    Some(finding.label(policy.place().clone(), "on this policy"))
}

/// Templates that no link uses.
pub(super) fn templates(templates: &[Template], policies: &[Policy]) -> Vec<Finding> {
    templates
        .iter()
        .filter(|template| {
            !policies.iter().any(|policy| {
                !policy.ast().is_static() && policy.ast().template().id() == template.ast.id()
            })
        })
        .map(|template| {
            Finding::warning(
                "policy::unlinked_template",
                format!(
                    "no link uses the template `{}`, so it decides nothing",
                    template.ast.id()
                ),
            )
            .label(template.place.clone(), "this template")
            .help("link it in a `.json` file beside it, in the format of `cedar link`")
        })
        .collect()
}

/// Whether the schema has every action that a policy names.
pub(super) fn are_actions_known(policies: &[Policy], schema: &Schema) -> bool {
    let known: BTreeSet<&EntityUid> = schema.actions().collect();
    policies.iter().all(|policy| match policy.action_scope() {
        ActionScope::Any => true,
        ActionScope::Is(action) => known.contains(&action),
        ActionScope::In(actions) => actions.iter().all(|action| known.contains(action)),
    })
}

/// What Cedar's strict validation finds.
///
/// Policies that ship are valid against the schema that ships; with another schema they are
/// checked like any other.
pub(super) fn types(policies: &[Policy], schema: &Schema, schema_is_shipped: bool) -> Vec<Finding> {
    let to_check: Vec<&Policy> = policies
        .iter()
        .filter(|policy| !(schema_is_shipped && policy.is_shipped()))
        .collect();
    if to_check.is_empty() {
        return Vec::new();
    }
    let validator = Validator::new(schema.clone());
    // What is wrong with one policy has nothing to do with another, so all cores take part.
    let results: Vec<ValidationResult> = to_check
        .par_chunks(AT_ONCE)
        .map(|policies| {
            let mut set = ast::PolicySet::new();
            for policy in policies {
                // Of policies that share an id, the first is checked; `ids` speaks of the others.
                let _ = set.add(policy.ast().clone());
            }
            validator.validate(&PolicySet::from(set), ValidationMode::Strict)
        })
        .collect();
    let mut findings = Vec::new();
    let with_id = |id: &cedar_policy::PolicyId| {
        let id: &str = id.as_ref();
        policies
            .iter()
            .find(|policy| policy.id() == id || policy.ast().template().id().to_string() == id)
    };
    for error in results.iter().flat_map(ValidationResult::validation_errors) {
        let finding = Finding::error("policy::type", error.to_string());
        findings.push(match with_id(error.policy_id()) {
            Some(policy) => diagnostic::complete(finding, &policy.place().source, error),
            None => finding,
        });
    }
    for warning in results
        .iter()
        .flat_map(ValidationResult::validation_warnings)
    {
        let finding = Finding::warning("policy::suspicious", warning.to_string());
        findings.push(match with_id(warning.policy_id()) {
            Some(policy) => diagnostic::complete(finding, &policy.place().source, warning),
            None => finding,
        });
    }
    // A policy is checked once for each type of principal and resource it can meet.
    let mut seen = BTreeSet::new();
    findings.retain(|finding: &Finding| {
        seen.insert((
            finding.message.clone(),
            finding.labels.first().map(|label| label.place.clone()),
        ))
    });
    findings
}

/// What a policy of the workspace gets wrong about the people and things there are, and about how
/// the admin center reaches a permission.
///
/// `exists` says of an entity that the directory has it. Policies that ship are not looked at: a
/// built-in role that nobody holds is no finding.
pub fn policies_against_directory(
    bundle: &Bundle,
    exists: &dyn Fn(&EntityUid) -> bool,
) -> Vec<Finding> {
    let by_shipped: BTreeSet<EntityUid> = bundle
        .policies()
        .iter()
        .filter(|policy| policy.is_shipped())
        .flat_map(Policy::named_entities)
        .collect();
    let mut findings = Vec::new();
    for policy in bundle
        .policies()
        .iter()
        .filter(|policy| !policy.is_shipped())
    {
        let named: BTreeSet<EntityUid> = policy.named_entities().collect();
        for uid in named {
            if !exists(&uid) && !by_shipped.contains(&uid) {
                findings.push(unknown_entity(policy, &uid));
            }
        }
        findings.extend(unreachable_permissions(bundle, policy));
    }
    findings
}

fn unknown_entity(policy: &Policy, uid: &EntityUid) -> Finding {
    let message = format!(
        "the policy `{}` names `{uid}`, which exists nowhere",
        policy.id()
    );
    let (severity, help) = match policy.effect() {
        Effect::Permit => (
            Severity::Warning,
            "it permits nothing until the directory has it",
        ),
        Effect::Forbid => (
            Severity::Error,
            "a forbid that names nobody holds nobody back: correct the id, or remove the policy",
        ),
    };
    let mut finding = Finding::warning("policy::unknown_entity", message).help(help);
    finding.severity = severity;
    finding.label(policy.place().clone(), "this policy")
}

fn unreachable_permissions(bundle: &Bundle, policy: &Policy) -> Vec<Finding> {
    if policy.action_scope() == ActionScope::Any {
        return Vec::new();
    }
    let Some(anchor) = policy
        .principal_anchor()
        .filter(|_| policy.effect() == Effect::Permit)
    else {
        return Vec::new();
    };
    let given: BTreeSet<&str> = bundle
        .policies()
        .iter()
        .filter(|other| {
            other.effect() == Effect::Permit && other.principal_anchor().as_ref() == Some(&anchor)
        })
        .flat_map(|other| bundle.permissions_of(other))
        .map(super::Action::id)
        .collect();
    bundle
        .permissions_of(policy)
        .filter_map(|action| {
            let id = action.id();
            let page = action.page()?;
            (!given.contains(page)).then(|| {
                Finding::warning(
                    "policy::unreachable_permission",
                    format!("`{anchor}` has the permission `{id}` but not `{page}`, whose page carries it"),
                )
                .label(policy.place().clone(), "given here")
                .help(format!("add `{page}`, or take `{id}` away"))
            })
        })
        .collect()
}
