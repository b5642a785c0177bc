//! `tarbac access`: the access review.

use std::slice::from_mut;

use clap::Args;
use tarbac_analysis::access_review::{AccessReview, PersonAccess, Review};
use tarbac_analysis::inquiry;
use tarbac_host::Workspace;
use tarbac_report as render;

use super::colophon::colophon;
use super::context::ContextArgs;
#[cfg(feature = "fleet")]
use super::fleet::EachArgs;
use super::suppose::{ChangesArgs, suppose, write_premises};
use crate::arguments::format::{REPORTS, format_among};
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, devices, note, progress};

/// Report who can do what, through which role, and which assignments give nothing.
///
/// Decides about every person, permission and device. Shows, for each role, who can use it and how much it allows;
/// permissions that a role grants and another rule refuses, with the most frequent rules; permissions that are allowed
/// and cannot be reached, because their page is refused; and the permissions of people, with the group and role
/// assignment that give them. People with the same access are listed together.
///
/// An assignment gives nothing if its role allows nothing, and no decision changes without the assignment. All
/// assignments listed as giving nothing can be removed together. Not listed are assignments that allow nothing themselves, but
/// are needed for another permission (Configuration Manager requires some Intune role); assignments of disabled
/// accounts, which get their roles back when they are enabled; and eligible memberships.
///
/// Exit status: 0 every granted permission works and every assignment gives something, 1 otherwise, 2 a decision is
/// indeterminate.
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
    /// `tarbac what --all` lists the devices of a person.
    #[arg(long)]
    pub all: bool,

    /// The context of the requests.
    #[command(flatten)]
    pub context: ContextArgs,

    /// The changes to suppose.
    #[command(flatten)]
    pub changes: ChangesArgs,

    /// Several workspaces.
    #[cfg(feature = "fleet")]
    #[command(flatten)]
    pub each: EachArgs,
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &AccessArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    #[cfg(feature = "fleet")]
    return arguments.each.run(global, output, |global, output| {
        report(global, arguments, output)
    });
    #[cfg(not(feature = "fleet"))]
    report(global, arguments, output)
}

fn report(
    global: &GlobalArgs,
    arguments: &AccessArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (Workspace { engine, .. }, premises) = suppose(global, &arguments.changes)?;
    let review = inquiry::review(&engine, &arguments.context.given()?)?;
    let bar = progress("deciding");
    bar.set_length(review.classes() as u64);
    let mut access = review.access(|| bar.inc(1));
    bar.finish_and_clear();
    fill_in(&review, &mut access, global.format, arguments.all);
    let provenance = engine.provenance();
    write_premises(&premises, global.format, output)?;
    match global.format {
        Format::Json => output.write(&render::access_review::document(
            &access, &premises, provenance,
        ))?,
        Format::Ndjson => {
            let bar = devices(access.people.len());
            let in_full = |person: &PersonAccess| {
                let mut person = person.clone();
                review.detail(from_mut(&mut person), usize::MAX, || bar.inc(1));
                review.support(from_mut(&mut person));
                person
            };
            let lines = render::access_review::ndjson(&access, &premises, provenance, in_full);
            output.write_lines(lines)?;
            bar.finish_and_clear();
        }
        Format::Csv => output.write_sheet(render::access_review::csv(&access, &premises))?,
        Format::Markdown => output.write(&render::access_review::markdown(&access))?,
        Format::Html => {
            let in_full = |person: &PersonAccess, named: usize| {
                let mut person = person.clone();
                review.detail(from_mut(&mut person), named, || {});
                review.support(from_mut(&mut person));
                person
            };
            let colophon = colophon(&engine, None);
            let how = (&engine, arguments.all);
            let page = render::access_review::html(&access, &premises, &colophon, how, in_full);
            output.write(&page)?;
        }
        _ => {
            let text = render::access_review::human(&access, arguments.all, output.width());
            output.write(&text)?;
            output.write(&render::glossary::paragraph(
                &text,
                &[&engine],
                output.width(),
            ))?;
        }
    }
    if access.totals.decisions == 0 {
        note("no request is possible: is this the right workspace (-C)?\n");
    }
    Ok(match (access.has_unknown(), access.has_findings()) {
        (true, _) => Exit::Unanswered,
        (false, true) => Exit::No,
        (false, false) => Exit::Yes,
    })
}

/// Fills in devices and supports in the rows that the format shows. NDJSON and HTML do so row by row.
fn fill_in(review: &Review<'_>, access: &mut AccessReview, format: Format, all: bool) {
    let is_short = format == Format::Human && !all;
    if is_short {
        let shown = access.people.iter_mut();
        shown
            .take(render::access_review::PEOPLE)
            .for_each(|person| review.support(from_mut(person)));
    } else if !matches!(format, Format::Ndjson | Format::Html) {
        let bar = devices(access.people.len());
        let named = render::access_review::LISTED;
        review.detail(&mut access.people, named, || bar.inc(1));
        review.support(&mut access.people);
        bar.finish_and_clear();
    }
}
