//! Files that are not what they should be: one clear error each, and no end of the process.

mod files;
mod nesting;
mod terminal;

use std::fs::File;

use crate::tarbac::Tarbac;
use crate::world::{entities, tenant};

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
fn a_file_that_is_not_utf8_is_named() {
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

/// What no service tells of a tenant whose exports are read.
const TENANT: &str = r#"{"name": "t", "useIntuneRbac": true, "allowsUnlicensedAdministrators": false, "hierarchies": []}"#;

/// A file that was saved as UTF-16, as Windows PowerShell does, is read, or says how to save it.
#[test]
fn a_file_in_utf16_is_read_or_says_how_to_save_it() {
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

/// A file by its path, texts that it may hold, and the command that reads it.
type Overlong = (&'static str, Vec<String>, &'static [&'static str]);

/// Rules and entities with a word that is too long.
fn overlong_workspaces(long: &str, quoted: &str) -> Vec<Overlong> {
    let validate: &[&str] = &["validate"];
    let policies = vec![
        quoted.to_owned(),
        format!("@id({quoted})\npermit (principal, action, resource);"),
        format!(
            "@id(\"custom.a\") @{long}(\"\")\npermit (principal, action, resource) when {{ principal.nothing }};"
        ),
    ];
    let links = vec![
        quoted.to_owned(),
        format!("[{{\"template_id\": {quoted}, \"link_id\": \"x\", \"args\": {{}}}}]"),
    ];
    let schemas = vec![quoted.to_owned(), format!("entity A in {long};")];
    let entities = vec![
        quoted.to_owned(),
        format!("[{quoted}]"),
        format!("[{{{quoted}: 1}}]"),
        format!("[{{\"uid\": {{\"type\": {quoted}, \"id\": {quoted}}}}}]"),
    ];
    vec![
        ("policies/custom/a.cedar", policies, validate),
        ("policies/custom/a.json", links, validate),
        ("schema/custom/a.cedarschema", schemas, validate),
        ("entities/a.json", entities, validate),
    ]
}

/// Tests, exports and requests with a word that is too long.
fn overlong_inputs(long: &str, quoted: &str) -> Vec<Overlong> {
    let case = |principal: &str, action: &str, resource: &str, expect: &str| {
        format!(
            "suite: s\ncases:\n- name: x\n  principal: {principal}\n  action: {action}\n  resource: {resource}\n  expect: {expect}\n"
        )
    };
    let suites = vec![
        quoted.to_owned(),
        format!("{long}: 1"),
        case(long, long, long, long),
        case(long, "Run script", "PC-1", "deny"),
    ];
    let tests = vec![
        quoted.to_owned(),
        format!("[{quoted}]"),
        format!("[{{{quoted}: 1}}]"),
    ];
    let roles = vec![
        format!("[{quoted}]"),
        format!("{{\"error\": {{\"message\": {quoted}}}}}"),
    ];
    let part = &long[..900_000];
    let requests = vec![
        format!("{{\"principal\": \"{part}\", \"action\": \"x\", \"resource\": \"x\"}}\n"),
        format!("{{\"principal\": {{\"{part}\": 1}}}}\n"),
    ];
    let import: &[&str] = &["import", "exports", "--out", "out"];
    vec![
        ("tests/a.yaml", suites, &["test"]),
        ("tests.json", tests, &["test", "--cedar", "tests.json"]),
        ("exports/graph/users.json", vec![quoted.to_owned()], import),
        ("exports/graph/roleDefinitions.json", roles, import),
        ("requests", requests, &["check", "--requests", "requests"]),
    ]
}

/// However much is wrong, a message quotes a few lines of it.
#[test]
fn messages_are_short() {
    let long = "x".repeat(1_000_000);
    let quoted = format!("\"{long}\"");
    let workspaces = overlong_workspaces(&long, &quoted).into_iter();
    for (file, texts, command) in workspaces.chain(overlong_inputs(&long, &quoted)) {
        for text in texts {
            is_told_in_short(file, &text, command);
        }
    }
}

fn is_told_in_short(file: &str, text: &str, command: &[&str]) {
    for format in ["human", "json"] {
        let tarbac = Tarbac::with_tenant(&[("exports/tenant.json", TENANT), (file, text)]);
        let ran = tarbac.run(&[&["--format", format][..], command].concat());
        let length = ran.stdout.len() + ran.stderr.len();
        let beginning = &text[..100];
        assert!(length < 40_000, "{file} {command:?} {beginning}: {length}");
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
