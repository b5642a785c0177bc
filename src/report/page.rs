//! A page of text: paragraphs and lists, wrapped to a width.

use unicode_width::UnicodeWidthStr;

use super::Style;
use tarbac_diagnostic::wrap;
use tarbac_host::lookup::visible;

/// The width of text that goes to no terminal, in columns.
const WIDTH: usize = 100;

/// The least width of wrapped text, in columns.
const NARROWEST: usize = 20;

/// Text that is written line by line.
#[derive(Debug)]
pub(super) struct Page {
    text: String,
    width: usize,
}

impl Page {
    /// A page of `width` columns, or of [`WIDTH`] where the text goes to no terminal.
    pub(crate) fn new(width: Option<usize>) -> Self {
        Self {
            text: String::new(),
            width: width.unwrap_or(WIDTH).max(NARROWEST),
        }
    }

    /// An empty page of the same width.
    pub(crate) fn another(&self) -> Self {
        Self::new(Some(self.width))
    }

    /// A heading, set apart from what is before it.
    pub(crate) fn heading(&mut self, text: &str) {
        self.apart();
        self.line(0, text);
    }

    /// Whether a text fits on one line.
    pub(crate) fn fits(&self, text: &str) -> bool {
        text.width() <= self.width
    }

    /// Whether the page is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// An empty line, except at the beginning.
    pub(crate) fn apart(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// A paragraph; lines after the first are indented two columns more.
    pub(crate) fn line(&mut self, indent: usize, text: &str) {
        self.hanging(indent, "", text, 2);
    }

    /// A paragraph after a mark; lines after the first begin to the right of the mark.
    pub(crate) fn item(&mut self, indent: usize, mark: &str, text: &str) {
        self.hanging(indent, mark, text, mark.width());
    }

    /// Text whose lines stay as they are, such as a policy.
    pub(crate) fn verbatim(&mut self, indent: usize, text: &str) {
        for line in text.lines() {
            self.push(&format!("{}{line}", " ".repeat(indent)));
        }
    }

    /// Lines of another page.
    pub(crate) fn add(&mut self, lines: &str) {
        self.text.push_str(lines);
    }

    fn hanging(&mut self, indent: usize, mark: &str, text: &str, hang: usize) {
        let first = format!("{}{mark}", " ".repeat(indent));
        let others = " ".repeat(indent + hang);
        self.text
            .push_str(&wrapped(&visible(text), self.width, &first, &others));
    }

    fn push(&mut self, line: &str) {
        self.text.push_str(&visible(line.trim_end()));
        self.text.push('\n');
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

/// A text on lines of at most `width` columns, but for a word that is wider. Blanks within a line stay, so that columns
/// stay columns.
fn wrapped(text: &str, width: usize, first: &str, others: &str) -> String {
    let mut lines = String::new();
    for line in wrap::lines(text, width, first, others) {
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    lines
}

/// A text, padded with blanks to so many columns.
pub(super) fn padded(text: &str, columns: usize) -> String {
    let blanks = columns.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(blanks))
}

impl Style {
    /// Lines for a terminal: a longer line goes on in the next one, indented two columns more.
    pub fn fitted(self, text: &str) -> String {
        let Some(width) = self.columns else {
            return text.to_owned();
        };
        let width = width.max(NARROWEST);
        let lines = text.lines().map(|line| {
            let words = line.trim_start_matches(' ');
            let (indent, _) = line.split_at(line.len() - words.len());
            wrapped(words, width, indent, &format!("{indent}  "))
        });
        lines.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, Style, padded};

    #[test]
    fn long_lines_are_wrapped_under_their_text() {
        let mut page = Page::new(None);
        page.item(2, "1. ", &"word ".repeat(40));
        let text = page.into_text();
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
        assert!(
            text.lines()
                .skip(1)
                .all(|line| line.starts_with("     word")),
            "{text}"
        );
    }

    #[test]
    fn widths_are_columns_of_a_terminal() {
        let mut page = Page::new(Some(20));
        // Eight characters in twelve columns, and eleven in ten.
        page.line(
            0,
            "\u{5317}\u{4eac} \u{4e0a}\u{6d77} ab \u{5e7f}\u{5dde} Mu\u{308}nchen Berlin",
        );
        let expected =
            "\u{5317}\u{4eac} \u{4e0a}\u{6d77} ab \u{5e7f}\u{5dde}\n  Mu\u{308}nchen Berlin\n";
        assert_eq!(page.into_text(), expected);
        assert_eq!(padded("\u{5317}\u{4eac}", 5), "\u{5317}\u{4eac} ");
        assert_eq!(padded("u\u{308}", 3), "u\u{308}  ");
    }

    #[test]
    fn lines_for_a_terminal_keep_their_indentation() {
        let style = Style {
            colour: true,
            columns: Some(24),
        };
        let text = format!(
            "{}  a line of some words\n\n    and one that is longer\n",
            style.green("ok")
        );
        let expected = format!(
            "{}  a line of some words\n\n    and one that is\n      longer\n",
            style.green("ok")
        );
        assert_eq!(style.fitted(&text), expected);
        assert_eq!(Style::PLAIN.fitted(&text), text);
    }

    #[test]
    fn a_word_longer_than_a_line_stays_whole() {
        let mut page = Page::new(None);
        page.line(0, &"x".repeat(120));
        assert_eq!(page.into_text(), format!("{}\n", "x".repeat(120)));
    }
}
