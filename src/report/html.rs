//! Templates of HTML: a frame, one style sheet, and components.
//!
//! The page of `serve` and the reports (`--format html`) are made of the same parts. A part is a function or a small
//! struct with `markup()`, which gives a [`maud::Markup`]; the template escapes, and texts go through [`Shown`], which
//! also replaces characters that are obeyed. The style sheet ([`STYLE`]) has the values of Fluent 2 as variables, for
//! light and dark systems, high contrast, paper and windows of 320 pixels.
//!
//! **A server** hands out [`STYLE`] and its scripts at addresses of their own, and says so in [`Assets::Linked`]:
//!
//! ```
//! use maud::html;
//! use tarbac_report::html::{Assets, Frame, Head, Icon, NavigationLink, navigation};
//!
//! let link = NavigationLink { icon: Icon::People, name: "Who can", href: "/who", is_current: true };
//! let head = Head { crumbs: &[], icon: Icon::People, title: "Who can", subtitle: "", commands: None };
//! let frame = Frame {
//!     title: "Who can",
//!     assets: Assets::Linked { style: "/style-1f.css", scripts: &["/page-2e.js"] },
//!     home: Some("/"),
//!     tools: html! { "Contoso" },
//!     navigation: Some(navigation(&[("Explore", &[link])])),
//!     main: html! { (head.markup()) p { "…" } },
//!     footer: html! {},
//! };
//! assert!(frame.into_document().starts_with("<!DOCTYPE html>"));
//! ```
//!
//! No part has a style attribute or a script of its own, so that a Content-Security-Policy of `style-src 'self';
//! script-src 'self'` holds: lengths of bars are attributes of SVG, colours are classes. What only works with a script
//! (a button to copy) is `hidden` until the script shows it. **A report** has style and script inside
//! ([`Assets::Inline`]), with a policy that allows these two by their digests and nothing else.

mod colophon;
mod filter;
mod form;
mod frame;
mod grid;
mod head;
mod icon;
mod people;
mod picture;
mod text;
mod tone;

pub use colophon::Colophon;
pub(crate) use filter::Filters;
pub use form::{TextField, choice, copyable, source, submit, tick};
pub use frame::{Assets, Frame, STYLE};
pub use grid::{Cells, Figure, Grid, GridColumn, GridGroup, GridRow, Order, Pager, facts, figures};
pub use head::{
    Crumb, Head, NavigationLink, TabLink, command_button, command_link, navigation, tabs,
};
pub use icon::{Icon, icon};
pub(crate) use people::{Limits, PeopleTable, ResourcesCell, some_lines};
pub use picture::{BarRow, Bars, ChainNode, HeatCell, HeatMap, chain};
pub use text::{Count, Shown, ShownLines};
pub use tone::{Tone, badge, decision, empty, message};
