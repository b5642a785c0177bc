//! Which rules are in force: those that ship, unless a manifest says otherwise, wherever files lie.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::tarbac::{Ran, Tarbac, contoso_folder, copy, sample};
use crate::world::{device, entities, entity, hierarchy};

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

/// Rules that permit everything and say nothing of an authority.
fn without_authority() -> Tarbac {
    let workspace = Tarbac::with_tenant(&[
        (
            "policies/mine.cedar",
            &EVERYTHING.replace("resource\n", "resource is ConfigMgr::Device\n"),
        ),
        ("policies/tarbac.yaml", MANIFEST),
    ]);
    // No policy names this any more, so the directory has to have it.
    workspace.write(
        "entities/more.json",
        entities(&[entity("Intune::ScopeTag", "*", json!({}), &[])]),
    );
    workspace
}

#[test]
fn where_no_policy_says_who_is_in_authority_every_answer_is_indeterminate() {
    let workspace = without_authority();
    let ran = check(&workspace, &[], ["ana@t.example", "runScript", "PC-1"]);
    insta::assert_snapshot!(ran, @"
    INDETERMINATE  no policy says which authority is in force; see tarbac validate
    --- exit 2
    ");
    let line =
        b"{\"principal\":\"ana@t.example\",\"action\":\"runScript\",\"resource\":\"PC-1\"}\n";
    let ran = workspace.run_with(&["check", "--requests", "-"], line);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stdout.contains("\"decision\":\"indeterminate\""),
        "{ran}"
    );
    for command in [
        ["explain", "ana@t.example", "runScript", "PC-1"].as_slice(),
        &["who", "runScript", "PC-1"],
        &["what", "ana@t.example"],
        &["matrix"],
        &["access", "--all"],
        &["what-if", "--grant", "bob@t.example=Help Desk Operator"],
        &["diff", "."],
    ] {
        for format in ["human", "json"] {
            let ran = workspace.run(&[command, &["--format", format]].concat());
            let text = &ran.stdout;
            assert!(!text.contains("\"allow\""), "{command:?} {ran}");
            assert!(!text.contains("now allowed"), "{command:?} {ran}");
        }
    }
    let ran = workspace.run(&["who", "runScript", "PC-1"]);
    insta::assert_snapshot!(ran, @"
    0 accounts may Run script on PC-1

    0 accounts may not (--may-not says why)

    2 accounts could not be decided about
      2: mine, no policy says which authority is in force; see tarbac validate
        ana@t.example
        bob@t.example

    What these policies say
      mine: All.
    --- exit 2
    ");
    let ran = workspace.run(&["prove"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("policy::no_authority"), "{ran}");
    // A tenant is nothing about which anybody asks who is in authority.
    workspace.write("policies/mine.cedar", EVERYTHING);
    let ran = check(&workspace, &[], ["ana@t.example", "updateRoles", "t"]);
    assert_eq!(ran.status, 0, "{ran}");
}

fn authority(head: &str, condition: &str) -> String {
    format!(
        "@id(\"authority.ours\")\n@doc(\"Ours.\")\n@message(\"-\")\n@advice(\"-\")\n{head} (principal, action == Tarbac::Action::\"authority\", resource)\n{condition};\n"
    )
}

#[test]
fn an_authority_for_some_devices_is_one_for_these_alone() {
    let workspace = without_authority();
    workspace.write(
        "entities/others.json",
        entities(&[hierarchy("X", "t", false), device("d2", "PC-2", "X")]),
    );
    for condition in [
        "when { resource.hierarchy == ConfigMgr::Hierarchy::\"H\" }",
        // What the question knows besides the two.
        "when { context has device && context.device.name == \"PC-1\" }",
    ] {
        workspace.write(
            "policies/authority.cedar",
            authority("@authority(\"intune\")\npermit", condition),
        );
        let ran = check(&workspace, &[], ["ana@t.example", "runScript", "PC-1"]);
        assert_eq!(ran.status, 0, "{ran}");
        let ran = check(&workspace, &[], ["ana@t.example", "runScript", "PC-2"]);
        assert_eq!(ran.status, 2, "{ran}");
        // Whoever decides by classes tells the two apart as well.
        let ran = workspace.run(&["what", "ana@t.example", "--format", "csv"]);
        let of = |name: &str| {
            ran.stdout
                .lines()
                .filter(|line| line.contains(name))
                .count()
        };
        assert!(of("PC-1") > 0, "{ran}");
        let allowed = |line: &&str| line.contains("PC-2") && line.contains("allow");
        assert_eq!(ran.stdout.lines().filter(allowed).count(), 0, "{ran}");
        let ran = workspace.run(&["who", "runScript", "PC-2"]);
        assert_eq!(ran.status, 2, "{ran}");
        let ran = workspace.run(&["who", "runScript", "PC-1"]);
        assert_eq!(ran.status, 0, "{ran}");
    }
}

#[test]
fn an_authority_that_cannot_be_known_is_none() {
    let asked = ["ana@t.example", "runScript", "PC-1"];
    let named = "@authority(\"intune\")\n";
    for (text, said) in [
        (authority("permit", ""), "without an `@authority`"),
        (authority("forbid", ""), "silences whoever answers"),
        (
            authority(
                &format!("{named}permit"),
                "when { resource.hierarchy.version + 9223372036854775807 > 0 }",
            ),
            "overflow",
        ),
        (
            format!(
                "{}{}",
                authority(&format!("{named}permit"), ""),
                authority("permit", "").replace("authority.ours", "authority.again")
            ),
            "several policies say",
        ),
        (
            format!(
                "{}{}",
                authority(&format!("{named}permit"), ""),
                authority("forbid", "").replace("authority.ours", "authority.never")
            ),
            "silences whoever answers",
        ),
    ] {
        let workspace = without_authority();
        workspace.write("policies/authority.cedar", &text);
        let ran = check(&workspace, &[], asked);
        assert_eq!(ran.status, 2, "{text} {ran}");
        assert!(ran.to_string().contains(said), "{text} {ran}");
        let ran = workspace.run(&["who", "runScript", "PC-1"]);
        assert_eq!(ran.status, 2, "{text} {ran}");
        let ran = workspace.run(&["matrix", "--format", "json"]);
        assert!(!ran.stdout.contains("\"allow\""), "{text} {ran}");
    }
}

/// What makes every decision indeterminate is an error of `validate`, whether the rules say so or the directory.
#[test]
fn two_authorities_are_an_error_of_validate() {
    let validate = |workspace: &Tarbac| workspace.run(&["validate", "--format", "json"]);
    let told = |ran: &crate::tarbac::Ran| {
        ran.status == 1 && ran.stdout.contains("\"code\": \"policy::two_authorities\"")
    };
    let answer = |id: &str, name: &str, condition: &str| {
        let head = format!("@authority(\"{name}\")\npermit");
        authority(&head, condition).replace("authority.ours", id)
    };
    // Beside the rules that ship, which answer always.
    for (name, condition) in [
        ("configmgr", ""),
        ("intune", ""),
        ("both", "when { resource.hierarchy.version == 2403 }"),
        ("both", "when { principal == Entra::User::\"u1\" }"),
    ] {
        let policy = answer("custom.authority", name, condition);
        let workspace = Tarbac::with_tenant(&[("policies/custom/x.cedar", &policy)]);
        let ran = validate(&workspace);
        assert!(told(&ran), "{condition} {ran}");
        assert!(ran.stdout.contains("custom.authority"), "{ran}");
        let ran = check(&workspace, &[], ["ana@t.example", "runScript", "PC-1"]);
        assert_eq!(ran.status, 2, "{ran}");
    }
    // One without a name is a second answer too.
    let policy = authority("permit", "").replace("authority.ours", "custom.authority");
    let workspace = Tarbac::with_tenant(&[("policies/custom/x.cedar", &policy)]);
    assert!(told(&validate(&workspace)));
    let ran = workspace.run(&["prove"]);
    assert_eq!(ran.status, 2, "{ran}");

    // In place of those that ship, as the directory has it.
    let (old, new) = (
        "when { resource.hierarchy.version < 2403 }",
        "when { resource.hierarchy.version >= 2403 }",
    );
    let by_device = "when { context has device && context.device.name == \"PC-1\" }";
    for (one, other, is_told) in [
        (old, new, false),
        ("", new, true),
        ("", "", true),
        (old, old, true),
        ("when { resource.hierarchy.version >= 2207 }", new, true),
        (
            "when { resource.name like \"PC*\" }",
            "when { !resource.coManaged }",
            true,
        ),
        (new, "unless { principal.cloudOnly }", false),
        (new, "when { principal.cloudOnly }", true),
        (new, by_device, true),
        (old, by_device, false),
    ] {
        let workspace = without_authority();
        let policies = answer("a.one", "intune", one) + &answer("a.two", "configmgr", other);
        workspace.write("policies/authority.cedar", policies);
        let ran = validate(&workspace);
        assert_eq!(told(&ran), is_told, "{one} / {other}: {ran}");
        let ran = check(&workspace, &[], ["ana@t.example", "runScript", "PC-1"]);
        assert_eq!(ran.status == 2, is_told, "{one} / {other}: {ran}");
    }
    // A reading that is off answers nothing.
    let workspace = without_authority();
    let policies = answer("a.one", "intune", "")
        + &answer("a.two", "configmgr", "").replace(
            "@authority",
            "@source(\"x\")\n@reading(\"two\")\n@holds(\"on\")\n@default(\"off\")\n@authority",
        );
    workspace.write("policies/authority.cedar", policies);
    assert!(!told(&validate(&workspace)));
    assert!(told(&workspace.run(&[
        "--reading",
        "two",
        "validate",
        "--format",
        "json"
    ])));
}

#[test]
fn an_authority_that_goes_with_its_reading_is_missed() {
    let workspace = without_authority();
    workspace.write(
        "policies/authority.cedar",
        authority("@authority(\"intune\")\n@source(\"x\")\n@reading(\"ours\")\n@holds(\"on\")\n@default(\"on\")\npermit", ""),
    );
    let asked = ["ana@t.example", "runScript", "PC-1"];
    assert_eq!(check(&workspace, &[], asked).status, 0);
    let off = ["--no-reading", "ours"];
    assert_eq!(check(&workspace, &off, asked).status, 2);
    assert_eq!(workspace.run(&["validate"]).status, 0);
    assert_eq!(
        workspace.run(&["--no-reading", "ours", "validate"]).status,
        1
    );
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

/// What the program writes, with the revision as it is.
fn written(workspace: &Tarbac, arguments: &[&str], input: &str) -> String {
    use std::io::Write;
    let mut command = crate::tarbac::command(&workspace.path(""));
    let command = command.args(arguments);
    let command = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped());
    let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

/// The rules and the revision, as `validate` says them.
fn validated(workspace: &Tarbac, options: &[&str]) -> (String, String) {
    let said = written(workspace, &[options, &["validate"]].concat(), "");
    let line = said.lines().last().unwrap();
    let line = line
        .strip_prefix("rules: ")
        .unwrap_or_else(|| panic!("{said}"));
    let (rules, revision) = line.split_once(", revision ").unwrap();
    assert_eq!(revision.len(), 64, "{said}");
    (rules.to_owned(), revision.to_owned())
}

#[test]
fn every_answer_says_what_it_was_decided_with() {
    let workspace = sample();
    workspace.write(
        "policies/custom/freeze.cedar.txt",
        "forbid (principal, action, resource);",
    );
    workspace.write(
        "tests/a.yaml",
        "suite: A\ncases:\n  - name: Ada runs scripts.\n    principal: ada@contoso.example\n    action: runScript\n    resource: WS-TST-001\n    expect: allow\n    because: any\n",
    );
    let (rules, revision) = validated(&workspace, &[]);
    assert_eq!(rules, "shipped-and-custom");
    let asked = ["ada@contoso.example", "runScript", "WS-TST-001"];
    let line = format!(
        "{{\"principal\":\"{}\",\"action\":\"{}\",\"resource\":\"{}\"}}\n{{}}\n",
        asked[0], asked[1], asked[2]
    );
    for command in [
        &[["check"].as_slice(), &asked].concat(),
        &[["explain"].as_slice(), &asked].concat(),
        ["check", "--requests", "-"].as_slice(),
        &["check", "--requests", "-", "--answer", "decision"],
        &["who", "runScript", "WS-TST-001"],
        &["what", "ada@contoso.example"],
        &["matrix"],
        &["access"],
        &["what-if", "--use-intune-rbac", "off"],
        &["diff", "."],
        &["validate"],
        &["readings"],
        &["test"],
    ] {
        for format in ["json", "ndjson"] {
            let is_of_lines = ["who", "what", "access", "what-if", "diff"].contains(&command[0]);
            if format == "ndjson" && !is_of_lines {
                continue;
            }
            let said = written(
                &workspace,
                &[command, &["--format", format]].concat(),
                &line,
            );
            let documents = serde_json::Deserializer::from_str(&said).into_iter();
            let documents: Vec<serde_json::Value> = documents.map(Result::unwrap).collect();
            // The head of lines that depend on it speaks for them.
            let is_of_head = format == "ndjson" && !["who", "what"].contains(&command[0]);
            let count = if is_of_head { 1 } else { documents.len() };
            assert!(count > 0, "{command:?} {said}");
            for document in &documents[..count] {
                assert_eq!(
                    document["rules_in_force"], "shipped-and-custom",
                    "{command:?} {said}"
                );
                assert_eq!(document["revision"], revision, "{command:?} {said}");
                assert_eq!(
                    document["not_read"],
                    serde_json::json!(["policies/custom/freeze.cedar.txt"]),
                    "{command:?} {said}"
                );
            }
        }
    }
    let said = written(&workspace, &[["explain"].as_slice(), &asked].concat(), "");
    assert!(
        said.contains(&format!("rules: {rules}, revision {revision}")),
        "{said}"
    );
}

#[test]
fn the_rules_have_one_of_three_names() {
    let workspace = Tarbac::with(&[]);
    copy(
        &contoso_folder().join("entities"),
        &workspace.path("entities"),
    );
    // Without the custom role nobody has it.
    let rules = |workspace: &Tarbac| {
        let ran = workspace.run(&["matrix", "--format", "json"]);
        let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        document["rules_in_force"].as_str().unwrap().to_owned()
    };
    assert_eq!(rules(&workspace), "shipped");
    workspace.write("policies/custom/more.cedar", EVERYTHING);
    assert_eq!(rules(&workspace), "shipped-and-custom");
    std::fs::remove_dir_all(workspace.path("policies")).unwrap();
    workspace.write("schema/ours.cedarschema", "namespace Ours { entity Door; }");
    assert_eq!(rules(&workspace), "shipped-and-custom");
    std::fs::remove_dir_all(workspace.path("schema")).unwrap();
    copy_without_manifest("schema", &workspace.path("schema"));
    workspace.write("schema/tarbac.yaml", MANIFEST);
    assert_eq!(rules(&workspace), "own");
    let fresh = Tarbac::with(&[]);
    fresh.run(&["init", "."]);
    assert_eq!(rules(&fresh), "own");
}

#[test]
fn the_revision_is_that_of_the_content() {
    let workspace = sample();
    let (_, revision) = validated(&workspace, &[]);
    // Elsewhere, under other names, in other files and with other line ends.
    let other = sample();
    std::fs::create_dir_all(other.path("policies/deep")).unwrap();
    let role = other.read("policies/custom/script-runner.cedar");
    std::fs::remove_dir_all(other.path("policies/custom")).unwrap();
    other.write(
        "policies/deep/z.cedar",
        format!("\u{feff}{}", role.replace('\n', "\r\n")),
    );
    std::fs::rename(
        other.path("entities/people.json"),
        other.path("entities/a.json"),
    )
    .unwrap();
    assert_eq!(validated(&other, &[]).1, revision);
    // The same rules as a copy in place of those that ship.
    let copied = sample();
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"),
        &copied.path("policies"),
    );
    assert_eq!(
        validated(&copied, &[]),
        ("own".to_owned(), revision.clone())
    );
    // A reading that is named and on already changes nothing.
    assert_eq!(
        validated(&workspace, &["--reading", "any-intune-role"]).1,
        revision
    );
    let mut seen = vec![revision.clone()];
    let mut is_new = |workspace: &Tarbac, options: &[&str]| {
        let (_, revision) = validated(workspace, options);
        assert!(!seen.contains(&revision), "{options:?}");
        seen.push(revision);
    };
    is_new(&workspace, &["--no-reading", "any-intune-role"]);
    is_new(&workspace, &["--reading", "discovery-either"]);
    workspace.write("policies/custom/more.cedar", EVERYTHING);
    is_new(&workspace, &[]);
    workspace.write(
        "policies/custom/more.cedar",
        format!("// Ours.\n{EVERYTHING}"),
    );
    is_new(&workspace, &[]);
    workspace.write(
        "schema/custom/ours.cedarschema",
        "@doc(\"Ours.\")\nnamespace Ours { @doc(\"A door.\") entity Door; }\n",
    );
    is_new(&workspace, &[]);
    let people = workspace.read("entities/people.json");
    workspace.write(
        "entities/people.json",
        people.replacen("\"cloudOnly\": true", "\"cloudOnly\": false", 1),
    );
    is_new(&workspace, &[]);
    std::fs::remove_file(workspace.path("schema/custom/ours.cedarschema")).unwrap();
    std::fs::remove_file(workspace.path("policies/custom/more.cedar")).unwrap();
    workspace.write("entities/people.json", people);
    assert_eq!(validated(&workspace, &[]).1, revision);
}

#[test]
fn the_revision_is_the_same_with_and_without_what_is_kept() {
    // Large enough to be kept.
    let devices: Vec<_> = (0..30_000)
        .map(|number| device(&format!("n{number}"), &format!("N-{number}"), "H"))
        .collect();
    let workspace = Tarbac::with_tenant(&[("entities/devices.json", &entities(&devices))]);
    let check = [
        "check",
        "ana@t.example",
        "runScript",
        "PC-1",
        "--format",
        "json",
    ];
    let (_, revision) = validated(&workspace, &[]);
    // Read, then kept, then used where it lies.
    for _ in 0..3 {
        assert!(written(&workspace, &check, "").contains(&revision));
    }
    assert!(workspace.path(".tarbac").exists());
    let anew = [&check[..], &["--no-cache"]].concat();
    assert!(written(&workspace, &anew, "").contains(&revision));
}

#[test]
fn files_that_are_not_read_are_told_by_whatever_decides() {
    let forbid = "forbid (principal, action, resource);";
    for name in [
        "policies/custom/freeze.cedar.txt",
        "policies/custom/freeze.cedar~",
        "policies/freeze.cedar.bak",
        "policies/.freeze.cedar.swp",
        "policies/.cedar",
        "policies/freeze.cedar.md",
        "policies/freeze.txt",
        "policies/freeze",
        "policies/freeze.yaml",
        "policies/freeze.cedarschema",
        "schema/freeze.cedar",
        "entities/freeze.cedar",
        "entities/more.json.txt",
        "freeze.cedar",
        "Freeze.CEDAR",
        ".freeze.cedar",
        "tarbac.yaml",
        "custom/freeze.cedar",
        "guardrails/freeze.cedar",
        "policy/freeze.cedar",
        "Policies/freeze.cedar",
        "polices/freeze.cedar",
        "tests/freeze.cedar",
    ] {
        let workspace = Tarbac::with_tenant(&[(name, forbid)]);
        for command in [
            ["check", "ana@t.example", "runScript", "PC-1"].as_slice(),
            &["explain", "ana@t.example", "runScript", "PC-1"],
            &["who", "runScript", "PC-1"],
            &["matrix"],
        ] {
            let ran = workspace.run(command);
            assert_eq!(ran.status, 0, "{name} {ran}");
            let said = format!("note: this is not read: {name}\n");
            assert_eq!(ran.stderr.matches(&said).count(), 1, "{name} {ran}");
        }
        let ran = workspace.run(&["validate"]);
        assert!(ran.stdout.contains("workspace::not_read"), "{name} {ran}");
        assert_eq!(ran.status, 0, "{name} {ran}");
    }
    // A workspace that is named by its files says nothing of others, and nobody takes these for rules.
    for name in [
        "policies/README.md",
        "policies/.DS_Store",
        "policies/.gitkeep",
        "README.md",
        "notes.txt",
        "docs/example.cedar",
        "tests/specs/ours.cedar",
        "entities/.hidden",
    ] {
        let workspace = Tarbac::with_tenant(&[(name, "// Ours.\n")]);
        let ran = workspace.run(&["check", "ana@t.example", "runScript", "PC-1"]);
        assert_eq!(ran.stderr, "", "{name} {ran}");
    }
    // Both states are looked at, and each file is told once.
    let workspace = Tarbac::with_tenant(&[("policies/freeze.cedar.txt", forbid)]);
    git(&workspace, &["init", "-q"]);
    git(&workspace, &["add", "."]);
    git(&workspace, &["commit", "-qm", "state"]);
    let ran = workspace.run(&["diff", "HEAD"]);
    assert!(
        ran.stderr
            .contains("not read: HEAD:policies/freeze.cedar.txt\n"),
        "{ran}"
    );
    let ran = workspace.run(&["diff", "."]);
    assert_eq!(ran.stderr.matches("not read").count(), 1, "{ran}");
}
