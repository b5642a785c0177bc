//! Directories that are made of others: lent by whoever wrote them, or with some entities changed.

use std::collections::HashSet;

use super::{good, input, lent, names, row, rules, written};

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
fn one_that_is_lent_answers_like_the_one_that_was_written() {
    let directory = good(FILE);
    let bytes = written(&directory);
    let lent = lent(&bytes).unwrap();
    assert_eq!(written(&lent), bytes);
    assert_eq!(lent.len(), directory.len());
    for (one, other) in directory.rows().zip(lent.rows()) {
        assert_eq!(one, other);
        assert_eq!(directory.uid(one), lent.uid(one));
        assert!(directory.entity(one).deep_eq(&lent.entity(one)));
        assert_eq!(directory.place(one), lent.place(one));
    }
    let device = "ConfigMgr::Device".parse().unwrap();
    assert_eq!(
        names(&lent, lent.called(&device, "pc-1")),
        [r#"ConfigMgr::Device::"d""#]
    );
}

/// Whatever is wrong with the bytes, there is no directory or one that can be asked.
#[test]
fn bytes_that_are_cut_off_or_prolonged_are_none() {
    let bytes = written(&good(FILE));
    for end in 0..bytes.len() {
        assert!(lent(&bytes[..end]).is_none(), "{end}");
    }
    assert!(lent(&[&bytes[..], &[0; 8]].concat()).is_none());
    for at in 0..bytes.len() {
        let mut broken = bytes.clone();
        broken[at] ^= 0xff;
        let Some(directory) = lent(&broken) else {
            continue;
        };
        for row in directory.every_row() {
            let _ = (directory.entity(row), directory.place(row));
            let _ = directory.called(&"ConfigMgr::Device".parse().unwrap(), "PC-1");
        }
    }
}

#[test]
fn what_is_not_changed_stays() {
    let directory = good(FILE);
    let other = br#"[{"uid": {"type": "Test::Every", "id": "c"}, "attrs": {"at": "2026-10-15"}, "parents": []}]"#;
    let (changed, findings) = directory.with(input("b.json", other), &HashSet::new(), &rules());
    assert_eq!(findings, []);
    assert_eq!(changed.len(), directory.len() + 1);
    for uid in ["a", "b"].map(|id| format!(r#"Test::Every::"{id}""#)) {
        let before = directory.entity(row(&directory, &uid));
        let after = changed.entity(row(&changed, &uid));
        assert!(before.deep_eq(&after), "{before:?} {after:?}");
    }
}
