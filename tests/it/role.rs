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
