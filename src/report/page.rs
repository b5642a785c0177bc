//! Plain text in lines of limited width, without characters that a terminal obeys.

use unicode_width::UnicodeWidthStr;

use tarbac_host::lookup::visible;

/// The width that text is wrapped at where it goes to no terminal, in columns.
const WIDTH: usize = 100;

/// The narrowest that text is wrapped.
const NARROWEST: usize = 20;

/// Text that is written line by line.
#[derive(Debug)]
pub(super) struct Page {
    text: String,
    width: usize,
}

impl Page {
    /// A page as wide as a terminal, or of the width of text that goes to none.
    pub fn new(width: Option<usize>) -> Self {
        Self {
            text: String::new(),
            width: width.unwrap_or(WIDTH).max(NARROWEST),
        }
    }

    /// An empty page of the same width.
    pub fn another(&self) -> Self {
        Self::new(Some(self.width))
    }

    /// A heading, set apart from what is before it.
    pub fn heading(&mut self, text: &str) {
        self.apart();
        self.line(0, text);
    }

    /// Whether a text is one line of it.
    pub fn fits(&self, text: &str) -> bool {
        text.width() <= self.width
    }

    /// Whether nothing is on it.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// An empty line, except at the beginning.
    pub fn apart(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// A paragraph; what does not fit on its first line is indented two columns more.
    pub fn line(&mut self, indent: usize, text: &str) {
        self.hanging(indent, "", text, 2);
    }

    /// A paragraph after a mark, under which nothing stands.
    pub fn item(&mut self, indent: usize, mark: &str, text: &str) {
        self.hanging(indent, mark, text, mark.width());
    }

    /// Text whose lines stay as they are, such as a policy.
    pub fn verbatim(&mut self, indent: usize, text: &str) {
        for line in text.lines() {
            self.push(&format!("{}{line}", " ".repeat(indent)));
        }
    }

    /// Lines of another page.
    pub fn add(&mut self, lines: &str) {
        self.text.push_str(lines);
    }

    fn hanging(&mut self, indent: usize, mark: &str, text: &str, hang: usize) {
        let mut line = format!("{}{mark}", " ".repeat(indent));
        let mut is_empty = true;
        for word in words(text) {
            let width = line.width() + word.trim_end().width();
            if !is_empty && width > self.width {
                self.push(&line);
                line = " ".repeat(indent + hang);
            }
            line.push_str(word);
            is_empty = false;
        }
        self.push(&line);
    }

    fn push(&mut self, line: &str) {
        self.text.push_str(&visible(line.trim_end()));
        self.text.push('\n');
    }

    pub fn into_text(self) -> String {
        self.text
    }
}

/// Words, each with the blanks after it, so that columns stay columns.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(' ').unwrap_or(rest.len());
        let blanks = rest.get(word..).unwrap_or_default();
        let end = rest.len() - blanks.trim_start_matches(' ').len();
        let (one, others) = rest.split_at(end);
        words.push(one);
        rest = others;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::Page;

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
    fn a_word_longer_than_a_line_stays_whole() {
        let mut page = Page::new(None);
        page.line(0, &"x".repeat(120));
        assert_eq!(page.into_text(), format!("{}\n", "x".repeat(120)));
    }
}
