//! The results of mutants, for people and programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::Style;
use tarbac_assurance::mutation::{Mutant, Mutation};

/// Mutants in JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MutantsWire<'a> {
    mutants: usize,
    killed: usize,
    refused: usize,
    survivors: Vec<SurvivorWire<'a>>,
    equivalent: Vec<MutantWire<'a>>,
    unknown: Vec<MutantWire<'a>>,
}

/// A mutant in JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MutantWire<'a> {
    policy: &'a str,
    file: &'a str,
    line: Option<usize>,
    change: &'a str,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SurvivorWire<'a> {
    mutant: MutantWire<'a>,
    case: &'a str,
}

/// The survivors, each with a case that would notice it, and the numbers.
pub fn human(mutation: &Mutation, style: Style) -> String {
    let mut text = String::new();
    for survivor in &mutation.survivors {
        let said = format!("{}  {}\n", style.red("SURVIVED"), line(&survivor.mutant));
        // The case is there to be pasted.
        text += &format!("{}\n{}\n", style.fitted(&said), survivor.telling.case);
    }
    let unknown = mutation.unknown.iter();
    let unknown = unknown.map(|mutant| {
        let why = "too many requests to search for one that would notice".to_owned();
        (mutant, why)
    });
    let mut said = others(unknown, &mutation.equivalent, style);
    if !mutation.equivalent.is_empty() {
        said += "    (no request over the classes of people and resources is decided otherwise by them)\n";
    }
    said += &format!(
        "mutants: {} made, {} noticed, {} refused by validate, {} equivalent, {} survived{}\n",
        mutation.mutants,
        mutation.killed,
        mutation.refused,
        mutation.equivalent.len(),
        mutation.survivors.len(),
        and_unknown(mutation.unknown.len())
    );
    text + &style.fitted(&said)
}

/// Mutants without a result, each with the reason, and equivalent mutants; a line each.
pub(super) fn others<'m>(
    unknown: impl Iterator<Item = (&'m Mutant, String)>,
    equivalent: &[Mutant],
    style: Style,
) -> String {
    let unknown = unknown.map(|(mutant, why)| {
        let word = style.yellow("UNKNOWN");
        format!("{word}  {}: {why}\n", line(mutant))
    });
    let equivalent = equivalent.iter();
    let equivalent = equivalent.map(|mutant| format!("equivalent  {}\n", line(mutant)));
    unknown.chain(equivalent).collect()
}

/// The end of the sum: the number of mutants without a result.
pub(super) fn and_unknown(count: usize) -> String {
    match count {
        0 => String::new(),
        count => format!(", {count} unknown"),
    }
}

/// A mutant in one line: the policy, its place, and the change.
pub(super) fn line(mutant: &Mutant) -> String {
    format!(
        "{}  {}:{}: {}",
        mutant.original.id(),
        mutant.place.source.name,
        mutant.place.line().unwrap_or_default(),
        mutant.what
    )
}

/// The JSON of the mutants.
pub fn wire(mutation: &Mutation) -> MutantsWire<'_> {
    MutantsWire {
        mutants: mutation.mutants,
        killed: mutation.killed,
        refused: mutation.refused,
        survivors: mutation
            .survivors
            .iter()
            .map(|survivor| SurvivorWire {
                mutant: mutant(&survivor.mutant),
                case: &survivor.telling.case,
            })
            .collect(),
        equivalent: mutation.equivalent.iter().map(mutant).collect(),
        unknown: mutation.unknown.iter().map(mutant).collect(),
    }
}

pub(super) fn mutant(mutant: &Mutant) -> MutantWire<'_> {
    MutantWire {
        policy: mutant.original.id(),
        file: &mutant.place.source.name,
        line: mutant.place.line(),
        change: &mutant.what,
    }
}
