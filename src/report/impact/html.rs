//! The comparison of two states as a page of HTML.

use super::Report;
use crate::html::{About, page};

const SCRIPT: &str = include_str!("../html/impact.js");

impl Report<'_> {
    /// A page that can be sent to somebody who has no tarbac.
    pub fn html(&self) -> String {
        let about = About {
            premises: self.premises,
            states: &self.states,
        };
        page("What changes for whom", &about, SCRIPT, &self.line())
    }
}
