//! Exceptions and forbids that can never hold by the schema.

use serde_json::Value;

use super::{NONE, conditional, findings, of_policy, permission, seen_but_for};
use crate::tarbac::Tarbac;

/// Conditions that are false of every person, device and context of the schema.
const NEVER: [&str; 14] = [
    "principal has cloudonly",
    "resource in ConfigMgr::Hierarchy::\"H\"",
    "resource in Intune::Tenant::\"t\"",
    "resource in [Intune::Tenant::\"t\"]",
    "resource == ConfigMgr::Hierarchy::\"H\"",
    "resource is ConfigMgr::Collection",
    "principal is Entra::Group",
    "principal in ConfigMgr::Collection::\"TST00001\"",
    "principal in resource",
    "resource in principal.tenant",
    "resource.hierarchy in Intune::Tenant::\"t\"",
    "resource.hierarchy has enforceconfigmgrrbac",
    "principal has configMgr.reads",
    "context has emergency",
];

/// Conditions that are false of the timeline of a device, and true of other requests.
const OUTSIDE: [&str; 5] = [
    "action == Intune::Action::\"runScript\"",
    "action in Intune::Action::\"remoteTasks\"",
    "action in [Intune::Action::\"runScript\", Intune::Action::\"updateRoles\"]",
    "resource is Intune::Tenant",
    "resource is Intune::Tenant && resource.useIntuneRbac",
];

/// Whether `validate` says that a condition is never true, and how.
pub(super) fn told(policy: &str) -> Vec<String> {
    let mut found = of_policy(policy);
    found.retain(|finding| finding.ends_with(" policy::never_true"));
    found
}

/// For each of these policies, how often and how `validate` says that it has a condition that is never true.
fn told_of_each(policies: &[String]) -> Vec<Vec<String>> {
    let numbered = policies.iter().enumerate();
    let numbered =
        numbered.map(|(n, policy)| policy.replace("custom.x", &format!("custom.x{n:03}")));
    let text = numbered.collect::<String>();
    let workspace = Tarbac::with_tenant(&[("policies/custom/x.cedar", &text)]);
    let ran = workspace.run(&["--format", "json", "validate"]);
    let document: Value = serde_json::from_str(&ran.stdout).expect(&ran.stderr);
    let findings = document["findings"].as_array().unwrap();
    let of = |n: usize| {
        let start = format!("the policy `custom.x{n:03}` depends on");
        let about = findings.iter().filter(|finding| {
            let message = finding["message"].as_str().unwrap();
            finding["code"] == "policy::never_true" && message.starts_with(&start)
        });
        about
            .map(|finding| finding["severity"].as_str().unwrap().to_owned())
            .collect()
    };
    (0..policies.len()).map(of).collect()
}

/// Policies that allow more because a condition in them is never true, and whether there are alternatives to it.
fn allowing_more(never: &str) -> [(&'static str, String, bool); 15] {
    let permit = |conditions, is_beside| ("permit", conditions, is_beside);
    let forbid = |conditions, is_beside| ("forbid", conditions, is_beside);
    [
        permit(format!("unless {{ {never} }}"), false),
        permit(format!("when {{ !({never}) }}"), false),
        permit(
            format!("when {{ principal.cloudOnly }} unless {{ {never} }}"),
            false,
        ),
        permit(
            format!("unless {{ principal.cloudOnly && {never} }}"),
            false,
        ),
        permit(format!("unless {{ {never} || principal.cloudOnly }}"), true),
        permit(format!("when {{ ({never}) == false }}"), false),
        permit(format!("when {{ if {never} then false else true }}"), false),
        permit(format!("unless {{ [{never}].contains(true) }}"), false),
        forbid(format!("when {{ {never} }}"), false),
        forbid(format!("when {{ principal.cloudOnly || {never} }}"), true),
        forbid(
            format!("when {{ principal.cloudOnly && ({never} || resource.coManaged) }}"),
            true,
        ),
        forbid(format!("unless {{ !({never}) }}"), false),
        forbid(
            format!("unless {{ principal.cloudOnly && !({never}) }}"),
            true,
        ),
        forbid(format!("when {{ true == ({never}) }}"), false),
        forbid(
            format!("when {{ if {never} then true else principal.cloudOnly }}"),
            true,
        ),
    ]
}

#[test]
fn a_condition_that_is_never_true_is_an_error_where_that_allows_more() {
    let cases: Vec<(String, &str)> = NEVER
        .into_iter()
        .flat_map(|never| {
            let policies = allowing_more(never).into_iter();
            policies.map(move |(effect, conditions, is_beside)| {
                // A type that the scope excludes does no harm beside what can be.
                let told = match is_beside && never.contains(" is ") {
                    true => "warning",
                    false => "error",
                };
                (conditional(effect, &conditions), told)
            })
        })
        .collect();
    let policies: Vec<String> = cases.iter().map(|(policy, _)| policy.clone()).collect();
    for ((policy, expected), told) in cases.iter().zip(told_of_each(&policies)) {
        assert_eq!(told, [*expected], "{policy}");
    }
}

/// A permit gives nothing of that, so an exception of it is no mistake. A forbid that waits for it holds nobody back.
#[test]
fn an_exception_of_what_is_not_permitted_is_no_mistake() {
    let of = |outside: &'static str| {
        let policies = allowing_more(outside).into_iter();
        policies.filter(|(_, conditions, _)| !conditions.contains(".contains(true)"))
    };
    let all = OUTSIDE.into_iter().flat_map(of);
    let policies: Vec<(&str, String)> = all
        .map(|(effect, conditions, _)| (effect, conditional(effect, &conditions)))
        .collect();
    let texts: Vec<String> = policies.iter().map(|(_, policy)| policy.clone()).collect();
    for ((effect, policy), told) in policies.iter().zip(told_of_each(&texts)) {
        assert_eq!(told.is_empty(), *effect == "permit", "{policy}: {told:?}");
    }
    // A group is never the action, and no permission is about a collection.
    // Nor is anything what two contradicting conditions ask for.
    for meant in [
        "unless { action == Intune::Action::\"cloudAttachedDevices\" }",
        "unless { resource is ConfigMgr::Collection }",
        "unless { resource is ConfigMgr::Device && resource is Intune::Tenant }",
        "unless { resource is Intune::Tenant && resource is ConfigMgr::Device }",
        "unless { action == Intune::Action::\"viewTimeline\" && action == Intune::Action::\"runScript\" && principal.cloudOnly }",
        "unless { action == Intune::Action::\"runScript\" && resource is Intune::Tenant }",
        "when { principal.cloudOnly || resource is ConfigMgr::Device && !(resource is Intune::Tenant && resource.useIntuneRbac) }",
    ] {
        assert_eq!(told(&conditional("permit", meant)).len(), 1, "{meant}");
    }
    // What the policy requires in any case is a part of what it gives.
    let anything = "@id(\"custom.x\")\n@doc(\"x\")\npermit (principal in Intune::Role::\"Help Desk Operator\", action, resource)\nwhen { !(resource is Intune::Tenant) && !(action == Intune::Action::\"updateRoles\") };\n";
    assert_eq!(told(anything), NONE);
}

#[test]
fn it_is_none_where_that_allows_no_more() {
    let of = |never: &str| {
        [
            ("permit", format!("when {{ {never} }}")),
            (
                "permit",
                format!("when {{ principal.cloudOnly || {never} }}"),
            ),
            ("permit", format!("unless {{ !({never}) }}")),
            ("forbid", format!("unless {{ {never} }}")),
            (
                "forbid",
                format!("when {{ principal.cloudOnly && !({never}) }}"),
            ),
        ]
    };
    let policies = NEVER.into_iter().flat_map(of);
    let policies: Vec<String> = policies
        .map(|(effect, conditions)| conditional(effect, &conditions))
        .collect();
    for (policy, told) in policies.iter().zip(told_of_each(&policies)) {
        assert_eq!(told, NONE, "{policy}");
    }
}

#[test]
fn it_is_found_behind_others_and_as_what_is_always_true() {
    for both in [
        "principal has configMgr && principal.configMgr has reads",
        "principal has configMgr && (principal.cloudOnly || principal.cloudOnly) && principal.configMgr has reads",
        "resource is ConfigMgr::Device && (resource in ConfigMgr::Collection::\"c\" && context has emergency)",
    ] {
        let found = told(&conditional("permit", &format!("unless {{ {both} }}")));
        assert_eq!(found, ["error policy::never_true"], "{both}");
    }
    // What is always true excepts everybody, and a forbid that excepts everybody holds nobody back.
    let device = "unless { resource is ConfigMgr::Device || principal.cloudOnly }";
    assert_eq!(told(&conditional("permit", device)), NONE);
    assert_eq!(
        told(&conditional("forbid", device)),
        ["error policy::never_true"]
    );
}

#[test]
fn a_condition_that_can_be_true_is_none() {
    for can_be in [
        "principal has configMgr",
        "principal has cloudOnly",
        "principal has configMgr && principal.configMgr has read",
        "resource in ConfigMgr::Collection::\"c\"",
        "principal in Intune::Tenant::\"t\"",
        "principal in principal.tenant",
        "principal in Entra::Group::\"g\"",
        "resource.hierarchy == ConfigMgr::Hierarchy::\"H\"",
        "resource is ConfigMgr::Device && resource.coManaged",
        "false",
        "principal.cloudOnly && false",
    ] {
        let of = |effect: &str| told(&conditional(effect, &format!("unless {{ {can_be} }}")));
        assert_eq!(of("permit"), NONE, "{can_be}");
        let forbid = conditional("forbid", &format!("when {{ {can_be} }}"));
        assert_eq!(told(&forbid), NONE, "{can_be}");
    }
}

/// The findings about an exception of a permission on devices and tenants.
fn of_exception(exception: &str) -> Vec<String> {
    let policy = format!(
        "@id(\"custom.wiper\")\n@doc(\"Wipes.\")\npermit (principal in Intune::Role::\"Help Desk Operator\", action == Intune::Action::\"wipe\", resource) unless {{ {exception} }};\n"
    );
    let both = "[ConfigMgr::Device, Intune::Tenant]";
    let workspace = permission("@unguarded(\"No guardrail is about it.\")", "", both);
    workspace.write("policies/custom/x.cedar", policy);
    let mut found = findings(&workspace);
    found.retain(|finding| finding.ends_with(" policy::never_true"));
    found
}

#[test]
fn what_is_false_of_one_type_and_open_for_another_is_not_constant() {
    for open in [
        "resource has coManaged && resource.coManaged",
        "resource is ConfigMgr::Device",
        "resource in ConfigMgr::Collection::\"c\"",
        "resource is Intune::Tenant && resource has useIntuneRbac",
    ] {
        assert_eq!(of_exception(open), NONE, "{open}");
    }
    for never in [
        "resource has comanaged",
        "resource is ConfigMgr::Collection",
        // Each can be true, and not both.
        "resource is Intune::Tenant && resource has coManaged",
        "resource is Intune::Tenant && resource is ConfigMgr::Device",
    ] {
        assert_eq!(of_exception(never), ["error policy::never_true"], "{never}");
    }
}

/// Under a schema with an action of one's own, the policies that ship are checked too.
#[test]
fn what_ships_has_no_condition_that_is_never_true() {
    let workspace = permission("@unguarded(\"No.\")", "", "ConfigMgr::Device");
    assert_eq!(findings(&workspace), NONE);
}

/// Cedar decides other people's policies as they are written.
#[test]
fn other_peoples_conditions_that_are_never_true_are_warnings() {
    let forbid = "forbid (principal, action, resource) when { principal has jobs }";
    let ran = seen_but_for(forbid);
    assert_eq!(ran.status, 0, "{ran}");
    let schema = "entity User { name: String };\nentity Doc;\naction \"view\" appliesTo { principal: User, resource: Doc };\n";
    let workspace = Tarbac::with(&[
        ("schema/s.cedarschema", schema),
        (
            "policies/p.cedar",
            "@id(\"p\")\npermit (principal, action, resource)\nunless { principal has nmae };\n",
        ),
    ]);
    assert_eq!(findings(&workspace), ["warning policy::never_true"]);
}

#[test]
fn nothing_is_decided_by_an_exception_that_never_holds() {
    let workspace = Tarbac::with_tenant(&[(
        "policies/custom/x.cedar",
        &conditional(
            "permit",
            "unless { principal has cloudonly && principal.cloudonly }",
        ),
    )]);
    let ran = workspace.run(&["check", "ana@t.example", "viewTimeline", "PC-1"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("policy::never_true"), "{ran}");
}
