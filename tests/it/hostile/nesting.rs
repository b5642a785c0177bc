//! Texts that are nested deeply or have long words.

use crate::tarbac::Tarbac;

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
