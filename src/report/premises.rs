//! The premises of an answer: the changes that it supposes.

use schemars::JsonSchema;
use serde::Serialize;

use super::matrix::in_markdown;
use super::page::Page;
use tarbac_analysis::change::what_if::Premises;

/// The premises as a paragraph before an answer; empty without premises. `width` is that of the terminal, in columns.
pub fn human(premises: &Premises, width: Option<usize>) -> String {
    let mut page = Page::new(width);
    if let Some(sentence) = premises.sentence() {
        page.line(0, &format!("{sentence}:"));
    }
    for note in &premises.notes {
        page.line(2, note);
    }
    page.apart();
    page.into_text()
}

/// The premises in Markdown.
pub fn markdown(premises: &Premises) -> String {
    let mut text = String::new();
    if let Some(sentence) = premises.sentence() {
        text.push_str(&format!("{}:\n\n", in_markdown(&sentence)));
    }
    for note in &premises.notes {
        text.push_str(&format!("{}.\n\n", in_markdown(note)));
    }
    text
}

/// The premises as the beginning of a sentence that ends with what follows from them: `If …, `. Flags for files and
/// readings are put into words. Empty without premises.
pub(super) fn opening(premises: &Premises) -> String {
    let said = premises.says.iter().cloned();
    let besides = premises.besides.iter().map(|flag| in_words(flag));
    let mut clauses: Vec<String> = said.chain(besides).collect();
    // All of it held before.
    if clauses.is_empty() {
        clauses.extend(premises.typed.iter().cloned());
    }
    let joined = match clauses.split_last() {
        None => return String::new(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    };
    format!("If {joined}, ")
}

/// A flag for files or readings as a clause.
pub(super) fn in_words(flag: &str) -> String {
    let said = [
        ("--reading ", "the reading", " is in force"),
        ("--no-reading ", "the reading", " is not in force"),
        ("--policies ", "the policies are those in", ""),
        ("--schema ", "the schema is that in", ""),
        ("--entities ", "the entities are those in", ""),
    ];
    let clause = said.into_iter().find_map(|(start, before, after)| {
        let value = flag.strip_prefix(start)?;
        Some(format!("{before} {value}{after}"))
    });
    clause.unwrap_or_else(|| flag.to_owned())
}

/// The premises for programs.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PremisesDocument<'p> {
    changes: Vec<&'p str>,
    supposed: &'p [String],
    notes: &'p [String],
}

impl<'p> PremisesDocument<'p> {
    pub(crate) fn new(premises: &'p Premises) -> Self {
        Self {
            changes: premises.all_typed().collect(),
            supposed: &premises.says,
            notes: &premises.notes,
        }
    }

    /// The document of some premises; `None` where nothing is supposed.
    pub(crate) fn if_any(premises: &'p Premises) -> Option<Self> {
        (!premises.is_empty()).then(|| Self::new(premises))
    }
}
