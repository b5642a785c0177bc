//! Policies about a group, by its members or by itself.

use super::assumed::about_groups;

#[test]
fn a_comparison_with_a_group_does_not_depend_on_its_members() {
    let hidden = "Entra::Group::\"hidden\"";
    let eligible = "principal has eligibleGroups && principal.eligibleGroups";
    for (condition, status) in [
        (format!("{eligible}.contains({hidden})"), 0),
        (format!("{eligible}.containsAny([{hidden}])"), 0),
        (format!("{eligible} == [{hidden}]"), 0),
        (format!("{hidden} in Entra::Group::\"listed\""), 0),
        (format!("Entra::Group::\"listed\" in {hidden}"), 1),
        (format!("principal is Entra::User in {hidden}"), 1),
        (
            format!(
                "principal in (if principal.cloudOnly then {hidden} else Entra::Group::\"listed\")"
            ),
            1,
        ),
        (format!("[principal in {hidden}].contains(true)"), 1),
    ] {
        for (effect, keyword) in [("forbid", "when"), ("permit", "unless")] {
            let policy = format!(
                "{effect} (principal, action == Intune::Action::\"runScript\", resource) {keyword} {{ {condition} }};"
            );
            let ran = about_groups(&policy);
            assert_eq!(ran.status, status, "{policy}: {ran}");
        }
    }
}
