//! What programs, sheets and pages get of the sample tenant: the documents of every command, abridged where they are
//! long. They change on purpose only.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use crate::solver::solver_or_return;
use crate::tarbac::{Tarbac, contoso, contoso_with, sample};

/// How many elements of a list are kept.
const ELEMENTS: usize = 2;

/// How many lines of a text are kept, and of lines of JSON how many of one kind.
const LINES: usize = 12;
const OF_A_KIND: usize = 2;

/// The change that is supposed.
const PRODUCTION: &[&str] = &["--enforce-configmgr-rbac", "P01=off"];

/// A document with the first elements of each of its lists, and how many more there are.
fn abridged(document: Value) -> Value {
    match document {
        Value::Array(elements) => {
            let more = elements.len().saturating_sub(ELEMENTS);
            let kept = elements.into_iter().take(ELEMENTS).map(abridged);
            let more = (more > 0).then(|| Value::from(format!("and {more} more")));
            Value::Array(kept.chain(more).collect())
        }
        Value::Object(fields) => {
            let fields = fields.into_iter();
            let fields = fields.map(|(key, value)| (key, abridged(value)));
            Value::Object(fields.collect::<Map<String, Value>>())
        }
        other => other,
    }
}

/// A document, abridged, which conforms to the schema of its kind.
fn document(kind: &str, text: &str) -> String {
    let document: Value = serde_json::from_str(text).unwrap();
    let mut schema = schema(kind);
    close(&mut schema);
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("schema.json", schema).unwrap();
    let index = compiler.compile("schema.json", &mut schemas).unwrap();
    let conforms = schemas.validate(&document, index);
    assert!(conforms.is_ok(), "{kind}: {}", conforms.unwrap_err());
    serde_json::to_string_pretty(&abridged(document)).unwrap()
}

/// The JSON Schema of a kind of document.
fn schema(kind: &str) -> Value {
    let ran = contoso(&["schema", kind]);
    assert_eq!(ran.status, 0, "{ran}");
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Lets a schema refuse every key that it does not name.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(close);
            if fields.contains_key("properties") {
                fields.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(close),
        _ => {}
    }
}

/// A schema without words for people, in an order of its own.
fn shape(schema: Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> = fields.into_iter().collect();
            let fields = fields.into_iter();
            let fields = fields.filter(|(key, value)| {
                !(["title", "description"].contains(&key.as_str()) && value.is_string())
            });
            let fields: Map<String, Value> =
                fields.map(|(key, value)| (key, shape(value))).collect();
            match fields.is_empty() {
                // Both are the schema of anything.
                true => Value::Bool(true),
                false => Value::Object(fields),
            }
        }
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.into_iter().map(shape).collect();
            elements.sort_by_key(Value::to_string);
            Value::Array(elements)
        }
        other => other,
    }
}

/// What every kind of document consists of.
#[test]
fn the_schemas_are_as_they_were() {
    let ran = contoso(&["schema", "--help"]);
    let kinds = ran.stdout.lines().filter_map(|line| {
        let kind = line.trim_start().strip_prefix("- ")?;
        Some(kind.split_once(':')?.0)
    });
    let kinds: Vec<&str> = kinds.filter(|kind| *kind != "suite").collect();
    assert!(kinds.len() >= 17, "{ran}");
    for kind in kinds {
        let schema = serde_json::to_string_pretty(&shape(schema(kind))).unwrap();
        insta::assert_snapshot!(format!("schema_{kind}"), schema);
    }
}

/// The first lines, or of lines of JSON the first of each kind, as documents.
fn first_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: Vec<String> = Vec::new();
    for line in &lines {
        match serde_json::from_str::<Value>(line) {
            Ok(document) => {
                let kind = document.get("kind").or(document.get("decision"));
                let count = counts.entry(kind.map_or_else(String::new, Value::to_string));
                let count = count.or_default();
                *count += 1;
                if *count <= OF_A_KIND {
                    kept.push(abridged(document).to_string());
                }
            }
            Err(_) if kept.len() < LINES => kept.push((*line).to_owned()),
            Err(_) => {}
        }
    }
    match lines.len() - kept.len() {
        0 => kept.join("\n"),
        more => format!("{}\nand {more} more", kept.join("\n")),
    }
}

/// What a command writes on the sample tenant, in a format.
fn written(arguments: &[&str], format: &str) -> String {
    let kind = match arguments {
        ["import", ..] => "import-how",
        [command, ..] => command,
        [] => unreachable!(),
    };
    let ran = contoso(&[arguments, &["--format", format]].concat());
    assert!(!ran.stdout.is_empty(), "{ran}");
    match format {
        "json" => document(kind, &ran.stdout),
        _ => first_lines(&ran.stdout),
    }
}

/// Holds what a command writes in these formats.
fn hold(name: &str, arguments: &[&str], formats: &[&str]) {
    for format in formats {
        insta::assert_snapshot!(format!("{name}_{format}"), written(arguments, format));
    }
}

const ADA: &[&str] = &["ada@contoso.example", "Run script", "WS-TST-001"];

#[test]
fn answers_are_as_they_were() {
    hold("check", &[&["check"], ADA].concat(), &["json"]);
    let supposed = [&["check"], ADA, PRODUCTION].concat();
    hold("check_supposed", &supposed, &["json"]);
    let requests = r#"{"id": 7, "principal": "ada@contoso.example", "action": "Run script", "resource": "WS-TST-001"}
{"id": "b", "principal": "jonas@contoso.example", "action": "Run script", "resource": "WS-TST-001"}
{"principal": "nobody@contoso.example", "action": "Run script", "resource": "WS-TST-001"}
"#;
    for (name, kind) in [("check_answers", "full"), ("check_decisions", "decision")] {
        let ran = contoso_with(
            &["check", "--requests", "-", "--answer", kind],
            requests.as_bytes(),
        );
        insta::assert_snapshot!(name, ran);
    }
}

#[test]
fn explanations_are_as_they_were() {
    hold("explain_allow", &[&["explain"], ADA].concat(), &["json"]);
    let refused = [
        "explain",
        "jonas@contoso.example",
        "Run script",
        "WS-BER-014",
    ];
    hold("explain_deny", &refused, &["json"]);
    let supposed = [&refused, PRODUCTION].concat();
    hold("explain_supposed", &supposed, &["json"]);
}

#[test]
fn rows_are_as_they_were() {
    let formats = ["json", "csv", "markdown"];
    let who = ["who", "Run script", "WS-TST-001", "--eligible", "--may-not"];
    hold("who", &who, &formats);
    hold("who_supposed", &[&who, PRODUCTION].concat(), &formats);
    hold("what", &["what", "ada@contoso.example"], &formats);
}

#[test]
fn access_reviews_are_as_they_were() {
    hold("access", &["access"], &["json", "ndjson", "csv"]);
    let supposed = [&["access"], PRODUCTION].concat();
    hold("access_supposed", &supposed, &["json", "ndjson", "csv"]);
}

#[test]
fn changes_are_as_they_were() {
    let change = [&["what-if"], PRODUCTION].concat();
    hold("what_if", &change, &["json", "ndjson", "csv"]);
    let plan = [&change[..], &["--plan"]].concat();
    hold("what_if_plan", &plan, &["json", "ndjson"]);
}

#[test]
fn tables_are_as_they_were() {
    let formats = ["json", "csv", "markdown"];
    hold("matrix", &["matrix"], &formats);
    let people = [
        &["matrix", "--principal", "ada@contoso.example"],
        &["--resource", "WS-TST-001"][..],
        PRODUCTION,
    ];
    hold("matrix_people", &people.concat(), &formats);
}

#[test]
fn what_is_told_of_a_workspace_is_as_it_was() {
    hold("readings", &["readings"], &["json"]);
    hold("validate", &["validate"], &["json"]);
    hold("import_how", &["import", "--how"], &["json", "markdown"]);
    let wrong = Tarbac::with_tenant(&[(
        "policies/custom/x.cedar",
        "@id(\"custom.x\")\npermit (principal, action, resource)\nwhen { resource.nmae == \"PC-1\" };\n",
    )]);
    let ran = wrong.run(&["validate", "--format", "json"]);
    insta::assert_snapshot!("validate_findings_json", document("validate", &ran.stdout));
}

#[test]
fn what_is_told_of_exports_is_as_it_was() {
    let exports = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exports/contoso");
    let exports = exports.to_str().unwrap();
    let workspace = Tarbac::with(&[]);
    let json = |arguments: &[&str]| {
        let ran = workspace.run(&[arguments, &["--format", "json"]].concat());
        assert!(!ran.stdout.is_empty(), "{ran}");
        ran.stdout
    };
    let imported = json(&["import", exports, "--out", "workspace"]);
    insta::assert_snapshot!("import_json", document("import", &imported));
    let again = json(&["import", exports, "--out", "workspace", "--dry-run"]);
    insta::assert_snapshot!("import_again_json", document("import", &again));
    let diff = json(&["role", "diff", exports]);
    insta::assert_snapshot!("role_diff_json", document("role-diff", &diff));
}

#[test]
fn results_of_suites_are_as_they_were() {
    let workspace = sample();
    workspace.write(
        "tests/a.yaml",
        "suite: A
snapshot:
  principals: [ada@contoso.example]
  actions: [runScript]
  resources: [WS-TST-001]
cases:
  - { name: passes, principal: ada@contoso.example, action: runScript, resource: WS-TST-001, expect: allow, because: [roles.help-desk-operator] }
  - { name: fails, principal: ada@contoso.example, action: runScript, resource: WS-TST-001, expect: deny, because: [] }
",
    );
    let json = |more: &[&str]| {
        let ran = workspace.run(&[&["test", "--format", "json"], more].concat());
        assert!(!ran.stdout.is_empty(), "{ran}");
        document("test", &ran.stdout)
    };
    insta::assert_snapshot!("test_json", json(&["--coverage"]));
    let taken = workspace.run(&["test", "--accept"]);
    assert_eq!(taken.status, 1, "{taken}");
    let kept = workspace.read("tests/a.snap");
    workspace.write("tests/a.snap", kept.replace('✓', "✗"));
    insta::assert_snapshot!("test_snapshots_json", json(&[]));
}

#[test]
fn results_of_mutants_are_as_they_were() {
    let workspace = sample();
    workspace.write(
        "tests/a.yaml",
        "suite: A
cases:
  - { name: passes, principal: ada@contoso.example, action: runScript, resource: WS-TST-001, expect: allow, because: [roles.help-desk-operator] }
",
    );
    let ran = workspace.run(&["test", "--mutate", "--format", "json"]);
    insta::assert_snapshot!("test_mutants_json", document("test", &ran.stdout));
}

#[test]
fn results_of_proofs_are_as_they_were() {
    let solver = solver_or_return!();
    let solver = solver.to_str().unwrap();
    let workspace = Tarbac::with(&[(
        "tests/specs/specs.cedar",
        "@id(\"a\")\n@doc(\"Nobody.\")\nforbid (principal, action == Intune::Action::\"runScript\", resource);\n",
    )]);
    let ran = workspace.run(&["prove", "--format", "json", "--solver", solver]);
    assert!(!ran.stdout.is_empty(), "{ran}");
    insta::assert_snapshot!("prove_json", document("prove", &ran.stdout));
}
