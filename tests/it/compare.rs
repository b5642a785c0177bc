//! `tarbac prove --compare`: what a change of policies opens and closes.

use serde_json::Value;

use crate::solver::{prove, solver_or_return};
use crate::tarbac::{Tarbac, command};

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
fn a_comparison_with_a_revision() {
    let solver = solver_or_return!();
    let workspace = two();
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git")
            .current_dir(workspace.path(""))
            .args(["-c", "user.name=n", "-c", "user.email=e@example"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "one"]);
    // The program finds git on the PATH, which tests do not pass on by themselves.
    let run = |arguments: &[&str]| {
        let output = command(&workspace.path(""))
            .env("PATH", std::env::var_os("PATH").unwrap())
            .args(["prove", "--solver"])
            .arg(&solver)
            .args(arguments)
            .output()
            .unwrap();
        let text =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code().unwrap(), text)
    };
    let (status, text) = run(&["--compare", "HEAD"]);
    assert_eq!(status, 0, "{text}");
    workspace.write("policies/custom/readers.cedar", READERS);
    let (status, text) = run(&["--compare", "HEAD"]);
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("less permissive  View scripts"), "{text}");
    assert!(
        text.contains("allowed by custom.readers (HEAD:policies/custom/readers.cedar:1)"),
        "{text}"
    );
    // A workspace in a folder of the repository.
    workspace.write(
        "old/policies/custom/readers.cedar",
        READERS.replace("Timeline", "Scripts"),
    );
    let (status, text) = run(&["-C", "old", "--compare", "HEAD"]);
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("more permissive  View scripts"), "{text}");
    // A workspace that had nothing of its own had what ships, and that is said.
    workspace.write("bare/entities/none.json", "[]");
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "bare"]);
    workspace.write("bare/policies/custom/readers.cedar", READERS);
    let (status, text) = run(&["-C", "bare", "--compare", "HEAD"]);
    assert_eq!(status, 1, "{text}");
    assert!(
        text.contains("HEAD has no policies of its own here"),
        "{text}"
    );
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(
            "readers.cedar",
            workspace.path("policies/custom/link.cedar"),
        )
        .unwrap();
        git(&["add", "."]);
        git(&["commit", "--quiet", "-m", "two"]);
        std::fs::remove_file(workspace.path("policies/custom/link.cedar")).unwrap();
        let (status, text) = run(&["--compare", "HEAD"]);
        assert_eq!(status, 2, "{text}");
        assert!(
            text.contains("`policies/custom/link.cedar` is a symbolic link or a submodule"),
            "{text}"
        );
    }
    let (status, text) = run(&["--compare", "nothing"]);
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("cannot read `nothing`"), "{text}");
    let (status, text) = run(&["--compare=--help"]);
    assert_eq!(status, 2, "{text}");
    // The options of today say nothing of a revision, and neither does a folder that it had not.
    let (status, text) = run(&["--policies", "policies", "--compare", "HEAD"]);
    assert_eq!(status, 2, "{text}");
    assert!(
        text.contains("--policies and --schema name others"),
        "{text}"
    );
    workspace.write("new/policies/custom/readers.cedar", READERS);
    let (status, text) = run(&["-C", "new", "--compare", "HEAD"]);
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("it has nothing in this folder"), "{text}");
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
    let schema = |groups: &str, colors: &str| {
        format!(
            "@doc(\"A.\")\nnamespace App {{\n  @doc(\"A color.\")\n  entity Color enum [{colors}];\n  @doc(\"A document.\")\n  entity Doc;\n  @doc(\"All of writing.\")\n  action write;\n  @doc(\"Erases it.\")\n  action erase in [{groups}] appliesTo {{ principal: Color, resource: Doc, context: {{}} }};\n  @doc(\"Nothing.\")\n  action idle;\n}}\n"
        )
    };
    let policy = |action: &str| {
        format!(
            "@id(\"p\")\n@doc(\"P.\")\npermit (principal, action in App::Action::\"{action}\", resource);\n"
        )
    };
    let workspace = Tarbac::with(&[
        ("old/schema/app.cedarschema", &schema("idle", "\"red\"")),
        ("old/policies/p.cedar", &policy("write")),
        ("group/schema/app.cedarschema", &schema("write", "\"red\"")),
        ("group/policies/p.cedar", &policy("write")),
        (
            "color/schema/app.cedarschema",
            &schema("idle", "\"red\", \"blue\""),
        ),
        ("color/policies/p.cedar", &policy("idle")),
        (
            "oldcolor/schema/app.cedarschema",
            &schema("idle", "\"red\""),
        ),
        ("oldcolor/policies/p.cedar", &policy("idle")),
    ]);
    let compare = |folder: &str, old: &str| {
        prove(
            &workspace,
            &solver,
            &["-C", folder, "--compare", old, "--allow-less"],
        )
    };
    let ran = compare("group", "old");
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stdout.contains("is in other groups than before"),
        "{ran}"
    );
    let ran = compare("color", "oldcolor");
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stdout
            .contains("there are more entities of the type App::Color"),
        "{ran}"
    );
    let ran = compare("oldcolor", "color");
    assert_eq!(ran.status, 0, "{ran}");
    assert!(
        ran.stdout.contains("gone  the entity App::Color::\"blue\""),
        "{ran}"
    );
    // A workspace with entities alone has the policies that ship, and not those of its tests.
    workspace.write("bare/entities/none.json", "[]");
    workspace.write("bare/tests/specs/x.cedar", policy("idle"));
    workspace.write("bare2/entities/none.json", "[]");
    let ran = compare("bare2", "bare");
    assert_eq!(ran.status, 0, "{ran}");
    assert!(
        ran.stdout
            .contains("passed: 34 request environments decided as by bare"),
        "{ran}"
    );
}

/// A checkout of continuous integration has the last commit only.
#[test]
fn a_shallow_clone_says_how_to_have_the_history() {
    let origin = Tarbac::with_tenant(&[]);
    let git = |folder: &std::path::Path, arguments: &[&str]| {
        let output = std::process::Command::new("git")
            .current_dir(folder)
            .args(["-c", "user.name=T", "-c", "user.email=t@t.example"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    let root = origin.path("");
    git(&root, &["init", "--quiet", "--initial-branch=main"]);
    for message in ["one", "two"] {
        origin.write("policies/custom/a.cedar", format!("// {message}\n"));
        git(&root, &["add", "."]);
        git(&root, &["commit", "--quiet", "--message", message]);
    }
    let clone = Tarbac::with(&[]);
    let from = format!("file://{}", root.display());
    git(
        &clone.path(""),
        &["clone", "--quiet", "--depth", "1", &from, "clone"],
    );
    for command in [&["diff", "HEAD~1"][..], &["prove", "--compare", "HEAD~1"]] {
        let ran = clone.run(&[&["-C", "clone"][..], command].concat());
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains("--unshallow"), "{ran}");
        assert!(ran.stderr.contains("fetch-depth: 0"), "{ran}");
    }
}
