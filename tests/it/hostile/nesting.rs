//! Texts that are nested deeply or have long words.

use crate::tarbac::Tarbac;

fn deep(open: &str, close: &str) -> String {
    format!(
        "@id(\"a\")\n@doc(\"Deep.\")\npermit (principal, action, resource)\nwhen {{ {}true{} }};\n",
        open.repeat(20_000),
        close.repeat(20_000)
    )
}

#[test]
fn deep_nesting_of_a_policy_is_shown_where_it_is() {
    let folder = Tarbac::with(&[("brackets.cedar", &deep("(", ")"))]);
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
}

#[test]
fn deep_nesting_of_policies_stops_whatever_reads_them() {
    let clauses = " when { true }".repeat(20_000);
    for policies in [
        deep("[", "]"),
        deep("true && ", ""),
        deep("if true then true else ", ""),
        format!("@id(\"a\")\npermit (principal, action, resource){clauses};"),
    ] {
        let folder = Tarbac::with(&[("deep.cedar", &policies)]);
        let is_refused = |status: i32, text: &str, expected: i32| {
            let beginning = &policies[..100];
            assert_eq!(status, expected, "{beginning}: {text}");
            assert!(text.starts_with("policy::nesting"), "{beginning}: {text}");
        };
        let ran = folder.run(&["--policies", "deep.cedar", "validate"]);
        is_refused(ran.status, &ran.stdout, 1);
        let ran = folder.run(&["fmt", "deep.cedar"]);
        is_refused(ran.status, &ran.stderr, 2);
    }
}

#[test]
fn deep_nesting_of_a_schema_is_refused() {
    let (open, close) = ("Set<".repeat(20_000), ">".repeat(20_000));
    let schema = format!("entity X {{ a: {open}Long{close} }};");
    let folder = Tarbac::with(&[("sets.cedarschema", &schema)]);
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
}

#[test]
fn deep_nesting_of_entities_is_refused() {
    let attributes = format!("[{{\"uid\": {}", "{\"a\":".repeat(100_000));
    let folder = Tarbac::with(&[
        ("deep.json", &"[".repeat(100_000)),
        ("attributes.json", &attributes),
    ]);
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
fn a_long_word_is_read_to_its_end() {
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
