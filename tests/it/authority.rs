//! The authority truth table: toggle × checkbox × version × kind of account, with a deciding
//! policy in each cell. The table itself is that of the documents.

use std::fmt::Write;
use std::str::FromStr;

use cedar_policy::{Context, EntityUid};
use serde_json::json;
use tarbac::decision::Request;
use tarbac::directory::Input;
use tarbac::source::Source;
use tarbac::{Engine, Switches, assembly, shipped};

/// One tenant, one hierarchy, one device, and three Help Desk Operators: cloud-only, hybrid with
/// Collection: Read, hybrid without it.
fn world(toggle: bool, checkbox: bool, version: i64) -> Engine {
    let of = |type_name: &str, id: &str| json!({ "type": type_name, "id": id });
    let person = |id: &str, cloud_only: bool, read: bool| {
        let hierarchies = json!([of("ConfigMgr::Hierarchy", "H")]);
        let mut attrs = json!({
            "tenant": of("Intune::Tenant", "T"), "userPrincipalName": id, "cloudOnly": cloud_only,
        });
        if !cloud_only {
            attrs["configMgr"] = json!({
                "discoveredByEntra": hierarchies, "discoveredByActiveDirectory": hierarchies,
                "read": if read { json!([of("ConfigMgr::Collection", "C")]) } else { json!([]) },
                "readResource": [], "notifyResource": [], "runCmPivot": [], "runScript": [],
                "readBitLockerRecoveryKey": [], "readScripts": [], "readApplications": [],
                "approveApplications": [],
            });
        }
        json!({ "uid": of("Entra::User", id), "attrs": attrs, "parents": [of("Intune::RoleAssignment", "A")] })
    };
    let hierarchy = of("ConfigMgr::Hierarchy", "H");
    let entities = json!([
        { "uid": of("Intune::Tenant", "T"), "attrs": { "useIntuneRbac": toggle }, "parents": [] },
        { "uid": hierarchy, "parents": [], "attrs": {
            "tenant": of("Intune::Tenant", "T"), "version": version,
            "enforceConfigMgrRbac": checkbox, "earlyUpdateRing": false } },
        { "uid": of("ConfigMgr::Collection", "C"), "attrs": { "hierarchy": hierarchy }, "parents": [] },
        { "uid": of("ConfigMgr::Device", "D"), "parents": [of("ConfigMgr::Collection", "C")],
          "attrs": { "hierarchy": hierarchy, "name": "D", "coManaged": false } },
        { "uid": of("Intune::RoleAssignment", "A"), "attrs": {}, "parents": [
            of("Intune::Role", "Help Desk Operator"), of("Intune::Tenant", "T"), of("Intune::ScopeTag", "*")] },
        person("cloud-only", true, false),
        person("hybrid", false, true),
        person("hybrid, without Read", false, false),
    ]);
    let input = Input {
        source: Source::held("entities.json", ""),
        reader: Box::new(std::io::Cursor::new(entities.to_string())),
    };
    let examination =
        assembly::examine(&shipped::rules().alone(), vec![input], &Switches::default()).unwrap();
    let findings = examination.findings;
    examination
        .engine
        .unwrap_or_else(|| panic!("{findings:#?}"))
}

#[test]
fn who_decides_is_as_in_the_truth_table() {
    let mut table = String::new();
    for toggle in [false, true] {
        for checkbox in [true, false] {
            for version in [2203, 2207, 2403] {
                let engine = world(toggle, checkbox, version);
                let (toggle, checkbox) = (
                    if toggle { "On" } else { "Off" },
                    if checkbox { "selected" } else { "cleared" },
                );
                for person in ["cloud-only", "hybrid", "hybrid, without Read"] {
                    let answer = engine.answer(&Request {
                        principal: EntityUid::from_str(&format!("Entra::User::\"{person}\""))
                            .unwrap(),
                        action: EntityUid::from_str("Intune::Action::\"viewClientDetails\"")
                            .unwrap(),
                        resource: EntityUid::from_str("ConfigMgr::Device::\"D\"").unwrap(),
                        context: Context::empty(),
                    });
                    writeln!(
                        table,
                        "{toggle:3} {checkbox:8} {version} {:9} {person:20} {:5} {}",
                        answer.authority.unwrap().name,
                        answer.outcome.decision.word(),
                        answer.outcome.policies[0],
                    )
                    .unwrap();
                }
            }
        }
    }
    insta::assert_snapshot!(table);
}
