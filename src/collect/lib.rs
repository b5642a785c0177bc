//! Exports of a live tenant, collected from Microsoft Graph and the AdminService.
//!
//! [`collect`] requests every export of the catalog ([`catalog`](tarbac_tenant::exports::catalog)) and saves the
//! answers unchanged. It changes nothing in the tenant.
//!
//! | module | content |
//! |---|---|
//! | `run` | the calls and their order |
//! | `graph`, `batch`, `admin_service` | the calls of each service |
//! | `client` | one request, with repetitions and limits |
//! | `transport` | the ways to send a request: with a token, or with a Windows account |
//! | `token`, `sign_in` | tokens and the ways to obtain them |
//! | `staging`, `journal` | files that appear only when complete, and the progress to resume from |
//! | `answer` | the reader that saves answers while reading them |
//! | `tally` | the counts for the account of the collection |
//! | `pseudonym` | a copy of exports with made-up names |

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
mod transport;

pub use fault::CollectError;
pub use pseudonym::pseudonymize;
pub use run::collect;
pub use secret::Secret;
pub use settings::{
    CollectProgress, CollectSettings, SiteSettings, SiteSignIn, Waits, WindowsAccount,
};

pub use sign_in::{GRAPH_TOOLS, Identity, SignIn};
pub use token::{SignInError, TokenCommand, TokenSource};
