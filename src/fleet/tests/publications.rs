//! Publications: alone, at the same time, and interrupted at each step.

use std::thread;

use super::faults::Stopping;
use super::*;
use crate::error::FleetError;
use crate::prune::prune;

/// All manifests of a store, after a check that each of their files is in the store and undamaged.
fn whole(store: &Store) -> Vec<Manifest> {
    let numbers = store.numbers(0).unwrap();
    let manifests = numbers
        .iter()
        .map(|number| store.revision(*number).unwrap().unwrap().manifest);
    let manifests: Vec<Manifest> = manifests.collect();
    for manifest in &manifests {
        let cache = Cache::temporary().unwrap();
        cache
            .check_out(manifest, &Default::default(), Some(store))
            .unwrap();
    }
    manifests
}

#[test]
fn the_first_revision_is_1_and_the_same_content_is_none() {
    let store = over(memory());
    let first = new(put(&store, policies("p1")));
    assert_eq!(
        (first.number, first.parent, first.id.as_str()),
        (1, None, "p1+")
    );
    let again = put(&store, policies("p1")).unwrap();
    assert_eq!(again, Published::Unchanged(first));
    assert_eq!(store.numbers(0).unwrap(), [1]);
}

#[test]
fn a_part_leaves_the_other_as_it_is() {
    let store = over(memory());
    new(put(&store, policies("p1")));
    assert_eq!(new(put(&store, entities("e1"))).id, "p1+e1");
    assert_eq!(new(put(&store, policies("p2"))).id, "p2+e1");
    let all = NextRevision::All(vec![given("policies/a.cedar", "p3")], Readings::default());
    assert_eq!(new(put(&store, all)).id, "p3+");
    assert_eq!(whole(&store).len(), 4);
}

#[test]
fn readings_go_with_policies() {
    let store = over(memory());
    let on = |name: &str| Readings {
        on: vec![name.to_owned()],
        off: Vec::new(),
    };
    let files = vec![given("policies/a.cedar", "p1")];
    new(put(
        &store,
        NextRevision::Part(ManifestPart::Policies, files.clone(), on("x")),
    ));
    let people = vec![given("entities/people.json", "e1")];
    let second = new(put(
        &store,
        NextRevision::Part(ManifestPart::Entities, people, on("y")),
    ));
    assert_eq!(second.readings, on("x"));
    let third = new(put(
        &store,
        NextRevision::Part(ManifestPart::Policies, files, on("z")),
    ));
    assert_eq!(third.readings, on("z"));
}

#[test]
fn a_revision_that_is_refused_is_not_there() {
    let store = over(memory());
    let cache = Cache::temporary().unwrap();
    let refused = publish(
        &store,
        &cache,
        policies("p"),
        &RevisionLabel::default(),
        &mut |_, _| Err("no"),
    );
    assert!(matches!(refused, Err(PublishError::Refused("no"))));
    assert_eq!(store.numbers(0).unwrap(), [0; 0]);
    assert!(store.listed("blobs").unwrap().is_empty());
}

/// Two publishers, each of one part, repeatedly at the same time.
#[test]
fn publishers_at_once_never_undo_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let location: Location = format!("file://{}/store", folder.path().display())
        .parse()
        .unwrap();
    Store::make(&location, None).unwrap();
    let publisher = |text: String, proposal: fn(&str) -> NextRevision| {
        let location = location.clone();
        move || {
            let store = Store::open(&location, None).unwrap();
            for _ in 0..20 {
                match put(&store, proposal(&text)) {
                    Ok(_) => return,
                    Err(PublishError::Fleet(FleetError::Contended(_))) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            panic!("others are always first");
        }
    };
    thread::scope(|scope| {
        for number in 0..5 {
            scope.spawn(publisher(format!("p{number}"), policies));
            scope.spawn(publisher(format!("e{number}"), entities));
        }
    });
    let store = Store::open(&location, None).unwrap();
    let manifests = whole(&store);
    let numbers: Vec<u64> = manifests.iter().map(|of| of.number).collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<u64>>());
    for pair in manifests.windows(2) {
        let [before, after] = pair else { panic!() };
        let (left, right) = (
            before.id.split_once('+').unwrap(),
            after.id.split_once('+').unwrap(),
        );
        // Each revision changes one part, and keeps the other part of the revision before.
        assert!(
            (left.0 == right.0) != (left.1 == right.1),
            "{} {}",
            before.id,
            after.id
        );
    }
}

/// A program that is interrupted after each of its requests, whether or not the last one takes effect.
#[test]
fn a_publisher_that_is_stopped_leaves_a_whole_store() {
    for is_carried_out in [false, true] {
        let mut stops = 0;
        for after in 0.. {
            let objects = memory();
            let store = over(objects.clone());
            new(put(&store, policies("p1")));
            new(put(&store, entities("e1")));
            let stopping = Stopping::new(objects.clone(), after, is_carried_out);
            let all = || {
                let files = vec![
                    given("policies/a.cedar", "p2"),
                    given("entities/people.json", "e2"),
                ];
                NextRevision::All(files, Readings::default())
            };
            let stopped = put(&over(stopping.clone()), all());
            let found = whole(&store);
            let last = &found.last().unwrap().id;
            assert!(last == "p1+e1" || last == "p2+e2", "{last}");
            match put(&store, all()).unwrap() {
                Published::New(manifest) => assert_eq!((manifest.number, found.len()), (3, 2)),
                Published::Unchanged(manifest) => {
                    assert_eq!((manifest.number, found.len()), (3, 3))
                }
            }
            whole(&store);
            if stopping.was_enough() {
                stopped.unwrap();
                break;
            }
            stops += 1;
        }
        assert!(stops >= 6, "{stops}");
    }
}

#[test]
fn a_commit_whose_answer_was_lost_is_known_again() {
    let objects = memory();
    let store = over(objects);
    let mut other = new(put(&store, policies("p1")));
    let bytes = store.manifest_bytes(1).unwrap().unwrap();
    assert!(store.commit(1, &bytes).unwrap());
    other.nonce = "x".to_owned();
    assert!(
        !store
            .commit(1, &other.written(None).unwrap().into())
            .unwrap()
    );
}

#[test]
fn a_revert_is_a_new_revision_with_the_old_content() {
    let store = over(memory());
    let first = new(put(&store, policies("p1")));
    new(put(&store, entities("e1")));
    let third = new(put(&store, NextRevision::Revert(1)));
    assert_eq!(
        (third.number, third.reverts_to, &third.files),
        (3, Some(1), &first.files)
    );
    assert_eq!(third.id, first.id);
    let wrong = put(&store, NextRevision::Revert(9));
    assert!(matches!(
        wrong,
        Err(PublishError::Fleet(FleetError::NoRevision { number: 9 }))
    ));
}

#[test]
fn pruning_keeps_what_the_newest_revisions_name() {
    let store = over(memory());
    new(put(&store, policies("p1")));
    new(put(&store, policies("p2")));
    new(put(&store, entities("e1")));
    let later = |days: i64| Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    let soon = prune(&store, 1, later(0)).unwrap();
    assert_eq!((soon.revisions, soon.blobs), (2, 0));
    let blobs = store.listed("blobs").unwrap().len();
    let late = prune(&store, 0, later(2)).unwrap();
    assert_eq!((late.revisions, late.blobs), (0, 1));
    assert_eq!(store.listed("blobs").unwrap().len(), blobs - 1);
    let whole = whole(&store);
    assert_eq!(whole.len(), 1);
    // Pruned content can be published again.
    assert_eq!(new(put(&store, policies("p1"))).id, "p1+e1");
}

#[test]
fn damage_is_mended_by_a_publication_that_repairs() {
    let objects = memory();
    let store = over(objects);
    let first = new(put(&store, policies("p1")));
    store
        .replace_blob(&first.files.first().unwrap().blake3, "damaged".into())
        .unwrap();
    let damaged = put(&store, entities("e1"));
    assert!(matches!(
        damaged,
        Err(PublishError::Fleet(FleetError::Damaged { .. }))
    ));
    let label = RevisionLabel {
        repair: true,
        ..RevisionLabel::default()
    };
    new(put_with(&store, policies("p1"), &label));
    assert_eq!(new(put(&store, entities("e1"))).id, "p1+e1");
    whole(&store);
}
