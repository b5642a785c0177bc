//! A finding: something in a workspace that is wrong, or that somebody should look at.

use crate::code::Code;
use crate::printable::short;
use crate::source::Place;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// No decision is made while it stands.
    Error,
    /// Decisions are made, and somebody should look.
    Warning,
}

/// A coded diagnostic with its places and what to do about it.
///
/// The message starts with a lower-case letter, ends without a period, and quotes the user's own
/// text in backticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing is wrong.
    pub code: Code,
    /// Whether decisions may be made while it stands.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where; the first one decides the order of findings.
    pub labels: Vec<Label>,
}

/// One place of a finding and what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What stands there, in a few words.
    pub text: String,
}

impl Finding {
    /// Makes an error finding; see [`Finding::help`] and [`Finding::label`] for the rest.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message.into())
    }

    /// Makes a warning.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message.into())
    }

    fn new(severity: Severity, code: Code, message: String) -> Self {
        Self {
            code,
            severity,
            message: short(message),
            help: None,
            labels: Vec::new(),
        }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(short(help.into()));
        self
    }

    /// Adds a place.
    #[must_use]
    pub fn label(mut self, place: Place, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            place,
            text: short(text.into()),
        });
        self
    }

    /// The places that it is about.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.labels.iter().map(|label| &label.place)
    }
}

/// Puts findings into their order: by file, then place, then code.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|one, other| key(one).cmp(&key(other)));
}

fn key(finding: &Finding) -> (Option<(&str, u64)>, &Code, &str) {
    let place = finding
        .labels
        .first()
        .map(|label| (label.place.source.name.as_str(), label.place.start));
    (place, &finding.code, &finding.message)
}

/// Whether any of the findings is an error.
pub fn any_error(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.severity == Severity::Error)
}
