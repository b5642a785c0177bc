//! `tarbac prove`: what is proved, refuted and not known, and what is said of it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::solver::{prove, solver_or_return};
use crate::tarbac::{Ran, Tarbac, command};

/// A spec about people and devices; the actions are permissions on a device.
fn spec(id: &str, effect: &str, actions: &str, conditions: &str) -> String {
    let actions: Vec<String> = actions
        .split(' ')
        .map(|action| format!("Intune::Action::\"{action}\""))
        .collect();
    format!(
        "@id(\"{id}\")\n@doc(\"The spec {id}.\")\n{effect} (principal, action in [{}], resource)\n{conditions};\n\n",
        actions.join(", ")
    )
}

fn with_specs(specs: &[String]) -> Tarbac {
    Tarbac::with(&[("tests/specs/specs.cedar", &specs.concat())])
}

/// A bound that holds: nobody runs scripts on a device of another tenant.
fn holds() -> String {
    spec(
        "own-tenant",
        "forbid",
        "runScript viewScripts",
        "unless { principal.tenant == resource.hierarchy.tenant }",
    )
}

/// A bound that does not: a cloud-only Help Desk Operator does.
fn does_not_hold() -> String {
    spec(
        "no-cloud-only",
        "forbid",
        "runScript",
        "when { principal.cloudOnly }",
    )
}

#[test]
fn the_specs_that_ship_are_proved() {
    let solver = solver_or_return!();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = command(root)
        .args(["prove", "--deny-warnings", "--solver"])
        .arg(solver)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("proved: 2"),
        "more than two hundred specs: {text}"
    );
}

#[test]
fn what_holds_is_proved() {
    let solver = solver_or_return!();
    insta::assert_snapshot!(prove(&with_specs(&[holds()]), &solver, &[]));
}

#[test]
fn what_does_not_is_told_as_a_story() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[
        holds(),
        does_not_hold(),
        spec(
            "help-desk",
            "permit",
            "runScript",
            "when { principal in Intune::Role::\"Help Desk Operator\" && principal.tenant == resource.hierarchy.tenant }",
        ),
    ]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 1);
    // Which of several roles a solver names is up to it.
    let told = ran
        .stdout
        .replace("School Administrator", "Help Desk Operator");
    let told = told.replace("school-administrator", "help-desk-operator");
    insta::assert_snapshot!(told);
}

#[test]
fn a_counterexample_is_decided_alike_by_plain_cedar() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[does_not_hold()]);
    let ran = prove(&workspace, &solver, &["--format", "json"]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["verdict"], "refuted");
    let found = &document["specs"][0]["environments"][0]["counterexample"];
    assert_eq!(found["possible"], true);
    assert_eq!(found["decided"]["decision"], "allow");
    // The entities are a directory that tarbac itself reads, and decides on.
    workspace.write("entities/found.json", found["entities"].to_string());
    let text = |key: &str| found[key].as_str().unwrap();
    let ran = workspace.run(&["check", text("principal"), text("action"), text("resource")]);
    assert_eq!(ran.status, 0, "{ran}");
}

#[test]
fn entities_that_only_a_spec_names_are_part_of_the_world() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[spec(
        "named",
        "forbid",
        "viewTimeline",
        "when { Intune::Tenant::\"other\".useIntuneRbac && principal in Intune::Role::\"Read Only Operator\" }",
    )]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 1, "{ran}");
    let told = "- Use Intune RBAC is On for other\n";
    assert!(ran.stdout.contains(told), "{ran}");
}

#[test]
fn patterns_with_several_wildcards() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[spec(
        "servers",
        "forbid",
        "viewTimeline",
        "when { resource.name like \"*SRV*01*\" && principal.tenant != resource.hierarchy.tenant }",
    )]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 0, "{ran}");
}

#[test]
fn counterexamples_are_kept_as_cases_that_fail() {
    let solver = solver_or_return!();
    let different = |id: &str, of: &str| {
        spec(id, "forbid", "viewScripts", "")
            .replace("@doc", &format!("@regardless_of(\"{of}\")\n@doc"))
    };
    let workspace = with_specs(&[
        does_not_hold(),
        spec(
            "everybody",
            "permit",
            "viewScripts",
            "when { principal in Intune::Role::\"Read Only Operator\" }",
        ),
        different("checkbox", "resource.hierarchy.enforceConfigMgrRbac"),
        different("console", "principal.configMgr"),
        different("either", "discovery-either"),
        different("any", "any-intune-role"),
    ]);
    let ran = prove(&workspace, &solver, &["--save-counterexamples", "found"]);
    assert_eq!(ran.status, 1, "{ran}");
    let ran = workspace.run(&["test", "found"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.contains("failed: 6 of 6 cases failed"), "{ran}");
}

/// What is said of decisions, people of the workspace as they are not, and ids that would be one
/// file: each case fails, or it is said why there is none.
#[test]
fn cases_of_whatever_is_refuted() {
    let solver = solver_or_return!();
    let question = |id: &str, effect: &str, answer: &str| {
        format!(
            "@id(\"{id}\")\n@doc(\"The spec {id}.\")\n{answer}{effect} (principal, action == Tarbac::Action::\"authority\", resource is ConfigMgr::Device);\n\n"
        )
    };
    let of_ada = "when { principal == Entra::User::\"ada@contoso.example\" }";
    let workspace = with_specs(&[
        question("intune", "permit", "@authority(\"intune\")\n"),
        question("not intune", "forbid", "@authority(\"intune\")\n"),
        question("nobody", "permit", "@authority(\"nobody\")\n"),
        spec("ada/scripts", "permit", "viewScripts", of_ada),
        spec("ada-scripts", "forbid", "viewScripts", of_ada),
        // Wherever somebody is assigned, there is an account: a directory says so and a proof does not.
        spec(
            "elsewhere",
            "permit",
            "viewScripts",
            "when { principal in resource.hierarchy.tenant && principal.tenant != resource.hierarchy.tenant }",
        ),
    ]);
    let ran = prove(&workspace, &solver, &["--save-counterexamples", "found"]);
    assert_eq!(ran.status, 1, "{ran}");
    insta::assert_snapshot!(ran);
    let ran = workspace.run(&["test", "found"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.contains("failed: 4 of 4 cases failed"), "{ran}");
}

#[test]
fn a_world_that_no_directory_has_is_said_to_be_none() {
    let solver = solver_or_return!();
    // Whoever is in a role has an assignment, and that has a tenant, though a spec has to say so.
    let workspace = with_specs(&[spec(
        "no-tenant",
        "forbid",
        "viewScripts",
        "unless { principal in resource.hierarchy.tenant || principal in Entra::DirectoryRole::\"Global Administrator\" || principal in Entra::DirectoryRole::\"Intune Administrator\" }",
    )]);
    let ran = prove(&workspace, &solver, &["--save-counterexamples", "found"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.contains("No directory can have that"), "{ran}");
    assert!(ran.stderr.contains("no-tenant: not saved"), "{ran}");
}

#[test]
fn readings_of_specs() {
    let solver = solver_or_return!();
    let either = |id: &str, effect: &str, holds: &str| {
        spec(
            id,
            effect,
            "viewClientDetails",
            "when { principal has configMgr && !principal.cloudOnly && principal has accountEnabled && principal.accountEnabled && principal.tenant == resource.hierarchy.tenant && principal in principal.tenant && !resource.hierarchy.tenant.useIntuneRbac && principal.configMgr.discoveredByEntra.contains(resource.hierarchy) && !principal.configMgr.discoveredByActiveDirectory.contains(resource.hierarchy) && resource in principal.configMgr.read }",
        )
        .replace(
            "@doc",
            &format!("@reading(\"discovery-either\")\n@holds(\"{holds}\")\n@doc"),
        )
    };
    let workspace = with_specs(&[either("on", "permit", "on"), either("off", "forbid", "off")]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 0, "{ran}");
    // Whatever is switched on the command line, a spec is about the reading it names.
    let ran = prove(&workspace, &solver, &["--reading", "discovery-either"]);
    assert_eq!(ran.status, 0, "{ran}");
    let workspace = with_specs(&[either("on", "permit", "off"), either("off", "forbid", "on")]);
    let ran = prove(&workspace, &solver, &[]);
    assert!(ran.stdout.contains("2 of 2 specs refuted"), "{ran}");
}

#[test]
fn what_makes_no_difference() {
    let solver = solver_or_return!();
    let all = "viewCollections runScript rotateBitLockerKeys";
    let regardless = |id: &str, of: &str, conditions: &str| {
        spec(id, "forbid", all, conditions)
            .replace("@doc", &format!("@regardless_of(\"{of}\")\n@doc"))
    };
    let checkbox = "resource.hierarchy.enforceConfigMgrRbac";
    let workspace = with_specs(&[
        regardless(
            "off",
            checkbox,
            "unless { resource.hierarchy.tenant.useIntuneRbac }",
        ),
        regardless(
            "old",
            checkbox,
            "when { resource.hierarchy.version < 2207 }",
        ),
        regardless(
            "intune",
            "principal.configMgr",
            "when { resource.hierarchy.tenant.useIntuneRbac && !resource.hierarchy.enforceConfigMgrRbac && resource.hierarchy.version >= 2207 }",
        ),
        regardless("name", "resource.operatingSystem", ""),
    ]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 0, "{ran}");
    let workspace = with_specs(&[regardless(
        "on",
        checkbox,
        "when { resource.hierarchy.tenant.useIntuneRbac && resource.hierarchy.version >= 2207 && principal.cloudOnly && principal in Intune::Role::\"Read Only Operator\" && principal.tenant == resource.hierarchy.tenant }",
    )]);
    insta::assert_snapshot!(prove(&workspace, &solver, &[]));
}

/// An attribute that is read in another way than by the path of the spec could make a difference
/// that specialising does not show.
#[test]
fn an_attribute_that_is_read_otherwise_is_not_proved() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[spec(
        "checkbox",
        "forbid",
        "viewScripts",
        "unless { resource.hierarchy.tenant.useIntuneRbac }",
    )
    .replace(
        "@doc",
        "@regardless_of(\"resource.hierarchy.enforceConfigMgrRbac\")\n@doc",
    )]);
    workspace.write(
        "policies/custom/other.cedar",
        "@id(\"custom.other\")\n@doc(\"Whoever asks for it.\")\npermit (\n  principal in Intune::Role::\"r\",\n  action == Intune::Action::\"viewScripts\",\n  resource\n)\nwhen\n{\n  (if\n     true\n   then\n     resource\n   else\n     resource).hierarchy.enforceConfigMgrRbac\n};\n",
    );
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stdout
            .contains("the policy `custom.other` reads the attribute in another way"),
        "{ran}"
    );
}

#[test]
fn specs_with_mistakes() {
    let workspace = with_specs(&[
        "@id(\"no-doc\") forbid (principal, action == Intune::Action::\"viewScripts\", resource);\n"
            .to_owned(),
        "@id(\"advice\") @doc(\"x\") @advice(\"y\") forbid (principal, action, resource);\n"
            .to_owned(),
        "@id(\"same\") @doc(\"x\") permit (principal is Intune::Tenant, action, resource);\n"
            .to_owned(),
        "@id(\"reading\") @doc(\"x\") @reading(\"nothing\") @holds(\"on\") forbid (principal, action, resource);\n"
            .to_owned(),
        "@id(\"half\") @doc(\"x\") @reading(\"any-intune-role\") forbid (principal, action, resource);\n"
            .to_owned(),
        "@id(\"what\") @doc(\"x\") @regardless_of(\"resource.hierarchy.tenant\") forbid (principal, action == Intune::Action::\"viewScripts\", resource);\n"
            .to_owned(),
        "@id(\"permit\") @doc(\"x\") @regardless_of(\"any-intune-role\") permit (principal, action == Intune::Action::\"viewScripts\", resource);\n"
            .to_owned(),
        "@id(\"looks\") @doc(\"x\") @regardless_of(\"principal.cloudOnly\") forbid (principal, action == Intune::Action::\"viewScripts\", resource) when { principal.cloudOnly };\n"
            .to_owned(),
        "@id(\"question\") @doc(\"x\") permit (principal, action == Tarbac::Action::\"authority\", resource);\n"
            .to_owned(),
        "@id(\"answer\") @doc(\"x\") @authority(\"intune\") permit (principal, action == Intune::Action::\"viewScripts\", resource);\n"
            .to_owned(),
        "@id(\"type\") @doc(\"x\") permit (principal, action == Intune::Action::\"viewScripts\", resource) when { principal.nothing };\n"
            .to_owned(),
    ]);
    let ran = workspace.run(&["prove", "--solver", "/nowhere"]);
    assert_eq!(ran.status, 2);
    insta::assert_snapshot!(ran);
    assert_eq!(workspace.run(&["validate"]).status, 1);
}

#[test]
fn specs_that_say_nothing_are_warned_about() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[
        spec(
            "nobody",
            "forbid",
            "viewScripts",
            "when { principal.cloudOnly && !principal.cloudOnly }",
        ),
        spec(
            "misspelt",
            "forbid",
            "viewScripts",
            "when { principal in Intune::Role::\"Help Desk\" && principal.tenant != resource.hierarchy.tenant }",
        ),
    ]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 0, "{ran}");
    insta::assert_snapshot!(ran);
    assert_eq!(prove(&workspace, &solver, &["--deny-warnings"]).status, 1);
}

/// A custom policy for people in the role r.
fn custom(id: &str, effect: &str, conditions: &str) -> String {
    let more = match effect {
        "forbid" => "@message(\"No.\")\n@advice(\"None.\")\n",
        _ => "",
    };
    format!(
        "@id(\"custom.{id}\")\n@doc(\"The policy {id}.\")\n{more}{effect} (\n  principal in Intune::Role::\"r\",\n  action == Intune::Action::\"viewScripts\",\n  resource\n){conditions};\n\n"
    )
}

#[test]
fn policies_that_are_there_for_nothing_or_can_fail() {
    let solver = solver_or_return!();
    let policies = [
        custom("all", "permit", "\nwhen { principal.cloudOnly }"),
        custom(
            "some",
            "permit",
            "\nwhen { principal.cloudOnly && resource.coManaged }",
        ),
        // Two that make each other redundant: one of them is, and not both.
        custom(
            "twice",
            "permit",
            "\nwhen { resource.hierarchy.earlyUpdateRing }",
        ),
        custom(
            "twice.too",
            "permit",
            "\nwhen { resource.hierarchy.earlyUpdateRing }",
        ),
        custom(
            "never",
            "permit",
            "\nwhen { resource.hierarchy.version > 3 && resource.hierarchy.version < 3 }",
        ),
        custom(
            "overridden",
            "permit",
            "\nwhen { resource.name like \"SRV-*\" }",
        ),
        custom(
            "servers",
            "forbid",
            "\nwhen { resource.name like \"SRV-*\" }",
        ),
        custom(
            "fails",
            "permit",
            "\nwhen { resource.hierarchy.version * 2 > 4414 }",
        ),
    ];
    let workspace = Tarbac::with(&[("policies/custom/some.cedar", &policies.concat())]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 1, "{ran}");
    insta::assert_snapshot!(ran);
}

/// A forbid that never matches, and raises an error for every version there is.
fn failing(more: &str) -> String {
    custom(
        "fails",
        "forbid",
        "\nwhen { resource.hierarchy.version + 9223372036854775000 > 0 && resource.hierarchy.version > 807 }",
    )
    .replace("@doc", &format!("{more}@doc"))
}

/// Where a policy fails nothing is decided, so nothing is proved either: not even of a policy that
/// would change nothing if it were only skipped, nor of one under a reading that is off.
#[test]
fn nothing_is_proved_where_a_policy_can_fail() {
    let solver = solver_or_return!();
    let given = spec(
        "given",
        "permit",
        "viewScripts",
        "when { principal in Intune::Role::\"r\" && principal has accountEnabled && principal.accountEnabled && principal.tenant == resource.hierarchy.tenant && resource.hierarchy.tenant.useIntuneRbac && !resource.hierarchy.enforceConfigMgrRbac && resource.hierarchy.version >= 2207 }",
    );
    let reading = "@reading(\"observed-roles\")\n@holds(\"on\")\n";
    for (policy, given) in [
        (failing(""), given.clone()),
        (
            failing(reading),
            given.replace("@doc", &format!("{reading}@doc")),
        ),
    ] {
        let workspace = with_specs(&[given]);
        workspace.write("policies/custom/all.cedar", custom("all", "permit", ""));
        assert_eq!(prove(&workspace, &solver, &[]).status, 0);
        workspace.write("policies/custom/fails.cedar", policy);
        let ran = prove(&workspace, &solver, &[]);
        assert_eq!(ran.status, 1, "{ran}");
        assert!(ran.stdout.contains("NOT PROVED"), "{ran}");
        assert!(
            ran.stdout.contains("`custom.fails` can raise an error"),
            "{ran}"
        );
    }
}

/// A spec that fails matches less than it seems to.
#[test]
fn a_spec_that_can_fail_is_not_proved() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[spec(
        "nobody",
        "forbid",
        "viewScripts",
        "when { resource.hierarchy.version + 9223372036854775000 > 0 && resource.hierarchy.version > 807 }",
    )]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.contains("`nobody` can raise an error"), "{ran}");
    assert!(ran.stdout.contains("NOT PROVED"), "{ran}");
}

/// Two questions that only look like permissions: the name of a group, and a group with a question
/// in it.
#[test]
fn specs_about_nothing_or_about_too_much_are_refused() {
    let solver = solver_or_return!();
    let about = |scope: &str, more: &str| {
        format!(
            "@id(\"group\")\n@doc(\"Group.\")\n{more}forbid (principal, action {scope}, resource);\n"
        )
    };
    let group = "== Intune::Action::\"cloudAttachedDevices\"";
    let workspace = with_specs(&[about(group, "")]);
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("is about no request"), "{ran}");
    let group = "in Intune::Action::\"ours\"";
    let workspace = with_specs(&[about(group, "@code(\"x\")\n")]);
    let asked = "appliesTo { principal: Entra::User, resource: ConfigMgr::Device, context: Intune::RequestContext };";
    workspace.write(
        "schema/custom/shown.cedarschema",
        format!(
            "namespace Intune {{\n  @doc(\"Ours.\")\n  action ours;\n  @doc(\"Rings.\")\n  @unguarded(\"It is heard by all.\")\n  action ring in [ours] {asked}\n}}\nnamespace Tarbac {{\n  @doc(\"What is shown.\")\n  action shown in [Intune::Action::\"ours\"] {asked}\n}}\n"
        ),
    );
    let ran = prove(&workspace, &solver, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains("about a question and about permissions"),
        "{ran}"
    );
}

/// Nothing is called equivalent because it was never in force.
#[test]
fn mutants_of_readings_that_are_off_are_tried() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[holds()]);
    let reading = "@reading(\"observed-roles\")\n@holds(\"on\")\n";
    workspace.write(
        "policies/custom/all.cedar",
        custom("all", "permit", "").replace("@doc", &format!("{reading}@doc")),
    );
    let ran = prove(&workspace, &solver, &["--mutate"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(
        ran.stdout
            .contains("SURVIVED  custom.all  policies/custom/all.cedar:1: the policy is dropped"),
        "{ran}"
    );
    assert!(!ran.stdout.contains("equivalent  custom.all"), "{ran}");
}

/// A workspace of other words: what is told is what it takes, and no entity of an enumerated type has
/// another name.
#[test]
fn stories_say_all_that_it_takes() {
    let solver = solver_or_return!();
    let schema = "@doc(\"A.\")\nnamespace App {\n  @doc(\"A color.\")\n  entity Color enum [\"red\", \"blue\"];\n  @doc(\"Somebody.\")\n  entity User { @doc(\"N.\") name: String, @doc(\"N.\") level: Long, @doc(\"C.\") color: Color };\n  @doc(\"A document.\")\n  entity Doc { @doc(\"O.\") owner?: User, @doc(\"T.\") ttl?: Long } tags String;\n  @doc(\"Reads it.\")\n  action read appliesTo { principal: User, resource: Doc, context: { at?: datetime } };\n}\n";
    let policies = [
        ("named", "principal.name like \"*admin*\""),
        (
            "timed",
            "resource has ttl && context has at && context.at > datetime(\"2026-01-01\")",
        ),
        ("owned", "resource has owner && resource.owner.level == 3"),
        (
            "tagged",
            "resource.hasTag(\"t\") && resource.getTag(\"t\") == \"public\"",
        ),
        ("red", "principal.color == App::Color::\"red\""),
    ];
    let text = |effect: &str, more: &str| -> String {
        let policies = policies.iter().map(|(id, condition)| {
            format!("@id(\"{more}{id}\")\n@doc(\"The policy {id}.\")\n{effect} (principal, action == App::Action::\"read\", resource)\nwhen {{ {condition} }};\n\n")
        });
        policies.collect()
    };
    let workspace = Tarbac::with(&[
        ("schema/app.cedarschema", schema),
        ("policies/read.cedar", &text("permit", "")),
        ("tests/specs/none.cedar", &text("forbid", "no.")),
    ]);
    let ran = prove(&workspace, &solver, &["--save-counterexamples", "found"]);
    assert_eq!(ran.status, 1, "{ran}");
    insta::assert_snapshot!(ran);
    let tested = workspace.run(&["test", "found"]);
    assert!(
        tested.stdout.contains("failed: 4 of 4 cases failed"),
        "{tested}"
    );
    // What somebody else wrote is left alone.
    workspace.write("found/no.named.yaml", "suite: mine\n");
    let ran = prove(&workspace, &solver, &["--save-counterexamples", "found"]);
    assert!(ran.stderr.contains("no.named: not saved"), "{ran}");
    assert_eq!(workspace.read("found/no.named.yaml"), "suite: mine\n");
}

/// A policy that only a switched reading needs is not there for nothing, and one of a reading that is off
/// can be.
#[test]
fn what_a_reading_needs_is_not_there_for_nothing() {
    let solver = solver_or_return!();
    let under = |id: &str, holds: &str, conditions: &str| {
        custom(id, "permit", conditions).replace(
            "@doc",
            &format!("@reading(\"observed-roles\")\n@holds(\"{holds}\")\n@doc"),
        )
    };
    let workspace = with_specs(&[holds()]);
    // Off, as it is, the one makes the other redundant; on, it is not there.
    workspace.write(
        "policies/custom/all.cedar",
        custom("cloud", "permit", "\nwhen { principal.cloudOnly }") + &under("all", "off", ""),
    );
    let ran = prove(&workspace, &solver, &["--deny-warnings"]);
    assert_eq!(ran.status, 0, "{ran}");
    workspace.write(
        "policies/custom/all.cedar",
        under(
            "never",
            "on",
            "\nwhen { resource.hierarchy.version > 3 && resource.hierarchy.version < 3 }",
        ),
    );
    let ran = prove(&workspace, &solver, &["--deny-warnings"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.contains("`custom.never` applies to"), "{ran}");
}

#[test]
fn mutants_that_no_spec_notices_are_shown() {
    let solver = solver_or_return!();
    let reads = "principal in Intune::Role::\"r\"";
    let given = spec(
        "given",
        "permit",
        "viewScripts",
        &format!(
            "when {{ {reads} && principal.cloudOnly && principal has accountEnabled && principal.accountEnabled && principal.tenant == resource.hierarchy.tenant && resource.hierarchy.tenant.useIntuneRbac && !resource.hierarchy.enforceConfigMgrRbac && resource.hierarchy.version >= 2207 }}"
        ),
    );
    let workspace = with_specs(std::slice::from_ref(&given));
    let policy = custom("all", "permit", "\nwhen { principal.cloudOnly }");
    workspace.write("policies/custom/all.cedar", policy);
    let ran = prove(&workspace, &solver, &["--mutate"]);
    assert_eq!(ran.status, 1, "{ran}");
    insta::assert_snapshot!(ran.stdout);
    // What the role has is said; that it has nothing else is missing, and so is that others do not.
    let others = "viewCollections viewResourceExplorer viewTimeline viewSoftwareUpdates runScript runCmPivotQuery viewClientDetails viewApplications takeApplicationActions enrollNow rotateBitLockerKeys initiateConfigurationManagerAction";
    let nobody_else = "principal in [Intune::Role::\"Application Manager\", Intune::Role::\"Endpoint Security Manager\", Intune::Role::\"Help Desk Operator\", Intune::Role::\"Policy and Profile Manager\", Intune::Role::\"Read Only Operator\", Intune::Role::\"School Administrator\"] || principal in [Entra::DirectoryRole::\"Global Administrator\", Entra::DirectoryRole::\"Intune Administrator\"] || principal in resource.hierarchy.tenant";
    let workspace = with_specs(&[
        given,
        spec("others", "forbid", others, &format!("unless {{ {nobody_else} }}")),
        spec(
            "only",
            "forbid",
            "viewScripts",
            &format!("unless {{ {nobody_else} || ({reads} && principal.cloudOnly) }}"),
        ),
        "@id(\"settings\")\n@doc(\"Settings.\")\nforbid (principal, action == Intune::Action::\"updateRoles\", resource)\nunless { principal in [Intune::Role::\"Intune Role Administrator\"] || principal in [Entra::DirectoryRole::\"Global Administrator\", Entra::DirectoryRole::\"Intune Administrator\"] };\n".to_owned(),
    ]);
    workspace.write(
        "policies/custom/all.cedar",
        custom("all", "permit", "\nwhen { principal.cloudOnly }"),
    );
    let ran = prove(&workspace, &solver, &["--mutate"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.contains(" 0 survived"), "{ran}");
}

#[test]
fn reports_have_specs_and_findings() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[holds(), does_not_hold()]);
    let ran = prove(
        &workspace,
        &solver,
        &[
            "--report",
            "junit=junit.xml",
            "--report",
            "sarif=prove.sarif",
            "--report",
            "markdown=prove.md",
            "--report",
            "tap=prove.tap",
        ],
    );
    assert_eq!(ran.status, 1, "{ran}");
    let suites = junit_parser::from_reader(workspace.read("junit.xml").as_bytes()).unwrap();
    assert_eq!((suites.tests, suites.failures), (2, 1));
    let sarif: Value = serde_json::from_str(&workspace.read("prove.sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "prove::refuted");
    assert!(workspace.read("prove.md").contains("no-cloud-only"));
    assert!(workspace.read("prove.tap").contains("not ok 2"));
    let ran = prove(&workspace, &solver, &["--report", "lcov=-"]);
    assert_eq!(ran.status, 2, "{ran}");
}

#[test]
fn a_filter_that_leaves_nothing_is_an_error() {
    let solver = solver_or_return!();
    let workspace = with_specs(&[holds(), does_not_hold()]);
    assert_eq!(
        prove(&workspace, &solver, &["--filter", "own-tenant"]).status,
        0
    );
    assert_eq!(
        prove(&workspace, &solver, &["--filter", "nothing"]).status,
        2
    );
    assert_eq!(
        prove(&workspace, &solver, &["tests/specs/none.cedar"]).status,
        2
    );
}

// The solver.

/// A program that answers what is asked first as a solver does, and then does something else.
#[cfg(unix)]
fn false_solver(workspace: &Tarbac, then: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let script = format!(
        "#!/bin/sh\nn=0\nwhile read -r line; do\n  case \"$line\" in *check-sat*)\n    n=$((n+1))\n    case $n in 1) echo sat ;; 2) echo unsat ;; *) {then} ;; esac ;;\n  esac\ndone\n"
    );
    workspace.write("solver", script);
    let path = workspace.path("solver");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path
}

#[cfg(unix)]
fn with_false_solver(then: &str, arguments: &[&str]) -> Ran {
    let workspace = with_specs(&[holds()]);
    let solver = false_solver(&workspace, then);
    let ran = prove(&workspace, &solver, arguments);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(!ran.stdout.contains("proved: 1 spec"), "{ran}");
    ran
}

#[test]
#[cfg(unix)]
fn a_solver_that_cannot_tell_proves_nothing() {
    let ran = with_false_solver("echo unknown", &[]);
    assert!(
        ran.stdout
            .contains("Not proved for View scripts: the solver cannot tell."),
        "{ran}"
    );
}

#[test]
#[cfg(unix)]
fn a_solver_that_answers_garbage_proves_nothing() {
    let ran = with_false_solver("echo banana", &[]);
    assert!(
        ran.stdout.contains("unrecognized solver output: banana"),
        "{ran}"
    );
    // A model that is none.
    let ran = with_false_solver("echo sat; printf '(\\nbanana\\n)\\n'", &[]);
    assert!(ran.stdout.contains("Not proved"), "{ran}");
}

#[test]
#[cfg(unix)]
fn a_solver_that_is_killed_proves_nothing() {
    let ran = with_false_solver("kill -9 $$", &[]);
    assert!(ran.stdout.contains("the solver failed"), "{ran}");
}

#[test]
#[cfg(unix)]
fn a_slow_solver_proves_nothing() {
    let ran = with_false_solver("sleep 1000", &["--timeout", "0.2"]);
    assert!(
        ran.stdout
            .contains("the solver gave no answer within 0.2 s"),
        "{ran}"
    );
}

#[test]
#[cfg(unix)]
fn what_is_no_solver_is_not_asked() {
    use std::os::unix::fs::PermissionsExt;
    let workspace = with_specs(&[holds()]);
    for script in [
        // Says yes to everything.
        "#!/bin/sh\nwhile read -r line; do case \"$line\" in *check-sat*) echo unsat ;; esac; done\n",
        "#!/bin/sh\nexit 0\n",
        "#!/bin/sh\necho hello\n",
    ] {
        workspace.write("solver", script);
        let path = workspace.path("solver");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let ran = prove(&workspace, &path, &[]);
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains("solver::unusable"), "{ran}");
    }
}

#[test]
fn without_a_solver_it_is_said_how_to_get_one() {
    let ran = prove(&with_specs(&[holds()]), Path::new("/nowhere/cvc5"), &[]);
    assert_eq!(ran.status, 2);
    insta::assert_snapshot!(ran);
}

/// As a shell leaves it: `CVC5= tarbac prove`.
#[test]
fn a_variable_that_is_empty_names_no_solver() {
    let workspace = with_specs(&[holds()]);
    let output = command(&workspace.path(""))
        .env("CVC5", "")
        .env("PATH", workspace.path(""))
        .args(["prove"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("the solver `cvc5` cannot be started"),
        "{said}"
    );
}
