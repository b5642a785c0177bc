//! The reader of suite files.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::document::Document;
use super::resolve::Resolver;
use super::{Suites, did_you_mean, error};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::{self, Finding};
use tarbac_diagnostic::source::{Place, Source};
use tarbac_host::bundle::Switches;
use tarbac_host::engine::Engine;
use tarbac_host::yaml::{self, place};

/// Documents by the name of their file.
pub(super) type Documents = BTreeMap<String, (Arc<Source>, Document)>;

/// Parses suites, and resolves them in a workspace.
///
/// `is_wanted` selects the files to run; the others are there for these to use. `engine` is that of the workspace, and
/// `switches` has the readings that a suite does not set. There are suites if and only if no finding is an error.
pub fn read(
    sources: &[Arc<Source>],
    is_wanted: &dyn Fn(&Source) -> bool,
    engine: Engine,
    switches: &Switches,
) -> (Option<Suites>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut documents = Documents::new();
    let parsed: Vec<Result<Document, Finding>> = sources.par_iter().map(parse).collect();
    for (source, parsed) in sources.iter().zip(parsed) {
        match parsed {
            Ok(document) => {
                documents.insert(source.name.clone(), (Arc::clone(source), document));
            }
            Err(finding) => findings.push(finding),
        }
    }
    let provenance = Arc::clone(engine.provenance());
    let mut resolver = Resolver::new(&documents, engine, switches);
    let suites = sources
        .iter()
        .filter(|source| is_wanted(source))
        .filter_map(|source| documents.get(&source.name))
        .filter_map(|(source, document)| resolver.suite(source, document))
        .collect();
    let (settings, more) = resolver.finish();
    findings.extend(more);
    finding::sort(&mut findings);
    findings.dedup();
    let suites = (!finding::any_error(&findings)).then_some(Suites {
        settings,
        suites,
        provenance,
    });
    (suites, findings)
}

fn parse(source: &Arc<Source>) -> Result<Document, Finding> {
    yaml::read(source).map_err(|error| syntax(source, error.without_snippet()))
}

fn syntax(source: &Arc<Source>, problem: &serde_saphyr::Error) -> Finding {
    use serde_saphyr::Error;
    let place = match problem.location() {
        Some(location) => place(source, location),
        None => Place::new(source, 0..0),
    };
    match problem {
        Error::SerdeUnknownField {
            field, expected, ..
        } => {
            let mut finding = error(
                code::suite::UNKNOWN_KEY,
                format!("`{field}` is no key here"),
                place,
                "this key",
            );
            finding.help = did_you_mean(field, expected.iter().copied())
                .or_else(|| Some(format!("the keys are: {}", expected.join(", "))));
            finding
        }
        Error::SerdeMissingField { field, .. } => error(
            code::suite::MISSING_KEY,
            format!("`{field}` is missing"),
            place,
            "in this one",
        )
        .help("nothing is implied by leaving it out; `tarbac schema suite` has every key"),
        Error::DuplicateMappingKey { key, .. } => {
            let message = match key {
                Some(key) => format!("the key `{key}` is there twice"),
                None => "a key is there twice".to_owned(),
            };
            error(code::suite::DUPLICATE_KEY, message, place, "again here")
                .help("keep one of the two")
        }
        Error::MultipleDocuments { .. } => error(
            code::suite::SYNTAX,
            "one file is one suite, and this is several YAML documents",
            place,
            "the next begins here",
        )
        .help("put each into a file of its own"),
        Error::NullIntoString { .. } => {
            error(code::suite::SYNTAX, "nothing stands here", place, "here")
                .help("write a text; in quotes where it is to be empty, or a word such as null")
        }
        other => {
            let message = other.to_string();
            // The place is shown with the lines around it.
            let message = message
                .split(" at line ")
                .next()
                .unwrap_or_default()
                .trim_end_matches(['.', ':', ',']);
            error(
                code::suite::SYNTAX,
                format!("not a suite: {message}"),
                place,
                "here",
            )
        }
    }
}
