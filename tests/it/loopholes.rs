//! Ways to an allow that nobody meant: what `validate` says of them, and that nothing is decided.

use serde_json::{Value, json};

use crate::tarbac::Tarbac;
use crate::world::{device, entities, entity, hierarchy, tenant_entity, user};

/// The findings of a workspace, each as its severity and code; without those about layout.
pub fn findings(workspace: &Tarbac) -> Vec<String> {
    let ran = workspace.run(&["--format", "json", "validate"]);
    let document: Value = serde_json::from_str(&ran.stdout).expect(&ran.stderr);
    let word = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings = document["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| format!("{} {}", word(finding, "severity"), word(finding, "code")))
        .filter(|finding| finding != "warning policy::unformatted")
        .collect()
}

/// The findings about a policy beside a small tenant.
fn of_policy(policy: &str) -> Vec<String> {
    findings(&Tarbac::with_tenant(&[("policies/custom/x.cedar", policy)]))
}

const NONE: [&str; 0] = [];

/// A permit of, or a forbid on, the timeline, on these conditions.
fn conditional(effect: &str, conditions: &str) -> String {
    let words = "@message(\"No.\")\n@advice(\"None.\")\n";
    format!(
        "@id(\"custom.x\")\n@doc(\"It depends.\")\n{words}{effect} (principal in Intune::Role::\"Help Desk Operator\", action == Intune::Action::\"viewTimeline\", resource is ConfigMgr::Device)\n{conditions};\n"
    )
}

#[test]
fn an_entity_that_is_nowhere_is_an_error_where_its_absence_allows_more() {
    let g = "principal in Entra::Group::\"Contractors\"";
    let u = "Entra::User::\"nobody\"";
    // Each holds less often for want of the entity.
    let with = [
        format!("when {{ {g} }}"),
        format!("when {{ {g} && principal.cloudOnly }}"),
        format!("when {{ principal.cloudOnly || {g} }}"),
        format!("unless {{ !({g}) }}"),
        format!("unless {{ !(principal.cloudOnly && {g}) }}"),
        format!("when {{ principal == {u} }}"),
        format!("when {{ [{u}, Entra::User::\"u1\"].contains(principal) }}"),
        format!("when {{ if {g} then principal.cloudOnly else false }}"),
        format!("when {{ if principal.cloudOnly then {g} else false }}"),
        "when { principal is Entra::User in Entra::Group::\"Contractors\" }".to_owned(),
        "when { resource in ConfigMgr::Collection::\"gone\" }".to_owned(),
        "when { principal has configMgr && principal.configMgr.read.contains(ConfigMgr::Collection::\"gone\") }".to_owned(),
        "when { principal has configMgr && principal.configMgr.read.containsAny([ConfigMgr::Collection::\"gone\"]) }".to_owned(),
    ];
    // And each of these more often.
    let against = [
        format!("unless {{ {g} }}"),
        format!("when {{ !({g}) }}"),
        format!("when {{ principal != {u} }}"),
        format!("unless {{ principal.cloudOnly || {g} }}"),
        format!("unless {{ principal.cloudOnly && {g} }}"),
        format!("when {{ if {g} then false else true }}"),
        format!("when {{ if {g} then false else principal.cloudOnly }}"),
        format!("unless {{ [{u}].contains(principal) }}"),
        "unless { principal has configMgr && principal.configMgr.read.containsAll([ConfigMgr::Collection::\"gone\"]) }".to_owned(),
    ];
    // What is told of these is not looked into.
    let both = [
        format!("when {{ !(principal.cloudOnly && !(principal.cloudOnly || {g})) && !({g}) }}"),
        format!("when {{ ({g}) == false }}"),
        format!("when {{ [{g}].contains(false) }}"),
        format!("when {{ if {g} then principal.cloudOnly else !principal.cloudOnly }}"),
    ];
    let told = |severity: &str| vec![format!("{severity} policy::unknown_entity")];
    for condition in &with {
        let permit = of_policy(&conditional("permit", condition));
        assert_eq!(permit, told("warning"), "permit {condition}");
        let forbid = of_policy(&conditional("forbid", condition));
        assert_eq!(forbid, told("error"), "forbid {condition}");
    }
    for condition in &against {
        let permit = of_policy(&conditional("permit", condition));
        assert_eq!(permit, told("error"), "permit {condition}");
        let forbid = of_policy(&conditional("forbid", condition));
        assert_eq!(forbid, told("warning"), "forbid {condition}");
    }
    for condition in &both {
        for effect in ["permit", "forbid"] {
            let found = of_policy(&conditional(effect, condition));
            assert_eq!(found, told("error"), "{effect} {condition}");
        }
    }
}

/// The rule is the same for other people's Cedar, whose decisions are those of Cedar where there is one.
#[test]
fn other_peoples_ids_that_are_nowhere_are_errors_where_their_absence_allows_more() {
    let schema = "entity Job;\nentity Group in [Group];\nentity User in [Group] { job: Job };\nentity Doc in [Group];\naction \"all\";\naction \"view\" in [Action::\"all\"] appliesTo { principal: User, resource: Doc, context: { by?: User, groups?: Set<Group> } };\n";
    let data = r#"[{"uid": {"type": "User", "id": "ben"}, "attrs": {"job": {"type": "Job", "id": "internal"}}, "parents": []},
        {"uid": {"type": "Doc", "id": "plan"}, "attrs": {}, "parents": []}]"#;
    let flags = ["--policies", "p.cedar", "--schema", "s.cedarschema"];
    let check = ["check", "User::\"ben\"", "view", "Doc::\"plan\""];
    let asked = |forbid: &str, entities: &[&str]| {
        let policies = format!("permit (principal, action, resource);\n{forbid};\n");
        let workspace = Tarbac::with(&[
            ("p.cedar", &policies),
            ("s.cedarschema", schema),
            ("e.json", data),
        ]);
        workspace.run(&[&flags[..], entities, &check].concat())
    };
    let with = ["--entities", "e.json"];
    // Nobody is held back who would be if the id were right.
    for forbid in [
        "forbid (principal == User::\"gone\", action, resource)",
        "forbid (principal in Group::\"gone\", action, resource)",
        "forbid (principal is User in Group::\"gone\", action, resource)",
        "forbid (principal, action == Action::\"view\", resource == Doc::\"gone\")",
        "forbid (principal, action in [Action::\"all\"], resource in Group::\"gone\")",
        "forbid (principal, action, resource) when { principal in [Group::\"gone\", Group::\"lost\"] }",
        "forbid (principal, action, resource) when { principal.job == Job::\"intern\" }",
        "forbid (principal, action, resource) unless { principal.job != Job::\"intern\" }",
        "forbid (principal, action, resource) when { context has by && context.by in Group::\"gone\" }",
        "forbid (principal, action, resource) when { context has by && (context.by == User::\"ben\") == (principal == User::\"gone\") }",
    ] {
        let ran = asked(forbid, &with);
        assert_eq!(ran.status, 2, "{forbid} {ran}");
        assert!(
            ran.stderr.contains("policy::unknown_entity"),
            "{forbid} {ran}"
        );
    }
    // Whatever the id is, no more is allowed for want of it; and what a request brings is in no directory.
    for (forbid, status) in [
        (
            "forbid (principal, action, resource) unless { principal in Group::\"gone\" }",
            1,
        ),
        (
            "forbid (principal, action, resource) unless { principal.job == Job::\"intern\" }",
            1,
        ),
        (
            "forbid (principal, action, resource) unless { principal.job == Job::\"internal\" }",
            0,
        ),
        (
            "forbid (principal, action, resource) when { principal.job != Job::\"intern\" }",
            1,
        ),
        (
            "forbid (principal, action, resource) when { principal.job == Job::\"internal\" }",
            1,
        ),
        (
            "forbid (principal, action, resource) when { !(principal in Group::\"gone\") }",
            1,
        ),
        (
            "forbid (principal, action, resource) when { context has by && context.by == User::\"gone\" }",
            0,
        ),
        (
            "forbid (principal, action, resource) when { context has by && [User::\"gone\"].contains(context.by) }",
            0,
        ),
        (
            "forbid (principal, action, resource) when { context has groups && context.groups.contains(Group::\"gone\") }",
            0,
        ),
        (
            "forbid (principal, action, resource) unless { context has by && context.by == User::\"gone\" }",
            1,
        ),
    ] {
        let ran = asked(forbid, &with);
        assert_eq!(ran.status, status, "{forbid} {ran}");
    }
}

#[test]
fn an_exception_that_names_nobody_is_shown_where_it_stands() {
    let workspace = Tarbac::with_tenant(&[(
        "policies/custom/x.cedar",
        &conditional(
            "permit",
            "unless { principal in Entra::Group::\"Contractors\" }",
        ),
    )]);
    insta::assert_snapshot!(workspace.run(&["validate"]));
    let ran = workspace.run(&["check", "ana@t.example", "viewTimeline", "PC-1"]);
    assert_eq!(ran.status, 2, "{ran}");
}

#[test]
fn an_id_that_entities_refer_to_is_somewhere() {
    // A role without a record of its own, which a person has all the same.
    let policy = "@id(\"custom.x\")\n@doc(\"A role.\")\npermit (principal in Intune::Role::\"r9\", action == Intune::Action::\"viewTimeline\", resource);\n";
    let more = [
        crate::world::assignment("a9", &[("Intune::Role", "r9"), ("Intune::Tenant", "t")]),
        user("u9", "eve@t.example", &[("Intune::RoleAssignment", "a9")]),
    ];
    let workspace = Tarbac::with_tenant(&[
        ("policies/custom/x.cedar", policy),
        ("entities/x.json", &entities(&more)),
    ]);
    assert_eq!(findings(&workspace), NONE);

    // Other people's: a job is but a name.
    let schema = "entity Job;\nentity User { job: Job, former: Set<Job> };\nentity Doc;\naction \"view\" appliesTo { principal: User, resource: Doc };\n";
    let users = r#"[{"uid": {"type": "User", "id": "ben"}, "attrs": {"job": {"type": "Job", "id": "internal"},
        "former": [{"type": "Job", "id": "trainee"}]}, "parents": []},
        {"uid": {"type": "Doc", "id": "plan"}, "attrs": {}, "parents": []}]"#;
    let of = |condition: &str| {
        let policies = format!(
            "@id(\"p\")\npermit (principal, action == Action::\"view\", resource);\n@id(\"f\")\nforbid (principal, action, resource) {condition};\n"
        );
        let workspace = Tarbac::with(&[
            ("p.cedar", &policies),
            ("s.cedarschema", schema),
            ("e.json", users),
        ]);
        let flags = [
            "--policies",
            "p.cedar",
            "--schema",
            "s.cedarschema",
            "--entities",
            "e.json",
        ];
        let check = ["check", r#"User::"ben""#, "view", r#"Doc::"plan""#];
        workspace.run(&[&flags[..], &check].concat()).status
    };
    assert_eq!(of("unless { principal.job == Job::\"internal\" }"), 0);
    assert_eq!(of("unless { principal.job == Job::\"external\" }"), 1);
    assert_eq!(
        of("when { principal.former.contains(Job::\"trainee\") }"),
        1
    );
    assert_eq!(of("when { principal.job == Job::\"externel\" }"), 2);
}

/// A permission of one's own: its groups and what it is about, and a role that has it.
fn permission(annotations: &str, groups: &str, resources: &str) -> Tarbac {
    let schema = format!(
        "namespace Intune {{\n@doc(\"Ours.\")\naction ours;\n@doc(\"Wipe.\")\n@name(\"Remote tasks/Wipe\")\n{annotations}\naction \"wipe\"{groups} appliesTo {{ principal: Entra::User, resource: {resources} }};\n}}\n"
    );
    let policy = "@id(\"custom.wiper\")\n@doc(\"Wipes.\")\npermit (principal in Intune::Role::\"Help Desk Operator\", action == Intune::Action::\"wipe\", resource);\n";
    let elsewhere = [
        tenant_entity("other", true),
        hierarchy("O", "other", true),
        device("d9", "PC-9", "O"),
    ];
    Tarbac::with_tenant(&[
        ("schema/custom/x.cedarschema", &schema),
        ("policies/custom/x.cedar", policy),
        ("entities/other.json", &entities(&elsewhere)),
    ])
}

#[test]
fn a_permission_that_no_guardrail_holds_is_an_error_unless_it_is_meant() {
    let unguarded = "error policy::unguarded_permission";
    for (groups, resources, guardrails) in [
        ("", "ConfigMgr::Device", 4),
        (" in [ours]", "ConfigMgr::Device", 4),
        ("", "Tenant", 1),
        (" in [ours]", "[ConfigMgr::Device, Tenant]", 5),
    ] {
        let workspace = permission("", groups, resources);
        let found = findings(&workspace);
        assert_eq!(found, vec![unguarded; guardrails], "{groups} {resources}");
        let ran = workspace.run(&["check", "ana@t.example", "wipe", "PC-9"]);
        assert_eq!(ran.status, 2, "{ran}");
    }
    for group in [" in [remoteTasks]", " in [cloudAttachedDevices]"] {
        let workspace = permission("", group, "ConfigMgr::Device");
        assert_eq!(findings(&workspace), NONE, "{group}");
        let ran = workspace.run(&["check", "ana@t.example", "wipe", "PC-9"]);
        assert_eq!(ran.status, 1, "{ran}");
    }
    let meant = permission(
        "@unguarded(\"It only shows a help page.\")",
        "",
        "ConfigMgr::Device",
    );
    assert_eq!(findings(&meant), NONE);
    let unsaid = permission("@unguarded(\" \")", "", "ConfigMgr::Device");
    assert_eq!(findings(&unsaid), vec![unguarded; 4]);
}

/// What ships holds a permission on whatever there is, and on whatever a workspace adds.
#[test]
fn a_permission_on_something_else_is_held_by_the_tenant_guardrail_all_the_same() {
    let workspace = |annotations: &str, resource: &str, more: &str| {
        let schema = format!(
            "namespace Acme {{\n@doc(\"A disk.\")\nentity Disk in [ConfigMgr::Device] = {{ @doc(\"Where.\") hierarchy: ConfigMgr::Hierarchy }};\n@doc(\"Ours.\")\naction ours;\n@doc(\"Restart.\")\n{annotations}\naction restart in [ours] appliesTo {{ principal: Entra::User, resource: {resource} }};\n}}\n"
        );
        let policy = format!(
            "@id(\"custom.restart\")\n@doc(\"Restarts.\")\npermit (principal in Intune::Role::\"Help Desk Operator\", action == Acme::Action::\"restart\", resource);\n{more}"
        );
        let parent = [("ConfigMgr::Device", "d9")];
        let of_other = json!({ "hierarchy": crate::world::uid("ConfigMgr::Hierarchy", "O") });
        let elsewhere = [
            tenant_entity("other", true),
            hierarchy("O", "other", false),
            device("d9", "PC-9", "O"),
            entity("ConfigMgr::Collection", "c9", of_other.clone(), &[]),
            entity("Acme::Disk", "k9", of_other, &parent),
        ];
        Tarbac::with_tenant(&[
            ("schema/custom/x.cedarschema", &schema),
            ("policies/custom/x.cedar", &policy),
            ("entities/other.json", &entities(&elsewhere)),
        ])
    };
    let others = [
        ("ConfigMgr::Hierarchy", "O"),
        ("ConfigMgr::Collection", "c9"),
        ("Acme::Disk", "k9"),
        ("Intune::RoleAssignment", "a1"),
        ("Entra::User", "u2"),
    ];
    let check = |workspace: &Tarbac, (of, id): (&str, &str)| {
        let uid = format!("{of}::\"{id}\"");
        workspace.run(&["check", "ana@t.example", "restart", &uid])
    };
    for other in others {
        let bare = workspace("", other.0, "");
        let found = findings(&bare);
        assert_eq!(found, ["error policy::unguarded_permission"], "{other:?}");
        assert_eq!(check(&bare, other).status, 2, "{other:?}");
        // Another guardrail of the same permission is no tenant's.
        let hours = "@id(\"custom.hours\")\n@doc(\"A.\")\n@message(\"B.\")\n@advice(\"C.\")\n@guardrail(\"hours\")\nforbid (principal, action, resource)\nwhen { context == {\"x\": 1} && false };\n";
        let found = findings(&workspace("", other.0, hours));
        assert!(
            found.contains(&"error policy::unguarded_permission".to_owned()),
            "{found:?}"
        );
        let meant = workspace("@unguarded(\"It shows a help page.\")", other.0, "");
        assert_eq!(findings(&meant), NONE, "{other:?}");
    }
    // Whoever asks, and whatever is joined to nothing, where somebody of a tenant asks about it.
    let declared = |principal: &str, resource: &str| {
        let schema = format!(
            "namespace Acme {{\n@doc(\"A robot.\")\nentity Robot;\n@doc(\"A door.\")\nentity Door;\n@doc(\"Restart.\")\naction restart appliesTo {{ principal: {principal}, resource: {resource} }};\n}}\n"
        );
        let found = findings(&Tarbac::with_tenant(&[(
            "schema/custom/x.cedarschema",
            &schema,
        )]));
        // That a permit for everything is idle there is another matter.
        let errors = found
            .into_iter()
            .filter(|found| found.starts_with("error "));
        errors.collect::<Vec<_>>()
    };
    let unguarded = ["error policy::unguarded_permission"];
    assert_eq!(declared("Robot", "ConfigMgr::Hierarchy"), unguarded);
    assert_eq!(declared("Entra::User", "Door"), unguarded);
    assert_eq!(declared("[Entra::User, Robot]", "Door"), unguarded);
    assert_eq!(declared("Robot", "Door"), NONE);
    // Held by a policy of the guardrail, it crosses no tenant.
    for other in &others[..3] {
        let tenant = match other.0 {
            "ConfigMgr::Hierarchy" => "resource.tenant",
            _ => "resource.hierarchy.tenant",
        };
        let held = format!(
            "@id(\"custom.tenant\")\n@doc(\"A.\")\n@message(\"B.\")\n@advice(\"C.\")\n@guardrail(\"tenant\")\nforbid (principal, action == Acme::Action::\"restart\", resource)\nunless {{ principal.tenant == {tenant} }};\n"
        );
        let workspace = workspace("", other.0, &held);
        assert_eq!(findings(&workspace), NONE, "{other:?}");
        assert_eq!(check(&workspace, *other).status, 1, "{other:?}");
    }
}

#[test]
fn what_a_guardrail_guards_is_everything_or_what_it_is_about() {
    let words = "@id(\"custom.x\")\n@doc(\"A.\")\n@message(\"B.\")\n@advice(\"C.\")\n";
    let scope = "forbid (principal, action, resource)\nwhen { principal.cloudOnly }";
    for (annotations, found) in [
        ("@guardrail(\"mine\")\n@guards(\"everything\")", vec![]),
        (
            "@guardrail(\"mine\")\n@guards(\"devices\")",
            vec!["error policy::guardrail"],
        ),
        ("@guards(\"everything\")", vec!["error policy::guardrail"]),
    ] {
        let policy = format!("{words}{annotations}\n{scope};\n");
        assert_eq!(of_policy(&policy), found, "{annotations}");
    }
    // What holds nobody is none.
    for never in ["false", "principal.cloudOnly && false", "!true"] {
        let policy = format!(
            "{words}@guardrail(\"tenant\")\nforbid (principal, action, resource)\nwhen {{ {never} }};\n"
        );
        let found = of_policy(&policy);
        assert!(
            found.contains(&"error policy::guardrail".to_owned()),
            "{never}: {found:?}"
        );
    }
}

#[test]
fn a_guardrail_holds_for_everybody_and_always() {
    for scope in [
        "permit (principal, action == Intune::Action::\"viewTimeline\", resource) when { principal.cloudOnly }",
        "forbid (principal == Entra::User::\"u1\", action == Intune::Action::\"viewTimeline\", resource)",
        "@reading(\"any-intune-role\")\n@holds(\"off\")\nforbid (principal, action == Intune::Action::\"viewTimeline\", resource)",
    ] {
        let found = of_policy(&format!(
            "@id(\"custom.x\")\n@doc(\"A.\")\n@message(\"B.\")\n@advice(\"C.\")\n@guardrail(\"mine\")\n{scope};\n"
        ));
        assert_eq!(found, ["error policy::guardrail"], "{scope}");
    }
}

#[test]
fn a_forbid_on_a_question_is_an_error() {
    for action in [
        "== Tarbac::Action::\"finding\"",
        "== Tarbac::Action::\"authority\"",
        "in [Tarbac::Action::\"notice\", Tarbac::Action::\"refusal\"]",
    ] {
        let found = of_policy(&format!(
            "@id(\"custom.x\")\n@doc(\"A.\")\n@message(\"B.\")\n@advice(\"C.\")\nforbid (principal, action {action}, resource);\n"
        ));
        assert_eq!(found, ["error policy::silences_question"], "{action}");
    }
    // One for every action is asked about permissions only.
    let all = "@id(\"custom.x\")\n@doc(\"A.\")\n@message(\"B.\")\n@advice(\"C.\")\nforbid (principal, action, resource);\n";
    assert_eq!(of_policy(all), NONE);
}

#[test]
fn a_permit_for_everybody_is_told() {
    let everybody = |rest: &str| {
        of_policy(&format!(
            "@id(\"custom.x\")\n@doc(\"A.\")\npermit {rest};\n"
        ))
    };
    let told = ["warning policy::for_everybody"];
    for rest in [
        "(principal, action, resource)",
        "(principal is Entra::User, action, resource)",
        "(principal, action, resource) when { true }",
        "(principal, action, resource) unless { false }",
        "(principal, action, resource) when { principal == principal }",
        "(principal, action == Intune::Action::\"viewTimeline\", resource)",
        "(principal, action in Intune::Action::\"cloudAttachedDevices\", resource)",
    ] {
        let found = everybody(rest);
        let found: Vec<&str> = found
            .iter()
            .map(String::as_str)
            .filter(|found| *found != "warning policy::suspicious")
            .collect();
        assert_eq!(found, told, "{rest}");
    }
    assert_eq!(
        everybody("(principal in Intune::Tenant::\"t\", action, resource)"),
        NONE
    );
    assert_eq!(
        everybody("(principal, action, resource) when { principal.cloudOnly }"),
        NONE
    );
}

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

/// Cedar compares letter by letter: a name that is written otherwise is nobody's, as an id that is nowhere is.
#[test]
fn a_name_that_nobody_has_is_an_error_where_its_absence_allows_more() {
    let of = |effect: &str, condition: &str| of_policy(&conditional(effect, condition));
    let upn = "principal.userPrincipalName";
    let (error, warning) = (
        vec!["error policy::unknown_name"],
        vec!["warning policy::unknown_name"],
    );
    // Each holds less often for want of somebody of the name.
    for condition in [
        format!("when {{ {upn} == \"ANA@t.example\" }}"),
        format!("when {{ \"Ana@T.example\" == {upn} }}"),
        format!("when {{ {upn} == \"eve@t.example\" }}"),
        format!("when {{ {upn} == \"ana@t.example \" }}"),
        format!("unless {{ {upn} != \"ANA@t.example\" }}"),
        format!("when {{ principal.cloudOnly && {upn} == \"ANA@t.example\" }}"),
        format!("when {{ principal.cloudOnly || {upn} == \"ANA@t.example\" }}"),
        format!("when {{ [\"bob@t.example\", \"ANA@t.example\"].contains({upn}) }}"),
        format!("when {{ [{upn}].containsAny([\"ANA@t.example\"]) }}"),
        format!("when {{ if {upn} == \"ANA@t.example\" then true else false }}"),
        format!("when {{ {upn} like \"ANA@*\" }}"),
        format!("when {{ principal has userPrincipalName && {upn} like \"*@T.EXAMPLE\" }}"),
        "when { resource.name == \"pc-1\" }".to_owned(),
        "when { resource.name == \"PC-7\" }".to_owned(),
    ] {
        assert_eq!(of("forbid", &condition), error, "forbid {condition}");
        assert_eq!(of("permit", &condition), warning, "permit {condition}");
    }
    // And each of these more often.
    for condition in [
        format!("unless {{ {upn} == \"ANA@t.example\" }}"),
        format!("when {{ {upn} != \"eve@t.example\" }}"),
        format!("when {{ !({upn} like \"ANA@*\") }}"),
        format!("unless {{ [\"bob@t.example\", \"ANA@t.example\"].contains({upn}) }}"),
    ] {
        assert_eq!(of("forbid", &condition), warning, "forbid {condition}");
        assert_eq!(of("permit", &condition), error, "permit {condition}");
    }
    let both = format!("when {{ ({upn} == \"ANA@t.example\") == principal.cloudOnly }}");
    assert_eq!(of("forbid", &both), error);
    assert_eq!(of("permit", &both), error);
    // A pattern may be about nobody yet, as guests.
    for effect in ["permit", "forbid"] {
        let condition = format!("when {{ {upn} like \"*#EXT#*\" }}");
        assert_eq!(of(effect, &condition), warning, "{effect}");
    }
    for condition in [
        format!("when {{ {upn} == \"ana@t.example\" }}"),
        format!("unless {{ {upn} == \"ana@t.example\" }}"),
        format!("when {{ [\"bob@t.example\", \"ana@t.example\"].contains({upn}) }}"),
        format!("when {{ {upn} like \"*@t.example\" }}"),
        "when { resource.name like \"PC-*\" }".to_owned(),
        // No name, but what a device runs.
        "when { resource has operatingSystem && resource.operatingSystem == \"Windows\" }"
            .to_owned(),
    ] {
        for effect in ["permit", "forbid"] {
            assert_eq!(of(effect, &condition), NONE, "{effect} {condition}");
        }
    }
    // Who is missed by a pattern that others match.
    let policy = conditional("forbid", &format!("when {{ {upn} like \"*@t.example\" }}"));
    let workspace = Tarbac::with_tenant(&[
        ("policies/custom/x.cedar", &policy),
        (
            "entities/x.json",
            &entities(&[user("u9", "Eve@T.Example", &[])]),
        ),
    ]);
    assert_eq!(findings(&workspace), error);
    let ran = workspace.run(&["check", "ana@t.example", "viewTimeline", "PC-1"]);
    assert_eq!(ran.status, 2, "{ran}");
    // Without anybody there is nobody to know.
    let alone = Tarbac::with(&[("policies/custom/x.cedar", &policy)]);
    assert_eq!(findings(&alone), NONE);
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
}
