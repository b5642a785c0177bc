//! Self-contained pages of HTML: a filterable matrix of people and permissions.
//!
//! Each report has a script of its own, which fills the page.

use tarbac_analysis::change::what_if::Premises;
use tarbac_diagnostic::printable;
use tarbac_host::decision::Provenance;

const FRAME: &str = include_str!("frame.html");

const TITLE: &str = "the title";
const SCRIPT: &str = "/* the script */";
const ABOUT: &str = "<!-- what it was made with -->";
const DATA: &str = "\"the data\"";

/// The head of a page.
pub(crate) struct About<'a> {
    /// The premises, or the states that are compared.
    pub premises: &'a Premises,
    /// The provenance of one state, or of those before and after.
    pub states: &'a [&'a Provenance],
}

impl About<'_> {
    /// The head as paragraphs, which need no script.
    fn paragraphs(&self) -> String {
        let mut text = String::new();
        let mut paragraph = |said: &str| text.push_str(&format!("<p>{}</p>\n", escaped(said)));
        if let Some(sentence) = self.premises.sentence() {
            paragraph(&format!("{sentence}:"));
        }
        let typed: Vec<&str> = self.premises.all_typed().collect();
        if !typed.is_empty() {
            paragraph(&typed.join(", "));
        }
        for note in &self.premises.notes {
            paragraph(note);
        }
        let differ = self.states.len() > 1;
        for (state, word) in self.states.iter().zip(["before", "after"]) {
            let readings = match state.readings.as_slice() {
                [] => "none".to_owned(),
                readings => readings.join(", "),
            };
            let when = if differ {
                format!("{word}: ")
            } else {
                String::new()
            };
            let rules = state.rules.word();
            let revision = state.short_revision();
            paragraph(&format!(
                "{when}readings in force: {readings}; rules: {rules}, revision {revision}"
            ));
        }
        text
    }
}

fn escaped(text: &str) -> String {
    let text = printable::line(text);
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;")
}

/// A page with a title, the data of the report (JSON in one line), and the script that shows them.
pub(crate) fn page(title: &str, about: &About<'_>, script: &str, data: &str) -> String {
    // Nothing else could end the script.
    let data = data.replace('<', "\\u003c");
    let page = FRAME.replace(TITLE, title).replacen(SCRIPT, script, 1);
    // The data come last, so that no name in them is taken for a placeholder.
    let (head, tail) = page.split_once(DATA).unwrap_or((&page, ""));
    let head = head.replacen(ABOUT, &about.paragraphs(), 1);
    format!("{head}{data}{tail}")
}
