//! The making of a report: tenants, revisions, time and command; and its frame.

use maud::{Markup, html};

use super::form::copyable;
use super::frame::{Assets, Frame};
use super::head::{Head, command_button};
use super::icon::Icon;
use super::text::{Shown, ShownLines};
use crate::glossary;
use tarbac_host::decision::Provenance;
use tarbac_host::engine::Engine;

/// The script of reports: filters, buttons that copy and print.
const SCRIPT: &str = include_str!("report.js");

/// The time, command and states of a report, for readers who have nothing but the report.
#[derive(Debug, Clone)]
pub struct Colophon {
    /// The names of the tenants that it is about.
    pub tenants: Vec<String>,
    /// When it was made, for people.
    pub made_at: String,
    /// The command that made it, without its format.
    pub command: String,
    /// The two states that are compared by name, if both are named.
    pub states: Option<[String; 2]>,
}

impl Colophon {
    /// The command with a format that leaves nothing out.
    pub(crate) fn whole(&self, format: &str) -> String {
        format!("{} --format {format}", self.command)
    }

    /// The whole document of a report. `engines` are searched for the policies that it names.
    pub(crate) fn document(
        &self,
        title: &str,
        shape: Icon,
        main: &Markup,
        (provenance, engines): (&[&Provenance], &[&Engine]),
    ) -> String {
        let tenants = self.tenants.join(", ");
        let revisions: Vec<&str> = provenance.iter().map(|of| of.short_revision()).collect();
        let mut subtitle: Vec<String> = Vec::new();
        if !tenants.is_empty() {
            subtitle.push(format!("Tenant {tenants}"));
        }
        let word = if revisions.len() > 1 {
            "revisions"
        } else {
            "revision"
        };
        subtitle.push(format!("workspace {word} {}", revisions.join(" and ")));
        subtitle.push(self.made_at.clone());
        let head = Head {
            crumbs: &[],
            icon: shape,
            title,
            subtitle: &subtitle.join(" · "),
            commands: Some(html! { (command_button(Icon::Print, "Print", "print")) }),
        };
        let policies = glossary::docs(&main.0, engines);
        let main = html! {
            (head.markup())
            (main)
            @if !policies.is_empty() { (documented(&policies)) }
            section.card {
                h2 { "How this report was made" }
                (self.facts(provenance))
                (copyable("command", "Copy as command", &self.command))
            }
        };
        let frame = Frame {
            title: &format!("{title} · {tenants}"),
            assets: Assets::Inline { script: SCRIPT },
            home: None,
            tools: html! { (Shown(&tenants)) },
            navigation: None,
            main,
            footer: html! {
                p { "Made by tarbac " (Shown(&self.made_at)) ". Nothing was changed in the tenant. The report loads nothing and sends nothing." }
            },
        };
        frame.into_document()
    }

    /// The provenance of one state, or of those before and after.
    fn facts(&self, provenance: &[&Provenance]) -> Markup {
        let words: &[&str] = match provenance {
            [_] => &[""],
            _ => &[" before", " after"],
        };
        html! {
            dl.facts {
                @if !self.tenants.is_empty() { (fact("Tenant", &self.tenants.join(", "))) }
                (fact("Made", &self.made_at))
                @for (of, word) in provenance.iter().zip(words) {
                    (fact(&format!("Revision{word}"), &of.revision))
                    (fact(&format!("Rules{word}"), of.rules.word()))
                    (fact(&format!("Readings in force{word}"), &readings(of)))
                }
            }
        }
    }
}

fn fact(name: &str, value: &str) -> Markup {
    html! { div { dt { (Shown(name)) } dd { (Shown(value)) } } }
}

fn readings(provenance: &Provenance) -> String {
    match provenance.readings.as_slice() {
        [] => "none".to_owned(),
        readings => readings.join(", "),
    }
}

/// The documentation of policies that a report names.
fn documented(policies: &[(String, String)]) -> Markup {
    html! {
        details.card {
            summary { h2 { "What these policies say" } }
            dl.stack.tight {
                @for (id, doc) in policies {
                    div { dt { code { (Shown(id)) } } dd { (ShownLines(doc)) } }
                }
            }
        }
    }
}
