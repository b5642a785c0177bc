//! What is found of the policies without any spec: those that can fail or change nothing.

use super::{holds, spec, with_specs};
use crate::solver::{prove, solver_or_return};
use crate::tarbac::Tarbac;

#[test]
fn what_makes_no_difference() {
    let solver = solver_or_return!();
    let all = "viewCollections runScript rotateBitLockerKeys";
    let regardless = |id: &str, of: &str, conditions: &str| {
        spec(id, "forbid", all, conditions)
            .replace("@doc", &format!("@regardless_of(\"{of}\")\n@doc"))
    };
    let checkbox = "resource.hierarchy.enforceConfigMgrRbac";
    let workspace = with_specs(&[
        regardless(
            "off",
            checkbox,
            "unless { resource.hierarchy.tenant.useIntuneRbac }",
        ),
        regardless(
            "old",
            checkbox,
            "when { resource.hierarchy.version < 2207 }",
        ),
        regardless(
            "intune",
            "principal.configMgr",
            "when { resource.hierarchy.tenant.useIntuneRbac && !resource.hierarchy.enforceConfigMgrRbac && resource.hierarchy.version >= 2207 }",
        ),
        regardless("name", "resource.operatingSystem", ""),
    ]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 0, "{ran}");
    let workspace = with_specs(&[regardless(
        "on",
        checkbox,
        "when { resource.hierarchy.tenant.useIntuneRbac && resource.hierarchy.version >= 2207 && principal.cloudOnly && principal in Intune::Role::\"Read Only Operator\" && principal.tenant == resource.hierarchy.tenant }",
    )]);
    insta::assert_snapshot!(prove(&workspace, &solver, &[]));
}

/// A custom policy for people in the role r.
fn custom(id: &str, effect: &str, conditions: &str) -> String {
    let more = match effect {
        "forbid" => "@message(\"No.\")\n@advice(\"None.\")\n",
        _ => "",
    };
    format!(
        "@id(\"custom.{id}\")\n@doc(\"The policy {id}.\")\n{more}{effect} (\n  principal in Intune::Role::\"r\",\n  action == Intune::Action::\"viewScripts\",\n  resource\n){conditions};\n\n"
    )
}

#[test]
fn policies_that_are_there_for_nothing_or_can_fail() {
    let solver = solver_or_return!();
    let policies = [
        custom("all", "permit", "\nwhen { principal.cloudOnly }"),
        custom(
            "some",
            "permit",
            "\nwhen { principal.cloudOnly && resource.coManaged }",
        ),
        // Two that make each other redundant: one of them is, and not both.
        custom(
            "twice",
            "permit",
            "\nwhen { resource.hierarchy.earlyUpdateRing }",
        ),
        custom(
            "twice.too",
            "permit",
            "\nwhen { resource.hierarchy.earlyUpdateRing }",
        ),
        custom(
            "never",
            "permit",
            "\nwhen { resource.hierarchy.version > 3 && resource.hierarchy.version < 3 }",
        ),
        custom(
            "overridden",
            "permit",
            "\nwhen { resource.name like \"SRV-*\" }",
        ),
        custom(
            "servers",
            "forbid",
            "\nwhen { resource.name like \"SRV-*\" }",
        ),
        custom(
            "fails",
            "permit",
            "\nwhen { resource.hierarchy.version * 2 > 4414 }",
        ),
    ];
    let workspace = Tarbac::with(&[("policies/custom/some.cedar", &policies.concat())]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 1, "{ran}");
    insta::assert_snapshot!(ran);
}

/// A forbid that never matches, and raises an error for every version there is.
fn failing(more: &str) -> String {
    custom(
        "fails",
        "forbid",
        "\nwhen { resource.hierarchy.version + 9223372036854775000 > 0 && resource.hierarchy.version > 807 }",
    )
    .replace("@doc", &format!("{more}@doc"))
}

/// Where a policy fails nothing is decided, so nothing is proved either: not even of a policy that
/// would change nothing if it were only skipped, nor of one under a reading that is off.
#[test]
fn nothing_is_proved_where_a_policy_can_fail() {
    let solver = solver_or_return!();
    let given = spec(
        "given",
        "permit",
        "viewScripts",
        "when { principal in Intune::Role::\"r\" && principal has accountEnabled && principal.accountEnabled && principal.tenant == resource.hierarchy.tenant && resource.hierarchy.tenant.useIntuneRbac && !resource.hierarchy.enforceConfigMgrRbac && resource.hierarchy.version >= 2207 }",
    );
    let reading = "@reading(\"observed-roles\")\n@holds(\"on\")\n";
    for (policy, given) in [
        (failing(""), given.clone()),
        (
            failing(reading),
            given.replace("@doc", &format!("{reading}@doc")),
        ),
    ] {
        let workspace = with_specs(&[given]);
        workspace.write("policies/custom/all.cedar", custom("all", "permit", ""));
        assert_eq!(prove(&workspace, &solver, &[]).status, 0);
        workspace.write("policies/custom/fails.cedar", policy);
        let ran = prove(&workspace, &solver, &[]);
        assert_eq!(ran.status, 1, "{ran}");
        assert!(ran.stdout.contains("NOT PROVED"), "{ran}");
        assert!(
            ran.stdout.contains("`custom.fails` can raise an error"),
            "{ran}"
        );
    }
}

/// A spec that fails matches less than it seems to.
#[test]
fn a_spec_that_can_fail_is_not_proved() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[spec(
        "nobody",
        "forbid",
        "viewScripts",
        "when { resource.hierarchy.version + 9223372036854775000 > 0 && resource.hierarchy.version > 807 }",
    )]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.contains("`nobody` can raise an error"), "{ran}");
    assert!(ran.stdout.contains("NOT PROVED"), "{ran}");
}

/// Nothing is called equivalent because it was never in force.
#[test]
fn mutants_of_readings_that_are_off_are_tried() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[holds()]);
    let reading = "@reading(\"observed-roles\")\n@holds(\"on\")\n";
    workspace.write(
        "policies/custom/all.cedar",
        custom("all", "permit", "").replace("@doc", &format!("{reading}@doc")),
    );
    let ran = prove(&workspace, &solver, &["--mutate"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(
        ran.stdout
            .contains("SURVIVED  custom.all  policies/custom/all.cedar:1: the policy is dropped"),
        "{ran}"
    );
    assert!(!ran.stdout.contains("equivalent  custom.all"), "{ran}");
}

/// A policy that only a switched reading needs is not there for nothing, and one of a reading that is off
/// can be.
#[test]
fn what_a_reading_needs_is_not_there_for_nothing() {
    let solver = solver_or_return!();
    let under = |id: &str, holds: &str, conditions: &str| {
        custom(id, "permit", conditions).replace(
            "@doc",
            &format!("@reading(\"observed-roles\")\n@holds(\"{holds}\")\n@doc"),
        )
    };
    let workspace = with_specs(&[holds()]);
    // Off, as it is, the one makes the other redundant; on, it is not there.
    workspace.write(
        "policies/custom/all.cedar",
        custom("cloud", "permit", "\nwhen { principal.cloudOnly }") + &under("all", "off", ""),
    );
    let ran = prove(&workspace, &solver, &["--deny-warnings"]);
    assert_eq!(ran.status, 0, "{ran}");
    workspace.write(
        "policies/custom/all.cedar",
        under(
            "never",
            "on",
            "\nwhen { resource.hierarchy.version > 3 && resource.hierarchy.version < 3 }",
        ),
    );
    let ran = prove(&workspace, &solver, &["--deny-warnings"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.contains("`custom.never` applies to"), "{ran}");
}

#[test]
fn mutants_that_no_spec_notices_are_shown() {
    let solver = solver_or_return!();
    let reads = "principal in Intune::Role::\"r\"";
    let given = spec(
        "given",
        "permit",
        "viewScripts",
        &format!(
            "when {{ {reads} && principal.cloudOnly && principal has accountEnabled && principal.accountEnabled && principal.tenant == resource.hierarchy.tenant && resource.hierarchy.tenant.useIntuneRbac && !resource.hierarchy.enforceConfigMgrRbac && resource.hierarchy.version >= 2207 }}"
        ),
    );
    let workspace = with_specs(std::slice::from_ref(&given));
    let policy = custom("all", "permit", "\nwhen { principal.cloudOnly }");
    workspace.write("policies/custom/all.cedar", policy);
    let ran = prove(&workspace, &solver, &["--mutate"]);
    assert_eq!(ran.status, 1, "{ran}");
    insta::assert_snapshot!(ran.stdout);
    // What the role has is said; that it has nothing else is missing, and so is that others do not.
    let others = "viewCollections viewResourceExplorer viewTimeline viewSoftwareUpdates runScript runCmPivotQuery viewClientDetails viewApplications takeApplicationActions enrollNow rotateBitLockerKeys initiateConfigurationManagerAction";
    let nobody_else = "principal in [Intune::Role::\"Application Manager\", Intune::Role::\"Endpoint Security Manager\", Intune::Role::\"Help Desk Operator\", Intune::Role::\"Policy and Profile Manager\", Intune::Role::\"Read Only Operator\", Intune::Role::\"School Administrator\"] || principal in [Entra::DirectoryRole::\"Global Administrator\", Entra::DirectoryRole::\"Intune Administrator\"] || principal in resource.hierarchy.tenant";
    let workspace = with_specs(&[
        given,
        spec("others", "forbid", others, &format!("unless {{ {nobody_else} }}")),
        spec(
            "only",
            "forbid",
            "viewScripts",
            &format!("unless {{ {nobody_else} || ({reads} && principal.cloudOnly) }}"),
        ),
        "@id(\"settings\")\n@doc(\"Settings.\")\nforbid (principal, action == Intune::Action::\"updateRoles\", resource)\nunless { principal in [Intune::Role::\"Intune Role Administrator\"] || principal in [Entra::DirectoryRole::\"Global Administrator\", Entra::DirectoryRole::\"Intune Administrator\"] };\n".to_owned(),
    ]);
    workspace.write(
        "policies/custom/all.cedar",
        custom("all", "permit", "\nwhen { principal.cloudOnly }"),
    );
    let ran = prove(&workspace, &solver, &["--mutate"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.contains(" 0 survived"), "{ran}");
}
