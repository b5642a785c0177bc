//! A file in every combination of recorded, present and new content.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

use super::*;
use crate::record::digest;

/// The record of one file.
fn record_with(file: Option<(Origin, &str)>, path: &str) -> Record {
    let file = file.map(|(origin, text)| {
        let digest = digest(text);
        (path.to_owned(), WrittenFile { origin, digest })
    });
    Record {
        files: file.into_iter().collect(),
        ..Record::default()
    }
}

/// The outcome for one file in a word, with its entry in the next record.
fn told(
    path: &str,
    old: Option<(Origin, &str)>,
    now: Option<&str>,
    new: Option<(Origin, &str)>,
    take: bool,
) -> String {
    let record = record_with(old, path);
    let found = now.map(|text| (path.to_owned(), FoundFile::File(digest(text))));
    let situation = Situation {
        record: Some(&record),
        found: &found.into_iter().collect(),
        new: &record_with(new, path),
        take: &take
            .then(|| path.to_owned())
            .into_iter()
            .collect::<Vec<_>>(),
        adopt: false,
        has_shipped: &|_| false,
        present: &BTreeSet::new(),
        nothing: digest("nothing"),
        is_partial: false,
    };
    let refresh = Refresh::new(&situation);
    word(&refresh)
}

fn word(refresh: &Refresh) -> String {
    let mut words = Vec::new();
    let lists = [
        ("added", &refresh.added),
        ("changed", &refresh.changed),
        ("removed", &refresh.removed),
    ];
    words.extend(
        lists
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(word, _)| word.to_owned()),
    );
    words.extend((refresh.unchanged > 0).then(|| "unchanged".to_owned()));
    words.extend(
        refresh
            .kept
            .iter()
            .map(|kept| format!("kept {:?}", kept.why)),
    );
    words.extend(
        refresh
            .conflicts
            .iter()
            .map(|kept| format!("conflict {:?}", kept.why)),
    );
    let names = ["a", "b", "mine"];
    let digests = refresh.record.files.values().map(|written| {
        names
            .into_iter()
            .find(|text| digest(text) == written.digest)
            .unwrap()
    });
    words.extend(digests.map(|name| format!("record {name}")));
    words.join(", ")
}

#[test]
fn every_combination_of_what_was_is_and_will_be() {
    let mut table = String::new();
    for path in [
        "policies/x.cedar",
        "policies/roles/x.cedar",
        "entities/x.json",
    ] {
        for old in [None, Some("a")] {
            for now in [None, Some("a"), Some("b"), Some("mine")] {
                for new in [None, Some("a"), Some("b")] {
                    let told = |origin, take| {
                        let tag = |text| (origin, text);
                        told(path, old.map(tag), now, new.map(tag), take)
                    };
                    let (shipped, tenant) =
                        (told(Origin::Shipped, false), told(Origin::Tenant, false));
                    let taken = told(Origin::Tenant, true);
                    let show = |text: Option<&'static str>| text.unwrap_or("-");
                    table += &format!(
                        "{path}: {} {} {}: {shipped} | {tenant} | {taken}\n",
                        show(old),
                        show(now),
                        show(new)
                    );
                }
            }
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_workspace_without_a_record_loses_nothing() {
    let cases = [
        ("policies/a.cedar", Origin::Shipped, "mine", false),
        ("policies/a.cedar", Origin::Shipped, "mine", true),
        ("policies/a.cedar", Origin::Shipped, "a", false),
        ("policies/custom/a.cedar", Origin::Tenant, "mine", false),
        ("policies/custom/a.cedar", Origin::Tenant, "mine", true),
        ("entities/a.json", Origin::Tenant, "mine", false),
        ("entities/a.json", Origin::Tenant, "mine", true),
        ("entities/a.json", Origin::Tenant, "b", false),
    ];
    let told = cases.map(|(path, origin, now, adopt)| {
        let found = [(path.to_owned(), FoundFile::File(digest(now)))].into();
        let refresh = Refresh::new(&Situation {
            record: None,
            found: &found,
            new: &record_with(Some((origin, "b")), path),
            take: &[],
            adopt,
            has_shipped: &|hash| *hash == digest("a"),
            present: &BTreeSet::new(),
            nothing: digest("nothing"),
            is_partial: false,
        });
        format!("{path} {now} {adopt}: {}", word(&refresh))
    });
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_is_no_file_is_never_replaced_and_other_files_are_told() {
    let record = record_with(Some((Origin::Tenant, "a")), "entities/a.json");
    let found = [
        ("entities/a.json".to_owned(), FoundFile::NoFile),
        ("policies/custom/freeze.cedar".to_owned(), FoundFile::Other),
    ]
    .into();
    let refresh = Refresh::new(&Situation {
        record: Some(&record),
        found: &found,
        new: &record_with(Some((Origin::Tenant, "b")), "entities/a.json"),
        take: &["entities".to_owned()],
        adopt: true,
        has_shipped: &|_| false,
        present: &BTreeSet::new(),
        nothing: digest("nothing"),
        is_partial: false,
    });
    assert_eq!(word(&refresh), "kept NotWritten, conflict NoFile, record a");
}

#[test]
fn a_folder_is_taken_and_what_begins_like_it_is_not() {
    let situation = |take: &[String], path: &str| {
        Situation {
            record: None,
            found: &BTreeMap::new(),
            new: &Record::default(),
            take,
            adopt: false,
            has_shipped: &|_| false,
            present: &BTreeSet::new(),
            nothing: digest("nothing"),
            is_partial: false,
        }
        .takes(path)
    };
    let take = ["policies/roles/".to_owned(), "schema".to_owned()];
    assert!(situation(&take, "policies/roles/a.cedar"));
    assert!(situation(&take, "schema/a.cedarschema"));
    assert!(!situation(&take, "policies/roles-2/a.cedar"));
    assert!(!situation(&take, "schemas/a"));
}
