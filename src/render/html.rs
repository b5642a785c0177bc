//! Pages that need nothing else: a matrix of people and permissions with filters, for somebody who has no
//! tarbac. What a report is about is said by a script of its own.

const FRAME: &str = include_str!("html/frame.html");

const TITLE: &str = "the title";
const SCRIPT: &str = "/* the script */";
const DATA: &str = "\"the data\"";

/// A report of this title, whose script says what its data, JSON in one line, is about.
pub(super) fn page(title: &str, script: &str, data: &str) -> String {
    // In a script, only this could end it.
    let data = data.replace('<', "\\u003c");
    let page = FRAME.replace(TITLE, title).replacen(SCRIPT, script, 1);
    page.replacen(DATA, &data, 1)
}
