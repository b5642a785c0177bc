//! The server: decisions by AuthZEN 1.0, the API, the page, and stores it follows.
//!
//! One `Served` decides a request: an immutable workspace with its engine, names and kept decisions. A reload replaces
//! it by a swap of one pointer. The rules are in policies; this crate knows only actions, entity types, and the schema
//! annotations `@authzen` and `@from_request`.

#![warn(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::too_many_lines
)]

mod app;
mod authzen;
mod caller;
mod clock;
mod decided;
mod decision_log;
mod explore;
mod fault;
mod follow;
mod freshness;
mod health;
mod history;
mod http;
mod jobs;
mod json;
mod log;
mod metrics;
mod name_index;
mod names;
mod openapi;
mod origin;
mod outgoing;
mod page;
mod probe;
mod reload;
mod served;
mod server;
mod settings;
mod source;
mod stamp;
mod systemd;
mod tls;
mod token;
mod trace;
mod watched;
mod work;
mod workspaces;

pub use authzen::{InvalidRequest, read};
pub use caller::{JwtKeys, JwtSettings, NoKeys};
pub use decision_log::{DecisionLogSettings, LogTarget, Unlogged};
pub use fault::ServeError;
pub use log::LogFormat;
pub use origin::{Loaded, WorkspaceOrigin};
pub use probe::is_ready;
pub use server::{Stopped, check, follow, serve};
pub use settings::{Limits, Listen, PublicUrl, Settings};
pub use source::{
    FollowSettings, Followed, FollowerReport, HeardReplica, NamedSource, PastRevision,
    ReplicaCondition, RevisionAbout, RevisionError, RevisionHistory, RevisionName, RevisionSource,
    RevisionSources, SourceError, SourcePoll, TakeRevision,
};
pub use tls::TlsSettings;
pub use token::NewToken;
