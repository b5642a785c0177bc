//! Names of files that begin like those of exports: whatever is not read is told.

use super::{copied, notes, run_import};

#[test]
fn a_file_that_begins_like_an_export_and_is_not_read_is_told() {
    let tarbac = copied("tests/exports/base/configmgr");
    let members = "graph/groups/00000000-0000-4000-8000-0000000000c1/members";
    let mut told = vec![
        "configmgr/P01/SMS_Admin.csv".to_owned(),
        "devices.json".to_owned(),
        "graph/groups.zip".to_owned(),
        "graph/roleEligibilityScheduleInstances.csv".to_owned(),
        "graph/tenantAttachRBAC.txt".to_owned(),
        "graph/users.xml".to_owned(),
        "tenant.ndjson".to_owned(),
    ];
    let endings = [
        "-2.csv",
        ".2.json",
        ".csv",
        ".json.bak",
        ".txt",
        "-2.json.gz.tmp",
    ];
    told.extend(endings.map(|ending| format!("{members}{ending}")));
    for path in &told {
        tarbac.write(&format!("exports/{path}"), "[]");
    }
    told.sort();
    assert_eq!(notes(&tarbac)["not_read"], told);
}

#[test]
fn a_page_with_a_number_that_no_page_has_is_refused() {
    for number in ["-0", "-1", "-01"] {
        let tarbac = copied("tests/exports/base/intune");
        tarbac.write(&format!("exports/graph/users{number}.json"), "[]");
        let ran = run_import(&tarbac, &[]);
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains("no page is called so"), "{ran}");
    }
}

/// A file that is not read does not stand for the export of the last import.
#[test]
fn an_export_that_is_lost_is_missed_beside_a_file_that_is_not_read() {
    let tarbac = copied("tests/exports/base/configmgr");
    assert_eq!(run_import(&tarbac, &[]).status, 0);
    let administrators = tarbac.path("exports/configmgr/P01/SMS_Admin.json");
    std::fs::rename(&administrators, administrators.with_extension("csv")).unwrap();
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("SMS_Admin.json"), "{ran}");
}
