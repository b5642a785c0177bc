//! Requests, decisions and answers, in the terms of Cedar and XACML.

use cedar_policy::{Context, EntityUid};
use serde::{Deserialize, Serialize};

use crate::bundle::RulesOrigin;
use tarbac_diagnostic::printable::short;

/// A request: may this principal take this action on this resource?
#[derive(Debug, Clone)]
pub struct Request {
    /// The person or thing that acts.
    pub principal: EntityUid,
    /// The action.
    pub action: EntityUid,
    /// The entity that the action is about.
    pub resource: EntityUid,
    /// Further values, which conform to the action's context in the schema.
    pub context: Context,
}

/// The decision on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// A policy permits the request and none forbids it.
    Allow,
    /// A policy forbids the request, or none permits it.
    Deny,
    /// The request could not be decided, and must be treated as refused.
    Indeterminate,
}

/// The reason for a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// A policy permits the request and none forbids it.
    Permitted,
    /// A policy forbids the request.
    Forbidden,
    /// No policy permits the request, and none forbids it.
    NotPermitted,
    /// A policy could not be evaluated, or the request refers to an entity that does not exist.
    Error,
}

/// A decision and the policies that determine it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Outcome {
    /// The decision.
    pub decision: Decision,
    /// The reason. It is part of answers, not of comparisons of outcomes.
    #[serde(skip)]
    pub basis: Basis,
    /// The ids of the determining policies, sorted.
    pub policies: Vec<String>,
    /// The errors, sorted; empty unless the decision is indeterminate.
    pub errors: Vec<String>,
}

/// An [`Outcome`] with the remarks that a person needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The decision.
    pub outcome: Outcome,
    /// The authority over the resource, by the policy that says so; `None` if the schema does not ask about it, or if
    /// there is no answer.
    pub authority: Option<Authority>,
    /// A refusal for each rule that refused, in the order in which a person should deal with them.
    pub refusals: Vec<Refusal>,
    /// Notices, sorted. They change no decision.
    pub notices: Vec<Notice>,
}

/// The rules, readings and data behind a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The origin of the rules in force.
    pub rules: RulesOrigin,
    /// The identity of schema, policies, readings in force and entities, as 64 hexadecimal digits. It is the same for
    /// the same content in any folder and under any file names.
    pub revision: String,
    /// The readings in force, sorted.
    pub readings: Vec<String>,
    /// The names of the workspace's files that are not read, including the missing ones.
    pub not_read: Vec<String>,
    /// The names of files that tarbac wrote into the workspace and that are missing.
    pub missing: Vec<String>,
}

impl Provenance {
    /// The beginning of the revision, long enough for people to tell revisions apart; programs get all of it.
    pub fn short_revision(&self) -> &str {
        self.revision.get(..12).unwrap_or(&self.revision)
    }

    /// The revision as answers over HTTP and their records have it: its first 16 digits.
    pub fn revision_id(&self) -> &str {
        self.revision.get(..16).unwrap_or(&self.revision)
    }
}

/// The authority over a resource: the role-based access control that is in force for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The policy's `@authority`, for example `intune`.
    pub name: String,
    /// The id of the policy that says so.
    pub policy: String,
}

/// A message to a refused person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Refusal {
    /// The policy that refuses or, if none permits the request, that has the message.
    pub policy: String,
    /// The message that the admin center shows.
    pub message: Option<String>,
    /// The advice to the refused person.
    pub advice: Option<String>,
}

/// A remark that goes with an answer and changes no decision.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// The code, for example `toggle_settling`.
    pub code: String,
    /// The text.
    pub message: String,
    /// The entity that it is about, unless that is the resource.
    pub about: Option<EntityUid>,
    /// The policy or action that the notice comes from.
    pub from: String,
    /// The previous decision, if it may still be in effect.
    pub former: Option<Decision>,
}

impl Outcome {
    /// The outcome of a request that cannot be decided, for these reasons.
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

    /// The outcome with further errors, each of which makes it indeterminate.
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
