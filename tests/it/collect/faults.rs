//! Whatever goes wrong with a request, nothing is lost or half-written.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tarbac::collect::{CollectError, CollectSettings};

use super::service::Fault;
use super::{collected, declare, exports, imported, serve, settings};

pub(super) const TENANT: &str = "fabrikam";
pub(super) const SITES: [&str; 1] = ["FAB"];

/// How many requests a collection takes that nothing disturbs, one at a time.
fn undisturbed() -> usize {
    let (base, service) = serve(TENANT).start();
    let folder = tempfile::tempdir().unwrap();
    collected(&one_at_a_time(&base, folder.path())).unwrap();
    let requests = service.requests.lock().unwrap();
    requests.len()
}

pub(super) fn one_at_a_time(base: &str, out: &Path) -> CollectSettings {
    let mut settings = settings(base, &SITES, out);
    settings.jobs = 1;
    settings.rows_of_page = 100;
    settings
}

/// What is in a folder for whoever looks.
pub(super) fn seen(folder: &Path) -> Vec<String> {
    let files = crate::import::files(folder);
    let hidden = |path: &String| path.starts_with(".tarbac-collect/");
    files.into_keys().filter(|path| !hidden(path)).collect()
}

#[test]
fn a_fault_at_any_request_is_survived() {
    let whole = imported(&exports(TENANT));
    let count = undisturbed();
    assert!(count > 20, "{count}");
    let faults = [
        Fault::Status(429, Some(3)),
        Fault::Status(503, None),
        Fault::Status(500, None),
        Fault::Cut,
        Fault::CutChunks,
        Fault::Closed,
        Fault::Html,
        Fault::Inside(429),
    ];
    for at in 1..=count {
        for fault in faults {
            let mut service = serve(TENANT);
            service.faults = Box::new(move |number, _| (number == at).then_some(fault));
            let (base, _) = service.start();
            let folder = tempfile::tempdir().unwrap();
            declare(&exports(TENANT), folder.path());
            let collected = collected(&one_at_a_time(&base, folder.path()));
            let collected = collected.unwrap_or_else(|error| panic!("{fault:?} at {at}: {error}"));
            assert!(imported(folder.path()) == whole, "{fault:?} at {at}");
            let retries: u64 = collected.calls.iter().map(|call| call.retries).sum();
            // Of an error that is cut off, enough is known.
            let may_pass = matches!(fault, Fault::Inside(_) | Fault::Cut | Fault::CutChunks);
            assert!(retries > 0 || may_pass, "{fault:?} at {at}");
        }
    }
}

/// A service that asks to wait is waited for, and no longer than is sensible.
#[test]
fn a_service_that_asks_to_wait_is_waited_for() {
    for (seconds, ends) in [(7, true), (100_000, false)] {
        let mut service = serve(TENANT);
        service.faults =
            Box::new(move |number, _| (number == 3).then_some(Fault::Status(429, Some(seconds))));
        let (base, _) = service.start();
        let folder = tempfile::tempdir().unwrap();
        let mut settings = one_at_a_time(&base, folder.path());
        let waited = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let counter = waited.clone();
        settings.waits.pause = Arc::new(move |time| {
            counter.fetch_add(time.as_millis() as u64, Ordering::SeqCst);
        });
        assert_eq!(collected(&settings).is_ok(), ends);
        let waited = waited.load(Ordering::SeqCst);
        assert_eq!(waited, if ends { 7000 } else { 0 });
    }
}

#[test]
fn an_answer_that_does_not_come_is_asked_for_again() {
    let mut service = serve(TENANT);
    service.faults = Box::new(|number, _| (number == 4).then_some(Fault::Slow(3000)));
    let (base, _) = service.start();
    let folder = tempfile::tempdir().unwrap();
    let mut settings = one_at_a_time(&base, folder.path());
    settings.waits.answer = Duration::from_millis(300);
    let collected = collected(&settings).unwrap();
    let retries: u64 = collected.calls.iter().map(|call| call.retries).sum();
    assert!(retries > 0);
}

/// A collection that stops leaves what was there, and goes on where it stopped.
#[test]
fn a_collection_that_stops_goes_on() {
    let whole = imported(&exports(TENANT));
    let count = undisturbed();
    for at in 1..=count {
        let folder = tempfile::tempdir().unwrap();
        declare(&exports(TENANT), folder.path());
        let before = seen(folder.path());
        let mut service = serve(TENANT);
        service.faults =
            Box::new(move |number, _| (number >= at).then_some(Fault::Status(503, None)));
        let (base, broken) = service.start();
        let mut settings = one_at_a_time(&base, folder.path());
        settings.waits.times = 0;
        let error = collected(&settings).unwrap_err();
        assert!(matches!(error, CollectError::NoAnswer { .. }), "{error}");
        assert_eq!(seen(folder.path()), before, "at {at}");
        assert_eq!(broken.requests.lock().unwrap().len(), at);
        // Another server: the address is a part of what was asked for, so the plan is not the same.
        let (base, _) = serve(TENANT).start();
        let mut elsewhere = one_at_a_time(&base, folder.path());
        elsewhere.is_resumed = true;
        let error = collected(&elsewhere).unwrap_err();
        assert!(matches!(error, CollectError::AnotherPlan(_)), "{error}");
    }
    // The same server, which is well again.
    for at in 1..=count {
        let folder = tempfile::tempdir().unwrap();
        declare(&exports(TENANT), folder.path());
        let mut service = serve(TENANT);
        service.faults =
            Box::new(move |number, _| (number == at).then_some(Fault::Status(503, None)));
        let (base, service) = service.start();
        let mut settings = one_at_a_time(&base, folder.path());
        settings.waits.times = 0;
        collected(&settings).unwrap_err();
        settings.is_resumed = true;
        collected(&settings).unwrap_or_else(|error| panic!("at {at}: {error}"));
        assert!(imported(folder.path()) == whole, "at {at}");
        // What was there is not asked for again, but for the keys of instances.
        let requests = service.requests.lock().unwrap().len();
        assert!(requests <= count + 9, "{requests} of {count} at {at}");
        settings.is_resumed = true;
        let error = collected(&settings).unwrap_err();
        assert!(matches!(error, CollectError::NothingToResume(_)), "{error}");
    }
}

/// A collection that fails leaves the last one.
#[test]
fn the_last_collection_stays_until_there_is_another() {
    let folder = tempfile::tempdir().unwrap();
    declare(&exports(TENANT), folder.path());
    let (base, _) = serve(TENANT).start();
    collected(&one_at_a_time(&base, folder.path())).unwrap();
    let before = crate::import::files(folder.path());
    let mut service = serve(TENANT);
    service.faults = Box::new(|number, _| (number >= 10).then_some(Fault::Status(503, None)));
    let (base, _) = service.start();
    collected(&one_at_a_time(&base, folder.path())).unwrap_err();
    let after = crate::import::files(folder.path());
    for (path, bytes) in before {
        assert!(after.get(&path) == Some(&bytes), "{path}");
    }
}

/// A token goes to the service that it is for, and to nobody else.
#[test]
fn a_page_elsewhere_is_not_followed() {
    let (other, elsewhere) = serve(TENANT).start();
    let folder = tempfile::tempdir().unwrap();
    let mut service = serve(TENANT);
    let row = format!("{{\"value\":[],\"@odata.nextLink\":\"{other}/v1.0/users\"}}");
    let row = serde_json::value::RawValue::from_string(row).unwrap();
    service.put(
        "graph/tenantAttachRBAC.json",
        super::service::Rows::Kept(vec![row]),
    );
    let (base, _) = service.start();
    let error = collected(&one_at_a_time(&base, folder.path())).unwrap_err();
    assert!(matches!(error, CollectError::Elsewhere { .. }), "{error}");
    assert!(elsewhere.requests.lock().unwrap().is_empty());
    for address in [
        "http://graph.example",
        "ftp://127.0.0.1",
        "https://user:word@graph.example",
    ] {
        let error = collected(&one_at_a_time(address, folder.path())).unwrap_err();
        assert!(matches!(error, CollectError::Address(_)), "{error}");
        assert!(!error.to_string().contains("word@"), "{error}");
    }
}

#[test]
fn two_collections_exclude_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let staging = folder.path().join(".tarbac-collect");
    std::fs::create_dir_all(&staging).unwrap();
    let lock = std::fs::File::create(staging.join("lock")).unwrap();
    lock.lock().unwrap();
    let (base, _) = serve(TENANT).start();
    let error = collected(&one_at_a_time(&base, folder.path())).unwrap_err();
    assert!(matches!(error, CollectError::Locked(_)), "{error}");
    drop(lock);
    collected(&one_at_a_time(&base, folder.path())).unwrap();
}

/// Exports that a person made are not replaced.
#[test]
fn exports_of_somebody_else_stay() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("graph")).unwrap();
    std::fs::write(folder.path().join("graph/users.json"), "[]").unwrap();
    let (base, _) = serve(TENANT).start();
    let error = collected(&one_at_a_time(&base, folder.path())).unwrap_err();
    assert!(matches!(error, CollectError::NotOurs(_)), "{error}");
    assert_eq!(seen(folder.path()), ["graph/users.json"]);
}
