//! What was proved and what was refuted: the story of each counterexample for people, everything for
//! programs.

pub mod story;

use serde::Serialize;
use serde_json::Value;

use super::Style;
use super::findings::number;
use super::suite::indented;
use crate::bundle::Bundle;
use crate::engine::Engine;
use crate::finding::Finding;
use crate::names::visible;
use crate::proof::{
    Change, Comparison, Counterexample, InEnvironment, Mutation, Proof, Says, Spec, Tried, Unknown,
    Verdict,
};
use crate::report;

/// How many permissions are listed for which a spec is refuted as well.
const LISTED: usize = 4;

/// A spec in JSON.
#[derive(Debug, Serialize)]
pub struct SpecWire<'a> {
    spec: &'a str,
    doc: Option<&'a str>,
    source: Option<&'a str>,
    file: &'a str,
    line: Option<usize>,
    verdict: &'static str,
    vacuous: bool,
    environments: Vec<EnvironmentWire<'a>>,
}

/// What came of it in one request environment.
#[derive(Debug, Serialize)]
pub struct EnvironmentWire<'a> {
    principal: String,
    action: String,
    resource: String,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counterexample: Option<CounterexampleWire<'a>>,
}

/// A counterexample in JSON.
#[derive(Debug, Serialize)]
pub struct CounterexampleWire<'a> {
    principal: String,
    action: String,
    resource: String,
    context: &'a serde_json::Map<String, Value>,
    entities: Value,
    /// Whether a directory can have these entities.
    possible: bool,
    facts: Vec<String>,
    decided: DecidedWire<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    otherwise: Option<DecidedWire<'a>>,
}

#[derive(Debug, Serialize)]
struct DecidedWire<'a> {
    decision: &'static str,
    because: &'a [String],
}

/// How two sets of policies compare in one request environment, in JSON.
#[derive(Debug, Serialize)]
pub struct ComparisonWire<'a> {
    principal: String,
    action: String,
    resource: String,
    change: Change,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<CounterexampleWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gained: Option<CounterexampleWire<'a>>,
}

/// The specs of a file in one line, and what is wrong with any of them.
pub fn human(file: &str, tried: &[&Tried<'_>], engine: &Engine, style: Style) -> String {
    let environments: usize = tried.iter().map(|tried| tried.environments.len()).sum();
    let refuted = tried
        .iter()
        .filter(|tried| tried.refutations().next().is_some())
        .count();
    let unknown = tried
        .iter()
        .filter(|tried| tried.refutations().next().is_none() && tried.unknown().next().is_some())
        .count();
    let sign = match (refuted, unknown) {
        (0, 0) => style.green("proved"),
        (0, _) => style.yellow("NOT PROVED"),
        _ => style.red("REFUTED"),
    };
    let mut said = String::new();
    if refuted > 0 {
        said += &format!(", {refuted} refuted");
    }
    if unknown > 0 {
        said += &format!(", {unknown} not proved");
    }
    let mut text = format!(
        "{sign}  {}: {}, {}{said}\n",
        visible(file),
        number(tried.len(), "spec"),
        number(environments, "request environment"),
    );
    for tried in tried.iter().filter(|tried| !tried.is_proved()) {
        let sign = match tried.refutations().next() {
            Some(_) => style.red("✗"),
            None => style.yellow("?"),
        };
        let place = tried.spec.place();
        text += &format!(
            "\n  {sign} {}  {}:{}\n",
            tried.spec.id(),
            visible(&place.source.name),
            place.line().unwrap_or_default()
        );
        text += &indented(&detail(tried, engine), 4);
        text.push('\n');
    }
    text
}

/// What a spec says and why it is not proved, on many lines.
pub fn detail(tried: &Tried<'_>, engine: &Engine) -> String {
    let mut text = String::new();
    if let Some(doc) = tried.spec.doc() {
        text += &format!("{doc}\n");
    }
    let mut refutations = tried.refutations();
    if let Some((environment, counterexample)) = refutations.next() {
        text += &format!(
            "{}:\n",
            refuted(tried.spec, environment, counterexample, engine)
        );
        text += &story(tried.spec, counterexample, engine);
        let others: Vec<&str> = refutations
            .map(|(environment, _)| asked(environment, engine))
            .collect();
        match others.as_slice() {
            [] => {}
            others if others.len() <= LISTED => {
                text += &format!("Refuted for {} as well.\n", others.join(", "));
            }
            others => text += &format!("Refuted for {} others as well.\n", others.len()),
        }
    }
    for (environment, unknown) in tried.unknown() {
        text += &format!(
            "Not proved for {}: {unknown}.\n",
            asked(environment, engine)
        );
    }
    text
}

/// What a counterexample shows, in a clause.
fn refuted(
    spec: &Spec,
    environment: &InEnvironment,
    counterexample: &Counterexample,
    engine: &Engine,
) -> String {
    let asked = asked(environment, engine);
    let is = counterexample.outcome.decision.word();
    match &spec.says {
        Says::Allowed => format!("Refuted for {asked}, which is refused where"),
        Says::Refused => format!("Refuted for {asked}, which is allowed where"),
        Says::SameWhatever(_) | Says::SameUnderReading(_) => {
            format!("Refuted for {asked}, which is decided otherwise ({is}) where")
        }
    }
}

/// What matters of a counterexample, and what decides it.
fn story(spec: &Spec, counterexample: &Counterexample, engine: &Engine) -> String {
    let mut text = told(counterexample, engine);
    let decided = |outcome| story::decided(outcome, engine.bundle());
    match (&spec.says, &counterexample.other) {
        (Says::SameWhatever(_), Some(other)) => {
            let what = spec
                .policy()
                .annotation("regardless_of")
                .unwrap_or_default();
            text += &format!("As it is: {}.\n", decided(&counterexample.outcome));
            text += &format!("With another `{what}`: {}.\n", decided(other));
        }
        (Says::SameUnderReading(name), Some(other)) => {
            text += &format!(
                "With the reading {name}: {}.\n",
                decided(&counterexample.outcome)
            );
            text += &format!("Without it: {}.\n", decided(other));
        }
        _ => text += &format!("It is {}.\n", decided(&counterexample.outcome)),
    }
    if let (Some((name, holds)), false) = (
        spec.reading(),
        matches!(spec.says, Says::SameUnderReading(_)),
    ) {
        let holds = if holds { "on" } else { "off" };
        text += &format!("The reading {name} is {holds}.\n");
    }
    text
}

/// What matters of a counterexample, a line each.
fn told(counterexample: &Counterexample, engine: &Engine) -> String {
    let mut text: String = story::facts(counterexample, engine)
        .iter()
        .map(|fact| format!("  - {fact}\n"))
        .collect();
    if text.is_empty() {
        text += "  - nothing else matters\n";
    }
    if !counterexample.is_possible {
        text += "No directory has that: an entity in between is missing, as a role assignment with its tenant is. If nothing else refutes it, let the condition say what can be relied on.\n";
    }
    text
}

fn asked<'a>(environment: &'a InEnvironment, engine: &'a Engine) -> &'a str {
    match engine.bundle().vocabulary().action(&environment.action) {
        Some(action) => action.short_name(),
        None => environment.action.id().unescaped(),
    }
}

/// A spec that is not proved, as a report has it.
pub fn failed(tried: &Tried<'_>, engine: &Engine) -> Option<report::Failure> {
    let (code, message) = if let Some((environment, counterexample)) = tried.refutations().next() {
        let message = format!(
            "{}: refuted for {}: {}",
            tried.spec.doc().unwrap_or(tried.spec.id()),
            asked(environment, engine),
            story::decided(&counterexample.outcome, engine.bundle())
        );
        ("prove::refuted", message)
    } else {
        let (environment, unknown) = tried.unknown().next()?;
        let message = format!(
            "{}: not proved for {}: {unknown}",
            tried.spec.doc().unwrap_or(tried.spec.id()),
            asked(environment, engine)
        );
        ("prove::not_proved", message)
    };
    Some(report::Failure {
        finding: Finding::error(code, message).label(tried.spec.place().clone(), "claimed here"),
        detail: detail(tried, engine),
    })
}

/// Specs that say nothing, as findings.
pub fn vacuous(proof: &Proof<'_>) -> Vec<Finding> {
    proof
        .specs
        .iter()
        .filter(|tried| tried.is_vacuous)
        .map(|tried| {
            Finding::warning(
                "spec::vacuous",
                format!(
                    "no request there can be is one that `{}` matches, so it says nothing",
                    tried.spec.id()
                ),
            )
            .label(tried.spec.place().clone(), "this spec")
            .help("correct its conditions")
        })
        .collect()
}

/// A spec as JSON has it.
pub fn wire<'a>(tried: &'a Tried<'a>, engine: &Engine) -> SpecWire<'a> {
    let place = tried.spec.place();
    SpecWire {
        spec: tried.spec.id(),
        doc: tried.spec.doc(),
        source: tried.spec.source(),
        file: &place.source.name,
        line: place.line(),
        verdict: match (
            tried.refutations().next().is_some(),
            tried.unknown().next().is_some(),
        ) {
            (true, _) => "refuted",
            (false, true) => "not_proved",
            (false, false) => "proved",
        },
        vacuous: tried.is_vacuous,
        environments: tried
            .environments
            .iter()
            .map(|environment| environment_wire(environment, engine))
            .collect(),
    }
}

fn environment_wire<'a>(environment: &'a InEnvironment, engine: &Engine) -> EnvironmentWire<'a> {
    let (verdict, reason, counterexample) = match &environment.verdict {
        Verdict::Proved => ("proved", None, None),
        Verdict::NotProved(unknown) => ("not_proved", Some(unknown.to_string()), None),
        Verdict::Refuted(counterexample) => (
            "refuted",
            None,
            Some(counterexample_wire(counterexample, engine)),
        ),
    };
    EnvironmentWire {
        principal: environment.principal.to_string(),
        action: environment.action.to_string(),
        resource: environment.resource.to_string(),
        verdict,
        reason,
        counterexample,
    }
}

fn counterexample_wire<'a>(
    counterexample: &'a Counterexample,
    engine: &Engine,
) -> CounterexampleWire<'a> {
    let decided = |outcome: &'a crate::decision::Outcome| DecidedWire {
        decision: outcome.decision.word(),
        because: &outcome.policies,
    };
    let world = &counterexample.world;
    CounterexampleWire {
        principal: world.principal.to_string(),
        action: world.action.to_string(),
        resource: world.resource.to_string(),
        context: &world.context,
        entities: world.entities_json(),
        possible: counterexample.is_possible,
        facts: story::facts(counterexample, engine),
        decided: decided(&counterexample.outcome),
        otherwise: counterexample.other.as_ref().map(decided),
    }
}

/// How two sets of policies compare, for people: what is gained and what is lost, told once for all
/// permissions for which the same policies make the difference.
pub fn comparison(
    comparisons: &[Comparison],
    engine: &Engine,
    old: &Bundle,
    style: Style,
) -> String {
    let mut text = String::new();
    for change in [
        Change::Equivalent,
        Change::MorePermissive,
        Change::LessPermissive,
        Change::Both,
        Change::Unknown,
    ] {
        let asked: Vec<&str> = comparisons
            .iter()
            .filter(|comparison| comparison.change() == change)
            .map(|comparison| asked(&comparison.less, engine))
            .collect();
        if asked.is_empty() {
            continue;
        }
        let word = match change {
            Change::Equivalent => style.green(change.word()),
            _ => style.yellow(change.word()),
        };
        text += &format!("{word}  {}\n", asked.join(", "));
    }
    let gained: Vec<_> = comparisons
        .iter()
        .filter_map(|comparison| Some((comparison, comparison.gained()?)))
        .collect();
    let lost: Vec<_> = comparisons
        .iter()
        .filter_map(|comparison| Some((comparison, comparison.lost()?)))
        .collect();
    for (sign, what, found) in [
        (style.red("+"), "allowed now, and not before", gained),
        (style.yellow("-"), "refused now, and not before", lost),
    ] {
        for alike in by_policies(found) {
            let Some((_, counterexample)) = alike.first() else {
                continue;
            };
            let asked: Vec<&str> = alike
                .iter()
                .map(|(comparison, _)| asked(&comparison.less, engine))
                .collect();
            text += &format!("\n{sign} {}: {what}, where\n", asked.join(", "));
            text += &told(counterexample, engine);
            if let Some(other) = &counterexample.other {
                text += &format!("  Before: {}.\n", story::decided(other, old));
            }
            let now = story::decided(&counterexample.outcome, engine.bundle());
            text += &format!("  Now: {now}.\n");
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

/// A comparison with one of its counterexamples.
type Found<'a> = (&'a Comparison, &'a Counterexample);

/// Counterexamples by the policies that decide them, the shortest of each first.
fn by_policies(found: Vec<Found<'_>>) -> Vec<Vec<Found<'_>>> {
    let mut groups: Vec<Vec<Found<'_>>> = Vec::new();
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

/// How two sets of policies compare in one environment, as JSON has it.
pub fn comparison_wire<'a>(comparison: &'a Comparison, engine: &Engine) -> ComparisonWire<'a> {
    let environment = &comparison.less;
    ComparisonWire {
        principal: environment.principal.to_string(),
        action: environment.action.to_string(),
        resource: environment.resource.to_string(),
        change: comparison.change(),
        unknown: comparison.unknown().map(Unknown::to_string).collect(),
        lost: comparison
            .lost()
            .map(|lost| counterexample_wire(lost, engine)),
        gained: comparison
            .gained()
            .map(|gained| counterexample_wire(gained, engine)),
    }
}

/// A comparison that does not pass, as a report has it.
pub fn comparison_failed(
    comparison: &Comparison,
    engine: &Engine,
    old: &Bundle,
) -> report::Failure {
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
    let mut finding = Finding::error("prove::changed", message);
    for policy in deciding {
        finding = finding.label(policy.place().clone(), "this policy decides");
    }
    report::Failure {
        finding,
        detail: self::comparison(std::slice::from_ref(comparison), engine, old, Style::PLAIN),
    }
}

/// What became of mutants, in JSON.
#[derive(Debug, Serialize)]
pub struct MutationWire<'a> {
    mutants: usize,
    refuted: usize,
    refused: usize,
    equivalent: Vec<super::mutant::MutantWire<'a>>,
    survivors: Vec<super::mutant::MutantWire<'a>>,
    unknown: Vec<super::mutant::MutantWire<'a>>,
}

/// The mutants as JSON has them.
pub fn mutation_wire(mutation: &Mutation) -> MutationWire<'_> {
    use super::mutant::mutant;
    MutationWire {
        mutants: mutation.mutants,
        refuted: mutation.refuted,
        refused: mutation.refused,
        equivalent: mutation.equivalent.iter().map(mutant).collect(),
        survivors: mutation
            .survivors
            .iter()
            .map(|survivor| mutant(&survivor.mutant))
            .collect(),
        unknown: mutation
            .unknown
            .iter()
            .map(|(unknown, _)| mutant(unknown))
            .collect(),
    }
}

/// Mutants that no spec notices, as findings.
pub fn survivors(mutation: &Mutation, engine: &Engine) -> Vec<Finding> {
    mutation
        .survivors
        .iter()
        .map(|survivor| {
            let mutant = &survivor.mutant;
            Finding::error(
                "mutant::survived",
                format!(
                    "no spec is refuted where in `{}` {}",
                    mutant.original.id(),
                    mutant.what
                ),
            )
            .label(mutant.place.clone(), "changed here")
            .help(format!(
                "what is decided otherwise:\n{}",
                told(&survivor.counterexample, engine).trim_end()
            ))
        })
        .collect()
}

/// What became of mutants that specs should notice.
pub fn mutation(mutation: &Mutation, engine: &Engine, style: Style) -> String {
    let mut text = String::new();
    for survivor in &mutation.survivors {
        text += &format!(
            "{}  {}\n",
            style.red("SURVIVED"),
            super::mutant::line(&survivor.mutant)
        );
        let action = engine
            .bundle()
            .vocabulary()
            .action(&survivor.counterexample.world.action)
            .map_or("", |action| action.short_name());
        text += &format!("    {action} is decided otherwise where\n");
        text += &indented(&told(&survivor.counterexample, engine), 4);
        text += &format!(
            "    The readings in force are: {}.\n\n",
            survivor.readings.join(", ")
        );
    }
    for (mutant, unknown) in &mutation.unknown {
        text += &format!(
            "{}  {}: {unknown}\n",
            style.yellow("UNKNOWN"),
            super::mutant::line(mutant)
        );
    }
    for mutant in &mutation.equivalent {
        text += &format!("equivalent  {}\n", super::mutant::line(mutant));
    }
    text + &format!(
        "mutants: {} made, {} refuted by a spec, {} refused by validate, {} proved equivalent, {} survived{}\n",
        mutation.mutants,
        mutation.refuted,
        mutation.refused,
        mutation.equivalent.len(),
        mutation.survivors.len(),
        match mutation.unknown.len() {
            0 => String::new(),
            count => format!(", {count} unknown"),
        }
    )
}
