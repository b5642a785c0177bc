//! Cedar's own integration tests, where `TARBAC_CEDAR_CORPUS` names a copy of
//! `cedar-policy/cedar-integration-tests` in which `corpus-tests.tar.gz` is unpacked.
//!
//! Every request of `corpus-tests/` and `tests/` is decided as `tarbac test --cedar` decides, with the
//! schema where the policies are valid under it and without where they are not; and by the engine that
//! answers everything else, where the entities are a directory. Decision, determining policies and
//! failing policies must be those that the tests name.

mod by_engine;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use by_engine::by_engine;
use cedar_policy::{
    EntityId, EntityTypeName, EntityUid, PolicySet, Schema, ValidationMode, Validator,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tarbac::assembly;
use tarbac::bundle::{self, Bundle, Switches, Texts};
use tarbac::cedar_run_tests::{self, Response, TestOutcome};
use tarbac::directory::Input;
use tarbac::finding::{Finding, Severity};
use tarbac::source::Source;
use tarbac::workspace::EntityFiles;

const VARIABLE: &str = "TARBAC_CEDAR_CORPUS";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    policies: String,
    entities: String,
    schema: String,
    should_validate: bool,
    requests: Vec<Asked>,
}

#[derive(Deserialize)]
struct Asked {
    description: String,
    principal: Uid,
    action: Uid,
    resource: Uid,
    context: Value,
    decision: String,
    reason: Vec<String>,
    errors: Vec<String>,
}

#[derive(Deserialize)]
struct Uid {
    r#type: String,
    id: String,
}

/// What came of some files.
#[derive(Default)]
struct Report {
    files: usize,
    requests: usize,
    /// Files whose policies are not valid under their schema.
    invalid: usize,
    /// Requests that the engine answered too.
    by_engine: usize,
    /// Files that tarbac makes no workspace of, by the first code that it gives.
    no_workspace: BTreeMap<String, usize>,
    differences: Vec<String>,
}

impl Report {
    fn join(mut self, other: Self) -> Self {
        self.files += other.files;
        self.requests += other.requests;
        self.invalid += other.invalid;
        self.by_engine += other.by_engine;
        for (code, count) in other.no_workspace {
            *self.no_workspace.entry(code).or_default() += count;
        }
        self.differences.extend(other.differences);
        self
    }
}

impl Uid {
    fn uid(&self) -> EntityUid {
        let type_name: EntityTypeName = self.r#type.parse().unwrap();
        EntityUid::from_type_name_and_id(type_name, EntityId::new(&self.id))
    }
}

/// A file of tests as one of `cedar run-tests`.
fn as_suite(file: &File) -> String {
    let tests = file.requests.iter().map(|asked| {
        json!({
            "name": asked.description,
            "request": {
                "principal": asked.principal.uid().to_string(),
                "action": asked.action.uid().to_string(),
                "resource": asked.resource.uid().to_string(),
                "context": asked.context,
            },
            "entities": "entities.json",
            "decision": asked.decision,
            "reason": asked.reason,
            "num_errors": asked.errors.len(),
        })
    });
    Value::Array(tests.collect()).to_string()
}

/// The ids of the policies that failed.
fn failed(response: &Response) -> Vec<String> {
    let id = |error: &String| error.split('`').nth(1).unwrap_or(error).to_owned();
    let mut ids: Vec<String> = response.errors.iter().map(id).collect();
    ids.sort();
    ids
}

fn sorted(ids: &[String]) -> Vec<String> {
    let mut ids = ids.to_vec();
    ids.sort();
    ids
}

/// A file of tests with what it names.
struct Case {
    /// Its path in the copy.
    name: String,
    file: File,
    texts: Texts,
    entities: String,
}

impl Case {
    fn read(root: &Path, path: &Path) -> Self {
        let text = |path: &Path| std::fs::read_to_string(path).unwrap();
        let source = |name: &str| Source::held(name, text(&root.join(name)));
        let file: File = serde_json::from_str(&text(path)).unwrap();
        let texts = Texts {
            schema: vec![source(&file.schema)],
            policies: vec![source(&file.policies)],
            ..Texts::default()
        };
        Self {
            name: path
                .strip_prefix(root)
                .unwrap_or(path)
                .display()
                .to_string(),
            entities: text(&root.join(&file.entities)),
            file,
            texts,
        }
    }

    fn run(&self) -> Report {
        let mut report = Report {
            files: 1,
            requests: self.file.requests.len(),
            ..Report::default()
        };
        let (bundle, findings) = bundle::read(&self.texts);
        match self.verdicts(bundle.as_ref().ok()) {
            Ok(verdicts) => report.differences.extend(self.differences(&verdicts)),
            Err(findings) => report.differences.push(format!("{findings:?}")),
        }
        // What was not valid when the tests were made may be by now, but not the other way round.
        let is_valid = is_valid(&self.texts);
        if bundle.is_ok() != is_valid || self.file.should_validate && !is_valid {
            report.differences.push(format!(
                "valid is {}, for Cedar itself {is_valid}, and tarbac finds {findings:?}",
                self.file.should_validate
            ));
        }
        match bundle.is_ok() {
            true => self.ask_engine(&mut report),
            false => report.invalid = 1,
        }
        for difference in &mut report.differences {
            *difference = format!("{}: {difference}", self.name);
        }
        report
    }

    /// What comes of the tests as those of `cedar run-tests`, with the schema or without it.
    fn verdicts(&self, bundle: Option<&Bundle>) -> Result<Vec<TestOutcome>, Vec<Finding>> {
        let suite = Source::held("tests.json", as_suite(&self.file));
        let tests = cedar_run_tests::read(&suite).unwrap();
        let entities = ("entities.json".to_owned(), Ok(self.entities.clone()));
        let files = EntityFiles::from([entities]);
        if let Some(bundle) = bundle {
            return Ok(cedar_run_tests::run(bundle, &[], &tests, &files));
        }
        let (policies, findings) =
            bundle::without_schema(&self.texts, &Switches::default()).unwrap();
        let policies = policies.ok_or(findings)?;
        Ok(cedar_run_tests::run_without_schema(
            &policies, &tests, &files,
        ))
    }

    fn differences(&self, verdicts: &[TestOutcome]) -> Vec<String> {
        let asked = self.file.requests.iter().zip(verdicts);
        asked
            .filter_map(|(asked, verdict)| {
                let difference = asked.difference(verdict)?;
                Some(format!("{}: {difference}", asked.description))
            })
            .collect()
    }

    /// Asks the engine that answers everything else, if the entities are a directory.
    fn ask_engine(&self, report: &mut Report) {
        let input = Input {
            source: Source::held("entities.json", ""),
            reader: Box::new(std::io::Cursor::new(self.entities.clone().into_bytes())),
        };
        let examination =
            assembly::examine(&self.texts, vec![input], &Switches::default()).unwrap();
        let Some(engine) = examination.engine else {
            let mut errors = examination.findings.into_iter();
            let error = errors.find(|finding| finding.severity == Severity::Error);
            let code = error.unwrap().code.to_string();
            report.no_workspace.insert(code, 1);
            return;
        };
        for asked in &self.file.requests {
            if let Some(difference) = by_engine(&engine, asked) {
                let difference = format!("{}: by the engine {difference}", asked.description);
                report.differences.push(difference);
            }
        }
        report.by_engine = self.file.requests.len();
    }
}

impl Asked {
    fn difference(&self, verdict: &TestOutcome) -> Option<String> {
        let response = match verdict {
            TestOutcome::Passed(response) | TestOutcome::Failed(response, _) => response,
            TestOutcome::NotRun(finding) => return Some(finding.message.clone()),
        };
        let came = (
            response.decision.word(),
            sorted(&response.policies),
            failed(response),
        );
        let expected = (
            self.decision.as_str(),
            sorted(&self.reason),
            sorted(&self.errors),
        );
        (came != expected).then(|| format!("expected {expected:?}, but got {came:?}"))
    }
}

/// Whether plain Cedar finds policies valid.
fn is_valid(texts: &Texts) -> bool {
    let (schema, _) = Schema::from_cedarschema_str(texts.schema[0].text()).unwrap();
    let policies: PolicySet = texts.policies[0].text().parse().unwrap();
    let result = Validator::new(schema).validate(&policies, ValidationMode::Strict);
    result.validation_passed()
}

/// The files of tests in a copy, in order.
fn files(root: &Path) -> Vec<PathBuf> {
    let folders = ["corpus-tests", "tests"].map(|folder| root.join(folder));
    let folders = folders.iter().filter(|folder| folder.is_dir());
    let entries = folders.flat_map(|folder| walkdir::WalkDir::new(folder).sort_by_file_name());
    entries
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| {
            let name = path.to_string_lossy();
            name.ends_with(".json") && !name.ends_with(".entities.json")
        })
        .collect()
}

/// Cedar evaluates by recursion, and takes much more stack where it is not optimized.
const STACK: usize = 256 * 1024 * 1024;

fn run_all(root: &Path) -> Report {
    let files = files(root);
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    // One pool each: a worker that waits would take up other files on top of its own.
    let work = |share: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
        let pool = pool.stack_size(STACK).build().unwrap();
        let files = files.iter().skip(share).step_by(workers);
        files
            .map(|path| pool.install(|| Case::read(root, path).run()))
            .fold(Report::default(), Report::join)
    };
    std::thread::scope(|scope| {
        let work = &work;
        let workers = (0..workers).map(|share| scope.spawn(move || work(share)));
        let workers: Vec<_> = workers.collect();
        let reports = workers.into_iter().map(|worker| worker.join().unwrap());
        reports.fold(Report::default(), Report::join)
    })
}

#[test]
fn cedars_own_tests_are_decided_alike() {
    let Some(root) = std::env::var_os(VARIABLE) else {
        eprintln!("left out: {VARIABLE} names no copy of cedar-policy/cedar-integration-tests");
        return;
    };
    let report = run_all(Path::new(&root));
    eprintln!(
        "{} files, {} requests, {} differences; {} files with policies that are not valid; {} requests by the engine as well; no workspace is made of {:?}",
        report.files,
        report.requests,
        report.differences.len(),
        report.invalid,
        report.by_engine,
        report.no_workspace
    );
    assert!(
        report.files > 0,
        "there is no file of tests in {}",
        Path::new(&root).display()
    );
    assert!(
        report.differences.is_empty(),
        "{}",
        report.differences.join("\n")
    );
}

#[test]
fn a_difference_from_such_a_test_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "tests/a/p.cedar",
        "forbid (principal, action, resource) when { resource.n + 1 < 0 };\npermit (principal, action, resource);\n",
    );
    write(
        "sample/s.cedarschema",
        "entity User;\nentity Doc { n: Long };\naction view appliesTo { principal: User, resource: Doc };\n",
    );
    let doc = |id: &str, n: i64| json!({"uid": {"type": "Doc", "id": id}, "attrs": {"n": n}, "parents": []});
    let user = json!({"uid": {"type": "User", "id": "ben"}, "attrs": {}, "parents": []});
    write(
        "sample/e.entities.json",
        &json!([doc("a", 1), doc("b", i64::MAX), user]).to_string(),
    );
    let test = |doc: &str, decision: &str, reason: &[&str], errors: &[&str]| {
        let test = json!({
            "policies": "tests/a/p.cedar", "entities": "sample/e.entities.json", "schema": "sample/s.cedarschema",
            "shouldValidate": true, "requests": [{
                "description": "a request", "principal": {"type": "User", "id": "ben"},
                "action": {"type": "Action", "id": "view"}, "resource": {"type": "Doc", "id": doc}, "context": {},
                "decision": decision, "reason": reason, "errors": errors,
            }],
        });
        write("tests/a/1.json", &test.to_string());
        let report = run_all(folder.path());
        assert_eq!((report.files, report.requests, report.by_engine), (1, 1, 1));
        report.differences
    };
    assert_eq!(test("a", "allow", &["policy1"], &[]), Vec::<String>::new());
    assert_eq!(
        test("b", "allow", &["policy1"], &["policy0"]),
        Vec::<String>::new()
    );
    // Each is told once for the tests and once for the engine.
    assert_eq!(test("a", "deny", &[], &[]).len(), 2);
    assert_eq!(test("a", "allow", &["policy0"], &[]).len(), 2);
    assert_eq!(test("b", "allow", &["policy1"], &[]).len(), 2);
}
