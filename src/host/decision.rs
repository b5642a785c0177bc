//! Requests, decisions and answers, in the terms of Cedar and XACML.
//!
//! The terms are Cedar's and XACML's.

use cedar_policy::{Context, EntityUid};
use serde::Serialize;

use crate::bundle::Rules;
use tarbac_diagnostic::printable::short;

/// May this principal take this action on this resource?
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asks.
    pub principal: EntityUid,
    /// What for.
    pub action: EntityUid,
    /// On what.
    pub resource: EntityUid,
    /// What else is known; conforms to the action's context in the schema.
    pub context: Context,
}

/// The decision on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// A policy permits it and none forbids it.
    Allow,
    /// A policy forbids it, or none permits it.
    Deny,
    /// It could not be decided; to be treated as a refusal.
    Indeterminate,
}

/// Why a decision is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// A policy permits it and none forbids it.
    Permitted,
    /// A policy forbids it.
    Forbidden,
    /// No policy permits it, and none forbids it.
    NotPermitted,
    /// A policy could not be evaluated, or the request names what does not exist.
    Error,
}

/// A decision and the policies that determine it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Outcome {
    /// The decision.
    pub decision: Decision,
    /// Why; what an answer says, and no comparison of outcomes.
    #[serde(skip)]
    pub basis: Basis,
    /// The ids of the determining policies, sorted.
    pub policies: Vec<String>,
    /// What went wrong, sorted; empty unless the decision is indeterminate.
    pub errors: Vec<String>,
}

/// An [`Outcome`] with what a person needs to know beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The decision.
    pub outcome: Outcome,
    /// Which role-based access control is in force, in the word of the policy that says so;
    /// `None` where the question does not arise or could not be answered.
    pub authority: Option<Authority>,
    /// What the admin center says and what to do, one for each rule that refused; what is to be mended first
    /// comes first.
    pub refusals: Vec<Refusal>,
    /// What else to know; changes no decision. Sorted.
    pub notices: Vec<Notice>,
}

/// What a decision was made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// What the rules are.
    pub rules: Rules,
    /// The identity of schema, policies, readings in force and entities: 64 hexadecimal digits, the same for the
    /// same content wherever it lies and however its files are called.
    pub revision: String,
    /// The readings in force, sorted.
    pub readings: Vec<String>,
    /// The names of files of the workspace that are not read; with the missing ones.
    pub not_read: Vec<String>,
    /// The names of files that were written into the workspace and are not there.
    pub missing: Vec<String>,
}

impl Provenance {
    /// So much of the revision as people need to tell it from others; for programs it is whole.
    pub fn short_revision(&self) -> &str {
        self.revision.get(..12).unwrap_or(&self.revision)
    }
}

/// Which role-based access control is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The policy's `@authority`, for example `intune`.
    pub name: String,
    /// The id of the policy.
    pub policy: String,
}

/// What a refused person is told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Refusal {
    /// The policy that refuses, or that speaks where none permits.
    pub policy: String,
    /// What the admin center says.
    pub message: Option<String>,
    /// What the refused person can do.
    pub advice: Option<String>,
}

/// Something to know beside a decision.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// Its code, for example `toggle_settling`.
    pub code: String,
    /// What it says.
    pub message: String,
    /// The entity it is about, where that is not the resource.
    pub about: Option<EntityUid>,
    /// The policy or the action that says so.
    pub from: String,
    /// The decision that held before, where it may still hold.
    pub former: Option<Decision>,
}

impl Outcome {
    /// The request could not be decided, for these reasons.
    pub fn indeterminate(errors: impl IntoIterator<Item = impl ToString>) -> Self {
        Self {
            decision: Decision::Indeterminate,
            basis: Basis::Error,
            policies: Vec::new(),
            errors: errors
                .into_iter()
                .map(|error| short(error.to_string()))
                .collect(),
        }
    }

    /// The outcome where more went wrong: what cannot be answered is an error like any other.
    #[must_use]
    pub(crate) fn with_errors(self, mut errors: Vec<String>) -> Self {
        if errors.is_empty() {
            return self;
        }
        errors.extend(self.errors);
        errors.sort();
        errors.dedup();
        Self {
            policies: self.policies,
            ..Self::indeterminate(errors)
        }
    }
}

impl Decision {
    /// The word in JSON: `allow`, `deny` or `indeterminate`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Indeterminate => "indeterminate",
        }
    }
}

impl Basis {
    /// The word in JSON: `permitted`, `forbidden`, `not-permitted` or `error`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Permitted => "permitted",
            Self::Forbidden => "forbidden",
            Self::NotPermitted => "not-permitted",
            Self::Error => "error",
        }
    }
}
