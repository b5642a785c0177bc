//! A report as commands to the runner of a GitHub workflow.
//!
//! It shows each as an annotation.
//!
//! A command is one line: `::error file=…,line=…,title=…::message`, with `%`, line ends and, in properties, `:` and `,`
//! as percent codes. Source: Workflow commands for GitHub Actions, "Setting an error message".

use std::fmt::Write;

use super::{notes, visible};
use crate::findings::level;
use tarbac_assurance::test_report::TestReport;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::excerpt::Excerpts;

/// The report as workflow commands, one a line; empty without findings.
pub fn text(report: &TestReport, excerpts: &Excerpts) -> String {
    report
        .all_findings()
        .map(|finding| command(finding, excerpts))
        .collect()
}

fn command(finding: &Finding, excerpts: &Excerpts) -> String {
    let mut properties = format!("title={}", property(finding.code.as_ref()));
    if let Some(label) = finding.labels.first() {
        let place = &label.place;
        let _ = write!(properties, ",file={}", property(&place.source.name));
        if let Some(excerpt) = excerpts.at(place) {
            let (line, end_line) = (excerpt.line, excerpt.end_line);
            let _ = write!(properties, ",line={line},endLine={end_line}");
            // Columns are allowed only for a place within one line.
            if line == end_line {
                let _ = write!(properties, ",col={}", excerpt.column);
            }
            if line == end_line && excerpt.column < excerpt.end_column {
                let _ = write!(properties, ",endColumn={}", excerpt.end_column);
            }
        }
    }
    let mut lines = vec![finding.message.clone()];
    lines.extend(notes(finding, excerpts));
    let message = data(&lines.join("\n"));
    format!("::{} {properties}::{message}\n", level(finding.severity))
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

fn data(text: &str) -> String {
    visible(text).replace('%', "%25").replace('\n', "%0A")
}
