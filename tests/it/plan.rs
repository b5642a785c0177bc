//! The role changes that go with a change, on the sample tenant.

mod facts;
mod worlds;

use cedar_policy::Context;
use serde_json::{Value, json};
use tarbac::bundle::Action;
use tarbac::change::impact::{Impact, States};
use tarbac::change::what_if::{self, Change, Premises};
use tarbac::plan::{PlannedRoles, Planner};
use tarbac::render::impact::ImpactReport;
use tarbac::{Engine, Layout, Switches, Workspace, shipped};

use crate::browser::{browser, seen};
use crate::tarbac::{Ran, Tarbac, contoso, contoso_folder, sample};

const PRODUCTION: &[&str] = &["what-if", "--enforce-configmgr-rbac", "P01=off", "--plan"];

fn production(arguments: &[&str]) -> Ran {
    contoso(&[PRODUCTION, arguments].concat())
}

fn plan_of(arguments: &[&str]) -> Value {
    let ran = contoso(&[&["what-if", "--plan", "--format", "json"], arguments].concat());
    assert_eq!(ran.status, 1, "{ran}");
    serde_json::from_str::<Value>(&ran.stdout).unwrap()["plan"].take()
}

#[test]
fn production_follows_the_test_hierarchy() {
    let ran = production(&[]);
    let plan = ran.stdout.find("Plan against losses").unwrap();
    insta::assert_snapshot!(&ran.stdout[plan..]);
}

#[test]
fn a_page_of_a_wiki_has_every_policy() {
    let ran = production(&["--format", "markdown"]);
    let plan = ran.stdout.find("## Plan against losses").unwrap();
    insta::assert_snapshot!(&ran.stdout[plan..]);
}

/// Whoever does what the plan says has what it says.
#[test]
fn what_the_plan_says_is_what_comes_of_it() {
    let change = ["--enforce-configmgr-rbac", "P01=off"];
    let plan = plan_of(&change);
    assert_eq!(plan["verified"], true);
    let workspace = sample();
    let mut grants = Vec::new();
    for change in plan["keep"]["changes"].as_array().unwrap() {
        for file in change["files"].as_array().unwrap() {
            workspace.write(
                file["path"].as_str().unwrap(),
                file["text"].as_str().unwrap(),
            );
        }
        for to in change["assigned"].as_array().unwrap() {
            let (kind, id) = (to["type"].as_str().unwrap(), to["id"].as_str().unwrap());
            let role = change["role"]["id"].as_str().unwrap();
            grants.extend(["--grant".to_owned(), format!("{kind}::\"{id}\"={role}")]);
        }
    }
    let ran = workspace.run(&["fmt", "--check"]);
    assert_eq!(ran.status, 0, "{ran}");
    let ran = workspace.run(&["validate"]);
    assert_eq!(ran.status, 0, "{ran}");
    let grants: Vec<&str> = grants.iter().map(String::as_str).collect();
    let ran = workspace.run(&[&["what-if", "--format", "json"], &change[..], &grants].concat());
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(found["totals"], plan["keep"]["totals"]);
    assert_eq!(found["totals"]["lost"], 0);
}

/// The paths of new files and of changed ones are seen from the same place.
/// Who is in a group that may have more members than are known would have the role, whoever that is.
#[test]
fn a_group_that_may_have_more_members_is_assigned_nothing() {
    let change = ["--enforce-configmgr-rbac", "P01=off"];
    let groups = |plan: &Value| -> Vec<String> {
        let changes = plan["keep"]["changes"].as_array().unwrap().iter();
        let assigned = changes.flat_map(|change| change["assigned"].as_array().unwrap());
        let groups = assigned.filter(|to| to["type"] == "Entra::Group");
        groups
            .map(|to| to["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let listed = groups(&plan_of(&change));
    let group = listed.first().unwrap();
    let workspace = sample();
    let file = "entities/groups.json";
    let mut entities: Value = serde_json::from_str(&workspace.read(file)).unwrap();
    for entity in entities.as_array_mut().unwrap() {
        if entity["uid"]["id"] == group.as_str() {
            entity["attrs"]["membersUnknown"] = true.into();
        }
    }
    workspace.write(file, entities.to_string());
    let ran = workspace.run(&[&["what-if", "--plan", "--format", "json"], &change[..]].concat());
    assert_eq!(ran.status, 1, "{ran}");
    let plan = serde_json::from_str::<Value>(&ran.stdout).unwrap()["plan"].take();
    assert!(!groups(&plan).contains(group), "{plan}");
}

#[test]
fn files_are_where_the_workspace_is() {
    let workspace = Tarbac::with(&[]);
    let folder = contoso_folder().display().to_string();
    let ran = workspace.run(&[&["-C", &folder], PRODUCTION, &["--format", "json"]].concat());
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let path = &document["plan"]["keep"]["changes"][0]["files"][0]["path"];
    let expected =
        format!("{folder}/policies/custom/view-collections-view-software-updates-and-2-more.cedar");
    assert_eq!(path.as_str(), Some(expected.as_str()));
}

/// A plan is only as good as the comparison with it: one that finds what it did without the plan is believed.
#[test]
fn a_plan_that_does_not_work_is_not_verified() {
    let layout = Layout::new(contoso_folder(), shipped::rules());
    let before = Workspace::load(&layout, &Switches::default()).unwrap();
    let change = Change::Flag {
        flag: "enforce-configmgr-rbac".to_owned(),
        value: "P01=off".to_owned(),
    };
    let after = what_if::after(&before.engine, &[change], &Switches::default()).unwrap();
    let states = States {
        before: &before.engine,
        after: &after,
    };
    let context = |_: &Engine, _: &Action| Context::empty();
    let impact = states.compare(context).impact(|| {});
    let planned = |compare: &dyn Fn(States<'_>) -> Impact| {
        let planning = Planner {
            states,
            impact: &impact,
            context: &context,
            compare,
        };
        planning.plan().unwrap()
    };
    let plan = planned(&|states| states.compare(context).impact(|| {}));
    assert!(plan.is_verified());
    let plan = planned(&|_| impact.clone());
    let deviations = &plan.against_losses.deviations;
    assert!(!plan.is_verified());
    let lost: u64 = deviations.iter().map(|of| of.found - of.foreseen).sum();
    assert_eq!(lost, impact.totals.lost);
    let report = ImpactReport {
        premises: &Premises::default(),
        impact: &impact,
        roles: &PlannedRoles::Planned(Box::new(plan)),
        states: [states.before.provenance(), states.after.provenance()],
        at_hand: states.before.provenance(),
    };
    for text in [report.human(false, None), report.markdown()] {
        assert!(text.contains("NOT VERIFIED, do not use it"), "{text}");
    }
}

/// A custom role that somebody has is given what the person loses, if nobody else gains by it.
#[test]
fn a_custom_role_is_extended() {
    let plan = plan_of(&["--set", "karin@contoso.example.cloudOnly=true"]);
    // Nothing that a role gives lets a cloud-only account in.
    assert_eq!(plan["keep"]["changes"], json!([]));
    assert_eq!(
        plan["lost"][0]["after"][0]["policies"],
        json!(["configmgr.identity"])
    );
    // The policy that is proposed gives less than the one that is there.
    let workspace = sample();
    let file = "policies/custom/script-runner.cedar";
    let less = workspace
        .read(file)
        .replace("     Intune::Action::\"runScript\"],", "],")
        .replace("viewScripts\",\n]", "viewScripts\"]");
    workspace.write("proposal/script-runner.cedar", &less);
    workspace.write("proposal/tarbac.yaml", "replaces: shipped\n");
    for policy in shipped::rules().policies() {
        let path = policy.name.replace("shipped/", "proposal/");
        workspace.write(&path, policy.text());
    }
    let ran = workspace.run(&["what-if", "--plan", "--policies", "proposal"]);
    let plan = ran
        .stdout
        .find("Plan against losses")
        .unwrap_or_else(|| panic!("{ran}"));
    insta::assert_snapshot!(&ran.stdout[plan..], @r#"
    Plan against losses
      1 role change, and fewer are not enough: nobody loses anything
      verified by comparing again: 0 decisions lost instead of 5, 0 gained instead of 0

      1. Add to the role Script Runner: Run script
         prevents losses of 1 account
         without it karin@contoso.example loses Run script on WS-RNG-001
         proposal/script-runner.cedar:
           @id("custom.script-runner")
           @doc("A Script Runner sees the client details of a tenant-attached device and its scripts, and runs them.")
           permit (
             principal in Intune::Role::"00000000-0000-4000-8000-0000000000f1",
             action in
               [Intune::Action::"viewScripts",
                Intune::Action::"runScript",
                Intune::Action::"viewClientDetails"],
             resource
           );

    What these policies say
      custom.script-runner: A Script Runner sees the client details of a tenant-attached device and its
        scripts, and runs them.
    "#);
}

/// A built-in role cannot be changed: another takes its place.
#[test]
fn what_is_gained_is_taken_away() {
    let ran = contoso(&[
        "what-if",
        "--plan",
        "--grant",
        "emma@contoso.example=Help Desk Operator",
    ]);
    let plan = ran.stdout.find("Plan against gains").unwrap();
    insta::assert_snapshot!(&ran.stdout[plan..], @r#"
    Plan against gains
      1 role change, and fewer are not enough, role by role: no gain remains that can be removed without
        a loss
      verified by comparing again: 0 decisions lost instead of 0, 0 gained instead of 30

      1. Make the role Help Desk Operator without View scripts, Run script and 4 more, in place of Help
         Desk Operator
         removes gains of 1 account
         assign it in the role assignment given: Entra::User::"00000000-0000-4000-8000-0000000000a5" in
           Intune::Role::"Help Desk Operator" (1 account)
         policies/custom/help-desk-operator-without-view-scripts-run-script-and-4.cedar:
           @id("custom.help-desk-operator-without-view-scripts-run-script-and-4")
           @doc("As Help Desk Operator, without View scripts, Run script, Run CMPivot query, Enroll Now, Rotate BitLockerKeys (preview), Initiate Configuration Manager action.")
           permit (
             principal in
               Intune::Role::"Help Desk Operator without View scripts, Run script and 4 more",
             action in
               [Intune::Action::"viewCollections",
                Intune::Action::"viewResourceExplorer",
                Intune::Action::"viewTimeline",
                Intune::Action::"viewSoftwareUpdates",
                Intune::Action::"viewClientDetails",
                Intune::Action::"viewApplications",
                Intune::Action::"takeApplicationActions"],
             resource
           );

    The roles that give the gains
      Help Desk Operator: 30 decisions of 1 account, by View scripts, Run script, Run CMPivot query,
        Enroll Now, Rotate BitLockerKeys (preview) and 1 more

    What these policies say
      roles.help-desk-operator: A Help Desk Operator sees every page of a tenant-attached device and
        takes every action on it.
    "#);
}

#[test]
fn an_object_a_line_has_the_plan_last() {
    let ran = production(&["--format", "ndjson"]);
    let last: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["kind"], &last["verified"]),
        (&json!("plan"), &json!(true))
    );
    // Without being asked for, it is not there; but that there is one is said.
    let ran = contoso(&["what-if", "--enforce-configmgr-rbac", "P01=off"]);
    assert!(!ran.stdout.contains("Plan: "), "{ran}");
    assert!(ran.stdout.contains("--plan"), "{ran}");
}

#[test]
fn the_page_in_a_browser() {
    let Some(browser) = browser("plan::the_page_in_a_browser") else {
        return;
    };
    let html = production(&["--format", "html"]).stdout;
    let page = seen(&browser, &html, "");
    for said in [
        "verified by comparing again: 0 decisions lost instead of 52",
        "<summary>Make the role View",
        "<pre class=\"source\"><code>@id(\"custom.view-",
        "Gains that remain",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    // What the plan says at length is not said before it as well.
    assert!(
        !page.contains("Roles that would need a permission"),
        "{page}"
    );
}

#[test]
fn a_sheet_has_no_room_for_it() {
    let ran = production(&["--format", "csv"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr.contains("a plan cannot be written as csv"),
        "{ran}"
    );
}
