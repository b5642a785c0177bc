//! A decision log that was decided again.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::page::Page;
use super::words::counted;
use super::{Style, VERSION, provenance};
use crate::schema;
use tarbac_analysis::replay::{
    NotReplayed, Replay, ReplayedName, TurnedPolicy, TurnedRequest, TurnedSearch, WhyNot,
};
use tarbac_host::Decision;
use tarbac_host::decision::Provenance;

/// So many people, policies, searches and lines are shown.
pub const SHOWN: usize = 20;

/// The JSON Schema of a replay.
pub const SCHEMA: fn() -> String =
    schema::text::<super::provenance::With<'static, Document<'static>>>;

#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    version: u32,
    same: bool,
    replay: &'a Replay,
}

/// The replay as JSON, with what it was decided again with.
pub fn document(replay: &Replay, provenance: &Provenance) -> String {
    let document = Document {
        version: VERSION,
        same: replay.is_same(),
        replay,
    };
    provenance::document(document, provenance)
}

/// The replay for people; with `all`, every row.
pub fn human(
    replay: &Replay,
    provenance: &Provenance,
    all: bool,
    (style, width): (Style, Option<usize>),
) -> String {
    let mut page = Page::new(width);
    let shown = if all { usize::MAX } else { SHOWN };
    if !replay.policies.is_empty() {
        page.heading("By policy");
        let policies = replay.policies.iter();
        for (policy, turned) in policies.take(shown) {
            page.line(2, &format!("{policy}: {}", in_words(turned)));
        }
        more(&mut page, replay.policies.len(), shown);
    }
    if !replay.people.is_empty() {
        page.heading("By person");
        for (person, turned) in replay.people.iter().take(shown) {
            page.line(2, &person.name);
            for ((action, was, now), requests) in turned {
                request(&mut page, action, (*was, *now), requests);
            }
        }
        more(&mut page, replay.people.len(), shown);
    }
    if !replay.searches.is_empty() {
        page.heading("Searches");
        for search in replay.searches.iter().take(shown) {
            page.line(2, &searched(search));
        }
        more(&mut page, replay.searches.len(), shown);
    }
    if !replay.not_replayed.is_empty() {
        page.heading("Not decided again");
        for line in replay.not_replayed.iter().take(shown) {
            page.line(2, &not_replayed(line));
        }
        let lines = usize::try_from(replay.impossible).unwrap_or(usize::MAX);
        more(&mut page, lines, shown);
    }
    page.apart();
    let text = page.into_text();
    let rules = match replay.revisions.len() {
        0 => provenance::human(provenance, width),
        count => format!("each with its own of {}\n", counted(count, "revision")),
    };
    format!("{text}{}{rules}", sum(replay, style))
}

/// The last sentence.
fn sum(replay: &Replay, style: Style) -> String {
    let records = counted(count(replay.records), "record");
    let verdict = match (replay.is_same(), replay.is_whole()) {
        (true, true) => style.green("same"),
        (true, false) => style.yellow("not all could be decided again"),
        (false, _) => style.red("different"),
    };
    let mut parts = vec![format!("{} as they were", replay.same)];
    if replay.for_other_reasons > 0 {
        let other = replay.for_other_reasons;
        parts.push(format!("{other} of them for other reasons"));
    }
    if replay.otherwise > 0 {
        parts.push(format!("{} otherwise", replay.otherwise));
    }
    if replay.impossible > 0 {
        let lines = counted(count(replay.impossible), "line");
        parts.push(format!("{lines} not decided again"));
    }
    format!("{verdict}: {records}, {}\n", parts.join(", "))
}

/// How often a policy makes which difference.
fn in_words(turned: &TurnedPolicy) -> String {
    let counts = [
        (turned.gained, "allowed that were not"),
        (turned.lost, "no longer allowed"),
        (turned.other, "refused otherwise"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    counts.join(", ")
}

fn request(
    page: &mut Page,
    action: &str,
    (was, now): (Decision, Decision),
    requests: &TurnedRequest,
) {
    let on: Vec<&str> = requests
        .resources
        .iter()
        .map(|of| of.name.as_str())
        .collect();
    let of = counted(count(requests.count), "request");
    let more = match count(requests.count) > on.len() {
        true => ", …",
        false => "",
    };
    let (was, now) = (was.word(), now.word());
    page.line(
        4,
        &format!(
            "{action}: {was} before, {now} now; {of}: {}{more}",
            on.join(", ")
        ),
    );
    let listed = |of: &BTreeSet<String>| of.iter().cloned().collect::<Vec<_>>().join(", ");
    for (what, of) in [
        ("no longer by", &requests.no_longer),
        ("now by", &requests.newly),
        ("because", &requests.errors),
    ] {
        if !of.is_empty() {
            page.line(6, &format!("{what} {}", listed(of)));
        }
    }
}

fn searched(search: &TurnedSearch) -> String {
    let name = |of: &Option<ReplayedName>| of.as_ref().map(|of| of.name.clone());
    let about = [
        name(&search.subject),
        search.action.clone(),
        name(&search.resource),
    ];
    let about: Vec<String> = about.into_iter().flatten().collect();
    let (was, now) = (search.was, search.now);
    let undecided = match was.undecided == now.undecided {
        true => String::new(),
        false => format!(
            ", {} undecided before, {} now",
            was.undecided, now.undecided
        ),
    };
    format!(
        "line {}, {} of {}: {} found before, {} now{undecided}",
        search.line,
        search.endpoint,
        about.join(", "),
        was.total,
        now.total
    )
}

fn not_replayed(line: &NotReplayed) -> String {
    let why = match &line.why {
        WhyNot::NoRecord { message } => format!("no record of a decision log ({message})"),
        WhyNot::Version { version } => format!("of version {version} of the log"),
        WhyNot::Omitted { pointer } => format!("{pointer} was left out of it"),
        WhyNot::NoRequest => "it has a decision, and no request".to_owned(),
        WhyNot::NoRevision { message } => message.clone(),
    };
    format!("line {}: {why}", line.line)
}

/// How many rows are left.
fn more(page: &mut Page, rows: usize, shown: usize) {
    if let Some(left @ 1..) = rows.checked_sub(shown) {
        page.line(2, &format!("and {left} more (--all)"));
    }
}

fn count(of: u64) -> usize {
    usize::try_from(of).unwrap_or(usize::MAX)
}
