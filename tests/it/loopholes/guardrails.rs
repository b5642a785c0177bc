//! Permissions that get round a guardrail, and guardrails with a gap.

use serde_json::json;

use super::{NONE, findings, of_policy, permission};
use crate::tarbac::Tarbac;
use crate::world::{device, entities, entity, hierarchy, tenant_entity};

#[test]
fn a_permission_that_no_guardrail_holds_is_an_error_unless_it_is_meant() {
    let unguarded = "error policy::unguarded_permission";
    for (groups, resources, guardrails) in [
        ("", "ConfigMgr::Device", 4),
        (" in [ours]", "ConfigMgr::Device", 4),
        ("", "Tenant", 1),
        (" in [ours]", "[ConfigMgr::Device, Tenant]", 5),
    ] {
        let workspace = permission("", groups, resources);
        let found = findings(&workspace);
        assert_eq!(found, vec![unguarded; guardrails], "{groups} {resources}");
        let ran = workspace.run(&["check", "ana@t.example", "wipe", "PC-9"]);
        assert_eq!(ran.status, 2, "{ran}");
    }
    for group in [" in [remoteTasks]", " in [cloudAttachedDevices]"] {
        let workspace = permission("", group, "ConfigMgr::Device");
        assert_eq!(findings(&workspace), NONE, "{group}");
        let ran = workspace.run(&["check", "ana@t.example", "wipe", "PC-9"]);
        assert_eq!(ran.status, 1, "{ran}");
    }
    let meant = permission(
        "@unguarded(\"It only shows a help page.\")",
        "",
        "ConfigMgr::Device",
    );
    assert_eq!(findings(&meant), NONE);
    let unsaid = permission("@unguarded(\" \")", "", "ConfigMgr::Device");
    assert_eq!(findings(&unsaid), vec![unguarded; 4]);
}

/// A workspace with a permission to restart a kind of thing, some of which are another tenant's.
fn restarting(annotations: &str, resource: &str, more: &str) -> Tarbac {
    let schema = format!(
        "namespace Acme {{\n@doc(\"A disk.\")\nentity Disk in [ConfigMgr::Device] = {{ @doc(\"Where.\") hierarchy: ConfigMgr::Hierarchy }};\n@doc(\"Ours.\")\naction ours;\n@doc(\"Restart.\")\n{annotations}\naction restart in [ours] appliesTo {{ principal: Entra::User, resource: {resource} }};\n}}\n"
    );
    let policy = format!(
        "@id(\"custom.restart\")\n@doc(\"Restarts.\")\npermit (principal in Intune::Role::\"Help Desk Operator\", action == Acme::Action::\"restart\", resource);\n{more}"
    );
    let parent = [("ConfigMgr::Device", "d9")];
    let of_other = json!({ "hierarchy": crate::world::uid("ConfigMgr::Hierarchy", "O") });
    let elsewhere = [
        tenant_entity("other", true),
        hierarchy("O", "other", false),
        device("d9", "PC-9", "O"),
        entity("ConfigMgr::Collection", "c9", of_other.clone(), &[]),
        entity("Acme::Disk", "k9", of_other, &parent),
    ];
    Tarbac::with_tenant(&[
        ("schema/custom/x.cedarschema", &schema),
        ("policies/custom/x.cedar", &policy),
        ("entities/other.json", &entities(&elsewhere)),
    ])
}

fn restart(workspace: &Tarbac, (of, id): (&str, &str)) -> i32 {
    let uid = format!("{of}::\"{id}\"");
    workspace
        .run(&["check", "ana@t.example", "restart", &uid])
        .status
}

/// What another tenant has.
const OF_OTHERS: [(&str, &str); 5] = [
    ("ConfigMgr::Hierarchy", "O"),
    ("ConfigMgr::Collection", "c9"),
    ("Acme::Disk", "k9"),
    ("Intune::RoleAssignment", "a1"),
    ("Entra::User", "u2"),
];

const UNGUARDED: [&str; 1] = ["error policy::unguarded_permission"];

/// What ships holds a permission on whatever there is, and on whatever a workspace adds.
#[test]
fn a_permission_on_something_else_is_held_by_the_tenant_guardrail_all_the_same() {
    for other in OF_OTHERS {
        let bare = restarting("", other.0, "");
        assert_eq!(findings(&bare), UNGUARDED, "{other:?}");
        assert_eq!(restart(&bare, other), 2, "{other:?}");
        // Another guardrail of the same permission is no tenant's.
        let hours = "@id(\"custom.hours\")\n@doc(\"A.\")\n@message(\"B.\")\n@advice(\"C.\")\n@guardrail(\"hours\")\nforbid (principal, action, resource)\nwhen { context == {\"x\": 1} && false };\n";
        let found = findings(&restarting("", other.0, hours));
        assert!(found.contains(&UNGUARDED[0].to_owned()), "{found:?}");
        let meant = restarting("@unguarded(\"It shows a help page.\")", other.0, "");
        assert_eq!(findings(&meant), NONE, "{other:?}");
    }
}

/// Whoever asks, and whatever is joined to nothing, where somebody of a tenant asks about it.
#[test]
fn the_tenant_guardrail_holds_what_a_tenant_is_part_of() {
    let declared = |principal: &str, resource: &str| {
        let schema = format!(
            "namespace Acme {{\n@doc(\"A robot.\")\nentity Robot;\n@doc(\"A door.\")\nentity Door;\n@doc(\"Restart.\")\naction restart appliesTo {{ principal: {principal}, resource: {resource} }};\n}}\n"
        );
        let workspace = Tarbac::with_tenant(&[("schema/custom/x.cedarschema", &schema)]);
        // That a permit for everything is idle there is another matter.
        let errors = findings(&workspace).into_iter();
        let errors = errors.filter(|found| found.starts_with("error "));
        errors.collect::<Vec<_>>()
    };
    assert_eq!(declared("Robot", "ConfigMgr::Hierarchy"), UNGUARDED);
    assert_eq!(declared("Entra::User", "Door"), UNGUARDED);
    assert_eq!(declared("[Entra::User, Robot]", "Door"), UNGUARDED);
    assert_eq!(declared("Robot", "Door"), NONE);
}

#[test]
fn a_permission_that_a_policy_of_the_guardrail_holds_crosses_no_tenant() {
    for other in &OF_OTHERS[..3] {
        let tenant = match other.0 {
            "ConfigMgr::Hierarchy" => "resource.tenant",
            _ => "resource.hierarchy.tenant",
        };
        let held = format!(
            "@id(\"custom.tenant\")\n@doc(\"A.\")\n@message(\"B.\")\n@advice(\"C.\")\n@guardrail(\"tenant\")\nforbid (principal, action == Acme::Action::\"restart\", resource)\nunless {{ principal.tenant == {tenant} }};\n"
        );
        let workspace = restarting("", other.0, &held);
        assert_eq!(findings(&workspace), NONE, "{other:?}");
        assert_eq!(restart(&workspace, *other), 1, "{other:?}");
    }
}

#[test]
fn what_a_guardrail_guards_is_everything_or_what_it_is_about() {
    let words = "@id(\"custom.x\")\n@doc(\"A.\")\n@message(\"B.\")\n@advice(\"C.\")\n";
    let scope = "forbid (principal, action, resource)\nwhen { principal.cloudOnly }";
    for (annotations, found) in [
        ("@guardrail(\"mine\")\n@guards(\"everything\")", vec![]),
        (
            "@guardrail(\"mine\")\n@guards(\"devices\")",
            vec!["error policy::guardrail"],
        ),
        ("@guards(\"everything\")", vec!["error policy::guardrail"]),
    ] {
        let policy = format!("{words}{annotations}\n{scope};\n");
        assert_eq!(of_policy(&policy), found, "{annotations}");
    }
    // What holds nobody is none.
    for never in ["false", "principal.cloudOnly && false", "!true"] {
        let policy = format!(
            "{words}@guardrail(\"tenant\")\nforbid (principal, action, resource)\nwhen {{ {never} }};\n"
        );
        let found = of_policy(&policy);
        assert!(
            found.contains(&"error policy::guardrail".to_owned()),
            "{never}: {found:?}"
        );
    }
}

#[test]
fn a_guardrail_holds_for_everybody_and_always() {
    for scope in [
        "permit (principal, action == Intune::Action::\"viewTimeline\", resource) when { principal.cloudOnly }",
        "forbid (principal == Entra::User::\"u1\", action == Intune::Action::\"viewTimeline\", resource)",
        "@reading(\"any-intune-role\")\n@holds(\"off\")\nforbid (principal, action == Intune::Action::\"viewTimeline\", resource)",
    ] {
        let found = of_policy(&format!(
            "@id(\"custom.x\")\n@doc(\"A.\")\n@message(\"B.\")\n@advice(\"C.\")\n@guardrail(\"mine\")\n{scope};\n"
        ));
        assert_eq!(found, ["error policy::guardrail"], "{scope}");
    }
}

#[test]
fn a_forbid_on_a_question_is_an_error() {
    for action in [
        "== Tarbac::Action::\"finding\"",
        "== Tarbac::Action::\"authority\"",
        "in [Tarbac::Action::\"notice\", Tarbac::Action::\"refusal\"]",
    ] {
        let found = of_policy(&format!(
            "@id(\"custom.x\")\n@doc(\"A.\")\n@message(\"B.\")\n@advice(\"C.\")\nforbid (principal, action {action}, resource);\n"
        ));
        assert_eq!(found, ["error policy::silences_question"], "{action}");
    }
    // One for every action is asked about permissions only.
    let all = "@id(\"custom.x\")\n@doc(\"A.\")\n@message(\"B.\")\n@advice(\"C.\")\nforbid (principal, action, resource);\n";
    assert_eq!(of_policy(all), NONE);
}

#[test]
fn a_permit_for_everybody_is_told() {
    let everybody = |rest: &str| {
        of_policy(&format!(
            "@id(\"custom.x\")\n@doc(\"A.\")\npermit {rest};\n"
        ))
    };
    let told = ["warning policy::for_everybody"];
    for rest in [
        "(principal, action, resource)",
        "(principal is Entra::User, action, resource)",
        "(principal, action, resource) when { true }",
        "(principal, action, resource) unless { false }",
        "(principal, action, resource) when { principal == principal }",
        "(principal, action == Intune::Action::\"viewTimeline\", resource)",
        "(principal, action in Intune::Action::\"cloudAttachedDevices\", resource)",
    ] {
        let found = everybody(rest);
        let found: Vec<&str> = found
            .iter()
            .map(String::as_str)
            .filter(|found| *found != "warning policy::suspicious")
            .collect();
        assert_eq!(found, told, "{rest}");
    }
    assert_eq!(
        everybody("(principal in Intune::Tenant::\"t\", action, resource)"),
        NONE
    );
    assert_eq!(
        everybody("(principal, action, resource) when { principal.cloudOnly }"),
        NONE
    );
}
