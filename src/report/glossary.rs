//! The documentation of the policies mentioned in a text.

use std::collections::BTreeSet;

use super::page::Page;
use tarbac_host::engine::Engine;

/// The documentation of each policy that a text names by its id, as a last paragraph of the text; empty where it names
/// none. The engines are searched in order.
pub fn paragraph(text: &str, engines: &[&Engine], width: Option<usize>) -> String {
    let is_in_id = |character: char| character.is_alphanumeric() || "._-".contains(character);
    let words = text.split(|character: char| !is_in_id(character));
    let words: BTreeSet<&str> = words.map(|word| word.trim_end_matches('.')).collect();
    let mut page = Page::new(width);
    for word in words {
        let mut bundles = engines.iter().map(|engine| engine.bundle());
        let doc = bundles.find_map(|bundle| bundle.policy(word)?.doc());
        if let Some(doc) = doc {
            page.line(2, &format!("{word}: {doc}"));
        }
    }
    match page.is_empty() {
        true => String::new(),
        false => format!("\nWhat these policies say\n{}", page.into_text()),
    }
}
