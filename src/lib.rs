//! Who may do what to a tenant-attached device, and why.
//!
//! The rules of Intune and Configuration Manager are Cedar policies; this crate loads people,
//! groups, hierarchies and devices, asks Cedar, and explains the answer. It knows no role, toggle or
//! message: these stand in `policies/` and `schema/`.
//!
//! ```
//! use tarbac::lookup::{Lookup, Name};
//! use tarbac::{Decision, Layout, Request, Switches, Workspace, shipped};
//!
//! let layout = Layout::new("tests/contoso", shipped::rules());
//! let workspace = Workspace::load(&layout, &Switches::default())?;
//! let engine = &workspace.engine;
//!
//! let names = Lookup::new(engine);
//! let action = names.action(&Name::from("Run script"))?;
//! let request = Request {
//!     principal: names.principal(action, &Name::from("ada@contoso.example"))?,
//!     action: action.uid.clone(),
//!     resource: names.resource(action, &Name::from("WS-TST-001"))?,
//!     context: tarbac::cedar_policy::Context::empty(),
//! };
//! assert_eq!(engine.decide(&request).decision, Decision::Allow);
//! println!("{}", tarbac::Matrix::of_people(engine, &[request.principal], &[request.resource]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The house
//!
//! Eleven storeys, each a crate under `src/`: `docs/architecture.md` has them with what each may use. This crate is the
//! façade, with the rules and the sample tenant that ship ([`shipped`]), and the program. `tarbac-host` alone loads and
//! decides; it holds no policy.
//!
//! Deliberately absent: any network but that of `serve`, `collect` and `fleet`, which are storeys of their own, and whatever
//! could be stale: what is kept of decisions ([`bulk::decider::Decider`]) belongs to one engine, which never changes.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `collect` (default) | exports of a live tenant |
//! | `fleet` (default) | to the program: revisions in object storage, for many decision points |
//! | `prove` (default) | specs, proved by a solver |
//! | `serve` (default) | to the program: a decision point over HTTP |
//! | `watch` (default) | to the program: suites that are run again when a file changes |
//!
//! Cedar's types that stand in the signatures, such as the context of a [`Request`], are those of
//! [`cedar_policy`], which is re-exported here, so that the versions agree.

#![warn(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::too_many_lines
)]

pub mod shipped;

#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct Library;

pub use cedar_policy;
pub use tarbac_analysis::{
    Explanation, Matrix, access_review, bulk, change, explain, matrix, plan, who_what,
};
#[cfg(feature = "prove")]
pub use tarbac_assurance::prove;
pub use tarbac_assurance::{cedar_run_tests, coverage, mutation, snapshot, suite, test_report};
#[cfg(feature = "collect")]
pub use tarbac_collect as collect;
pub use tarbac_diagnostic::{code, finding, printable, source};
pub use tarbac_host::{
    Answer, Decision, Engine, Layout, LoadError, Outcome, Provenance, Request, Switches, Workspace,
    assembly, bundle, decision, engine, excerpt, json, lookup, record, roles, workspace,
};
pub use tarbac_report as render;
pub use tarbac_store as directory;
pub use tarbac_tenant::{RoleDefinition, exports, graph_role, import};
