//! Which rules are in force: those that ship, unless a manifest says otherwise, wherever files lie.

mod authority;
mod departures;
mod revision;

use std::path::Path;
use std::process::Command;

use crate::tarbac::{Ran, Tarbac, contoso_folder, copy, sample};

const MANIFEST: &str = "replaces: shipped\n";

/// Somebody of one tenant with a role of its own, and a device of another tenant.
const ACROSS: [&str; 3] = ["karin@contoso.example", "runScript", "WS-FAB-001"];

/// Whom the custom role lets run scripts on a device of their own tenant.
const WITHIN: [&str; 3] = ["karin@contoso.example", "runScript", "WS-TST-001"];

const EVERYTHING: &str =
    "@id(\"mine\")\n@doc(\"All.\")\npermit (\n  principal,\n  action,\n  resource\n);\n";

fn check(workspace: &Tarbac, options: &[&str], request: [&str; 3]) -> Ran {
    workspace.run(&[options, &["check"], &request].concat())
}

/// The requirement that no tenant reaches into another refuses, along with the others.
fn is_refused_by_what_ships(workspace: &Tarbac, options: &[&str]) {
    let format = ["--format", "json"];
    let ran = check(workspace, &[options, &format].concat(), ACROSS);
    assert_eq!(ran.status, 1, "{options:?} {ran}");
    assert!(
        ran.stdout.contains("\"guardrails.tenant"),
        "{options:?} {ran}"
    );
    let ran = check(workspace, options, WITHIN);
    assert_eq!(ran.status, 0, "{options:?} {ran}");
}

/// Copies the policies or the schema of this repository, without the manifest.
fn copy_without_manifest(part: &str, to: &Path) {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(part), to);
    std::fs::remove_file(to.join("tarbac.yaml")).unwrap();
}

#[test]
fn a_file_anywhere_adds_to_what_ships() {
    for (path, text) in [
        ("policies/notes.cedar", "// notes\n"),
        ("policies/notes.cedar", ""),
        ("policies/custom.cedar", ""),
        ("policies/guardrails/ours.cedar", "// none of ours\n"),
        ("policies/deep/er/and/deeper/x.cedar", ""),
        ("policies/links.json", "[]"),
        ("policies/.hidden.cedar", ""),
        ("policies/NOTES.CEDAR", ""),
        ("policies/README.md", "Ours."),
        ("schema/notes.cedarschema", "// notes\n"),
        (
            "schema/ours.cedarschema",
            "@doc(\"Ours.\")\nnamespace Ours {\n  @doc(\"A door.\")\n  entity Door;\n}\n",
        ),
        (
            "schema/custom/ours.cedarschema",
            "@doc(\"Ours.\")\nnamespace Ours {\n  @doc(\"A door.\")\n  entity Door;\n  @doc(\"Open.\")\n  action open appliesTo { principal: Door, resource: Door };\n}\n",
        ),
    ] {
        let workspace = sample();
        workspace.write(path, text);
        is_refused_by_what_ships(&workspace, &[]);
    }
}

/// Folders of these names lie in the root of a workspace, and there no rule is read from them.
#[test]
fn a_folder_called_like_one_of_tarbacs_own_hides_no_rule() {
    let forbid =
        "@id(\"freeze\")\n@doc(\"No.\")\nforbid (\n  principal,\n  action,\n  resource\n);\n";
    for folder in [".tarbac-import", ".tarbac"] {
        for part in ["policies", "policies/custom"] {
            let workspace = sample();
            workspace.write(
                &format!("{part}/{folder}/CACHEDIR.TAG"),
                "Signature: 8a477f597d28d172789f06886806bc55",
            );
            workspace.write(&format!("{part}/{folder}/freeze.cedar"), forbid);
            for options in [&[][..], &["--policies", part]] {
                let ran = check(&workspace, options, WITHIN);
                assert_eq!(ran.status, 1, "{part}/{folder} {options:?} {ran}");
                assert!(
                    ran.stdout.contains("freeze"),
                    "{part}/{folder} {options:?} {ran}"
                );
            }
        }
    }
}

#[test]
fn a_role_outside_of_custom_adds_to_what_ships() {
    let workspace = sample();
    let role = workspace.read("policies/custom/script-runner.cedar");
    std::fs::remove_dir_all(workspace.path("policies/custom")).unwrap();
    workspace.write("policies/my-role.cedar", role);
    is_refused_by_what_ships(&workspace, &[]);
}

#[test]
fn what_is_named_in_place_of_policies_adds_to_what_ships() {
    let workspace = sample();
    let role = "policies/custom/script-runner.cedar";
    workspace.write("elsewhere/role.cedar", workspace.read(role));
    for named in [
        "policies",
        "policies/",
        "./policies",
        "policies/custom",
        "policies/custom/",
        role,
        "elsewhere",
        "elsewhere/role.cedar",
    ] {
        is_refused_by_what_ships(&workspace, &["--policies", named]);
    }
    let workspace = Tarbac::with(&[("empty/README.md", "")]);
    copy(
        &contoso_folder().join("entities"),
        &workspace.path("entities"),
    );
    for option in ["--policies", "--schema"] {
        let ran = check(&workspace, &[option, "empty"], ACROSS);
        assert_eq!(ran.status, 1, "{ran}");
    }
}

#[test]
fn a_folder_replaces_what_ships_where_its_manifest_says_so() {
    let workspace = sample();
    copy_without_manifest("policies", &workspace.path("ours"));
    copy(
        &workspace.path("policies/custom"),
        &workspace.path("ours/custom"),
    );
    workspace.write("ours/tarbac.yaml", MANIFEST);
    is_refused_by_what_ships(&workspace, &["--policies", "ours"]);
    // The rule is gone, and nothing has its place.
    std::fs::remove_file(workspace.path("ours/guardrails/tenant.cedar")).unwrap();
    let ran = check(
        &workspace,
        &["--policies", "ours", "--format", "json"],
        ACROSS,
    );
    assert!(!ran.stdout.contains("guardrails.tenant"), "{ran}");
    // Of several folders one is enough: together they are the rules.
    let custom = ["--policies", "ours", "--policies", "policies/custom"];
    let ran = check(&workspace, &custom, WITHIN);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("policy::duplicate_id"), "{ran}");
    // As policies of a workspace, and where it is compared with another.
    std::fs::remove_dir_all(workspace.path("policies")).unwrap();
    std::fs::rename(workspace.path("ours"), workspace.path("policies")).unwrap();
    let ran = check(&workspace, &["--format", "json"], ACROSS);
    assert!(!ran.stdout.contains("guardrails.tenant"), "{ran}");
    let ran = workspace.run(&["diff", ".", "policies"]);
    assert!(ran.stdout.starts_with("Nothing changes"), "{ran}");
}

#[test]
fn a_copy_without_a_manifest_is_an_error_that_names_it() {
    for part in ["policies", "schema"] {
        let workspace = sample();
        copy_without_manifest(part, &workspace.path(part));
        for command in [
            ["validate"].as_slice(),
            &["check", "ada@contoso.example", "runScript", "WS-TST-001"],
        ] {
            let ran = workspace.run(command);
            assert_ne!(ran.status, 0, "{ran}");
            let text = ran.to_string();
            assert!(text.contains("tarbac.yaml"), "{ran}");
            assert!(text.contains("errors: 1 error"), "{ran}");
        }
    }
    // The schema without what asks the questions as well.
    let workspace = sample();
    copy_without_manifest("schema", &workspace.path("schema"));
    std::fs::remove_file(workspace.path("schema/tarbac.cedarschema")).unwrap();
    let ran = check(&workspace, &[], WITHIN);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("tarbac.yaml"), "{ran}");
    // With a manifest the rules that ship do not fit it.
    workspace.write("schema/tarbac.yaml", MANIFEST);
    let ran = check(&workspace, &[], WITHIN);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("policy::type"), "{ran}");
}

/// Cedar of somebody else: a schema that asks none of tarbac's questions.
const CLUB: &str = "@doc(\"A member.\")\nentity Member;\n@doc(\"A door.\")\nentity Door;\n@doc(\"Open it.\")\naction open appliesTo { principal: Member, resource: Door };\n";

const MEMBERS: &str = r#"[{"uid":{"type":"Member","id":"m"},"attrs":{},"parents":[]},
{"uid":{"type":"Door","id":"d"},"attrs":{},"parents":[]}]"#;

#[test]
fn rules_of_somebody_else_need_no_manifest() {
    let opens = EVERYTHING.replace("mine", "opens");
    let asked = ["Member::\"m\"", "open", "Door::\"d\""];
    for club in [
        CLUB.to_owned(),
        format!("@doc(\"Club.\")\nnamespace Club {{\n{CLUB}}}\n"),
    ] {
        let is_in_namespace = club.contains("namespace");
        let text = |text: &str| match is_in_namespace {
            true => text
                .replace("Member\"", "Club::Member\"")
                .replace("Door\"", "Club::Door\"")
                .replace("Member::", "Club::Member::")
                .replace("Door::", "Club::Door::"),
            false => text.to_owned(),
        };
        let asked = asked.map(text);
        let asked = [asked[0].as_str(), asked[1].as_str(), asked[2].as_str()];
        let workspace = Tarbac::with(&[
            ("schema/club.cedarschema", club.as_str()),
            ("policies/club.cedar", &opens),
            ("entities/club.json", &text(MEMBERS)),
        ]);
        let ran = check(&workspace, &[], asked);
        assert_eq!(ran.stdout, "ALLOW  opens\n", "{ran}");
        assert_eq!(workspace.run(&["validate"]).status, 0);
        // A manifest says what is so already.
        workspace.write("schema/tarbac.yaml", MANIFEST);
        assert_eq!(check(&workspace, &[], asked).status, 0);
        std::fs::remove_file(workspace.path("schema/tarbac.yaml")).unwrap();
        // Without policies nobody may anything, as in Cedar.
        std::fs::remove_file(workspace.path("policies/club.cedar")).unwrap();
        let ran = check(&workspace, &[], asked);
        assert_eq!(ran.status, 1, "{ran}");
    }
}

#[test]
fn a_schema_that_leans_on_what_ships_adds_to_it() {
    for text in [
        // It has a namespace in common.
        "namespace Intune {\n  @doc(\"Ours.\")\n  action ours in [remoteTasks] appliesTo { principal: Entra::User, resource: ConfigMgr::Device };\n}\n".to_owned(),
        // It names a type of the other.
        "namespace Ours {\n  @doc(\"Ours.\")\n  action ours in [Intune::Action::\"remoteTasks\"] appliesTo { principal: Entra::User, resource: ConfigMgr::Device };\n}\n".to_owned(),
        // It asks nobody about anything.
        "namespace Ours {\n  @doc(\"A door.\")\n  entity Door;\n}\n".to_owned(),
    ] {
        let workspace = sample();
        workspace.write("schema/ours.cedarschema", format!("@doc(\"Ours.\")\n{text}"));
        is_refused_by_what_ships(&workspace, &[]);
        is_refused_by_what_ships(&workspace, &["--schema", "schema/ours.cedarschema"]);
    }
    // With people and devices that only the schema that ships knows, another one is an error.
    let workspace = sample();
    workspace.write("schema/club.cedarschema", CLUB);
    let ran = check(&workspace, &[], ACROSS);
    assert_eq!(ran.status, 2, "{ran}");
}

pub fn git(folder: &Tarbac, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder.path(""));
    command.args([
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@t.example",
        "-c",
        "commit.gpgsign=false",
    ]);
    assert!(
        command.args(arguments).output().unwrap().status.success(),
        "{arguments:?}"
    );
}

#[test]
fn a_revision_of_git_follows_the_same_rule() {
    let workspace = sample();
    workspace.write("policies/notes.cedar", "// notes\n");
    git(&workspace, &["init", "-q"]);
    git(&workspace, &["add", "."]);
    git(&workspace, &["commit", "-qm", "notes"]);
    git(&workspace, &["tag", "notes"]);
    let ran = workspace.run(&["diff", "notes"]);
    assert!(ran.stdout.starts_with("Nothing changes"), "{ran}");
    // A copy of what ships from before there was a manifest.
    copy_without_manifest("policies", &workspace.path("policies"));
    git(&workspace, &["add", "."]);
    git(&workspace, &["commit", "-qm", "copy"]);
    git(&workspace, &["tag", "copy"]);
    workspace.write("policies/tarbac.yaml", MANIFEST);
    git(&workspace, &["add", "."]);
    git(&workspace, &["commit", "-qm", "manifest"]);
    let ran = workspace.run(&["diff", "copy"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("tarbac.yaml"), "{ran}");
    for same in ["notes", "HEAD", "."] {
        let ran = workspace.run(&["diff", same]);
        assert!(ran.stdout.starts_with("Nothing changes"), "{same} {ran}");
    }
    for compared in ["copy", "nowhere"] {
        let ran = workspace.run(&["prove", "--compare", compared]);
        assert_eq!(ran.status, 2, "{ran}");
    }
    let ran = workspace.run(&["prove", "--compare", "copy"]);
    assert!(ran.stderr.contains("tarbac.yaml"), "{ran}");
    // A manifest that is wrong is an error there as well.
    workspace.write("policies/tarbac.yaml", "replaces: nothing\n");
    git(&workspace, &["commit", "-qam", "wrong"]);
    git(&workspace, &["tag", "wrong"]);
    workspace.write("policies/tarbac.yaml", MANIFEST);
    for command in [
        ["diff", "wrong"].as_slice(),
        &["prove", "--compare", "wrong"],
    ] {
        let ran = workspace.run(command);
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains("wrong:policies/tarbac.yaml"), "{ran}");
    }
}

#[cfg(unix)]
mod special {
    use super::{ACROSS, MANIFEST, check, sample};
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    /// What is there and is no folder is not taken for nothing.
    #[test]
    fn what_is_no_folder_is_an_error() {
        for part in ["policies", "schema", "entities", "tests"] {
            for kind in ["pipe", "socket", "file", "dangling"] {
                let workspace = sample();
                let path = workspace.path(part);
                let _ = std::fs::remove_dir_all(&path);
                let mut listener = None;
                match kind {
                    "pipe" => assert!(
                        Command::new("mkfifo")
                            .arg(&path)
                            .status()
                            .unwrap()
                            .success()
                    ),
                    // The path of a socket is short.
                    "socket" => {
                        let folder = tempfile::tempdir_in("/tmp").unwrap();
                        let short = folder.path().join("s");
                        listener = Some((UnixListener::bind(&short).unwrap(), folder));
                        std::os::unix::fs::symlink(short, &path).unwrap();
                    }
                    "file" => std::fs::write(&path, "").unwrap(),
                    _ => std::os::unix::fs::symlink("nowhere", &path).unwrap(),
                }
                let ran = match part {
                    "tests" => workspace.run(&["test"]),
                    _ => check(&workspace, &[], ACROSS),
                };
                drop(listener);
                assert_eq!(ran.status, 2, "{part} {kind} {ran}");
                assert!(
                    ran.stderr.contains(&format!("cannot read `{part}`")),
                    "{part} {kind} {ran}"
                );
            }
        }
    }

    #[test]
    fn a_manifest_that_is_no_file_is_an_error() {
        let workspace = sample();
        let path = workspace.path("policies/tarbac.yaml");
        assert!(
            Command::new("mkfifo")
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
        let ran = check(&workspace, &[], ACROSS);
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains("policies/tarbac.yaml"), "{ran}");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let ran = check(&workspace, &[], ACROSS);
        assert_eq!(ran.status, 2, "{ran}");
        std::fs::remove_dir(&path).unwrap();
        std::os::unix::fs::symlink("nowhere", &path).unwrap();
        assert_eq!(check(&workspace, &[], ACROSS).status, 2);
        std::fs::remove_file(&path).unwrap();
        workspace.write("policies/tarbac.yaml", MANIFEST);
    }
}
