//! Colours for text that is already laid out.
//!
//! A colour repeats the meaning of the words and adds none.

use super::Style;

/// The meaning of a part of a line.
#[derive(Debug, Clone, Copy)]
enum Tone {
    Good,
    Bad,
    Unclear,
}

/// The words at the beginning of a line, a longer one before one that it begins with.
const BEGINNINGS: [(&str, Tone); 3] = [
    ("ALLOW", Tone::Good),
    ("DENY", Tone::Bad),
    ("INDETERMINATE", Tone::Unclear),
];

/// The words at the beginning of an indented line.
const INDENTED: [(&str, Tone); 10] = [
    ("may not ", Tone::Bad),
    ("may ", Tone::Good),
    ("granted and refused", Tone::Bad),
    ("now permitted", Tone::Good),
    ("now refused", Tone::Bad),
    ("could not be decided", Tone::Unclear),
    ("true ", Tone::Good),
    ("false ", Tone::Bad),
    ("+ ", Tone::Good),
    ("- ", Tone::Bad),
];

/// The signs of a table.
const SIGNS: [(&str, Tone); 2] = [("✓", Tone::Good), ("✗", Tone::Bad)];

impl Style {
    /// A report with its headings, permissions and refusals in colour.
    pub fn coloured(self, report: &str) -> String {
        if !self.colour {
            return report.to_owned();
        }
        let mut text = String::with_capacity(report.len());
        let mut is_apart = true;
        for line in report.split_inclusive('\n') {
            let (line, end) = match line.strip_suffix('\n') {
                Some(line) => (line, "\n"),
                None => (line, ""),
            };
            text.push_str(&self.line(line, is_apart));
            text.push_str(end);
            is_apart = line.is_empty();
        }
        text
    }

    /// A line in colour; it is a heading if it is not indented and follows an empty line.
    fn line(self, line: &str, is_apart: bool) -> String {
        let words = line.trim_start_matches(' ');
        let is_indented = words.len() < line.len();
        let known: &[(&str, Tone)] = match is_indented {
            true => &INDENTED,
            false => &BEGINNINGS,
        };
        let found = known.iter().find_map(|(beginning, tone)| {
            let rest = words.strip_prefix(beginning)?;
            Some((beginning, rest, *tone))
        });
        if let Some((beginning, rest, tone)) = found {
            let indent = " ".repeat(line.len() - words.len());
            let (word, gap) = match beginning.strip_suffix(' ') {
                Some(word) => (word, " "),
                None => (*beginning, ""),
            };
            return format!("{indent}{}{gap}{rest}", self.toned(word, tone));
        }
        let has_sign = SIGNS.iter().any(|(sign, _)| line.contains(sign));
        match (has_sign, is_indented || !is_apart || line.is_empty()) {
            (true, _) => SIGNS.iter().fold(line.to_owned(), |line, (sign, tone)| {
                line.replace(sign, &self.toned(sign, *tone))
            }),
            (false, true) => line.to_owned(),
            (false, false) => self.bold(line),
        }
    }

    fn toned(self, text: &str, tone: Tone) -> String {
        match tone {
            Tone::Good => self.green(text),
            Tone::Bad => self.red(text),
            Tone::Unclear => self.yellow(text),
        }
    }
}
