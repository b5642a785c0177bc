//! Readers of reports, each by somebody else or after the published grammar; what they cannot read
//! fails the test.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use boon::{Compiler, SchemaIndex, Schemas};
use junit_parser::TestSuites;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use quick_junit::TestCaseStatus;
use serde_json::Value;
use serde_sarif::sarif::Sarif;
use tap_parser::{DirectiveKind, TapParser, TapStatement};

use crate::installed::or_left_out;

/// Reads JUnit.
pub fn junit(text: &str) -> TestSuites {
    junit_parser::from_reader(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What stands within the failures of JUnit; the other reader takes entities out of it.
pub fn junit_failures(text: &str) -> Vec<String> {
    let report = quick_junit::Report::deserialize_from_str(text).unwrap();
    report
        .test_suites
        .into_iter()
        .flat_map(|suite| suite.test_cases)
        .filter_map(|case| match case.status {
            TestCaseStatus::NonSuccess { description, .. } => Some(description?.into_string()),
            _ => None,
        })
        .collect()
}

/// The published schema of SARIF 2.1.0, as the crate `serde-sarif` carries it.
static SARIF: LazyLock<(Schemas, SchemaIndex)> = LazyLock::new(|| {
    let schema: Value = serde_json::from_slice(&std::fs::read(schema_file()).unwrap()).unwrap();
    assert_eq!(
        schema["title"],
        "Static Analysis Results Format (SARIF) Version 2.1.0 JSON Schema"
    );
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    compiler.enable_format_assertions();
    compiler.add_resource("sarif.json", schema).unwrap();
    let index = compiler.compile("sarif.json", &mut schemas).unwrap();
    (schemas, index)
});

fn schema_file() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        // The packages of other platforms may not be here.
        .arg("--filter-platform=host-tuple")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages
        .iter()
        .find(|package| package["name"] == "serde-sarif")
        .unwrap();
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    manifest.with_file_name("src").join("schema.json")
}

/// Why a document is not SARIF 2.1.0, if it is not.
pub fn sarif_error(document: &Value) -> Option<String> {
    let (schemas, index) = &*SARIF;
    let error = schemas.validate(document, *index).err()?;
    Some(format!("{error:#}"))
}

/// Checks SARIF against its schema and reads it.
pub fn sarif(text: &str) -> Sarif {
    let document: Value = serde_json::from_str(text).unwrap();
    if let Some(error) = sarif_error(&document) {
        panic!("{error}\n{text}");
    }
    serde_json::from_value(document).unwrap()
}

/// A test as a reader of TAP sees it.
#[derive(Debug, PartialEq, Eq)]
pub struct Point {
    pub is_ok: bool,
    pub description: String,
    pub is_todo: bool,
}

/// Reads TAP, with Perl's own reader as well where there is Perl.
pub fn tap(text: &str) -> Vec<Point> {
    // What the reader knows as 14 is 13 and more; it asks for its own number.
    let newer = text.replacen("TAP version 13\n", "TAP version 14\n", 1);
    let statements = TapParser::new()
        .parse(&newer)
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut planned = None;
    let mut points = Vec::new();
    for statement in statements {
        match statement {
            TapStatement::Plan(plan) => planned = Some(plan.count),
            TapStatement::TestPoint(test) => {
                assert_eq!(test.number, Some(points.len() + 1), "{text}");
                points.push(Point {
                    is_ok: test.result,
                    description: test.desc.unwrap_or_default().to_owned(),
                    is_todo: test
                        .directive
                        .is_some_and(|directive| directive.kind == DirectiveKind::Todo),
                });
            }
            other => panic!("{other:?}\n{text}"),
        }
    }
    assert_eq!(planned, Some(points.len()), "{text}");
    if let Some(theirs) = perl_tap(text) {
        assert_eq!(theirs, points, "{text}");
    }
    points
}

/// Prints a line for each test, and each error of the document; reads the blocks of YAML as well.
const PERL: &str = r#"
use strict; use TAP::Parser; use TAP::Parser::YAMLish::Reader;
binmode STDIN, ":utf8"; binmode STDOUT, ":utf8";
my $tap = do { local $/; <STDIN> };
my $parser = TAP::Parser->new({ tap => $tap });
while (my $result = $parser->next) {
  print join("\t", $result->is_actual_ok ? "ok" : "not ok", $result->has_todo ? "todo" : "", $result->description), "\n" if $result->is_test;
  print "error\tunknown line: ", $result->as_string, "\n" if $result->is_unknown;
  print "error\tno data in a block\n" if $result->is_yaml && !ref $result->data;
}
print "error\t$_\n" for $parser->parse_errors;
"#;

/// What Perl reads; `None` where there is no Perl.
fn perl_tap(text: &str) -> Option<Vec<Point>> {
    let perl = Command::new("perl")
        .args(["-e", PERL])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = or_left_out(perl.ok(), "perl", "the reader of TAP")?;
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{text}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let points = lines.lines().map(|line| {
        let fields: Vec<&str> = line.splitn(3, '\t').collect();
        assert_ne!(fields[0], "error", "{line}\n{text}");
        Point {
            is_ok: fields[0] == "ok",
            description: fields[2].trim_start_matches("- ").to_owned(),
            is_todo: fields[1] == "todo",
        }
    });
    Some(points.collect())
}

/// A command to the runner of a workflow.
#[derive(Debug)]
pub struct Annotation {
    pub name: String,
    pub properties: BTreeMap<String, String>,
    pub message: String,
}

/// Reads commands after "Workflow commands for GitHub Actions": one a line,
/// `::name key=value,key=value::message`.
pub fn github(text: &str) -> Vec<Annotation> {
    text.lines()
        .map(|line| {
            let rest = line.strip_prefix("::").unwrap();
            let (command, message) = rest.split_once("::").unwrap();
            let (name, properties) = command.split_once(' ').unwrap();
            let properties = properties
                .split(',')
                .map(|property| {
                    let (key, value) = property.split_once('=').unwrap();
                    let value = value.replace("%3A", ":").replace("%2C", ",");
                    (key.to_owned(), data(&value))
                })
                .collect();
            Annotation {
                name: name.to_owned(),
                properties,
                message: data(message),
            }
        })
        .collect()
}

fn data(text: &str) -> String {
    text.replace("%0D", "\r")
        .replace("%0A", "\n")
        .replace("%25", "%")
}

/// A page of Markdown: its text, and its tables as rows of cells.
#[derive(Debug, Default)]
pub struct Page {
    pub text: String,
    pub rows: Vec<Vec<String>>,
    pub headings: Vec<String>,
    pub blocks: Vec<String>,
}

/// Reads a page as GitHub does, and allows of HTML only what the page is to have.
pub fn markdown(text: &str) -> Page {
    let mut page = Page::default();
    let mut part = String::new();
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Text(text) | Event::Code(text) => part += &text,
            Event::SoftBreak => part.push('\n'),
            Event::InlineHtml(html) => {
                assert!(["<br>", "<code>", "</code>"].contains(&&*html), "{html}");
                if &*html == "<br>" {
                    part.push('\n');
                }
            }
            Event::Start(Tag::TableHead | Tag::TableRow) => page.rows.push(Vec::new()),
            Event::End(TagEnd::TableCell) => {
                page.rows.last_mut().unwrap().push(part.clone());
                page.text += &std::mem::take(&mut part);
            }
            Event::End(TagEnd::Heading(_)) => {
                page.headings.push(part.clone());
                page.text += &std::mem::take(&mut part);
            }
            Event::End(TagEnd::CodeBlock) => {
                page.blocks.push(part.clone());
                page.text += &std::mem::take(&mut part);
            }
            Event::End(TagEnd::Paragraph) => page.text += &std::mem::take(&mut part),
            Event::Start(
                Tag::Table(_)
                | Tag::TableCell
                | Tag::Heading { .. }
                | Tag::CodeBlock(_)
                | Tag::Paragraph,
            )
            | Event::End(TagEnd::Table | TagEnd::TableHead | TagEnd::TableRow) => {}
            other => panic!("{other:?}\n{text}"),
        }
    }
    page
}
