//! Findings, as excerpts for people and as objects for programs.

use miette::{
    Diagnostic, LabeledSpan, MietteError, MietteSpanContents, Severity as Level, SourceCode,
    SourceSpan, SpanContents,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::words::counted;
use super::{Style, VERSION, diagnostic, json, provenance};
use crate::schema;
use tarbac_diagnostic::finding::{Finding, Severity};
use tarbac_host::decision::Provenance;
use tarbac_host::excerpt::{Excerpt, Excerpts};

/// The JSON Schema of findings.
pub const SCHEMA: fn() -> String = schema::text::<Document<'static>>;

#[derive(Debug, Serialize, JsonSchema)]
struct Document<'a> {
    version: u32,
    errors: usize,
    warnings: usize,
    findings: Vec<Entry<'a>>,
    /// Present only if the rules have no errors.
    #[serde(flatten)]
    provenance: Option<provenance::ProvenanceWire<'a>>,
}

/// One finding, in this document and in reports.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Entry<'a> {
    code: &'a str,
    severity: &'static str,
    message: &'a str,
    help: Option<&'a str>,
    labels: Vec<Label<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Label<'a> {
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    text: &'a str,
}

/// Every finding with its places.
pub fn human(findings: &[Finding], excerpts: &Excerpts, style: Style) -> String {
    findings
        .iter()
        .map(|finding| diagnostic(&PrintableDiagnostic::new(finding, excerpts), style))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The numbers of findings in one line.
pub fn summary(findings: &[Finding], style: Style) -> String {
    match errors_and_warnings(findings) {
        (0, 0) => format!("{}: no findings\n", style.green("ok")),
        (0, warnings) => format!(
            "{}: {}\n",
            style.yellow("warnings"),
            counted(warnings, "warning")
        ),
        (errors, 0) => format!("{}: {}\n", style.red("errors"), counted(errors, "error")),
        (errors, warnings) => {
            format!(
                "{}: {}, {}\n",
                style.red("errors"),
                counted(errors, "error"),
                counted(warnings, "warning")
            )
        }
    }
}

/// The findings as a document for programs.
pub fn document(
    findings: &[Finding],
    excerpts: &Excerpts,
    provenance: Option<&Provenance>,
) -> String {
    let (errors, warnings) = errors_and_warnings(findings);
    json(&Document {
        version: VERSION,
        errors,
        warnings,
        findings: entries(findings, excerpts),
        provenance: provenance.map(provenance::ProvenanceWire::new),
    })
}

/// The JSON of the findings.
pub fn entries<'a>(findings: &'a [Finding], excerpts: &Excerpts) -> Vec<Entry<'a>> {
    findings
        .iter()
        .map(|finding| entry(finding, excerpts))
        .collect()
}

pub(super) fn entry<'a>(finding: &'a Finding, excerpts: &Excerpts) -> Entry<'a> {
    Entry {
        code: finding.code.as_ref(),
        severity: level(finding.severity),
        message: &finding.message,
        help: finding.help.as_deref(),
        labels: finding
            .labels
            .iter()
            .map(|label| {
                let excerpt = excerpts.at(&label.place);
                Label {
                    file: &label.place.source.name,
                    line: excerpt.map(|excerpt| excerpt.line),
                    column: excerpt.map(|excerpt| excerpt.column),
                    text: &label.text,
                }
            })
            .collect(),
    }
}

pub(super) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// The numbers of errors and of warnings.
pub(super) fn errors_and_warnings(findings: &[Finding]) -> (usize, usize) {
    let errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    (errors, findings.len() - errors)
}

/// A finding for miette. Its excerpts, which may be of several files, are joined into one text.
#[derive(Debug)]
struct PrintableDiagnostic<'a> {
    finding: &'a Finding,
    parts: Vec<ExcerptPart<'a>>,
    /// The places that cannot be shown, in words.
    elsewhere: String,
}

#[derive(Debug)]
struct ExcerptPart<'a> {
    file: &'a str,
    text: &'a str,
    excerpt: &'a Excerpt,
    /// The offset of the excerpt in the joined text, in bytes.
    base: usize,
}

impl<'a> PrintableDiagnostic<'a> {
    fn new(finding: &'a Finding, excerpts: &'a Excerpts) -> Self {
        let mut parts = Vec::new();
        let mut elsewhere = String::new();
        let mut base = 0;
        for label in &finding.labels {
            let file = label.place.source.name.as_str();
            match excerpts.at(&label.place) {
                Some(excerpt) => {
                    parts.push(ExcerptPart {
                        file,
                        text: &label.text,
                        excerpt,
                        base,
                    });
                    base += excerpt.text.len() + 1;
                }
                None => elsewhere += &format!(" ({file}: {})", label.text),
            }
        }
        Self {
            finding,
            parts,
            elsewhere,
        }
    }
}

impl std::fmt::Display for PrintableDiagnostic<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}{}", self.finding.message, self.elsewhere)
    }
}

impl std::error::Error for PrintableDiagnostic<'_> {}

impl Diagnostic for PrintableDiagnostic<'_> {
    fn code(&self) -> Option<Box<dyn std::fmt::Display + '_>> {
        Some(Box::new(&self.finding.code))
    }

    fn severity(&self) -> Option<Level> {
        Some(match self.finding.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
        })
    }

    fn help(&self) -> Option<Box<dyn std::fmt::Display + '_>> {
        let help = self.finding.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.parts.is_empty()).then_some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.parts.iter().map(|part| {
            let Excerpt { start, end, .. } = part.excerpt;
            LabeledSpan::new(Some(part.text.to_owned()), part.base + start, end - start)
        })))
    }
}

impl SourceCode for PrintableDiagnostic<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let end = span.offset() + span.len();
        let part = self
            .parts
            .iter()
            .find(|part| part.base <= span.offset() && end <= part.base + part.excerpt.text.len())
            .ok_or(MietteError::OutOfBounds)?;
        let excerpt = part.excerpt;
        // Without context lines, miette asks for the position alone, for its heading.
        let (line, column) = match (lines_before, lines_after) {
            (0, 0) => (excerpt.line, excerpt.column),
            _ => (excerpt.first_line, 1),
        };
        Ok(Box::new(MietteSpanContents::new_named(
            part.file.to_owned(),
            excerpt.text.as_bytes(),
            (part.base, excerpt.text.len()).into(),
            line.saturating_sub(1),
            column.saturating_sub(1),
            excerpt.text.lines().count(),
        )))
    }
}
