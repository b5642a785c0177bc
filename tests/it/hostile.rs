//! Files that are not what they should be: one clear error each, and no end of the process.

use std::fs::File;

use serde_json::json;

use crate::tarbac::Tarbac;
use crate::world::{assignment, device, entities, entity, hierarchy, tenant, tenant_entity, user};

#[test]
fn a_hundred_megabytes_of_garbage() {
    let folder = Tarbac::with(&[]);
    let garbage = File::create(folder.path("garbage")).unwrap();
    garbage.set_len(100 * 1024 * 1024).unwrap();
    insta::assert_snapshot!(folder.run(&["--policies", "garbage", "validate"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `garbage`: it is larger than 16 MiB
      help: no file of that kind is that large; is it the right file?
    --- exit 2
    "#);
    insta::assert_snapshot!(folder.run(&["--schema", "garbage", "validate"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `garbage`: it is larger than 16 MiB
      help: no file of that kind is that large; is it the right file?
    --- exit 2
    "#);
    insta::assert_snapshot!(folder.run(&["--entities", "garbage", "validate"]), @r#"
    entities::syntax

      × `garbage` is not an array of entities
       ╭─[garbage:1:1]
       ╰────
      help: write the entities as a JSON array, `[{"uid": …}, …]`

    errors: 1 error
    --- exit 1
    "#);
    insta::assert_snapshot!(folder.run(&["check", "--requests", "garbage"]), @r#"
    {"decision":"indeterminate","basis":"error","authority":null,"policies":[],"errors":["the line is longer than 1048576 bytes"],"notices":[],"messages":[],"readings":["any-intune-role","entra-administrators"],"rules_in_force":"shipped","revision":"…","not_read":[]}
    --- exit 2
    "#);
}

#[test]
fn a_folder_where_a_file_is_expected() {
    let folder = Tarbac::with(&[
        ("policies/a.cedar/x", ""),
        ("entities/b.json/x", ""),
        ("schema/c.cedarschema/x", ""),
    ]);
    insta::assert_snapshot!(folder.run(&["validate"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `policies/a.cedar`: it is a folder where a file is expected
    --- exit 2
    "#);
    insta::assert_snapshot!(folder.run(&["--policies", "entities/b.json", "--schema", "entities/b.json", "validate"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `entities/b.json`: it is a folder where a file is expected
    --- exit 2
    "#);
}

#[cfg(unix)]
#[test]
fn links_in_a_circle() {
    use std::os::unix::fs::symlink;
    let folder = Tarbac::with(&[("entities/a.json", "[]")]);
    symlink("../entities", folder.path("entities/again")).unwrap();
    insta::assert_snapshot!(folder.run(&["validate"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `entities/again`: the link leads back to `entities`
      help: remove the link, or let it lead elsewhere
    --- exit 2
    "#);
    symlink("self", folder.path("self")).unwrap();
    insta::assert_snapshot!(folder.run(&["--entities", "self", "validate"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `self`: Too many levels of symbolic links (os error 40)
    --- exit 2
    "#);
    symlink("nowhere.json", folder.path("dangling")).unwrap();
    insta::assert_snapshot!(folder.run(&["--entities", "dangling", "validate"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `dangling`: No such file or directory (os error 2)
    --- exit 2
    "#);
}

#[test]
fn not_utf8() {
    let folder = Tarbac::with(&[]);
    folder.write("a.cedar", b"@id(\"\xff\")");
    insta::assert_snapshot!(folder.run(&["--policies", "a.cedar", "validate"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `a.cedar`: it is not UTF-8: invalid utf-8 sequence of 1 bytes from index 5
      help: save the file as UTF-8; in Windows PowerShell, `Set-Content -Encoding utf8` does
    --- exit 2
    "#);
    insta::assert_snapshot!(folder.run(&["--schema", "a.cedar", "validate"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `a.cedar`: it is not UTF-8: invalid utf-8 sequence of 1 bytes from index 5
      help: save the file as UTF-8; in Windows PowerShell, `Set-Content -Encoding utf8` does
    --- exit 2
    "#);
}

#[test]
fn deep_nesting() {
    let nested = |open: &str, close: &str| {
        format!(
            "@id(\"a\")\n@doc(\"Deep.\")\npermit (principal, action, resource)\nwhen {{ {}true{} }};\n",
            open.repeat(20_000),
            close.repeat(20_000)
        )
    };
    let folder = Tarbac::with(&[
        ("brackets.cedar", &nested("(", ")")),
        ("sets.cedar", &nested("[", "]")),
        ("chain.cedar", &nested("true && ", "")),
        ("branches.cedar", &nested("if true then true else ", "")),
        (
            "clauses.cedar",
            &format!(
                "@id(\"a\")\npermit (principal, action, resource){};",
                " when { true }".repeat(20_000)
            ),
        ),
        (
            "sets.cedarschema",
            &format!(
                "entity X {{ a: {}Long{} }};",
                "Set<".repeat(20_000),
                ">".repeat(20_000)
            ),
        ),
        ("deep.json", &"[".repeat(100_000)),
        (
            "attributes.json",
            &format!("[{{\"uid\": {}", "{\"a\":".repeat(100_000)),
        ),
    ]);
    insta::assert_snapshot!(folder.run(&["--policies", "brackets.cedar", "validate"]), @r#"
    policy::nesting

      × brackets are nested more than 32 deep
       ╭─[brackets.cedar:4:39]
     4 │ when { (((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((
       ·                                       ┬
       ·                                       ╰── here
       ╰────
      help: write it flatter

    errors: 1 error
    --- exit 1
    "#);
    for policies in [
        "sets.cedar",
        "chain.cedar",
        "branches.cedar",
        "clauses.cedar",
    ] {
        let ran = folder.run(&["--policies", policies, "validate"]);
        assert!(
            ran.status == 1 && ran.stdout.starts_with("policy::nesting"),
            "{policies}: {ran}"
        );
        let ran = folder.run(&["fmt", policies]);
        assert!(
            ran.status == 2 && ran.stderr.starts_with("policy::nesting"),
            "{policies}: {ran}"
        );
    }
    insta::assert_snapshot!(folder.run(&["--schema", "sets.cedarschema", "validate"]), @r#"
    schema::nesting

      × brackets are nested more than 32 deep
       ╭─[sets.cedarschema:1:142]
     1 │ <Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set
       ·                                                             ┬
       ·                                                             ╰── here
       ╰────
      help: write it flatter

    errors: 1 error
    --- exit 1
    "#);
    insta::assert_snapshot!(folder.run(&["--entities", "deep.json", "validate"]), @r#"
    entities::syntax

      × `deep.json` ends within an entity
       ╭─[deep.json:1:2]
     1 │ [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
       ·  ┬
       ·  ╰── here
       ╰────

    errors: 1 error
    --- exit 1
    "#);
    insta::assert_snapshot!(folder.run(&["--entities", "attributes.json", "validate"]), @r#"
    entities::syntax

      × `attributes.json` ends within an entity
       ╭─[attributes.json:1:2]
     1 │ [{"uid": {"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"
       ·  ┬
       ·  ╰── here
       ╰────

    errors: 1 error
    --- exit 1
    "#);
}

/// A word of any length and of any letters is read to its end, whoever reads it.
#[test]
fn long_words() {
    for letter in ["a", "é", "漢", "\\n", "\\u{1F600}", " "] {
        let long = letter.repeat(300_000);
        let policy = format!(
            "@id(\"custom.x\")\n@doc(\"{long}\")\npermit (principal in Intune::Role::\"Help Desk Operator\", action == Intune::Action::\"viewTimeline\", resource is ConfigMgr::Device)\nwhen {{ principal has \"{long}\" || \"{long}\" == \"x\" }};\n// {long}\n"
        );
        let workspace = Tarbac::with_tenant(&[("policies/custom/x.cedar", &policy)]);
        for command in [
            ["validate"].as_slice(),
            &["fmt", "--check"],
            &["check", "ana@t.example", "viewTimeline", "PC-1"],
        ] {
            // Whatever it says of it, it is no crash.
            let ran = workspace.run(command);
            assert!(ran.status <= 1, "{letter:?} {command:?} {}", ran.status);
        }
    }
}

#[test]
fn nesting_that_people_write_is_no_error() {
    let policy = format!(
        "@id(\"a\")\n@doc(\"Nested.\")\npermit (principal, action, resource)\nwhen {{ {}true{} }}\nwhen {{ {}true }};\n",
        "(".repeat(30),
        ")".repeat(30),
        "true && ".repeat(2900)
    );
    let folder = Tarbac::with(&[("a.cedar", &policy)]);
    assert_eq!(folder.run(&["--policies", "a.cedar", "matrix"]).status, 0);
}

#[test]
fn byte_order_marks_and_carriage_returns() {
    let marked = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let folder = Tarbac::with(&[
        (
            "policies/custom/a.cedar",
            &marked(
                "@id(\"custom.a\")\n@doc(\"Everybody may update roles.\")\npermit (\n  principal,\n  action == Intune::Action::\"updateRoles\",\n  resource\n);\n",
            ),
        ),
        (
            "schema/custom/a.cedarschema",
            &marked(
                "@doc(\"More.\")\nnamespace More {\n  @doc(\"A thing.\")\n  entity Thing;\n}\n",
            ),
        ),
        ("entities/a.json", &marked(&entities(&tenant()))),
    ]);
    insta::assert_snapshot!(folder.run(&["validate", "--deny-warnings"]), @r#"
    policy::for_everybody

      ⚠ the policy `custom.a` permits everybody what it names
       ╭─[policies/custom/a.cedar:1:1]
     1 │ @id("custom.a")
       · ───────┬───────
       ·        ╰── this policy
     2 │ @doc("Everybody may update roles.")
       ╰────
      help: name in the scope who may, for example a role: `principal in Intune::Role::"…"`

    warnings: 1 warning
    rules: shipped-and-custom, revision …
    --- exit 1
    "#);
    insta::assert_snapshot!(folder.run(&["check", "bob@t.example", "Roles/Update", "t"]), @r#"
    ALLOW  custom.a
    --- exit 0
    "#);
}

#[test]
fn a_line_of_a_million_entities_is_shown_in_part() {
    let line = entities(&tenant())
        .replace('\n', " ")
        .replace("\"coManaged\"", "\"comanaged\"");
    let padding = " ".repeat(100_000);
    let folder = Tarbac::with(&[(
        "entities/a.json",
        &line.replacen('[', &format!("[{padding}"), 1),
    )]);
    insta::assert_snapshot!(folder.run(&["validate"]), @r#"
    entities::unknown_field

      × attribute `comanaged` of `ConfigMgr::Device::"d1"` is not in the schema
       ╭─[entities/a.json:1:100303]
     1 │ MgrRbac": false, "earlyUpdateRing": false}, "parents": []}, {"uid": {"type": "ConfigMgr::Device", "id": "d1"}, "attrs": {"name": "PC-1", "comanaged": false, "hierarchy": {"type": "ConfigMgr::Hierarchy", "id": "H"}}, "par
       ·                                                             ┬
       ·                                                             ╰── this entity
       ╰────
      help: did you mean `coManaged`?

    errors: 1 error
    --- exit 1
    "#);
}

/// What a terminal obeys, what turns the direction of writing, and what the runner of a workflow obeys.
const HOSTILE: &str =
    "\u{1b}[31m\u{202e}\n::error file=x::pwn\r##[error]pwn ##vso[task]x \u{2028}\u{9b}2J";

/// What no service tells of a tenant whose exports are read.
const TENANT: &str = r#"{"name": "t", "useIntuneRbac": true, "allowsUnlicensedAdministrators": false, "hierarchies": []}"#;

/// A workspace in which everything that can be called something is called so.
fn hostile() -> Tarbac {
    let json = |text: &str| serde_json::to_string(text).unwrap();
    let id = |id: &str| format!("{id}{HOSTILE}");
    let (hierarchy_id, role_id) = (id("H"), id("a"));
    let entities = crate::world::entities(&[
        tenant_entity("t", true),
        hierarchy(&hierarchy_id, "t", false),
        device(&id("d"), &id("PC"), &hierarchy_id),
        device(&id("e"), &id("PD"), &hierarchy_id),
        entity("Intune::Role", "Help Desk Operator", json!({}), &[]),
        assignment(
            &role_id,
            &[
                ("Intune::Role", "Help Desk Operator"),
                ("Intune::Tenant", "t"),
            ],
        ),
        user(
            &id("u"),
            &id("ana"),
            &[("Intune::RoleAssignment", &role_id)],
        ),
        user(&id("v"), &id("bob"), &[]),
    ]);
    let said = format!("Nobody.{}", HOSTILE.replace('\r', ""));
    let policy = format!(
        "@id(\"custom.h\")\n@doc(\"{said}\")\n@source(\"{said}\")\n@message(\"{said}\")\n@advice(\"{said}\")\nforbid (principal, action == Intune::Action::\"runScript\", resource)\nwhen {{ resource has name && resource.name like \"PD*\" }};\n"
    );
    let suite = format!(
        "suite: hostile\nsnapshot:\n  principals: all\n  actions: [Run script]\n  resources: all\ncases:\n- name: x\n  principal: {}\n  action: Run script\n  resource: {}\n  expect: deny\n",
        json(&format!("ana{HOSTILE}")),
        json(&format!("PC{HOSTILE}")),
    );
    Tarbac::with(&[
        ("entities/tenant.json", &entities),
        ("policies/custom/h.cedar", &policy),
        ("tests/a.yaml", &suite),
    ])
}

/// Nothing of what others wrote is obeyed by whoever shows an answer or an error.
#[test]
fn nothing_that_is_obeyed_is_passed_on() {
    let tarbac = hostile();
    #[cfg(unix)]
    tarbac.write(
        &format!("policies/custom/x{}.cedar", HOSTILE.replace('/', "")),
        format!("@id(\"custom.x\")\n@doc(\"{}\")\npermit (principal, action == Intune::Action::\"viewTimeline\", resource);\n", "x\u{1b}"),
    );
    let named = |name: &str| format!("{name}{HOSTILE}");
    let (ana, bob, pc, pd, no) = (
        named("ana"),
        named("bob"),
        named("PC"),
        named("PD"),
        named("no"),
    );
    let commands: &[&[&str]] = &[
        &["validate"],
        &["readings"],
        &["check", &ana, "Run script", &pc],
        &["check", &ana, "Run script", &pd],
        &["check", &ana, "Run script", &no],
        &["check", &no, "Run script", &pc],
        &["check", &ana, &no, &pc],
        &["check", "--requests", "-"],
        &["check", "--requests", &no],
        &["explain", &ana, "Run script", &pc],
        &["explain", &ana, "Run script", &pd],
        &["explain", &bob, "Run script", &pc],
        &["explain", &ana, "Run script", &pc, "--context", &no],
        &["who", "Run script", &pc],
        &["who", "Run script", &pd, "--may-not"],
        &["what", &ana],
        &["what", &ana, &pd],
        &["access"],
        &["what-if", "--use-intune-rbac", "off", "--plan"],
        &["what-if", "--set", &no],
        &["diff", &no],
        &["matrix", "--all"],
        &["test"],
        &["test", &no],
        &["test", "--coverage"],
        &["prove", &no],
        &["fmt", "--check"],
        &["role", "export", &no],
        &["import", &no, "--out", "out"],
        &["--policies", &no, "validate"],
        &["--reading", &no, "readings"],
        &["-C", &no, "validate"],
        &[&no],
        &["--format", &no, "validate"],
        &["validate", "--report", "markdown=-"],
        &["validate", "--report", "junit=-"],
        &["validate", "--report", "tap=-"],
        &["validate", "--report", "sarif=-"],
        &["test", "--report", "junit=-"],
        &["test", "--report", "tap=-"],
    ];
    let line = format!(
        "{{\"principal\": {0}, \"action\": {0}, \"resource\": {0}}}\n",
        serde_json::to_string(&no).unwrap()
    );
    let is_obeyed = |character: char| {
        let turns = matches!(character, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        (character.is_control() && character != '\n') || turns
    };
    for command in commands {
        for format in [
            "human", "json", "csv", "markdown", "ndjson", "html", "table",
        ] {
            let arguments = [&["--format", format][..], command].concat();
            let ran = tarbac.run_with(&arguments, line.as_bytes());
            for text in [&ran.stdout, &ran.stderr] {
                assert!(!text.contains(is_obeyed), "{arguments:?}: {text:?}");
                let is_command = |line: &str| line.trim_start().starts_with("::");
                assert!(!text.lines().any(is_command), "{arguments:?}: {text}");
                assert!(
                    !text.contains("##[") && !text.contains("##vso["),
                    "{arguments:?}: {text}"
                );
            }
        }
    }
    // One line is one line.
    let ran = tarbac.run(&["check", &ana, "Run script", &pd]);
    insta::assert_snapshot!(ran, @"
    DENY  custom.h — Nobody.�[31m��::error file=x::pwn#�#[error]pwn #�#vso[task]x ��2J
    --- exit 1
    ");
    // JSON says what it said.
    let ran = tarbac.run(&["--format", "json", "check", &ana, "Run script", &pd]);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let message = document["refusals"][0]["message"].as_str().unwrap();
    assert_eq!(message, format!("Nobody.{}", HOSTILE.replace('\r', "")));
    // Commands to the runner are what this report is for, and none is somebody else's.
    let ran = tarbac.run(&["validate", "--report", "github=-"]);
    let ours = ["::warning title=", "::error title="];
    assert!(
        ran.stdout
            .lines()
            .all(|line| ours.iter().any(|begin| line.starts_with(begin))),
        "{ran}"
    );
}

/// What should be a regular file, and is none.
#[cfg(unix)]
#[derive(Debug, Clone, Copy)]
enum Instead {
    Pipe,
    Zeros,
    Socket,
    Folder,
}

#[cfg(unix)]
impl Instead {
    const ALL: [Self; 4] = [Self::Pipe, Self::Zeros, Self::Socket, Self::Folder];

    fn put(self, path: &std::path::Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = std::fs::remove_file(path);
        match self {
            Self::Pipe => {
                let status = std::process::Command::new("mkfifo").arg(path).status();
                assert!(status.unwrap().success());
            }
            Self::Zeros => std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
            Self::Socket => drop(std::os::unix::net::UnixListener::bind(path).unwrap()),
            Self::Folder => std::fs::create_dir(path).unwrap(),
        }
    }
}

/// Whatever lies in the place of a file that is read: an error that names it, at once, and nothing is waited for.
#[cfg(unix)]
#[test]
fn every_reader_wants_a_regular_file() {
    const SUITE: &str =
        "suite: s\nsnapshot:\n  principals: all\n  actions: [Run script]\n  resources: all\n";
    // The file, and a command that reads it.
    let readers: &[(&str, &[&str])] = &[
        ("policies/custom/a.cedar", &["validate"]),
        ("policies/custom/links.json", &["validate"]),
        ("schema/custom/a.cedarschema", &["validate"]),
        ("entities/a.json", &["validate"]),
        ("tests/b.yaml", &["test"]),
        ("tests/a.snap", &["test"]),
        ("tests/a.snap", &["test", "--accept"]),
        ("tests/a.snap.new", &["test"]),
        ("tests/a.snap", &["review"]),
        ("tests/specs/a.cedar", &["prove"]),
        ("requests", &["check", "--requests", "requests"]),
        ("file", &["--policies", "file", "validate"]),
        ("file", &["--schema", "file", "validate"]),
        ("file", &["--entities", "file", "validate"]),
        ("file", &["fmt", "file"]),
        ("file", &["diff", "file"]),
        ("file", &["prove", "file"]),
        ("file", &["test", "--cedar", "file"]),
        (
            "exports/graph/users.json",
            &["import", "exports", "--out", "out"],
        ),
        (
            "exports/graph/groups.json",
            &["import", "exports", "--out", "out"],
        ),
    ];
    for (file, command) in readers {
        for instead in Instead::ALL {
            let is_folder = matches!(instead, Instead::Folder);
            // A folder may be named as well as a file, and one among exports is none of them.
            if is_folder && (command.contains(&"file") || file.starts_with("exports/")) {
                continue;
            }
            let tarbac = Tarbac::with_tenant(&[
                ("tests/a.yaml", SUITE),
                ("exports/tenant.json", TENANT),
                ("exports/graph/roleDefinitions.json", "[]"),
                ("exports/graph/roleAssignments.json", "[]"),
            ]);
            instead.put(&tarbac.path(file));
            let ran = tarbac.run_with(command, b"q\n");
            let says = |what: &str| ran.stderr.contains(what) || ran.stdout.contains(what);
            let is_named = file.rsplit('/').next().is_some_and(&says);
            let is_said = says("it is not a regular file")
                || is_folder && (says("folder") || says("directory"));
            assert!(
                ran.status == 2 && is_named && is_said,
                "{file} {instead:?} {command:?}: {ran}"
            );
        }
    }
}

/// A file that was saved as UTF-16, as Windows PowerShell does, is read, or says how to save it.
#[test]
fn utf16() {
    let utf16 = |text: &str| -> Vec<u8> {
        [0xfeff]
            .into_iter()
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect()
    };
    let big = |text: &str| -> Vec<u8> {
        [0xfeff]
            .into_iter()
            .chain(text.encode_utf16())
            .flat_map(u16::to_be_bytes)
            .collect()
    };
    let policy = "@id(\"custom.a\")\r\n@doc(\"Everybody may update roles, ä.\")\r\npermit (\r\n  principal,\r\n  action == Intune::Action::\"updateRoles\",\r\n  resource\r\n);\r\n";
    let suite = "suite: s\r\ncases:\r\n- name: x\r\n  principal: bob@t.example\r\n  action: Roles/Update\r\n  resource: t\r\n  expect: allow\r\n  because: any\r\n";
    let tarbac = Tarbac::with_tenant(&[]);
    tarbac.write("policies/custom/a.cedar", utf16(policy));
    tarbac.write("tests/a.yaml", utf16(suite));
    insta::assert_snapshot!(tarbac.run(&["check", "bob@t.example", "Roles/Update", "t"]), @"
    ALLOW  custom.a
    --- exit 0
    ");
    assert_eq!(tarbac.run(&["test"]).status, 0);
    tarbac.write("policies/custom/a.cedar", big(policy));
    assert_eq!(
        tarbac
            .run(&["check", "bob@t.example", "Roles/Update", "t"])
            .status,
        0
    );
    // Without a mark, or cut in the middle, it is no text.
    let texts: [&[u8]; 3] = [
        &utf16(policy)[2..],
        &utf16(policy)[..33],
        b"\xff\xfe\x00\xd8x\x00",
    ];
    for text in texts {
        tarbac.write("policies/custom/a.cedar", text);
        let ran = tarbac.run(&["validate"]);
        assert!(
            ran.status == 2 && ran.stderr.contains("save the file as UTF-8"),
            "{ran}"
        );
    }
    tarbac.write("policies/custom/a.cedar", policy);
    tarbac.write("entities/more.json", utf16("[]"));
    let ran = tarbac.run(&["validate"]);
    assert!(
        ran.stdout.contains("`entities/more.json` is UTF-16"),
        "{ran}"
    );
    std::fs::remove_file(tarbac.path("entities/more.json")).unwrap();
    tarbac.write("requests", utf16("{}\n"));
    let ran = tarbac.run(&["check", "--requests", "requests"]);
    assert!(ran.stdout.contains("UTF-16; save it as UTF-8"), "{ran}");
}

/// However much is wrong, a message quotes a few lines of it.
#[test]
fn messages_are_short() {
    let long = "x".repeat(1_000_000);
    let quoted = format!("\"{long}\"");
    let files: &[(&str, &str, &[&str])] = &[
        ("policies/custom/a.cedar", &quoted, &["validate"]),
        (
            "policies/custom/a.cedar",
            &format!("@id({quoted})\npermit (principal, action, resource);"),
            &["validate"],
        ),
        (
            "policies/custom/a.cedar",
            &format!(
                "@id(\"custom.a\") @{long}(\"\")\npermit (principal, action, resource) when {{ principal.nothing }};"
            ),
            &["validate"],
        ),
        ("policies/custom/a.json", &quoted, &["validate"]),
        (
            "policies/custom/a.json",
            &format!("[{{\"template_id\": {quoted}, \"link_id\": \"x\", \"args\": {{}}}}]"),
            &["validate"],
        ),
        ("schema/custom/a.cedarschema", &quoted, &["validate"]),
        (
            "schema/custom/a.cedarschema",
            &format!("entity A in {long};"),
            &["validate"],
        ),
        ("entities/a.json", &quoted, &["validate"]),
        ("entities/a.json", &format!("[{quoted}]"), &["validate"]),
        (
            "entities/a.json",
            &format!("[{{{quoted}: 1}}]"),
            &["validate"],
        ),
        (
            "entities/a.json",
            &format!("[{{\"uid\": {{\"type\": {quoted}, \"id\": {quoted}}}}}]"),
            &["validate"],
        ),
        ("tests/a.yaml", &quoted, &["test"]),
        ("tests/a.yaml", &format!("{long}: 1"), &["test"]),
        (
            "tests/a.yaml",
            &format!(
                "suite: s\ncases:\n- name: x\n  principal: {long}\n  action: {long}\n  resource: {long}\n  expect: {long}\n"
            ),
            &["test"],
        ),
        (
            "tests/a.yaml",
            &format!(
                "suite: s\ncases:\n- name: x\n  principal: {long}\n  action: Run script\n  resource: PC-1\n  expect: deny\n"
            ),
            &["test"],
        ),
        ("tests.json", &quoted, &["test", "--cedar", "tests.json"]),
        (
            "tests.json",
            &format!("[{quoted}]"),
            &["test", "--cedar", "tests.json"],
        ),
        (
            "tests.json",
            &format!("[{{{quoted}: 1}}]"),
            &["test", "--cedar", "tests.json"],
        ),
        (
            "exports/graph/users.json",
            &quoted,
            &["import", "exports", "--out", "out"],
        ),
        (
            "exports/graph/roleDefinitions.json",
            &format!("[{quoted}]"),
            &["import", "exports", "--out", "out"],
        ),
        (
            "exports/graph/roleDefinitions.json",
            &format!("{{\"error\": {{\"message\": {quoted}}}}}"),
            &["import", "exports", "--out", "out"],
        ),
        (
            "requests",
            &format!(
                "{{\"principal\": \"{}\", \"action\": \"x\", \"resource\": \"x\"}}\n",
                &long[..900_000]
            ),
            &["check", "--requests", "requests"],
        ),
        (
            "requests",
            &format!("{{\"principal\": {{\"{}\": 1}}}}\n", &long[..900_000]),
            &["check", "--requests", "requests"],
        ),
    ];
    for (file, text, command) in files {
        for format in ["human", "json"] {
            let tarbac = Tarbac::with_tenant(&[("exports/tenant.json", TENANT), (file, text)]);
            let ran = tarbac.run(&[&["--format", format][..], command].concat());
            let length = ran.stdout.len() + ran.stderr.len();
            assert!(
                length < 40_000,
                "{file} {command:?} {}: {length}",
                &text[..100]
            );
        }
    }
}

/// An export of a few kilobytes may unpack to a text without an end.
#[test]
fn a_record_without_an_end_is_refused() {
    use std::io::Write;
    let gzip = |beginning: &[u8], count: usize| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(beginning).unwrap();
        for _ in 0..count {
            packed.write_all(&[b'x'; 1 << 20]).unwrap();
        }
        packed.finish().unwrap()
    };
    let folder = Tarbac::with(&[
        ("exports/tenant.json", TENANT),
        ("exports/graph/roleAssignments.json", "[]"),
    ]);
    folder.write(
        "exports/graph/roleDefinitions.json.gz",
        gzip(b"{\"value\": [{\"id\": \"", 80),
    );
    let ran = folder.run(&["import", "exports", "--out", "out"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains("graph/roleDefinitions.json.gz`: its first record"),
        "{ran}"
    );
    assert!(ran.stderr.contains("is longer than 32 MiB"), "{ran}");
    folder.write("exports/graph/roleDefinitions.json.gz", gzip(b"", 80));
    let ran = folder.run(&["import", "exports", "--out", "out"]);
    assert_eq!(ran.status, 2, "{ran}");
    // So may the entities of a workspace, which are not packed.
    folder.write(
        "entities/a.json",
        [&b"[{\"uid\": \""[..], &vec![b'x'; 20 << 20]].concat(),
    );
    let ran = folder.run(&["validate"]);
    assert!(
        ran.stdout
            .contains("`entities/a.json` has an entity larger than 16 MiB"),
        "{ran}"
    );
}

/// There may be more files than a program may have open.
#[cfg(unix)]
#[test]
fn many_files_are_opened_one_after_the_other() {
    let tarbac = Tarbac::with_tenant(&[]);
    for number in 0..300 {
        tarbac.write(
            &format!("entities/more/{number}.json"),
            crate::world::entities(&[device(&format!("m{number}"), &format!("M-{number}"), "H")]),
        );
    }
    let mut command = std::process::Command::new("sh");
    let program = env!("CARGO_BIN_EXE_tarbac");
    let ran = command
        .args([
            "-c",
            "ulimit -n 64; exec \"$0\" check ana@t.example 'Run script' M-299",
            program,
        ])
        .current_dir(tarbac.path(""))
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
}

/// Help and the version are answers like any other: whoever cannot have them is told.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_has_no_help() {
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["check", "--help"],
        &["man"],
        &["completions", "bash"],
        &["readings"],
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let ran = crate::tarbac::command(&crate::tarbac::contoso_folder())
            .args(arguments)
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(said.starts_with("cannot write the answer: "), "{said}");
        // Whoever closes the pipe has seen enough.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = crate::tarbac::command(&crate::tarbac::contoso_folder())
            .args(arguments)
            .stdout(writer)
            .output()
            .unwrap();
        assert_eq!(
            (ran.status.code(), &*ran.stderr),
            (Some(2), &b""[..]),
            "{arguments:?}"
        );
    }
}

#[test]
fn characters_that_a_terminal_obeys_are_not_passed_on() {
    let folder = Tarbac::with(&[("policies/a.cedar", "\u{1b}[2J permit")]);
    assert!(!folder.run(&["validate"]).stdout.contains('\u{1b}'));
}
