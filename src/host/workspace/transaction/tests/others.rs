//! A change that meets another change, an editor, or files from a repository.

use std::time::Duration;

use super::*;

#[test]
fn half_a_change_is_not_read_while_somebody_makes_it() {
    let folder = workspace(true);
    let transaction = begun(folder.path());
    let pending = pending(true);
    let change = Change {
        root: &transaction.root,
        pending: &pending,
    };
    let acts = change.acts();
    let decided = acts.iter().position(|act| *act == Act::Decide).unwrap();
    let before = settled(folder.path()).unwrap();
    acts[..=decided + 1]
        .iter()
        .for_each(|act| change.act(*act).unwrap());
    let error = settled_within(folder.path(), (2, Duration::ZERO)).unwrap_err();
    assert!(error.to_string().contains("another program"), "{error}");
    acts[decided + 2..]
        .iter()
        .for_each(|act| change.act(*act).unwrap());
    drop(transaction);
    assert_ne!(settled(folder.path()).unwrap(), before);
    assert_eq!(there(folder.path()), new());
}

#[test]
fn two_changes_at_once_keep_each_other_out() {
    let folder = workspace(true);
    let root = folder.path();
    std::thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || {
                let transaction = Transaction::begin(root, || {}).unwrap();
                let path = "entities/people.json";
                let text = format!("written by {number}");
                let before = found(root, path).unwrap();
                let mut file = transaction.draft().create(path).unwrap();
                file.write_all(text.as_bytes()).unwrap();
                drop(file);
                let Some(FoundFile::File(before)) = before else {
                    panic!("{before:?}");
                };
                let step = Step {
                    path: path.to_owned(),
                    before: Some(before),
                    after: Some(digest(&text)),
                };
                // A program that came between would have changed the file.
                transaction.commit(vec![step], Record::default()).unwrap();
            });
        }
    });
    assert!(there(root)["entities/people.json"].starts_with("written by "));
    assert_nothing_is_left(root);
}

#[test]
fn what_somebody_saved_in_the_meantime_is_not_overwritten() {
    let folder = workspace(true);
    let transaction = begun(folder.path());
    fs::write(folder.path().join("entities/people.json"), "saved").unwrap();
    let error = transaction.commit(steps(), recorded_files(&new()));
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("entities/people.json")
    );
    let mut files = old();
    files.insert("entities/people.json".to_owned(), "saved".to_owned());
    assert_eq!(there(folder.path()), files);
}

#[test]
fn a_file_that_somebody_changed_after_a_stop_is_not_overwritten() {
    let folder = workspace(true);
    let decided = steps().len() + 3;
    stopped_after(decided, folder.path(), true);
    fs::write(folder.path().join("entities/people.json"), "saved").unwrap();
    let error = settled(folder.path()).unwrap_err();
    assert!(
        error.to_string().contains("entities/people.json"),
        "{error}"
    );
    let saved = fs::read_to_string(folder.path().join("entities/people.json"));
    assert_eq!(saved.unwrap(), "saved");
    // If the file is as before, it is replaced with the others.
    fs::write(folder.path().join("entities/people.json"), "old people").unwrap();
    settled(folder.path()).unwrap();
    assert_eq!(there(folder.path()), new());
}

/// Files beside a record may have come with a repository.
#[test]
fn only_what_the_record_names_is_put_into_a_place() {
    let folder = workspace(true);
    let decided = steps().len() + 3;
    stopped_after(decided, folder.path(), true);
    let aside = folder.path().join(FOLDER).join(NEW);
    let people = aside.join("entities/people.json");
    fs::write(&people, "forged").unwrap();
    let error = settled(folder.path()).unwrap_err();
    assert!(
        error.to_string().contains("entities/people.json"),
        "{error}"
    );
    let saved = fs::read_to_string(folder.path().join("entities/people.json"));
    assert_eq!(saved.unwrap(), "old people");
    fs::write(&people, "new people").unwrap();
    // A forged record does not replace the one that was decided.
    let forged = Record::default().text().unwrap();
    fs::write(folder.path().join(FOLDER).join(AFTER), forged).unwrap();
    let (_, finished) = settled(folder.path()).unwrap();
    assert!(finished.contains(&"entities/people.json".to_owned()));
    assert_eq!(there(folder.path()), self::new());
    let record = recorded(folder.path()).unwrap().0;
    assert_eq!(record, Some(recorded_files(&self::new())));
}

#[cfg(unix)]
#[test]
fn links_beside_a_record_lead_nowhere() {
    use std::os::unix::fs::symlink;
    let decided = steps().len() + 3;
    for linked in ["new", "new/entities", "new/entities/people.json", ""] {
        let folder = workspace(true);
        stopped_after(decided, folder.path(), true);
        let elsewhere = tempfile::tempdir().unwrap();
        let (place, aside) = (
            folder.path().join(FOLDER).join(linked),
            elsewhere.path().join("x"),
        );
        fs::rename(&place, &aside).unwrap();
        symlink(&aside, place.to_str().unwrap().trim_end_matches('/')).unwrap();
        let before = there(elsewhere.path());
        settled(folder.path()).unwrap_err();
        assert_eq!(there(elsewhere.path()), before, "{linked}");
    }
    let folder = workspace(true);
    stopped_after(decided, folder.path(), true);
    let elsewhere = tempfile::tempdir().unwrap();
    let theirs = elsewhere.path().join("theirs");
    fs::write(&theirs, "theirs").unwrap();
    for name in [AFTER, BEFORE, "pending", OLD] {
        let path = folder.path().join(FOLDER).join(name);
        let _ = fs::remove_file(&path);
        let _ = fs::remove_dir_all(&path);
        symlink(&theirs, path).unwrap();
    }
    settled(folder.path()).unwrap();
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");
    assert_eq!(there(folder.path()), self::new());
    assert_nothing_is_left(folder.path());
}

#[test]
fn nothing_outside_of_the_workspace_is_written() {
    let folder = workspace(true);
    let transaction = begun(folder.path());
    for path in ["../x", ".git/hooks/x", "entities/../../x", record::FILE] {
        assert!(transaction.draft().create(path).is_err(), "{path}");
    }
    drop(transaction);
    #[cfg(unix)]
    {
        let elsewhere = tempfile::tempdir().unwrap();
        let link = folder.path().join("schema");
        std::os::unix::fs::symlink(elsewhere.path(), link).unwrap();
        let transaction = begun(folder.path());
        // A forged record names a step through the link.
        assert!(transaction.commit(steps(), Record::default()).is_err());
        assert_eq!(there(elsewhere.path()), Files::new());
    }
}
