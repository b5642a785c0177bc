//! Who may do what to a tenant-attached device, and why.
//!
//! The rules of Intune and Configuration Manager are Cedar policies; this crate loads people,
//! groups, hierarchies and devices, asks Cedar, and explains the answer. It knows no role, toggle or
//! message: whatever decides or is said stands in `policies/` and `schema/`.
//!
//! ```
//! use tarbac::names::{Name, Names};
//! use tarbac::{Decision, Layout, Request, Switches, Workspace, shipped};
//!
//! let layout = Layout::of("tests/contoso", shipped::rules());
//! let workspace = Workspace::load(&layout, &Switches::default())?;
//! let engine = &workspace.engine;
//!
//! let names = Names::of(engine);
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
//! Imports run one way, from the shell down to values.
//!
//! | room | what it is for |
//! |---|---|
//! | [`source`], [`finding`], [`report`], [`decision`], [`json`], `yaml` | values: places, diagnostics, results of tests, requests and answers |
//! | [`printable`] | text that no terminal and no runner obeys |
//! | [`bundle`] | schema and policies, valid by construction; readings |
//! | [`directory`] | the entities, held compactly |
//! | [`engine`] | asks Cedar what has to be asked; questions that explain a decision |
//! | [`assembly`] | puts these together and says everything that is wrong |
//! | [`explain`](mod@explain), [`matrix`], [`names`] | the path, the clause and the repair; tables; what a person means |
//! | [`class`], `survey` | entities that policies cannot tell apart; everybody and everything at once, in several states |
//! | [`access`], [`standing`], [`impact`] | who may do what, over everybody; through which role, and which assignments give nothing; what changes for whom |
//! | `extent` | how far decisions reach: resources counted, by name, and by what they are in |
//! | `given`, [`what_if`] | facts that are given, and what they make of a directory; changes before they are made |
//! | [`plan`] | the role changes that go with a change |
//! | [`suite`], [`snapshot`] | what is expected of the policies, and whether it holds |
//! | [`coverage`], [`mutant`] | whether suites are any good |
//! | [`proof`] | what holds in every world that the schema allows; the only room that asks a solver |
//! | [`roles`] | roles, as the schema marks them |
//! | [`export`], [`role`] | what a live tenant gives, and roles as Microsoft Graph has them |
//! | [`import`](mod@import) | makes a workspace of exports |
//! | [`record`] | what was written into a workspace, and what becomes of it when it is written again |
//! | [`cedar_tests`] | the tests of `cedar run-tests`: read, run and written |
//! | [`render`] | words and wire formats of results |
//! | [`shipped`] | the policies, schema and sample tenant in the binary |
//! | [`workspace`], [`excerpt`] | the only rooms that open files |
//!
//! The binary adds the command line (`cli`, `command/`), and nothing that decides.
//!
//! Deliberately absent: a cache of decisions (a decision costs the same with or without a million
//! devices), and any network.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `suite` | `suite`, `snapshot`, `coverage`, `mutant`, `cedar_tests`, `report`, `excerpt` |
//! | `report` | `render`, and `suite` |
//! | `prove` | `proof`, and `suite` |
//! | `import` | `export`, `import`, and the differences of roles in `role` |
//! | `cli` (default) | all of these, and the program |
//!
//! Without any, the library loads, decides and explains. Cedar's types that stand in its signatures, such as the
//! context of a [`Request`], are those of [`cedar_policy`], which is here again for whoever has no use for another
//! version.

// What only some of the features use is there without them as well.
#![cfg_attr(not(feature = "cli"), allow(dead_code, unused_imports))]

pub mod access;
pub mod assembly;
pub mod bundle;
#[cfg(feature = "suite")]
pub mod cedar_tests;
pub mod class;
#[cfg(feature = "suite")]
pub mod coverage;
pub mod decision;
pub mod directory;
pub mod engine;
#[cfg(feature = "suite")]
pub mod excerpt;
pub mod explain;
#[cfg(feature = "import")]
pub mod export;
mod extent;
pub mod finding;
mod given;
pub mod impact;
#[cfg(feature = "import")]
pub mod import;
pub mod json;
pub mod matrix;
#[cfg(feature = "suite")]
pub mod mutant;
pub mod names;
pub mod plan;
pub mod printable;
#[cfg(feature = "prove")]
pub mod proof;
pub mod record;
#[cfg(feature = "report")]
pub mod render;
#[cfg(feature = "suite")]
pub mod report;
pub mod role;
pub mod roles;
pub mod shipped;
#[cfg(feature = "suite")]
pub mod snapshot;
pub mod source;
pub mod standing;
#[cfg(feature = "suite")]
pub mod suite;
mod survey;
pub mod what_if;
pub mod workspace;
mod yaml;

#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../README.md")]
struct Readme;

pub use bundle::Switches;
pub use cedar_policy;
pub use decision::{Answer, Decision, Outcome, Provenance, Request};
pub use engine::Engine;
pub use explain::{Explanation, explain};
pub use matrix::Matrix;
pub use role::RoleDefinition;
pub use workspace::{Layout, LoadError, Workspace};
