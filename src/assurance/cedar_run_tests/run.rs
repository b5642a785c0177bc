//! The runner of files for `cedar run-tests`.

use std::collections::BTreeSet;
use std::str::FromStr;

use cedar_policy::{Context, Entities, EntityUid, Request as CedarRequest, Schema};
use rayon::iter::{
    IndexedParallelIterator, IntoParallelRefIterator, ParallelExtend, ParallelIterator,
};

use super::entities::{Distinct, Lists};
use super::error::TestError;
use super::policies::Policies;
use super::{
    AnswerDifference, Case, CedarTest, EntitiesOf, Expected, Response, TestOutcome, in_full,
};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::bundle::Bundle;
use tarbac_host::json::StrictJson;
use tarbac_host::workspace::EntityFiles;

/// Runs tests with the policies in force under these readings; one verdict for each, in order.
///
/// A decision depends on the entities of the test alone. `files` holds the texts of the files that
/// [`CedarTest::entities_file`] names; any other file counts as missing.
pub fn run(
    bundle: &Bundle,
    readings: &[String],
    tests: &[CedarTest<'_>],
    files: &EntityFiles,
) -> Vec<TestOutcome> {
    let schema = bundle.schema();
    let mut distinct = Distinct::default();
    let mut verdicts: Vec<(usize, TestOutcome)> = Vec::with_capacity(tests.len());
    let mut by_list: Vec<Vec<Asked<'_, '_>>> = Vec::new();
    for (index, test) in tests.iter().enumerate() {
        match readable(test, files) {
            Ok((case, text)) => {
                let list = distinct.index(text);
                by_list.resize_with(distinct.texts.len(), Vec::new);
                if let Some(asked) = by_list.get_mut(list) {
                    asked.push(Asked { index, test, case });
                }
            }
            Err(finding) => verdicts.push((index, TestOutcome::NotRun(finding))),
        }
    }
    let lists = Lists::read(&distinct.texts, schema);
    let policies = Policies::new(bundle, readings);
    // Entities are dropped when the tests that share them are done.
    verdicts.par_extend(by_list.par_iter().enumerate().flat_map(|(list, asked)| {
        let entities = lists.entities(list).map_err(TestError::Entities);
        let verdicts: Vec<(usize, TestOutcome)> = asked
            .par_iter()
            .map(|asked| {
                let decided = || {
                    let policies = policies.as_ref().map_err(Clone::clone)?;
                    let entities = entities.as_ref().map_err(Clone::clone)?;
                    decide(asked.case, policies, schema, entities)
                };
                let verdict = match decided() {
                    Ok(response) => compared(response, &asked.case.expected),
                    Err(error) => TestOutcome::NotRun(invalid(asked.test, &error)),
                };
                (asked.index, verdict)
            })
            .collect();
        verdicts
    }));
    verdicts.sort_unstable_by_key(|(index, _)| *index);
    verdicts.into_iter().map(|(_, verdict)| verdict).collect()
}

/// A test that can be decided, with its index among all.
struct Asked<'a, 't> {
    index: usize,
    test: &'a CedarTest<'t>,
    case: &'a Case<'t>,
}

/// The case of a test, and the text with its entities.
pub(super) fn readable<'a>(
    test: &'a CedarTest<'_>,
    files: &'a EntityFiles,
) -> Result<(&'a Case<'a>, &'a str), Finding> {
    let case = test.case.as_ref().map_err(Clone::clone)?;
    let text = text(&case.entities, files).map_err(|error| invalid(test, &error))?;
    Ok((case, text))
}

pub(super) fn invalid(test: &CedarTest<'_>, error: &TestError) -> Finding {
    Finding::error(code::test::INVALID, format!("{}: {error}", test.title()))
        .label(test.place.clone(), "this test")
}

fn decide(
    case: &Case<'_>,
    policies: &Policies,
    schema: &Schema,
    entities: &Entities,
) -> Result<Response, TestError> {
    let principal = uid("principal", &case.principal)?;
    let action = uid("action", &case.action)?;
    let resource = uid("resource", &case.resource)?;
    let StrictJson(context) =
        serde_json::from_str(case.context).map_err(|error| TestError::Context(in_full(&error)))?;
    let context = Context::from_json_value(context, Some((schema, &action)))
        .map_err(|error| TestError::Context(in_full(&error)))?;
    let request = CedarRequest::new(
        principal.clone(),
        action.clone(),
        resource.clone(),
        context,
        Some(schema),
    )
    .map_err(|error| TestError::Request(in_full(&error)))?;
    Ok(policies.decide(&request, [&principal, &action, &resource], entities))
}

pub(super) fn uid(part: &'static str, text: &str) -> Result<EntityUid, TestError> {
    EntityUid::from_str(text).map_err(|error| TestError::Uid {
        part,
        text: text.to_owned(),
        reason: in_full(&error),
    })
}

/// The text with the entities of a test.
fn text<'c>(entities: &EntitiesOf<'c>, files: &'c EntityFiles) -> Result<&'c str, TestError> {
    match entities {
        EntitiesOf::Test(text) => Ok(text),
        EntitiesOf::File(name) => match files.get(name) {
            Some(Ok(text)) => Ok(text),
            Some(Err(error)) => Err(TestError::EntityFile {
                name: name.clone(),
                reason: error.to_string(),
            }),
            None => Err(TestError::NoEntityFile(name.clone())),
        },
    }
}

pub(super) fn compared(response: Response, expected: &Expected) -> TestOutcome {
    let mut differences = Vec::new();
    if response.decision == expected.decision {
        let reason: BTreeSet<&str> = response.policies.iter().map(String::as_str).collect();
        let missing: Vec<String> = expected
            .reason
            .iter()
            .filter(|id| !reason.contains(id.as_str()))
            .cloned()
            .collect();
        if !missing.is_empty() {
            differences.push(AnswerDifference::Reason(missing));
        }
        if response.errors.len() != expected.errors {
            differences.push(AnswerDifference::Errors {
                expected: expected.errors,
                came: response.errors.len(),
            });
        }
    } else {
        differences.push(AnswerDifference::Decision {
            expected: expected.decision,
            came: response.decision,
        });
    }
    match differences.is_empty() {
        true => TestOutcome::Passed(response),
        false => TestOutcome::Failed(response, differences),
    }
}
