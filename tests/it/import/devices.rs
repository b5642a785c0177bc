//! Which devices are co-managed, by the columns of `devices.csv`.

use super::{copied, notes};

/// Whether the device is taken as co-managed, and whether that is known, by a report with these values.
fn co_managed(agents: &str, localized: &str) -> (bool, bool) {
    let tarbac = copied("tests/exports/base/intune");
    let report =
        format!("DeviceName,ManagementAgents,ManagementAgents_loc\nD1,{agents},{localized}\n");
    tarbac.write("exports/devices.csv", report);
    let is_known = !notes(&tarbac).contains_key("co_management_unknown");
    let devices = tarbac.read("workspace/entities/devices.json");
    (devices.contains(r#""coManaged":true"#), is_known)
}

#[test]
fn a_column_in_another_language_does_not_hide_the_plain_one() {
    let (co_managed_and_known, attached) = ((true, true), (false, true));
    assert_eq!(
        co_managed("10", "Gemeinsam verwaltet"),
        co_managed_and_known
    );
    assert_eq!(co_managed("10", "Co-managed"), co_managed_and_known);
    assert_eq!(co_managed("", "Co-managed"), co_managed_and_known);
    assert_eq!(co_managed("8", "Konfigurations-Manager"), attached);
}

#[test]
fn columns_that_contradict_each_other_tell_nothing() {
    let unknown = (false, false);
    for (agents, localized) in [("8", "Co-managed"), ("10", "ConfigMgr"), ("10", "Intune")] {
        assert_eq!(
            co_managed(agents, localized),
            unknown,
            "{agents}, {localized}"
        );
    }
    assert_eq!(co_managed("99", "Gemeinsam verwaltet"), unknown);
}
