//! Findings about schemas and manifests.

use crate::tarbac::{Ran, Tarbac};

/// The findings about a schema file beside the ones that ship.
fn schema(text: &str) -> Ran {
    Tarbac::with(&[("schema/custom/x.cedarschema", text)]).run(&["validate"])
}

#[test]
fn schema_syntax() {
    insta::assert_snapshot!(schema("entity X = {\n  a Long\n};\n"), @r#"
    schema::syntax

      × error parsing schema: unexpected token `Long`
       ╭─[schema/custom/x.cedarschema:2:5]
     1 │ entity X = {
     2 │   a Long
       ·     ──┬─
       ·       ╰── expected `:` or `?`
     3 │ };
       ╰────

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn schema_conflict() {
    insta::assert_snapshot!(schema("@doc(\"Again.\")\nnamespace Entra {\n  @doc(\"Again.\")\n  entity User;\n}\n"), @r#"
    schema::conflict

      × duplicate entity type `Entra::User`
       ╭─[shipped/schema/configmgr.cedarschema:1:1]
     1 │ // What Configuration Manager knows: hierarchies with their checkbox, collections, devices,
       · ▲
       · ╰── one of these files
     2 │ // and what its own role-based access control grants to a person.
       ╰────
       ╭─[shipped/schema/entra.cedarschema:1:1]
     1 │ // Who asks: people, the groups they are in, and the directory roles they hold.
       · ▲
       · ╰── one of these files
       ╰────
       ╭─[shipped/schema/intune.cedarschema:1:1]
     1 │ // What Intune knows: the tenant with its toggle, roles, who is assigned which, and the permissions.
       · ▲
       · ╰── one of these files
       ╰────
       ╭─[shipped/schema/tarbac.cedarschema:1:1]
     1 │ // What tarbac asks the policies besides "may this person do this": questions whose answers
       · ▲
       · ╰── one of these files
       ╰────
       ╭─[schema/custom/x.cedarschema:1:1]
     1 │ @doc("Again.")
       · ▲
       · ╰── one of these files
     2 │ namespace Entra {
       ╰────
      help: the schema that ships is in force too; where these files are meant in place of what ships, say so in a file
            `tarbac.yaml` in their folder, with the line `replaces: shipped`

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn schema_missing_doc() {
    insta::assert_snapshot!(schema("@doc(\"More.\")\nnamespace More {\n  entity Thing;\n}\n"), @r#"
    schema::missing_doc

      ⚠ the entity type `More::Thing` has no `@doc`
       ╭─[schema/custom/x.cedarschema:3:3]
     2 │ namespace More {
     3 │   entity Thing;
       ·   ──────┬─────
       ·         ╰── declared here
     4 │ }
       ╰────
      help: say in one sentence what it is: `@doc("…")`

    warnings: 1 warning
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
}

#[test]
fn schema_annotation() {
    insta::assert_snapshot!(schema("@doc(\"More.\")\n@unless_stated(\"nothing\")\nentity Thing;\n"), @r#"
    schema::annotation

      ⚠ `@unless_stated` of the entity type `Thing` says `nothing`, which is no entity
       ╭─[schema/custom/x.cedarschema:3:1]
     2 │ @unless_stated("nothing")
     3 │ entity Thing;
       · ──────┬─────
       ·       ╰── declared here
       ╰────
      help: name the entity with its type: `Type::"id"`

    warnings: 1 warning
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
}

#[test]
fn schema_nesting() {
    insta::assert_snapshot!(schema(&format!("entity X {{ a: {}Long{} }};\n", "Set<".repeat(40), ">".repeat(40))), @r#"
    schema::nesting

      × brackets are nested more than 32 deep
       ╭─[schema/custom/x.cedarschema:1:142]
     1 │ <Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Set<Long>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>> };
       ·                                                             ┬
       ·                                                             ╰── here
       ╰────
      help: write it flatter

    errors: 1 error
    --- exit 1
    "#);
}

#[test]
fn schema_warning() {
    insta::assert_snapshot!(schema("@doc(\"More.\")\nnamespace More {\n  @doc(\"A thing.\")\n  entity Long;\n}\n"), @r#"
    schema::warning

      ⚠ The name `Long` shadows a builtin Cedar name. You'll have to refer to the builtin as `__cedar::Long`.
       ╭─[schema/custom/x.cedarschema:4:10]
     3 │   @doc("A thing.")
     4 │   entity Long;
       ·          ──┬─
       ·            ╰── here
     5 │ }
       ╰────

    warnings: 1 warning
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
}

#[test]
fn manifest_syntax() {
    let manifest = |text: &str| Tarbac::with(&[("policies/tarbac.yaml", text)]).run(&["validate"]);
    insta::assert_snapshot!(manifest("# Ours.\nreplace: shipped\n"), @"
    manifest::syntax

      × `replace` is no key of a manifest
       ╭─[policies/tarbac.yaml:2:1]
     1 │ # Ours.
     2 │ replace: shipped
       · ───┬───
       ·    ╰── in this manifest
       ╰────
      help: a manifest is the line `replaces: shipped`, and says that the files beside it are in force and none of those
            that ship

    errors: 1 error
    --- exit 1
    ");
    for text in [
        "",
        "# replaces: shipped\n",
        "replaces:\n",
        "replaces: yes\n",
        "replaces: true\n",
        "replaces: Shipped\n",
        "replaces: [shipped]\n",
        "replaces: shipped\nreplaces: shipped\n",
        "replaces: shipped\nversion: 1\n",
        "replaces: shipped\n---\nreplaces: shipped\n",
        "Replaces: shipped\n",
        "- replaces: shipped\n",
        "shipped\n",
    ] {
        let ran = manifest(text);
        assert_eq!(ran.status, 1, "{ran}");
        assert!(ran.stdout.contains("manifest::syntax"), "{text:?} {ran}");
        assert!(
            ran.stdout.contains("[policies/tarbac.yaml:"),
            "{text:?} {ran}"
        );
    }
}

#[test]
fn manifest_misplaced() {
    insta::assert_snapshot!(Tarbac::with(&[
        ("schema/custom/tarbac.yaml", "replaces: shipped\n"),
    ]).run(&["validate"]), @"
    manifest::misplaced

      × `schema/custom/tarbac.yaml` is not read: a manifest stands in `schema` itself
       ╭─[schema/custom/tarbac.yaml:1:1]
       ╰────
      help: move it there, or remove it

    errors: 1 error
    --- exit 1
    ");
}

#[test]
fn schema_shared_name() {
    let schema = "\
@doc(\"d\") @authzen(\"thing\") entity User;
@doc(\"d\") @authzen(\"thing\") entity Door;
@doc(\"d\") action open appliesTo { principal: User, resource: Door };
";
    let workspace = Tarbac::with(&[("schema/two.cedarschema", schema)]);
    insta::assert_snapshot!(workspace.run(&["validate"]), @r#"
    schema::shared_name

      × the name `thing` stands for `Door` and `User`
       ╭─[schema/two.cedarschema:2:29]
     2 │ @doc("d") @authzen("thing") entity Door;
       ·                             ─────┬─────
       ·                                  ╰── one of them
     3 │ @doc("d") action open appliesTo { principal: User, resource: Door };
       ╰────
       ╭─[schema/two.cedarschema:1:29]
     1 │ @doc("d") @authzen("thing") entity User;
       ·                             ─────┬─────
       ·                                  ╰── one of them
     2 │ @doc("d") @authzen("thing") entity Door;
       ╰────
      help: give each entity type a name of its own: `@authzen("…")`

    errors: 1 error
    --- exit 1
    "#);
}

/// What is wrong in a schema of one's own is not that it clashes with the one that ships.
#[test]
fn an_error_in_another_schema_is_told_of_it_alone() {
    let text = "entity User { boss: Nobody };\nentity Doc;\naction view appliesTo { principal: User, resource: Doc };\n";
    let workspace = Tarbac::with(&[
        ("x.cedarschema", text),
        ("x.cedar", "permit (principal, action, resource);\n"),
    ]);
    let named = ["--policies", "x.cedar", "--schema", "x.cedarschema"];
    let ran = workspace.run(&[&named[..], &["validate"]].concat());
    assert_eq!(ran.status, 1, "{ran}");
    assert!(
        ran.stdout.contains("failed to resolve type: Nobody"),
        "{ran}"
    );
    assert!(!ran.stdout.contains("shipped/"), "{ran}");
    assert!(!ran.stdout.contains("replaces: shipped"), "{ran}");
}
