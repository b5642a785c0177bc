//! Records that are written, read and refused, and texts that count as the same.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

use super::*;

fn written(origin: Origin, text: &str) -> WrittenFile {
    WrittenFile {
        origin,
        digest: digest(text),
    }
}

#[test]
fn line_ends_do_not_count_however_the_text_is_cut() {
    let windows = "a\r\nb\r\n\r\nc\rd\r\r\n\r";
    let plain = "a\nb\n\nc\rd\r\n\r";
    for size in 1..windows.len() {
        let mut hasher = TextHasher::default();
        for part in windows.as_bytes().chunks(size) {
            hasher.update(part);
        }
        assert_eq!(hasher.finish(), blake3::hash(plain.as_bytes()), "{size}");
    }
    assert_ne!(digest("a\rb"), digest("a\nb"));
}

#[test]
fn what_is_written_is_read_as_the_same() {
    let record = Record {
        files: [
            ("policies/a.cedar".to_owned(), written(Origin::Shipped, "a")),
            ("entities/b.json".to_owned(), written(Origin::Tenant, "b")),
        ]
        .into(),
        removed: ["policies/roles/".to_owned()].into(),
        exports: ["graph/users.json".to_owned()].into(),
    };
    let steps = vec![
        Step {
            path: "policies/a.cedar".to_owned(),
            before: Some(digest("a")),
            after: None,
        },
        Step {
            path: ".gitignore".to_owned(),
            before: None,
            after: Some(digest("c")),
        },
    ];
    for state in [
        State::Settled(record.clone()),
        State::Settled(Record::default()),
        State::Pending(Pending {
            before: Some(record.clone()),
            steps: steps.clone(),
            after: Record::default(),
        }),
        State::Pending(Pending {
            before: None,
            steps,
            after: record,
        }),
    ] {
        assert_eq!(State::read(&state.text().unwrap()).unwrap(), state);
    }
}

#[test]
fn a_record_cannot_have_anything_else_written() {
    for path in [
        "../entities/x",
        "entities/../../x",
        "/etc/passwd",
        "entities//x",
        "entities/./x",
        "entities/",
        "entities",
        ".git/hooks/pre-commit",
        ".github/workflows/other.yml",
        "entities\\..\\x",
        "C:/x",
        "policies/c:x",
        "tarbac-files.json",
        "Entities/x",
        "",
    ] {
        assert!(!is_ours(path), "{path}");
        let text = Record {
            files: [(path.to_owned(), written(Origin::Tenant, ""))].into(),
            ..Record::default()
        }
        .text()
        .unwrap();
        assert!(State::read(&text).is_err(), "{path}");
    }
    for path in ["entities/a.json", "policies/a/b.cedar", ".gitignore"] {
        assert!(is_ours(path), "{path}");
    }
}

#[test]
fn what_is_no_record_is_refused() {
    let text = Record::default().text().unwrap();
    for text in [
        "",
        "{}",
        "[]",
        "<<<<<<< HEAD\n",
        &text.replace("\"version\": 1", "\"version\": 2"),
        &text.replace("\"tenant\"", "\"other\""),
        &text.replace("\"shipped\": {}", "\"shipped\": {\"entities/a\": \"zz\"}"),
    ] {
        assert!(State::read(text).is_err(), "{text}");
    }
}
