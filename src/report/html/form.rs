//! Fields of forms, and texts to copy.

use maud::{Markup, html};

use super::icon::{Icon, icon};
use super::text::{Shown, ShownLines};

/// A field of text.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextField<'a> {
    /// The name that the form sends; the id of the input is the same.
    pub name: &'a str,
    /// The label.
    pub label: &'a str,
    /// The value.
    pub value: &'a str,
    /// An example of a value; may be empty.
    pub placeholder: &'a str,
    /// A sentence of help; may be empty.
    pub hint: &'a str,
    /// What is wrong with the value; empty if nothing is.
    pub wrong: &'a str,
    /// The kind of names that a script completes (`data-find`); empty if none.
    pub find: &'a str,
    /// Whether it takes the room that is left.
    pub is_wide: bool,
}

impl TextField<'_> {
    /// The field as markup.
    pub fn markup(&self) -> Markup {
        let said =
            |text: &str, end: &str| (!text.is_empty()).then(|| format!("{}-{end}", self.name));
        let (hint, wrong) = (said(self.hint, "hint"), said(self.wrong, "wrong"));
        let described: Vec<&str> = [&hint, &wrong]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let described = (!described.is_empty()).then(|| described.join(" "));
        let optional = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        html! {
            div.field.wide[self.is_wide] {
                label for=(self.name) { (Shown(self.label)) }
                input #(self.name) type="text" name=(self.name) value=(self.value) autocomplete="off" spellcheck="false"
                    placeholder=[optional(self.placeholder)] aria-describedby=[described]
                    aria-invalid=[wrong.is_some().then_some("true")] data-find=[optional(self.find)];
                @if let Some(id) = hint { span.hint #(id) { (Shown(self.hint)) } }
                @if let Some(id) = wrong { span.wrong #(id) { (Shown(self.wrong)) } }
            }
        }
    }
}

/// A choice of one of several: the values that the form sends, with their names.
pub fn choice(name: &str, label: &str, options: &[(&str, &str)], chosen: &str) -> Markup {
    html! {
        div.field {
            label for=(name) { (Shown(label)) }
            select #(name) name=(name) {
                @for (value, words) in options {
                    option value=(value) selected[*value == chosen] { (Shown(words)) }
                }
            }
        }
    }
}

/// A box that is ticked or not, sent as `name=value`.
pub fn tick(name: &str, value: &str, label: &str, is_ticked: bool) -> Markup {
    let id = format!("{name}-{value}");
    html! {
        div.field.check {
            input #(id) type="checkbox" name=(name) value=(value) checked[is_ticked];
            label for=(id) { (Shown(label)) }
        }
    }
}

/// The button that sends a form.
pub fn submit(words: &str) -> Markup {
    html! { button.primary type="submit" { (Shown(words)) } }
}

/// A text to copy, folded away under its title: a command line, a body of a request. The button is shown by the script,
/// which finds it by `data-copy`.
pub fn copyable(id: &str, title: &str, text: &str) -> Markup {
    html! {
        details.command {
            summary { (Shown(title)) }
            div.stack.tight {
                pre { code #(id) { (ShownLines(text)) } }
                div.row { button type="button" data-copy=(id) hidden { (icon(Icon::Copy)) "Copy" } }
            }
        }
    }
}

/// Several lines of source, such as a policy.
pub fn source(text: &str) -> Markup {
    html! { pre.source { code { (ShownLines(text)) } } }
}
