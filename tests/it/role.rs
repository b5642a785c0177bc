//! `tarbac role`: roles for Microsoft Graph.

use serde_json::{Value, json};

use crate::tarbac::{Ran, Tarbac, contoso};

/// The policies of a role, beside the sample.
fn role(policies: &str) -> Tarbac {
    Tarbac::with(&[
        ("policies/custom/role.cedar", policies),
        (
            "entities/roles.json",
            r#"[{"uid": {"type": "Intune::Role", "id": "00000000-0000-4000-8000-0000000000aa"}, "attrs": {"displayName": "Berlin"}, "parents": []}]"#,
        ),
    ])
}

fn policy(id: &str, effect: &str, scope: &str, conditions: &str) -> String {
    let more = match effect {
        "forbid" => "@message(\"No.\")\n@advice(\"None.\")\n",
        _ => "",
    };
    format!(
        "@id(\"custom.{id}\")\n@doc(\"The policy {id}.\")\n{more}{effect} ({scope}){conditions};\n\n"
    )
}

const HAS_IT: &str = "principal in Intune::Role::\"00000000-0000-4000-8000-0000000000aa\"";
const SCRIPTS: &str =
    "action in [Intune::Action::\"viewScripts\", Intune::Action::\"viewClientDetails\"]";

fn export(workspace: &Tarbac, role: &str) -> Ran {
    workspace.run(&["role", "export", role])
}

#[test]
fn a_role_is_a_list_of_permissions() {
    let workspace = role(&[
        policy("scripts", "permit", &format!("{HAS_IT}, {SCRIPTS}, resource"), ""),
        policy(
            "run",
            "permit",
            &format!("{HAS_IT}, action == Intune::Action::\"runScript\", resource is ConfigMgr::Device"),
            "",
        ),
    ]
    .concat());
    let expected = json!({
        "displayName": "Berlin",
        "description": "The policy run. The policy scripts.",
        "rolePermissions": [{ "resourceActions": [{
            "allowedResourceActions": [
                "Microsoft.Intune_CloudAttach_ClientDetails",
                "Microsoft.Intune_CloudAttach_ScriptActions",
                "Microsoft.Intune_CloudAttach_Scripts",
            ],
            "notAllowedResourceActions": [],
        }] }],
    });
    for name in ["berlin", "00000000-0000-4000-8000-0000000000aa"] {
        let ran = export(&workspace, name);
        assert_eq!(ran.status, 0, "{ran}");
        assert_eq!(
            serde_json::from_str::<Value>(&ran.stdout).unwrap(),
            expected
        );
    }
}

/// The built-in roles are those of the document, by the names that Graph has for the permissions.
#[test]
fn a_built_in_role_is_exported_like_any_other() {
    let ran = contoso(&["role", "export", "Read Only Operator"]);
    assert_eq!(ran.status, 0, "{ran}");
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn what_no_role_can_be_is_refused_with_the_reason() {
    let all = format!("{HAS_IT}, {SCRIPTS}, resource");
    let workspace = role(
        &[
            policy("plain", "permit", &all, ""),
            policy(
                "condition",
                "permit",
                &all,
                "\nwhen { principal.cloudOnly }",
            ),
            policy("forbids", "forbid", &all, ""),
            policy(
                "device",
                "permit",
                &format!("{HAS_IT}, {SCRIPTS}, resource == ConfigMgr::Device::\"d\""),
                "",
            ),
            policy(
                "others",
                "permit",
                &format!("principal, {SCRIPTS}, resource"),
                &format!("\nwhen {{ {HAS_IT} }}"),
            ),
        ]
        .concat(),
    );
    let ran = export(&workspace, "Berlin");
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran}");
    insta::assert_snapshot!(ran);
}

#[test]
fn a_role_without_permissions_is_none() {
    let workspace = role("");
    let ran = export(&workspace, "Berlin");
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains("no policy in force gives `Berlin` a permission"),
        "{ran}"
    );
    let ran = export(&workspace, "Berlim");
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("Berlin"), "{ran}");
}

/// A row of the role definitions of a tenant, in the form of v1.0.
fn row(id: &str, name: &str, permissions: &[&str]) -> Value {
    let allowed: Vec<String> = permissions
        .iter()
        .map(|permission| format!("Microsoft.Intune_{permission}"))
        .collect();
    json!({
        "id": id,
        "displayName": name,
        "isBuiltIn": false,
        "rolePermissions": [{ "resourceActions": [{ "allowedResourceActions": allowed, "notAllowedResourceActions": [] }] }],
    })
}

const BERLIN: &str = "00000000-0000-4000-8000-0000000000aa";

/// Berlin sees scripts and client details; the built-in roles are as they ship.
fn berlin() -> Tarbac {
    role(&policy(
        "scripts",
        "permit",
        &format!("{HAS_IT}, {SCRIPTS}, resource"),
        "",
    ))
}

fn diff(workspace: &Tarbac, arguments: &[&str]) -> Ran {
    workspace.run(&[&["role", "diff", "exports"], arguments].concat())
}

/// The built-in roles as the documents have them, which is as the policies that ship have them.
fn built_in() -> Vec<Value> {
    let names = [
        "Application Manager",
        "Endpoint Security Manager",
        "Help Desk Operator",
        "Intune Role Administrator",
        "Policy and Profile Manager",
        "Read Only Operator",
        "School Administrator",
    ];
    let rows = names.iter().map(|name| {
        let ran = contoso(&["role", "export", name]);
        let mut row: Value = serde_json::from_str(&ran.stdout).unwrap();
        row["id"] = json!(format!("id of {name}"));
        // As the service writes it.
        row["displayName"] = json!(name.replace("Profile Manager", "Profile manager"));
        row
    });
    rows.collect()
}

#[test]
fn a_tenant_with_the_same_roles_is_the_same() {
    let workspace = berlin();
    let mut rows = built_in();
    // What tarbac does not know says nothing, and neither does a role that has nothing else.
    let permissions = [
        "CloudAttach_Scripts",
        "CloudAttach_ClientDetails",
        "ManagedDevices_Read",
    ];
    rows.push(row(BERLIN, "Berlin", &permissions));
    rows.push(row("f", "Fleet", &["ManagedDevices_Read"]));
    workspace.write(
        "exports/graph/roleDefinitions.json",
        json!({ "value": rows }).to_string(),
    );
    let ran = diff(&workspace, &[]);
    assert_eq!(
        (ran.status, ran.stdout.as_str()),
        (0, "same: 9 roles\n"),
        "{ran}"
    );
}

#[test]
fn what_a_tenant_and_the_policies_disagree_on() {
    let workspace = berlin();
    workspace.write(
        "policies/custom/more.cedar",
        [
            policy(
                "other",
                "permit",
                "principal in Intune::Role::\"gone\", action == Intune::Action::\"viewTimeline\", resource",
                "",
            ),
            policy(
                "sometimes",
                "permit",
                "principal in Intune::Role::\"sometimes\", action == Intune::Action::\"viewTimeline\", resource",
                "\nwhen { principal.cloudOnly }",
            ),
        ]
        .concat(),
    );
    let first = built_in();
    let second = [
        row(
            BERLIN,
            "Berlin",
            &["CloudAttach_Scripts", "CloudAttach_ScriptActions"],
        ),
        row("sometimes", "Sometimes", &["CloudAttach_Timeline"]),
        row("new", "New", &["CloudAttach_Timeline"]),
    ];
    // Two pages, the second as Windows PowerShell writes it.
    workspace.write(
        "exports/graph/roleDefinitions.json",
        json!({ "value": first, "@odata.nextLink": "https://graph.example/next" }).to_string(),
    );
    let ran = diff(&workspace, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains("cannot read `exports/graph/roleDefinitions-2.json`"),
        "{ran}"
    );
    assert!(
        ran.stderr
            .contains("save what https://graph.example/next answers"),
        "{ran}"
    );
    let text = format!("\u{feff}{}", json!(second));
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    workspace.write("exports/graph/roleDefinitions-2.json", utf_16);
    let ran = diff(&workspace, &[]);
    assert_eq!(ran.status, 1, "{ran}");
    insta::assert_snapshot!(ran.stdout);
    let ran = diff(&workspace, &["--format", "json"]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.status, &document["same"]), (1, &json!(false)), "{ran}");
    assert_eq!(document["roles"].as_array().unwrap().len(), 11);
}

/// Nobody knows what a permission that is not allowed takes from whom.
#[test]
fn a_definition_that_takes_away_is_not_the_same() {
    let workspace = berlin();
    let mut rows = built_in();
    let mut row = row(
        BERLIN,
        "Berlin",
        &["CloudAttach_Scripts", "CloudAttach_ClientDetails"],
    );
    row["rolePermissions"][0]["resourceActions"][0]["notAllowedResourceActions"] =
        json!(["Microsoft.Intune_CloudAttach_Scripts"]);
    rows.push(row);
    workspace.write(
        "exports/graph/roleDefinitions.json",
        json!(rows).to_string(),
    );
    let ran = diff(&workspace, &[]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(
        ran.stdout
            .contains("? the tenant lists permissions that are not allowed"),
        "{ran}"
    );
}

#[test]
fn exports_that_cannot_be_read_are_named() {
    let workspace = berlin();
    let ran = diff(&workspace, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("`exports` is not a folder"), "{ran}");
    workspace.write("exports/tenant.json", "{}");
    let ran = diff(&workspace, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains("cannot read `exports/graph/roleDefinitions.json`: it is missing"),
        "{ran}"
    );
    workspace.write(
        "exports/graph/roleDefinitions.json",
        "[\n  {\"id\": \"a\"}\n]",
    );
    let ran = diff(&workspace, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains("exports/graph/roleDefinitions.json:2:13"),
        "{ran}"
    );
    assert!(ran.stderr.contains("displayName"), "{ran}");
    workspace.write("exports/graph/roleDefinitions.ndjson", "");
    let ran = diff(&workspace, &[]);
    assert!(
        ran.stderr
            .contains("roleDefinitions.ndjson` is there as well"),
        "{ran}"
    );
}
