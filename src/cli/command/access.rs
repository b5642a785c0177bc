//! `tarbac access`: who can do what, through which role, and which assignments give nothing.

use std::slice::from_mut;

use cedar_policy::Context;
use clap::Args;
use tarbac_analysis::access_review::{PersonAccess, Review};
use tarbac_host::Workspace;
use tarbac_report as render;

use super::context::{ContextArgs, context};
use super::suppose::{ChangesArgs, say_premises, suppose};
use crate::arguments::format::{REPORTS, format_among};
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, devices, note, progress};

/// Report who can do what, through which role, and which assignments give nothing.
///
/// Decides about everybody and everything. Shows for each role who can use it and how much it allows; what
/// a role grants and something else refuses, and what refuses it most; what is allowed and cannot be reached,
/// because the page that carries it is refused; and people together with those for whom exactly the same
/// holds, with the group and role assignment through which it does.
///
/// An assignment gives nothing if nothing is allowed by its role, and if no decision about anybody changes
/// without it: all that are said to give nothing can go at once. One that allows nothing, but without which
/// somebody would be refused, is not among them: Configuration Manager asks for any Intune role. Nor is one of an
/// account that is disabled, which has its roles again when it is enabled, or of a membership that somebody
/// can activate.
///
/// Exit status: 0 whatever is granted works and every assignment gives something, 1 not so, 2 something could
/// not be decided.
#[derive(Debug, Args)]
#[command(arg = format_among(REPORTS), after_help = "\
Examples:
  tarbac access
  tarbac access --all --format csv > access.csv
  tarbac access --format html > access.html
  tarbac access --no-reading any-intune-role   as if each role gave only what it has")]
pub(crate) struct AccessArgs {
    /// Show every row, with the collections that the devices are in.
    ///
    /// `tarbac what` with --all lists the devices of a person.
    #[arg(long)]
    pub all: bool,

    /// What else is known about the requests.
    #[command(flatten)]
    pub context: ContextArgs,

    /// What is supposed.
    #[command(flatten)]
    pub changes: ChangesArgs,
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &AccessArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
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
