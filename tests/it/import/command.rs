//! `tarbac import` as a command: what it writes where, and what it leaves alone.

mod how;

use serde_json::Value;
use tarbac::exports::ExportsInMemory;

use super::{copied, files, import_held, run_import};
use crate::tarbac::Tarbac;

/// A tenant with a group that has the role Help Desk Operator, as the least that says something.
fn least() -> Tarbac {
    copied("tests/exports/fabrikam")
}

#[test]
fn an_import_that_is_refused_leaves_what_was_there() {
    let tarbac = least();
    assert_eq!(run_import(&tarbac, &[]).status, 0);
    let before = files(&tarbac.path("workspace"));
    tarbac.write("exports/graph/users.json", "[{]");
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("exports/graph/users.json:1:3"), "{ran}");
    assert!(files(&tarbac.path("workspace")) == before);
    let ran = tarbac.run(&["import", "exports", "--out", "another/one"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(!tarbac.path("another").exists());
}

#[test]
fn what_is_no_workspace_is_never_written_into() {
    let tarbac = least();
    tarbac.write("workspace/notes.txt", "mine");
    for more in [&[][..], &["--force"]] {
        let ran = run_import(&tarbac, more);
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains("is not a workspace"), "{ran}");
    }
    assert_eq!(files(&tarbac.path("workspace")).len(), 1);
    tarbac.write("file", "mine");
    let ran = tarbac.run(&["import", "exports", "--out", "file", "--force"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("`file` is not a folder"), "{ran}");
}

#[test]
fn a_repository_is_filled_and_nothing_of_it_is_overwritten() {
    let tarbac = least();
    tarbac.write("workspace/.git/HEAD", "ref: refs/heads/main");
    for mine in [
        "README.md",
        ".gitignore",
        ".github/workflows/tarbac.yml",
        "tests/mine.yaml",
    ] {
        tarbac.write(&format!("workspace/{mine}"), "mine");
    }
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 0, "{ran}");
    let files = files(&tarbac.path("workspace"));
    let mine = files.iter().filter(|(_, bytes)| *bytes == b"mine");
    assert_eq!(mine.count(), 4);
    assert!(!files.contains_key("tests/everybody.yaml"));
}

/// GitHub reads workflows in the root of a repository only.
#[test]
fn what_is_left_to_do_about_the_workflow_is_told_once() {
    let filled_in = "fill in TARBAC_REPOSITORY at its top";
    let moved = "GitHub reads it in the root of a repository only, which workspace is not";
    for (git, is_moved) in [("", false), ("workspace/.git", false), (".git", true)] {
        let tarbac = least();
        if !git.is_empty() {
            tarbac.write(&format!("{git}/HEAD"), "ref: refs/heads/main");
        }
        let ran = run_import(&tarbac, &[]);
        assert!(ran.stdout.contains(filled_in), "{ran}");
        assert_eq!(ran.stdout.contains(moved), is_moved, "{git}: {ran}");
        let again = run_import(&tarbac, &[]);
        assert!(!again.stdout.contains(filled_in), "{again}");
    }
}

/// A list that was made JSON twice is one text.
#[test]
fn a_list_within_one_text_is_refused() {
    let tarbac = copied("tests/exports/base/intune");
    let path = "exports/graph/roleAssignments.json";
    let mut page: Value = serde_json::from_str(&tarbac.read(path)).unwrap();
    let members = page["value"][0]["members"].to_string();
    page["value"][0]["members"] = Value::String(members);
    tarbac.write(path, page.to_string());
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("made JSON twice"), "{ran}");
}

#[test]
fn an_empty_folder_is_filled_and_folders_above_are_made() {
    let tarbac = least();
    std::fs::create_dir(tarbac.path("workspace")).unwrap();
    assert_eq!(run_import(&tarbac, &[]).status, 0);
    let ran = tarbac.run(&["import", "exports", "--out", "a/b/c"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(files(&tarbac.path("a/b/c")) == files(&tarbac.path("workspace")));
    let ran = tarbac.run(&["-C", "a/b/c", "validate"]);
    assert_eq!(ran.status, 0, "{ran}");
}

#[test]
fn the_report_is_a_document_for_programs_as_well() {
    let tarbac = copied("tests/exports/contoso");
    let ran = run_import(&tarbac, &["--format", "json"]);
    assert_eq!(ran.status, 0, "{ran}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["version"], 1);
    assert_eq!(report["workspace"], "workspace");
    assert_eq!(report["counts"]["people"], 21);
    assert_eq!(report["counts"]["custom_roles"], 1);
    let notes = report["notes"].as_array().unwrap();
    let one_way = notes
        .iter()
        .find(|note| note["code"] == "import::discovered_one_way");
    let one_way = one_way.unwrap();
    assert_eq!(one_way["matter"], "notable");
    assert_eq!(one_way["count"], 2);
    assert_eq!(
        one_way["names"][0],
        "chloe@contoso.example in P01, by Microsoft Entra only"
    );
    for note in notes {
        assert_eq!(note["count"], note["names"].as_array().unwrap().len());
    }
}

#[test]
fn folders_of_one_object_are_refused_wherever_cases_are_told_apart() {
    let tenant = r#"{"name":"t","useIntuneRbac":true,"allowsUnlicensedAdministrators":true,"hierarchies":[]}"#;
    for [one, other] in [
        [
            "graph/groups/ab/members.json",
            "graph/groups/AB/members.json",
        ],
        [
            "graph/groups/ab/members.json",
            "graph/groups/{ab}/members.json",
        ],
        [
            "graph/roleDefinitions/ab/roleAssignments.json",
            "graph/roleDefinitions/Ab/roleAssignments.json",
        ],
        [
            "graph/directoryRoles/ab/members.json",
            "graph/directoryRoles/AB/members.json",
        ],
        [
            "configmgr/p01/SMS_Admin.json",
            "configmgr/P01/SMS_Admin.json",
        ],
    ] {
        let mut held = ExportsInMemory::default();
        held.put("tenant.json", tenant);
        held.put(one, "[]");
        assert!(import_held(&held).is_ok(), "{one}");
        held.put(other, "[]");
        let Err(error) = import_held(&held) else {
            panic!("{one} and {other} are taken");
        };
        assert!(error.to_string().contains("is there as well"), "{error}");
    }
}

/// One that holds in 2027 only: before, within and after, and at the two moments themselves.
#[test]
fn eligible_memberships_are_those_of_a_moment() {
    let tarbac = copied("tests/exports/contoso");
    let file = "exports/graph/roleEligibilityScheduleInstances.json";
    let text = tarbac.read(file);
    let text = text
        .replace("2026-02-02T09:00:00Z", "2027-01-01T00:00:00Z")
        .replace(
            r#""endDateTime": null"#,
            r#""endDateTime": "2028-01-01T00:00:00Z""#,
        );
    tarbac.write(file, text);
    let at = |moment: &str| {
        let ran = run_import(&tarbac, &["--now", moment]);
        assert_eq!(ran.status, 0, "{ran}");
        let is_eligible = tarbac
            .read("workspace/entities/people.json")
            .contains("eligibleDirectoryRoles");
        let told = if is_eligible {
            "samir@contoso.example: Intune Administrator, until 2028-01-01T00:00:00Z"
        } else if moment < "2027" {
            "samir@contoso.example: Intune Administrator, begins 2027-01-01T00:00:00Z"
        } else {
            "samir@contoso.example: Intune Administrator, ended 2028-01-01T00:00:00Z"
        };
        assert!(ran.stdout.contains(told), "{moment}: {ran}");
        is_eligible
    };
    assert!(!at("2026-12-31T23:59:59Z"));
    assert!(at("2027-01-01T01:00:00+01:00"));
    assert!(at("2027-12-31"));
    assert!(!at("2028-01-01T00:00:00Z"));
    let ran = run_import(&tarbac, &["--now", "tomorrow"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("it is not a timestamp"), "{ran}");
}

/// The codes of what is found of values and members that are not known, beside a forbid of this condition.
fn not_known_with(tarbac: &Tarbac, condition: &str) -> Vec<String> {
    let policy = format!(
        "@id(\"custom.x\")\n@doc(\"x\")\n@message(\"No.\")\n@advice(\"Ask.\")\nforbid (principal, action == Intune::Action::\"runScript\", resource)\n{condition};\n"
    );
    tarbac.write("workspace/policies/custom/x.cedar", policy);
    let ran = tarbac.run(&["-C", "workspace", "validate", "--format", "json"]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let findings = document["findings"].as_array().unwrap().iter();
    let codes = findings.map(|finding| finding["code"].as_str().unwrap().to_owned());
    codes
        .filter(|code| {
            ["policy::assumed_value", "policy::unknown_members"].contains(&code.as_str())
        })
        .collect()
}

/// What no export tells is recorded, and whatever depends on it is told.
#[test]
fn what_is_assumed_is_recorded_and_told() {
    let tarbac = copied("tests/exports/base/configmgr");
    let validate = not_known_with;
    let told = ["policy::assumed_value"];
    let nothing: [&str; 0] = [];
    let co_managed = "when { resource.coManaged }";
    let synchronized = "when { !principal.cloudOnly }";
    let administrators = "when { principal has configMgr && resource in principal.configMgr.read }";
    let reader = "when { principal in Entra::DirectoryRole::\"Intune Administrator\" }";
    assert_eq!(run_import(&tarbac, &[]).status, 0);
    for condition in [co_managed, synchronized, administrators, reader] {
        assert_eq!(validate(&tarbac, condition), nothing, "{condition}");
    }
    // Without the list of devices.
    std::fs::remove_file(tarbac.path("exports/devices.csv")).unwrap();
    assert_eq!(
        run_import(&tarbac, &["--force", "--drop-missing"]).status,
        0
    );
    assert_eq!(validate(&tarbac, co_managed), told);
    assert_eq!(validate(&tarbac, synchronized), nothing);
    // Without asking who is synchronized, and without the administrators.
    let users = tarbac.read("exports/graph/users.json");
    let users = users.replace("\"onPremisesSyncEnabled\"", "\"x\"");
    tarbac.write("exports/graph/users.json", users);
    std::fs::remove_file(tarbac.path("exports/configmgr/P01/SMS_Admin.json")).unwrap();
    std::fs::remove_dir_all(tarbac.path("exports/graph/directoryRoles")).unwrap();
    // A rule that would permit more by it keeps no data from being refreshed: it decides nothing about these people.
    assert_eq!(
        run_import(&tarbac, &["--force", "--drop-missing"]).status,
        0
    );
    for condition in [co_managed, synchronized, administrators] {
        assert_eq!(validate(&tarbac, condition), told, "{condition}");
    }
    assert_eq!(validate(&tarbac, reader), ["policy::unknown_members"]);
}

/// Who may activate what is not known where nobody asked for it, of one group among others too.
#[test]
fn eligible_memberships_that_nobody_asked_for_are_assumed() {
    let groups = "when { principal has eligibleGroups && !principal.eligibleGroups.isEmpty() }";
    let roles = "when { principal has eligibleDirectoryRoles }";
    let (told, nothing): ([&str; 1], [&str; 0]) = (["policy::assumed_value"], []);
    let errors = |missing: &[&str]| {
        let tarbac = copied("tests/exports/contoso");
        for path in missing {
            std::fs::remove_file(tarbac.path(&format!("exports/graph/{path}"))).unwrap();
        }
        let ran = run_import(&tarbac, &[]);
        assert_eq!(ran.status, 0, "{ran}");
        [groups, roles].map(|condition| not_known_with(&tarbac, condition))
    };
    assert_eq!(errors(&[]), [&nothing[..], &nothing]);
    let of_roles = "roleEligibilityScheduleInstances.json";
    assert_eq!(errors(&[of_roles]), [&nothing[..], &told]);
    let of_group = "groups/00000000-0000-4000-8000-0000000000c2/eligibilityScheduleInstances.json";
    let [of_groups, _] = errors(&[of_group]);
    assert_eq!(of_groups, told);
}

/// Who has a role, which servers there are and who has a directory role is not known where nobody asked for it.
#[test]
fn what_nobody_asked_for_is_told_where_a_rule_depends_on_it() {
    let servers =
        "when { resource has operatingSystem && resource.operatingSystem like \"*Server*\" }";
    let readers = "when { principal in Intune::Role::\"Read Only Operator\" }";
    let directory_role = "when { principal in Entra::DirectoryRole::\"Intune Administrator\" }";
    let nothing: [&str; 0] = [];
    let imported = |change: &dyn Fn(&Tarbac)| {
        let tarbac = copied("tests/exports/contoso");
        change(&tarbac);
        let ran = run_import(&tarbac, &[]);
        assert!(ran.status < 2, "{ran}");
        tarbac
    };
    let whole = imported(&|_| {});
    for condition in [servers, readers, directory_role] {
        assert_eq!(not_known_with(&whole, condition), nothing, "{condition}");
    }
    let without = |tarbac: &Tarbac, path: &str, property: &str| {
        let path = format!("exports/{path}");
        let text = tarbac.read(&path);
        tarbac.write(&path, text.replace(&format!("\"{property}\""), "\"x\""));
    };
    let systems = imported(&|tarbac| {
        for site in ["ANT", "OLD", "P01"] {
            let path = format!("configmgr/{site}/SMS_R_System.json");
            without(tarbac, &path, "OperatingSystemNameandVersion");
        }
    });
    assert_eq!(not_known_with(&systems, servers), ["policy::assumed_value"]);
    let licenses = imported(&|tarbac| {
        for property in ["assignedLicenses", "assignedPlans"] {
            without(tarbac, "graph/users.json", property);
        }
    });
    assert_eq!(
        not_known_with(&licenses, readers),
        ["policy::unknown_members"]
    );
    let roles = imported(&|tarbac| {
        std::fs::remove_file(tarbac.path("exports/graph/directoryRoles.json")).unwrap();
        std::fs::remove_dir_all(tarbac.path("exports/graph/directoryRoles")).unwrap();
    });
    assert_eq!(
        not_known_with(&roles, directory_role),
        ["policy::unknown_members"]
    );
}
