//! Checks of policies that have valid syntax.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{EntityUid, Schema};

use super::absence::Mention;
use super::parse::Template;
use super::policy::{ActionScope, Effect, Policy};
use super::vocabulary::Vocabulary;
use super::{Bundle, absence};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;

/// The annotation keys of policies.
const KEYS: &[&str] = &[
    "about",
    "accounts",
    "advice",
    "authority",
    "beyond",
    "change",
    "changed",
    "code",
    "decides",
    "default",
    "doc",
    "first",
    "former",
    "guardrail",
    "guards",
    "holds",
    "id",
    "lifts",
    "message",
    "reading",
    "severity",
    "source",
];

/// Findings about annotations that look misspelt or are missing. Without questions in the schema (`asks`), a forbid
/// needs no message.
pub(super) fn annotations(policies: &[Policy], asks: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let readings = policies.iter().filter_map(Policy::reading);
    let readings: BTreeSet<&str> = readings.map(|(name, _)| name).collect();
    for policy in policies {
        for (key, value) in policy.annotations() {
            findings.extend(unknown_key(policy, key, value, &readings, asks));
        }
        if asks && policy.doc().is_none() {
            findings.push(
                Finding::warning(
                    code::policy::MISSING_DOC,
                    format!("the policy `{}` has no `@doc`", policy.id()),
                )
                .label(policy.place().clone(), "this policy")
                .help("say in one sentence what it allows or refuses: `@doc(\"…\")`"),
            );
        }
        let missing: Vec<&str> = ["message", "advice"]
            .into_iter()
            .filter(|_| asks && policy.effect() == Effect::Forbid)
            .filter(|key| policy.annotation(key).is_none())
            .collect();
        if !missing.is_empty() {
            findings.push(
                Finding::warning(
                    code::policy::MISSING_MESSAGE,
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
                    code::policy::SEVERITY,
                    format!("`@severity(\"{other}\")` is neither \"error\" nor \"warning\""),
                )
                .label(policy.place().clone(), "this policy"),
            );
        }
    }
    findings
}

/// The finding about an annotation that looks like a misspelt one. It is an error if the annotation meant is certain
/// and decides whether the policy is in force; otherwise a warning, because a policy may have any annotation.
fn unknown_key(
    policy: &Policy,
    key: &str,
    value: &str,
    readings: &BTreeSet<&str>,
    asks: bool,
) -> Option<Finding> {
    if KEYS.contains(&key) {
        return None;
    }
    // A key with a very different length cannot be similar.
    let (distance, known) = KEYS
        .iter()
        .filter(|known| known.len().abs_diff(key.len()) <= 8)
        .map(|known| (strsim::damerau_levenshtein(known, key), *known))
        .min()?;
    if distance > 2 || distance * 2 >= key.chars().count() {
        return None;
    }
    let letters = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    let has_its_letters = letters(key) == letters(known);
    let would_switch = match known {
        _ if !asks => false,
        "reading" => readings.contains(value) || has_its_letters,
        "holds" => policy.reading().is_some() && matches!(value, "on" | "off"),
        _ => false,
    };
    let message = format!("`@{key}` is not an annotation that tarbac knows");
    let finding = match would_switch {
        true => Finding::error(code::policy::UNKNOWN_ANNOTATION, message),
        false => Finding::warning(code::policy::UNKNOWN_ANNOTATION, message),
    };
    let finding = finding.help(format!("did you mean `@{known}`?"));
    Some(finding.label(policy.place().clone(), "on this policy"))
}

/// Findings about permits that hold for every principal and resource.
///
/// Without questions in the schema, only a permit for every action is a finding, because others may be public on
/// purpose.
pub(super) fn for_everybody(policies: &[Policy], vocabulary: &Vocabulary) -> Vec<Finding> {
    let is_ours = vocabulary.asks();
    let grants = |policy: &Policy| {
        let scope = policy.action_scope();
        let mut permissions = vocabulary.permissions();
        match is_ours {
            true => permissions.any(|action| scope.covers(action)),
            false => scope == ActionScope::Any,
        }
    };
    policies
        .iter()
        .filter(|policy| policy.effect() == Effect::Permit && policy.is_unconditional())
        .filter(|policy| grants(policy))
        .map(|policy| {
            let what = match policy.action_scope() {
                ActionScope::Any => "everybody everything",
                _ => "everybody what it names",
            };
            Finding::warning(
                code::policy::FOR_EVERYBODY,
                format!("the policy `{}` permits {what}", policy.id()),
            )
            .label(policy.place().clone(), "this policy")
            .help(
                "name in the scope who may, for example a role: `principal in Intune::Role::\"…\"`",
            )
        })
        .collect()
}

/// Findings about templates that no link uses. With questions in the schema (`asks`), a forbid that has lost its links
/// is an error, as is one that names nobody.
pub(super) fn templates(templates: &[Template], policies: &[Policy], asks: bool) -> Vec<Finding> {
    templates
        .iter()
        .filter(|template| {
            !policies.iter().any(|policy| {
                !policy.ast().is_static() && policy.ast().template().id() == template.ast.id()
            })
        })
        .map(|template| {
            let id = template.ast.id();
            let message = format!("no link uses the template `{id}`, so it decides nothing");
            let finding = match template.ast.effect() {
                Effect::Forbid if asks => Finding::error(code::policy::UNLINKED_TEMPLATE, message),
                _ => Finding::warning(code::policy::UNLINKED_TEMPLATE, message),
            };
            finding
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

/// Findings about policies of the workspace and the entities that they name, and about permissions without the page
/// that carries them.
///
/// `nowhere` returns those of some entities that the directory neither has nor refers to. Policies that ship are not
/// checked: it is no mistake if nobody holds a built-in role.
pub fn policies_against_directory(
    bundle: &Bundle,
    nowhere: &dyn Fn(BTreeSet<EntityUid>) -> BTreeSet<EntityUid>,
    unlisted: &dyn Fn() -> BTreeSet<EntityUid>,
) -> Vec<Finding> {
    let named = |shipped: bool| -> BTreeSet<EntityUid> {
        let policies = bundle.policies().iter();
        policies
            .filter(|policy| policy.is_shipped() == shipped)
            .flat_map(Policy::named_entities)
            .collect()
    };
    let by_shipped = named(true);
    let mut to_find = named(false);
    to_find.retain(|uid| !by_shipped.contains(uid));
    let nowhere = match to_find.is_empty() {
        true => BTreeSet::new(),
        false => nowhere(to_find),
    };
    // The members of an entity matter to a policy of the workspace, even if other policies name the entity too.
    let unlisted = match named(false).is_empty() {
        true => BTreeSet::new(),
        false => unlisted(),
    };
    let given = permissions_by_anchor(bundle);
    let mut findings = Vec::new();
    for policy in bundle
        .policies()
        .iter()
        .filter(|policy| !policy.is_shipped())
    {
        let named: BTreeSet<EntityUid> = policy.named_entities().collect();
        if !named.is_disjoint(&nowhere) {
            let mentions = absence::mentions(policy, bundle.vocabulary());
            let missing = mentions.iter().filter(|(uid, _)| nowhere.contains(*uid));
            let found = missing.filter_map(|(uid, mentions)| unknown_entity(policy, uid, mentions));
            findings.extend(found);
        }
        if !named.is_disjoint(&unlisted) {
            let mentions = absence::memberships(policy, bundle.vocabulary());
            let missing = mentions.iter().filter(|(uid, _)| unlisted.contains(*uid));
            let found =
                missing.filter_map(|(uid, mentions)| unknown_members(policy, uid, mentions));
            findings.extend(found);
        }
        findings.extend(unreachable_permissions(bundle, &given, policy));
    }
    findings
}

/// The finding about an entity that may have unknown members, if somebody may do more because of it.
fn unknown_members(policy: &Policy, uid: &EntityUid, mentions: &[Mention]) -> Option<Finding> {
    let mention = mentions.iter().find(|mention| mention.allows_more)?;
    Some(absence::unknown_members(
        policy,
        &format!("`{uid}`"),
        mention,
    ))
}

/// The finding about a missing entity: an error if somebody may do more because of it.
fn unknown_entity(policy: &Policy, uid: &EntityUid, mentions: &[Mention]) -> Option<Finding> {
    let worst = mentions
        .iter()
        .find(|mention| mention.allows_more)
        .or_else(|| mentions.first())?;
    let help = match (policy.effect(), worst.allows_more, worst.narrows) {
        _ if worst.is_of_context => {
            "a request whose context has it cannot be decided until the directory has it"
        }
        (Effect::Permit, false, _) => "it permits nothing until the directory has it",
        (Effect::Permit, true, _) => {
            "an exception that names nobody excludes nobody: correct the id, or remove the exception"
        }
        (Effect::Forbid, true, true) => {
            "a forbid that names nobody holds nobody back: correct the id, or remove the policy"
        }
        (Effect::Forbid, true, false) => {
            "what depends on nobody may hold nobody back: correct the id, or remove it"
        }
        (Effect::Forbid, false, _) => "it spares nobody until the directory has it",
    };
    let message = format!(
        "the policy `{}` names `{uid}`, which does not exist",
        policy.id()
    );
    let finding = match worst.allows_more {
        true => Finding::error(code::policy::UNKNOWN_ENTITY, message),
        false => Finding::warning(code::policy::UNKNOWN_ENTITY, message),
    };
    let finding = finding.help(help);
    Some(match worst.place == *policy.place() {
        true => finding.label(policy.place().clone(), "this policy"),
        false => finding.label(worst.place.clone(), "named here"),
    })
}

/// For each entity in the scope of a permit, the permissions that permits give to its members.
fn permissions_by_anchor(bundle: &Bundle) -> BTreeMap<EntityUid, BTreeSet<&str>> {
    let mut given: BTreeMap<EntityUid, BTreeSet<&str>> = BTreeMap::new();
    let policies = bundle.policies().iter();
    for policy in policies.filter(|policy| policy.effect() == Effect::Permit) {
        if let Some(anchor) = policy.principal_anchor() {
            let permissions = bundle.permissions_of(policy).map(super::Action::id);
            given.entry(anchor).or_default().extend(permissions);
        }
    }
    given
}

fn unreachable_permissions(
    bundle: &Bundle,
    given: &BTreeMap<EntityUid, BTreeSet<&str>>,
    policy: &Policy,
) -> Vec<Finding> {
    if policy.action_scope() == ActionScope::Any || policy.effect() != Effect::Permit {
        return Vec::new();
    }
    let anchor = policy.principal_anchor();
    let given = anchor.as_ref().and_then(|anchor| given.get(anchor));
    let Some((anchor, given)) = anchor.as_ref().zip(given) else {
        return Vec::new();
    };
    bundle
        .permissions_of(policy)
        .filter_map(|action| {
            let id = action.id();
            let page = action.page()?;
            (!given.contains(page)).then(|| {
                Finding::warning(
                    code::policy::UNREACHABLE_PERMISSION,
                    format!("`{anchor}` has the permission `{id}` but not `{page}`, whose page carries it"),
                )
                .label(policy.place().clone(), "given here")
                .help(format!("add `{page}`, or take `{id}` away"))
            })
        })
        .collect()
}
