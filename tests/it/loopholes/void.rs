//! Rules that are void for some of what they are about, and what is said of it.

use serde_json::json;

use super::never_true::told;
use super::{NONE, conditional, findings, of_policy};
use crate::tarbac::Tarbac;

/// A policy of one's own with this text behind its annotations.
fn own(policy: &str) -> String {
    format!("@id(\"custom.x\")\n@doc(\"x\")\n@message(\"No.\")\n@advice(\"Ask.\")\n{policy}\n")
}

#[test]
fn an_alternative_that_the_types_exclude_is_a_warning() {
    let devices = "forbid (principal, action in [Intune::Action::\"cloudAttachedDevices\", Intune::Action::\"remoteTasks\"], resource)";
    let timeline = "permit (principal in Entra::Group::\"g\", action == Intune::Action::\"viewTimeline\", resource)";
    for policy in [
        format!("{devices} when {{ resource is Intune::Tenant || resource.coManaged }};"),
        format!("{devices} when {{ resource is Intune::Tenant && !resource.useIntuneRbac || resource.coManaged }};"),
        format!("{devices} unless {{ !(resource is Intune::Tenant) && !resource.coManaged }};"),
        format!("{devices} when {{ if resource is Intune::Tenant then resource.useIntuneRbac else resource.coManaged }};"),
        "forbid (principal, action, resource) when { if resource is ConfigMgr::Device then resource.coManaged else if resource is ConfigMgr::Collection then true else false };".to_owned(),
    ] {
        assert_eq!(told(&own(&policy)), ["warning policy::never_true"], "{policy}");
    }
    // Behind it, what is never true is still an error.
    for policy in [
        format!(
            "{devices} when {{ (resource is Intune::Tenant || principal.cloudOnly) && principal has cloudonly }};"
        ),
        format!("{devices} when {{ resource is Intune::Tenant || principal has cloudonly }};"),
        format!(
            "{devices} when {{ resource is Intune::Tenant || resource is ConfigMgr::Collection }};"
        ),
    ] {
        let found = told(&own(&policy));
        let is_error = |found: &String| found.starts_with("error");
        assert!(found.iter().any(is_error), "{policy}: {found:?}");
    }
    // A permit of something else gives nothing of it.
    let policy = format!(
        "{timeline} unless {{ resource is ConfigMgr::Device && resource.hierarchy.tenant != principal.tenant || resource is Intune::Tenant && resource != principal.tenant }};"
    );
    assert_eq!(told(&own(&policy)), NONE);
}

/// What `validate` says of a rule that is void for some of what it is about.
fn void_in_part(policy: &str) -> Vec<String> {
    let mut found = of_policy(&own(policy));
    found.retain(|finding| {
        finding.ends_with(" policy::never_true") || finding.ends_with(" policy::idle_forbid")
    });
    found
}

#[test]
fn a_forbid_that_can_never_apply_to_an_action_that_it_names_is_an_error() {
    for (first, rest) in [
        (
            "runScript",
            "resource) when { resource in Intune::Tenant::\"t\" }",
        ),
        (
            "runScript",
            "resource) when { resource is Intune::Tenant && !resource.useIntuneRbac }",
        ),
        ("rotateBitLockerKeys", "resource == Intune::Tenant::\"t\")"),
        ("rotateBitLockerKeys", "resource is Intune::Tenant)"),
        ("remoteTasks", "resource in Intune::Tenant::\"t\")"),
        (
            "remoteTasks",
            "resource) when { action == Intune::Action::\"updateRoles\" }",
        ),
    ] {
        let policy = format!(
            "forbid (principal, action in [Intune::Action::\"{first}\", Intune::Action::\"updateRoles\"], {rest};"
        );
        assert_eq!(
            void_in_part(&policy),
            ["error policy::idle_forbid"],
            "{policy}"
        );
        let permit = policy.replacen("forbid", "permit", 1);
        assert_eq!(void_in_part(&permit), NONE, "{permit}");
    }
    // It can apply to some action of each group, or would if the conditions did not tell the actions apart.
    for (second, rest) in [
        ("updateRoles", "resource);"),
        ("updateRoles", "resource) when { principal.cloudOnly };"),
        (
            "updateRoles",
            "resource) when { action == Intune::Action::\"runScript\" || action == Intune::Action::\"updateRoles\" };",
        ),
        (
            "updateRoles",
            "resource) when { resource is Intune::Tenant || resource.coManaged };",
        ),
        (
            "remoteTasks",
            "resource) when { action in Intune::Action::\"remoteTasks\" && principal.cloudOnly };",
        ),
    ] {
        let policy = format!(
            "forbid (principal, action in [Intune::Action::\"cloudAttachedDevices\", Intune::Action::\"{second}\"], {rest}"
        );
        assert_eq!(void_in_part(&policy), NONE, "{policy}");
    }
}

#[test]
fn a_comparison_that_is_false_of_all_of_a_type_is_a_warning_if_it_leads_there() {
    let everything = "forbid (principal, action, resource";
    for policy in [
        format!("{everything} in Intune::Tenant::\"t\");"),
        format!("{everything} == Intune::Tenant::\"t\");"),
        format!("{everything}) when {{ resource in Intune::Tenant::\"t\" }};"),
        format!("{everything}) when {{ principal.cloudOnly && resource in Intune::Tenant::\"t\" }};"),
        "forbid (principal in Entra::Group::\"g\", action, resource) when { resource in Intune::Tenant::\"t\" };".to_owned(),
        "permit (principal in Entra::Group::\"g\", action, resource) unless { resource in Intune::Tenant::\"t\" };".to_owned(),
    ] {
        assert_eq!(void_in_part(&policy), ["warning policy::never_true"], "{policy}");
    }
    for policy in [
        // No tenant leads to a collection.
        format!("{everything} in ConfigMgr::Collection::\"c\");"),
        format!("{everything}) when {{ resource in ConfigMgr::Collection::\"c\" }};"),
        // It is said what is meant.
        format!("{everything} is Intune::Tenant in Intune::Tenant::\"t\");"),
        format!(
            "{everything}) when {{ resource is Intune::Tenant && resource == Intune::Tenant::\"t\" }};"
        ),
        format!(
            "{everything}) when {{ action == Intune::Action::\"updateRoles\" && resource == Intune::Tenant::\"t\" }};"
        ),
        format!("{everything}) unless {{ resource == Intune::Tenant::\"t\" }};"),
        "permit (principal in Entra::Group::\"g\", action, resource in Intune::Tenant::\"t\");"
            .to_owned(),
    ] {
        assert_eq!(void_in_part(&policy), NONE, "{policy}");
    }
}

#[test]
fn a_group_is_never_the_action() {
    let scope = "(principal in Entra::Group::\"g\", action, resource)";
    for asked in [
        "[Intune::Action::\"remoteTasks\"].contains(action)",
        "[Intune::Action::\"runScript\", Intune::Action::\"remoteTasks\"].contains(action)",
        "[Intune::Action::\"remoteTasks\"].containsAny([action])",
        "[action].containsAny([Intune::Action::\"remoteTasks\"])",
        "[action].containsAll([Intune::Action::\"remoteTasks\"])",
        "[action] == [Intune::Action::\"remoteTasks\"]",
    ] {
        for (effect, keyword, expected) in [
            ("forbid", "when", vec!["error policy::never_true"]),
            ("permit", "unless", vec!["error policy::never_true"]),
            ("forbid", "unless", vec![]),
            ("permit", "when", vec![]),
        ] {
            let policy = format!("{effect} {scope} {keyword} {{ {asked} }};");
            assert_eq!(told(&own(&policy)), expected, "{policy}");
        }
    }
    for asked in [
        "[Intune::Action::\"runScript\"].contains(action)",
        "action in [Intune::Action::\"remoteTasks\"]",
        "[action in Intune::Action::\"remoteTasks\"].contains(true)",
    ] {
        let policy = format!("forbid {scope} when {{ {asked} }};");
        assert_eq!(told(&own(&policy)), NONE, "{policy}");
    }
}

#[test]
fn a_tag_that_no_entity_has_is_never_there() {
    let found = told(&conditional(
        "permit",
        "unless { [principal.hasTag(\"t\")].contains(true) }",
    ));
    assert_eq!(found, ["error policy::never_true"]);
}

/// All that `validate` says of a policy.
fn said(policy: &str) -> String {
    let workspace = Tarbac::with_tenant(&[("policies/custom/x.cedar", &own(policy))]);
    let said = workspace.run(&["validate"]).to_string();
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn it_is_said_as_it_is_written() {
    let timeline = "(principal, action == Intune::Action::\"viewTimeline\", resource)";
    for (policy, words) in [
        (
            format!("forbid {timeline} unless {{ action != Intune::Action::\"remoteTasks\" }};"),
            [
                "depends on `action != Intune::Action::\"remoteTasks\"`, which is always true",
                "no action of this policy is `Intune::Action::\"remoteTasks\"`",
                "a forbid that waits for the opposite holds nobody back",
            ],
        ),
        (
            format!("forbid {timeline} unless {{ resource is ConfigMgr::Device }};"),
            [
                "depends on `resource is ConfigMgr::Device`, which is always true",
                "it is a `ConfigMgr::Device`",
                "a forbid that waits for the opposite holds nobody back",
            ],
        ),
        (
            format!("permit {timeline} when {{ !(resource in Intune::Tenant::\"t\") }};"),
            [
                "depends on `resource in Intune::Tenant::\"t\"`, which can never be true",
                "no `ConfigMgr::Device` is in an `Intune::Tenant`",
                "restricts nobody: correct or remove it; did you mean `resource.hierarchy.tenant == Intune::Tenant::\"t\"`?",
            ],
        ),
        (
            "forbid (principal, action in [Intune::Action::\"remoteTasks\", Intune::Action::\"updateRoles\"], resource in Intune::Tenant::\"t\");".to_owned(),
            [
                "the forbid `custom.x` names `Intune::Action::\"remoteTasks\"`, which it can never apply to",
                "named here",
                "did you mean `resource.hierarchy.tenant == Intune::Tenant::\"t\"`?",
            ],
        ),
    ] {
        let said = said(&policy);
        let said = said.replace("│ ", "");
        for words in words {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
}

#[test]
fn a_cause_is_said_once() {
    let forbid = conditional("forbid", "when { principal has cloudonly }");
    assert_eq!(of_policy(&forbid), ["error policy::never_true"]);
    let template = own(
        "permit (principal in ?principal, action == Intune::Action::\"viewTimeline\", resource) unless { principal has cloudonly };",
    );
    let link = |n: usize| {
        let role = "Intune::Role::\"Help Desk Operator\"";
        json!({"template_id": "custom.x", "link_id": format!("custom.l{n}"), "args": {"?principal": role}})
    };
    let links = json!([link(1), link(2)]).to_string();
    let workspace = Tarbac::with_tenant(&[
        ("policies/custom/x.cedar", &template),
        ("policies/custom/x.json", &links),
    ]);
    let mut found = findings(&workspace);
    found.retain(|finding| finding.ends_with(" policy::never_true"));
    assert_eq!(found, ["error policy::never_true"]);
}

/// A policy for every action stands for all permissions and for no question, and so does each link of a template.
#[test]
fn a_link_for_every_action_is_asked_no_question() {
    for (scope, slot, uid) in [
        (
            "principal in ?principal, action, resource",
            "?principal",
            "Intune::Role::\"Help Desk Operator\"",
        ),
        (
            "principal, action, resource in ?resource",
            "?resource",
            "ConfigMgr::Collection::\"COL00001\"",
        ),
    ] {
        let template = own(&format!(
            "forbid ({scope}) unless {{ principal.cloudOnly }};"
        ));
        let links =
            json!([{"template_id": "custom.x", "link_id": "custom.l", "args": {slot: uid}}]);
        let workspace = Tarbac::with_tenant(&[
            ("policies/custom/x.cedar", &template),
            ("policies/custom/x.json", &links.to_string()),
        ]);
        let mut found = findings(&workspace);
        found.retain(|finding| finding.ends_with(" policy::type"));
        assert_eq!(found, NONE, "{scope}");
    }
}

/// A policy for every action is impossible if it is for actions of all types.
#[test]
fn a_policy_about_another_type_of_actions_is_possible() {
    let schema = "namespace Ours {\n@doc(\"A phone.\")\nentity Phone { @doc(\"Its owner.\") owner: Entra::User };\n@doc(\"Wipe it.\")\n@name(\"Wipe\")\n@unguarded(\"Phones are ours.\")\naction wipe appliesTo { principal: Entra::User, resource: Phone };\n}\n";
    let suspicious = |policy: &str| {
        let workspace = Tarbac::with_tenant(&[
            ("schema/custom/x.cedarschema", schema),
            ("policies/custom/x.cedar", &own(policy)),
        ]);
        let found = findings(&workspace);
        found
            .iter()
            .any(|of| of.contains("policy::suspicious") || of.contains("policy::idle_forbid"))
    };
    for condition in [
        "resource is Ours::Phone && resource.owner.cloudOnly",
        "action == Ours::Action::\"wipe\"",
    ] {
        assert!(
            !suspicious(&format!(
                "forbid (principal, action, resource) when {{ {condition} }};"
            )),
            "{condition}"
        );
    }
    assert!(suspicious(
        "permit (principal in Intune::Role::\"Help Desk Operator\", action, resource) when { resource is Entra::Group };"
    ));
}
