//! Who is in authority: nobody, some, two, or nobody knows.

use serde_json::json;

use super::{EVERYTHING, MANIFEST, check};
use crate::tarbac::{Ran, Tarbac};
use crate::world::{device, entities, entity, hierarchy};

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
        (authority("forbid", ""), "takes away the answers"),
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
            "takes away the answers",
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

fn validate(workspace: &Tarbac) -> Ran {
    workspace.run(&["validate", "--format", "json"])
}

fn is_told_of_two(ran: &Ran) -> bool {
    ran.status == 1 && ran.stdout.contains("\"code\": \"policy::two_authorities\"")
}

fn answer(id: &str, name: &str, condition: &str) -> String {
    let head = format!("@authority(\"{name}\")\npermit");
    authority(&head, condition).replace("authority.ours", id)
}

/// What makes every decision indeterminate is an error of `validate`: the rules that ship answer always.
#[test]
fn an_authority_beside_the_one_that_ships_is_an_error_of_validate() {
    for (name, condition) in [
        ("configmgr", ""),
        ("intune", ""),
        ("both", "when { resource.hierarchy.version == 2403 }"),
        ("both", "when { principal == Entra::User::\"u1\" }"),
    ] {
        let policy = answer("custom.authority", name, condition);
        let workspace = Tarbac::with_tenant(&[("policies/custom/x.cedar", &policy)]);
        let ran = validate(&workspace);
        assert!(is_told_of_two(&ran), "{condition} {ran}");
        assert!(ran.stdout.contains("custom.authority"), "{ran}");
        let ran = check(&workspace, &[], ["ana@t.example", "runScript", "PC-1"]);
        assert_eq!(ran.status, 2, "{ran}");
    }
    // One without a name is a second answer too.
    let policy = authority("permit", "").replace("authority.ours", "custom.authority");
    let workspace = Tarbac::with_tenant(&[("policies/custom/x.cedar", &policy)]);
    assert!(is_told_of_two(&validate(&workspace)));
    let ran = workspace.run(&["prove"]);
    assert_eq!(ran.status, 2, "{ran}");
}

const OLD: &str = "when { resource.hierarchy.version < 2403 }";

const NEW: &str = "when { resource.hierarchy.version >= 2403 }";

const BY_DEVICE: &str = "when { context has device && context.device.name == \"PC-1\" }";

/// Whether the rules say so, or the directory.
#[test]
fn two_authorities_are_an_error_of_validate() {
    for (one, other, is_told) in [
        (OLD, NEW, false),
        ("", NEW, true),
        ("", "", true),
        (OLD, OLD, true),
        ("when { resource.hierarchy.version >= 2207 }", NEW, true),
        (
            "when { resource.name like \"PC*\" }",
            "when { !resource.coManaged }",
            true,
        ),
        (NEW, "unless { principal.cloudOnly }", false),
        (NEW, "when { principal.cloudOnly }", true),
        (NEW, BY_DEVICE, true),
        (OLD, BY_DEVICE, false),
    ] {
        let workspace = without_authority();
        let policies = answer("a.one", "intune", one) + &answer("a.two", "configmgr", other);
        workspace.write("policies/authority.cedar", policies);
        let ran = validate(&workspace);
        assert_eq!(is_told_of_two(&ran), is_told, "{one} / {other}: {ran}");
        let ran = check(&workspace, &[], ["ana@t.example", "runScript", "PC-1"]);
        assert_eq!(ran.status == 2, is_told, "{one} / {other}: {ran}");
    }
}

#[test]
fn an_authority_of_a_reading_that_is_off_answers_nothing() {
    let workspace = without_authority();
    let policies = answer("a.one", "intune", "")
        + &answer("a.two", "configmgr", "").replace(
            "@authority",
            "@source(\"x\")\n@reading(\"two\")\n@holds(\"on\")\n@default(\"off\")\n@authority",
        );
    workspace.write("policies/authority.cedar", policies);
    assert!(!is_told_of_two(&validate(&workspace)));
    let on = ["--reading", "two", "validate", "--format", "json"];
    assert!(is_told_of_two(&workspace.run(&on)));
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
