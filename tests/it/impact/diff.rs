//! `tarbac diff`: two workspaces, policies or revisions of git.

use serde_json::{Value, json};

use super::{changed, json_of};
use crate::tarbac::{Tarbac, contoso, sample};
use crate::world::{entities, user};

/// The sample tenant, and a folder of policies by which everybody sees Timeline and nobody has anything else.
fn with_proposal() -> Tarbac {
    let workspace = sample();
    workspace.write(
        "proposal/more.cedar",
        "@id(\"custom.more\")\n@doc(\"Everybody sees Timeline.\")\npermit (\n  principal,\n  action == Intune::Action::\"viewTimeline\",\n  resource\n);\n",
    );
    workspace.write("proposal/tarbac.yaml", "replaces: shipped\n");
    workspace.write(
        "proposal/authority.cedar",
        "@id(\"authority\")\n@doc(\"Intune.\")\n@authority(\"intune\")\npermit (principal, action == Tarbac::Action::\"authority\", resource);\n",
    );
    workspace
}

fn is_refused(workspace: &Tarbac, name: &str, said: &str) {
    let ran = workspace.run(&["diff", name]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains(said), "{ran}");
}

#[test]
fn a_state_is_no_different_from_itself() {
    let ran = contoso(&["diff", "."]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.starts_with("Nothing changes"), "{ran}");
}

#[test]
fn policies_alone_are_joined_with_the_entities_of_the_workspace() {
    let ran = with_proposal().run(&["diff", ".", "proposal"]);
    assert_eq!(ran.status, 1, "{ran}");
    // Only this policy is there: everything else is lost.
    assert!(ran.stdout.contains("now permitted by custom.more"), "{ran}");
    assert!(
        ran.stdout.contains("now refused: no policy permits it"),
        "{ran}"
    );
}

/// Not who loses everything.
#[test]
fn who_gains_most_comes_first() {
    let ran = with_proposal().run(&["diff", ".", "proposal", "--format", "json"]);
    let gained = changed(&json_of(&ran), "gained");
    assert!(gained.is_sorted_by(|one, other| one >= other), "{gained:?}");
    assert_ne!(gained.first(), gained.last());
}

#[test]
fn back_again_what_was_gained_is_lost() {
    let workspace = with_proposal();
    let there = json_of(&workspace.run(&["diff", ".", "proposal", "--format", "json"]));
    let back = json_of(&workspace.run(&["diff", "proposal", ".", "--format", "json"]));
    assert_eq!(there["totals"]["gained"], back["totals"]["lost"]);
    assert_eq!(there["totals"]["lost"], back["totals"]["gained"]);
}

#[test]
fn a_reading_holds_for_both_states_and_the_report_says_so() {
    let switch = ["--no-reading", "any-intune-role"];
    let ran = contoso(&[&["diff", ".", ".", "--format", "json"], &switch[..]].concat());
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        document["asked"]["changes"],
        json!(["diff . .", "--no-reading any-intune-role"])
    );
    assert_eq!(document["totals"]["gained"], 0);
    // The readings that there are help whoever mistypes one.
    let ran = contoso(&["what-if", "--reading", "any-role"]);
    let readings = "the readings are: any-intune-role";
    assert!(ran.stderr.contains(readings), "{ran}");
}

#[test]
fn what_holds_no_policies_is_no_state_in_which_nobody_may_anything() {
    let workspace = sample();
    is_refused(&workspace, "nowhere", "nowhere");
    std::fs::create_dir(workspace.path("empty")).unwrap();
    for folder in ["empty", "entities"] {
        is_refused(&workspace, folder, "it is a folder without policies");
    }
    let ran = Tarbac::with(&[]).run(&["diff", "."]);
    assert!(ran.stderr.contains("cannot read `.`"), "{ran}");
}

#[test]
fn what_neither_of_two_states_looks_at_is_not_passed_over_in_silence() {
    let ran = contoso(&["diff", ".", ".", "--entities", "elsewhere"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran}");
}

/// A folder with nothing outside of `custom/` adds to the rules that ship, whoever names it.
#[test]
fn a_proposal_adds_to_the_rules_that_ship() {
    let workspace = sample();
    for same in [
        ["what-if", "--policies", "policies"].as_slice(),
        &["diff", "policies"],
    ] {
        let ran = workspace.run(same);
        assert_eq!(ran.status, 0, "{ran}");
        assert!(ran.stdout.contains("Nothing changes"), "{ran}");
    }
    // It has all its rules itself only where it says so, and where there are none nothing is allowed.
    workspace.write("proposal/mine.cedar", "");
    workspace.write("proposal/custom/mine.cedar", "");
    std::fs::create_dir(workspace.path("empty")).unwrap();
    let allowed_after = |other: &str| {
        let ran = workspace.run(&["what-if", "--policies", other, "--format", "json"]);
        json_of(&ran)["totals"]["allowed_after"].clone()
    };
    assert_ne!(allowed_after("empty"), 0);
    assert_eq!(allowed_after("proposal"), allowed_after("empty"));
    workspace.write("proposal/tarbac.yaml", "replaces: shipped\n");
    assert_eq!(allowed_after("proposal"), 0);
}

#[test]
fn what_is_called_the_same_has_its_id() {
    let workspace = sample();
    let file = "entities/devices.json";
    let devices = workspace.read(file);
    workspace.write(file, devices.replace("\"WS-MUC-003\"", "\"WS-BER-014\""));
    let device = "ConfigMgr::Device::\"P01-16777222\"";
    let left = format!("{device} in ConfigMgr::Collection::\"P0100014\"=false");
    let moved = format!("{device}.hierarchy=TST");
    let ran = workspace.run(&["what-if", "--set", &left, "--set", &moved]);
    assert!(
        ran.stdout.contains("on 1 device (WS-BER-014 P01-16777222)"),
        "{ran}"
    );
    for command in [
        ["what", "tess@contoso.example"].as_slice(),
        &["access", "--all"],
    ] {
        for format in ["human", "csv"] {
            let ran = workspace.run(&[command, &["--format", format]].concat());
            let mut called = ran.stdout.split("WS-BER-014").skip(1).peekable();
            assert!(called.peek().is_some(), "{ran}");
            assert!(
                called.all(|after| after.starts_with(" P01-167772")),
                "{ran}"
            );
        }
    }
}

#[test]
fn somebody_with_an_equals_sign_is_granted_a_role() {
    let workspace = Tarbac::with_tenant(&[]);
    workspace.write(
        "entities/more.json",
        entities(&[user("u=3", "u=3@t.example", &[])]),
    );
    for who in ["Entra::User::\"u=3\"", "u=3@t.example"] {
        let ran = workspace.run(&["what-if", "--grant", &format!("{who}=Help Desk Operator")]);
        assert_eq!(ran.status, 1, "{ran}");
        assert!(
            ran.stdout.contains("accounts that gain something: 1"),
            "{ran}"
        );
    }
}

#[test]
fn a_revision_has_its_own_entities() {
    let workspace = sample();
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.current_dir(workspace.path(".")).args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
        ]);
        let output = command.args(arguments).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "one"]);
    assert_eq!(workspace.run(&["diff", "HEAD"]).status, 0);
    let file = "entities/hierarchies.json";
    let text = workspace.read(file).replace(
        "\"enforceConfigMgrRbac\": true",
        "\"enforceConfigMgrRbac\": false",
    );
    workspace.write(file, text);
    let ran = workspace.run(&["diff", "HEAD", "--format", "json"]);
    assert!(json_of(&ran)["totals"]["gained"].as_u64().unwrap() > 0);
    // A part of a revision is none, and a name of two things is neither.
    is_refused(&workspace, "HEAD:policies", "it is a part of a revision");
    git(&["branch", "proposal"]);
    workspace.write("proposal/none.cedar", "");
    is_refused(
        &workspace,
        "proposal",
        "a revision of git has the same name",
    );
    assert_eq!(workspace.run(&["diff", "./proposal"]).status, 1);
    assert_eq!(workspace.run(&["diff", "refs/heads/proposal"]).status, 1);
}
