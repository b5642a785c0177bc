//! Supports of an allow: permissions and facts that keep forbids from applying.

use super::explanation::chain;
use super::page::Page;
use tarbac_analysis::explain::Support;

/// Permissions on one object.
struct ObjectPermissions<'s> {
    operations: Vec<&'s str>,
    /// The phrase after the permissions: ` on All Systems`.
    on: &'s str,
    support: &'s Support,
    policies: Vec<&'s str>,
}

/// The permissions, grouped by object.
fn by_what(supports: &[Support]) -> Vec<ObjectPermissions<'_>> {
    let mut groups: Vec<ObjectPermissions<'_>> = Vec::new();
    for support in supports {
        let Some((operation, on)) = &support.operation else {
            continue;
        };
        let policies = support.policies.iter().map(String::as_str);
        let is_on = |known: &&mut ObjectPermissions<'_>| {
            known.on == on && known.support.value == support.value
        };
        match groups.iter_mut().find(is_on) {
            Some(known) => {
                known.operations.push(operation);
                known.policies.extend(policies);
            }
            None => groups.push(ObjectPermissions {
                operations: vec![operation],
                on,
                support,
                policies: policies.collect(),
            }),
        }
    }
    groups
}

/// The permissions in one line: `Collection: Read, Collection: Read Resource on All Systems, which holds WS-BER-014
/// through Berlin Workstations; SMS Scripts: Read in P01`. `None` without permissions.
pub(super) fn in_short(supports: &[Support]) -> Option<String> {
    let groups = by_what(supports);
    let said = groups.iter().map(|group| {
        let between: Vec<&str> = group
            .support
            .between()
            .iter()
            .map(|step| step.name.as_str())
            .collect();
        let through = match between.is_empty() {
            true => String::new(),
            false => format!(" (through {})", between.join(", ")),
        };
        format!("{}{}{through}", group.operations.join(", "), group.on)
    });
    // Several objects may have the same name.
    let mut each: Vec<String> = Vec::new();
    for said in said {
        if !each.contains(&said) {
            each.push(said);
        }
    }
    let said = each;
    (!said.is_empty()).then(|| said.join("; "))
}

/// All supports, each with the policies that would refuse without it.
pub(super) fn in_full(page: &mut Page, supports: &[Support], person: &str) {
    if supports.is_empty() {
        return;
    }
    page.heading("Also required, and present");
    for support in supports.iter().filter(|of| of.operation.is_none()) {
        page.line(2, &support.sentence);
        page.line(4, &support.policies.join(", "));
    }
    for group in by_what(supports) {
        let operations = group.operations.join(", ");
        page.line(2, &format!("{person} has {operations}{}", group.on));
        if let Some(path) = &group.support.path {
            page.line(4, &chain(path));
        }
        page.line(4, &group.policies.join(", "));
    }
}
