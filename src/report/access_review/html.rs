//! The access review as a document of HTML, and its parts for other pages.

mod findings;
mod people;
mod summary;

use maud::{Markup, html};

use crate::html::{Colophon, Icon, Limits};
use crate::premises;
use tarbac_analysis::access_review::{AccessReview, PersonAccess};
use tarbac_analysis::change::what_if::Premises;
use tarbac_host::engine::Engine;

/// A self-contained document, for readers without tarbac. It stays below 10 MB; with `all`, that is its only limit.
/// `in_full` fills in the details of one person at a time, and gets the number of devices to name.
pub fn html(
    review: &AccessReview,
    premises: &Premises,
    colophon: &Colophon,
    (engine, all): (&Engine, bool),
    in_full: impl Fn(&PersonAccess, usize) -> PersonAccess,
) -> String {
    let main = html! {
        (summary(review, premises))
        (pictures(review))
        (findings(review))
        (people::section(&review.people, &colophon.whole("csv"), Limits::new(all), in_full))
    };
    let provenance = &[&**engine.provenance()];
    let made = (&provenance[..], &[engine][..]);
    colophon.document("Access review", Icon::Assignment, &main, made)
}

/// The access of everybody in a sentence, and the numbers.
pub fn summary(review: &AccessReview, premises: &Premises) -> Markup {
    summary::section(
        &review.totals,
        &premises::opening(premises),
        &premises.notes,
    )
}

/// Bars by role, and a heat map of who may do what where.
pub fn pictures(review: &AccessReview) -> Markup {
    summary::pictures(review)
}

/// The policies that refuse granted permissions, and redundant assignments, a table each.
pub fn findings(review: &AccessReview) -> Markup {
    findings::section(review)
}
