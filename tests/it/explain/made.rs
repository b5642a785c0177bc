//! Policies and entities made to be awkward.

use cedar_policy::EntityUid;

use crate::tarbac::without_revisions;
use crate::world::{device, entities, hierarchy, tenant_entity, user};

use super::{request, world};
use tarbac::bundle::Switches;
use tarbac::decision::{Decision, Request};
use tarbac::engine::Engine;
use tarbac::explain::{DecisionReasons, Truth, explain};
use tarbac::render;

/// Zoe, cloud-only and without a role, and a device of a hierarchy in which Intune decides.
fn zoe() -> String {
    entities(&[
        tenant_entity("t", true),
        hierarchy("H", "t", false),
        device("D", "PC", "H"),
        user("Z", "zoe", &[]),
    ])
}

fn offered(engine: &Engine, request: &Request) -> Vec<Vec<String>> {
    let remedies = explain(engine, request).remedies.unwrap();
    remedies
        .alternatives
        .into_iter()
        .map(|alternative| {
            alternative
                .into_iter()
                .map(|change| change.sentence)
                .collect()
        })
        .collect()
}

#[test]
fn a_candidate_that_is_still_refused_is_not_offered() {
    let policy = r#"
        @id("custom.made")
        forbid (principal in Intune::Role::"Help Desk Operator", action, resource);"#;
    let engine = world(policy, &zoe(), &Switches::default());
    let request = request(&engine, "zoe", "Run script", "PC");
    assert_eq!(
        offered(&engine, &request),
        [["assign the Intune role School Administrator to zoe"]]
    );
}

#[test]
fn a_candidate_that_cannot_be_evaluated_is_not_offered() {
    let policy = r#"
        @id("custom.made")
        forbid (
          principal in Intune::Role::"Help Desk Operator",
          action == Intune::Action::"runScript",
          resource
        )
        when { resource.hierarchy.version * 9223372036854775807 > 0 };"#;
    let engine = world(policy, &zoe(), &Switches::default());
    let request = request(&engine, "zoe", "Run script", "PC");
    assert_eq!(
        offered(&engine, &request),
        [["assign the Intune role School Administrator to zoe"]]
    );
}

#[test]
fn what_the_schema_does_not_let_anybody_change_is_not_offered() {
    let policy = r#"
        @id("custom.made")
        @advice("Have the device managed by Intune as well.")
        forbid (principal, action == Intune::Action::"runScript", resource) unless { resource.coManaged };"#;
    let engine = world(policy, &zoe(), &Switches::default());
    let request = request(&engine, "zoe", "Run script", "PC");
    let remedies = explain(&engine, &request).remedies.unwrap();
    assert!(remedies.alternatives.is_empty());
    assert_eq!(remedies.unliftable, ["custom.made"]);
}

#[test]
fn a_version_is_raised_and_never_lowered() {
    let policy = r#"
        @id("custom.made")
        forbid (principal, action == Intune::Action::"runScript", resource)
        unless { resource.hierarchy.version > 2403 && resource.hierarchy.version != 2404 };
        @id("custom.other")
        forbid (principal, action == Intune::Action::"viewScripts", resource)
        when { resource.hierarchy.version >= 2403 };"#;
    let engine = world(policy, &zoe(), &Switches::default());
    assert_eq!(
        offered(&engine, &request(&engine, "zoe", "Run script", "PC")),
        [
            [
                "update the sites of H to version 2405",
                "assign the Intune role Help Desk Operator to zoe"
            ],
            [
                "update the sites of H to version 2405",
                "assign the Intune role School Administrator to zoe"
            ],
        ]
    );
    assert!(offered(&engine, &request(&engine, "zoe", "View scripts", "PC")).is_empty());
}

#[test]
fn a_new_assignment_may_need_a_scope_tag_as_well() {
    let switches = Switches {
        on: vec!["default-scope-tag".to_owned()],
        off: Vec::new(),
    };
    let engine = world("", &zoe(), &switches);
    let offered = offered(
        &engine,
        &request(&engine, "zoe", "Rotate BitLockerKeys (preview)", "PC"),
    );
    let first: Vec<&str> = offered
        .first()
        .unwrap()
        .iter()
        .map(String::as_str)
        .collect();
    assert_eq!(
        first,
        [
            "assign the Intune role Endpoint Security Manager to zoe",
            "add the scope tag * to a role assignment of zoe",
        ]
    );
}

#[test]
fn a_policy_of_a_new_role_may_look_into_an_entity_that_nothing_else_reaches() {
    let policy = r#"
        @id("custom.made")
        permit (principal in Intune::Role::"made", action == Intune::Action::"updateRoles", resource)
        when { ConfigMgr::Hierarchy::"H".version >= 2403 };"#;
    let engine = world(policy, &zoe(), &Switches::default());
    let request = Request {
        action: r#"Intune::Action::"updateRoles""#.parse().unwrap(),
        resource: r#"Intune::Tenant::"t""#.parse().unwrap(),
        ..request(&engine, "zoe", "Run script", "PC")
    };
    let offered = offered(&engine, &request);
    assert!(
        offered.contains(&vec!["assign the Intune role made to zoe".to_owned()]),
        "{offered:?}"
    );
}

#[test]
fn a_condition_that_cannot_be_evaluated_is_shown_as_such() {
    let policy = r#"
        @id("custom.made")
        forbid (principal, action == Intune::Action::"runScript", resource)
        when { principal.cloudOnly || resource.hierarchy.version * 9223372036854775807 > 0 };
        @id("custom.other")
        forbid (principal, action == Intune::Action::"viewScripts", resource)
        when { resource.hierarchy.version * 9223372036854775807 > 0 };"#;
    let engine = world(policy, &zoe(), &Switches::default());
    let explanation = explain(&engine, &request(&engine, "zoe", "Run script", "PC"));
    assert!(matches!(explanation.why, DecisionReasons::Forbidden(_)));

    let explanation = explain(&engine, &request(&engine, "zoe", "View scripts", "PC"));
    assert_eq!(explanation.answer.outcome.decision, Decision::Indeterminate);
    assert!(explanation.remedies.is_none());
    insta::assert_snapshot!(without_revisions(&render::explanation::human(&explanation, None)), @"
    INDETERMINATE  whether zoe may View scripts on PC cannot be decided, which is a refusal

    Intune decides  (authority.intune, shipped/policies/authority.cedar:6)
      Intune alone decides where Use Intune RBAC is On, the checkbox of the hierarchy is cleared, and
        its sites are version 2207 or later.
        true   resource.hierarchy.tenant.useIntuneRbac
        true   !resource.hierarchy.enforceConfigMgrRbac  resource.hierarchy.enforceConfigMgrRbac = false
        true   resource.hierarchy.version >= 2207        resource.hierarchy.version = 2403

    Why it cannot be decided
      error while evaluating policy `custom.other`: integer overflow while attempting to multiply the
        values `2403` and `9223372036854775807`

    Readings in force
      any-intune-role: Under Configuration Manager authority any Intune role in the tenant of the device
        is enough for the permissions of Cloud attached devices.
      entra-administrators: Microsoft Entra Global Administrators and Intune Administrators hold every
        Intune permission, and never one of Configuration Manager.

    rules: shipped-and-custom, revision …

    Documents
      authority: use-intune-rbac.md, What happens if the Configuration Manager and Intune settings are
        mismatched?
    ");
}

#[test]
fn somebody_who_does_not_exist_is_no_reason_to_fail() {
    let engine = world("", &zoe(), &Switches::default());
    let request = Request {
        principal: r#"Entra::User::"nobody""#.parse::<EntityUid>().unwrap(),
        ..request(&engine, "zoe", "Run script", "PC")
    };
    insta::assert_snapshot!(without_revisions(&render::explanation::human(&explain(&engine, &request), None)), @r#"
    INDETERMINATE  whether nobody may Run script on PC cannot be decided, which is a refusal

    Why it cannot be decided
      `Entra::User::"nobody"` does not exist

    Readings in force
      any-intune-role: Under Configuration Manager authority any Intune role in the tenant of the device
        is enough for the permissions of Cloud attached devices.
      entra-administrators: Microsoft Entra Global Administrators and Intune Administrators hold every
        Intune permission, and never one of Configuration Manager.

    rules: shipped-and-custom, revision …
    "#);
}

#[test]
fn conditions_are_judged_up_to_a_guard_that_does_not_hold() {
    let policy = r#"
        @id("custom.made")
        forbid (principal, action == Intune::Action::"runScript", resource)
        unless
        {
          // a comment
          resource.coManaged &&
          resource has operatingSystem &&
          resource.operatingSystem like "Windows*"
        };"#;
    let engine = world(policy, &zoe(), &Switches::default());
    let explanation = explain(&engine, &request(&engine, "zoe", "Run script", "PC"));
    let DecisionReasons::Forbidden(rules) = explanation.why else {
        panic!("{:?}", explanation.why);
    };
    let clauses = &rules.first().unwrap().clauses;
    let parts: Vec<(&str, &Truth)> = clauses
        .iter()
        .flat_map(|clause| &clause.parts)
        .map(|part| (part.text.as_str(), &part.truth))
        .collect();
    assert_eq!(
        parts,
        [
            ("resource.coManaged", &Truth::False),
            ("resource has operatingSystem", &Truth::False),
            (
                r#"resource.operatingSystem like "Windows*""#,
                &Truth::NotJudged
            ),
        ]
    );
    assert_eq!(clauses.first().unwrap().line, Some(4));
}
