//! `tarbac access`: who can do what, through which role, and which assignments give nothing.

use std::slice::from_mut;

use cedar_policy::Context;
use tarbac_analysis::access_review::{PersonAccess, Review};
use tarbac_host::Workspace;
use tarbac_report as render;

use super::check::context;
use super::output::{Output, devices, note, progress};
use super::suppose::{say_premises, suppose};
use super::{Exit, Failure};
use crate::cli::{Access, Format, Global};

pub fn run(global: &Global, arguments: &Access, output: &mut Output) -> Result<Exit, Failure> {
    let (Workspace { engine, .. }, premises) = suppose(global, &arguments.changes)?;
    // What cannot be the context of one action is that of none.
    for action in engine.bundle().vocabulary().permissions() {
        context(&engine, &action.uid, &arguments.context)?;
    }
    let review = Review::new(&engine, |action| {
        context(&engine, &action.uid, &arguments.context).unwrap_or_else(|_| Context::empty())
    });
    let bar = progress("deciding");
    bar.set_length(review.classes() as u64);
    let mut standing = review.access(|| bar.inc(1));
    bar.finish_and_clear();
    let people = standing.people.len();
    let is_short = global.format == Format::Human && !arguments.all;
    if !is_short && global.format != Format::Ndjson {
        let bar = devices(people);
        let named = render::access_review::LISTED;
        review.detail(&mut standing.people, named, || bar.inc(1));
        review.support(&mut standing.people);
        bar.finish_and_clear();
    }
    if is_short {
        let shown = standing.people.iter_mut();
        shown
            .take(render::access_review::PEOPLE)
            .for_each(|holder| review.support(from_mut(holder)));
    }
    let provenance = engine.provenance();
    say_premises(&premises, global.format, output)?;
    match global.format {
        Format::Json => output.write(&render::access_review::document(
            &standing, &premises, provenance,
        ))?,
        Format::Ndjson => {
            let bar = devices(people);
            let in_full = |holder: &PersonAccess| {
                let mut holder = holder.clone();
                review.detail(from_mut(&mut holder), usize::MAX, || bar.inc(1));
                review.support(from_mut(&mut holder));
                holder
            };
            let lines = render::access_review::ndjson(&standing, &premises, provenance, in_full);
            output.write_lines(lines)?;
            bar.finish_and_clear();
        }
        Format::Csv => output.write_sheet(render::access_review::csv(&standing, &premises))?,
        Format::Markdown => output.write(&render::access_review::markdown(&standing))?,
        Format::Html => output.write(&render::access_review::html(
            &standing, &premises, provenance,
        ))?,
        _ => {
            let text = render::access_review::human(&standing, arguments.all, output.width());
            output.write(&text)?;
            output.write(&render::glossary::of(&text, &[&engine], output.width()))?;
        }
    }
    if standing.totals.decisions == 0 {
        note("nobody can ask for anything: is this the right workspace (-C)?\n");
    }
    Ok(match (standing.has_unknown(), standing.has_findings()) {
        (true, _) => Exit::Unanswered,
        (false, true) => Exit::No,
        (false, false) => Exit::Yes,
    })
}
