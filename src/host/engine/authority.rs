//! The authority over a resource, without which nothing is decided.
//!
//! If the schema has the question `Tarbac::Action::"authority"` for a type of principal and a type of resource,
//! exactly one policy must answer it, with an `@authority`. Otherwise the rules in force are incomplete or
//! contradictory, and no permit may allow anything. Under a schema without the question, decisions are those of Cedar.

use cedar_policy::{Effect, EntityTypeName};
use cedar_policy_core::ast;

use super::Engine;
use super::case::Case;
use super::index::Bucket;
use crate::bundle::{Action, Bundle, Policy};
use crate::decision::{Authority, Decision, Request};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;

/// The id of the question.
pub(crate) const AUTHORITY: &str = "authority";

/// The error if no policy answers; the same for every resource.
const NO_ANSWER: &str = "no policy says which authority is in force; see tarbac validate";

/// The error if a policy that answers is not there, which does not happen.
const LOST: &str = "a policy that says which authority is in force is not there";

/// The help if no policy answers.
const HELP: &str = "the rules that ship answer it in `policies/authority.cedar`: have it among your policies, or let those that ship be in force by removing `policies/tarbac.yaml`";

/// The question, with the way to ask it.
#[derive(Debug)]
pub(super) struct AuthorityQuestion {
    action: Action,
    /// Whether the policies that answer read neither the action nor the context, so that they can be evaluated on the
    /// request itself.
    is_of_request: bool,
}

/// The question about one request.
pub(super) struct Asking<'e> {
    question: &'e AuthorityQuestion,
    /// The policies that are evaluated for the request besides those that decide it.
    pub asked: Option<&'e Bucket>,
}

impl AuthorityQuestion {
    pub(crate) fn find(bundle: &Bundle, readings: &[String]) -> Option<Self> {
        let action = bundle.vocabulary().question(AUTHORITY)?;
        let mut asked = bundle.in_force(readings);
        Some(Self {
            action: action.clone(),
            is_of_request: asked
                .by_ref()
                .filter(|policy| policy.action_scope().answers(action))
                .all(|policy| !policy.reads(&[ast::Var::Action, ast::Var::Context])),
        })
    }
}

impl Engine {
    /// The question, if it applies to a request of an action, with the policies that can answer.
    pub(super) fn asks_authority(&self, action: &Action, request: &Request) -> Option<Asking<'_>> {
        let question = self.authority.as_ref()?;
        let (principal, resource) = (request.principal.type_name(), request.resource.type_name());
        let arises = !action.is_question() && question.action.applies_to(principal, resource);
        arises.then(|| Asking {
            question,
            asked: self.index.question(&question.action.uid, &request.resource),
        })
    }

    /// The authority over the resource of a request.
    pub(super) fn authority_over(
        &self,
        case: &Case<'_>,
        asking: &Asking<'_>,
    ) -> Option<Result<Authority, Vec<String>>> {
        let request = case.request();
        let outcome = if asking.question.is_of_request {
            self.answers(case, asking.asked.into_iter())
        } else {
            match self.as_question(AUTHORITY, request, &request.resource) {
                Ok(question) => self.put(&question?, case),
                Err(error) => return Some(Err(vec![error.to_string()])),
            }
        };
        if !outcome.errors.is_empty() {
            return Some(Err(outcome.errors));
        }
        let answered: Vec<&Policy> = self.policies(&outcome);
        if answered.len() != outcome.policies.len() {
            return Some(Err(vec![LOST.to_owned()]));
        }
        let is_permitted = outcome.decision == Decision::Allow;
        Some(match (is_permitted, answered.as_slice()) {
            (true, [policy]) => match policy.annotation("authority") {
                Some(name) => Ok(Authority {
                    name: name.to_owned(),
                    policy: policy.id().to_owned(),
                }),
                None => Err(vec![format!(
                    "`{}` says which authority is in force without an `@authority`",
                    policy.id()
                )]),
            },
            (true, several) => Err(vec![format!(
                "several policies say which authority is in force: {}",
                ids(several)
            )]),
            (false, []) => Err(vec![NO_ANSWER.to_owned()]),
            (false, forbids) => Err(vec![format!(
                "a forbid is no answer to which authority is in force: {}",
                ids(forbids)
            )]),
        })
    }

    /// Whether a policy in force that takes part in decisions about an action reads the context.
    pub fn reads_context(&self, action: &Action) -> bool {
        let mut policies = self.bundle.in_force(&self.readings);
        policies.any(|policy| self.takes_part(policy, action) && policy.reads(&[ast::Var::Context]))
    }

    /// Whether a policy takes part in decisions about an action: its scope matches the action, or it can say who is in
    /// authority.
    pub fn takes_part(&self, policy: &Policy, action: &Action) -> bool {
        let scope = policy.action_scope();
        let asks = |question: &&AuthorityQuestion| {
            let has_in_common = |one: &[EntityTypeName], other: &[EntityTypeName]| {
                one.iter().any(|type_name| other.contains(type_name))
            };
            !action.is_question()
                && has_in_common(&question.action.principals, &action.principals)
                && has_in_common(&question.action.resources, &action.resources)
        };
        let question = self.authority.as_ref().filter(asks);
        scope.answers(action) || question.is_some_and(|question| scope.answers(&question.action))
    }
}

/// The question who is in authority, and the policies in force under these readings that answer it; `None` if the
/// schema does not ask.
pub fn answering<'b>(
    bundle: &'b Bundle,
    readings: &'b [String],
) -> Option<(&'b Action, Vec<&'b Policy>)> {
    let question = bundle.vocabulary().question(AUTHORITY)?;
    let answers = bundle.in_force(readings).filter(|policy| {
        policy.effect() == Effect::Permit && policy.action_scope().answers(question)
    });
    Some((question, answers.collect()))
}

/// Findings about the policies that say who is in authority, if they make decisions indeterminate in every directory:
/// no policy answers for some types, or two always do.
pub fn authority_findings(bundle: &Bundle, readings: &[String]) -> Vec<Finding> {
    let mut findings = without_authority(bundle, readings);
    findings.extend(with_two_authorities(bundle, readings));
    findings
}

/// The finding that two policies answer for the same resource.
pub fn two_authorities(one: &Policy, other: &Policy) -> Finding {
    let (one, other) = match one.is_shipped() {
        true => (other, one),
        false => (one, other),
    };
    let message = format!(
        "`{}` and `{}` both say which authority is in force, so decisions are indeterminate",
        one.id(),
        other.id()
    );
    Finding::error(code::policy::TWO_AUTHORITIES, message)
        .label(one.place().clone(), "this one")
        .label(other.place().clone(), "and this one")
        .help("exactly one policy may answer: remove one of the two, or give them conditions of which never both are true")
}

/// Findings about two policies that certainly answer for the same resource: because one has no condition, because both
/// have the same, or because one ships, since the policies that ship answer for every resource.
fn with_two_authorities(bundle: &Bundle, readings: &[String]) -> Vec<Finding> {
    let Some((question, answers)) = answering(bundle, readings) else {
        return Vec::new();
    };
    let overlaps = |one: &Policy, other: &Policy| {
        let mut applicable = question.principals.iter().flat_map(|principal| {
            let resources = question.resources.iter();
            resources.map(move |resource| {
                (
                    std::slice::from_ref(principal),
                    std::slice::from_ref(resource),
                )
            })
        });
        let is_certain = one.is_shipped() != other.is_shipped()
            || one.is_unconditional()
            || other.is_unconditional()
            || one.ast().condition().eq_shape(&other.ast().condition());
        is_certain
            && applicable.any(|(principal, resource)| {
                one.may_apply_among(question, principal, resource)
                    && other.may_apply_among(question, principal, resource)
            })
    };
    let mut findings = Vec::new();
    for (index, one) in answers.iter().enumerate() {
        let mut before = answers.iter().take(index);
        if let Some(other) = before.find(|other| overlaps(one, other)) {
            findings.push(two_authorities(one, other));
        }
    }
    findings
}

/// Findings about types of resources for which no policy in force under these readings can say who is in authority, so
/// that every decision about them is indeterminate.
fn without_authority(bundle: &Bundle, readings: &[String]) -> Vec<Finding> {
    let Some(question) = bundle.vocabulary().question(AUTHORITY) else {
        return Vec::new();
    };
    let answers = |principal: &EntityTypeName, resource: &EntityTypeName| {
        let (principal, resource) = (
            std::slice::from_ref(principal),
            std::slice::from_ref(resource),
        );
        bundle.in_force(readings).any(|policy| {
            policy.effect() == Effect::Permit
                && policy.annotation("authority").is_some()
                && policy.may_apply_among(question, principal, resource)
        })
    };
    let mut findings = Vec::new();
    for principal in &question.principals {
        for resource in &question.resources {
            let mut permissions = bundle.vocabulary().permissions();
            if permissions.any(|action| action.applies_to(principal, resource))
                && !answers(principal, resource)
            {
                let message = format!(
                    "no policy can say which authority is in force when a `{principal}` asks about a `{resource}`, so every decision is indeterminate"
                );
                findings.push(Finding::error(code::policy::NO_AUTHORITY, message).help(HELP));
            }
        }
    }
    findings
}

fn ids(policies: &[&Policy]) -> String {
    let ids: Vec<&str> = policies.iter().map(|policy| policy.id()).collect();
    ids.join(", ")
}
