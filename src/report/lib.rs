//! Reports: results in words and documents, for people and programs.
//!
//! One file for each kind of result. Results derive their JSON; a file here has the document around them and every other
//! form. [`schema`] describes the JSON that programs read, which changes only on purpose. Nothing here prints, asks a
//! terminal, or decides.

#![warn(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::too_many_lines
)]

pub mod access_review;
pub mod answer;
pub mod ci;
pub mod collect;
mod colour;
pub mod coverage;
pub mod decision_log;
pub mod explanation;
pub mod files;
pub mod findings;
pub mod glossary;
pub mod html;
pub mod impact;
pub mod import;
pub mod matrix;
pub mod mutation;
mod page;
mod people;
pub mod premises;
#[cfg(feature = "prove")]
pub mod prove;
pub mod provenance;
pub mod readings;
pub mod replay;
pub mod role;
pub mod schema;
pub mod shell;
mod shown;
pub mod snapshot;
pub mod store;
pub mod suite;
mod support;
mod table;
mod tally;
pub mod who_what;
pub mod words;

use serde::Serialize;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

use shown::PrintableDiagnostic;
pub use table::sheet;
pub use tarbac_host::json::pretty as json;

/// The version of the JSON that programs read.
pub const VERSION: u32 = 1;

/// The width of diagnostics that go to no terminal.
const PLAIN_WIDTH: usize = 120;

/// The abilities of the place where a text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether it shows colours.
    pub colour: bool,
    /// The number of columns, if known.
    pub columns: Option<usize>,
}

impl Style {
    /// The style of files, pipes and tests.
    pub const PLAIN: Self = Self {
        colour: false,
        columns: None,
    };

    /// Green, for good news.
    pub fn green(self, text: &str) -> String {
        self.paint("1;32", text)
    }

    /// Red, for bad news.
    pub fn red(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// Yellow, for warnings.
    pub fn yellow(self, text: &str) -> String {
        self.paint("1;33", text)
    }

    /// Bold, for headings.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        match self.colour {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }

    fn handler(self) -> GraphicalReportHandler {
        let theme = match self.colour {
            true => GraphicalTheme::unicode(),
            false => GraphicalTheme::unicode_nocolor(),
        };
        GraphicalReportHandler::new_themed(theme)
            .with_links(false)
            .with_width(self.columns.unwrap_or(PLAIN_WIDTH))
            .with_context_lines(1)
    }
}

/// A line of NDJSON.
fn ndjson(line: &impl Serialize) -> String {
    tarbac_host::json::line(line) + "\n"
}

/// One error, with its code, places and help.
pub fn diagnostic(diagnostic: &dyn Diagnostic, style: Style) -> String {
    let mut text = String::new();
    let diagnostic = &PrintableDiagnostic::new(diagnostic);
    match style.handler().render_report(&mut text, diagnostic) {
        Ok(()) => text,
        Err(_) => format!("{diagnostic}\n"),
    }
}
