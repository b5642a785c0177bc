//! Replicas: accepted and rejected revisions, and operation without a store.

use object_store::ObjectStoreExt;
use object_store::path::Path as ObjectPath;

use super::faults::Stopping;
use super::*;
use crate::replica::{Poll, RefusedRevision, Replica};

fn replica(store: &Store) -> Replica {
    Replica::new(store.clone(), Cache::temporary().unwrap())
}

/// Polls, and returns the contents that are served afterwards.
fn polled(replica: &mut Replica) -> (Poll, Option<String>) {
    let mut served = None;
    let poll = replica.poll(&mut |folder, manifest| {
        assert_eq!(manifest.id, named(folder));
        served = Some(named(folder));
        Ok(())
    });
    (poll.unwrap(), served)
}

fn taken(number: u64) -> Poll {
    Poll {
        taken: Some(number),
        rejected: Vec::new(),
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn a_replica_takes_the_newest_and_then_each_that_comes() {
    let store = over(memory());
    let mut replica = replica(&store);
    assert_eq!(polled(&mut replica), (Poll::default(), None));
    new(put(&store, policies("p1")));
    new(put(&store, entities("e1")));
    assert_eq!(polled(&mut replica), (taken(2), Some("p1+e1".to_owned())));
    assert_eq!(polled(&mut replica), (Poll::default(), None));
    new(put(&store, policies("p2")));
    assert_eq!(polled(&mut replica), (taken(3), Some("p2+e1".to_owned())));
    assert_eq!((replica.number(), replica.newest()), (3, 3));
}

#[test]
fn a_file_of_another_revision_is_gone() {
    let store = over(memory());
    let mut replica = replica(&store);
    let files = vec![
        given("policies/a.cedar", "p1"),
        given("policies/sub/b.cedar", "b"),
    ];
    new(put(&store, NextRevision::All(files, Readings::default())));
    polled(&mut replica);
    let files = vec![given("policies/sub", "a file where a folder was")];
    new(put(&store, NextRevision::All(files, Readings::default())));
    let taken = replica.poll(&mut |folder, _| {
        assert!(!folder.join("policies/a.cedar").exists());
        assert!(folder.join("policies/sub").is_file());
        Ok(())
    });
    assert_eq!(taken.unwrap().taken, Some(2));
}

#[test]
fn a_damaged_blob_is_refused_and_the_next_good_one_taken() {
    let objects = memory();
    let store = over(objects);
    new(put(&store, policies("p1")));
    let mut replica = replica(&store);
    polled(&mut replica);
    let second = new(put(&store, policies("p2")));
    let damaged = second.files.first().unwrap().blake3;
    store.replace_blob(&damaged, "damaged".into()).unwrap();
    let (poll, served) = polled(&mut replica);
    assert_eq!((poll.taken, served), (None, None));
    let [(2, reason)] = poll.rejected.as_slice() else {
        panic!("{poll:?}");
    };
    assert!(reason.contains(&damaged.to_string()), "{reason}");
    assert_eq!((replica.number(), replica.newest()), (1, 2));
    assert!(replica.rejection().is_some());
    // A rejection is reported once.
    assert_eq!(polled(&mut replica), (Poll::default(), None));
    new(put(&store, policies("p3")));
    assert_eq!(polled(&mut replica), (taken(3), Some("p3+".to_owned())));
    assert_eq!(replica.rejection(), None);
}

/// Blobs of another content, of the right content with more behind it, and an empty blob.
#[test]
fn each_kind_of_damage_is_refused() {
    let honest = new(put(&over(memory()), policies("p1")));
    let packed = |text: &str| zstd::encode_all(text.as_bytes(), 3).unwrap();
    let twice = [packed("p1"), packed("p1")].concat();
    let bomb = packed(&"0".repeat(10_000_000));
    for blob in [
        packed("p2"),
        packed("p"),
        packed(""),
        twice,
        bomb,
        Vec::new(),
    ] {
        let store = over(memory());
        new(put(&store, policies("p1")));
        store
            .replace_blob(&honest.files.first().unwrap().blake3, blob.into())
            .unwrap();
        let (poll, served) = polled(&mut replica(&store));
        assert_eq!((poll.taken, poll.rejected.len(), served), (None, 1, None));
    }
}

#[test]
fn what_the_server_refuses_is_skipped() {
    let store = over(memory());
    new(put(&store, policies("p1")));
    new(put(&store, policies("bad")));
    let mut replica = replica(&store);
    let poll = replica.poll(&mut |folder, _| match named(folder).contains("bad") {
        true => Err(RefusedRevision("it has errors".to_owned())),
        false => Ok(()),
    });
    let poll = poll.unwrap();
    assert_eq!(poll.taken, Some(1));
    assert_eq!(poll.rejected.len(), 1);
    assert_eq!((replica.number(), replica.newest()), (1, 2));
}

#[test]
fn numbers_never_fall_and_gaps_are_passed() {
    let objects = memory();
    let store = over(objects.clone());
    for text in ["p1", "p2", "p3", "p4"] {
        new(put(&store, policies(text)));
    }
    let at = |number: u64| ObjectPath::from(format!("contoso/revisions/{number:020}.json"));
    let third = store.manifest_bytes(3).unwrap().unwrap();
    let fourth = store.manifest_bytes(4).unwrap().unwrap();
    run(objects.delete(&at(3))).unwrap();
    run(objects.delete(&at(4))).unwrap();
    let mut replica = replica(&store);
    assert_eq!(polled(&mut replica).0.taken, Some(2));
    // The fourth revision becomes visible before the third.
    run(objects.put(&at(4), fourth.into())).unwrap();
    let found = (0..25).find_map(|_| polled(&mut replica).0.taken);
    assert_eq!(found, Some(4));
    run(objects.put(&at(3), third.into())).unwrap();
    assert!((0..25).all(|_| polled(&mut replica).0 == Poll::default()));
    assert_eq!(replica.number(), 4);
    // All newer revisions disappear: the served one stays, and the replica reports the loss.
    run(objects.delete(&at(4))).unwrap();
    run(objects.delete(&at(3))).unwrap();
    let errors = (0..25).filter_map(|_| replica.poll(&mut |_, _| Ok(())).err());
    let errors: Vec<String> = errors.map(|error| error.to_string()).collect();
    assert_eq!(
        errors,
        ["the store has neither revision 4 any more nor a newer one"]
    );
    assert_eq!(replica.number(), 4);
}

#[test]
fn a_manifest_under_another_number_is_refused() {
    let objects = memory();
    let store = over(objects.clone());
    new(put(&store, policies("p1")));
    let first = store.manifest_bytes(1).unwrap().unwrap();
    run(objects.put(
        &ObjectPath::from(format!("contoso/revisions/{:020}.json", 2)),
        first.into(),
    ))
    .unwrap();
    let (poll, _) = polled(&mut replica(&store));
    assert_eq!(poll.taken, Some(1));
    assert!(
        poll.rejected
            .first()
            .unwrap()
            .1
            .contains("it says that it is revision 1")
    );
}

#[test]
fn a_manifest_that_leads_out_of_the_folder_is_refused() {
    for path in [
        "../evil",
        "policies/../../evil",
        "/etc/evil",
        "tests/x.yaml",
    ] {
        let objects = memory();
        let store = over(objects.clone());
        let mut manifest = new(put(&store, policies("p1")));
        manifest.number = 2;
        manifest.files.first_mut().unwrap().path = path.to_owned();
        store
            .commit(2, &manifest.written(None).unwrap().into())
            .unwrap();
        let (poll, _) = polled(&mut replica(&store));
        assert_eq!((poll.taken, poll.rejected.len()), (Some(1), 1), "{path}");
    }
}

#[test]
fn a_store_that_is_away_changes_nothing_and_comes_back() {
    let objects = memory();
    let store = over(objects.clone());
    new(put(&store, policies("p1")));
    new(put(&store, entities("e1")));
    // The store stops answering after each of the requests.
    for after in 0..6 {
        let stopping = Stopping::new(objects.clone(), after, false);
        let mut replica = replica(&over(stopping.clone()));
        let mut served = Vec::new();
        let poll = replica.poll(&mut |folder, _| {
            served.push(named(folder));
            Ok(())
        });
        match poll {
            Ok(poll) => assert_eq!(poll, taken(2)),
            Err(error) => {
                assert!(error.is_passing(), "{error}");
                assert_eq!((served.len(), replica.number()), (0, 0));
                assert_eq!(replica.rejection(), None);
                stopping.set(100);
                assert_eq!(polled(&mut replica).0, taken(2));
            }
        }
    }
}

#[test]
fn a_replica_starts_without_the_store_from_what_it_kept() {
    let folder = tempfile::tempdir().unwrap();
    let objects = memory();
    let store = over(objects.clone());
    new(put(&store, policies("p1")));
    new(put(&store, entities("e1")));
    let away = over(Stopping::new(objects, 0, false));
    let mut empty = Replica::new(away.clone(), Cache::open(folder.path()).unwrap());
    assert!(empty.take_kept(&mut |_, _| Ok(())).is_err());
    drop(empty);
    polled(&mut Replica::new(
        store.clone(),
        Cache::open(folder.path()).unwrap(),
    ));
    // A newer revision that is refused leaves `tree/` in a different state.
    new(put(&store, policies("bad")));
    let mut refusing = Replica::new(store, Cache::open(folder.path()).unwrap());
    let poll = refusing.poll(&mut |folder, _| match named(folder).contains("bad") {
        true => Err(RefusedRevision("no".to_owned())),
        false => Ok(()),
    });
    assert_eq!(poll.unwrap().taken, Some(2));
    drop(refusing);
    std::fs::write(folder.path().join("tree/policies/a.cedar"), "changed").unwrap();
    let mut kept = Replica::new(away, Cache::open(folder.path()).unwrap());
    let mut served = None;
    let number = kept.take_kept(&mut |folder, _| {
        served = Some(named(folder));
        Ok(())
    });
    assert_eq!((number.unwrap(), served.as_deref()), (2, Some("p1+e1")));
}

#[test]
fn a_cache_has_one_user() {
    let folder = tempfile::tempdir().unwrap();
    let first = Cache::open(folder.path()).unwrap();
    assert!(Cache::open(folder.path()).is_err());
    drop(first);
    Cache::open(folder.path()).unwrap();
}

#[test]
fn the_workspaces_below_a_prefix_are_apart() {
    let objects = memory();
    let all = Store::over(
        (objects, StoreClock::default()),
        &"s3://bucket/tenants".parse().unwrap(),
        None,
    )
    .unwrap();
    for name in ["b", "a"] {
        new(put(&all.below(name), policies(name)));
    }
    assert_eq!(all.workspaces().unwrap(), ["a", "b"]);
    assert_eq!(all.below("a").workspaces().unwrap(), [""; 0]);
    assert_eq!(all.below("a").newest().unwrap().unwrap().manifest.id, "a+");
    assert_eq!(all.numbers(0).unwrap(), [0; 0]);
}
