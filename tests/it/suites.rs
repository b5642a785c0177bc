//! `tarbac test`: suites that pass, that fail, and that are wrong.

use std::path::Path;

use crate::tarbac::{Ran, Tarbac, contoso};

/// A suite about the small tenant, with one case.
fn suite(case: &str) -> String {
    format!("suite: A suite\ncases:\n{case}")
}

/// A case about ana, who is a Help Desk Operator where Intune decides.
fn ana(expect: &str, because: &str) -> String {
    format!(
        "  - name: Ana runs a script
    principal: ana@t.example
    action: Run script
    resource: PC-1
    expect: {expect}
    because: [{because}]
"
    )
}

fn test(files: &[(&str, &str)]) -> Ran {
    Tarbac::with_tenant(files).run(&["test"])
}

/// The run of one suite with a case of ana's and more of the file.
fn given(facts: &str, expect: &str, because: &str) -> Ran {
    let text = suite(&(ana(expect, because) + facts));
    test(&[("tests/a.yaml", &text)])
}

#[test]
fn the_suites_of_the_sample_pass() {
    let ran = contoso(&["test"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.contains("passed: "), "{ran}");
}

#[test]
fn a_case_that_holds_passes() {
    let text = suite(&ana("allow", "roles.help-desk-operator"));
    insta::assert_snapshot!(test(&[("tests/a.yaml", &text)]), @r"
    ok  A suite  tests/a.yaml: 1 case, 1 decision
    passed: 1 case, 1 decision, 0 snapshots
    --- exit 0
    ");
}

#[test]
fn a_case_that_fails_says_what_came_and_why() {
    let text = suite(&ana("deny", ""));
    insta::assert_snapshot!(test(&[("tests/a.yaml", &text)]));
}

#[test]
fn because_is_exact() {
    for because in [
        "",
        "roles.school-administrator",
        "roles.help-desk-operator, roles.school-administrator",
    ] {
        let text = suite(&ana("allow", because));
        let ran = test(&[("tests/a.yaml", &text)]);
        assert_eq!(ran.status, 1, "because: [{because}]: {ran}");
    }
}

#[test]
fn nothing_is_implied_by_omission() {
    let text =
        suite(&ana("allow", "roles.help-desk-operator").replace("    because", "    # because"));
    let ran = test(&[("tests/a.yaml", &text)]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("`because` is missing"), "{ran}");
}

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
    insta::assert_snapshot!(test(&[("tests/a.yaml", &text)]), @r"
    --- stderr
    suite::unknown_key

      × `expcet` is not a key that stands here
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
fn without_a_case_there_is_no_answer() {
    for files in [
        &[][..],
        &[("tests/a.yaml", "suite: Empty\n")],
        &[("tests/a.yaml", "principals: { people: [ana@t.example] }\n")],
    ] {
        let ran = test(files);
        assert_eq!(ran.status, 2, "{files:?}: {ran}");
        assert!(ran.stderr.contains("there is no case to run"), "{ran}");
    }
}

#[test]
fn cases_without_a_suite_are_no_shared_file() {
    let text = suite(&ana("allow", "")).replace("suite: A suite\n", "");
    let ran = test(&[("tests/a.yaml", &text)]);
    assert!(ran.stderr.contains("suite::unnamed"), "{ran}");
}

#[test]
fn facts_change_the_directory_for_one_case() {
    let no_policy = "";
    for (fact, expect, because) in [
        (
            r#"Entra::User::"u1" in Intune::RoleAssignment::"a1": false"#,
            "deny",
            no_policy,
        ),
        (
            r#"Entra::User::"ana@t.example" in Intune::Role::"School Administrator": true"#,
            "allow",
            "roles.help-desk-operator, roles.school-administrator",
        ),
        (
            r#"Intune::Tenant::"t".useIntuneRbac: false"#,
            "deny",
            "configmgr.identity, configmgr.pages.any.read, configmgr.pages.scripts.read-resource, configmgr.pages.scripts.read-scripts, configmgr.pages.scripts.run-script, readings.discovery-either.both",
        ),
    ] {
        let ran = given(&format!("    given:\n      {fact}\n"), expect, because);
        assert_eq!(ran.status, 0, "{fact}: {ran}");
    }
}

#[test]
fn facts_reach_into_records_and_sets_and_make_entities() {
    let text = r#"
suite: A hybrid person
given:
  ConfigMgr::Hierarchy::"H".enforceConfigMgrRbac: true
  ConfigMgr::Collection::"C": { hierarchy: H, displayName: All }
  ConfigMgr::Device::"PC-1" in ConfigMgr::Collection::"C": true
  Entra::User::"u1".cloudOnly: false
  Entra::User::"u1".configMgr:
    discoveredByEntra: [H]
    discoveredByActiveDirectory: [H]
    read: ['ConfigMgr::Collection::"C"']
    readResource: [C]
    notifyResource: []
    runCmPivot: []
    runScript: []
    readBitLockerRecoveryKey: []
    readScripts: []
    readApplications: []
    approveApplications: []
cases:
  - name: Reading is enough for Resource explorer
    principal: ana@t.example
    action: View resource explorer
    resource: PC-1
    expect: allow
    because: [readings.any-intune-role, roles.help-desk-operator]
  - name: Without the one element it is not
    given:
      Entra::User::"u1".configMgr.readResource.contains(ConfigMgr::Collection::"C"): false
    principal: ana@t.example
    action: View resource explorer
    resource: PC-1
    expect: deny
    because: [configmgr.pages.resource-explorer.read-resource]
  - name: With another element Timeline opens
    given:
      Entra::User::"u1".configMgr.notifyResource.contains(ConfigMgr::Collection::"C"): true
    principal: ana@t.example
    action: View timeline
    resource: PC-1
    expect: allow
    because: [readings.any-intune-role, roles.help-desk-operator]
  - name: Without the record nothing is granted
    given:
      Entra::User::"u1" has configMgr: false
    principal: ana@t.example
    action: View client details
    resource: PC-1
    expect: deny
    because: [configmgr.pages.any.read, readings.discovery-either.both]
"#;
    let ran = test(&[("tests/a.yaml", text)]);
    assert_eq!(ran.status, 0, "{ran}");
}

#[test]
fn facts_that_cannot_be_are_errors() {
    for (fact, said) in [
        (
            r#"Entra::User::"nobody".cloudOnly: true"#,
            "is nobody and nothing",
        ),
        (r#"Entra::User::"u1".cloudOnly: maybe"#, "must be a Bool"),
        (
            r#"Entra::User::"u1".cloudOnyl: true"#,
            "did you mean `cloudOnly`?",
        ),
        (
            r#"Entra::User::"u1" has configMgr: true"#,
            "says nothing of its value",
        ),
        (
            r#"Entra::User::"u1" in Intune::Role::"Help Desk Operator": false"#,
            "is no direct parent",
        ),
        (
            r#"Entra::User::"u1" in ConfigMgr::Hierarchy::"H": true"#,
            "cannot be in",
        ),
        (r#"Entra::User::"u2": {}"#, "is there already"),
        (
            r#"Entra::User::"u9": { cloudOnly: true }"#,
            "lacks the required attribute",
        ),
        (
            r#"Entra::User::"u1".cloudOnly == false: true"#,
            "this is no fact",
        ),
        ("something else: true", "is no Cedar expression"),
        (
            r#"Intune::RoleAssignment::"a1" in Intune::Tenant::"t": false"#,
            "what is given cannot be",
        ),
        (
            r#"Entra::User::"u1" has cloudOnly: false"#,
            "lacks the required attribute",
        ),
    ] {
        let ran = given(
            &format!("    given:\n      {fact}\n"),
            "allow",
            "roles.help-desk-operator",
        );
        assert_eq!(ran.status, 2, "{fact}: {ran}");
        assert!(ran.stderr.contains(said), "{fact}: {ran}");
        assert!(ran.stderr.contains("tests/a.yaml:10:"), "{fact}: {ran}");
    }
}

#[test]
fn what_is_given_is_held_to_the_findings_of_a_directory() {
    let facts = r#"    given:
      Intune::Tenant::"other": { useIntuneRbac: true }
      Intune::RoleAssignment::"a1" in Intune::Tenant::"other": true
"#;
    let ran = given(facts, "allow", "roles.help-desk-operator");
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("another tenant"), "{ran}");
}

#[test]
fn a_policy_that_cannot_be_evaluated_is_stated_as_indeterminate() {
    let policy = r#"
@id("custom.overflow")
@doc("It overflows.")
@message("none")
@advice("none")
forbid (principal, action == Intune::Action::"runScript", resource)
when { resource.hierarchy.version * 9223372036854775807 > 0 };
"#;
    let text = suite(&ana("indeterminate", "roles.help-desk-operator"));
    let ran = test(&[
        ("tests/a.yaml", &text),
        ("policies/custom/overflow.cedar", policy),
    ]);
    assert_eq!(ran.status, 0, "{ran}");
    let text = suite(&ana("allow", "roles.help-desk-operator"));
    let ran = test(&[
        ("tests/a.yaml", &text),
        ("policies/custom/overflow.cedar", policy),
    ]);
    assert_eq!(ran.status, 1, "{ran}");
}

#[test]
fn a_policy_of_a_reading_that_is_off_decides_nothing() {
    let ran = given("", "allow", "readings.observed-roles");
    assert!(ran.stderr.contains("suite::policy_not_in_force"), "{ran}");
}

#[test]
fn readings_are_those_of_the_suite_before_those_of_the_command_line() {
    let case = "
cases:
  - name: A Policy and Profile Manager sees Software updates
    given: { 'Entra::User::\"u2\" in Intune::Role::\"Policy and Profile Manager\"': true }
    principal: bob@t.example
    action: View software updates
    resource: PC-1
    expect: allow
    because: [readings.observed-roles]
";
    let silent = format!("suite: Silent{case}");
    let off = format!("suite: Off\nreadings: {{ observed-roles: off }}{case}");
    let run = |text: &str, arguments: &[&str]| {
        let workspace = Tarbac::with_tenant(&[("tests/a.yaml", text)]);
        workspace.run(&[&["test"], arguments].concat()).status
    };
    assert_eq!(run(&silent, &["--reading", "observed-roles"]), 0);
    assert_eq!(run(&silent, &[]), 2);
    assert_eq!(run(&off, &["--reading", "observed-roles"]), 2);
}

#[test]
fn filters_leave_what_they_name() {
    let text = format!(
        "suite: A suite\ncases:\n{}{}",
        ana("allow", "roles.help-desk-operator"),
        "  - name: Bob sees nothing
    principal: [ana@t.example, bob@t.example]
    action: [viewTimeline, Roles/Update]
    resource: [PC-1]
    expect: deny
    because: []
"
        .replace(", Roles/Update", "")
    );
    let workspace = Tarbac::with_tenant(&[("tests/a.yaml", &text)]);
    let decisions = |filters: &[&str]| {
        let mut arguments = vec!["test"];
        for filter in filters {
            arguments.extend(["--filter", filter]);
        }
        let ran = workspace.run(&arguments);
        let line = ran
            .stdout
            .lines()
            .find(|line| line.contains("case"))
            .map(str::to_owned);
        (ran.status, line.unwrap_or_default())
    };
    // Ana may see Timeline, so the case about both fails unless she is filtered out.
    assert_eq!(decisions(&[]).0, 1);
    let (status, line) = decisions(&["principal=bob@t.example"]);
    assert_eq!(status, 0, "{line}");
    assert!(line.contains("1 case, 1 decision"), "{line}");
    assert_eq!(decisions(&["ANA RUNS"]).0, 0);
    assert_eq!(decisions(&["action=Run script"]).0, 0);
    assert_eq!(decisions(&["action=runScript", "principal=u2"]).0, 2);
    assert_eq!(decisions(&["resource=PC-9"]).0, 2);
    assert_eq!(decisions(&["principal="]).0, 2);
}

#[test]
fn groups_and_fixtures_are_shared_by_name() {
    let shared = r#"
principals: { everybody: [ana@t.example, bob@t.example] }
fixtures:
  Bob has a role: { 'Entra::User::"u2" in Intune::RoleAssignment::"a1"': true }
"#;
    let text = "
suite: A suite
use: [../shared/people.yaml]
cases:
  - name: Everybody runs scripts
    given: Bob has a role
    principal: everybody
    action: Run script
    resource: PC-1
    expect: allow
    because: [roles.help-desk-operator]
";
    let ran = test(&[
        ("tests/shared/people.yaml", shared),
        ("tests/suites/a.yaml", text),
    ]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.contains("1 case, 2 decisions"), "{ran}");
}

#[test]
fn a_group_is_not_called_like_a_person() {
    let text = "principals: { ana@t.example: [bob@t.example] }\n".to_owned()
        + &suite(&ana("allow", "roles.help-desk-operator"));
    let ran = test(&[("tests/a.yaml", &text)]);
    assert!(ran.stderr.contains("suite::group_name"), "{ran}");
}

#[test]
fn a_workspace_within_the_tests_has_its_own() {
    let wrong = suite(&ana("deny", ""));
    let right = suite(&ana("allow", "roles.help-desk-operator"));
    let ran = test(&[
        ("tests/inner/tests/a.yaml", &wrong),
        ("tests/inner/policies/README.md", ""),
        ("tests/a.yaml", &right),
    ]);
    assert_eq!(ran.status, 0, "{ran}");
}

#[test]
fn paths_choose_the_suites() {
    let workspace = Tarbac::with_tenant(&[
        ("tests/wrong.yaml", &suite(&ana("deny", ""))),
        (
            "tests/right.yaml",
            &suite(&ana("allow", "roles.help-desk-operator")),
        ),
    ]);
    assert_eq!(workspace.run(&["test", "tests/right.yaml"]).status, 0);
    assert_eq!(workspace.run(&["test", "./tests/right.yaml"]).status, 0);
    assert_eq!(workspace.run(&["test", "tests"]).status, 1);
    assert_eq!(workspace.run(&["test", "tests/none.yaml"]).status, 2);
}

#[test]
fn json_has_every_case() {
    let text = suite(&ana("deny", ""));
    let ran = Tarbac::with_tenant(&[("tests/a.yaml", &text)]).run(&["test", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(ran.status, 1);
    assert_eq!(json["version"], 1);
    assert_eq!(json["passed"], false);
    let case = &json["suites"][0]["cases"][0];
    assert_eq!(case["passed"], false);
    assert_eq!(case["missed"][0]["came"]["decision"], "allow");
    assert_eq!(
        case["missed"][0]["came"]["because"][0],
        "roles.help-desk-operator"
    );
}

#[test]
fn reports_have_the_failed_cases() {
    let text = suite(&ana("deny", ""));
    let workspace = Tarbac::with_tenant(&[("tests/a.yaml", &text)]);
    let ran = workspace.run(&[
        "test",
        "--report",
        "github=-",
        "--report",
        "junit=junit.xml",
    ]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.starts_with("::error "), "{ran}");
    assert!(ran.stdout.contains("file=tests/a.yaml"), "{ran}");
    assert!(workspace.read("junit.xml").contains("Ana runs a script"));
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

#[test]
fn what_tests_nothing_is_no_pass() {
    let right = suite(&ana("allow", "roles.help-desk-operator"));
    for (wrong, said) in [
        (right.replace("ana@t.example", "[]"), "no name stands here"),
        ("suite: S\nmatrices:\n  - { name: M, actions: runScript, legend: {}, table: {} }\n".to_owned(), "the table is empty"),
        ("suite: S\nmatrices:\n  - { name: M, actions: runScript, legend: {}, table: { PC-1: {} } }\n".to_owned(), "there is no row"),
        ("suite: S\nsnapshot: { principals: [], actions: all, resources: all }\n".to_owned(), "no name stands here"),
        ("snapshot: { principals: all, actions: all, resources: all }\n".to_owned(), "has no name"),
        ("readings: { observed-roles: on }\n".to_owned(), "has no name"),
        (right.replace("Ana runs a script", "\"\""), "the name is empty"),
        (right.replace("Ana runs a script", "\"a\\e[2Jb\""), "has a control character"),
        (right.clone() + "exempt: [{ policy: roles.help-desk-operator, reason: \"\" }]\n", "an exemption has a reason"),
        (right.clone() + "fixtures: { f: { 'Entra::User::\"ghost\".cloudOnly': true } }\n", "nobody and nothing"),
        (right.clone() + "principals: { ghosts: [ghost@t.example] }\n", "no principal is called"),
        (right.clone() + "actions: { pages: [viewTimelime] }\n", "did you mean `viewTimeline`?"),
    ] {
        let ran = test(&[("tests/a.yaml", &wrong), ("tests/b.yaml", &right)]);
        assert_eq!(ran.status, 2, "{wrong}{ran}");
        assert!(ran.stderr.contains(said), "{wrong}{ran}");
    }
}

#[test]
fn a_fact_stands_once_however_it_is_spelled() {
    let facts = r#"    given:
      Entra::User::"u1".cloudOnly: true
      Entra::User::"ana@t.example".cloudOnly: false
"#;
    let ran = given(facts, "allow", "roles.help-desk-operator");
    assert!(ran.stderr.contains("is given twice"), "{ran}");
    // A case may give what its suite gives otherwise.
    let text = format!(
        "given: {{ 'Intune::Tenant::\"t\".useIntuneRbac': false }}\n{}    given: {{ 'Intune::Tenant::\"t\".useIntuneRbac': true }}\n",
        suite(&ana("allow", "roles.help-desk-operator"))
    );
    let ran = test(&[("tests/a.yaml", &text)]);
    assert_eq!(ran.status, 0, "{ran}");
}

#[test]
fn the_files_for_the_stock_tool_go_into_a_folder() {
    let text = suite(&ana("allow", "roles.help-desk-operator"));
    let workspace = Tarbac::with_tenant(&[("tests/a.yaml", &text)]);
    let ran = workspace.run(&["test", "--to-cedar=cedar"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(
        !workspace
            .read("cedar/policies.cedar")
            .contains("readings.observed-roles")
    );
    assert!(
        workspace
            .read("cedar/schema.cedarschema")
            .contains("namespace Entra")
    );
    let ran = workspace.run(&["test", "--cedar", "cedar/tests.json"]);
    assert_eq!(ran.status, 0, "{ran}");
    let printed = workspace.run(&["test", "--to-cedar"]);
    assert_eq!(printed.stdout, workspace.read("cedar/tests.json"));
    let ran = workspace.run_with(&["test", "--cedar", "-"], printed.stdout.as_bytes());
    assert_eq!(ran.status, 0, "{ran}");
    let wrong = printed.stdout.replace("\"allow\"", "\"deny\"");
    let ran = workspace.run_with(&["test", "--cedar", "-"], wrong.as_bytes());
    assert_eq!(ran.status, 1, "{ran}");
    assert_eq!(
        workspace.run_with(&["test", "--cedar", "-"], b"[]").status,
        2
    );
}

#[test]
fn reports_have_what_keeps_suites_from_being_run() {
    let text = suite(&ana("allow", "roles.help-desk-operater"));
    let workspace = Tarbac::with_tenant(&[("tests/a.yaml", &text)]);
    let ran = workspace.run(&["test", "--report", "github=-"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stdout.contains("file=tests/a.yaml,line=8"), "{ran}");
    // The same where the workspace itself has errors.
    workspace.write(
        "policies/custom/none.cedar",
        "permit (principal, action, resource",
    );
    let ran = workspace.run(&["test", "--report", "github=-"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stdout.contains("file=policies/custom/none.cedar"),
        "{ran}"
    );
}
