//! Specs with mistakes, and specs that say nothing.

use super::{does_not_hold, holds, spec, with_specs};
use crate::solver::{prove, solver_or_return};

#[test]
fn a_spec_is_about_the_reading_that_it_names() {
    let solver = solver_or_return!();
    let either = |id: &str, effect: &str, holds: &str| {
        spec(
            id,
            effect,
            "viewClientDetails",
            "when { principal has configMgr && !principal.cloudOnly && principal has accountEnabled && principal.accountEnabled && principal.tenant == resource.hierarchy.tenant && principal in principal.tenant && !resource.hierarchy.tenant.useIntuneRbac && principal.configMgr.discoveredByEntra.contains(resource.hierarchy) && !principal.configMgr.discoveredByActiveDirectory.contains(resource.hierarchy) && resource in principal.configMgr.read }",
        )
        .replace(
            "@doc",
            &format!("@reading(\"discovery-either\")\n@holds(\"{holds}\")\n@doc"),
        )
    };
    let workspace = with_specs(&[either("on", "permit", "on"), either("off", "forbid", "off")]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 0, "{ran}");
    // Whatever is switched on the command line, a spec is about the reading it names.
    let ran = prove(&workspace, &solver, &["--reading", "discovery-either"]);
    assert_eq!(ran.status, 0, "{ran}");
    let workspace = with_specs(&[either("on", "permit", "off"), either("off", "forbid", "on")]);
    let ran = prove(&workspace, &solver, &[]);
    assert!(ran.stdout.contains("2 of 2 specs refuted"), "{ran}");
}

#[test]
fn mistakes_in_specs_are_told() {
    let workspace = with_specs(&[
        "@id(\"no-doc\") forbid (principal, action == Intune::Action::\"viewScripts\", resource);\n"
            .to_owned(),
        "@id(\"advice\") @doc(\"x\") @advice(\"y\") forbid (principal, action, resource);\n"
            .to_owned(),
        "@id(\"same\") @doc(\"x\") permit (principal is Intune::Tenant, action, resource);\n"
            .to_owned(),
        "@id(\"reading\") @doc(\"x\") @reading(\"nothing\") @holds(\"on\") forbid (principal, action, resource);\n"
            .to_owned(),
        "@id(\"half\") @doc(\"x\") @reading(\"any-intune-role\") forbid (principal, action, resource);\n"
            .to_owned(),
        "@id(\"what\") @doc(\"x\") @regardless_of(\"resource.hierarchy.tenant\") forbid (principal, action == Intune::Action::\"viewScripts\", resource);\n"
            .to_owned(),
        "@id(\"permit\") @doc(\"x\") @regardless_of(\"any-intune-role\") permit (principal, action == Intune::Action::\"viewScripts\", resource);\n"
            .to_owned(),
        "@id(\"looks\") @doc(\"x\") @regardless_of(\"principal.cloudOnly\") forbid (principal, action == Intune::Action::\"viewScripts\", resource) when { principal.cloudOnly };\n"
            .to_owned(),
        "@id(\"question\") @doc(\"x\") permit (principal, action == Tarbac::Action::\"authority\", resource);\n"
            .to_owned(),
        "@id(\"answer\") @doc(\"x\") @authority(\"intune\") permit (principal, action == Intune::Action::\"viewScripts\", resource);\n"
            .to_owned(),
        "@id(\"type\") @doc(\"x\") permit (principal, action == Intune::Action::\"viewScripts\", resource) when { principal.nothing };\n"
            .to_owned(),
    ]);
    let ran = workspace.run(&["prove", "--solver", "/nowhere"]);
    assert_eq!(ran.status, 2);
    insta::assert_snapshot!(ran);
    assert_eq!(workspace.run(&["validate"]).status, 1);
}

#[test]
fn specs_that_say_nothing_are_warned_about() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[
        spec(
            "nobody",
            "forbid",
            "viewScripts",
            "when { principal.cloudOnly && !principal.cloudOnly }",
        ),
        spec(
            "misspelt",
            "forbid",
            "viewScripts",
            "when { principal in Intune::Role::\"Help Desk\" && principal.tenant != resource.hierarchy.tenant }",
        ),
    ]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 0, "{ran}");
    insta::assert_snapshot!(ran);
    assert_eq!(prove(&workspace, &solver, &["--deny-warnings"]).status, 1);
}

/// Two questions that only look like permissions: the name of a group, and a group with a question
/// in it.
#[test]
fn specs_about_nothing_or_about_too_much_are_refused() {
    let solver = solver_or_return!();
    let about = |scope: &str, more: &str| {
        format!(
            "@id(\"group\")\n@doc(\"Group.\")\n{more}forbid (principal, action {scope}, resource);\n"
        )
    };
    let group = "== Intune::Action::\"cloudAttachedDevices\"";
    let workspace = with_specs(&[about(group, "")]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("is about no request"), "{ran}");
    let group = "in Intune::Action::\"ours\"";
    let workspace = with_specs(&[about(group, "@code(\"x\")\n")]);
    let asked = "appliesTo { principal: Entra::User, resource: ConfigMgr::Device, context: Intune::RequestContext };";
    workspace.write(
        "schema/custom/shown.cedarschema",
        format!(
            "namespace Intune {{\n  @doc(\"Ours.\")\n  action ours;\n  @doc(\"Rings.\")\n  @unguarded(\"It is heard by all.\")\n  action ring in [ours] {asked}\n}}\nnamespace Tarbac {{\n  @doc(\"What is shown.\")\n  action shown in [Intune::Action::\"ours\"] {asked}\n}}\n"
        ),
    );
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains("about a question and about permissions"),
        "{ran}"
    );
}

#[test]
fn a_filter_that_leaves_nothing_is_an_error() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[holds(), does_not_hold()]);
    assert_eq!(
        prove(&workspace, &solver, &["--filter", "own-tenant"]).status,
        0
    );
    assert_eq!(
        prove(&workspace, &solver, &["--filter", "nothing"]).status,
        2
    );
    assert_eq!(
        prove(&workspace, &solver, &["tests/specs/none.cedar"]).status,
        2
    );
}
