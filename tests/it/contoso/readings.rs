//! What each reading changes, and a decision for each policy.

use std::collections::BTreeSet;

use cedar_policy::Context;
use serde_json::json;
use tarbac::change::impact::States;
use tarbac::change::what_if::{self, Change};
use tarbac::decision::Request;
use tarbac::{Engine, Switches};

use super::{allowed, contoso};
use crate::world::given;

/// By reading and person: an action on a device, whether it is allowed by default, and with the reading
/// switched.
const SWITCHED: [(&str, &str, &str, &str, bool, bool); 10] = [
    (
        "!any-intune-role",
        "rosa",
        "runScript",
        "WS-BER-014",
        true,
        false,
    ),
    (
        "!entra-administrators",
        "olivia",
        "viewTimeline",
        "WS-TST-001",
        true,
        false,
    ),
    (
        "!entra-administrators",
        "pavel",
        "viewTimeline",
        "WS-BER-014",
        true,
        false,
    ),
    (
        "discovery-either",
        "chloe",
        "viewClientDetails",
        "WS-BER-014",
        false,
        true,
    ),
    (
        "discovery-either",
        "dinesh",
        "viewClientDetails",
        "WS-BER-014",
        false,
        true,
    ),
    (
        "discovery-either",
        "liam",
        "viewClientDetails",
        "WS-BER-014",
        false,
        false,
    ),
    (
        "discovery-either",
        "ada",
        "viewClientDetails",
        "WS-BER-014",
        false,
        false,
    ),
    (
        "observed-roles",
        "grace",
        "viewSoftwareUpdates",
        "WS-TST-001",
        false,
        true,
    ),
    (
        "default-scope-tag",
        "quinn",
        "viewTimeline",
        "WS-TST-001",
        true,
        false,
    ),
    (
        "default-scope-tag",
        "olivia",
        "viewTimeline",
        "WS-TST-001",
        true,
        true,
    ),
];

#[test]
fn readings_change_what_they_say() {
    let by_default = contoso(&[]);
    for (reading, person, action, device, before, after) in SWITCHED {
        let was = allowed(&by_default, person, action, device);
        assert_eq!(was, before, "{reading} {person}");
        let is = allowed(&contoso(&[reading]), person, action, device);
        assert_eq!(is, after, "{reading} {person}");
    }
}

/// Policies that decide nothing in the sample tenant, and why that is right.
const WITHOUT_A_SAY: &[(&str, &str)] = &[
    (
        "findings.assignments.foreign",
        "the sample has no such error; see `validate`",
    ),
    (
        "findings.assignments.several-tenants",
        "the sample has no such error; see `validate`",
    ),
    (
        "findings.hierarchies.limiting-collection",
        "the sample has no such error; see `validate`",
    ),
    (
        "findings.hierarchies.hierarchy-permission",
        "the sample has no such error; see `validate`",
    ),
    (
        "findings.hierarchies.device",
        "the sample has no such error; see `validate`",
    ),
    (
        "findings.hierarchies.collection-permission",
        "the sample has no such error; see `validate`",
    ),
    (
        "findings.scoped-permissions.in-role",
        "the sample has no such error; see its suites",
    ),
    (
        "findings.scoped-permissions.narrowed",
        "the sample has no such error; see its suites",
    ),
];

/// The sample with what only an import finds out: a person without a license for a role assignment, and a
/// scope group.
fn told_more(engine: &Engine, readings: &[&str]) -> Engine {
    let switches = Switches {
        on: readings.iter().map(|name| (*name).to_owned()).collect(),
        off: Vec::new(),
    };
    let uid = |kind: &str, id: &str| json!({"type": kind, "id": id});
    let assignment = |id: u8| {
        uid(
            "Intune::RoleAssignment",
            &format!("00000000-0000-4000-8000-0000000000e{id}"),
        )
    };
    let group = |id: char| {
        uid(
            "Entra::Group",
            &format!("00000000-0000-4000-8000-0000000000c{id}"),
        )
    };
    let entities = json!([
        {
            "uid": uid("Entra::User", "unlicensed"),
            "attrs": {
                "tenant": uid("Intune::Tenant", "contoso"),
                "userPrincipalName": "unlicensed@contoso.example",
                "cloudOnly": true,
                "assignmentsWithoutLicense": [assignment(1)],
                "assignmentsWithLicenseUnknown": [assignment(2)],
            },
            "parents": [group('5')],
        },
        {
            "uid": assignment(5),
            "attrs": {"scopeGroups": [group('7')]},
            "parents": [
                uid("Intune::Role", "Read Only Operator"),
                uid("Intune::Tenant", "contoso"),
                uid("Intune::ScopeTag", "*"),
            ],
        },
    ]);
    let (engine, errors) =
        tarbac::assembly::with_entities(engine, &given(&entities), &switches).unwrap();
    engine.unwrap_or_else(|| panic!("{errors:?}"))
}

/// The policies that decide or say something about anybody's request.
fn heard(engine: &Engine) -> BTreeSet<String> {
    let directory = engine.directory();
    let mut heard = BTreeSet::new();
    for action in engine.bundle().vocabulary().permissions() {
        for person in directory.rows_of(&action.principals[0]) {
            for resource in directory.rows_of(&action.resources[0]) {
                let now = json!({ "now": "2026-11-23T08:01:00Z" });
                let answer = engine.answer(&Request {
                    principal: directory.uid(person),
                    action: action.uid.clone(),
                    resource: directory.uid(resource),
                    context: engine.context(&action.uid, now).unwrap(),
                });
                heard.extend(answer.outcome.policies);
                heard.extend(answer.authority.map(|authority| authority.policy));
                heard.extend(answer.refusals.into_iter().map(|refusal| refusal.policy));
                heard.extend(answer.notices.into_iter().map(|notice| notice.from));
            }
        }
    }
    heard
}

/// Concerns are heard where something changes: here, production follows the test hierarchy.
fn concerned() -> impl Iterator<Item = String> {
    let before = contoso(&[]);
    let change = Change::Set("P01.enforceConfigMgrRbac=false".to_owned());
    let after = what_if::after(&before, &[change], &Switches::default()).unwrap();
    let states = States {
        before: &before,
        after: &after,
    };
    let comparison = states.compare(|_, _| Context::empty());
    let concerns = comparison.impact(|| {}).concerns.into_iter();
    concerns.map(|concern| concern.policy.unwrap())
}

#[test]
fn every_policy_has_a_say() {
    let mut heard_of: BTreeSet<String> = concerned().collect();
    let mut known = BTreeSet::new();
    for readings in [
        &[][..],
        &["default-scope-tag"],
        &["discovery-either"],
        &["observed-roles"],
    ] {
        let engine = told_more(&contoso(readings), readings);
        let policies = engine.bundle().policies().iter();
        known.extend(policies.map(|policy| policy.id().to_owned()));
        heard_of.extend(heard(&engine));
    }
    for (id, reason) in WITHOUT_A_SAY {
        let is_heard = heard_of.contains(*id);
        assert!(!is_heard, "`{id}` is exempt ({reason}) but has a say");
        assert!(known.contains(*id), "`{id}` is exempt but does not exist");
    }
    let is_exempt = |id: &String| WITHOUT_A_SAY.iter().any(|(exempt, _)| exempt == id);
    let silent = known.difference(&heard_of).filter(|id| !is_exempt(id));
    let silent: Vec<&String> = silent.collect();
    assert!(
        silent.is_empty(),
        "no request of the sample hears these policies: {silent:?}"
    );
}
