//! Snapshots: kept beside a suite, compared, taken, reviewed.

use serde_json::Value;

use crate::tarbac::{Tarbac, command};
use crate::world::{device, entities, user};

const SPEC: &str =
    "suite: Everybody\nsnapshot: { principals: all, actions: all, resources: all }\n";

/// A custom role that bob would have.
const MORE: &str = r#"
@id("custom.more")
@doc("Everybody runs scripts.")
permit (principal, action == Intune::Action::"runScript", resource);
"#;

fn workspace() -> Tarbac {
    Tarbac::with_tenant(&[("tests/everybody.yaml", SPEC)])
}

fn taken() -> Tarbac {
    let workspace = workspace();
    assert_eq!(workspace.run(&["test", "--accept"]).status, 0);
    workspace
}

#[test]
fn one_that_is_not_there_is_left_to_look_at() {
    let workspace = workspace();
    let ran = workspace.run(&["test"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(workspace.path("tests/everybody.snap.new").exists());
    assert!(!workspace.path("tests/everybody.snap").exists());
    assert_eq!(workspace.run(&["test", "--accept"]).status, 0);
    assert!(!workspace.path("tests/everybody.snap.new").exists());
    assert_eq!(workspace.run(&["test"]).status, 0);
}

/// A context that the schema refuses is no empty one.
#[test]
fn one_with_a_wrong_context_is_not_taken() {
    for context in ["{ now: garbage }", "{ nwo: 1 }"] {
        let suite = format!("context: {context}\n{SPEC}");
        let workspace = Tarbac::with_tenant(&[("tests/everybody.yaml", &suite)]);
        let ran = workspace.run(&["test", "--accept"]);
        assert_eq!(ran.status, 2, "{ran}");
        assert_eq!(ran.stderr.matches("suite::context").count(), 1, "{ran}");
        assert!(!workspace.path("tests/everybody.snap").exists());
    }
}

#[test]
fn it_is_made_to_be_read() {
    let workspace = taken();
    insta::assert_snapshot!(workspace.read("tests/everybody.snap"));
}

#[test]
fn what_is_newly_allowed_comes_first() {
    let workspace = taken();
    let forbid = r#"
@id("custom.none")
@doc("Nobody sees Timeline.")
@message("none")
@advice("none")
forbid (principal, action == Intune::Action::"viewTimeline", resource);
"#;
    workspace.write("policies/custom/more.cedar", MORE);
    workspace.write("policies/custom/none.cedar", forbid);
    let ran = workspace.run(&["test"]);
    assert_eq!(ran.status, 1, "{ran}");
    insta::assert_snapshot!(ran.stdout);
    let new = workspace.read("tests/everybody.snap.new");
    assert!(new.contains("custom.more"), "{new}");
    // What is no longer so is no longer left.
    std::fs::remove_dir_all(workspace.path("policies")).unwrap();
    assert_eq!(workspace.run(&["test"]).status, 0);
    assert!(!workspace.path("tests/everybody.snap.new").exists());
}

#[test]
fn under_ci_nothing_is_written() {
    let workspace = workspace();
    let run = |arguments: &[&str]| {
        command(&workspace.path(""))
            .args(arguments)
            .env("CI", "true")
            .output()
            .unwrap()
    };
    assert_eq!(run(&["test"]).status.code(), Some(1));
    assert_eq!(run(&["test", "--accept"]).status.code(), Some(2));
    assert_eq!(run(&["review"]).status.code(), Some(2));
    assert!(!workspace.path("tests/everybody.snap.new").exists());
    assert!(!workspace.path("tests/everybody.snap").exists());
}

/// A part of a snapshot, what stands there in its place, and what is said of it.
const DAMAGED: [(&str, &str, &str); 9] = [
    (
        "",
        "",
        "line 1 is not that of a snapshot: it names no readings",
    ),
    (
        "readings in force",
        "in force",
        "line 1 is not that of a snapshot",
    ),
    (
        "\nPC-1",
        "\n<<<<<<< ours\nPC-1",
        "line 3 is a conflict marker of a merge",
    ),
    (
        "\nbob",
        "\n=======\nbob",
        "line 11 is a conflict marker of a merge",
    ),
    (
        "\nbob",
        "\n>>>>>>> 1f2e3d4\nbob",
        "line 11 is a conflict marker of a merge",
    ),
    (
        "\nPC-1  ",
        "\nPC-1 ",
        "line 3 is not that of a snapshot: it names no resource",
    ),
    (
        "✗ –           ✗ –",
        "✗ –",
        "line 11 is not that of a snapshot: it has too few cells",
    ),
    (
        "✗ –           ✗ –",
        "? –           ✗ –",
        "line 11 is not that of a snapshot: a cell has no mark",
    ),
    (
        "  rhdo  roles.help-desk-operator  A Help Desk Operator sees every page of a tenant-attached device and takes every action on it.\n",
        "",
        "line 10 is not that of a snapshot: a cell has a key",
    ),
];

/// What is wrong with a snapshot is said with its line; that it be taken anew is not what to do first.
#[test]
fn a_file_that_is_no_snapshot_is_said_to_be_none() {
    for (part, wrong, said) in DAMAGED {
        let workspace = taken();
        let text = workspace.read("tests/everybody.snap");
        let text = match part.is_empty() {
            true => "something else\n".to_owned(),
            false => text.replacen(part, wrong, 1),
        };
        workspace.write("tests/everybody.snap", &text);
        let ran = workspace.run(&["test", "--report", "tap=report.tap"]);
        assert_eq!(ran.status, 1, "{ran}");
        assert!(ran.stdout.contains(said), "{said}: {ran}");
        assert!(ran.stdout.contains("`git checkout`"), "{ran}");
        let report = workspace.read("report.tap");
        assert!(!(ran.stdout + &report).contains("--accept"), "{report}");
        assert!(report.contains("`git checkout`"), "{report}");
        let json = workspace.run(&["test", "--format", "json"]).stdout;
        assert!(json.contains(said), "{json}");
        // Whoever takes it all the same is told.
        let ran = workspace.run(&["test", "--accept"]);
        assert!(ran.stdout.contains(said), "{ran}");
    }
}

/// A device goes by its name, in the list as in the table; by its id as well where two have one.
#[test]
fn devices_are_called_alike_in_table_and_list() {
    let workspace = taken();
    workspace.write("policies/custom/more.cedar", MORE);
    let ran = workspace.run(&["test"]);
    let listed = "newly allowed: bob@t.example, Run script, PC-1: ";
    assert!(ran.stdout.contains(listed), "{ran}");
    workspace.write("entities/twin.json", entities(&[device("d2", "PC-1", "H")]));
    let ran = workspace.run(&["test"]);
    for device in ["d1", "d2"] {
        let listed = format!("bob@t.example, Run script, PC-1 ConfigMgr::Device::\"{device}\": ");
        assert!(ran.stdout.contains(&listed), "{ran}");
    }
}

#[test]
fn review_goes_through_the_decisions_with_their_explanations() {
    let workspace = taken();
    workspace.write("policies/custom/more.cedar", MORE);
    let before = workspace.read("tests/everybody.snap");
    // Two cells: ana's has another policy now, bob's is newly allowed.
    let ran = workspace.run_with(&["review"], b"t\nl\n");
    assert_eq!(ran.status, 1, "{ran}");
    assert_eq!(workspace.read("tests/everybody.snap"), before);
    assert!(
        ran.stdout.contains("1 of 2: newly allowed: bob@t.example"),
        "{ran}"
    );
    assert!(ran.stdout.contains("Why it is allowed"), "{ran}");
    assert_eq!(workspace.run_with(&["review"], b"q\n").status, 1);
    assert_eq!(workspace.run_with(&["review"], b"").status, 1);
    let ran = workspace.run_with(&["review"], b"nonsense\nt\nt\n");
    assert_eq!(ran.status, 0, "{ran}");
    assert!(
        workspace
            .read("tests/everybody.snap")
            .contains("custom.more")
    );
    assert_eq!(workspace.run(&["test"]).status, 0);
}

#[test]
fn one_of_each_class_is_enough() {
    let classes = SPEC.replace("principals: all", "principals: classes");
    let workspace = Tarbac::with_tenant(&[("tests/classes.yaml", &classes)]);
    // The same as bob, but for what no policy looks at.
    workspace.write(
        "entities/twin.json",
        entities(&[user("u3", "carl@t.example", &[])]),
    );
    workspace.run(&["test", "--accept"]);
    let text = workspace.read("tests/classes.snap");
    assert!(text.contains("ana@t.example"), "{text}");
    assert!(text.contains("bob@t.example"), "{text}");
    assert!(!text.contains("carl@t.example"), "{text}");
}

#[test]
fn two_people_of_one_name_are_told_apart() {
    let workspace = workspace();
    let with = |twin: Value| workspace.write("entities/twin.json", entities(&[twin]));
    with(user("u3", "bob@t.example", &[]));
    assert_eq!(workspace.run(&["test", "--accept"]).status, 0);
    let assigned = [("Intune::RoleAssignment", "a1")];
    with(user("u3", "bob@t.example", &assigned));
    let ran = workspace.run(&["test"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(
        ran.stdout
            .contains("newly allowed: bob@t.example Entra::User::\"u3\""),
        "{ran}"
    );
}

#[test]
fn two_suites_do_not_share_a_snapshot() {
    let workspace = workspace();
    workspace.write("tests/everybody.yml", SPEC);
    let ran = workspace.run(&["test", "--accept"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(!workspace.path("tests/everybody.snap").exists());
}

#[test]
fn what_cannot_be_left_hides_no_result() {
    let workspace = workspace();
    std::fs::create_dir(workspace.path("tests/everybody.snap.new")).unwrap();
    let ran = workspace.run(&["test", "--report", "tap=report.tap"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stdout.contains("DIFFERS"), "{ran}");
    assert!(workspace.read("report.tap").contains("not ok"), "{ran}");
}

/// What differs is shown where nothing can be left beside the file, as in a checkout that is read-only.
#[test]
fn what_differs_is_shown_where_nothing_can_be_written() {
    let workspace = taken();
    workspace.write("policies/custom/more.cedar", MORE);
    workspace.write("tests/everybody.snap.new/x", "");
    let ran = workspace.run(&["test"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stdout.contains("DIFFERS  Everybody"), "{ran}");
    assert!(
        ran.stderr
            .contains("everybody.snap.new` beside the snapshot: is a directory"),
        "{ran}"
    );
    assert!(ran.stderr.contains("what differs is shown above"), "{ran}");
}

#[test]
fn review_says_what_its_keys_do() {
    let workspace = taken();
    workspace.write("policies/custom/more.cedar", MORE);
    let ran = workspace.run_with(&["review"], b"?\ny\nq\n");
    assert!(
        ran.stdout
            .contains("t  take it: the new decision is right\n"),
        "{ran}"
    );
    assert!(
        ran.stdout.contains("t, l, r or q; ? says what each does\n"),
        "{ran}"
    );
    assert_eq!(ran.stdout.matches("this decision:").count(), 3, "{ran}");
}
