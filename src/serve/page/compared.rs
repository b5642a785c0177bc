//! A comparison that was made: gains, losses, and a first look.

mod plan;
mod result;

use maud::{Markup, html};
use tarbac_analysis::change::impact::Affected;
use tarbac_analysis::tenants::tenants;
use tarbac_report::html::{Colophon, Shown};

use super::job::Work;
use super::view::{Answer, View, ViewRequest};
use crate::clock;
use crate::explore::{Arguments, document};
use crate::fault::Fault;
use crate::jobs::ComparisonAnswer;

/// CSV, JSON, and a report to send.
const FORMATS: &[(&str, &str)] = &[
    ("Export CSV", "csv"),
    ("Export JSON", "json"),
    ("Save report", "html"),
];

/// The arguments without those about the form of a view.
pub(super) fn plain(given: &Arguments) -> Arguments {
    let shown = ["format", "page", "tab", "file"];
    shown
        .iter()
        .fold(given.clone(), |given, name| given.without(name))
}

/// A finished comparison, or a file of it. `name` is that of the files.
pub(super) fn done(
    asked: &ViewRequest,
    form: &Markup,
    comparison: &ComparisonAnswer,
    work: &Work<'_>,
    name: &str,
) -> Result<Answer, Fault> {
    let mut given = asked.given.clone();
    if let Some(number) = given.number("file")? {
        return plan::file(comparison, number);
    }
    if let Some(format) = given.text("format")? {
        return file(asked, comparison, name, &format);
    }
    let tab = given.text("tab")?;
    let page = given.number("page")?;
    let main = html! {
        details.question { summary { "Change the question" } (form) }
        @if let Some(sentence) = comparison.premises.sentence() {
            p.lead { (Shown(&sentence)) ":" }
        }
        @for note in &comparison.premises.notes { p.quiet { (Shown(note)) "." } }
        (result::summary(asked, comparison))
        (result::parts(asked, comparison, tab.as_deref(), page))
    };
    Ok(Answer::Page(View {
        equal: Some(asked.equal(work.typed, work.endpoint)),
        formats: FORMATS,
        ..View::new(main)
    }))
}

fn file(
    asked: &ViewRequest,
    comparison: &ComparisonAnswer,
    name: &str,
    format: &str,
) -> Result<Answer, Fault> {
    let report = comparison.report();
    let (kind, content) = match format {
        "json" => ("application/json", document(comparison)),
        "html" => {
            let engine = asked.served.engine.as_ref();
            let colophon = Colophon {
                tenants: tenants(engine).into_iter().map(|of| of.name).collect(),
                made_at: clock::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
                command: comparison.command.clone(),
                states: comparison.names.clone(),
            };
            // Its devices are named already.
            let in_full = |affected: &Affected, _| affected.clone();
            let page = report.html(&colophon, (&[engine], false), in_full);
            ("text/html; charset=utf-8", page)
        }
        _ => {
            let table = report.csv().map_err(|_| Fault::broken())?;
            ("text/csv; charset=utf-8", table)
        }
    };
    let end = match format {
        "json" | "html" => format,
        _ => "csv",
    };
    Ok(Answer::File(format!("{name}.{end}"), kind, content))
}
