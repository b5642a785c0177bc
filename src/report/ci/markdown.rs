//! A report as a page in GitHub's Markdown.
//!
//! It has a heading with the result, a table of suites, every failed test with its explanation, and a table of
//! findings.

use super::{headline, one_line, position, visible};
use crate::findings::level;
use crate::table::of_markdown;
use crate::tally::digits;
use tarbac_assurance::test_report::{Group, Test, TestReport};
use tarbac_diagnostic::finding::Finding;
use tarbac_host::excerpt::Excerpts;

/// The report as a page.
pub fn text(report: &TestReport, excerpts: &Excerpts) -> String {
    let mut text = format!("## tarbac {}: {}\n", report.command, headline(report));
    if !report.groups.is_empty() {
        let headings = ["Suite", "File", "Passed", "Failed"];
        let rows = report.groups.iter().map(suite);
        text += &format!("\n{}", of_markdown(&headings, rows));
    }
    for group in &report.groups {
        text.extend(
            group
                .tests
                .iter()
                .filter_map(|test| failure(group, test, excerpts)),
        );
    }
    if !report.findings.is_empty() {
        let rows = report.findings.iter().map(|finding| row(finding, excerpts));
        let headings = ["Severity", "Code", "Place", "Finding"];
        text += &format!("\n{}", of_markdown(&headings, rows));
    }
    text
}

fn suite(group: &Group) -> Vec<String> {
    let is_failed = |test: &&Test| test.failure.is_some();
    let failed = group.tests.iter().filter(is_failed).count();
    let passed = group.tests.len() - failed;
    vec![
        prose(&group.name),
        code(&group.file),
        digits(passed as u64),
        digits(failed as u64),
    ]
}

fn failure(group: &Group, test: &Test, excerpts: &Excerpts) -> Option<String> {
    let failure = test.failure.as_ref()?;
    let heading = format!("{}: {}", prose(&group.name), prose(&test.name));
    let place = code(&position(&test.place, excerpts));
    let message = prose(&failure.finding.message);
    let mut text = format!("\n### {heading}\n\n{place}: {message}\n");
    if !failure.detail.trim().is_empty() {
        text += &format!("\n{}", block(&failure.detail));
    }
    if let Some(help) = &failure.finding.help {
        text += &format!("\nHelp: {}\n", prose(help));
    }
    Some(text)
}

fn row(finding: &Finding, excerpts: &Excerpts) -> Vec<String> {
    let places: Vec<String> = finding
        .labels
        .iter()
        .map(|label| code(&position(&label.place, excerpts)))
        .collect();
    let mut words = vec![prose(&finding.message)];
    match finding.labels.as_slice() {
        [] => {}
        [label] => words.push(prose(&label.text)),
        labels => words.extend(labels.iter().map(|label| {
            let place = code(&position(&label.place, excerpts));
            format!("{place}: {}", prose(&label.text))
        })),
    }
    if let Some(help) = &finding.help {
        words.push(format!("Help: {}", prose(help)));
    }
    vec![
        level(finding.severity).to_owned(),
        code(finding.code.as_ref()),
        places.join("<br>"),
        words.join("<br>"),
    ]
}

/// A text whose backticks quote code, and in which nothing else is Markdown.
fn prose(text: &str) -> String {
    let text = one_line(text);
    let parts: Vec<&str> = text.split('`').collect();
    // An odd number of backticks quotes nothing.
    if parts.len().is_multiple_of(2) {
        return escaped(text.trim());
    }
    let parts = parts
        .iter()
        .enumerate()
        .map(|(index, part)| match index % 2 {
            0 => escaped(part),
            _ => code(part),
        });
    parts.collect::<String>().trim().to_owned()
}

/// A text as code within a line; as HTML where a backtick in it would end a quotation of Markdown.
fn code(text: &str) -> String {
    let text = one_line(text);
    let is_simple = !text.is_empty() && text.trim() == text && !text.contains(['`', '|', '\\']);
    match is_simple {
        true => format!("`{text}`"),
        false => format!("<code>{}</code>", escaped(&text)),
    }
}

/// A text with the special characters of Markdown and HTML escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' | '<' | '>' | '|' | '`' | '*' | '_' | '~' | '[' | ']' | '\\' | '#' | '!' | '$'
            | '@' => escaped += &format!("&#{};", u32::from(character)),
            character => escaped.push(character),
        }
    }
    escaped
}

/// Verbatim lines in a fence that is longer than any fence within them.
fn block(text: &str) -> String {
    let text = visible(text);
    let longest = text
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}
