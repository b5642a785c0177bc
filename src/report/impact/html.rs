//! The comparison of two states as a document of HTML, whole and in parts.

mod changes;
mod first;
mod summary;

use maud::{Markup, html};

use super::{ImpactReport, plan};
use crate::html::{Colophon, Icon, Limits};
use tarbac_analysis::change::impact::Affected;
use tarbac_host::engine::Engine;

impl ImpactReport<'_> {
    /// A self-contained document, for readers without tarbac. It stays below 10 MB; with `all`, that is its only limit.
    /// `in_full` fills in the details of one person at a time, and gets the number of devices to name. `engines` are
    /// searched for the policies that are named.
    pub fn html(
        &self,
        colophon: &Colophon,
        (engines, all): (&[&Engine], bool),
        in_full: impl Fn(&Affected, usize) -> Affected,
    ) -> String {
        let main = html! {
            (self.summary(colophon))
            (self.pictures())
            (self.look_at(&colophon.whole("csv")))
            @if let Some(plan) = self.plan() { (plan::html::section(&self.impact.totals, plan)) }
            (self.changes(&colophon.whole("csv"), Limits::new(all), in_full))
        };
        let title = match colophon.states {
            Some(_) => "Changes of access",
            None => "What if: changes of access",
        };
        colophon.document(title, Icon::Compare, &main, (&self.states, engines))
    }

    /// The changes in a sentence, and the numbers.
    pub fn summary(&self, colophon: &Colophon) -> Markup {
        summary::section(self, colophon.states.as_ref())
    }

    /// Bars of gains and losses by place and by permission; empty where nothing changes.
    pub fn pictures(&self) -> Markup {
        summary::pictures(self.impact)
    }

    /// The changes that deserve a look first; empty where none does. `whole` is a command that lists everything.
    pub fn look_at(&self, whole: &str) -> Markup {
        first::section(self, whole)
    }

    /// The changes by people, with a form that filters them.
    fn changes(
        &self,
        whole: &str,
        limits: Limits,
        in_full: impl Fn(&Affected, usize) -> Affected,
    ) -> Markup {
        changes::section(&self.impact.people, whole, limits, in_full)
    }
}
