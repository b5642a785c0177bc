//! Line breaks of a text at a width in terminal columns.

use std::borrow::Cow;

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

/// The lines of a text with at most `width` columns, unless a single word is wider. The first line begins with
/// `first`, the others with `others`.
pub fn lines<'t>(text: &'t str, width: usize, first: &str, others: &str) -> Vec<Cow<'t, str>> {
    let options = Options::new(width)
        .initial_indent(first)
        .subsequent_indent(others)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .wrap_algorithm(WrapAlgorithm::FirstFit)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::wrap(text, options)
}
