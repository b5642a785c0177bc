//! Revisions of a workspace in storage that its users operate: published once, read by many.
//!
//! A store holds blobs, which are named by the digest of their content and never change, and numbered manifests, each
//! of which lists the files of one revision. Creating a manifest under an unused number is the only commit
//! ([`publish()`]). Readers only move on to manifests with greater numbers, and check each file ([`Replica`]).
//!
//! This crate knows neither Cedar nor the meaning of a workspace: the caller decides whether a revision is good.

#![warn(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::too_many_lines
)]

mod announce;
mod blob;
mod cache;
mod clock;
mod digest;
mod error;
mod location;
mod manifest;
mod path;
mod prune;
mod publish;
mod replica;
mod signature;
mod store;
#[cfg(test)]
mod tests;

pub use announce::{Announcement, Announcer, Heard, ReplicaState, heard};
pub use cache::Cache;
pub use digest::Digest;
pub use error::FleetError;
pub use location::{Location, NoLocation};
pub use manifest::{FileEntry, Manifest, ManifestPart, Publisher, Readings};
pub use prune::{Pruned, prune};
pub use publish::{
    Given, GivenContent, NextRevision, PublishError, Published, RevisionLabel, publish,
};
pub use replica::{Poll, RefusedRevision, Replica, Take};
pub use signature::{SigningKey, TrustedKeys};
pub use store::{Revision, Store};
