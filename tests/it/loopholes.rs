//! Ways to an allow that nobody meant: what `validate` says of them, and that nothing is decided.

mod guardrails;
mod names;
mod never_true;
mod time;
mod void;

use serde_json::Value;

use crate::tarbac::{Ran, Tarbac};
use crate::world::{device, entities, hierarchy, tenant_entity, user};

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

/// Whether Ben may see the plan in other people's Cedar, which permits everything but what is forbidden so.
fn seen_but_for(forbid: &str) -> Ran {
    let schema = "entity Job;\nentity Group in [Group];\nentity User in [Group] { job: Job };\nentity Doc in [Group];\naction \"all\";\naction \"view\" in [Action::\"all\"] appliesTo { principal: User, resource: Doc, context: { by?: User, groups?: Set<Group> } };\n";
    let data = r#"[{"uid": {"type": "User", "id": "ben"}, "attrs": {"job": {"type": "Job", "id": "internal"}}, "parents": []},
        {"uid": {"type": "Doc", "id": "plan"}, "attrs": {}, "parents": []}]"#;
    let policies = format!("permit (principal, action, resource);\n{forbid};\n");
    let workspace = Tarbac::with(&[
        ("p.cedar", &policies),
        ("s.cedarschema", schema),
        ("e.json", data),
    ]);
    workspace.run(&[
        "--policies",
        "p.cedar",
        "--schema",
        "s.cedarschema",
        "--entities",
        "e.json",
        "check",
        "User::\"ben\"",
        "view",
        "Doc::\"plan\"",
    ])
}

/// The rule is the same for other people's Cedar, whose decisions are those of Cedar where there is one: nobody
/// is held back who would be if the id were right.
#[test]
fn other_peoples_ids_that_are_nowhere_are_errors_where_their_absence_allows_more() {
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
        let ran = seen_but_for(forbid);
        assert_eq!(ran.status, 2, "{forbid} {ran}");
        assert!(
            ran.stderr.contains("policy::unknown_entity"),
            "{forbid} {ran}"
        );
    }
}

/// Whatever the id is, no more is allowed for want of it; and what a request brings is in no directory.
#[test]
fn other_peoples_ids_may_be_nowhere_where_their_absence_allows_no_more() {
    for (status, condition) in [
        (1, "unless { principal in Group::\"gone\" }"),
        (1, "unless { principal.job == Job::\"intern\" }"),
        (0, "unless { principal.job == Job::\"internal\" }"),
        (1, "when { principal.job != Job::\"intern\" }"),
        (1, "when { principal.job == Job::\"internal\" }"),
        (1, "when { !(principal in Group::\"gone\") }"),
        (0, "when { context has by && context.by == User::\"gone\" }"),
        (
            0,
            "when { context has by && [User::\"gone\"].contains(context.by) }",
        ),
        (
            0,
            "when { context has groups && context.groups.contains(Group::\"gone\") }",
        ),
        (
            1,
            "unless { context has by && context.by == User::\"gone\" }",
        ),
    ] {
        let ran = seen_but_for(&format!("forbid (principal, action, resource) {condition}"));
        assert_eq!(ran.status, status, "{condition} {ran}");
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
