//! Runs tests.

use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;

use cedar_policy::{Context, Entities, EntityUid, Request as CedarRequest, Schema};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::policies::Policies;
use super::{
    Case, CedarTest, Difference, EntitiesOf, EntityFiles, Expected, Response, Verdict, entities,
    in_full,
};
use crate::bundle::Bundle;
use crate::finding::Finding;
use crate::json::Strict;

/// Runs tests with the policies in force under these readings; one verdict for each, in order.
///
/// Nothing but the entities of a test is known when it is decided. `files` holds the texts of
/// those that [`CedarTest::entities_file`] names; a file that is not among them is missing.
pub fn run(
    bundle: &Bundle,
    readings: &[String],
    tests: &[CedarTest<'_>],
    files: &EntityFiles,
) -> Vec<Verdict> {
    let policies = Policies::new(bundle, readings);
    let texts = tests
        .iter()
        .filter_map(|test| text(&test.case.as_ref().ok()?.entities, files).ok());
    let room = Room {
        policies,
        schema: bundle.schema(),
        entities: entities::of_texts(texts, bundle.schema()),
        files,
    };
    tests
        .par_iter()
        .map(|test| match &test.case {
            Err(finding) => Verdict::NotRun(finding.clone()),
            Ok(case) => match room.decide(case) {
                Ok(response) => compared(response, &case.expected),
                Err(message) => Verdict::NotRun(
                    Finding::error("test::invalid", format!("{}: {message}", test.title()))
                        .label(test.place.clone(), "this test"),
                ),
            },
        })
        .collect()
}

/// What the tests of a file have in common.
struct Room<'r> {
    policies: Policies,
    schema: &'r Schema,
    entities: HashMap<&'r str, Result<Entities, String>>,
    files: &'r EntityFiles,
}

impl Room<'_> {
    fn decide(&self, case: &Case<'_>) -> Result<Response, String> {
        let principal = uid("principal", &case.principal)?;
        let action = uid("action", &case.action)?;
        let resource = uid("resource", &case.resource)?;
        let Strict(context) = serde_json::from_str(case.context)
            .map_err(|error| format!("the context cannot be read: {}", in_full(&error)))?;
        let context = Context::from_json_value(context, Some((self.schema, &action)))
            .map_err(|error| format!("the context cannot be read: {}", in_full(&error)))?;
        let request = CedarRequest::new(
            principal.clone(),
            action.clone(),
            resource.clone(),
            context,
            Some(self.schema),
        )
        .map_err(|error| format!("the request cannot be asked: {}", in_full(&error)))?;
        let text = text(&case.entities, self.files)?;
        let entities = match self.entities.get(text) {
            Some(Ok(entities)) => entities,
            Some(Err(error)) => return Err(format!("the entities cannot be read: {error}")),
            None => return Err("the entities were not read".to_owned()),
        };
        Ok(self
            .policies
            .decide(&request, [&principal, &action, &resource], entities))
    }
}

fn uid(part: &str, text: &str) -> Result<EntityUid, String> {
    EntityUid::from_str(text)
        .map_err(|error| format!("the {part} `{text}` is no entity: {}", in_full(&error)))
}

/// The text that the entities of a test stand in.
fn text<'c>(entities: &EntitiesOf<'c>, files: &'c EntityFiles) -> Result<&'c str, String> {
    match entities {
        EntitiesOf::Test(text) => Ok(text),
        EntitiesOf::File(name) => match files.get(name) {
            Some(Ok(text)) => Ok(text),
            Some(Err(error)) => Err(format!("cannot read the entities in `{name}`: {error}")),
            None => Err(format!("cannot read the entities in `{name}`")),
        },
    }
}

fn compared(response: Response, expected: &Expected) -> Verdict {
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
            differences.push(Difference::Reason(missing));
        }
        if response.errors.len() != expected.errors {
            differences.push(Difference::Errors {
                expected: expected.errors,
                came: response.errors.len(),
            });
        }
    } else {
        differences.push(Difference::Decision {
            expected: expected.decision,
            came: response.decision,
        });
    }
    match differences.is_empty() {
        true => Verdict::Passed(response),
        false => Verdict::Failed(response, differences),
    }
}
