//! Publishers, replicas and stores whose clocks differ by an hour.

use jiff::SignedDuration;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::faults::Stopping;
use super::*;
use crate::announce::{Announcement, Announcer, ReplicaState, heard};
use crate::prune::prune;
use crate::replica::Replica;

/// The seconds by which a clock is ahead.
const CLOCKS: [i64; 3] = [-3600, 0, 3600];

fn clock(ahead: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_secs(ahead)
}

/// The time of a clock, as a `Date` header.
fn date(ahead: i64) -> String {
    let printer = DateTimePrinter::new();
    printer.timestamp_to_rfc9110_string(&clock(ahead)).unwrap()
}

/// A store whose clock is ahead, and whose answers say so.
fn ahead(seconds: i64) -> Store {
    let objects = Stopping::new(memory(), i64::MAX, true);
    objects.be_ahead(seconds);
    let told = StoreClock::default();
    told.hear(&date(seconds));
    at(objects, told)
}

fn put_at(store: &Store, proposal: NextRevision, seconds: i64) {
    let label = RevisionLabel {
        created: clock(seconds),
        ..RevisionLabel::default()
    };
    new(put_with(store, proposal, &label));
}

/// Replicas order revisions by number, whatever the clocks of publishers and stores.
#[test]
fn revisions_are_taken_whatever_the_clocks_say() {
    for (first, second, of_store) in triples() {
        let store = ahead(of_store);
        let mut replica = Replica::new(store.clone(), Cache::temporary().unwrap());
        let mut taken = Vec::new();
        for (proposal, seconds) in [(policies("p1"), first), (entities("e1"), second)] {
            put_at(&store, proposal, seconds);
            let poll = replica.poll(&mut |folder, _| {
                taken.push(named(folder));
                Ok(())
            });
            poll.unwrap();
        }
        assert_eq!(taken, ["p1+", "p1+e1"], "{first} {second} {of_store}");
    }
}

/// Silence is measured by the clock of the store, whatever the clock of the observer.
#[test]
fn a_replica_is_silent_by_the_clock_of_the_store() {
    for (of_replica, of_store, of_asker) in triples() {
        let store = ahead(of_store);
        let said = Announcement {
            instance: "a".to_owned(),
            number: 1,
            id: "x".to_owned(),
            since: clock(of_replica),
            state: ReplicaState::Ok,
            version: "0".to_owned(),
        };
        Announcer::new("a").unwrap().say(&store, &said).unwrap();
        let all = heard(&store, clock(of_asker)).unwrap();
        assert!(!all[0].silent, "{of_replica} {of_store} {of_asker}");
        // Four minutes pass in the store without an announcement.
        store.hear(&date(of_store + 240));
        let all = heard(&store, clock(of_asker)).unwrap();
        assert!(all[0].silent, "{of_replica} {of_store} {of_asker}");
    }
}

/// A blob of a running publication is kept, even if the clock of the pruning machine is days ahead.
#[test]
fn what_is_new_by_the_clock_of_the_store_is_not_pruned() {
    for (of_store, of_asker) in [(-3600, 3600), (3600, -3600), (0, 3 * 86_400)] {
        let store = ahead(of_store);
        put_at(&store, policies("p1"), 0);
        put_at(&store, policies("p2"), 0);
        let pruned = prune(&store, 1, clock(of_asker)).unwrap();
        assert_eq!(
            (pruned.revisions, pruned.blobs),
            (1, 0),
            "{of_store} {of_asker}"
        );
    }
}

fn triples() -> impl Iterator<Item = (i64, i64, i64)> {
    let pairs = CLOCKS
        .into_iter()
        .flat_map(|first| CLOCKS.map(|second| (first, second)));
    pairs.flat_map(|(first, second)| CLOCKS.map(|third| (first, second, third)))
}
