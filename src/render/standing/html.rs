//! Who can do what, as one page that needs nothing else.

use super::wire;
use crate::render::html::page;
use crate::standing::Standing;
use crate::what_if::Premises;

const SCRIPT: &str = include_str!("../html/standing.js");

/// A page that can be sent to somebody who has no tarbac.
pub fn html(standing: &Standing, premises: &Premises) -> String {
    page("Who can do what", SCRIPT, &wire::line(standing, premises))
}
