//! Cedar's diagnostics as findings.
//!
//! Cedar's errors carry a text and offsets, but no file name and no code.

use std::sync::Arc;

use miette::Diagnostic;

use tarbac_diagnostic::code::Code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};

/// Makes an error finding of something Cedar reports about `source`.
pub fn of_cedar(code: Code, source: &Arc<Source>, error: &(impl Diagnostic + ?Sized)) -> Finding {
    complete(Finding::error(code, error.to_string()), source, error)
}

/// Gives a finding the places and the help of something Cedar reports about `source`.
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

/// A help of Cedar's that goes with a message, unless it speaks to programmers, or suggests the name
/// of a function: of several that are equally near it takes one by chance.
fn fit(help: &str, message: &str) -> Option<String> {
    let by_chance = help.starts_with("did you mean `") && message.contains("is not a valid ");
    (!by_chance && !help.contains("this API")).then(|| help.to_owned())
}
