//! Reads policy files.

use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::PolicySet;
use cedar_policy_core::ast;
use cedar_policy_formatter::{Config, policies_str_to_pretty};
use rayon::ThreadPoolBuilder;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::policy::Policy;
use super::{diagnostic, nesting};
use crate::finding::Finding;
use crate::source::{Place, Source};

/// Policies and templates of all files.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub policies: Vec<Policy>,
    pub templates: Vec<Template>,
}

/// A template and where it stands.
#[derive(Debug)]
pub(super) struct Template {
    pub ast: Arc<ast::Template>,
    pub place: Place,
    pub shipped: bool,
}

/// The stack of a thread that parses policies, in bytes: Cedar's parser takes a lot of it for each
/// level of nesting.
const STACK: usize = 32 * 1024 * 1024;

/// The least part of a file that is worth a thread of its own, in bytes.
const SMALLEST: usize = 32 * 1024;

/// Reads all policies and templates, with all cores; each takes its `@id` as its id.
pub(super) fn policies(
    sources: &[Arc<Source>],
    is_shipped: &dyn Fn(&str) -> bool,
) -> (Parsed, Vec<Finding>) {
    let Ok(threads) = ThreadPoolBuilder::new().stack_size(STACK).build() else {
        return not_read();
    };
    let mut parsed = Parsed::default();
    let mut findings = Vec::new();
    let mut files = Vec::new();
    let mut all_parts = Vec::new();
    for source in sources {
        match nesting::of_policies(source) {
            Ok(ends) => {
                let parts = parts(source.text(), &ends, threads.current_num_threads());
                files.push((source, parts.len()));
                all_parts.extend(parts.into_iter().map(|part| (source, part)));
            }
            Err(finding) => findings.push(finding),
        }
    }
    let parse =
        |(source, part): &(&Arc<Source>, Range<usize>)| of_part(source.text(), part.clone());
    // One part takes as long as many others: none waits for its neighbour.
    let each = || all_parts.par_iter().with_max_len(1).map(parse).collect();
    let sets: Vec<_> = threads.install(each);
    let mut sets = sets.into_iter();
    for (source, count) in files {
        let of_file: Vec<_> = sets.by_ref().take(count).collect();
        let of_file: Option<Vec<PolicySet>> = of_file.into_iter().collect();
        // What is wrong is said of the file, and not of a part that nobody sees.
        let of_file = match of_file {
            Some(sets) => sets,
            None => {
                match threads.install(|| PolicySet::from_str(source.text()).map_err(Box::new)) {
                    Ok(set) => vec![set],
                    Err(errors) => {
                        let of_error =
                            |error| diagnostic::of_cedar("policy::syntax", source, error);
                        findings.extend(errors.iter().map(of_error));
                        continue;
                    }
                }
            }
        };
        let shipped = is_shipped(source.text());
        for set in of_file {
            collect(&set, source, shipped, &mut parsed, &mut findings);
        }
    }
    (parsed, findings)
}

/// Parts of a text, at most so many, that begin and end where policies do; `ends` is where these end.
fn parts(text: &str, ends: &[usize], most: usize) -> Vec<Range<usize>> {
    let count = (text.len() / SMALLEST).clamp(1, most.max(1));
    let share = text.len().div_ceil(count);
    let mut parts = Vec::new();
    let mut start = 0;
    for &end in ends {
        if end - start >= share {
            parts.push(start..end);
            start = end;
        }
    }
    parts.push(start..text.len());
    parts
}

/// Parses a part of a text, if it can be; every place is that in the whole text.
fn of_part(text: &str, part: Range<usize>) -> Option<PolicySet> {
    let before = " ".repeat(part.start);
    PolicySet::from_str(&(before + text.get(part).unwrap_or_default())).ok()
}

fn collect(
    set: &PolicySet,
    source: &Arc<Source>,
    shipped: bool,
    parsed: &mut Parsed,
    findings: &mut Vec<Finding>,
) {
    let set: &ast::PolicySet = set.as_ref();
    for policy in set.static_policies() {
        let place = place_of(source, policy.loc());
        match id_of(policy.annotations()) {
            Some(id) => {
                let policy = policy.new_id(ast::PolicyID::from_string(id));
                parsed.policies.push(Policy::new(policy, place, shipped));
            }
            None => findings.push(missing_id(place)),
        }
    }
    for template in set.templates() {
        let place = place_of(source, template.loc());
        match id_of(template.annotations()) {
            Some(id) => parsed.templates.push(Template {
                ast: Arc::new(template.new_id(ast::PolicyID::from_string(id))),
                place,
                shipped,
            }),
            None => findings.push(missing_id(place)),
        }
    }
}

/// What stands in for the policies when reading them failed altogether: not none, but an error.
pub(super) fn not_read() -> (Parsed, Vec<Finding>) {
    let finding = Finding::error("policy::unread", "the policies could not be read")
        .help("this is a mistake in tarbac; please report it with the policies");
    (Parsed::default(), vec![finding])
}

fn missing_id(place: Place) -> Finding {
    Finding::error("policy::missing_id", "a policy has no id")
        .label(place, "this policy")
        .help("give it an `@id(\"…\")` that starts with the path of its file")
}

fn id_of<'a>(
    mut annotations: impl Iterator<Item = (&'a ast::AnyId, &'a ast::Annotation)>,
) -> Option<&'a str> {
    annotations
        .find(|(key, _)| key.as_ref() as &str == "id")
        .map(|(_, value)| value.val.as_str())
        .filter(|id| !id.is_empty())
}

fn place_of(source: &Arc<Source>, location: Option<&cedar_policy_core::parser::Loc>) -> Place {
    Place::new(source, location.map_or(0..0, |loc| loc.start()..loc.end()))
}

/// The text as Cedar's formatter writes it: 80 columns, two spaces.
///
/// # Errors
/// A finding when the text is no sequence of policies.
pub fn formatted(source: &Arc<Source>) -> Result<String, Finding> {
    nesting::of_policies(source)?;
    // The parser says more about a mistake than the formatter.
    if let Err(errors) = PolicySet::from_str(source.text())
        && let Some(error) = errors.iter().next()
    {
        return Err(diagnostic::of_cedar("policy::syntax", source, error));
    }
    let config = Config {
        line_width: 80,
        indent_width: 2,
    };
    policies_str_to_pretty(source.text(), &config).map_err(|error| {
        let error: &dyn miette::Diagnostic = error.as_ref();
        diagnostic::of_cedar("policy::syntax", source, error)
    })
}
