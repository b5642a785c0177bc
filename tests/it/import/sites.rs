//! Hierarchies of several sites, whose oldest one counts.

use serde_json::{Value, json};

use super::{CHECK, copied, notes, run_import};
use crate::tarbac::{Ran, Tarbac};

/// The exports of a tenant in which Intune decides, with these sites; the declaration has this version.
fn exported(sites: &Value, version: Option<u32>) -> Tarbac {
    let tarbac = copied("tests/exports/base/intune");
    let mut declared: Value = serde_json::from_str(&tarbac.read("exports/tenant.json")).unwrap();
    declared["hierarchies"][0]["version"] = json!(version);
    if version.is_none() {
        let hierarchy = declared["hierarchies"][0].as_object_mut().unwrap();
        hierarchy.remove("version");
    }
    tarbac.write("exports/tenant.json", declared.to_string());
    tarbac.write("exports/configmgr/P01/SMS_Site.json", sites.to_string());
    tarbac
}

fn site(code: &str, above: &str, build: u32) -> Value {
    json!({"SiteCode": code, "ReportingSiteCode": above, "Version": format!("5.00.{build}.1000")})
}

fn imported(tarbac: &Tarbac) -> Ran {
    run_import(tarbac, &["--drop-missing"])
}

#[test]
fn a_hierarchy_has_the_version_of_its_oldest_site() {
    let top = site("P01", "", 9128);
    for (sites, status) in [
        (json!([top]), 0),
        (json!([top, site("S01", "P01", 9088)]), 0),
        (json!([top, site("S01", "P01", 9049)]), 1),
        // Of the numbers, and not of their digits.
        (
            json!([top, site("S01", "P01", 10_128), site("S02", "P01", 9049)]),
            1,
        ),
    ] {
        let tarbac = exported(&sites, None);
        let ran = imported(&tarbac);
        assert_eq!(ran.status, 0, "{sites} {ran}");
        assert_eq!(tarbac.run(&CHECK).status, status, "{sites}");
    }
    // A declaration does not hide that a site is older.
    let ran = imported(&exported(
        &json!([top, site("S01", "P01", 9049)]),
        Some(2403),
    ));
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains("the oldest site of its SMS_Site.json has 2103"),
        "{ran}"
    );
    // Nor that one is, of which the version has no name here, or beside one that says nothing.
    let silent = json!({"SiteCode": "S02", "ReportingSiteCode": "P01"});
    for (sites, told) in [
        (json!([top, site("S01", "P01", 8692)]), "before 1902"),
        (json!([top, site("S01", "P01", 9049), silent]), "has 2103"),
    ] {
        let ran = imported(&exported(&sites, Some(2403)));
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains(told), "{ran}");
    }
    let newer = json!([top, site("S01", "P01", 99_000)]);
    assert_eq!(imported(&exported(&newer, Some(2403))).status, 0);
    // One that does not say its version leaves it open.
    let sites = json!([top, {"SiteCode": "S01", "ReportingSiteCode": "P01"}]);
    assert_eq!(imported(&exported(&sites, None)).status, 2);
    assert_eq!(imported(&exported(&sites, Some(2403))).status, 0);
}

#[test]
fn a_hierarchy_is_declared_by_its_top_site() {
    for (sites, told) in [
        (
            json!([site("CAS", "", 9128), site("P01", "CAS", 9128)]),
            "P01 is below CAS",
        ),
        (json!([site("P02", "", 9128)]), "P01 is none of its sites"),
    ] {
        let ran = imported(&exported(&sites, Some(2403)));
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains(told), "{ran}");
    }
}

/// A role has what every list of its record has: Graph writes the same list under several names.
#[test]
fn lists_of_a_role_that_differ_are_told() {
    let scripts = "Microsoft.Intune_CloudAttach_ScriptActions";
    let of_actions = |ids: &[&str]| json!([{"actions": ids}]);
    let of_resources =
        |ids: &[&str]| json!([{"resourceActions": [{"allowedResourceActions": ids}]}]);
    for (permissions, role_permissions, status) in [
        (of_actions(&[scripts]), of_resources(&[scripts]), 0),
        (
            of_actions(&[&scripts.to_lowercase()]),
            of_resources(&[scripts]),
            0,
        ),
        (of_actions(&[]), of_resources(&[scripts]), 0),
        (
            of_actions(&[scripts]),
            of_resources(&["Microsoft.Intune_Audit_Read"]),
            1,
        ),
        (
            of_resources(&["Microsoft.Intune_Audit_Read"]),
            of_actions(&[scripts]),
            1,
        ),
    ] {
        let tarbac = copied("tests/exports/base/intune");
        let file = "exports/graph/roleDefinitions.json";
        let mut roles: Value = serde_json::from_str(&tarbac.read(file)).unwrap();
        roles["value"][0]["permissions"] = permissions;
        roles["value"][0]["rolePermissions"] = role_permissions;
        tarbac.write(file, roles.to_string());
        let differs = notes(&tarbac).contains_key("role_lists_differ");
        assert_eq!(differs, status == 1, "{roles}");
        assert_eq!(tarbac.run(&CHECK).status, status, "{roles}");
    }
}

#[test]
fn what_is_nearly_an_export_is_refused() {
    for (file, near) in [
        ("graph/Users.json", "graph/users.json"),
        ("graph/tenantAttachRbac.json", "graph/tenantAttachRBAC.json"),
        (
            "configmgr/P01/sms_admin-2.JSON.gz",
            "configmgr/<site>/SMS_Admin.json",
        ),
        ("Graph/groups.json", "graph/groups.json"),
    ] {
        let tarbac = copied("tests/exports/base/intune");
        tarbac.write(&format!("exports/{file}"), "[]");
        let ran = imported(&tarbac);
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains(&format!(": {near} ")), "{ran}");
        assert!(ran.stderr.contains("where capitals count"), "{ran}");
    }
    let tarbac = copied("tests/exports/base/intune");
    let declared = tarbac.read("exports/tenant.json");
    let declared = declared.replace("\"siteCode\"", "\"uploadCollection\": null, \"siteCode\"");
    tarbac.write("exports/tenant.json", declared);
    let ran = imported(&tarbac);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr.contains("a name is expected, and it is empty"),
        "{ran}"
    );
}

/// A script that was stopped has written a part, and what it has done so far.
#[test]
fn what_a_script_has_not_finished_is_refused() {
    let tarbac = copied("tests/exports/base/intune");
    assert_eq!(imported(&tarbac).status, 0);
    tarbac.write(
        "exports/.collect-done.txt",
        "started\t2026-11-23T08:00:00Z\n",
    );
    let ran = imported(&tarbac);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("exports::unfinished"), "{ran}");
}

#[test]
fn what_would_be_read_as_something_else_is_refused() {
    let user = |more: &str| {
        format!(
            r#"[{{"id": "11111111-1111-4111-8111-111111111111", "userPrincipalName": "a@b.example"{more}}}]"#
        )
    };
    let product = |status: &str| {
        format!(
            r#"{{"skuId": "44444444-4444-4444-8444-444444444444", "capabilityStatus": "{status}", "servicePlans": []}}"#
        )
    };
    for (file, text, said) in [
        (
            "graph/users.json",
            user(r#", "accountenabled": false"#),
            "`accountenabled` is `accountEnabled` in other letters",
        ),
        (
            "graph/users.json",
            format!("{{\"value\": {}}}\n{{\"value\": []}}", user("")),
            "one whole answer follows another",
        ),
        (
            "graph/subscribedSkus.json",
            format!("[{}, {}]", product("Suspended"), product("Enabled")),
            "the product `44444444-4444-4444-8444-444444444444` is there",
        ),
    ] {
        let tarbac = copied("tests/exports/base/intune");
        tarbac.write(&format!("exports/{file}"), text);
        let ran = imported(&tarbac);
        assert_eq!(ran.status, 2, "{said} {ran}");
        assert!(ran.stderr.contains(said), "{said} {ran}");
    }
    let goes_on = r#"[{"id": "00000000-0000-4000-8000-0000000000f1", "displayName": "Script Runner", "isBuiltIn": false, "roleAssignments": [], "roleAssignments@odata.nextLink": "https://graph.example/2"}]"#;
    let tarbac = copied("tests/exports/base/intune");
    tarbac.write("exports/graph/roleDefinitions.json", goes_on);
    let ran = imported(&tarbac);
    assert!(ran.stderr.contains("a list goes on where"), "{ran}");
    let tarbac = exported(&json!([]), Some(9012));
    assert!(
        imported(&tarbac)
            .stderr
            .contains("a version as year and month")
    );
}

/// An assignment without its role may give any of them, so a forbid on a role could hold too few.
#[test]
fn a_role_may_have_further_members_where_an_assignment_has_no_role() {
    let forbid = "@id(\"custom.no\")\n@doc(\"No.\")\n@message(\"No.\")\n@advice(\"None.\")\nforbid (principal in Intune::Role::\"00000000-0000-4000-8000-0000000000f1\", action == Intune::Action::\"runScript\", resource);\n";
    for (without, status) in [(false, 1), (true, 2)] {
        let tarbac = copied("tests/exports/base/intune");
        if without {
            let claims = tarbac.path("exports/graph/roleDefinitions");
            for claim in std::fs::read_dir(claims).unwrap() {
                let path = claim.unwrap().path().join("roleAssignments.json");
                std::fs::write(path, r#"{"value": []}"#).unwrap();
            }
        }
        let ran = imported(&tarbac);
        assert_eq!(ran.status, 0, "{ran}");
        tarbac.write("workspace/policies/custom/no.cedar", forbid);
        let ran = tarbac.run(&CHECK);
        assert_eq!(ran.status, status, "{ran}");
        assert_eq!(ran.stderr.contains("members"), without, "{ran}");
    }
}
