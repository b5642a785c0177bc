//! `tarbac readings`: the choices where the documents disagree.

use crate::tarbac::contoso;

#[test]
fn state_sentence_and_source() {
    insta::assert_snapshot!(contoso(&["readings", "--reading", "observed-roles"]), @r#"
    any-intune-role  on (default)
      Under Configuration Manager authority any Intune role in the tenant of the device is enough for
        the permissions of Cloud attached devices.
      Source: client-details.md, Permissions; against create-custom-role.md
    default-scope-tag  off (default)
      Nobody whose role assignments all carry scope tags other than Default sees a tenant-attached
        device while Intune decides, except the two administrators of Microsoft Entra.
      Source: device-sync-actions.md, Scope tags; against use-intune-rbac.md, Limitations
    discovery-either  off (default)
      Nobody gets at a device while Configuration Manager decides unless one of the two user discoveries
        of its hierarchy has found them.
      Source: tenant-attach/prerequisites.md; against client-details.md
    entra-administrators  on (default)
      Microsoft Entra Global Administrators and Intune Administrators hold every Intune permission, and
        never one of Configuration Manager.
      Source: role-based-access-control/overview.md, Microsoft Entra roles with Intune access
    observed-roles  on (switched)
      A Policy and Profile Manager also sees Software updates.
      Source: ref-built-in-roles.md; against use-intune-rbac.md
    --- exit 0
    "#);
}

#[test]
fn readings_are_written_as_json() {
    let ran = contoso(&[
        "readings",
        "--format",
        "json",
        "--no-reading",
        "any-intune-role",
    ]);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["version"], 1);
    insta::assert_snapshot!(document["readings"][0], @r#"{"name":"any-intune-role","default":true,"in_force":false,"doc":"Under Configuration Manager authority any Intune role in the tenant of the device is enough for the permissions of Cloud attached devices.","source":"client-details.md, Permissions; against create-custom-role.md"}"#);
}

/// A setting that is taken for a reading is told how it is supposed.
#[test]
fn a_setting_is_no_reading() {
    let check = ["check", "ada@contoso.example", "runScript", "WS-TST-001"];
    for (flag, name, meant) in [
        ("--reading", "scoped-permissions", "--scoped-permissions"),
        ("--no-reading", "useIntuneRbac", "--use-intune-rbac"),
        (
            "--reading",
            "Enforce-ConfigMgr-RBAC",
            "--enforce-configmgr-rbac",
        ),
    ] {
        for question in [&check[..], &["what-if"]] {
            let ran = contoso(&[question, &[flag, name]].concat());
            assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran}");
            assert!(
                ran.stderr
                    .contains(&format!("it is a setting, and {meant}")),
                "{ran}"
            );
        }
    }
    let ran = contoso(&[&check[..], &["--reading", "imagined"]].concat());
    assert!(!ran.stderr.contains("setting"), "{ran}");
}
