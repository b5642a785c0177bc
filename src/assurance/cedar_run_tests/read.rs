//! The reader of files for `cedar run-tests`.

use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Case, CedarTest, EntitiesOf, Expected, UNNAMED, without_position};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};
use tarbac_host::decision::Decision;

/// A test in the file. Other keys are ignored, as by Cedar.
#[derive(Deserialize)]
#[serde(expecting = "a test")]
struct Wire<'t> {
    #[serde(default)]
    name: Value,
    #[serde(borrow)]
    request: WireRequest<'t>,
    #[serde(borrow)]
    entities: &'t RawValue,
    decision: WireDecision,
    reason: Vec<String>,
    num_errors: usize,
}

#[derive(Deserialize)]
#[serde(expecting = "a request")]
struct WireRequest<'t> {
    principal: String,
    action: String,
    resource: String,
    #[serde(borrow)]
    context: &'t RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum WireDecision {
    Allow,
    Deny,
}

/// The name and place of a test that cannot be read.
#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    name: Value,
}

/// Reads the tests of a file. A malformed test is an error only when it is run, and stops no other.
///
/// # Errors
/// The text is no JSON array.
///
/// # Examples
/// ```
/// use tarbac_assurance::cedar_run_tests;
/// use tarbac_diagnostic::source::Source;
///
/// let file = Source::held("tests.json", r#"[{"name": "nobody"}, 1"#);
/// let finding = cedar_run_tests::read(&file).unwrap_err();
/// assert_eq!(finding.labels[0].place.line(), Some(1));
///
/// let file = Source::held("tests.json", "[]");
/// assert!(cedar_run_tests::read(&file)?.is_empty());
/// # Ok::<(), tarbac_diagnostic::finding::Finding>(())
/// ```
pub fn read(source: &Arc<Source>) -> Result<Vec<CedarTest<'_>>, Finding> {
    let tests: Vec<&RawValue> = serde_json::from_str(source.text()).map_err(|error| {
        let at = offset(source.text(), &error);
        let message = format!("no tests of `cedar run-tests`: {}", without_position(&error.to_string()));
        Finding::error(code::test::SYNTAX, message)
            .label(Place::new(source, at..at), "here")
            .help("such a file is a JSON array of tests, each with request, entities, decision, reason and num_errors")
    })?;
    Ok(tests
        .par_iter()
        .map(|test| one(source, test.get()))
        .collect())
}

fn one<'t>(source: &'t Arc<Source>, text: &'t str) -> CedarTest<'t> {
    // The text is a part of the source's.
    let start = text
        .as_ptr()
        .addr()
        .saturating_sub(source.text().as_ptr().addr());
    let place = Place::new(source, start..start + text.len());
    let (name, case) = match serde_json::from_str::<Wire>(text) {
        Ok(mut wire) => (wire.name.take(), Ok(Case::from(wire))),
        Err(error) => {
            let named = serde_json::from_str(text).unwrap_or(Named { name: Value::Null });
            let message = without_position(&error.to_string());
            // A missing field has no place of its own, so the error points at the whole test.
            let at = match message.starts_with("missing field") {
                true => place.clone(),
                false => {
                    let at = start + offset(text, &error);
                    Place::new(source, at..at)
                }
            };
            let whose = named.name.as_str().unwrap_or(UNNAMED);
            let finding = Finding::error(
                code::test::SYNTAX,
                format!("{whose}: cannot be read: {message}"),
            )
            .label(at, "here");
            (named.name, Err(finding))
        }
    };
    CedarTest {
        name: name.as_str().map(str::to_owned),
        place,
        case,
    }
}

impl<'t> From<Wire<'t>> for Case<'t> {
    fn from(wire: Wire<'t>) -> Self {
        let Wire {
            request, entities, ..
        } = wire;
        Self {
            principal: request.principal,
            action: request.action,
            resource: request.resource,
            context: request.context.get(),
            entities: match serde_json::from_str(entities.get()) {
                Ok(name) => EntitiesOf::File(name),
                Err(_) => EntitiesOf::Test(entities.get()),
            },
            expected: Expected {
                decision: match wire.decision {
                    WireDecision::Allow => Decision::Allow,
                    WireDecision::Deny => Decision::Deny,
                },
                reason: wire.reason,
                errors: wire.num_errors,
            },
        }
    }
}

/// The offset of an error in the text, in bytes.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    (before + error.column().saturating_sub(1)).min(text.len())
}
