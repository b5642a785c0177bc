//! Names and ids that pass for others, or that nobody has.

use serde_json::{Value, json};

use super::{NONE, conditional, findings, of_policy};
use crate::tarbac::Tarbac;
use crate::world::{device, entities, entity, user};

#[test]
fn ids_that_lead_to_the_wrong_policy_are_told() {
    let named = |id: &str| {
        of_policy(&format!(
            "@id(\"{id}\")\n@doc(\"A.\")\npermit (principal in Intune::Role::\"Help Desk Operator\", action == Intune::Action::\"viewTimeline\", resource);\n"
        ))
    };
    assert_eq!(named("custom.timeline"), NONE);
    assert_eq!(named("custom.rolle-für-ümläute"), NONE);
    assert_eq!(
        named("Roles.Help-Desk-Operator"),
        ["warning policy::similar_id"]
    );
    // A Cyrillic о.
    assert_eq!(
        named("r\u{43e}les.help-desk-operator"),
        ["warning policy::similar_id"]
    );
    // A capital I.
    assert_eq!(
        named("roles.heIp-desk-operator"),
        [
            "warning policy::misleading_id",
            "warning policy::similar_id"
        ]
    );
    assert_eq!(
        named("roles.service-desk"),
        ["warning policy::misleading_id"]
    );
    assert_eq!(
        named("guardrails.tenant.more"),
        ["warning policy::misleading_id"]
    );
    for id in [
        "custom.a\\nALLOW",
        "custom.a\\u{1b}[2K",
        "custom.a\\u{200b}b",
        "custom.\\u{202e}x",
        "custom.a\\u{a0}b",
    ] {
        assert_eq!(named(id), ["error policy::unfit_id"], "{id}");
    }
}

#[test]
fn no_sign_passes_for_another() {
    let more = [
        user(
            "u5",
            "k\u{fc}hn@t.example",
            &[("Intune::RoleAssignment", "a1")],
        ),
        user("u6", "\u{e5}sa@t.example", &[]),
        device("d5", "KIOSK-5", "H"),
        entity(
            "Intune::ScopeTag",
            "k",
            json!({ "displayName": "Kiosk" }),
            &[],
        ),
    ];
    let workspace = Tarbac::with_tenant(&[("entities/x.json", &entities(&more))]);
    let check = |person: &str, permission: &str, device: &str| {
        workspace.run(&["check", person, permission, device]).status
    };
    assert_eq!(check("k\u{fc}hn@t.example", "run script", "kiosk-5"), 0);
    assert_eq!(check("K\u{fc}HN@T.EXAMPLE", "RUN SCRIPT", "Kiosk-5"), 0);
    // The Kelvin and Ångström signs turn into letters with their case.
    for (person, permission, device) in [
        ("\u{212a}\u{fc}hn@t.example", "run script", "KIOSK-5"),
        ("\u{212b}sa@t.example", "run script", "KIOSK-5"),
        ("k\u{fc}hn@t.example", "run script", "\u{212a}IOSK-5"),
        (
            "k\u{fc}hn@t.example",
            "Rotate Bit\u{1e3a}ockerKeys",
            "KIOSK-5",
        ),
        (
            "k\u{fc}hn@t.example",
            "Initiate Configuration Manager action\u{212a}",
            "KIOSK-5",
        ),
        // The case of letters beyond ASCII matters: what looks alike cannot be told by it.
        ("k\u{dc}hn@t.example", "run script", "KIOSK-5"),
        ("ku\u{308}hn@t.example", "run script", "KIOSK-5"),
    ] {
        assert_eq!(
            check(person, permission, device),
            2,
            "{person} {permission} {device}"
        );
    }
    let requests = "{\"principal\": \"\u{212a}\u{fc}hn@t.example\", \"action\": \"run script\", \"resource\": \"KIOSK-5\"}\n";
    let ran = workspace.run_with(&["check", "--requests", "-"], requests.as_bytes());
    assert_eq!(ran.status, 2, "{ran}");
    let ran = workspace.run(&[
        "what-if",
        "--set",
        "\u{212a}\u{fc}hn@t.example.cloudOnly=false",
    ]);
    assert_eq!(ran.status, 2, "{ran}");
}

/// Conditions, in which `UPN` stands for the name of whoever asks: each holds less often for want of somebody of
/// the name.
const LESS_OFTEN: [&str; 25] = [
    r#"when { UPN == "ANA@t.example" }"#,
    r#"when { "Ana@T.example" == UPN }"#,
    r#"when { UPN == "eve@t.example" }"#,
    r#"when { UPN == "ana@t.example " }"#,
    r#"unless { UPN != "ANA@t.example" }"#,
    r#"when { principal.cloudOnly && UPN == "ANA@t.example" }"#,
    r#"when { principal.cloudOnly || UPN == "ANA@t.example" }"#,
    r#"when { ["bob@t.example", "ANA@t.example"].contains(UPN) }"#,
    r#"when { [UPN].containsAny(["ANA@t.example"]) }"#,
    r#"when { if UPN == "ANA@t.example" then true else false }"#,
    r#"when { UPN like "ANA@*" }"#,
    r#"when { principal has userPrincipalName && UPN like "*@T.EXAMPLE" }"#,
    r#"when { resource.name == "pc-1" }"#,
    r#"when { resource.name == "PC-7" }"#,
    // Within records, sets of records and choices.
    r#"when { { name: UPN } == { name: "ANA@t.example" } }"#,
    r#"when { { a: { b: UPN } } == { a: { b: "ANA@t.example" } } }"#,
    r#"when { [{ name: UPN }].contains({ name: "ANA@t.example" }) }"#,
    r#"when { { name: UPN }.name == "ANA@t.example" }"#,
    r#"when { UPN == { name: "ANA@t.example" }.name }"#,
    r#"when { UPN == (if principal.cloudOnly then "ANA@t.example" else "bob@t.example") }"#,
    r#"when { (if principal.cloudOnly then UPN else "nobody") == "ANA@t.example" }"#,
    r#"when { (if principal.cloudOnly then UPN else "nobody") like "ANA@*" }"#,
    r#"when { (if principal.cloudOnly then ["ANA@t.example"] else ["bob@t.example"]).contains(UPN) }"#,
    r#"when { (if principal.cloudOnly then principal else principal).userPrincipalName == "ANA@t.example" }"#,
    r#"when { { who: principal }.who.userPrincipalName == "ANA@t.example" }"#,
];

/// And each of these more often.
const MORE_OFTEN: [&str; 4] = [
    r#"unless { UPN == "ANA@t.example" }"#,
    r#"when { UPN != "eve@t.example" }"#,
    r#"when { !(UPN like "ANA@*") }"#,
    r#"unless { ["bob@t.example", "ANA@t.example"].contains(UPN) }"#,
];

/// Names that somebody has, and what is no name.
const KNOWN: [&str; 9] = [
    r#"when { UPN == "ana@t.example" }"#,
    r#"unless { UPN == "ana@t.example" }"#,
    r#"when { ["bob@t.example", "ana@t.example"].contains(UPN) }"#,
    r#"when { UPN like "*@t.example" }"#,
    r#"when { resource.name like "PC-*" }"#,
    r#"when { { name: UPN } == { name: "ana@t.example" } }"#,
    r#"when { { name: UPN, x: "y" } == { name: "ana@t.example", x: "y" } }"#,
    r#"when { UPN == (if principal.cloudOnly then "ana@t.example" else "bob@t.example") }"#,
    // What a device runs.
    r#"when { resource has operatingSystem && resource.operatingSystem == "Windows" }"#,
];

fn with_name(effect: &str, condition: &str) -> String {
    conditional(
        effect,
        &condition.replace("UPN", "principal.userPrincipalName"),
    )
}

/// Cedar compares letter by letter: a name that is written otherwise is nobody's, as an id that is nowhere is.
#[test]
fn a_name_that_nobody_has_is_an_error_where_its_absence_allows_more() {
    let of = |effect: &str, condition: &str| of_policy(&with_name(effect, condition));
    let (error, warning) = (
        ["error policy::unknown_name"],
        ["warning policy::unknown_name"],
    );
    for condition in LESS_OFTEN {
        assert_eq!(of("forbid", condition), error, "forbid {condition}");
        assert_eq!(of("permit", condition), warning, "permit {condition}");
    }
    for condition in MORE_OFTEN {
        assert_eq!(of("forbid", condition), warning, "forbid {condition}");
        assert_eq!(of("permit", condition), error, "permit {condition}");
    }
    for effect in ["permit", "forbid"] {
        let both = r#"when { (UPN == "ANA@t.example") == principal.cloudOnly }"#;
        assert_eq!(of(effect, both), error, "{effect}");
        // A pattern may be about nobody yet, as guests.
        let guests = r##"when { UPN like "*#EXT#*" }"##;
        assert_eq!(of(effect, guests), warning, "{effect}");
        for condition in KNOWN {
            assert_eq!(of(effect, condition), NONE, "{effect} {condition}");
        }
    }
}

#[test]
fn who_is_missed_by_a_pattern_that_others_match_is_an_error() {
    let policy = with_name("forbid", r#"when { UPN like "*@t.example" }"#);
    let eve = entities(&[user("u9", "Eve@T.Example", &[])]);
    let workspace = Tarbac::with_tenant(&[
        ("policies/custom/x.cedar", &policy),
        ("entities/x.json", &eve),
    ]);
    assert_eq!(findings(&workspace), ["error policy::unknown_name"]);
    let ran = workspace.run(&["check", "ana@t.example", "viewTimeline", "PC-1"]);
    assert_eq!(ran.status, 2, "{ran}");
    // Without anybody there is nobody to know.
    let alone = Tarbac::with(&[("policies/custom/x.cedar", &policy)]);
    assert_eq!(findings(&alone), NONE);
}

/// What is no name may be a value that no entity has yet; in another letter case it is a mistake.
#[test]
fn a_value_in_another_letter_case_than_the_data_have_is_told() {
    let with = |effect: &str, condition: &str| {
        let mut one = device("d8", "PC-8", "H");
        one["attrs"]["operatingSystem"] = json!("Windows 11");
        let mut other = device("d9", "PC-9", "H");
        other["attrs"]["operatingSystem"] = json!("\u{d6}S");
        findings(&Tarbac::with_tenant(&[
            ("policies/custom/x.cedar", &conditional(effect, condition)),
            ("entities/x.json", &entities(&[one, other])),
        ]))
    };
    let system = "resource has operatingSystem && resource.operatingSystem";
    for condition in [
        format!("{system} == \"windows 11\""),
        format!("{system} == \"WINDOWS 11\""),
        format!("{system} == \"\u{f6}s\""),
        "resource has operatingSystem && \"windows 11\" == resource.operatingSystem".to_owned(),
        "resource has operatingSystem && [\"a\", \"windows 11\"].contains(resource.operatingSystem)".to_owned(),
        format!("{system} like \"windows*\""),
        format!("!({system} == \"windows 11\")"),
    ] {
        for (effect, word) in [("permit", "when"), ("forbid", "when"), ("forbid", "unless")] {
            let found = with(effect, &format!("{word} {{ {condition} }}"));
            assert_eq!(
                found,
                ["warning policy::letter_case"],
                "{effect} {word} {condition}"
            );
        }
    }
    for condition in [
        format!("{system} == \"Windows 11\""),
        format!("{system} == \"Windows 12\""),
        format!("{system} like \"Windows*\""),
        format!("{system} like \"*Server*\""),
    ] {
        let found = with("forbid", &format!("when {{ {condition} }}"));
        assert_eq!(found, NONE, "{condition}");
    }
}

#[test]
fn names_of_people_that_pass_for_others_are_told() {
    let of = |names: &[&str]| {
        let people: Vec<Value> = names
            .iter()
            .enumerate()
            .map(|(number, name)| user(&format!("x{number}"), name, &[]))
            .collect();
        findings(&Tarbac::with_tenant(&[(
            "entities/x.json",
            &entities(&people),
        )]))
    };
    let (unfit, similar) = (
        "warning entities::unfit_name",
        "warning entities::similar_name",
    );
    // A Cyrillic а in place of the first letter of ana@t.example.
    assert_eq!(of(&["\u{430}na@t.example"]), [similar, unfit]);
    // The first word is Cyrillic as a whole; full-width letters are of the script that they look like.
    assert_eq!(of(&["\u{440}\u{430}@t.example", "pa@t.example"]), [similar]);
    assert_eq!(of(&["\u{ff41}na@t.example"]), [similar]);
    assert_eq!(of(&["e\u{432}e@t.example"]), [unfit]);
    for name in [
        "eve@t.example ",
        " eve@t.example",
        "eve@t.example\u{a0}",
        "e\u{200b}ve@t.example",
        "eve\u{202e}@t.example",
        "eve\u{ad}@t.example",
    ] {
        assert_eq!(of(&[name]), [unfit], "{name:?}");
    }
    for name in [
        "eve@t.example",
        "k\u{fc}hn@t.example",
        "\u{438}\u{432}\u{430}\u{43d}@t.example",
        "\u{4f50}\u{85e4}\u{3055}\u{3093}@t.example",
    ] {
        assert_eq!(of(&[name]), NONE, "{name}");
    }
    assert_eq!(of(&[""]), [unfit]);
    assert_eq!(of(&["ana@t.example "]), [similar, unfit]);
    // The id of another is no name by which to ask for somebody.
    let shared = "warning entities::shared_name";
    assert_eq!(of(&["u1"]), [shared]);
    assert_eq!(of(&["U1"]), [shared]);
    assert_eq!(of(&["x0"]), NONE);
}

/// Within ASCII as well, and beside letters of another script.
#[test]
fn names_that_are_similar_within_ascii_are_told() {
    let of = |names: &[&str], groups: &[&str]| {
        let people = names.iter().enumerate();
        let people = people.map(|(number, name)| user(&format!("x{number}"), name, &[]));
        let groups = groups.iter().enumerate().map(|(number, name)| {
            let attributes = json!({ "displayName": name });
            entity("Entra::Group", &format!("g{number}"), attributes, &[])
        });
        let more: Vec<Value> = people.chain(groups).collect();
        findings(&Tarbac::with_tenant(&[(
            "entities/x.json",
            &entities(&more),
        )]))
    };
    let similar = "warning entities::similar_name";
    for pair in [
        ["paypal@t.example", "paypaI@t.example"],
        ["paypal@t.example", "paypa1@t.example"],
        ["PayPal@t.example", "paypaI@t.example"],
        ["bob0@t.example", "bobo@t.example"],
        ["mike@t.example", "rnike@t.example"],
    ] {
        assert_eq!(of(&pair, &[]), [similar], "{pair:?}");
        assert_eq!(of(&[], &pair), [similar], "{pair:?}");
    }
    // One letter of the name is Cyrillic, another is similar within ASCII.
    let mixed = of(&["paypal@t.example", "p\u{430}ypaI@t.example"], &[]);
    assert_eq!(mixed, [similar, "warning entities::unfit_name"]);
    for pair in [
        ["kim@t.example", "klm@t.example"],
        ["KIM@t.example", "KLM@t.example"],
        ["ina@t.example", "lna@t.example"],
        ["rob@t.example", "rob1@t.example"],
    ] {
        assert_eq!(of(&pair, &pair), NONE, "{pair:?}");
    }
    // Groups may have one name, in any case.
    assert_eq!(of(&[], &["IT", "it", "IT"]), NONE);
    assert_eq!(of(&[], &["All 1", "All l", "All 1"]), [similar]);
}

/// The names of devices are counted: only one that a policy names must not have a double.
#[test]
fn names_of_devices_that_are_similar_within_ascii_are_told_where_a_policy_names_one() {
    let with = |condition: &str| {
        let devices = entities(&[device("d8", "WS-01I", "H"), device("d9", "WS-011", "H")]);
        findings(&Tarbac::with_tenant(&[
            ("policies/custom/x.cedar", &conditional("forbid", condition)),
            ("entities/x.json", &devices),
        ]))
    };
    assert_eq!(with("when { resource.name == \"PC-1\" }"), NONE);
    for name in ["WS-01I", "WS-011"] {
        let found = with(&format!("when {{ resource.name == \"{name}\" }}"));
        assert_eq!(found, ["warning entities::similar_name"], "{name}");
    }
}

/// Several devices may have one name; none may have one that only looks like it.
#[test]
fn names_of_devices_and_groups_that_pass_for_others_are_told() {
    let of = |more: &[Value]| {
        findings(&Tarbac::with_tenant(&[(
            "entities/x.json",
            &entities(more),
        )]))
    };
    let named = |name: &str| of(&[device("d9", name, "H")]);
    let similar = "warning entities::similar_name";
    assert_eq!(named("PC-1"), NONE);
    assert_eq!(named("PC-7"), NONE);
    for name in ["\u{420}C-1", "PC-1 ", "PC\u{200b}-1", "\u{ff30}C-1"] {
        assert_eq!(named(name), [similar], "{name:?}");
    }
    assert_eq!(named(""), ["warning entities::unfit_name"]);
    assert_eq!(named("d1"), ["warning entities::shared_name"]);
    let group =
        |id: &str, name: &str| entity("Entra::Group", id, json!({ "displayName": name }), &[]);
    assert_eq!(of(&[group("g1", "Desk"), group("g2", "Desk")]), NONE);
    let groups = [group("g1", "Desk"), group("g2", "D\u{435}sk")];
    assert_eq!(of(&groups), [similar]);
}
