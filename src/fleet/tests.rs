//! Publications and replicas over stores in memory and in folders, with faults.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests, which change the files of a store"
)]

mod clocks;
mod faults;
mod publications;
mod readers;
mod trust;

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use object_store::ObjectStore;
use object_store::memory::InMemory;

use crate::cache::Cache;
use crate::clock::StoreClock;
use crate::location::Location;
use crate::manifest::{Manifest, ManifestPart, Readings};
use crate::publish::{
    Given, GivenContent, NextRevision, PublishError, Published, RevisionLabel, publish,
};
use crate::store::Store;

pub(crate) fn location() -> Location {
    "s3://bucket/contoso".parse().unwrap()
}

pub(crate) fn memory() -> Arc<InMemory> {
    Arc::new(InMemory::new())
}

pub(crate) fn over(objects: Arc<dyn ObjectStore>) -> Store {
    at(objects, StoreClock::default())
}

/// A store with a clock.
pub(crate) fn at(objects: Arc<dyn ObjectStore>, clock: StoreClock) -> Store {
    Store::over((objects, clock), &location(), None).unwrap()
}

pub(crate) fn given(path: &str, text: &str) -> Given {
    let part = match path.starts_with("entities/") {
        true => ManifestPart::Entities,
        false => ManifestPart::Policies,
    };
    Given {
        path: path.to_owned(),
        part,
        content: GivenContent::Text(text.to_owned()),
    }
}

pub(crate) fn policies(text: &str) -> NextRevision {
    let files = vec![
        given("policies/a.cedar", text),
        given("schema/s.cedarschema", "schema"),
    ];
    NextRevision::Part(ManifestPart::Policies, files, Readings::default())
}

pub(crate) fn entities(text: &str) -> NextRevision {
    let files = vec![given("entities/people.json", text)];
    NextRevision::Part(ManifestPart::Entities, files, Readings::default())
}

/// Publishes with an examination that accepts everything and names a revision by its files.
pub(crate) fn put(
    store: &Store,
    proposal: NextRevision,
) -> Result<Published, PublishError<Infallible>> {
    put_with(store, proposal, &RevisionLabel::default())
}

pub(crate) fn put_with(
    store: &Store,
    proposal: NextRevision,
    label: &RevisionLabel<'_>,
) -> Result<Published, PublishError<Infallible>> {
    let cache = Cache::temporary()?;
    publish(store, &cache, proposal, label, &mut |folder, _| {
        Ok(named(folder))
    })
}

pub(crate) fn new(published: Result<Published, PublishError<Infallible>>) -> Manifest {
    match published.unwrap() {
        Published::New(manifest) => manifest,
        Published::Unchanged(manifest) => panic!("{manifest:?}"),
    }
}

/// The contents of the two files that the tests write, as one text.
pub(crate) fn named(folder: &Path) -> String {
    let read = |path: &str| std::fs::read_to_string(folder.join(path)).unwrap_or_default();
    format!(
        "{}+{}",
        read("policies/a.cedar"),
        read("entities/people.json")
    )
}
