//! Filters of a table: words by which a script shows and hides rows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use maud::{Markup, html};

use super::text::Shown;
use tarbac_analysis::explain::Named;

/// The permissions and places of the rows of a table, each with a short word.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    permissions: Words,
    places: Words,
}

/// Names by identity, with the number that makes the word.
#[derive(Debug, Default)]
struct Words {
    known: BTreeMap<String, (usize, String)>,
}

impl Words {
    fn number(&mut self, id: String, name: &str) -> usize {
        let next = self.known.len();
        self.known
            .entry(id)
            .or_insert_with(|| (next, name.to_owned()))
            .0
    }

    /// The names with their words, in alphabetical order.
    fn sorted(&self, prefix: char) -> Vec<(String, &str)> {
        let known = self.known.values();
        let mut sorted: Vec<(String, &str)> = known
            .map(|(number, name)| (format!("{prefix}{number}"), name.as_str()))
            .collect();
        sorted.sort_by(|one, other| (one.1, &one.0).cmp(&(other.1, &other.0)));
        sorted
    }
}

impl Filters {
    /// The words of a row: its kind, permissions and places.
    pub(crate) fn keys<'n>(
        &mut self,
        kind: &str,
        permissions: &[&str],
        places: impl Iterator<Item = &'n Named>,
    ) -> String {
        let mut keys = kind.to_owned();
        for name in permissions {
            let number = self.permissions.number((*name).to_owned(), name);
            let _ = write!(keys, " p{number}");
        }
        for place in places {
            let number = self.places.number(place.uid.to_string(), &place.name);
            let _ = write!(keys, " u{number}");
        }
        keys
    }

    /// The form, which the script shows. `kinds` are the kinds of rows with their names, under a label.
    pub(crate) fn form(&self, label: &str, kinds: &[(&str, &str)]) -> Markup {
        let kinds: Vec<(String, &str)> = kinds
            .iter()
            .map(|(id, name)| ((*id).to_owned(), *name))
            .collect();
        html! {
            form.fields data-filter hidden aria-label="Filter" {
                div.field.wide {
                    label for="who" { "Account" }
                    input #who name="who" type="search" placeholder="Part of a name" autocomplete="off";
                }
                (select("kind", label, "Everything", &kinds))
                (select("permission", "Permission", "Every permission", &self.permissions.sorted('p')))
                (select("in", "In", "Everywhere", &self.places.sorted('u')))
                output.quiet role="status" data-shown {}
            }
        }
    }
}

fn select(name: &str, label: &str, all: &str, options: &[(String, &str)]) -> Markup {
    html! {
        @if options.len() > 1 {
            div.field {
                label for=(name) { (Shown(label)) }
                select #(name) name=(name) {
                    option value="" { (Shown(all)) }
                    @for (word, name) in options { option value=(word) { (Shown(name)) } }
                }
            }
        }
    }
}
