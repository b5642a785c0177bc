//! A person whom a `forbid` suspends does not get through by any way in which Cedar would skip the
//! policy: each ends in a refusal to answer, or in `indeterminate`, never in `allow`.

use serde_json::json;

use crate::tarbac::Tarbac;
use crate::world::{assignment, device, entities, entity, hierarchy, tenant_entity, user};

/// Bo is a Help Desk Operator of a tenant in which Intune decides, and in this group.
fn tenant_with_bo_in(group: &str) -> String {
    entities(&[
        tenant_entity("t", true),
        hierarchy("H", "t", false),
        device("d", "PC", "H"),
        assignment(
            "a",
            &[
                ("Intune::Role", "Help Desk Operator"),
                ("Intune::Tenant", "t"),
                ("Intune::ScopeTag", "*"),
            ],
        ),
        entity("Entra::Group", "suspended", json!({}), &[]),
        entity("Entra::Group", "active", json!({}), &[]),
        user(
            "bo",
            "bo@t.example",
            &[("Intune::RoleAssignment", "a"), ("Entra::Group", group)],
        ),
    ])
}

fn forbid(scope: &str, condition: &str) -> String {
    format!(
        "@id(\"custom.suspended\")\n@doc(\"Nobody who is suspended does anything.\")\n@message(\"Suspended.\")\n\
         @advice(\"Wait.\")\nforbid ({scope}, action, resource){condition};\n"
    )
}

const IN_GROUP: &str = "principal in Entra::Group::\"suspended\"";

fn workspace(group: &str, policy: &str) -> Tarbac {
    Tarbac::with(&[
        ("entities/all.json", &tenant_with_bo_in(group)),
        ("policies/custom/suspended.cedar", policy),
    ])
}

/// The status and all output of the one request that matters, which is never allowed.
fn check(folder: &Tarbac, person: &str) -> (i32, String) {
    let ran = folder.run(&["check", person, "viewTimeline", "PC"]);
    assert!(!ran.stdout.contains("ALLOW"), "{ran}");
    (ran.status, ran.to_string())
}

#[test]
fn the_forbid_holds_as_it_stands() {
    let (status, text) = check(&workspace("suspended", &forbid(IN_GROUP, "")), "bo");
    assert_eq!(status, 1, "{text}");
    assert!(
        text.starts_with("DENY  custom.suspended — Suspended."),
        "{text}"
    );
}

#[test]
fn whom_it_does_not_name_is_allowed() {
    // Otherwise the other tests would pass for another reason.
    let ran =
        workspace("active", &forbid(IN_GROUP, "")).run(&["check", "bo", "viewTimeline", "PC"]);
    assert_eq!(ran.stdout, "ALLOW  roles.help-desk-operator\n", "{ran}");
}

#[test]
fn a_misspelt_principal_is_nobody() {
    let folder = workspace("suspended", &forbid(IN_GROUP, ""));
    for person in ["bob", "Entra::User::\"b0\""] {
        let (status, text) = check(&folder, person);
        assert_eq!(status, 2, "{text}");
    }
    let line = b"{\"principal\":\"bob\",\"action\":\"viewTimeline\",\"resource\":\"PC\"}\n";
    let ran = folder.run_with(&["check", "--requests", "-"], line);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stdout.contains("\"decision\":\"indeterminate\""),
        "{ran}"
    );
}

#[test]
fn a_misspelt_person_in_the_forbid_is_an_error() {
    let (status, text) = check(
        &workspace("suspended", &forbid("principal == Entra::User::\"b0\"", "")),
        "bo",
    );
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("policy::unknown_entity"), "{text}");
}

#[test]
fn a_dangling_group_is_an_error() {
    let (status, text) = check(&workspace("suspendde", &forbid(IN_GROUP, "")), "bo");
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("entities::dangling"), "{text}");
}

#[test]
fn an_overflow_is_indeterminate() {
    let condition = "\nwhen { 9223372036854775807 + (if principal.cloudOnly then 1 else 0) > 0 }";
    let (status, text) = check(
        &workspace("suspended", &forbid("principal", condition)),
        "bo",
    );
    assert_eq!(status, 2, "{text}");
    assert!(text.starts_with("INDETERMINATE"), "{text}");
    assert!(text.contains("overflow"), "{text}");
}

#[test]
fn a_missing_attribute_is_an_error_before_anything_is_decided() {
    let condition = "\nwhen { principal.configMgr.read.isEmpty() }";
    let (status, text) = check(
        &workspace("suspended", &forbid("principal", condition)),
        "bo",
    );
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("policy::type"), "{text}");
}

#[test]
fn a_misspelt_annotation_of_a_reading_is_an_error() {
    let policy = forbid(IN_GROUP, "").replace("@advice", "@readnig(\"strict\")\n@advice");
    let (status, text) = check(&workspace("suspended", &policy), "bo");
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("did you mean `@reading`"), "{text}");
}

#[test]
fn a_question_that_cannot_be_answered_is_indeterminate() {
    let notice = "@id(\"custom.notice\")\n@doc(\"Overflows.\")\n@code(\"x\")\n\
        permit (principal, action == Tarbac::Action::\"notice\", resource is ConfigMgr::Device)\n\
        when { resource.hierarchy.version + 9223372036854775807 > 0 };\n";
    let (status, text) = check(&workspace("active", notice), "bo");
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("overflow"), "{text}");
}

#[test]
fn two_authorities_are_none() {
    let second = "@id(\"custom.authority\")\n@doc(\"Always.\")\n@authority(\"configmgr\")\n\
        permit (principal, action == Tarbac::Action::\"authority\", resource);\n";
    let (status, text) = check(&workspace("active", second), "bo");
    assert_eq!(status, 2, "{text}");
    assert!(
        text.contains("several policies say which authority"),
        "{text}"
    );
}

#[test]
fn a_file_where_a_folder_is_expected_is_an_error() {
    let folder = Tarbac::with(&[("entities/all.json", &tenant_with_bo_in("active"))]);
    folder.write("policies", "forbid (principal, action, resource);");
    let (status, text) = check(&folder, "bo");
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("workspace::unreadable"), "{text}");
}
