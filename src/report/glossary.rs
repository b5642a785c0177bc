//! The documentation of the policies mentioned in a text.

use std::collections::BTreeSet;

use super::page::Page;
use tarbac_host::engine::Engine;

/// The documentation of each policy that a text names by its id, as a last paragraph of the text; empty where it names
/// none. The engines are searched in order.
pub fn paragraph(text: &str, engines: &[&Engine], width: Option<usize>) -> String {
    let mut page = Page::new(width);
    for (id, doc) in docs(text, engines) {
        page.line(2, &format!("{id}: {doc}"));
    }
    match page.is_empty() {
        true => String::new(),
        false => format!("\nWhat these policies say\n{}", page.into_text()),
    }
}

/// The ids of the policies that a text names, sorted, with their documentation. The engines are searched in order.
pub(super) fn docs(text: &str, engines: &[&Engine]) -> Vec<(String, String)> {
    let is_in_id = |character: char| character.is_alphanumeric() || "._-".contains(character);
    let words = text.split(|character: char| !is_in_id(character));
    let words: BTreeSet<&str> = words.map(|word| word.trim_end_matches('.')).collect();
    let documented = words.into_iter().filter_map(|word| {
        let mut bundles = engines.iter().map(|engine| engine.bundle());
        let doc = bundles.find_map(|bundle| bundle.policy(word)?.doc())?;
        Some((word.to_owned(), doc.to_owned()))
    });
    documented.collect()
}
