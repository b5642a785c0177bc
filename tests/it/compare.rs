//! `tarbac prove --compare`: what a change of policies opens and closes.

mod revision;

use std::path::Path;

use serde_json::Value;

use crate::solver::{prove, solver_or_return};
use crate::tarbac::{Ran, Tarbac};

const READERS: &str = "@id(\"custom.readers\")\n@doc(\"Readers see Timeline.\")\npermit (\n  principal in Intune::Role::\"reader\",\n  action == Intune::Action::\"viewTimeline\",\n  resource\n);\n";

/// A workspace whose readers see Scripts as well, beside the old one.
fn two() -> Tarbac {
    let new = READERS.replace(
        "action == Intune::Action::\"viewTimeline\"",
        "action in [Intune::Action::\"viewTimeline\", Intune::Action::\"viewScripts\"]",
    );
    Tarbac::with(&[
        ("policies/custom/readers.cedar", &new),
        ("old/policies/custom/readers.cedar", READERS),
    ])
}

#[test]
fn a_comparison_says_what_a_change_opens() {
    let solver = solver_or_return!();
    let workspace = two();
    let compare = |arguments: &[&str]| prove(&workspace, &solver, arguments);
    insta::assert_snapshot!(compare(&["--compare", "old"]));
    assert_eq!(compare(&["--compare", "old", "--allow-more"]).status, 0);
    assert_eq!(compare(&["--compare", "old", "--allow-less"]).status, 1);
    // The other way round, less is allowed.
    let back =
        |arguments: &[&str]| prove(&workspace, &solver, &[&["-C", "old"], arguments].concat());
    let ran = back(&["--compare", "."]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(
        ran.stdout.contains("less permissive  View scripts\n"),
        "{ran}"
    );
    assert_eq!(back(&["--compare", ".", "--allow-less"]).status, 0);
    let ran = compare(&["--compare", "old", "--format", "json"]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let environments = document["environments"].as_array().unwrap();
    assert_eq!(environments.len(), 34);
    let changes: Vec<&Value> = environments
        .iter()
        .filter(|environment| environment["change"] != "equivalent")
        .collect();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0]["change"], "more_permissive");
    assert_eq!(
        changes[0]["gained"]["decided"]["because"][0],
        "custom.readers"
    );
    let ran = compare(&["--compare", "old", "--report", "junit=junit.xml"]);
    assert_eq!(ran.status, 1);
    let suites = junit_parser::from_reader(workspace.read("junit.xml").as_bytes()).unwrap();
    assert_eq!((suites.tests, suites.failures), (34, 1));
}

#[test]
fn a_comparison_of_policies_that_do_not_fit() {
    let solver = solver_or_return!();
    let workspace = two();
    let more = |what: &str| format!("namespace Intune {{\n{what}\n}}\n");
    workspace.write(
        "old/schema/custom/more.cedarschema",
        more("  @doc(\"Wipes a device.\")\n  action wipe in [remoteTasks] appliesTo { principal: Entra::User, resource: ConfigMgr::Device, context: RequestContext };"),
    );
    let ran = prove(&workspace, &solver, &["--compare", "old", "--allow-more"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(
        ran.stdout
            .contains("gone  the permission Intune::Action::\"wipe\""),
        "{ran}"
    );
    let arguments = ["--compare", "old", "--allow-more", "--allow-less"];
    assert_eq!(prove(&workspace, &solver, &arguments).status, 0);
    // A policy that only the old schema fits.
    workspace.write(
        "old/policies/custom/wipe.cedar",
        "@id(\"custom.wipe\")\n@doc(\"Wipes.\")\npermit (principal, action == Intune::Action::\"wipe\", resource);\n",
    );
    let ran = prove(&workspace, &solver, &arguments);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains("do not fit the schema of the workspace"),
        "{ran}"
    );
}

// The solver.

/// A policy that fails is skipped by Cedar, and tarbac decides nothing: to take it away may well open
/// something.
#[test]
fn a_comparison_with_policies_that_can_fail() {
    let solver = solver_or_return!();
    let workspace = two();
    workspace.write("policies/custom/readers.cedar", READERS);
    let compare = |folder: &str, old: &str| {
        prove(
            &workspace,
            &solver,
            &[
                "-C",
                folder,
                "--compare",
                old,
                "--allow-more",
                "--allow-less",
            ],
        )
    };
    assert_eq!(compare(".", "old").status, 0);
    workspace.write(
        "old/policies/custom/fails.cedar",
        "@id(\"custom.fails\")\n@doc(\"Fails.\")\n@message(\"No.\")\n@advice(\"None.\")\nforbid (\n  principal,\n  action == Intune::Action::\"viewTimeline\",\n  resource\n)\nwhen { resource.hierarchy.version + 9223372036854775000 > 0 && resource.hierarchy.version > 807 };\n",
    );
    for (folder, old) in [(".", "old"), ("old", ".")] {
        let ran = compare(folder, old);
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stdout.contains("not known  View timeline\n"), "{ran}");
        assert!(ran.stdout.contains("`custom.fails`"), "{ran}");
    }
}

/// The schema is part of what is compared: who may ask, and what about.
#[test]
fn a_comparison_of_schemas() {
    let solver = solver_or_return!();
    let schema = |types: &str| {
        format!(
            "@doc(\"A.\")\nnamespace App {{\n  @doc(\"Somebody.\")\n  entity User;\n  @doc(\"Something.\")\n  entity Bot;\n  @doc(\"A document.\")\n  entity Doc;\n  @doc(\"Reads it.\")\n  action read appliesTo {{ principal: [{types}], resource: Doc, context: {{}} }};\n}}\n"
        )
    };
    let policy = "@id(\"read\")\n@doc(\"Everybody reads.\")\npermit (principal, action == App::Action::\"read\", resource);\n";
    let workspace = Tarbac::with(&[
        ("few/schema/app.cedarschema", &schema("User")),
        ("few/policies/read.cedar", policy),
        ("many/schema/app.cedarschema", &schema("User, Bot")),
        ("many/policies/read.cedar", policy),
    ]);
    let compare = |folder: &str, arguments: &[&str]| {
        prove(
            &workspace,
            &solver,
            &[&["-C", folder, "--compare"], arguments].concat(),
        )
    };
    let ran = compare("many", &["few"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(
        ran.stdout
            .contains("more permissive  read (App::Bot on App::Doc)\n"),
        "{ran}"
    );
    assert_eq!(compare("many", &["few", "--allow-more"]).status, 0);
    let ran = compare("few", &["many"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(
        ran.stdout
            .contains("gone  the permission App::Action::\"read\" of App::Bot on App::Doc"),
        "{ran}"
    );
    assert_eq!(compare("few", &["many", "--allow-less"]).status, 0);
}

/// What is said of decisions is compared as well, and grants nothing.
#[test]
fn a_comparison_of_what_is_said() {
    let solver = solver_or_return!();
    let workspace = two();
    workspace.write("policies/custom/readers.cedar", READERS);
    workspace.write(
        "policies/custom/finding.cedar",
        "@id(\"custom.finding\")\n@doc(\"Use Intune RBAC is found to be On.\")\n@code(\"custom.on\")\n@message(\"Use Intune RBAC is On.\")\n@severity(\"warning\")\npermit (principal, action == Tarbac::Action::\"finding\", resource is Intune::Tenant)\nwhen { resource.useIntuneRbac };\n",
    );
    let ran = prove(&workspace, &solver, &["--compare", "old"]);
    assert_eq!(ran.status, 0, "{ran}");
    insta::assert_snapshot!(ran);
    // A reading that is no longer there cannot be asked for.
    workspace.write(
        "old/policies/custom/reading.cedar",
        READERS.replace("custom.readers", "custom.more").replace(
            "@doc",
            "@reading(\"more\")\n@holds(\"on\")\n@default(\"off\")\n@doc",
        ),
    );
    let ran = prove(&workspace, &solver, &["--compare", "old"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(
        ran.stdout
            .contains("gone  the reading more, which only old has"),
        "{ran}"
    );
}

/// Earlier policies are not decided as they were where the schema has moved an action to another group,
/// or has more entities of an enumerated type.
#[test]
fn a_comparison_of_schemas_in_which_words_mean_something_else() {
    let solver = solver_or_return!();
    let (red, both) = ("\"red\"", "\"red\", \"blue\"");
    let workspace = Tarbac::with(&[
        ("old/schema/app.cedarschema", &colors("idle", red)),
        ("old/policies/p.cedar", &whoever_may("write")),
        ("group/schema/app.cedarschema", &colors("write", red)),
        ("group/policies/p.cedar", &whoever_may("write")),
        ("color/schema/app.cedarschema", &colors("idle", both)),
        ("color/policies/p.cedar", &whoever_may("idle")),
        ("oldcolor/schema/app.cedarschema", &colors("idle", red)),
        ("oldcolor/policies/p.cedar", &whoever_may("idle")),
    ]);
    for (folder, old, status, says) in [
        ("group", "old", 2, "is in other groups than before"),
        (
            "color",
            "oldcolor",
            2,
            "there are more entities of the type App::Color",
        ),
        (
            "oldcolor",
            "color",
            0,
            "gone  the entity App::Color::\"blue\"",
        ),
    ] {
        let ran = allowing_less(&workspace, &solver, folder, old);
        assert_eq!(ran.status, status, "{ran}");
        assert!(ran.stdout.contains(says), "{ran}");
    }
}

/// A schema in which to erase is in some groups, and some colors may.
fn colors(groups: &str, colors: &str) -> String {
    format!(
        "@doc(\"A.\")\nnamespace App {{\n  @doc(\"A color.\")\n  entity Color enum [{colors}];\n  @doc(\"A document.\")\n  entity Doc;\n  @doc(\"All of writing.\")\n  action write;\n  @doc(\"Erases it.\")\n  action erase in [{groups}] appliesTo {{ principal: Color, resource: Doc, context: {{}} }};\n  @doc(\"Nothing.\")\n  action idle;\n}}\n"
    )
}

fn whoever_may(action: &str) -> String {
    format!(
        "@id(\"p\")\n@doc(\"P.\")\npermit (principal, action in App::Action::\"{action}\", resource);\n"
    )
}

fn allowing_less(workspace: &Tarbac, solver: &Path, folder: &str, old: &str) -> Ran {
    let arguments = ["-C", folder, "--compare", old, "--allow-less"];
    prove(workspace, solver, &arguments)
}

/// A workspace with entities alone has the policies that ship, and not those of its tests.
#[test]
fn a_workspace_with_entities_alone_is_compared_by_the_policies_that_ship() {
    let solver = solver_or_return!();
    let workspace = Tarbac::with(&[
        ("bare/entities/none.json", "[]"),
        ("bare/tests/specs/x.cedar", &whoever_may("idle")),
        ("bare2/entities/none.json", "[]"),
    ]);
    let ran = allowing_less(&workspace, &solver, "bare2", "bare");
    assert_eq!(ran.status, 0, "{ran}");
    let says = "passed: 34 request environments decided as by bare";
    assert!(ran.stdout.contains(says), "{ran}");
}
