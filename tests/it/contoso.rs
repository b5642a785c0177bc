//! The sample tenant: the answers of the documents' questions, its whole decision matrix, and
//! whether every policy has a say somewhere.

mod readings;

use std::str::FromStr;

use cedar_policy::{Context, EntityTypeName, EntityUid};
use serde_json::json;
use tarbac::decision::{Answer, Decision, Request};
use tarbac::matrix::Matrix;
use tarbac::{Engine, Layout, Switches, Workspace, shipped};

/// The sample tenant with readings switched on (`name`) and off (`!name`).
pub fn contoso(readings: &[&str]) -> Engine {
    let mut switches = Switches::default();
    for reading in readings {
        match reading.strip_prefix('!') {
            Some(off) => switches.off.push(off.to_owned()),
            None => switches.on.push((*reading).to_owned()),
        }
    }
    Workspace::load(&Layout::new("tests/contoso", shipped::rules()), &switches)
        .unwrap()
        .engine
}

/// The one entity of this type that is called so.
fn named(engine: &Engine, type_name: &str, text: &str) -> EntityUid {
    let directory = engine.directory();
    let type_name = EntityTypeName::from_str(type_name).unwrap();
    let rows = directory.called(&type_name, text);
    assert_eq!(rows.len(), 1, "{text}");
    directory.uid(rows[0])
}

/// A request in the words of the sample tenant: first name, action id, device or tenant.
pub fn request(engine: &Engine, person: &str, action: &str, resource: &str) -> Request {
    let tenant = if ["vera", "wim", "xenia"].contains(&person) {
        "fabrikam"
    } else {
        "contoso"
    };
    let upn = format!("{person}@{tenant}.example");
    let resource = match action {
        "updateRoles" => EntityUid::from_str(&format!("Intune::Tenant::\"{resource}\"")).unwrap(),
        _ => named(engine, "ConfigMgr::Device", resource),
    };
    Request {
        principal: named(engine, "Entra::User", &upn),
        action: EntityUid::from_str(&format!("Intune::Action::\"{action}\"")).unwrap(),
        resource,
        context: Context::empty(),
    }
}

fn answer(engine: &Engine, person: &str, action: &str, resource: &str) -> Answer {
    engine.answer(&request(engine, person, action, resource))
}

fn allowed(engine: &Engine, person: &str, action: &str, resource: &str) -> bool {
    answer(engine, person, action, resource).outcome.decision == Decision::Allow
}

fn authority(engine: &Engine, resource: &str) -> String {
    answer(engine, "ada", "viewClientDetails", resource)
        .authority
        .unwrap()
        .name
}

#[test]
fn faq_cloud_only_users_get_access_through_intune_rbac() {
    let contoso = contoso(&[]);
    let ada = answer(&contoso, "ada", "viewClientDetails", "WS-TST-001");
    assert_eq!(ada.outcome.decision, Decision::Allow);
    assert_eq!(ada.outcome.policies, ["roles.help-desk-operator"]);
}

#[test]
fn faq_the_toggle_applies_to_all_hierarchies_of_the_tenant() {
    let contoso = contoso(&[]);
    assert_eq!(authority(&contoso, "WS-TST-001"), "intune");
    assert_eq!(authority(&contoso, "WS-RNG-001"), "intune");
    // Each hierarchy has a checkbox of its own all the same.
    assert_eq!(authority(&contoso, "WS-BER-014"), "configmgr");
}

#[test]
fn faq_a_cleared_checkbox_has_no_effect_while_the_toggle_is_off() {
    let contoso = contoso(&[]);
    let vera = answer(&contoso, "vera", "viewClientDetails", "WS-FAB-001");
    assert_eq!(vera.authority.unwrap().name, "configmgr");
    assert_eq!(vera.outcome.decision, Decision::Deny);
    let codes: Vec<&str> = vera
        .notices
        .iter()
        .map(|notice| notice.code.as_str())
        .collect();
    assert_eq!(codes, ["checkbox_without_effect"]);
}

#[test]
fn faq_a_cloud_only_user_is_refused_in_the_production_hierarchy() {
    let contoso = contoso(&[]);
    let ada = answer(&contoso, "ada", "viewClientDetails", "WS-BER-014");
    assert_eq!(ada.outcome.decision, Decision::Deny);
    let refusal = &ada.refusals[0];
    assert_eq!(refusal.policy, "configmgr.identity");
    assert_eq!(
        refusal.message.as_deref(),
        Some(
            "Unable to get device information. Make sure Azure AD and AD user discovery are configured \
             and the user is discovered by both. Verify that the user has proper permissions in \
             Configuration Manager."
        )
    );
}

#[test]
fn a_help_desk_operator_needs_nothing_of_configuration_manager_under_intune_authority() {
    let contoso = contoso(&[]);
    for action in contoso.bundle().vocabulary().permissions() {
        assert_eq!(
            allowed(
                &contoso,
                "ada",
                action.id(),
                if action.id() == "updateRoles" {
                    "contoso"
                } else {
                    "WS-TST-001"
                }
            ),
            action.id() != "updateRoles",
            "{}",
            action.id()
        );
    }
}

#[test]
fn limitation_software_updates_are_closed_to_cloud_only_users_on_the_early_ring() {
    let contoso = contoso(&[]);
    let ada = answer(&contoso, "ada", "viewSoftwareUpdates", "WS-RNG-001");
    assert_eq!(ada.outcome.policies, ["guardrails.early-update-ring"]);
    assert!(allowed(
        &contoso,
        "ben",
        "viewSoftwareUpdates",
        "WS-RNG-001"
    ));
    assert!(allowed(&contoso, "ada", "viewTimeline", "WS-RNG-001"));
}

#[test]
fn limitation_scope_tags_narrow_nothing_under_intune_authority() {
    let engine = contoso(&[]);
    let quinn = answer(&engine, "quinn", "viewTimeline", "WS-TST-001");
    assert_eq!(quinn.outcome.decision, Decision::Allow);
    assert_eq!(quinn.notices[0].code, "scope_tag_without_effect");
    assert!(!allowed(
        &contoso(&["default-scope-tag"]),
        "quinn",
        "viewTimeline",
        "WS-TST-001"
    ));
}

#[test]
fn the_toggle_is_turned_by_whoever_has_roles_update() {
    let contoso = contoso(&[]);
    assert!(allowed(&contoso, "jonas", "updateRoles", "contoso"));
    assert!(allowed(&contoso, "olivia", "updateRoles", "contoso"));
    assert!(!allowed(&contoso, "ada", "updateRoles", "contoso"));
    assert!(!allowed(&contoso, "jonas", "updateRoles", "fabrikam"));
}

#[test]
fn a_toggle_changed_less_than_ten_minutes_ago_may_not_hold_yet() {
    let contoso = contoso(&[]);
    let at = |now: &str| {
        let mut request = request(&contoso, "ada", "viewClientDetails", "WS-TST-001");
        request.context = contoso
            .context(&request.action, json!({ "now": now }))
            .unwrap();
        contoso.answer(&request).notices
    };
    let notices = at("2026-11-23T08:09:59Z");
    assert_eq!(notices[0].code, "toggle_settling");
    assert_eq!(notices[0].former, Some(Decision::Deny));
    assert!(at("2026-11-23T08:10:00Z").is_empty());
    assert!(at("2026-11-23T07:59:59Z").is_empty());
}

#[test]
fn a_permission_in_preview_or_out_of_reach_is_noticed() {
    let contoso = contoso(&[]);
    let codes = |person: &str, action: &str, device: &str| -> Vec<String> {
        let answer = answer(&contoso, person, action, device);
        answer
            .notices
            .into_iter()
            .map(|notice| notice.code)
            .collect()
    };
    assert_eq!(
        codes("ada", "rotateBitLockerKeys", "WS-TST-001"),
        ["preview"]
    );
    assert!(codes("ada", "runScript", "WS-TST-001").is_empty());
}

#[test]
fn nobody_crosses_from_one_tenant_to_the_other() {
    let contoso = contoso(&[]);
    for person in ["ada", "ben", "olivia", "pavel", "vera", "wim", "xenia"] {
        let fabrikam = ["vera", "wim", "xenia"].contains(&person);
        let (device, tenant) = if fabrikam {
            ("WS-TST-001", "contoso")
        } else {
            ("WS-FAB-001", "fabrikam")
        };
        for action in contoso.bundle().vocabulary().permissions() {
            let resource = if action.id() == "updateRoles" {
                tenant
            } else {
                device
            };
            assert!(
                !allowed(&contoso, person, action.id(), resource),
                "{person} {}",
                action.id()
            );
        }
    }
}

#[test]
fn the_whole_decision_matrix() {
    let contoso = contoso(&[]);
    let directory = contoso.directory();
    let all = |type_name: &str| -> Vec<EntityUid> {
        directory
            .rows_of(&EntityTypeName::from_str(type_name).unwrap())
            .map(|row| directory.uid(row))
            .collect()
    };
    let resources = [all("ConfigMgr::Device"), all("Intune::Tenant")].concat();
    let matrix = Matrix::of_people(&contoso, &all("Entra::User"), &resources);
    insta::assert_snapshot!(matrix.to_string());
}
