//! Suites with mistakes, and the JSON Schema that refuses them too.

use std::path::Path;

use super::{ana, suite, test};
use crate::tarbac::contoso;

#[test]
fn everything_that_is_unknown_is_said_before_anything_runs() {
    let text = "\
suite: Mistakes
use: [sharde.yaml]
readings: { observed-role: on }
cases:
  - name: One
    given: [nothing, { 'Intune::Tenant::\"t\".useIntuneRbak': true }]
    principal: anna@t.example
    action: Run skript
    resource: PC-2
    expect: allow
    because: [roles.help-desk-operater]
  - name: Two
    principal: ana@t.example
    action: runScript
    resource: PC-1
    expect: deny
    because: [readings.observed-roles]
matrices:
  - name: Three
    actions: [runScript, viewScripts]
    legend:
      x: { expect: deny, because: [] }
    table:
      PC-1:
        bob@t.example: x
        ana@t.example: x y
exempt:
  - { policy: roles.help-desk, reason: none }
  - { policy: roles.help-desk-operator, clause: when something, reason: none }
";
    insta::assert_snapshot!(test(&[
        ("tests/a.yaml", text),
        ("tests/shared.yaml", "doc: nothing\n")
    ]));
}

#[test]
fn a_key_that_is_no_key_is_an_error_with_the_nearest() {
    let text = suite(&ana("allow", "roles.help-desk-operator").replace("expect:", "expcet:"));
    insta::assert_snapshot!(test(&[("tests/a.yaml", &text)]), @"
    --- stderr
    suite::unknown_key

      × `expcet` is no key here
       ╭─[tests/a.yaml:7:5]
     6 │     resource: PC-1
     7 │     expcet: allow
       ·     ───┬──
       ·        ╰── this key
     8 │     because: [roles.help-desk-operator]
       ╰────
      help: did you mean `expect`?

    errors: 1 error
    The suites have errors, so nothing was run.
    --- exit 2
    ");
}

#[test]
fn a_key_twice_and_yaml_that_is_none_are_errors_with_their_place() {
    let twice = suite(&(ana("allow", "roles.help-desk-operator") + "    expect: deny\n"));
    let ran = test(&[("tests/a.yaml", &twice)]);
    assert!(ran.stderr.contains("tests/a.yaml:9:5"), "{ran}");
    let broken = suite(&ana("allow", "roles.help-desk-operator").replace("PC-1", "[PC-1"));
    let ran = test(&[("tests/a.yaml", &broken)]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("suite::syntax"), "{ran}");
    assert!(!ran.stderr.contains("tests/a.yaml:1:1"), "{ran}");
}

#[test]
fn cases_without_a_suite_are_no_shared_file() {
    let text = suite(&ana("allow", "")).replace("suite: A suite\n", "");
    let ran = test(&[("tests/a.yaml", &text)]);
    assert!(ran.stderr.contains("suite::unnamed"), "{ran}");
}

#[test]
fn the_schema_that_ships_is_the_one_that_is_printed() {
    let shipped =
        std::fs::read_to_string(crate::tarbac::contoso_folder().join("tests/suite.schema.json"))
            .unwrap();
    let printed = contoso(&["schema", "suite"]).stdout;
    if std::env::var_os("TARBAC_UPDATE_SCHEMA").is_some() {
        std::fs::write(
            crate::tarbac::contoso_folder().join("tests/suite.schema.json"),
            &printed,
        )
        .unwrap();
    } else {
        assert_eq!(shipped, printed);
    }
}

/// A suite as the schema sees it.
fn conforms(text: &str) -> bool {
    let schema: serde_json::Value =
        serde_json::from_str(&contoso(&["schema", "suite"]).stdout).unwrap();
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("suite.json", schema).unwrap();
    let index = compiler.compile("suite.json", &mut schemas).unwrap();
    let options = serde_saphyr::options! { strict_booleans: true };
    let value: serde_json::Value = serde_saphyr::from_str_with_options(text, options).unwrap();
    schemas.validate(&value, index).is_ok()
}

#[test]
fn the_suites_that_ship_conform_to_the_schema() {
    let folder = crate::tarbac::contoso_folder().join("tests");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension() == Some(Path::new("a.yaml").extension().unwrap()) {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(conforms(&text), "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 10);
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let right = suite(&ana("allow", "roles.help-desk-operator"));
    assert!(conforms(&right));
    for wrong in [
        right.replace("expect:", "expcet:"),
        right.replace("    because: [roles.help-desk-operator]\n", ""),
        right.replace("allow", "perhaps"),
        right.replace("PC-1", "{ a: b }"),
    ] {
        assert!(!conforms(&wrong), "{wrong}");
        let ran = test(&[("tests/a.yaml", &wrong)]);
        assert_eq!(ran.status, 2, "{wrong}{ran}");
    }
}
