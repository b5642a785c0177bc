//! What changes for whom, as one page that needs nothing else: the matrix, filters, and the changes.

use super::wire;
use crate::impact::Impact;

const PAGE: &str = include_str!("page.html");

/// Where the data goes.
const DATA: &str = "\"the data\"";

/// A page that can be sent to somebody who has no tarbac.
pub fn html(impact: &Impact) -> String {
    // In a script, only this could end it.
    let data = wire::line(impact).replace('<', "\\u003c");
    PAGE.replacen(DATA, &data, 1)
}
