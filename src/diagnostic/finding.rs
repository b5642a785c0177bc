//! Findings: mistakes and doubtful places in the files of a workspace.

use crate::code::Code;
use crate::printable::short;
use crate::source::Place;

/// The weight of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is decided until the mistake is corrected.
    Error,
    /// Decisions are made, but a person should look at the place.
    Warning,
}

/// A finding: a code, a sentence and places, with a help.
///
/// The message begins with a lower-case letter, ends without a full stop, and quotes the user's own text in backticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The kind of the finding.
    pub code: Code,
    /// Whether decisions may be made all the same.
    pub severity: Severity,
    /// The message.
    pub message: String,
    /// The help: a way to correct it.
    pub help: Option<String>,
    /// The places; the first one determines the order of findings.
    pub labels: Vec<Label>,
}

/// A place of a finding, with a remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub place: Place,
    /// The remark, in a few words.
    pub text: String,
}

impl Finding {
    /// An error; see [`Finding::help`] and [`Finding::label`] for the rest.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message.into())
    }

    /// A warning.
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

    /// Adds a help.
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

    /// The places.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.labels.iter().map(|label| &label.place)
    }
}

/// Sorts findings by file, place, code and message.
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
