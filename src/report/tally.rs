//! Lists in words: a few items, and how many more.

use std::collections::{BTreeSet, HashMap};

use super::explanation::kind;
use super::words::counted;
use tarbac_analysis::explain::Named;

/// The first names, and the number of the others.
pub(super) fn some(named: &[&Named], limit: usize) -> String {
    let names: Vec<&str> = named.iter().map(|of| of.name.as_str()).collect();
    first(&names, limit)
}

/// The first words, and the number of the others.
pub(super) fn first(words: &[impl AsRef<str>], limit: usize) -> String {
    let listed: Vec<&str> = words.iter().take(limit).map(AsRef::as_ref).collect();
    match words.len().saturating_sub(limit) {
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}

/// The names of some entities; entities that share a name have their ids too.
fn told_apart(of: &[(Named, u64)]) -> Vec<String> {
    let mut count: HashMap<&str, usize> = HashMap::new();
    for (named, _) in of {
        *count.entry(&named.name).or_default() += 1;
    }
    let called = of.iter().map(|(of, _)| match count.get(of.name.as_str()) {
        Some(1) => of.name.clone(),
        _ => format!("{} {}", of.name, of.uid.id().unescaped()),
    });
    called.collect()
}

/// Names in one cell of a sheet.
pub(super) fn names_in_a_cell(named: &[Named]) -> String {
    let names: Vec<&str> = named.iter().map(|of| of.name.as_str()).collect();
    names.join("; ")
}

/// A number of resources, the total that it is a part of, and some of their names.
pub(super) fn on(examples: &[Named], count: u64, of: Option<u64>) -> String {
    let kind = examples.first().map(kind).unwrap_or_default();
    let names: Vec<&str> = examples.iter().map(|of| of.name.as_str()).collect();
    let names = names.join(", ");
    let counted = match of {
        Some(of) if of != count => format!("{} of {}", digits(count), counted(of, &kind)),
        Some(2..) => format!("all {}", counted(count, &kind)),
        _ => counted(count, &kind),
    };
    match examples.len() as u64 == count {
        true => format!("{counted} ({names})"),
        false => format!("{counted}, for example {names}"),
    }
}

/// The words that all sets have, and the number of further words that only some have; with `all`, the words of any set.
pub(super) fn common<'w>(sets: &[BTreeSet<&'w str>], all: bool) -> (Vec<&'w str>, usize) {
    let every: BTreeSet<&str> = sets.iter().flatten().copied().collect();
    let common: Vec<&str> = every
        .iter()
        .filter(|word| all || sets.iter().all(|of| of.contains(*word)))
        .copied()
        .collect();
    let more = every.len() - common.len();
    (common, more)
}

/// The first names with their counts, and the number of the others.
pub(super) fn tally(of: &[(Named, u64)], limit: usize) -> String {
    let counted = told_apart(of).into_iter().zip(of).take(limit);
    let counted = counted.map(|(name, (_, count))| format!("{name} ({})", digits(*count)));
    let listed: Vec<String> = counted.collect();
    match of.len().saturating_sub(limit) {
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}

/// The parents of resources, as a phrase behind them; with counts where there are several parents.
pub(super) fn under(of: &[(Named, u64)], limit: usize) -> String {
    match of {
        [] => String::new(),
        [(of, _)] => format!(" in {}", of.name),
        several => format!(" in {}", tally(several, limit)),
    }
}

/// A number with its digits in groups of three.
pub(super) fn digits(count: u64) -> String {
    let plain = count.to_string();
    let mut grouped = String::new();
    for (place, digit) in plain.chars().enumerate() {
        if place > 0 && (plain.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Names with their counts, in one cell of a sheet.
pub(super) fn in_a_cell(of: &[(Named, u64)]) -> String {
    let counts = told_apart(of).into_iter().zip(of);
    let counts = counts.map(|(name, (_, count))| format!("{name}: {count}"));
    counts.collect::<Vec<_>>().join("; ")
}

/// The explanation of the word decision, where decisions are counted.
pub(super) const DECISION: &str =
    "a decision is one permission of one account on one device or tenant";

/// The number of further policies, which refuse or permit only some of several permissions.
pub(super) fn for_some(more: usize) -> String {
    format!(
        ", and {} for some of these permissions",
        counted(more, "more policy")
    )
}
