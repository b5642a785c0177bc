//! What each reading changes, and a decision for each policy.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::Context;
use serde_json::json;
use tarbac::change::impact::States;
use tarbac::change::what_if::{self, Change};
use tarbac::decision::Request;
use tarbac::{Engine, Switches};

use super::{allowed, contoso};
use crate::world::given;

#[test]
fn readings_change_what_they_say() {
    // (reading, person, action, device, by default, with the reading switched)
    for (reading, person, action, device, before, after) in [
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
    ] {
        assert_eq!(
            allowed(&contoso(&[]), person, action, device),
            before,
            "{reading} {person}"
        );
        assert_eq!(
            allowed(&contoso(&[reading]), person, action, device),
            after,
            "{reading} {person}"
        );
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

#[test]
fn every_policy_has_a_say() {
    let mut heard: BTreeMap<String, usize> = BTreeMap::new();
    let mut known = BTreeSet::new();
    for readings in [
        &[][..],
        &["default-scope-tag"],
        &["discovery-either"],
        &["observed-roles"],
    ] {
        let engine = told_more(&contoso(readings), readings);
        known.extend(
            engine
                .bundle()
                .policies()
                .iter()
                .map(|policy| policy.id().to_owned()),
        );
        let directory = engine.directory();
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
                    let ids = answer
                        .outcome
                        .policies
                        .into_iter()
                        .chain(answer.authority.map(|authority| authority.policy))
                        .chain(answer.refusals.into_iter().map(|refusal| refusal.policy))
                        .chain(answer.notices.into_iter().map(|notice| notice.from));
                    for id in ids {
                        *heard.entry(id).or_default() += 1;
                    }
                }
            }
        }
    }
    // Concerns are heard where something changes: here, production follows the test hierarchy.
    let before = contoso(&[]);
    let change = Change::Set("P01.enforceConfigMgrRbac=false".to_owned());
    let after = what_if::after(&before, &[change], &Switches::default()).unwrap();
    let states = States {
        before: &before,
        after: &after,
    };
    let comparison = states.compare(|_, _| Context::empty());
    for concern in comparison.impact(|| {}).concerns {
        *heard.entry(concern.policy.unwrap()).or_default() += 1;
    }
    for (id, reason) in WITHOUT_A_SAY {
        assert!(
            !heard.contains_key(*id),
            "`{id}` is exempt ({reason}) but has a say"
        );
        assert!(known.contains(*id), "`{id}` is exempt but does not exist");
    }
    let silent: Vec<&String> = known
        .iter()
        .filter(|id| {
            !heard.contains_key(*id) && !WITHOUT_A_SAY.iter().any(|(exempt, _)| exempt == id)
        })
        .collect();
    assert!(
        silent.is_empty(),
        "no request of the sample hears these policies: {silent:?}"
    );
}
