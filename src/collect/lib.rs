//! Exports of a live tenant, collected from Microsoft Graph and the AdminService.
//!
//! [`collect`] asks for every export of the catalog ([`catalog`](tarbac_tenant::exports::catalog)), and writes the answers
//! as they came. It changes nothing in the tenant.
//!
//! | module | content |
//! |---|---|
//! | `run` | which calls are made, and in which order |
//! | `graph`, `batch`, `admin_service` | the calls of each service |
//! | `client` | one request: repeated where that helps, refused where it does not |
//! | `token`, `sign_in` | who asks |
//! | `staging`, `journal` | files that are seen when they are whole, and what is left to do |
//! | `answer` | an answer that is read while it is saved |
//! | `tally` | the account of what came |
//! | `pseudonym` | a copy with made-up names |

#![warn(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::too_many_lines
)]

mod admin_service;
mod answer;
mod batch;
mod client;
mod clock;
mod facts;
mod fault;
mod graph;
mod journal;
mod pseudonym;
mod run;
mod secret;
mod settings;
mod sign_in;
mod staging;
mod tally;
mod token;

pub use fault::CollectError;
pub use pseudonym::pseudonymize;
pub use run::collect;
pub use secret::Secret;
pub use settings::{CollectProgress, CollectSettings, SiteSettings, Waits};

pub use sign_in::{GRAPH_TOOLS, Identity, SignIn};
pub use token::{SignInError, TokenCommand, TokenSource};
