//! The formats of answers, and sets of them for the commands.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Arg, ValueEnum};

use super::global::HEADING;

/// The position of the format in the help: after the arguments about input.
pub(crate) const DISPLAY_ORDER: usize = 100;

/// The format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people.
    Human,
    /// JSON for programs.
    Json,
    /// JSON for programs, an object a line.
    Ndjson,
    /// Tables in Markdown.
    Markdown,
    /// Comma-separated values.
    Csv,
    /// A page that needs nothing else.
    Html,
}

impl Format {
    /// Whether the answer is text for people.
    pub(crate) fn is_text(self) -> bool {
        self == Self::Human
    }

    /// The word on the command line.
    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// The formats of most commands.
pub(crate) const DOCUMENTS: &[Format] = &[Format::Human, Format::Json];

/// The formats of a table.
pub(crate) const TABLE: &[Format] = &[
    Format::Human,
    Format::Json,
    Format::Markdown,
    Format::Csv,
    Format::Html,
];

/// The formats of rows.
pub(crate) const ROWS: &[Format] = &[Format::Human, Format::Json, Format::Markdown, Format::Csv];

/// The formats of a report about everybody.
pub(crate) const REPORTS: &[Format] = &[
    Format::Human,
    Format::Json,
    Format::Ndjson,
    Format::Markdown,
    Format::Csv,
    Format::Html,
];

/// The argument `--format` of a command that writes these formats.
pub(crate) fn format_among(formats: &[Format]) -> Arg {
    let values = formats.iter().filter_map(ValueEnum::to_possible_value);
    let parser = PossibleValuesParser::new(values.collect::<Vec<_>>());
    Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .value_parser(parser.try_map(|name| Format::from_str(&name, false)))
        .default_value("human")
        .help("Write the answer for people or for programs")
        .help_heading(HEADING)
        .display_order(DISPLAY_ORDER)
}

/// The hidden argument `--format` of a command whose output does not depend on it.
pub(crate) fn format_fixed(formats: &[Format]) -> Arg {
    format_among(formats).hide(true)
}
