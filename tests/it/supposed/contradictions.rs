//! Changes that contradict each other, agree, or make each other void.

use serde_json::Value;

use super::{QUESTIONS, as_it_is};
use crate::tarbac::{contoso, contoso_with, sample};

/// The sentence before an answer, with what is told along with it.
fn premises(changes: &[&str]) -> String {
    let ran = contoso(&[&["what-if", "--format", "json"], changes].concat());
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let lines = |of: &str| -> Vec<String> {
        let lines = document["asked"][of].as_array().unwrap().iter();
        lines
            .map(|line| format!("{of}: {}", line.as_str().unwrap()))
            .collect()
    };
    [lines("supposed"), lines("notes")].concat().join("\n")
}

/// What another change takes away is not so already.
#[test]
fn a_role_that_is_lost_by_another_change_is_supposed() {
    let check = ["check", "quinn@contoso.example", "Run script", "WS-TST-001"];
    let changes = [
        "--scoped-permissions",
        "contoso=on",
        "--grant",
        "quinn@contoso.example=Help Desk Operator",
    ];
    let ran = contoso(&[&check[..], &changes[..2]].concat());
    assert_eq!(ran.status, 1, "{ran}");
    let ran = contoso(&[&check[..], &changes].concat());
    assert_eq!(ran.status, 0, "{ran}");
    assert!(
        ran.stdout
            .contains("and quinn@contoso.example has the Intune role Help Desk Operator"),
        "{ran}"
    );
    assert!(!ran.to_string().contains("already"), "{ran}");
}

#[test]
fn what_is_so_already_is_said() {
    let member = r#"Entra::User::"ada@contoso.example" in Entra::Group::"Service Desk"=true"#;
    let changes: &[&[&str]] = &[
        &["--use-intune-rbac", "contoso=on"],
        &["--use-intune-rbac", "on"],
        &["--enforce-configmgr-rbac", "FAB=off"],
        &[
            "--enforce-configmgr-rbac",
            "FAB=off",
            "--enforce-configmgr-rbac",
            "P01=off",
        ],
        &["--site-version", "P01=2403"],
        &["--grant", "ada@contoso.example=Help Desk Operator"],
        &["--grant", "ada@contoso.example=School Administrator"],
        &["--set", "ada@contoso.example.cloudOnly=true"],
        &["--set", member],
        // What is absent is what the schema says that it counts as.
        &["--set", "contoso.scopedPermissions=false"],
        &["--scoped-permissions", "contoso=off"],
        &["--set", "mia@contoso.example.accountEnabled=true"],
        &[
            "--set",
            "ada@contoso.example.cloudOnly=false",
            "--revoke",
            "ada@contoso.example=Help Desk Operator",
        ],
    ];
    let said = changes.iter().map(|changes| {
        let typed = changes.join(" ");
        format!("{typed}\n{}\n", premises(changes))
    });
    insta::assert_snapshot!(said.collect::<Vec<_>>().join("\n"));
    let ran = contoso(&["what-if", "--use-intune-rbac", "contoso=on"]);
    assert_eq!(ran.status, 0, "{ran}");
    insta::assert_snapshot!(ran);
    // A question says it beside its answer.
    let check = ["check", "ada@contoso.example", "Run script", "WS-TST-001"];
    let ran = contoso(&[&check[..], &["--use-intune-rbac", "contoso=on"]].concat());
    assert!(
        ran.stderr
            .contains("Use Intune RBAC is On for contoso already"),
        "{ran}"
    );
}

const KARIN: &str = r#"Entra::User::"karin@contoso.example".configMgr.read.contains(ConfigMgr::Collection::"Berlin Workstations")=true"#;

const NEW: &str = r#"Entra::User::"x"={"tenant":"contoso","userPrincipalName":"x@contoso.example","cloudOnly":true}"#;

/// Two changes that cannot both be made.
const AT_ODDS: [[&str; 4]; 14] = [
    [
        "--scoped-permissions",
        "on",
        "--set",
        "contoso.scopedPermissions=false",
    ],
    ["--scoped-permissions", "on", "--scoped-permissions", "off"],
    [
        "--scoped-permissions",
        "contoso=on",
        "--set",
        "contoso has scopedPermissions=false",
    ],
    [
        "--use-intune-rbac",
        "on",
        "--set",
        "contoso.useIntuneRbac=false",
    ],
    [
        "--use-intune-rbac",
        "contoso=off",
        "--set",
        "contoso.useIntuneRbac=on",
    ],
    [
        "--use-intune-rbac",
        "off",
        "--set",
        r#"Intune::Tenant::"contoso".useIntuneRbac=true"#,
    ],
    [
        "--enforce-configmgr-rbac",
        "off",
        "--set",
        "P01.enforceConfigMgrRbac=true",
    ],
    [
        "--enforce-configmgr-rbac",
        "P01=on",
        "--enforce-configmgr-rbac",
        "P01=off",
    ],
    ["--site-version", "2403", "--set", "P01.version=2207"],
    ["--set", "P01.version=2403", "--set", "P01.version=2207"],
    [
        "--grant",
        "ada@contoso.example=Help Desk Operator",
        "--revoke",
        "ada@contoso.example=Help Desk Operator",
    ],
    // One of them changes a part of what the other says as a whole.
    [
        "--set",
        "karin@contoso.example.configMgr.read=[]",
        "--set",
        KARIN,
    ],
    [
        "--set",
        KARIN,
        "--set",
        "karin@contoso.example has configMgr=false",
    ],
    ["--set", NEW, "--set", r#"Entra::User::"x".cloudOnly=false"#],
];

#[test]
fn changes_that_contradict_each_other_are_refused_and_both_are_named() {
    for changes in AT_ODDS {
        let [one, its, other, value] = changes;
        let ran = contoso(&[&["what-if"][..], &changes].concat());
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran}");
        let said = ran.stderr.split_whitespace().filter(|word| *word != "│");
        let said = said.collect::<Vec<_>>().join(" ");
        for typed in [format!("`{one} {its}`"), format!("`{other} {value}`")] {
            assert!(said.contains(&typed), "{typed}: {ran}");
        }
        assert!(said.contains("contradict each other"), "{ran}");
        assert_eq!(said.matches('×').count(), 1, "{ran}");
    }
}

#[test]
fn changes_that_contradict_each_other_are_refused_whatever_is_asked() {
    for question in QUESTIONS {
        let changes = AT_ODDS[0];
        let ran = contoso_with(&[question, &changes[..]].concat(), b"");
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran}");
        assert!(ran.stderr.contains("contradict each other"), "{ran}");
    }
}

/// Somebody who leaves a group for a role, and comes to it by another way.
#[test]
fn a_change_that_another_makes_void_is_refused() {
    let again = r#"Entra::User::"tess@contoso.example" in Entra::Group::"Service Desk"=true"#;
    let revoke = ["--revoke", "tess@contoso.example=Help Desk Operator"];
    let ran = contoso(&[&["what-if"], &revoke[..], &["--set", again]].concat());
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran}");
    assert!(
        ran.stderr.contains("is still in Help Desk Operator"),
        "{ran}"
    );
    assert_eq!(contoso(&[&["what-if"], &revoke[..]].concat()).status, 1);
}

/// What is said of one thing by a flag holds over what the same flag says of everything; saying a thing twice is
/// saying it once.
#[test]
fn changes_that_agree_go_together() {
    for (changes, same) in [
        (
            &[
                "--use-intune-rbac",
                "off",
                "--use-intune-rbac",
                "contoso=on",
            ][..],
            &[
                "--use-intune-rbac",
                "contoso=on",
                "--use-intune-rbac",
                "fabrikam=off",
            ][..],
        ),
        (
            &[
                "--use-intune-rbac",
                "on",
                "--set",
                "contoso.useIntuneRbac=true",
            ],
            &["--use-intune-rbac", "on"],
        ),
        (
            &["--site-version", "P01=2207", "--site-version", "P01=2207"],
            &["--set", "P01.version=2207"],
        ),
    ] {
        let revision = |changes: &[&str]| {
            let check = ["check", "ada@contoso.example", "runScript", "WS-TST-001"];
            let arguments = [&check[..], changes, &["--format", "json"]].concat();
            let answer: Value = serde_json::from_str(&as_it_is(&arguments)).unwrap();
            answer["revision"].clone()
        };
        assert_eq!(revision(changes), revision(same), "{changes:?}");
    }
}

/// Where the schema says what an attribute counts as while it is absent, saying so changes nothing.
#[test]
fn what_absence_counts_as_is_what_it_is() {
    let workspace = sample();
    let mut said = 0;
    let people = workspace.read("entities/people.json");
    let people: Value = serde_json::from_str(&people).unwrap();
    let of_people = people.as_array().unwrap().iter().filter_map(|person| {
        let name = person["attrs"]["userPrincipalName"].as_str()?;
        let is_absent = person["attrs"].get("accountEnabled").is_none();
        is_absent.then(|| format!("{name}.accountEnabled=true"))
    });
    let of_tenants = ["contoso.scopedPermissions=false".to_owned()];
    for fact in of_people.chain(of_tenants) {
        let ran = workspace.run(&["what-if", "--set", &fact]);
        assert_eq!(ran.status, 0, "{ran}");
        assert!(ran.stdout.contains("already"), "{ran}");
        said += 1;
    }
    assert!(said > 10, "{said}");
}
