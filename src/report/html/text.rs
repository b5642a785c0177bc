//! Texts and counts in templates.
//!
//! A template escapes what HTML would read. [`Shown`] also replaces the characters that change the direction of writing
//! or have another effect instead of a shape, so that a name looks like what it is.

use maud::Render;

use crate::tally::digits;
use tarbac_diagnostic::printable;

/// A text in one line, without characters that are obeyed.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'t>(pub &'t str);

impl Render for Shown<'_> {
    fn render_to(&self, buffer: &mut String) {
        printable::line(self.0).render_to(buffer);
    }
}

/// A text in several lines, such as a policy, without characters that are obeyed.
#[derive(Debug, Clone, Copy)]
pub struct ShownLines<'t>(pub &'t str);

impl Render for ShownLines<'_> {
    fn render_to(&self, buffer: &mut String) {
        printable::lines(self.0).render_to(buffer);
    }
}

/// A count with its digits in groups of three.
#[derive(Debug, Clone, Copy)]
pub struct Count(pub u64);

impl Render for Count {
    fn render_to(&self, buffer: &mut String) {
        buffer.push_str(&digits(self.0));
    }
}
