//! Cedar's diagnostics as findings.
//!
//! Cedar's errors carry a text and offsets, but no file name and no code.

use std::sync::Arc;

use miette::Diagnostic;

use tarbac_diagnostic::code::Code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};

/// An error finding for a diagnostic of Cedar about `source`.
pub fn of_cedar(code: Code, source: &Arc<Source>, error: &(impl Diagnostic + ?Sized)) -> Finding {
    complete(Finding::error(code, error.to_string()), source, error)
}

/// A finding with the places and help of a diagnostic of Cedar about `source`.
pub(super) fn complete(
    mut finding: Finding,
    source: &Arc<Source>,
    error: &(impl Diagnostic + ?Sized),
) -> Finding {
    finding.help = error
        .help()
        .and_then(|help| fit(&help.to_string(), &finding.message));
    for label in error.labels().into_iter().flatten() {
        let start = label.offset();
        finding = finding.label(
            Place::new(source, start..start + label.len()),
            label.label().unwrap_or("here"),
        );
    }
    if finding.labels.is_empty() {
        finding = finding.label(Place::new(source, 0..0), "in this file");
    }
    finding
}

/// The help of Cedar for a message. It is left out if it is meant for programmers, or if it suggests a function,
/// because Cedar picks one of several equally similar names at random.
fn fit(help: &str, message: &str) -> Option<String> {
    let by_chance = help.starts_with("did you mean `") && message.contains("is not a valid ");
    (!by_chance && !help.contains("this API")).then(|| help.to_owned())
}
