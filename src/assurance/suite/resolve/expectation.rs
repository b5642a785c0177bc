//! Expectations of cases and of words in a legend, with their requests.

use std::sync::Arc;

use cedar_policy::{Context, EntityUid};
use serde_saphyr::Spanned;

use super::Scope;
use crate::suite::document;
use crate::suite::{Expected, did_you_mean, error};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Source;
use tarbac_host::bundle::{Action, Policy};
use tarbac_host::decision::Request;
use tarbac_host::engine::Engine;
use tarbac_host::yaml::place;

/// The finding for a name of a suite or case that cannot be shown on a line of a terminal.
pub(super) fn invalid_name(source: &Arc<Source>, name: &Spanned<String>) -> Option<Finding> {
    let problem = match &name.value {
        text if text.trim().is_empty() => "is empty",
        text if text.chars().any(char::is_control) => "has a control character in it",
        _ => return None,
    };
    Some(
        error(
            code::suite::NAME,
            format!("the name {problem}"),
            place(source, name.referenced),
            "this name",
        )
        .help("say in a sentence, on one line, what holds"),
    )
}

/// An item for each pair of a principal and a resource.
pub(super) fn pairs<'p, T>(
    principals: &'p [EntityUid],
    resources: &'p [EntityUid],
    about: impl Fn(&EntityUid, &EntityUid) -> T + 'p,
) -> impl Iterator<Item = T> + 'p {
    let on_all = move |principal| resources.iter().map(move |resource| (principal, resource));
    principals
        .iter()
        .flat_map(on_all)
        .map(move |(principal, resource)| about(principal, resource))
}

pub(super) fn request(
    principal: &EntityUid,
    action: &Action,
    resource: &EntityUid,
    context: &Context,
) -> Request {
    Request {
        principal: principal.clone(),
        action: action.uid.clone(),
        resource: resource.clone(),
        context: context.clone(),
    }
}

/// The expectation of a decision, and of the policies that determine it if they are given.
pub(super) fn expected(
    scope: &Scope<'_, '_>,
    engine: &Engine,
    expect: document::Expect,
    because: Option<&[Spanned<String>]>,
    findings: &mut Vec<Finding>,
) -> Arc<Expected> {
    let mut ids = Vec::new();
    for id in because.unwrap_or_default() {
        ids.push(id.value.clone());
        findings.extend(match engine.bundle().policy(&id.value) {
            None => Some(unknown_policy(scope, engine, id)),
            Some(policy) => not_in_force(scope, engine, id, policy),
        });
    }
    ids.sort_unstable();
    ids.dedup();
    Arc::new(Expected {
        decision: expect.into(),
        because: because.map(|_| ids),
    })
}

fn unknown_policy(scope: &Scope<'_, '_>, engine: &Engine, id: &Spanned<String>) -> Finding {
    let known = engine.bundle().policies().iter().map(|policy| policy.id());
    let mut finding = error(
        code::suite::UNKNOWN_POLICY,
        format!("there is no policy `{}`", id.value),
        place(scope.source, id.referenced),
        "this policy",
    );
    finding.help = did_you_mean(&id.value, known);
    finding
}

/// The finding for a policy that is not in force because of its reading.
fn not_in_force(
    scope: &Scope<'_, '_>,
    engine: &Engine,
    id: &Spanned<String>,
    policy: &Policy,
) -> Option<Finding> {
    let (reading, needs_on) = policy.reading()?;
    let is_on = engine.readings().iter().any(|on| on == reading);
    let word = |is_on| if is_on { "on" } else { "off" };
    (is_on != needs_on).then(|| {
        error(
            code::suite::POLICY_NOT_IN_FORCE,
            format!(
                "the policy `{}` is not in force: the reading `{reading}` is {} here",
                id.value,
                word(is_on)
            ),
            place(scope.source, id.referenced),
            "this policy",
        )
        .help(format!(
            "switch it under `readings`: `{reading}: {}`",
            word(needs_on)
        ))
    })
}
