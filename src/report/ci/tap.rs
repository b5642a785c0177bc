//! A report in the Test Anything Protocol.
//!
//! Version 13, which every reader knows; Perl's own still refuses 14. A finding is a test that
//! failed, and a warning one that is still to do, which readers count as passed and list.

use super::{notes, one_line, position, title, visible};
use crate::findings::level;
use tarbac_assurance::test_report::{Group, Test, TestReport};
use tarbac_diagnostic::finding::{Finding, Severity};
use tarbac_host::excerpt::Excerpts;

/// The report as a TAP document.
pub fn text(report: &TestReport, excerpts: &Excerpts) -> String {
    let tests = report.groups.iter().flat_map(|group| {
        group
            .tests
            .iter()
            .map(|test| self::test(group, test, excerpts))
    });
    let findings = report
        .findings
        .iter()
        .map(|finding| self::finding(finding, excerpts));
    let mut points: Vec<Point> = tests.chain(findings).collect();
    if points.is_empty() {
        points.push(Point::passed("no findings".to_owned()));
    }

    let mut text = format!("TAP version 13\n1..{}\n", points.len());
    for (index, point) in points.iter().enumerate() {
        point.write(index + 1, &mut text);
    }
    text
}

/// A line `ok` or `not ok`, and the block that explains it.
#[derive(Debug)]
struct Point {
    is_ok: bool,
    description: String,
    /// The directive, which stands after `#`.
    directive: Option<&'static str>,
    /// Keys and values in YAML, a line each.
    block: Vec<String>,
}

fn test(group: &Group, test: &Test, excerpts: &Excerpts) -> Point {
    let mut point = Point::passed(format!("{}: {}", group.name, test.name));
    if let Some(failure) = &test.failure {
        let mut detail = vec![failure.detail.trim_end().to_owned()];
        detail.extend(notes(&failure.finding, excerpts));
        point.is_ok = false;
        point.block = block(&failure.finding, position(&test.place, excerpts), &detail);
    }
    point
}

fn finding(finding: &Finding, excerpts: &Excerpts) -> Point {
    let at = finding.labels.first();
    let at = at.map_or_else(String::new, |label| position(&label.place, excerpts));
    Point {
        is_ok: false,
        description: format!("{}: {}", finding.code, title(finding, excerpts)),
        directive: match finding.severity {
            Severity::Error => None,
            Severity::Warning => Some("TODO a warning"),
        },
        block: block(finding, at, &notes(finding, excerpts)),
    }
}

/// YAML that simple readers understand: a value is in double quotes, or a literal block whose first line sets the
/// indentation and in which no line is empty.
fn block(finding: &Finding, at: String, detail: &[String]) -> Vec<String> {
    let mut lines = vec![
        format!("code: {}", quoted(finding.code.as_ref())),
        format!("severity: {}", quoted(level(finding.severity))),
        format!("message: {}", quoted(&finding.message)),
    ];
    if !at.is_empty() {
        lines.push(format!("at: {}", quoted(&at)));
    }
    let detail = visible(&detail.join("\n"));
    let detail = detail.trim();
    if !detail.is_empty() {
        lines.push("detail: |".to_owned());
        lines.extend(detail.lines().map(|line| format!("  {line}")));
    }
    lines
}

fn quoted(text: &str) -> String {
    let text = one_line(text).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{text}\"")
}

impl Point {
    fn passed(description: String) -> Self {
        Self {
            is_ok: true,
            description,
            directive: None,
            block: Vec::new(),
        }
    }

    fn write(&self, number: usize, text: &mut String) {
        let ok = if self.is_ok { "ok" } else { "not ok" };
        // A `#` would start a directive.
        let description = one_line(&self.description)
            .replace('\\', "\\\\")
            .replace('#', "\\#");
        *text += &format!("{ok} {number} - {}", description.trim());
        if let Some(directive) = self.directive {
            *text += &format!(" # {directive}");
        }
        *text += "\n";
        if !self.block.is_empty() {
            *text += "  ---\n";
            for line in &self.block {
                *text += &format!("  {line}\n");
            }
            *text += "  ...\n";
        }
    }
}
