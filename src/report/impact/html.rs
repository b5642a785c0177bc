//! The comparison of two states as a page of HTML.

use super::ImpactReport;
use crate::html::old::{About, page};

const SCRIPT: &str = include_str!("../html/impact.js");

impl ImpactReport<'_> {
    /// A self-contained page, for readers without tarbac.
    pub fn html(&self) -> String {
        let about = About {
            premises: self.premises,
            states: &self.states,
        };
        page("What changes for whom", &about, SCRIPT, &self.line())
    }
}
