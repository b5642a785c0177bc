//! Cedar's own integration tests, where `TARBAC_CEDAR_CORPUS` names a copy of
//! `cedar-policy/cedar-integration-tests` in which `corpus-tests.tar.gz` is unpacked.
//!
//! Every request of `corpus-tests/` and `tests/` is decided as `tarbac test --cedar` decides, with the
//! schema where the policies are valid under it and without where they are not; and by the engine that
//! answers everything else, where the entities are a directory. Decision, determining policies and
//! failing policies must be those that the tests name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cedar_policy::{
    Context, EntityId, EntityTypeName, EntityUid, PolicySet, Schema, ValidationMode, Validator,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tarbac::bundle::{self, Switches, Texts};
use tarbac::cedar_run_tests::{self, Response, TestOutcome};
use tarbac::decision::{Decision, Request};
use tarbac::directory::Input;
use tarbac::source::Source;
use tarbac::workspace::EntityFiles;
use tarbac::{Engine, assembly};

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

fn run(root: &Path, path: &Path) -> Report {
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    let source = |name: &str| Source::held(name, text(&root.join(name)));
    let file: File = serde_json::from_str(&text(path)).unwrap();
    let texts = Texts {
        schema: vec![source(&file.schema)],
        policies: vec![source(&file.policies)],
        ..Texts::default()
    };
    let entities = text(&root.join(&file.entities));
    let mut report = Report {
        files: 1,
        requests: file.requests.len(),
        ..Report::default()
    };
    let mut differ = |what: String| {
        let name = path.strip_prefix(root).unwrap_or(path);
        report
            .differences
            .push(format!("{}: {what}", name.display()));
    };
    let suite = Source::held("tests.json", as_suite(&file));
    let tests = cedar_run_tests::read(&suite).unwrap();
    let files = EntityFiles::from([("entities.json".to_owned(), Ok(entities.clone()))]);
    let (bundle, findings) = bundle::read(&texts);
    let verdicts = match &bundle {
        Ok(bundle) => cedar_run_tests::run(bundle, &[], &tests, &files),
        Err(_) => {
            let (policies, findings) =
                bundle::without_schema(&texts, &Switches::default()).unwrap();
            match policies {
                Some(policies) => cedar_run_tests::run_without_schema(&policies, &tests, &files),
                None => {
                    differ(format!("{findings:?}"));
                    Vec::new()
                }
            }
        }
    };
    // What was not valid when the tests were made may be by now, but not the other way round.
    let is_valid = is_valid(&texts);
    if bundle.is_ok() != is_valid || file.should_validate && !is_valid {
        differ(format!(
            "valid is {}, for Cedar itself {is_valid}, and tarbac finds {findings:?}",
            file.should_validate
        ));
    }
    for (asked, verdict) in file.requests.iter().zip(&verdicts) {
        let response = match verdict {
            TestOutcome::Passed(response) | TestOutcome::Failed(response, _) => response,
            TestOutcome::NotRun(finding) => {
                differ(format!("{}: {}", asked.description, finding.message));
                continue;
            }
        };
        let came = (
            response.decision.word(),
            sorted(&response.policies),
            failed(response),
        );
        let expected = (
            asked.decision.as_str(),
            sorted(&asked.reason),
            sorted(&asked.errors),
        );
        if came != expected {
            differ(format!(
                "{}: expected {expected:?}, but got {came:?}",
                asked.description
            ));
        }
    }
    let invalid = usize::from(bundle.is_err());
    if bundle.is_ok() {
        let input = Input {
            source: Source::held("entities.json", ""),
            reader: Box::new(std::io::Cursor::new(entities.into_bytes())),
        };
        let examination = assembly::examine(&texts, vec![input], &Switches::default()).unwrap();
        match examination.engine {
            Some(engine) => {
                for asked in &file.requests {
                    if let Some(difference) = by_engine(&engine, asked) {
                        differ(format!("{}: by the engine {difference}", asked.description));
                    }
                }
                report.by_engine = file.requests.len();
            }
            None => {
                let errors = examination.findings.into_iter();
                let mut errors =
                    errors.filter(|finding| finding.severity == tarbac::finding::Severity::Error);
                let code = errors.next().unwrap().code.to_string();
                report.no_workspace.insert(code, 1);
            }
        }
    }
    report.invalid = invalid;
    report
}

/// Whether plain Cedar finds policies valid.
fn is_valid(texts: &Texts) -> bool {
    let (schema, _) = Schema::from_cedarschema_str(texts.schema[0].text()).unwrap();
    let policies: PolicySet = texts.policies[0].text().parse().unwrap();
    let result = Validator::new(schema).validate(&policies, ValidationMode::Strict);
    result.validation_passed()
}

/// Adds the entities that a context names.
fn add_entities(context: &Value, named: &mut Vec<EntityUid>) {
    match context {
        Value::Object(object) => {
            if let Some(uid) = object.get("__entity") {
                named.push(Uid::deserialize(uid).unwrap().uid());
            }
            object.values().for_each(|value| add_entities(value, named));
        }
        Value::Array(values) => values.iter().for_each(|value| add_entities(value, named)),
        _ => {}
    }
}

/// How the engine's answer differs: a policy that fails, or a principal, a resource or something in the context that
/// is not there, makes it indeterminate.
fn by_engine(engine: &Engine, asked: &Asked) -> Option<String> {
    let action = asked.action.uid();
    let schema = engine.bundle().schema();
    let context = Context::from_json_value(asked.context.clone(), Some((schema, &action)));
    let request = Request {
        principal: asked.principal.uid(),
        action: action.clone(),
        resource: asked.resource.uid(),
        context: context.unwrap(),
    };
    let outcome = engine.decide(&request);
    let is_there = |uid: &EntityUid| engine.directory().defines(uid);
    let mut named = vec![request.principal.clone(), request.resource.clone()];
    add_entities(&asked.context, &mut named);
    let is_known = named.iter().all(is_there);
    if outcome.decision == Decision::Indeterminate {
        // A dangling reference has the same effect as a policy that fails.
        let is_due = !asked.errors.is_empty() || !is_known;
        return (!is_due).then(|| format!("indeterminate: {:?}", outcome.errors));
    }
    let came = (outcome.decision.word(), sorted(&outcome.policies));
    let expected = (asked.decision.as_str(), sorted(&asked.reason));
    let is_same = came == expected && asked.errors.is_empty();
    (!is_same).then(|| format!("expected {expected:?} {:?}, but got {came:?}", asked.errors))
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
            .map(|path| pool.install(|| run(root, path)))
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
