//! The law of collections: the collected folder imports to the same bytes as the folder it was served from.

use std::path::Path;

#[path = "../../../benches/support/exports.rs"]
mod made;

use tarbac::collect::SiteSignIn;
use tarbac::exports::CallState;

use super::service::{Fault, Rows};
use super::{Given, collected, declare, exports, imported, serve, settings};

const SITES: [&str; 5] = ["ANT", "OLD", "P01", "RNG", "TST"];

fn assert_same(tenant: &str, out: &Path) {
    assert_eq!(imported(out), imported(&exports(tenant)));
}

#[test]
fn a_tenant_comes_over_whatever_the_pages() {
    for (page, rows) in [(1, 1), (2, 3), (100, 1000)] {
        let mut service = serve("contoso");
        service.page = page;
        let (base, _) = service.start();
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("exports");
        declare(&exports("contoso"), &out);
        let mut settings = settings(&base, &SITES, &out);
        settings.rows_of_page = rows;
        let collected = collected(&settings).unwrap();
        assert_same("contoso", &out);
        let states = collected.calls.iter().map(|call| &call.state);
        let failed = states
            .filter(|state| **state != CallState::Collected)
            .count();
        // Of what the folder lacks, the tenant has none: the toggle, and the licenses.
        assert_eq!(failed, 2, "{:#?}", collected.calls);
        let read = std::fs::read_to_string(out.join("collected.json")).unwrap();
        assert_eq!(
            serde_json::from_str::<tarbac::exports::Collected>(&read).unwrap(),
            collected
        );
    }
}

/// The members of the groups that give nothing are left alone, unless all are asked for.
#[test]
fn groups_that_give_nothing_are_not_asked_about() {
    let asked = |has_all_groups: bool| {
        let (base, service) = serve("contoso").start();
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(&base, &[], folder.path());
        settings.has_all_groups = has_all_groups;
        let collected = collected(&settings).unwrap();
        drop(service);
        let mut calls = collected.calls.into_iter();
        let members = calls.find(|call| call.export == "graph/groups/<id>/members.json");
        members.unwrap().files
    };
    let (some, all) = (asked(false), asked(true));
    assert!(0 < some && some < all, "{some} of {all}");
    assert_eq!(all, 12);
}

/// A service that cannot order its instances gives them in one answer, and one that makes pages of its own is followed to
/// the last, whatever was asked for.
#[test]
fn a_class_comes_whole_whatever_the_service_can() {
    for (orders, class_page) in [(false, u64::MAX), (true, 2), (false, 2)] {
        let mut service = serve("contoso");
        (service.orders, service.class_page) = (orders, class_page);
        let (base, _) = service.start();
        let folder = tempfile::tempdir().unwrap();
        declare(&exports("contoso"), folder.path());
        collected(&settings(&base, &SITES, folder.path())).unwrap();
        assert_same("contoso", folder.path());
    }
}

/// What comes in pages of the service's own goes on in these when it was stopped, and not by numbers.
#[test]
fn a_class_in_pages_of_the_service_is_resumed_where_it_stopped() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let file = "configmgr/FAB/SMS_FullCollectionMembership.json";
    let is_broken = std::sync::Arc::new(AtomicBool::new(true));
    let broken = is_broken.clone();
    let mut service = serve("fabrikam");
    service.put(
        file,
        Rows::Made(8, |row| {
            format!("{{\"CollectionID\":\"FAB0000A\",\"ResourceID\":{row}}}")
        }),
    );
    (service.orders, service.class_page) = (false, 3);
    service.faults = Box::new(move |_, target| {
        let is_it = target.contains("FullCollectionMembership?$skiptoken=6");
        (is_it && broken.load(Ordering::SeqCst)).then_some(Fault::Status(503, None))
    });
    let (base, service) = service.start();
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(&base, &["FAB"], folder.path());
    (settings.waits.times, settings.jobs) = (0, 1);
    collected(&settings).unwrap_err();
    is_broken.store(false, Ordering::SeqCst);
    settings.is_resumed = true;
    let before = service.requests.lock().unwrap().len();
    let collected = collected(&settings).unwrap();
    let call = collected.calls.iter().find(|call| call.export == file);
    assert_eq!(call.map(|call| (call.rows, call.files)), Some((8, 3)));
    let requests = service.requests.lock().unwrap();
    let asked = requests.iter().skip(before);
    let asked: Vec<&String> = asked.filter(|of| of.contains("FullCollection")).collect();
    assert!(
        matches!(asked[..], [one] if one.ends_with("?$skiptoken=6")),
        "{asked:?}"
    );
}

/// A token that expires is renewed, by one request for all of them.
#[test]
fn a_token_that_expires_is_renewed() {
    let mut service = serve("fabrikam");
    let used = std::sync::Mutex::new(std::collections::BTreeMap::<String, usize>::new());
    service.accepts = Box::new(move |token| {
        let mut used = used.lock().unwrap();
        let count = used.entry(token.to_owned()).or_default();
        *count += 1;
        *count <= 7
    });
    let (base, _) = service.start();
    let folder = tempfile::tempdir().unwrap();
    declare(&exports("fabrikam"), folder.path());
    let mut settings = settings(&base, &["FAB"], folder.path());
    let tokens = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    settings.graph_token = Some(Given::new(&tokens));
    let tokens = ["m", "n", "o", "p", "q", "r", "s", "t", "u"];
    settings.sites[0].sign_in = SiteSignIn::Token(Given::new(&tokens));
    collected(&settings).unwrap();
    assert_same("fabrikam", folder.path());
}

/// Pages that are full to the last one, of a class that is large.
#[test]
fn many_pages_come_to_the_end() {
    let mut service = serve("fabrikam");
    let made = |row: u64| {
        let (device, nth) = (row / 4, row % 4);
        format!("{{\"CollectionID\":\"FAB{nth:05}\",\"ResourceID\":{device}}}")
    };
    let file = "configmgr/FAB/SMS_FullCollectionMembership.json";
    service.put(file, Rows::Made(3000, made));
    let (base, service) = service.start();
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(&base, &["FAB"], folder.path());
    settings.rows_of_page = 1000;
    let collected = collected(&settings).unwrap();
    let mut calls = collected.calls.iter();
    let call = calls.find(|call| call.export == file).unwrap();
    assert_eq!((call.rows, call.files), (3000, 4));
    let requests = service.requests.lock().unwrap();
    let mut asked = requests
        .iter()
        .filter(|target| target.contains("FullCollectionMembership"));
    let first = asked.next().unwrap();
    assert!(
        first.ends_with("&$orderby=ResourceID,CollectionID&$top=1000&$skip=0"),
        "{first}"
    );
    assert!(
        folder
            .path()
            .join("configmgr/FAB/SMS_FullCollectionMembership-4.json.gz")
            .exists()
    );
}

/// The memberships of a site that has 3,000, as far as they came.
fn memberships(change: impl FnOnce(&mut super::service::Service)) -> (u64, usize) {
    let mut service = serve("fabrikam");
    let file = "configmgr/FAB/SMS_FullCollectionMembership.json";
    let made = |row| format!("{{\"CollectionID\":\"FAB00001\",\"ResourceID\":{row}}}");
    service.put(file, Rows::Made(3000, made));
    change(&mut service);
    let (base, _) = service.start();
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(&base, &["FAB"], folder.path());
    settings.rows_of_page = 1000;
    settings.jobs = 1;
    let collected = collected(&settings).unwrap();
    let call = collected.calls.iter().find(|call| call.export == file);
    let there = super::pseudonym::records(folder.path(), file);
    let pages = (2..).map(|page| file.replace(".json", &format!("-{page}.json")));
    let pages = pages.take_while(|page| folder.path().join(format!("{page}.gz")).exists());
    let more = pages.flat_map(|page| super::pseudonym::records(folder.path(), &page));
    let ids = there
        .into_iter()
        .chain(more)
        .map(|row| row["ResourceID"].to_string());
    let distinct: std::collections::BTreeSet<String> = ids.collect();
    (call.unwrap().rows, distinct.len())
}

#[test]
fn a_short_page_is_not_the_end_where_there_is_more() {
    assert_eq!(memberships(|_| {}), (3000, 3000));
    assert_eq!(memberships(|service| service.most = 700), (3000, 3000));
}

/// An instance that goes away moves all others: one of them would be in no page.
#[test]
fn what_changes_between_pages_is_asked_for_again() {
    for pages in 1..8 {
        let came = memberships(|service| service.pages_with_first = pages);
        assert!(
            [(3000, 3000), (2999, 2999)].contains(&came),
            "{pages} {came:?}"
        );
    }
}

/// The tenant of the benchmarks, with the members of all groups.
#[test]
fn the_tenant_of_the_benchmarks_comes_over() {
    let folder = tempfile::tempdir().unwrap();
    let (served, out) = (folder.path().join("served"), folder.path().join("out"));
    made::Exports::small().write(&served).unwrap();
    std::fs::write(served.join("graph/directoryRoles.json"), "{\"value\":[]}").unwrap();
    declare(&served, &out);
    let mut service = super::service::Service::new(&served);
    service.page = 7;
    let (base, _) = service.start();
    let mut settings = settings(&base, &["P01", "P02", "P03", "P04"], &out);
    settings.has_all_groups = true;
    settings.rows_of_page = 300;
    settings.jobs = 8;
    let collected = collected(&settings).unwrap();
    assert!(imported(&out) == imported(&served));
    let rows: u64 = collected.calls.iter().map(|call| call.rows).sum();
    assert!(rows > 11_000, "{rows}");
}
