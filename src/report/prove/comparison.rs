//! The comparison of two policy sets, for people and reports.

use std::collections::BTreeSet;

use super::{action, asked, story};
use crate::Style;
use tarbac_assurance::prove::{Counterexample, DecisionChange, EnvironmentComparison};
use tarbac_assurance::test_report;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::bundle::Bundle;
use tarbac_host::engine::Engine;

/// The comparison of two policy sets for people: gains and losses, each once for all permissions that the same policies
/// decide otherwise.
pub fn human(
    comparisons: &[EnvironmentComparison],
    engine: &Engine,
    old: &Bundle,
    style: Style,
) -> String {
    let mut text = changes(comparisons, engine, style);
    let gained: Vec<_> = comparisons
        .iter()
        .filter_map(|comparison| Some((comparison, comparison.gained()?)))
        .collect();
    let lost: Vec<_> = comparisons
        .iter()
        .filter_map(|comparison| Some((comparison, comparison.lost()?)))
        .collect();
    for (sign, found) in [(style.red("+"), gained), (style.yellow("-"), lost)] {
        for alike in by_policies(found) {
            let Some((_, counterexample)) = alike.first() else {
                continue;
            };
            let alike = alike.iter().map(|(comparison, _)| *comparison);
            let asked = names(alike, comparisons, engine).join(", ");
            let difference = difference(counterexample, engine, old);
            text += &format!("\n{sign} {asked}: {difference}");
        }
    }
    for comparison in comparisons {
        for unknown in comparison.unknown() {
            let asked = asked(&comparison.less, engine);
            text += &format!("{} {asked}: {unknown}\n", style.yellow("?"));
        }
    }
    text
}

/// A line for each kind of change, with the actions of that kind.
fn changes(comparisons: &[EnvironmentComparison], engine: &Engine, style: Style) -> String {
    let mut text = String::new();
    for change in [
        DecisionChange::Equivalent,
        DecisionChange::MorePermissive,
        DecisionChange::LessPermissive,
        DecisionChange::Both,
        DecisionChange::Unknown,
    ] {
        let asked = |is_question: bool| {
            let alike = comparisons.iter().filter(|comparison| {
                comparison.change() == change && comparison.is_question == is_question
            });
            names(alike, comparisons, engine)
        };
        let (decided, answered) = (asked(false), asked(true));
        let lines = match change {
            DecisionChange::Equivalent | DecisionChange::Unknown => {
                vec![(change.word(), [decided, answered].concat())]
            }
            // Questions about decisions are neither more nor less permissive.
            _ => vec![(change.word(), decided), ("answered otherwise", answered)],
        };
        for (word, asked) in lines.into_iter().filter(|(_, asked)| !asked.is_empty()) {
            let word = match change {
                DecisionChange::Equivalent => style.green(word),
                _ => style.yellow(word),
            };
            text += &format!("{word}  {}\n", asked.join(", "));
        }
    }
    text
}

/// A counterexample with its decision before and now.
fn difference(counterexample: &Counterexample, engine: &Engine, old: &Bundle) -> String {
    let action = &counterexample.model.action;
    let decision = counterexample.outcome.decision;
    let what = story::in_words(decision, action, engine.bundle());
    let mut text = format!("{what} now, and not before, where\n");
    text += &story::list(counterexample, engine);
    if let Some(other) = &counterexample.other {
        text += &format!("  Before: {}.\n", story::decided(other, action, old));
    }
    let now = story::decided(&counterexample.outcome, action, engine.bundle());
    text + &format!("  Now: {now}.\n")
}

/// The actions of some environments, each once; with the types only where the action changes otherwise for other types.
fn names<'c>(
    alike: impl Iterator<Item = &'c EnvironmentComparison>,
    all: &[EnvironmentComparison],
    engine: &Engine,
) -> Vec<String> {
    let names = alike.map(|comparison| match is_same_everywhere(comparison, all) {
        true => action(&comparison.less, engine).to_owned(),
        false => asked(&comparison.less, engine),
    });
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(name.clone())).collect()
}

/// Whether an action changes in the same way in all of its environments.
fn is_same_everywhere(one: &EnvironmentComparison, comparisons: &[EnvironmentComparison]) -> bool {
    comparisons
        .iter()
        .filter(|comparison| comparison.less.action == one.less.action)
        .all(|comparison| comparison.change() == one.change())
}

/// A comparison with one of its counterexamples.
type ComparedExample<'a> = (&'a EnvironmentComparison, &'a Counterexample);

/// Counterexamples by the policies that decide them, the shortest of each first.
fn by_policies(found: Vec<ComparedExample<'_>>) -> Vec<Vec<ComparedExample<'_>>> {
    let mut groups: Vec<Vec<ComparedExample<'_>>> = Vec::new();
    let key = |counterexample: &Counterexample| {
        let other = counterexample.other.as_ref();
        (
            counterexample.outcome.policies.clone(),
            other.map(|other| other.policies.clone()),
        )
    };
    for (comparison, counterexample) in found {
        let alike = groups.iter_mut().find(|group| {
            group
                .first()
                .is_some_and(|(_, first)| key(first) == key(counterexample))
        });
        match alike {
            Some(group) => group.push((comparison, counterexample)),
            None => groups.push(vec![(comparison, counterexample)]),
        }
    }
    for group in &mut groups {
        group.sort_by_key(|(_, counterexample)| counterexample.facts.len());
    }
    groups
}

/// The failure of a comparison, for a report.
pub fn failed(
    comparison: &EnvironmentComparison,
    engine: &Engine,
    old: &Bundle,
) -> test_report::Failure {
    let what = asked(&comparison.less, engine);
    let message = format!("{what}: {}", comparison.change().word());
    let deciding = comparison
        .gained()
        .or(comparison.lost())
        .into_iter()
        .flat_map(|counterexample| {
            let now = counterexample.outcome.policies.iter();
            let now = now.filter_map(|id| engine.bundle().policy(id));
            let before = counterexample
                .other
                .iter()
                .flat_map(|other| &other.policies);
            now.chain(before.filter_map(|id| old.policy(id)))
        });
    let mut finding = Finding::error(code::prove::CHANGED, message);
    for policy in deciding {
        finding = finding.label(policy.place().clone(), "this policy decides");
    }
    test_report::Failure {
        finding,
        detail: human(std::slice::from_ref(comparison), engine, old, Style::PLAIN),
    }
}
