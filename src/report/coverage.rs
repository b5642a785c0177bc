//! Coverage: a table and listings for people, LCOV and Cobertura for tools.

pub(super) mod cobertura;
pub(super) mod lcov;
pub(super) mod listing;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Style;
use tarbac_analysis::matrix::tables;
use tarbac_assurance::coverage::{ClauseCovered, Coverage, Covered, Seen};
use tarbac_diagnostic::printable;

/// The coverage of policies in JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CoverageWire<'a> {
    percent: f64,
    met: usize,
    asked: usize,
    policies: Vec<PolicyWire<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct PolicyWire<'a> {
    policy: &'a str,
    file: &'a str,
    line: Option<usize>,
    decided: u64,
    exempt: Option<&'a str>,
    clauses: Vec<ClauseWire<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ClauseWire<'a> {
    clause: &'a str,
    line: Option<usize>,
    r#true: u64,
    r#false: u64,
    difference: u64,
    exempt: Option<&'a str>,
}

/// A table of the policies, the conditions that no case covers, and the sum.
pub fn human(coverage: &Coverage, style: Style) -> String {
    let mut text = String::new();
    for policy in &coverage.policies {
        let missing = missing(policy);
        if missing.is_empty() {
            continue;
        }
        let line = line(&policy.place);
        let file = printable::line(&policy.place.source.name);
        text += &format!("\n{}  {file}:{line}\n", policy.policy);
        for line in missing {
            text += &format!("    {line}\n");
        }
    }
    let (met, asked) = coverage.aims();
    let sum = format!("coverage: {:.1} % ({met} of {asked})", coverage.percent());
    let sum = match met == asked {
        true => style.green(&sum),
        false => sum,
    };
    let text = format!("{text}\n{sum}\n");
    table(coverage, style.columns) + &style.fitted(&text)
}

/// For each policy the number of requests that it decided, and of its clauses that were true, were false, and made the
/// difference.
fn table(coverage: &Coverage, width: Option<usize>) -> String {
    let headings = ["policy", "decided", "clauses", "true", "false", "decisive"];
    let rows = coverage.policies.iter().map(|policy| {
        if let Some(reason) = &policy.exempt {
            return vec![policy.policy.clone(), "exempt".to_owned(), reason.clone()];
        }
        let mut met = [0; 3];
        for clause in &policy.clauses {
            for (sum, is_met) in met.iter_mut().zip(clause.seen.aims()) {
                *sum += usize::from(is_met);
            }
        }
        let numbers = std::iter::once(policy.clauses.len()).chain(met);
        [policy.policy.clone(), policy.decided.to_string()]
            .into_iter()
            .chain(numbers.map(|number| number.to_string()))
            .collect()
    });
    let rows: Vec<Vec<String>> = rows.collect();
    tables(&headings.map(str::to_owned), &rows, width)
}

/// The parts of a policy that no case covers, in words.
fn missing(policy: &Covered) -> Vec<String> {
    let mut lines = Vec::new();
    if policy.exempt.is_some() {
        return lines;
    }
    if policy.decided == 0 {
        lines.push("decides no case".to_owned());
    }
    for clause in policy
        .clauses
        .iter()
        .filter(|clause| clause.exempt.is_none())
    {
        let words: Vec<&str> = clause
            .seen
            .aims()
            .into_iter()
            .zip(["true", "false", "decisive"])
            .filter(|(met, _)| !met)
            .map(|(_, word)| word)
            .collect();
        if !words.is_empty() {
            lines.push(format!("{}: never {}", clause.text, words.join(", never ")));
        }
    }
    lines
}

/// The JSON of the coverage.
pub fn wire(coverage: &Coverage) -> CoverageWire<'_> {
    let (met, asked) = coverage.aims();
    CoverageWire {
        percent: (coverage.percent() * 100.0).round() / 100.0,
        met,
        asked,
        policies: coverage.policies.iter().map(policy_wire).collect(),
    }
}

fn policy_wire(policy: &Covered) -> PolicyWire<'_> {
    PolicyWire {
        policy: &policy.policy,
        file: &policy.place.source.name,
        line: policy.place.line(),
        decided: policy.decided,
        exempt: policy.exempt.as_deref(),
        clauses: policy.clauses.iter().map(clause_wire).collect(),
    }
}

fn clause_wire(clause: &ClauseCovered) -> ClauseWire<'_> {
    let Seen { yes, no, decisive } = clause.seen;
    ClauseWire {
        clause: &clause.text,
        line: clause.place.line(),
        r#true: yes,
        r#false: no,
        difference: decisive,
        exempt: clause.exempt.as_deref(),
    }
}

/// The policies by their files, both in order.
fn by_file(coverage: &Coverage) -> BTreeMap<&str, Vec<&Covered>> {
    let mut files: BTreeMap<&str, Vec<&Covered>> = BTreeMap::new();
    for policy in &coverage.policies {
        files
            .entry(&policy.place.source.name)
            .or_default()
            .push(policy);
    }
    files
}

/// The line of a place, counted from 1.
fn line(place: &tarbac_diagnostic::source::Place) -> usize {
    place.line().unwrap_or(1)
}

/// The line on which the body of a policy begins, below its annotations.
fn head(policy: &Covered) -> usize {
    let place = &policy.place;
    let start = usize::try_from(place.start).unwrap_or_default();
    let end = usize::try_from(place.end).unwrap_or_default();
    let text = place.source.text().get(start..end).unwrap_or_default();
    let annotations = text
        .lines()
        .take_while(|line| !line.starts_with("permit") && !line.starts_with("forbid"))
        .count();
    match annotations < text.lines().count() {
        true => line(place) + annotations,
        false => line(place),
    }
}

/// The numbers of lines and branches of a file or policy, and of those that a case reached.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    lines: usize,
    lines_hit: usize,
    branches: usize,
    branches_hit: usize,
}

/// For each counted line of some policies, how often cases reached it, and its clauses.
fn lines<'a>(policies: &[&'a Covered]) -> BTreeMap<usize, (u64, Vec<&'a ClauseCovered>)> {
    let mut lines: BTreeMap<usize, (u64, Vec<&ClauseCovered>)> = BTreeMap::new();
    for policy in policies {
        lines.entry(head(policy)).or_default().0 += policy.decided;
        for clause in &policy.clauses {
            let (hits, clauses) = lines.entry(line(&clause.place)).or_default();
            *hits = (*hits).max(clause.seen.yes + clause.seen.no);
            clauses.push(clause);
        }
    }
    lines
}

fn counts(lines: &BTreeMap<usize, (u64, Vec<&ClauseCovered>)>) -> Counts {
    let mut counts = Counts::default();
    for (hits, clauses) in lines.values() {
        counts.lines += 1;
        counts.lines_hit += usize::from(*hits > 0);
        for clause in clauses {
            counts.branches += 3;
            counts.branches_hit += clause.seen.aims().into_iter().filter(|met| *met).count();
        }
    }
    counts
}
