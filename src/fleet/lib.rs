//! Revisions of a workspace in storage that its users operate: published once, read by many.
//!
//! A store holds blobs, which are named by the digest of their content and never change, and numbered manifests, each
//! of which names the files of one revision. The only commit is that a manifest is created under a number that nothing
//! has ([`publish()`]). Readers take the manifests in the order of their numbers and check each file ([`Replica`]).
//!
//! Nothing here knows Cedar, or what a workspace means: whether a revision is good is said by whoever asks.

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
pub use manifest::{FileEntry, Manifest, Part, Publisher, Readings};
pub use prune::{Pruned, prune};
pub use publish::{
    Given, GivenContent, NextRevision, PublishError, Published, RevisionLabel, publish,
};
pub use replica::{Poll, RefusedRevision, Replica, Take};
pub use signature::{SigningKey, TrustedKeys};
pub use store::{Revision, Store};
