//! Proofs for people and programs, with the story of each counterexample.

pub mod comparison;
pub mod mutation;
mod story;
pub mod wire;

use super::Style;
use super::suite::indented;
use super::words::counted;
use tarbac_assurance::prove::{Counterexample, InEnvironment, Proof, Says, Spec, SpecResult};
use tarbac_assurance::test_report;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::engine::Engine;
use tarbac_host::lookup::visible;

/// The most permissions that are listed as refuted too.
const LISTED: usize = 4;

/// The specs of a file in one line, and those that are not proved.
pub fn human(file: &str, tried: &[&SpecResult<'_>], engine: &Engine, style: Style) -> String {
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
        counted(tried.len(), "spec"),
        counted(environments, "request environment"),
    );
    for tried in tried.iter().filter(|tried| !tried.is_proved()) {
        let sign = match tried.refutations().next() {
            Some(_) => style.red("✗"),
            None => style.yellow("?"),
        };
        let place = tried.spec.place().to_string();
        text += &format!("\n  {sign} {}  {}\n", tried.spec.id(), visible(&place));
        text += &indented(&detail(tried, engine), 4);
        text.push('\n');
    }
    text
}

/// A spec and why it is not proved. Several lines.
pub fn detail(tried: &SpecResult<'_>, engine: &Engine) -> String {
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
        let others: Vec<String> = refutations
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

/// The outcome of a counterexample, in a clause.
fn refuted(
    spec: &Spec,
    environment: &InEnvironment,
    counterexample: &Counterexample,
    engine: &Engine,
) -> String {
    let asked = asked(environment, engine);
    let decision = counterexample.outcome.decision;
    let is = story::in_words(decision, &environment.action, engine.bundle());
    match &spec.says {
        Says::Allowed | Says::Refused => format!("Refuted for {asked}, which is {is} where"),
        Says::SameWhatever(_) | Says::SameUnderReading(_) => {
            format!("Refuted for {asked}, which is decided otherwise ({is}) where")
        }
    }
}

/// The relevant facts of a counterexample, and the policies that decide it.
fn story(spec: &Spec, counterexample: &Counterexample, engine: &Engine) -> String {
    let mut text = story::list(counterexample, engine);
    let action = &counterexample.model.action;
    let decided = |outcome| story::decided(outcome, action, engine.bundle());
    match (&spec.says, &counterexample.other) {
        (Says::SameWhatever(attribute), Some(other)) => {
            let what = spec
                .policy()
                .annotation("regardless_of")
                .unwrap_or_default();
            text += &format!("As it is: {}.\n", decided(&counterexample.outcome));
            let value = attribute.value();
            text += &format!("Where `{what}` is {value}: {}.\n", decided(other));
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

/// The action of an environment, with the types where the action does not determine them.
fn asked(environment: &InEnvironment, engine: &Engine) -> String {
    let name = action(environment, engine);
    let known = engine.bundle().vocabulary().action(&environment.action);
    match known.map(|known| (known.principals.len(), known.resources.len())) {
        Some((1, 1)) => name.to_owned(),
        _ => format!(
            "{name} ({} on {})",
            environment.principal, environment.resource
        ),
    }
}

fn action<'a>(environment: &'a InEnvironment, engine: &'a Engine) -> &'a str {
    match engine.bundle().vocabulary().action(&environment.action) {
        Some(action) => action.short_name(),
        None => environment.action.id().unescaped(),
    }
}

/// The failure of a spec, for a report.
pub fn failed(tried: &SpecResult<'_>, engine: &Engine) -> Option<test_report::Failure> {
    let (code, message) = if let Some((environment, counterexample)) = tried.refutations().next() {
        let message = format!(
            "{}: refuted for {}: {}",
            tried.spec.doc().unwrap_or(tried.spec.id()),
            asked(environment, engine),
            story::decided(
                &counterexample.outcome,
                &environment.action,
                engine.bundle()
            )
        );
        (code::prove::REFUTED, message)
    } else {
        let (environment, unknown) = tried.unknown().next()?;
        let message = format!(
            "{}: not proved for {}: {unknown}",
            tried.spec.doc().unwrap_or(tried.spec.id()),
            asked(environment, engine)
        );
        (code::prove::NOT_PROVED, message)
    };
    Some(test_report::Failure {
        finding: Finding::error(code, message).label(tried.spec.place().clone(), "claimed here"),
        detail: detail(tried, engine),
    })
}

/// Specs without effect, as findings.
pub fn vacuous(proof: &Proof<'_>) -> Vec<Finding> {
    proof
        .specs
        .iter()
        .filter(|tried| tried.is_vacuous)
        .map(|tried| {
            Finding::warning(
                code::spec::VACUOUS,
                format!(
                    "`{}` matches no possible request, so it says nothing",
                    tried.spec.id()
                ),
            )
            .label(tried.spec.place().clone(), "this spec")
            .help("correct its conditions")
        })
        .collect()
}
