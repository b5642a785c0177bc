//! What changes for whom, as one page that needs nothing else: the matrix, filters, and the changes.

use super::wire;
use crate::impact::Impact;
use crate::plan::Plan;
use crate::render::html::page;

const SCRIPT: &str = include_str!("../html/impact.js");

/// A page that can be sent to somebody who has no tarbac.
pub fn html(impact: &Impact, plan: Option<&Plan>) -> String {
    page("What changes for whom", SCRIPT, &wire::line(impact, plan))
}
