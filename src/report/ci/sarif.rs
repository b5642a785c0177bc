//! A report as SARIF 2.1.0, for code scanning.
//!
//! Every finding is a result, every code a rule.
//!
//! The structs are the few of the standard's two hundred that a finding needs. A crate with all of them generates them
//! from the schema at each build; the tests read the output with it.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::visible;
use crate::findings::level;
use crate::json;
use tarbac_assurance::test_report::TestReport;
use tarbac_diagnostic::code::Code;
use tarbac_diagnostic::finding::{Finding, Label};
use tarbac_diagnostic::source::Place;
use tarbac_host::excerpt::Excerpts;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The name of the folder that the paths of files are relative to.
const ROOT: &str = "%SRCROOT%";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    automation_details: Automation,
    original_uri_base_ids: BTreeMap<&'static str, Described>,
    column_kind: &'static str,
    results: Vec<Outcome<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'static str,
    version: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule<'a>>,
}

/// The rule of one code.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'a> {
    id: &'a str,
    short_description: Message,
    full_description: Message,
    help: Message,
}

/// The category of a run, by which results of several commands stay apart.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Automation {
    id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    description: Message,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'a> {
    rule_id: &'a str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: BTreeMap<&'static str, String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: Physical,
    message: Message,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

/// Lines and columns from 1; the end is the first column after the region.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    text: String,
}

/// The report as a SARIF log.
pub fn text(report: &TestReport, excerpts: &Excerpts) -> String {
    let mut by_code: BTreeMap<&Code, Vec<&Finding>> = BTreeMap::new();
    for finding in report.all_findings() {
        by_code.entry(&finding.code).or_default().push(finding);
    }
    let rules = by_code
        .iter()
        .map(|(code, findings)| rule(code, findings))
        .collect();
    let mut fingerprints = Fingerprints::default();
    let results = report
        .all_findings()
        .map(|finding| {
            // The index of a rule is the number of codes before it.
            let index = by_code.range::<&Code, _>(..&finding.code).count();
            outcome(finding, index, fingerprints.next(finding), excerpts)
        })
        .collect();
    let root = Described {
        description: message("the folder in which tarbac ran"),
    };
    json(&Document {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "tarbac",
                    version: env!("CARGO_PKG_VERSION"),
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules,
                },
            },
            automation_details: Automation {
                id: format!("tarbac/{}/", report.command),
            },
            original_uri_base_ids: BTreeMap::from([(ROOT, root)]),
            column_kind: "unicodeCodePoints",
            results,
        }],
    })
}

/// The rule of a code, with the help of the first finding that has one.
fn rule<'a>(code: &'a Code, findings: &[&Finding]) -> Rule<'a> {
    let help = findings.iter().find_map(|finding| finding.help.as_deref());
    Rule {
        id: code.as_ref(),
        short_description: message(code.sentence()),
        full_description: message(code.sentence()),
        help: message(help.unwrap_or("The message of the finding says what is wrong.")),
    }
}

fn outcome<'a>(
    finding: &'a Finding,
    rule_index: usize,
    fingerprint: String,
    excerpts: &Excerpts,
) -> Outcome<'a> {
    let text = match &finding.help {
        Some(help) => format!("{}\nhelp: {help}", finding.message),
        None => finding.message.clone(),
    };
    let mut labels = finding.labels.iter();
    Outcome {
        rule_id: finding.code.as_ref(),
        rule_index,
        level: level(finding.severity),
        message: message(&text),
        locations: labels
            .next()
            .map(|label| location(None, label, excerpts))
            .into_iter()
            .collect(),
        related_locations: labels
            .enumerate()
            .map(|(index, label)| location(Some(index + 1), label, excerpts))
            .collect(),
        partial_fingerprints: BTreeMap::from([("finding/v1", fingerprint)]),
    }
}

fn location(id: Option<usize>, label: &Label, excerpts: &Excerpts) -> Location {
    Location {
        id,
        physical_location: Physical {
            artifact_location: artifact(&label.place.source.name),
            region: region(&label.place, excerpts),
        },
        message: message(&label.text),
    }
}

fn region(place: &Place, excerpts: &Excerpts) -> Option<Region> {
    let excerpt = excerpts.at(place)?;
    Some(Region {
        start_line: excerpt.line,
        start_column: excerpt.column,
        end_line: excerpt.end_line,
        end_column: excerpt.end_column,
    })
}

fn artifact(file: &str) -> Artifact {
    let path = utf8_percent_encode(file, ENCODED).to_string();
    let drive = file.as_bytes().get(1) == Some(&b':');
    let scheme = match (file.starts_with('/'), drive) {
        (true, _) => "file://",
        (false, true) => "file:///",
        (false, false) => {
            return Artifact {
                uri: path,
                uri_base_id: Some(ROOT),
            };
        }
    };
    Artifact {
        uri: format!("{scheme}{path}"),
        uri_base_id: None,
    }
}

/// The characters that are encoded in a path of a URI. A `:` is one, since it would end a scheme.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

fn message(text: &str) -> Message {
    Message {
        text: visible(text),
    }
}

/// The identity of a finding after lines have moved: code, file, message, and the number of equal findings before it.
#[derive(Debug, Default)]
struct Fingerprints(BTreeMap<String, usize>);

impl Fingerprints {
    fn next(&mut self, finding: &Finding) -> String {
        let file = finding.labels.first();
        let file = file.map_or("", |label| label.place.source.name.as_str());
        let print = visible(&format!("{} {file} {}", finding.code, finding.message));
        let count = self.0.entry(print.clone()).or_default();
        *count += 1;
        format!("{print} #{count}")
    }
}
