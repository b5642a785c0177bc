//! `tarbac prove`: what is proved, refuted and not known, and what is said of it.

mod policies;
mod solver;
mod specs;

use std::path::Path;

use serde_json::Value;

use crate::solver::{prove, solver_or_return};
use crate::tarbac::{Tarbac, command};

/// A spec about people and devices; the actions are permissions on a device.
fn spec(id: &str, effect: &str, actions: &str, conditions: &str) -> String {
    let actions: Vec<String> = actions
        .split(' ')
        .map(|action| format!("Intune::Action::\"{action}\""))
        .collect();
    format!(
        "@id(\"{id}\")\n@doc(\"The spec {id}.\")\n{effect} (principal, action in [{}], resource)\n{conditions};\n\n",
        actions.join(", ")
    )
}

fn with_specs(specs: &[String]) -> Tarbac {
    Tarbac::with(&[("tests/specs/specs.cedar", &specs.concat())])
}

/// A bound that holds: nobody runs scripts on a device of another tenant.
fn holds() -> String {
    spec(
        "own-tenant",
        "forbid",
        "runScript viewScripts",
        "unless { principal.tenant == resource.hierarchy.tenant }",
    )
}

/// A bound that does not: a cloud-only Help Desk Operator does.
fn does_not_hold() -> String {
    spec(
        "no-cloud-only",
        "forbid",
        "runScript",
        "when { principal.cloudOnly }",
    )
}

#[test]
fn the_specs_that_ship_are_proved() {
    let solver = solver_or_return!();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = command(root)
        .args(["prove", "--deny-warnings", "--solver"])
        .arg(solver)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("proved: 2"),
        "more than two hundred specs: {text}"
    );
}

#[test]
fn what_holds_is_proved() {
    let solver = solver_or_return!();
    insta::assert_snapshot!(prove(&with_specs(&[holds()]), &solver, &[]));
}

#[test]
fn what_does_not_is_told_as_a_story() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[
        holds(),
        does_not_hold(),
        spec(
            "help-desk",
            "permit",
            "runScript",
            "when { principal in Intune::Role::\"Help Desk Operator\" && principal.tenant == resource.hierarchy.tenant }",
        ),
    ]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 1);
    // Which of several roles a solver names is up to it.
    let told = ran
        .stdout
        .replace("School Administrator", "Help Desk Operator");
    let told = told.replace("school-administrator", "help-desk-operator");
    insta::assert_snapshot!(told);
}

#[test]
fn a_counterexample_is_decided_alike_by_plain_cedar() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[does_not_hold()]);
    let ran = prove(&workspace, &solver, &["--format", "json"]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["verdict"], "refuted");
    let found = &document["specs"][0]["environments"][0]["counterexample"];
    assert_eq!(found["possible"], true);
    assert_eq!(found["decided"]["decision"], "allow");
    // The entities are a directory that tarbac itself reads, and decides on.
    workspace.write("entities/found.json", found["entities"].to_string());
    let text = |key: &str| found[key].as_str().unwrap();
    let ran = workspace.run(&["check", text("principal"), text("action"), text("resource")]);
    assert_eq!(ran.status, 0, "{ran}");
}

#[test]
fn entities_that_only_a_spec_names_are_part_of_the_world() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[spec(
        "named",
        "forbid",
        "viewTimeline",
        "when { Intune::Tenant::\"other\".useIntuneRbac && principal in Intune::Role::\"Read Only Operator\" }",
    )]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 1, "{ran}");
    let told = "- Use Intune RBAC is On for other\n";
    assert!(ran.stdout.contains(told), "{ran}");
}

#[test]
fn patterns_with_several_wildcards() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[spec(
        "servers",
        "forbid",
        "viewTimeline",
        "when { resource.name like \"*SRV*01*\" && principal.tenant != resource.hierarchy.tenant }",
    )]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 0, "{ran}");
}

#[test]
fn counterexamples_are_kept_as_cases_that_fail() {
    let solver = solver_or_return!();
    let different = |id: &str, of: &str| {
        spec(id, "forbid", "viewScripts", "")
            .replace("@doc", &format!("@regardless_of(\"{of}\")\n@doc"))
    };
    let workspace = with_specs(&[
        does_not_hold(),
        spec(
            "everybody",
            "permit",
            "viewScripts",
            "when { principal in Intune::Role::\"Read Only Operator\" }",
        ),
        different("checkbox", "resource.hierarchy.enforceConfigMgrRbac"),
        different("console", "principal.configMgr"),
        different("either", "discovery-either"),
        different("any", "any-intune-role"),
    ]);
    let ran = prove(&workspace, &solver, &["--save-counterexamples", "found"]);
    assert_eq!(ran.status, 1, "{ran}");
    let ran = workspace.run(&["test", "found"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.contains("failed: 6 of 6 cases failed"), "{ran}");
}

/// What is said of decisions, people of the workspace as they are not, and ids that would be one
/// file: each case fails, or it is said why there is none.
#[test]
fn cases_of_whatever_is_refuted() {
    let solver = solver_or_return!();
    let question = |id: &str, effect: &str, answer: &str| {
        format!(
            "@id(\"{id}\")\n@doc(\"The spec {id}.\")\n{answer}{effect} (principal, action == Tarbac::Action::\"authority\", resource is ConfigMgr::Device);\n\n"
        )
    };
    let of_ada = "when { principal == Entra::User::\"ada@contoso.example\" }";
    let workspace = with_specs(&[
        question("intune", "permit", "@authority(\"intune\")\n"),
        question("not intune", "forbid", "@authority(\"intune\")\n"),
        question("nobody", "permit", "@authority(\"nobody\")\n"),
        spec("ada/scripts", "permit", "viewScripts", of_ada),
        spec("ada-scripts", "forbid", "viewScripts", of_ada),
        // Wherever somebody is assigned, there is an account: a directory says so and a proof does not.
        spec(
            "elsewhere",
            "permit",
            "viewScripts",
            "when { principal in resource.hierarchy.tenant && principal.tenant != resource.hierarchy.tenant }",
        ),
    ]);
    let ran = prove(&workspace, &solver, &["--save-counterexamples", "found"]);
    assert_eq!(ran.status, 1, "{ran}");
    insta::assert_snapshot!(ran);
    let ran = workspace.run(&["test", "found"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.contains("failed: 4 of 4 cases failed"), "{ran}");
}

#[test]
fn a_world_that_no_directory_has_is_said_to_be_none() {
    let solver = solver_or_return!();
    // Whoever is in a role has an assignment, and that has a tenant, though a spec has to say so.
    let workspace = with_specs(&[spec(
        "no-tenant",
        "forbid",
        "viewScripts",
        "unless { principal in resource.hierarchy.tenant || principal in Entra::DirectoryRole::\"Global Administrator\" || principal in Entra::DirectoryRole::\"Intune Administrator\" }",
    )]);
    let ran = prove(&workspace, &solver, &["--save-counterexamples", "found"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(
        ran.stdout.contains("No directory can contain this"),
        "{ran}"
    );
    assert!(ran.stderr.contains("no-tenant: not saved"), "{ran}");
}

/// An attribute that is read in another way than by the path of the spec could make a difference
/// that specialising does not show.
#[test]
fn an_attribute_that_is_read_otherwise_is_not_proved() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[spec(
        "checkbox",
        "forbid",
        "viewScripts",
        "unless { resource.hierarchy.tenant.useIntuneRbac }",
    )
    .replace(
        "@doc",
        "@regardless_of(\"resource.hierarchy.enforceConfigMgrRbac\")\n@doc",
    )]);
    workspace.write(
        "policies/custom/other.cedar",
        "@id(\"custom.other\")\n@doc(\"Whoever asks for it.\")\npermit (\n  principal in Intune::Role::\"r\",\n  action == Intune::Action::\"viewScripts\",\n  resource\n)\nwhen\n{\n  (if\n     true\n   then\n     resource\n   else\n     resource).hierarchy.enforceConfigMgrRbac\n};\n",
    );
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stdout
            .contains("the policy `custom.other` reads the attribute in another way"),
        "{ran}"
    );
}

/// A workspace of other words: what is told is what it takes, and no entity of an enumerated type has
/// another name.
#[test]
fn stories_say_all_that_it_takes() {
    let solver = solver_or_return!();
    let schema = "@doc(\"A.\")\nnamespace App {\n  @doc(\"A color.\")\n  entity Color enum [\"red\", \"blue\"];\n  @doc(\"Somebody.\")\n  entity User { @doc(\"N.\") name: String, @doc(\"N.\") level: Long, @doc(\"C.\") color: Color };\n  @doc(\"A document.\")\n  entity Doc { @doc(\"O.\") owner?: User, @doc(\"T.\") ttl?: Long } tags String;\n  @doc(\"Reads it.\")\n  action read appliesTo { principal: User, resource: Doc, context: { at?: datetime } };\n}\n";
    let policies = [
        ("named", "principal.name like \"*admin*\""),
        (
            "timed",
            "resource has ttl && context has at && context.at > datetime(\"2026-01-01\")",
        ),
        ("owned", "resource has owner && resource.owner.level == 3"),
        (
            "tagged",
            "resource.hasTag(\"t\") && resource.getTag(\"t\") == \"public\"",
        ),
        ("red", "principal.color == App::Color::\"red\""),
    ];
    let text = |effect: &str, more: &str| -> String {
        let policies = policies.iter().map(|(id, condition)| {
            format!("@id(\"{more}{id}\")\n@doc(\"The policy {id}.\")\n{effect} (principal, action == App::Action::\"read\", resource)\nwhen {{ {condition} }};\n\n")
        });
        policies.collect()
    };
    let workspace = Tarbac::with(&[
        ("schema/app.cedarschema", schema),
        ("policies/read.cedar", &text("permit", "")),
        ("tests/specs/none.cedar", &text("forbid", "no.")),
    ]);
    let ran = prove(&workspace, &solver, &["--save-counterexamples", "found"]);
    assert_eq!(ran.status, 1, "{ran}");
    insta::assert_snapshot!(ran);
    let tested = workspace.run(&["test", "found"]);
    assert!(
        tested.stdout.contains("failed: 4 of 4 cases failed"),
        "{tested}"
    );
    // What somebody else wrote is left alone.
    workspace.write("found/no.named.yaml", "suite: mine\n");
    let ran = prove(&workspace, &solver, &["--save-counterexamples", "found"]);
    assert!(ran.stderr.contains("no.named: not saved"), "{ran}");
    assert_eq!(workspace.read("found/no.named.yaml"), "suite: mine\n");
}

#[test]
fn reports_have_specs_and_findings() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[holds(), does_not_hold()]);
    let ran = prove(
        &workspace,
        &solver,
        &[
            "--report",
            "junit=junit.xml",
            "--report",
            "sarif=prove.sarif",
            "--report",
            "markdown=prove.md",
            "--report",
            "tap=prove.tap",
        ],
    );
    assert_eq!(ran.status, 1, "{ran}");
    let suites = junit_parser::from_reader(workspace.read("junit.xml").as_bytes()).unwrap();
    assert_eq!((suites.tests, suites.failures), (2, 1));
    let sarif: Value = serde_json::from_str(&workspace.read("prove.sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "prove::refuted");
    assert!(workspace.read("prove.md").contains("no-cloud-only"));
    assert!(workspace.read("prove.tap").contains("not ok 2"));
    let ran = prove(&workspace, &solver, &["--report", "lcov=-"]);
    assert_eq!(ran.status, 2, "{ran}");
}
