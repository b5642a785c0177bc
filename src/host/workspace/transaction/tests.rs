//! A change that is stopped after any act, or fails in one.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod others;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;

use walkdir::WalkDir;

use super::change::{Act, Change};
use super::disk::make_folder_of;
use super::state::{settled, settled_within, state};
use super::*;
use crate::record::{self, FoundFile, Origin, Pending, Record, State, Step, WrittenFile, digest};

/// The path of a file, and its text before and after.
type Example = (&'static str, Option<&'static str>, Option<&'static str>);

/// The files of a workspace before and after, and some that the change does not concern.
const BEFORE_AND_AFTER: [Example; 6] = [
    (
        "entities/people.json",
        Some("old people"),
        Some("new people"),
    ),
    ("policies/custom/gone.cedar", Some("old role"), None),
    ("policies/custom/new.cedar", None, Some("new role")),
    ("schema/deep/er/new.cedarschema", None, Some("new schema")),
    ("policies/same.cedar", Some("same"), Some("same")),
    ("policies/custom/mine.cedar", Some("mine"), Some("mine")),
];

type Files = BTreeMap<String, String>;

fn files_of(side: fn(&Example) -> Option<String>) -> Files {
    let files = BEFORE_AND_AFTER.iter();
    let files = files.filter_map(|file| Some((file.0.to_owned(), side(file)?)));
    files.collect()
}

fn old() -> Files {
    files_of(|file| file.1.map(str::to_owned))
}

fn new() -> Files {
    files_of(|file| file.2.map(str::to_owned))
}

fn recorded_files(files: &Files) -> Record {
    let files = files.iter().filter(|(path, _)| !path.contains("mine"));
    let files = files.map(|(path, text)| {
        let written = WrittenFile {
            origin: Origin::Tenant,
            digest: digest(text),
        };
        (path.clone(), written)
    });
    Record {
        files: files.collect(),
        ..Record::default()
    }
}

fn steps() -> Vec<Step> {
    let steps = BEFORE_AND_AFTER.iter().filter(|file| file.1 != file.2);
    let steps = steps.map(|file| Step {
        path: file.0.to_owned(),
        before: file.1.map(digest),
        after: file.2.map(digest),
    });
    steps.collect()
}

/// A workspace before the change, with or without a record.
fn workspace(has_record: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in old() {
        let path = folder.path().join(path);
        make_folder_of(&path).unwrap();
        fs::write(path, text).unwrap();
    }
    if has_record {
        let text = recorded_files(&old()).text().unwrap();
        fs::write(folder.path().join(record::FILE), text).unwrap();
    }
    folder
}

/// The files in a folder, except the record.
fn there(root: &Path) -> Files {
    let entries = WalkDir::new(root).into_iter().map(Result::unwrap);
    let entries = entries.filter(|entry| !entry.file_type().is_dir());
    let mut files: Files = entries
        .map(|entry| {
            let path = entry.path().strip_prefix(root).unwrap();
            let text = fs::read_to_string(entry.path()).unwrap();
            (path.to_str().unwrap().to_owned(), text)
        })
        .collect();
    files.remove(record::FILE);
    files
}

fn begun(root: &Path) -> Transaction {
    let transaction = Transaction::begin(root, || panic!("nobody else is here")).unwrap();
    for step in steps() {
        if step.after.is_some() {
            let mut file = transaction.draft().create(&step.path).unwrap();
            file.write_all(new()[&step.path].as_bytes()).unwrap();
        }
    }
    transaction
}

/// The change of the workspace.
fn pending(has_record: bool) -> Pending {
    Pending {
        before: has_record.then(|| recorded_files(&old())),
        steps: steps(),
        after: recorded_files(&new()),
    }
}

/// Stops a change after a number of acts; returns the next act, if there is one.
fn stopped_after(count: usize, root: &Path, has_record: bool) -> Option<Act> {
    let transaction = begun(root);
    let pending = pending(has_record);
    let change = Change {
        root: &transaction.root,
        pending: &pending,
    };
    let acts = change.acts();
    for act in acts.iter().take(count) {
        change.act(*act).unwrap();
    }
    // A stopped program cleans nothing up, and loses the lock.
    transaction.lock.file.unlock().unwrap();
    std::mem::forget(transaction);
    acts.get(count).copied()
}

fn assert_nothing_is_left(root: &Path) {
    assert!(!root.join(FOLDER).exists());
    if let Some(state) = state(root).unwrap().0 {
        assert!(matches!(state, State::Settled(_)));
    }
}

#[test]
fn a_stop_after_any_act_leaves_the_old_or_the_new() {
    for has_record in [true, false] {
        let mut kinds = BTreeSet::new();
        for count in 0.. {
            let folder = workspace(has_record);
            let next = stopped_after(count, folder.path(), has_record);
            settled(folder.path()).unwrap();
            let files = there(folder.path());
            let is_decided = matches!(next, Some(Act::Take(_) | Act::Finish) | None);
            match is_decided {
                true => assert_eq!(files, new(), "{next:?}"),
                false => assert_eq!(files, old(), "{next:?}"),
            }
            let record = recorded(folder.path()).unwrap().0;
            match (is_decided, has_record) {
                (true, _) => assert_eq!(record, Some(recorded_files(&new()))),
                (false, true) => assert_eq!(record, Some(recorded_files(&old()))),
                (false, false) => assert_eq!(record, None),
            }
            assert_nothing_is_left(folder.path());
            kinds.insert(is_decided);
            if next.is_none() {
                break;
            }
        }
        assert_eq!(kinds.len(), 2);
    }
}

#[test]
fn the_next_change_finishes_what_was_left_as_well() {
    for count in 0..steps().len() * 2 + 4 {
        let folder = workspace(true);
        stopped_after(count, folder.path(), true);
        let transaction = Transaction::begin(folder.path(), || panic!()).unwrap();
        let record = transaction.record().cloned().unwrap();
        drop(transaction);
        let files = there(folder.path());
        assert!(
            files == old() && record == recorded_files(&old())
                || files == new() && record == recorded_files(&new()),
            "{count}: {files:?}"
        );
        assert_nothing_is_left(folder.path());
    }
}

#[test]
fn an_act_that_fails_leaves_what_was_there() {
    let count = steps().len() * 2 + 4;
    for (has_record, is_done) in [(true, true), (true, false), (false, true), (false, false)] {
        for failing in 0..count {
            let folder = workspace(has_record);
            let transaction = begun(folder.path());
            let pending = pending(has_record);
            let change = Change {
                root: &transaction.root,
                pending: &pending,
            };
            let acts = change.acts();
            for act in &acts[..failing] {
                change.act(*act).unwrap();
            }
            // The failing act may have done its work before.
            if is_done {
                change.act(acts[failing]).unwrap();
            }
            change.undo(acts[failing]).unwrap();
            let files = there(folder.path()).into_iter();
            let files: Files = files
                .filter(|(path, _)| !path.starts_with(FOLDER))
                .collect();
            assert_eq!(files, old(), "{:?}", acts[failing]);
            drop(transaction);
            let record = recorded(folder.path()).unwrap().0;
            assert_eq!(record, has_record.then(|| recorded_files(&old())));
            assert_nothing_is_left(folder.path());
        }
    }
}

#[test]
fn nobody_decides_where_what_was_prepared_is_gone_and_an_import_begins_anew() {
    let folder = workspace(true);
    let decided = steps().len() + 3;
    stopped_after(decided + 1, folder.path(), true);
    fs::remove_dir_all(folder.path().join(FOLDER)).unwrap();
    let error = settled(folder.path()).unwrap_err();
    assert!(error.to_string().contains("interrupted"), "{error}");
    let transaction = Transaction::begin(folder.path(), || panic!()).unwrap();
    let record = transaction.record().unwrap();
    // Each file that is there is recorded, old or new.
    for path in ["entities/people.json", "policies/custom/gone.cedar"] {
        let Some(FoundFile::File(now)) = found(folder.path(), path).unwrap() else {
            panic!("{path}");
        };
        assert_eq!(record.files[path].digest, now, "{path}");
    }
}

#[test]
fn a_workspace_that_was_not_there_is_not_there_after_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("a/b/workspace");
    drop(begun(&root));
    assert!(!folder.path().join("a").exists());
    let steps = steps().into_iter().filter(|step| step.before.is_none());
    let transaction = begun(&root);
    transaction
        .commit(steps.collect(), Record::default())
        .unwrap();
    assert!(root.join("policies/custom/new.cedar").exists());
    assert_nothing_is_left(&root);
}

/// A workspace that is created in a new folder, as by `init`.
#[test]
fn a_stop_while_a_workspace_is_made_leaves_nothing_or_all_of_it() {
    let made: Files = [
        (".gitignore", ".tarbac/"),
        ("entities/people.json", "people"),
        ("policies/roles/desk.cedar", "role"),
    ]
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .into();
    let steps = made.iter().map(|(path, text)| Step {
        path: path.clone(),
        before: None,
        after: Some(digest(text)),
    });
    let pending = Pending {
        before: None,
        steps: steps.collect(),
        after: recorded_files(&made),
    };
    for count in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("a/workspace");
        let transaction = Transaction::begin(&root, || panic!("nobody else is here")).unwrap();
        for (path, text) in &made {
            let mut file = transaction.draft().create(path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }
        let change = Change {
            root: &transaction.root,
            pending: &pending,
        };
        let acts = change.acts();
        acts.iter()
            .take(count)
            .for_each(|act| change.act(*act).unwrap());
        transaction.lock.file.unlock().unwrap();
        std::mem::forget(transaction);
        let (_, finished) = settled(&root).unwrap();
        let is_decided = acts.iter().take(count).any(|act| *act == Act::Decide);
        match is_decided {
            true => assert_eq!(there(&root), made, "{count}"),
            false => assert_eq!(there(&root), Files::new(), "{count}"),
        }
        // The program that completes the change knows which files were written.
        let taken = acts.iter().take(count);
        let taken = taken.filter(|act| matches!(act, Act::Take(_))).count();
        assert_eq!(
            finished.len(),
            match is_decided {
                true => made.len() - taken,
                false => 0,
            }
        );
        assert_nothing_is_left(&root);
        if count == acts.len() {
            break;
        }
    }
}
