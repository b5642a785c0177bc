//! Directories made of others: written ones and overlays.

use std::collections::HashSet;

use super::{given, good, names, reopened, reopened_or, row, rules, written};
use crate::Directory;

/// Two values that only an extension function can give, and texts, numbers and names.
const FILE: &str = r#"[
  {"uid": {"type": "Test::Every", "id": "a"}, "attrs": {"at": "2024-10-15", "price": "1.5", "text": "x", "count": 7},
    "parents": [{"type": "Test::Every", "id": "b"}]},
  {"uid": {"type": "Test::Every", "id": "b"}, "attrs": {"at": "2025-10-15", "flags": [true]}, "parents": [],
    "tags": {"one": [1, 2]}},
  {"uid": {"type": "ConfigMgr::Device", "id": "d"}, "attrs": {
    "hierarchy": {"type": "ConfigMgr::Hierarchy", "id": "P01"}, "name": "PC-1", "coManaged": true}, "parents": []},
  {"uid": {"type": "ConfigMgr::Hierarchy", "id": "P01"}, "attrs": {
    "tenant": {"type": "Intune::Tenant", "id": "t"}, "version": 2403, "enforceConfigMgrRbac": false,
    "earlyUpdateRing": false}, "parents": []},
  {"uid": {"type": "Intune::Tenant", "id": "t"}, "attrs": {"useIntuneRbac": true}, "parents": []}
]"#;

#[test]
fn one_from_bytes_answers_like_the_one_that_was_written() {
    let directory = good(FILE);
    let bytes = written(&directory);
    let reopened = reopened(&bytes).unwrap();
    assert_eq!(written(&reopened), bytes);
    assert_eq!(reopened.len(), directory.len());
    for (one, other) in directory.rows().zip(reopened.rows()) {
        assert_eq!(one, other);
        assert_eq!(directory.uid(one), reopened.uid(one));
        assert!(directory.entity(one).deep_eq(&reopened.entity(one)));
        assert_eq!(directory.place(one), reopened.place(one));
    }
    let device = "ConfigMgr::Device".parse().unwrap();
    assert_eq!(
        names(&reopened, reopened.called(&device, "pc-1")),
        [r#"ConfigMgr::Device::"d""#]
    );
}

#[test]
fn bytes_that_are_cut_off_or_prolonged_are_none() {
    let bytes = written(&good(FILE));
    for end in 0..bytes.len() {
        assert!(reopened(&bytes[..end]).is_none(), "{end}");
    }
    assert!(reopened(&[&bytes[..], &[0; 8]].concat()).is_none());
}

/// Whether two directories give the same answer to every query.
fn is_same(one: &Directory, other: &Directory) -> bool {
    let device = "ConfigMgr::Device".parse().unwrap();
    let rows = one.every_row().zip(other.every_row());
    let same = rows.map(|(row, _)| {
        // Every query is made, even after a difference.
        [
            one.entity(row).deep_eq(&other.entity(row)),
            one.place(row) == other.place(row),
            one.exists(row) == other.exists(row),
            one.called(&device, "PC-1") == other.called(&device, "PC-1"),
        ]
        .into_iter()
        .all(|same| same)
    });
    let same: Vec<bool> = same.collect();
    one.every_row().len() == other.every_row().len() && same.into_iter().all(|same| same)
}

/// If any one byte is changed, there is no directory, or it gives the same answers, or it is damaged.
#[test]
fn nothing_is_used_that_is_not_as_it_was_written() {
    let directory = good(FILE);
    let bytes = written(&directory);
    let (mut mended, mut damaged) = (0, 0);
    for at in 0..bytes.len() {
        for flip in [1, 0x80, 0xff] {
            let mut broken = bytes.clone();
            broken[at] ^= flip;
            let Some(reopened) = reopened_or(&broken, Some(&bytes)) else {
                continue;
            };
            assert!(is_same(&reopened, &directory), "{at}");
            assert!(!reopened.is_damaged());
            mended += 1;
            // Computing the bytes again gives other bytes, or none.
            for anew in [None, Some(&broken[..]), Some(&[])] {
                let reopened = reopened_or(&broken, anew).unwrap();
                // No query reads the kinds of plain strings.
                assert!(
                    is_same(&reopened, &directory) || reopened.is_damaged(),
                    "{at}"
                );
                damaged += usize::from(reopened.is_damaged());
                // Nor is a copy of it, which reads all of it.
                let reopened = reopened_or(&broken, anew).unwrap();
                let (copy, _) = reopened.overlaid(&[], &HashSet::new(), &rules());
                assert!(is_same(&copy, &directory) || copy.is_damaged(), "{at}");
            }
        }
    }
    assert!(mended > 500 && damaged > 1500, "{mended} {damaged}");
}

#[test]
fn what_was_written_under_another_name_is_none() {
    let mut bytes = Vec::new();
    good(FILE).write(&mut bytes, "entities-2").unwrap();
    assert!(reopened(&bytes).is_none());
}

/// Lists and texts that begin in one block and end in another.
#[test]
fn blocks_are_joined() {
    let hierarchies = (0..30).map(|number| format!(
        r#"{{"uid": {{"type": "ConfigMgr::Hierarchy", "id": "H{number}"}}, "attrs": {{
        "tenant": {{"type": "Intune::Tenant", "id": "t"}}, "version": {number}, "enforceConfigMgrRbac": false,
        "earlyUpdateRing": false}}, "parents": []}}"#
    ));
    let devices = (0..5_000).map(|number| format!(
        r#"{{"uid": {{"type": "ConfigMgr::Device", "id": "device-{number}"}}, "attrs": {{
        "hierarchy": {{"type": "ConfigMgr::Hierarchy", "id": "H{}"}}, "name": "PC-{}{number}", "coManaged": true}},
        "parents": []}}"#,
        number % 30,
        "x".repeat(if number == 77 { 100_000 } else { number % 50 }),
    ));
    let long: Vec<String> = (0..20_000).map(|number| number.to_string()).collect();
    let every = format!(
        r#"{{"uid": {{"type": "Test::Every", "id": "b"}}, "attrs": {{"at": "2025-10-15"}}, "parents": [],
        "tags": {{"one": [{}], "two": [{}]}}}}"#,
        long.join(","),
        long[..10_000].join(",")
    );
    let tenant = r#"{"uid": {"type": "Intune::Tenant", "id": "t"}, "attrs": {"useIntuneRbac": true}, "parents": []}"#;
    let entities: Vec<String> = hierarchies
        .chain(devices)
        .chain([every, tenant.to_owned()])
        .collect();
    let directory = good(&format!("[{}]", entities.join(",")));
    let bytes = written(&directory);
    let reopened = reopened(&bytes).unwrap();
    for row in directory.every_row() {
        assert!(directory.entity(row).deep_eq(&reopened.entity(row)));
        assert_eq!(directory.id(row), reopened.id(row));
    }
    assert_eq!(written(&reopened), bytes);
    assert!(!reopened.is_damaged());
    // Some query reads every block.
    for at in (0..bytes.len()).step_by(40_000) {
        let mut broken = bytes.clone();
        broken[at] ^= 4;
        let Some(reopened) = reopened_or(&broken, Some(&bytes)) else {
            continue;
        };
        assert!(
            directory
                .every_row()
                .all(|row| directory.entity(row).deep_eq(&reopened.entity(row)))
        );
        assert!(!reopened.is_damaged());
    }
}

/// An overlay answers as the directory of a file in which the entities were changed.
#[test]
fn an_overlay_is_like_a_file_with_the_changes() {
    let before: Vec<serde_json::Value> = serde_json::from_str(FILE).unwrap();
    for (at, entity) in before.iter().enumerate() {
        let without = [&before[..at], &before[at + 1..]].concat();
        let file = serde_json::to_string(&without).unwrap();
        let (directory, _) = super::read(&file);
        let put = serde_json::to_string(&[entity]).unwrap();
        let (added, findings) =
            directory.overlaid(&given(&put).unwrap(), &HashSet::new(), &rules());
        assert_eq!(findings, [], "{entity}");
        let whole = good(FILE);
        let device = "ConfigMgr::Device".parse().unwrap();
        assert_eq!(added.called(&device, "PC-1"), whole.called(&device, "PC-1"));
        assert!(added.every_row().eq(whole.every_row()));
        for row in whole.every_row() {
            assert!(added.entity(row).deep_eq(&whole.entity(row)), "{entity}");
            assert!(added.ancestors(row).eq(whole.ancestors(row)), "{entity}");
            assert_eq!(added.exists(row), whole.exists(row));
        }
        // The same once more changes nothing.
        let (again, _) = added.overlaid(&given(&put).unwrap(), &HashSet::new(), &rules());
        assert!(is_same(&again, &added), "{entity}");
        // A value is found where it was, so that equal ones stay one.
        assert_eq!(written(&again).len(), written(&added).len(), "{entity}");
    }
}

#[test]
fn what_is_not_changed_stays() {
    let directory = good(FILE);
    let other = r#"[{"uid": {"type": "Test::Every", "id": "c"}, "attrs": {"at": "2026-10-15"}, "parents": []}]"#;
    let (changed, findings) = directory.overlaid(&given(other).unwrap(), &HashSet::new(), &rules());
    assert_eq!(findings, []);
    assert_eq!(changed.len(), directory.len() + 1);
    for uid in ["a", "b"].map(|id| format!(r#"Test::Every::"{id}""#)) {
        let before = directory.entity(row(&directory, &uid));
        let after = changed.entity(row(&changed, &uid));
        assert!(before.deep_eq(&after), "{before:?} {after:?}");
    }
}
