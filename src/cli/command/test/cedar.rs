//! `tarbac test --cedar` and `--to-cedar`: the files of `cedar run-tests`, in and out.

use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use tarbac_assurance::cedar_run_tests::{self, CedarTest, Expectation, TestOutcome};
use tarbac_assurance::suite::Suites;
use tarbac_assurance::test_report::TestReport;
use tarbac_diagnostic::printable;
use tarbac_diagnostic::source::Source;
use tarbac_host::bundle::{self, Policy};
use tarbac_host::excerpt::Excerpts;
use tarbac_host::{Engine, LoadError, workspace};
use tarbac_report::words::counted;
use tarbac_report::{self as render, VERSION};

use super::super::report::Reports;
use super::super::{layout, note_warnings, switches};
use super::{TestArgs, nothing_to_run, prepare};
use crate::arguments::{Format, GlobalArgs};
use crate::atomic;
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{self, Output};

/// The JSON Schema of the results of a file of `cedar run-tests`.
pub(crate) const SCHEMA: fn() -> String = render::schema::text::<Document<'static>>;

#[derive(Debug, Serialize, JsonSchema)]
struct Document<'a> {
    version: u32,
    passed: bool,
    tests: Vec<TestWire<'a>>,
    #[serde(flatten)]
    provenance: Option<render::provenance::ProvenanceWire<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TestWire<'a> {
    name: &'a str,
    line: Option<usize>,
    passed: bool,
    failure: Option<&'a str>,
}

/// The rules for the tests. Each test has entities of its own, so those of the workspace are not read.
enum Rules {
    /// Policies and schema of the workspace.
    Checked(Box<Engine>),
    /// Policies by themselves.
    Plain(Vec<Policy>),
}

impl Rules {
    fn load(global: &GlobalArgs, arguments: &TestArgs) -> Result<Self, Failure> {
        let (layout, switches) = (layout(global), switches(global)?);
        if !arguments.no_schema {
            let workspace = workspace::rules(&layout, &switches)?;
            note_warnings(&workspace);
            return Ok(Self::Checked(Box::new(workspace.engine)));
        }
        let (texts, finished) = workspace::own_policies(&layout)?;
        finished.iter().for_each(output::warning);
        let (policies, findings) = bundle::without_schema(&texts, &switches)?;
        match policies {
            Some(policies) if policies.is_empty() => Err(ShellError::Arguments {
                message: "there is no policy to run the tests with".to_owned(),
                help: Some("name the file of the policies with --policies".to_owned()),
            }
            .into()),
            Some(policies) => Ok(Self::Plain(policies)),
            None => Err(LoadError::Invalid(findings).into()),
        }
    }
}

/// Runs a file of `cedar run-tests`; `-` is standard input.
pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &TestArgs,
    path: &Path,
    reports: &Reports<'_>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let rules = Rules::load(global, arguments)?;
    let source = read(path)?;
    let tests = cedar_run_tests::read(&source)
        .map_err(|finding| Failure::Invalid(vec![finding], "No test was run."))?;
    if tests.is_empty() {
        return Err(ShellError::Arguments {
            message: format!("`{}` has no test", path.display()),
            help: None,
        }
        .into());
    }
    let names = tests.iter().filter_map(CedarTest::entities_file);
    let files = workspace::entity_files(path, names);
    let verdicts = match &rules {
        Rules::Checked(engine) => {
            cedar_run_tests::run(engine.bundle(), engine.readings(), &tests, &files)
        }
        Rules::Plain(policies) => cedar_run_tests::run_without_schema(policies, &tests, &files),
    };
    let report = TestReport {
        command: "test",
        groups: vec![cedar_run_tests::group(&source, &tests, &verdicts)],
        findings: Vec::new(),
        coverage: None,
        provenance: match &rules {
            Rules::Checked(engine) => Some(Arc::clone(engine.provenance())),
            // Without a schema, nothing but these policies is in force.
            Rules::Plain(_) => None,
        },
    };
    let passed = verdicts.iter().all(TestOutcome::passed);
    match global.format {
        Format::Json => output.write(&json(&report, passed))?,
        _ => write_results(&report, output)?,
    }
    let indeterminate = verdicts
        .iter()
        .filter(|verdict| verdict.is_indeterminate())
        .count();
    if indeterminate > 0 {
        output::note(&format!(
            "note: in {} a policy could not be evaluated; plain Cedar decides without it, and tarbac calls the decision indeterminate\n",
            counted(indeterminate, "test")
        ));
    }
    reports.write(&report, &Excerpts::around(report.places()), output)?;
    Ok(if passed { Exit::Yes } else { Exit::No })
}

/// The results as JSON.
fn json(report: &TestReport, passed: bool) -> String {
    let tests = report.tests().map(|test| TestWire {
        name: &test.name,
        line: test.place.line(),
        passed: test.failure.is_none(),
        failure: test.failure.as_ref().map(|failure| failure.detail.as_str()),
    });
    let provenance = report.provenance.as_deref();
    render::json(&Document {
        version: VERSION,
        passed,
        tests: tests.collect(),
        provenance: provenance.map(render::provenance::ProvenanceWire::new),
    })
}

fn write_results(report: &TestReport, output: &mut Output) -> Result<(), Failure> {
    let style = output.style();
    let mut failed = 0;
    for test in report.tests() {
        if let Some(failure) = &test.failure {
            failed += 1;
            output.write(&format!(
                "{} {}  {}:{}\n{}\n",
                style.red("✗"),
                test.name,
                test.place.source.name,
                test.place.line().unwrap_or_default(),
                render::suite::indented(&failure.detail, 4)
            ))?;
        }
    }
    let count = counted(report.tests().count(), "test");
    output.write(&match failed {
        0 => format!("{}: {count}\n", style.green("passed")),
        failed => format!("{}: {failed} of {count}\n", style.red("failed")),
    })
}

/// Writes the cases of the suites as a file of `cedar run-tests`.
pub(crate) fn write(
    global: &GlobalArgs,
    arguments: &TestArgs,
    folder: &Path,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (_, suites) = prepare(global, arguments)?;
    let Some(bundle) = suites.bundle() else {
        return Err(nothing_to_run(arguments));
    };
    let readings = switches(global)?.on_among(bundle.readings())?;
    let (expectations, other_readings) = expectations(&suites, &readings);
    if expectations.is_empty() {
        return Err(nothing_to_run(arguments));
    }
    let written = cedar_run_tests::write(&expectations);
    if folder.as_os_str() == "-" {
        output.write_verbatim(&printable::json(&written.document))?;
    } else {
        let files = [
            ("tests.json", written.document),
            (
                "policies.cedar",
                cedar_run_tests::policies_in_force(bundle, &readings),
            ),
            ("schema.cedarschema", bundle.schema_text().to_owned()),
        ];
        write_files(folder, files, output)?;
    }
    for skipped in &written.skipped {
        output::say(&format!("left out: {}: {}\n", skipped.name, skipped.reason));
    }
    if other_readings > 0 {
        output::say(&format!(
            "left out: {} under other readings; switch them with --reading and --no-reading\n",
            counted(other_readings, "case")
        ));
    }
    Ok(Exit::Yes)
}

/// The cases under these readings, and how many cases are under other readings.
fn expectations<'s>(suites: &'s Suites, readings: &[String]) -> (Vec<Expectation<'s>>, usize) {
    let mut other_readings = 0;
    let mut expectations = Vec::new();
    for case in suites.suites.iter().flat_map(|suite| &suite.cases) {
        let Some(engine) = suites.engine(case.setting) else {
            continue;
        };
        // The file goes with one set of policies: those in force under the readings of this run.
        if engine.readings() != readings {
            other_readings += 1;
            continue;
        }
        for check in &case.checks {
            expectations.push(Expectation {
                engine,
                name: &case.name,
                request: &check.request,
                decision: check.expected.decision,
                policies: check.expected.because.as_deref().unwrap_or_default(),
            });
        }
    }
    (expectations, other_readings)
}

/// Writes files into a folder, and names them.
fn write_files(
    folder: &Path,
    files: [(&str, String); 3],
    output: &mut Output,
) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| ShellError::file("make", folder, error))?;
    for (name, text) in files {
        let path = folder.join(name);
        atomic::write(&path, &text).map_err(|error| ShellError::file("write", &path, error))?;
        let path = path.display().to_string();
        output.write(&format!("{}\n", printable::line(&path)))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Arc<Source>, Failure> {
    if path.as_os_str() != "-" {
        return Ok(workspace::cedar_tests(path)?);
    }
    Ok(workspace::cedar_tests_from_standard_input()?)
}
