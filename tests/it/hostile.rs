//! Files that are not what they should be: one clear error each, and no end of the process.

use std::fs::File;

use crate::tarbac::{Tarbac, tenant};

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
    {"decision":"indeterminate","basis":"error","authority":null,"policies":[],"errors":["the line is longer than 1048576 bytes"],"notices":[],"messages":[],"readings":["any-intune-role","entra-administrators"]}
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
    --- exit 2
    "#);
    insta::assert_snapshot!(folder.run(&["--schema", "a.cedar", "validate"]), @r#"
    --- stderr
    workspace::unreadable

      × cannot read `a.cedar`: it is not UTF-8: invalid utf-8 sequence of 1 bytes from index 5
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
        ("entities/a.json", &marked(&tenant())),
    ]);
    insta::assert_snapshot!(folder.run(&["validate", "--deny-warnings"]), @r#"
    ok: no findings
    --- exit 0
    "#);
    insta::assert_snapshot!(folder.run(&["check", "bob@t.example", "Roles/Update", "t"]), @r#"
    ALLOW  custom.a
    --- exit 0
    "#);
}

#[test]
fn a_line_of_a_million_entities_is_shown_in_part() {
    let line = tenant()
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

#[test]
fn characters_that_a_terminal_obeys_are_not_passed_on() {
    let folder = Tarbac::with(&[("policies/a.cedar", "\u{1b}[2J permit")]);
    assert!(!folder.run(&["validate"]).stdout.contains('\u{1b}'));
}
