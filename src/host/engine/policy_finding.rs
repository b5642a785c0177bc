//! Findings that policies make.

use std::fmt;

use tarbac_diagnostic::code::{self, Code};
use tarbac_diagnostic::finding::{Finding, Severity};
use tarbac_diagnostic::source::Place;

use crate::bundle::Policy;
use crate::lookup::lower_first;

/// The finding of a policy about some entities, without places: its annotations are the code, the severity, the message
/// and the help.
pub(super) fn policy_finding(policy: &Policy, about: impl fmt::Display) -> Finding {
    let code = Code::of_policy(policy.annotation("code").unwrap_or(policy.id()));
    let doc = policy.doc().unwrap_or_default().trim_end_matches('.');
    let mut finding = Finding::warning(code, format!("{}: {about}", lower_first(doc)));
    if policy.annotation("severity") == Some("error") {
        finding.severity = Severity::Error;
    }
    finding.help = policy.advice().map(str::to_owned);
    finding
}

/// The error in place of a finding that cannot be decided about an entity.
pub(super) fn undecided(what: &str, error: &str, about: Option<Place>) -> Finding {
    let finding = Finding::error(
        code::policy::EVALUATION,
        format!("a {what} cannot be decided: {error}"),
    )
    .help("mend the policy: what it would find cannot be known");
    match about {
        Some(place) => finding.label(place, "asked about this one"),
        None => finding,
    }
}
