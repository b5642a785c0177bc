//! `tarbac diff`: two workspaces, policies or revisions of git.

use serde_json::{Value, json};

use super::{changed, json_of};
use crate::tarbac::{Tarbac, contoso, sample};
use crate::world::{entities, user};

#[test]
fn one_state_and_another() {
    let ran = contoso(&["diff", "."]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.starts_with("Nothing changes"), "{ran}");
    // Policies alone are joined with the entities of the workspace.
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
    let ran = workspace.run(&["diff", ".", "proposal"]);
    assert_eq!(ran.status, 1, "{ran}");
    // Only this policy is there: everything else is lost.
    assert!(ran.stdout.contains("now permitted by custom.more"), "{ran}");
    assert!(
        ran.stdout.contains("now refused: no policy permits it"),
        "{ran}"
    );
    // Who gains most comes first, and not who loses everything.
    let both = json_of(&workspace.run(&["diff", ".", "proposal", "--format", "json"]));
    let gained = changed(&both, "gained");
    assert!(gained.is_sorted_by(|one, other| one >= other), "{gained:?}");
    assert_ne!(gained.first(), gained.last());
    // Back again what was gained is lost.
    let there = json_of(&workspace.run(&["diff", ".", "proposal", "--format", "json"]));
    let back = json_of(&workspace.run(&["diff", "proposal", ".", "--format", "json"]));
    assert_eq!(there["totals"]["gained"], back["totals"]["lost"]);
    assert_eq!(there["totals"]["lost"], back["totals"]["gained"]);
    // A reading holds for both, and the report says so.
    let switch = ["--no-reading", "any-intune-role"];
    let ran = workspace.run(&[&["diff", ".", ".", "--format", "json"], &switch[..]].concat());
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        document["asked"]["changes"],
        json!(["diff . .", "--no-reading any-intune-role"])
    );
    assert_eq!(document["totals"]["gained"], 0);
    let refused = |name: &str, said: &str| {
        let ran = workspace.run(&["diff", name]);
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains(said), "{ran}");
    };
    refused("nowhere", "nowhere");
    // What holds no policies is no state in which nobody may anything.
    std::fs::create_dir(workspace.path("empty")).unwrap();
    refused("empty", "it is a folder without policies");
    let ran = Tarbac::with(&[]).run(&["diff", "."]);
    assert!(ran.stderr.contains("cannot read `.`"), "{ran}");
    // The readings that there are help whoever mistypes one.
    let ran = workspace.run(&["what-if", "--reading", "any-role"]);
    assert!(
        ran.stderr.contains("the readings are: any-intune-role"),
        "{ran}"
    );
    refused("entities", "it is a folder without policies");
    // What neither of the two states looks at is not passed over in silence.
    let ran = workspace.run(&["diff", ".", ".", "--entities", "elsewhere"]);
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
    let refused = |name: &str, said: &str| {
        let ran = workspace.run(&["diff", name]);
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains(said), "{ran}");
    };
    refused("HEAD:policies", "it is a part of a revision");
    git(&["branch", "proposal"]);
    workspace.write("proposal/none.cedar", "");
    refused("proposal", "a revision of git has the same name");
    assert_eq!(workspace.run(&["diff", "./proposal"]).status, 1);
    assert_eq!(workspace.run(&["diff", "refs/heads/proposal"]).status, 1);
}
