//! The runner for tests without a schema, as `cedar run-tests` does without `--schema`.
//!
//! Entities, context and request need not conform to a schema.

use cedar_policy::{
    Authorizer, Context, Decision as CedarDecision, Entities, EntityUid, PolicySet,
    Request as CedarRequest,
};
use hashbrown::HashMap;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::error::{EntityError, TestError};
use super::policies::set;
use super::run::{compared, invalid, readable, uid};
use super::{Case, CedarTest, Response, TestOutcome, in_full};
use tarbac_host::bundle::Policy;
use tarbac_host::decision::Decision;
use tarbac_host::workspace::EntityFiles;

/// Runs tests with these policies and without a schema; one verdict for each, in order.
///
/// `files` holds the texts of the files that [`CedarTest::entities_file`] names; any other file counts as missing.
pub fn run_without_schema(
    policies: &[Policy],
    tests: &[CedarTest<'_>],
    files: &EntityFiles,
) -> Vec<TestOutcome> {
    let set = set(&policies.iter().collect::<Vec<&Policy>>());
    let cases: Vec<_> = tests.iter().map(|test| readable(test, files)).collect();
    // The tests of a file tend to repeat their entities.
    let mut texts: Vec<&str> = cases.iter().flatten().map(|(_, text)| *text).collect();
    texts.sort_unstable();
    texts.dedup();
    let entities: HashMap<&str, Result<Entities, TestError>> = texts
        .par_iter()
        .map(|text| {
            let entities = Entities::from_json_str(text, None);
            let error = |error| TestError::Entities(EntityError::invalid(&error));
            (*text, entities.map_err(error))
        })
        .collect::<Vec<_>>()
        .into_iter()
        .collect();
    let asked: Vec<_> = tests.iter().zip(cases).collect();
    asked
        .par_iter()
        .map(|(test, case)| {
            let (case, text) = match case {
                Ok(case) => case,
                Err(finding) => return TestOutcome::NotRun(finding.clone()),
            };
            let decided = || {
                let policies = set.as_ref().map_err(Clone::clone)?;
                let entities = entities.get(text).ok_or(TestError::NoEntities)?;
                decide(case, policies, entities.as_ref().map_err(Clone::clone)?)
            };
            match decided() {
                Ok(response) => compared(response, &case.expected),
                Err(error) => TestOutcome::NotRun(invalid(test, &error)),
            }
        })
        .collect()
}

fn decide(
    case: &Case<'_>,
    policies: &PolicySet,
    entities: &Entities,
) -> Result<Response, TestError> {
    let principal: EntityUid = uid("principal", &case.principal)?;
    let action = uid("action", &case.action)?;
    let resource = uid("resource", &case.resource)?;
    let context = Context::from_json_str(case.context, None)
        .map_err(|error| TestError::Context(in_full(&error)))?;
    let request = CedarRequest::new(principal, action, resource, context, None)
        .map_err(|error| TestError::Request(in_full(&error)))?;
    let response = Authorizer::new().is_authorized(&request, policies, entities);
    let diagnostics = response.diagnostics();
    let mut policies: Vec<String> = diagnostics.reason().map(ToString::to_string).collect();
    let mut errors: Vec<String> = diagnostics.errors().map(ToString::to_string).collect();
    policies.sort_unstable();
    errors.sort_unstable();
    Ok(Response {
        decision: match response.decision() {
            CedarDecision::Allow => Decision::Allow,
            CedarDecision::Deny => Decision::Deny,
        },
        policies,
        errors,
    })
}
