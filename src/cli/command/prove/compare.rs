//! `tarbac prove --compare`: the decisions that a change of policies can turn.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use tarbac_assurance::prove::{DecisionChange, EnvironmentComparison, Old, Solving};
use tarbac_assurance::test_report::{Group, Test};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::{self, Finding};
use tarbac_diagnostic::source::{Place, Source};
use tarbac_host::assembly;
use tarbac_host::bundle::{Bundle, Texts, Vocabulary};
use tarbac_host::workspace::earlier;
use tarbac_host::{Engine, Switches};
use tarbac_report::words::counted;
use tarbac_report::{self as render, VERSION, prove};

use super::super::report::Reports;
use super::super::{layout, switches};
use super::ProveArgs;
use super::run::{decides, prover, write_report};
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, say, warning, with_progress};

/// The JSON Schema of a comparison of policies.
pub(crate) const SCHEMA: fn() -> String =
    render::schema::text::<render::provenance::With<'static, Document<'static>>>;

#[derive(Debug, Serialize, JsonSchema)]
struct Document<'a> {
    version: u32,
    compared_with: &'a str,
    passed: bool,
    environments: Vec<prove::wire::ComparisonWire<'a>>,
    /// Permissions, request environments and readings that only the old state has.
    gone: Vec<String>,
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &ProveArgs,
    old: &str,
    engine: &Engine,
    solving: &Solving,
    reports: &Reports<'_>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let bundle = engine.bundle();
    let (before, vocabulary) = read(global, old, bundle)?;
    let readings = switches_of(&before, &switches(global)?).on_among(before.readings())?;
    decides(&before, &readings)?;
    let vocabulary = vocabulary.as_ref().unwrap_or(bundle.vocabulary());
    let gone = gone(&before, vocabulary, bundle);
    let policies = Old {
        policies: &before,
        readings: &readings,
        vocabulary,
    };
    let prover = prover(engine, solving)?;
    let comparisons = with_progress("comparing", |counter| prover.compare(&policies, counter));
    let comparisons = comparisons.map_err(|error| Failure::Error(Box::new(error)))?;
    let results = Results {
        old,
        before: &before,
        engine,
        comparisons,
        gone,
        arguments,
    };
    match global.format {
        Format::Json => output.write(&results.json())?,
        _ => results.write(output)?,
    }
    let place = Place::new(&Source::held(old, ""), 0..0);
    let provenance = Some(Arc::clone(engine.provenance()));
    let (groups, findings) = (vec![results.group(&place)], results.findings(&place));
    write_report(groups, findings, provenance, reports, output)?;
    Ok(results.exit())
}

/// The results of a comparison.
struct Results<'a> {
    /// The old policies, as they were named.
    old: &'a str,
    before: &'a Bundle,
    engine: &'a Engine,
    comparisons: Vec<EnvironmentComparison>,
    /// The things that only the old state has.
    gone: Vec<String>,
    arguments: &'a ProveArgs,
}

impl Results<'_> {
    fn exit(&self) -> Exit {
        let is_refuted = |comparison: &EnvironmentComparison| {
            !comparison.is_question
                && ((comparison.gained().is_some() && !self.arguments.allow_more)
                    || (comparison.lost().is_some() && !self.arguments.allow_less))
        };
        if self.comparisons.iter().any(is_refuted) || !self.is_gone_allowed() {
            Exit::No
        } else if self
            .comparisons
            .iter()
            .all(|comparison| self.passes(comparison))
        {
            Exit::Yes
        } else {
            Exit::Unanswered
        }
    }

    fn passes(&self, comparison: &EnvironmentComparison) -> bool {
        let ProveArgs {
            allow_more,
            allow_less,
            ..
        } = self.arguments;
        match comparison.change() {
            DecisionChange::Unknown => false,
            // Answers to questions grant nothing.
            _ if comparison.is_question => true,
            DecisionChange::Equivalent => true,
            DecisionChange::MorePermissive => *allow_more,
            DecisionChange::LessPermissive => *allow_less,
            DecisionChange::Both => *allow_more && *allow_less,
        }
    }

    fn is_gone_allowed(&self) -> bool {
        self.gone.is_empty() || self.arguments.allow_less
    }

    /// The results as JSON.
    fn json(&self) -> String {
        let environments = self
            .comparisons
            .iter()
            .map(|comparison| prove::wire::comparison(comparison, self.engine));
        let document = Document {
            version: VERSION,
            compared_with: self.old,
            passed: self.exit() == Exit::Yes,
            environments: environments.collect(),
            gone: self.gone.clone(),
        };
        render::provenance::document(document, self.engine.provenance())
    }

    /// The results in text.
    fn write(&self, output: &mut Output) -> Result<(), Failure> {
        let (style, old) = (output.style(), self.old);
        output.write_fitted(&prove::comparison::human(
            &self.comparisons,
            self.engine,
            self.before,
            style,
        ))?;
        for gone in &self.gone {
            let gone_word = style.yellow("gone");
            output.write_fitted(&format!("{gone_word}  {gone}, which only {old} has\n"))?;
        }
        let is_changed = |of: &&EnvironmentComparison| of.change() != DecisionChange::Equivalent;
        let changed = self.comparisons.iter().filter(is_changed).count();
        let of = counted(self.comparisons.len(), "request environment");
        let summary = match changed {
            0 => format!("{of} decided as by {old}"),
            changed => format!("{changed} of {of} not decided as by {old}"),
        };
        let word = match self.exit() {
            Exit::Yes => style.green("passed"),
            Exit::No => style.red("failed"),
            Exit::Unanswered => style.yellow("not proved"),
        };
        output.write_fitted(&format!("{word}: {summary}\n"))
    }

    /// The comparisons for reports.
    fn group(&self, place: &Place) -> Group {
        let tests = self.comparisons.iter().map(|comparison| Test {
            name: comparison.less.action.to_string(),
            place: place.clone(),
            failure: (!self.passes(comparison))
                .then(|| prove::comparison::failed(comparison, self.engine, self.before)),
        });
        Group {
            name: format!("Compared with {}", self.old),
            file: self.old.to_owned(),
            tests: tests.collect(),
        }
    }

    /// A finding for each thing that only the old state has, unless they may go.
    fn findings(&self, place: &Place) -> Vec<Finding> {
        match self.is_gone_allowed() {
            true => Vec::new(),
            false => self
                .gone
                .iter()
                .map(|gone| gone_finding(gone, self.old, place))
                .collect(),
        }
    }
}

/// The switches, without those of readings that the old policies lack.
fn switches_of(before: &Bundle, switches: &Switches) -> Switches {
    let known = |name: &&String| {
        before
            .readings()
            .iter()
            .any(|reading| reading.name == **name)
    };
    Switches {
        on: switches.on.iter().filter(known).cloned().collect(),
        off: switches.off.iter().filter(known).cloned().collect(),
    }
}

fn gone_finding(gone: &str, old: &str, place: &Place) -> Finding {
    Finding::error(code::prove::GONE, format!("only {old} has {gone}"))
        .label(place.clone(), "compared with this")
        .help("--allow-less lets it pass")
}

/// The old policies under the schema of the workspace, and the vocabulary of their own schema, if they had one.
fn read(
    global: &GlobalArgs,
    old: &str,
    bundle: &Bundle,
) -> Result<(Bundle, Option<Vocabulary>), Failure> {
    let mut earlier = earlier(&layout(global), old)?;
    earlier.findings.iter().for_each(warning);
    if earlier.is_bare {
        say(&format!(
            "{old} has no policies of its own here: the policies that ship are compared\n"
        ));
    }
    let vocabulary = match earlier.has_own_schema {
        true => {
            let own = valid_bundle(
                &earlier.texts,
                "The policies to compare with have errors, so nothing was compared.",
            )?;
            Some(own.vocabulary().clone())
        }
        false => None,
    };
    earlier.texts.schema = vec![Source::held(
        "the schema of the workspace",
        bundle.schema_text(),
    )];
    let before = valid_bundle(
        &earlier.texts,
        "The policies to compare with do not fit the schema of the workspace, so nothing was compared.",
    )?;
    Ok((before, vocabulary))
}

/// The things that only the old state has, in words: permissions, principal and resource types of a permission, entities
/// of enumerated types, and readings.
fn gone(before: &Bundle, vocabulary: &Vocabulary, bundle: &Bundle) -> Vec<String> {
    let mut gone = Vec::new();
    for action in vocabulary.permissions() {
        let Some(now) = bundle.vocabulary().action(&action.uid) else {
            gone.push(format!("the permission {}", action.uid));
            continue;
        };
        for principal in &action.principals {
            let resources = action.resources.iter();
            let lost = resources.filter(|resource| !now.applies_to(principal, resource));
            gone.extend(lost.map(|resource| {
                format!("the permission {} of {principal} on {resource}", action.uid)
            }));
        }
    }
    for type_name in vocabulary.type_names() {
        let now = bundle.vocabulary().choices(type_name);
        let choices = vocabulary.choices(type_name).into_iter().flatten();
        let lost = choices.filter(|id| now.is_some_and(|now| !now.contains(*id)));
        gone.extend(lost.map(|id| format!("the entity {type_name}::\"{id}\"")));
    }
    let is_gone = |name: &str| !bundle.readings().iter().any(|reading| reading.name == name);
    let readings = before.readings().iter().map(|reading| &reading.name);
    gone.extend(
        readings
            .filter(|name| is_gone(name))
            .map(|name| format!("the reading {name}")),
    );
    gone
}

fn valid_bundle(texts: &Texts, so: &'static str) -> Result<Bundle, Failure> {
    let (bundle, mut findings) = assembly::bundle(texts);
    bundle.map_err(|_| {
        findings.retain(|finding| finding.severity == finding::Severity::Error);
        Failure::Invalid(findings, so)
    })
}
