//! Other people's policies: numbered where they have no id, with any annotation.

use super::{CHECK, ENTITIES, Others, POLICY, SCHEMA, passes, suite};
use crate::tarbac::Tarbac;

#[test]
fn policies_without_an_id_are_numbered_as_cedar_numbers_them() {
    let policies = r#"@id("named")
forbid (principal, action == Action::"edit", resource);
permit (principal == User::"ben", action == Action::"view", resource);
"#;
    let files = [
        ("policies.cedar", policies),
        ("schema.cedarschema", SCHEMA),
        ("entities.json", ENTITIES),
        ("tests.json", &suite("policy1", ENTITIES)),
    ];
    let others = Others::with(&files);
    passes(&others.run(&["test", "--cedar", "tests.json"]));
    assert_eq!(others.findings(), ["warning policy::missing_id"]);
    assert_eq!(others.run(&CHECK).stdout, "ALLOW  policy1\n");

    // Several files are counted like one.
    let files = [
        ("policies-1.cedar", policies),
        ("policies-2.cedar", policies.split_once('\n').unwrap().1),
        ("schema.cedarschema", SCHEMA),
        ("tests.json", &suite("policy3", ENTITIES)),
    ];
    let others = Others::with(&files);
    passes(&others.run(&["test", "--cedar", "tests.json"]));
}

#[test]
fn many_policies_without_an_id_are_numbered_over_the_whole_file() {
    // Large files are parsed in parts.
    let filler = "// a remark that makes the file long\nforbid (principal, action == Action::\"edit\", resource);\n".repeat(3000);
    let policies = format!(
        "{filler}permit (principal == User::\"ben\", action == Action::\"view\", resource);\n"
    );
    let files = [
        ("policies.cedar", policies.as_str()),
        ("schema.cedarschema", SCHEMA),
        ("tests.json", &suite("policy3000", ENTITIES)),
    ];
    passes(&Others::with(&files).run(&["test", "--cedar", "tests.json"]));
}

#[test]
fn an_id_by_position_may_not_be_that_of_another() {
    let policies = "@id(\"policy1\")\npermit (principal, action == Action::\"edit\", resource);\nforbid (principal, action == Action::\"edit\", resource);\n";
    let others = Others::with(&[("policies.cedar", policies), ("schema.cedarschema", SCHEMA)]);
    assert_eq!(
        others.findings(),
        ["error policy::duplicate_id", "warning policy::missing_id"]
    );
}

#[test]
fn any_annotation_may_stand_on_a_policy() {
    for key in ["role", "rule", "owner", "team", "docs_url", "k8s"] {
        let policy = format!("@{key}(\"x\")\n{POLICY}");
        let files = [
            ("policies.cedar", policy.as_str()),
            ("schema.cedarschema", SCHEMA),
        ];
        assert_eq!(
            Others::with(&files).findings(),
            Vec::<String>::new(),
            "{key}"
        );
    }
    // What may be misspelt is told.
    for key in ["heading", "mesage", "sources"] {
        let policy = format!("@{key}(\"x\")\n{POLICY}");
        let files = [
            ("policies.cedar", policy.as_str()),
            ("schema.cedarschema", SCHEMA),
        ];
        let findings = Others::with(&files).findings();
        assert_eq!(findings, ["warning policy::unknown_annotation"], "{key}");
    }
}

/// What our annotations do, they do under a schema that asks our questions.
const ANNOTATIONS: [&str; 13] = [
    "@reading(\"slow\")",
    "@reading(\"slow\")\n@holds(\"on\")\n@default(\"off\")",
    "@reading(\"slow\")\n@holds(\"off\")\n@default(\"on\")",
    "@reading(\"slow\")\n@holds(\"sometimes\")",
    "@default(\"on\")",
    "@holds(\"off\")",
    "@severity(\"high\")",
    "@guardrail(\"x\")",
    "@guards(\"the door\")",
    "@first(\"in line\")",
    "@authority(\"me\")\n@code(\"7\")\n@lifts(\"x\")\n@about(\"y\")\n@former(\"z\")\n@change(\"w\")",
    "@accounts(\"all\")\n@beyond(\"belief\")\n@decides(\"nothing\")",
    // A key with the letters of one of ours.
    "@raeding(\"slow\")",
];

/// The test that the policy `p` decides as it does in `policies.cedar`.
const TEST: [&str; 5] = [
    "--policies",
    "policies.cedar",
    "test",
    "--cedar",
    "tests.json",
];

/// Other people's Cedar in which a policy with annotations permits, or forbids, with the decision.
fn annotated(annotations: &str) -> [(Others, &'static str); 2] {
    let permit = "permit (principal, action == Action::\"view\", resource);\n";
    let forbid = "forbid (principal == User::\"ben\", action == Action::\"view\", resource);\n";
    let with = |policies: &str, answer: &str| {
        let suite = suite("p", ENTITIES).replace("\"allow\"", &format!("\"{answer}\""));
        Others::with(&[
            ("policies.cedar", policies),
            ("schema.cedarschema", SCHEMA),
            ("entities.json", ENTITIES),
            ("tests.json", &suite),
        ])
    };
    let permits = format!("@id(\"p\")\n{annotations}\n{permit}");
    let forbids = format!("@id(\"q\")\n{permit}@id(\"p\")\n{annotations}\n{forbid}");
    [
        (with(&permits, "allow"), "ALLOW  p"),
        (with(&forbids, "deny"), "DENY  p"),
    ]
}

#[test]
fn no_annotation_takes_a_policy_of_others_out_of_force() {
    for annotations in ANNOTATIONS {
        for (others, decision) in annotated(annotations) {
            let found = others.findings();
            let is_warning = |found: &String| found.starts_with("warning ");
            assert!(found.iter().all(is_warning), "{annotations}: {found:?}");
            let ran = others.run(&CHECK);
            assert!(ran.stdout.starts_with(decision), "{annotations}: {ran}");
            passes(&others.run(&["test", "--cedar", "tests.json"]));
            passes(&others.0.run(&[&TEST[..], &["--no-schema"]].concat()));
        }
    }
}

#[test]
fn no_annotation_of_others_makes_a_reading_that_could_be_switched() {
    for annotations in ANNOTATIONS {
        for (others, _) in annotated(annotations) {
            for flag in ["--reading", "--no-reading"] {
                let ran = others.run(&[&[flag, "slow"][..], &CHECK].concat());
                assert_eq!(ran.status, 2, "{annotations}: {ran}");
                let alone = [&[flag, "slow"][..], &TEST, &["--no-schema"]].concat();
                let ran = others.0.run(&alone);
                assert_eq!(ran.status, 2, "{annotations}: {ran}");
                assert!(
                    ran.stderr.contains("there are none"),
                    "{annotations}: {ran}"
                );
            }
        }
    }
}

#[test]
fn no_annotation_in_a_schema_of_others_does_what_ours_do() {
    let schema = SCHEMA.replace(
        "{ team?: Team }",
        "{ team?: Team, @alias(\"unique\") name?: String }",
    );
    let policies = format!(
        "{POLICY}@id(\"f\")\nforbid (principal, action, resource) when {{ principal has name && principal.name == \"BEN\" }};\n"
    );
    let files = [
        ("policies.cedar", policies.as_str()),
        ("schema.cedarschema", schema.as_str()),
        ("entities.json", ENTITIES),
    ];
    passes(&Others::with(&files).run(&CHECK));
    let schema = SCHEMA.replace(
        "entity Doc;",
        "@requires(\"Team\")\nentity Doc = { @in_place_of(\"Team\") team?: Team };",
    );
    let files = [
        ("policies.cedar", POLICY),
        ("schema.cedarschema", schema.as_str()),
        ("entities.json", ENTITIES),
    ];
    passes(&Others::with(&files).run(&CHECK));
}

#[test]
fn a_misspelt_switch_of_a_reading_is_refused() {
    let policy = |more: &str| {
        format!(
            "@id(\"custom.x\")\n@doc(\"It is seen.\")\n{more}\npermit (principal in Intune::Role::\"r\", action == Intune::Action::\"viewTimeline\", resource);\n"
        )
    };
    let validate =
        |more: &str| Tarbac::with(&[("policies/custom/x.cedar", &policy(more))]).run(&["validate"]);
    for more in [
        "@reding(\"observed-roles\")",
        "@raeding(\"something else\")",
        "@reading(\"observed-roles\")\n@hold(\"off\")",
    ] {
        let ran = validate(more);
        assert_eq!(ran.status, 1, "{ran}");
        assert!(ran.stdout.contains("policy::unknown_annotation"), "{ran}");
    }
    assert_eq!(validate("@heading(\"something else\")").status, 0);
}
