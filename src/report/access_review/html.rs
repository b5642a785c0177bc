//! The access review as a page of HTML.

use super::wire;
use crate::html::old::{About, page};
use tarbac_analysis::access_review::AccessReview;
use tarbac_analysis::change::what_if::Premises;
use tarbac_host::decision::Provenance;

const SCRIPT: &str = include_str!("../html/access_review.js");

/// A self-contained page, for readers without tarbac.
pub fn html(review: &AccessReview, premises: &Premises, provenance: &Provenance) -> String {
    let data = wire::line(review, premises, provenance);
    let about = About {
        premises,
        states: &[provenance],
    };
    page("Who can do what", &about, SCRIPT, &data)
}
