//! A fact that is given passes the same checks as one in a file.

use crate::tarbac::sample;

/// Policies of a workspace that forbid nobody once a fact is given, with the fact and the finding.
const CASES: [(&str, &str, &str); 5] = [
    (
        r#"(principal in Entra::Group::"00000000-0000-4000-8000-0000000000c2", action == Intune::Action::"runScript", resource)"#,
        r#"Entra::Group::"00000000-0000-4000-8000-0000000000c2".membersUnknown=true"#,
        "depends on who is in",
    ),
    (
        r#"(principal, action == Intune::Action::"runScript", resource) when { resource in ConfigMgr::Collection::"TST00015" }"#,
        r#"ConfigMgr::Collection::"TST00015".membersUnknown=true"#,
        "depends on who is in",
    ),
    (
        r#"(principal, action == Intune::Action::"runScript", resource) when { principal in Intune::Role::"Policy and Profile Manager" }"#,
        r#"ada@contoso.example.assignmentsWithLicenseUnknown=[{"type": "Intune::RoleAssignment", "id": "00000000-0000-4000-8000-0000000000e4"}]"#,
        "depends on who is in",
    ),
    (
        r#"(principal, action == Intune::Action::"runScript", resource) when { principal.userPrincipalName == "ada@contoso.example" }"#,
        r#"ada@contoso.example.userPrincipalName="Ada@contoso.example""#,
        "compares `",
    ),
    (
        r#"(principal, action == Intune::Action::"runScript", resource) when { resource.name == "WS-TST-001" }"#,
        r#"WS-TST-001.name="ws-tst-001""#,
        "compares `",
    ),
];

#[test]
fn a_rule_that_a_given_fact_makes_void_is_an_error() {
    for (scope, fact, finding) in CASES {
        let policy = format!(
            "@id(\"custom.x\")\n@doc(\"x\")\n@message(\"x\")\n@advice(\"x\")\nforbid {scope};\n"
        );
        let workspace = sample();
        workspace.write("policies/custom/x.cedar", policy);
        let check = ["check", "ada@contoso.example", "runScript", "WS-TST-001"];
        let ran = workspace.run(&[&check[..], &["--set", fact]].concat());
        assert_eq!(ran.status, 2, "{fact}\n{ran}");
        assert!(ran.stderr.contains(finding), "{fact}\n{ran}");
    }
}
