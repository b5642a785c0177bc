//! Specifications: statements that must be true of the policies, written as policies.
//!
//! A `permit` is a lower bound: everything it matches must be allowed. A `forbid` is an upper bound:
//! everything it matches must be refused. Three annotations say more:
//!
//! | annotation | the spec is about |
//! |---|---|
//! | `@reading("NAME")` with `@holds("on")` or `@holds("off")` | the policies under that reading |
//! | `@regardless_of("PATH")` on a forbid | no difference: the decisions that it matches do not depend on the attribute at this path |
//! | `@regardless_of("NAME")` on a forbid | no difference: the decisions that it matches do not depend on that reading |
//! | `@authority`, `@code`, `@message` on a question | the policies that give this answer |

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy_core::ast;

use super::independence::AttributePath;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::{self, Finding};
use tarbac_diagnostic::source::{Place, Source};
use tarbac_host::bundle::{Bundle, Effect, Policy, QUESTIONS};
use tarbac_host::engine::Engine;

/// The annotations that specs may have.
const KEYS: [&str; 9] = [
    "authority",
    "code",
    "doc",
    "holds",
    "id",
    "message",
    "reading",
    "regardless_of",
    "source",
];

/// The annotations by which policies answer a question.
const ANSWERS: [&str; 3] = ["authority", "code", "message"];

/// A statement about the policies.
#[derive(Debug, Clone)]
pub struct Spec {
    policy: Policy,
    /// The statement about the requests that it matches.
    pub says: Says,
}

/// The statement of a spec about the requests that it matches.
#[derive(Debug, Clone)]
pub enum Says {
    /// They are allowed.
    Allowed,
    /// They are refused.
    Refused,
    /// Their decisions do not depend on an attribute.
    SameWhatever(AttributePath),
    /// Their decisions do not depend on a reading.
    SameUnderReading(String),
}

impl Spec {
    /// Its id.
    pub fn id(&self) -> &str {
        self.policy.id()
    }

    /// Its `@doc`.
    pub fn doc(&self) -> Option<&str> {
        self.policy.doc()
    }

    /// The document it comes from: its `@source`.
    pub fn source(&self) -> Option<&str> {
        self.policy.source()
    }

    /// Its place.
    pub fn place(&self) -> &Place {
        self.policy.place()
    }

    /// The reading that it is about, and whether it is on.
    pub fn reading(&self) -> Option<(&str, bool)> {
        self.policy.reading()
    }

    /// The spec as a policy, which matches the requests that the spec is about.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether a policy that answers a question gives the answer that it is about.
    pub fn is_about_answer(&self, policy: &Policy) -> bool {
        ANSWERS
            .into_iter()
            .filter_map(|key| Some((key, self.policy.annotation(key)?)))
            .all(|(key, answer)| policy.annotation(key) == Some(answer))
    }
}

/// Whether two policies give the same answer to a question.
pub(super) fn answer_alike(one: &Policy, other: &Policy) -> bool {
    ANSWERS
        .into_iter()
        .all(|key| one.annotation(key) == other.annotation(key))
}

/// Reads the specs of these files, in their order, with findings. There are specs only if no finding is an error.
pub fn read(sources: &[Arc<Source>], engine: &Engine) -> (Vec<Spec>, Vec<Finding>) {
    let bundle = engine.bundle();
    let (policies, mut findings) = bundle.read_beside(sources);
    let mut specs = Vec::new();
    for policy in policies {
        let mut problems = annotations(&policy);
        problems.extend(unknown_entities(&policy, engine));
        match says(&policy, bundle) {
            Ok(says) => specs.push(Spec { policy, says }),
            Err(problem) => problems.push(problem),
        }
        findings.extend(problems);
    }
    finding::sort(&mut findings);
    if finding::any_error(&findings) {
        specs.clear();
    }
    (specs, findings)
}

fn annotations(policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for key in policy.annotations().keys() {
        if !KEYS.contains(&key.as_str()) {
            findings.push(
                Finding::error(
                    code::spec::UNKNOWN_ANNOTATION,
                    format!("`@{key}` is no annotation of specs"),
                )
                .label(policy.place().clone(), "on this spec")
                .help(format!("the annotations are: @{}", KEYS.join(", @"))),
            );
        }
    }
    if policy.doc().is_none() {
        findings.push(
            Finding::warning(
                code::spec::MISSING_DOC,
                format!("the spec `{}` has no `@doc`", policy.id()),
            )
            .label(policy.place().clone(), "this spec")
            .help("say in one sentence what holds: `@doc(\"…\")`"),
        );
    }
    findings
}

/// Findings for entities that a spec names, and neither a policy nor the directory has: they are likely misspelt, and
/// a bound about an unknown person holds trivially.
fn unknown_entities(spec: &Policy, engine: &Engine) -> Vec<Finding> {
    let named: BTreeSet<_> = spec.named_entities().collect();
    named
        .into_iter()
        .filter(|uid| !engine.directory().knows(uid))
        .map(|uid| {
            Finding::warning(
                code::spec::UNKNOWN_ENTITY,
                format!(
                    "the spec `{}` names `{uid}`, which no policy names and which does not exist",
                    spec.id()
                ),
            )
            .label(spec.place().clone(), "this spec")
            .help("a spec about an entity that does not exist is true of nothing: correct the id")
        })
        .collect()
}

fn invalid(policy: &Policy, message: String) -> Finding {
    Finding::error(code::spec::INVALID, message).label(policy.place().clone(), "this spec")
}

/// The names of the readings, for help.
fn readings_help(bundle: &Bundle) -> String {
    let names: Vec<&str> = bundle
        .readings()
        .iter()
        .map(|reading| reading.name.as_str())
        .collect();
    match names.is_empty() {
        true => "these policies have no readings".to_owned(),
        false => format!("the readings are: {}", names.join(", ")),
    }
}

fn is_reading(bundle: &Bundle, name: &str) -> bool {
    bundle.readings().iter().any(|reading| reading.name == name)
}

/// The statement of a spec.
fn says(policy: &Policy, bundle: &Bundle) -> Result<Says, Finding> {
    let vocabulary = bundle.vocabulary();
    let mut actions = vocabulary.permissions().chain(vocabulary.questions());
    if !actions.any(|action| policy.may_apply_to(action)) {
        let message = format!(
            "the spec `{}` is about no request that there can be",
            policy.id()
        );
        return Err(invalid(policy, message)
            .help("name an action of the schema, and types that it applies to"));
    }
    check_reading(policy, bundle)?;
    check_question(policy, bundle)?;
    match policy.annotation("regardless_of") {
        Some(name) => regardless_of(policy, bundle, name),
        None => Ok(match policy.effect() {
            Effect::Permit => Says::Allowed,
            Effect::Forbid => Says::Refused,
        }),
    }
}

/// Refuses a spec that names no known reading, or does not say whether it is on.
fn check_reading(policy: &Policy, bundle: &Bundle) -> Result<(), Finding> {
    match (policy.annotation("reading"), policy.annotation("holds")) {
        (None, None) | (Some(_), Some("on" | "off")) => {}
        _ => {
            let message = format!(
                "the spec `{}` does not say under which reading it holds",
                policy.id()
            );
            return Err(invalid(policy, message)
                .help("write `@reading(\"…\")` and `@holds(\"on\")` or `@holds(\"off\")`"));
        }
    }
    let unknown = policy
        .reading()
        .filter(|(name, _)| !is_reading(bundle, name));
    match unknown {
        Some((name, _)) => {
            let message = format!("`{name}` is not a reading of these policies");
            Err(invalid(policy, message).help(readings_help(bundle)))
        }
        None => Ok(()),
    }
}

/// Refuses a spec that is about a question without an answer, an answer without a question, or both a question and
/// permissions.
fn check_question(policy: &Policy, bundle: &Bundle) -> Result<(), Finding> {
    let is_about_question = bundle.questions_of(policy).next().is_some();
    let is_about_answer = ANSWERS
        .into_iter()
        .any(|key| policy.annotation(key).is_some());
    if is_about_answer != is_about_question {
        let message = match is_about_question {
            true => format!(
                "the spec `{}` is about a question, but not about an answer to it",
                policy.id()
            ),
            false => format!(
                "the spec `{}` is about an answer, but names no question of `{QUESTIONS}`",
                policy.id()
            ),
        };
        return Err(invalid(policy, message)
            .help("a spec about a question has the `@authority`, `@code` or `@message` of the answer, and a spec about a permission has none"));
    }
    if is_about_question && bundle.permissions_of(policy).next().is_some() {
        let message = format!(
            "the spec `{}` is about a question and about permissions",
            policy.id()
        );
        return Err(invalid(policy, message).help("make two specs of it"));
    }
    Ok(())
}

/// The statement of a spec with `@regardless_of`: the name of a reading, or an attribute.
fn regardless_of(policy: &Policy, bundle: &Bundle, name: &str) -> Result<Says, Finding> {
    let is_about_question = bundle.questions_of(policy).next().is_some();
    if policy.effect() != Effect::Forbid || is_about_question {
        let message = format!("`@regardless_of` does not fit the spec `{}`", policy.id());
        return Err(invalid(policy, message)
            .help("it forbids a difference between decisions, so the spec is a `forbid`, and about permissions"));
    }
    if is_reading(bundle, name) {
        return match policy.reading() {
            Some((reading, _)) if reading == name => Err(invalid(
                policy,
                format!(
                    "the spec `{}` is about the reading `{name}` switched one way, and regardless of it",
                    policy.id()
                ),
            )),
            _ => Ok(Says::SameUnderReading(name.to_owned())),
        };
    }
    let expression = ast::Expr::from_str(name).ok();
    let attribute = expression
        .and_then(|expression| AttributePath::read_by(&expression, policy, bundle.vocabulary()));
    let Some(attribute) = attribute else {
        let message = format!(
            "`{name}` is neither a reading nor an attribute that a proof can be regardless of"
        );
        return Err(invalid(policy, message).help(format!(
            "an attribute is written as in `resource.hierarchy.enforceConfigMgrRbac`, and is a Bool, a Long, a String, or optional; {}",
            readings_help(bundle)
        )));
    };
    if attribute.is_read_by(&policy.written().condition()) {
        let message = format!(
            "the spec `{}` is regardless of `{name}`, and looks at it",
            policy.id()
        );
        return Err(
            invalid(policy, message).help("what it matches must not depend on the attribute")
        );
    }
    Ok(Says::SameWhatever(attribute))
}
