//! The parser of policy files.

use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::PolicySet;
use cedar_policy_core::ast;
use cedar_policy_formatter::{Config, policies_str_to_pretty};
use rayon::ThreadPoolBuilder;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::policy::Policy;
use super::{depth_limit, diagnostic};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};

/// The policies and templates of all files.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub policies: Vec<Policy>,
    pub templates: Vec<Template>,
}

/// A template and its place.
#[derive(Debug)]
pub(super) struct Template {
    pub ast: Arc<ast::Template>,
    pub place: Place,
    pub shipped: bool,
}

/// The stack of a thread that parses policies, in bytes. Cedar's parser uses much of it for each level of nesting.
const STACK: usize = 32 * 1024 * 1024;

/// The smallest part of a file that gets a thread of its own, in bytes.
const SMALLEST: usize = 32 * 1024;

/// Parses all policies and templates, on all cores. The id is that of `@id`, or the position.
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
        match depth_limit::of_policies(source) {
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
    // Parts take very different times, so each is a task of its own.
    let each = || all_parts.par_iter().with_max_len(1).map(parse).collect();
    let sets: Vec<_> = threads.install(each);
    let mut sets = sets.into_iter();
    // The position counts policies without an id over all files, except those that ship.
    let mut position = 0;
    for (source, count) in files {
        let of_file: Vec<_> = sets.by_ref().take(count).collect();
        let of_file: Option<Vec<PolicySet>> = of_file.into_iter().collect();
        // An error is reported for the whole file, since the parts mean nothing to its author.
        let of_file = match of_file {
            Some(sets) => sets,
            None => {
                match threads.install(|| PolicySet::from_str(source.text()).map_err(Box::new)) {
                    Ok(set) => vec![set],
                    Err(errors) => {
                        let of_error =
                            |error| diagnostic::of_cedar(code::policy::SYNTAX, source, error);
                        findings.extend(errors.iter().map(of_error));
                        continue;
                    }
                }
            }
        };
        let shipped = is_shipped(source.text());
        for set in of_file {
            let number = collect(&set, source, shipped, position, &mut parsed, &mut findings);
            if !shipped {
                position += number;
            }
        }
    }
    (parsed, findings)
}

/// Parts of a text, at most a given number, that begin and end between policies; `ends` are the ends of the policies.
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

/// Parses a part of a text; places refer to the whole text. `None` on an error.
fn of_part(text: &str, part: Range<usize>) -> Option<PolicySet> {
    let before = " ".repeat(part.start);
    PolicySet::from_str(&(before + text.get(part)?)).ok()
}

/// Adds the policies and templates of a set; `before` is the number of policies before them. Returns their number.
fn collect(
    set: &PolicySet,
    source: &Arc<Source>,
    shipped: bool,
    before: usize,
    parsed: &mut Parsed,
    findings: &mut Vec<Finding>,
) -> usize {
    let set: &ast::PolicySet = set.as_ref();
    let mut count = 0;
    for policy in set.static_policies() {
        count += 1;
        let place = place_of(source, policy.loc());
        let id = id_of(policy.annotations()).map_or_else(
            || by_position(policy.id(), before, &place, findings),
            str::to_owned,
        );
        let policy = policy.new_id(ast::PolicyID::from_string(id));
        parsed.policies.push(Policy::new(policy, place, shipped));
    }
    for template in set.templates() {
        count += 1;
        let place = place_of(source, template.loc());
        let id = id_of(template.annotations()).map_or_else(
            || by_position(template.id(), before, &place, findings),
            str::to_owned,
        );
        parsed.templates.push(Template {
            ast: Arc::new(template.new_id(ast::PolicyID::from_string(id))),
            place,
            shipped,
        });
    }
    count
}

/// The id of a policy without one, by its position among all policies, as `cedar` counts them from `policy0`.
///
/// `parsed` is the id from the parser: the position in the part of the file.
fn by_position(
    parsed: &ast::PolicyID,
    before: usize,
    place: &Place,
    findings: &mut Vec<Finding>,
) -> String {
    let parsed = parsed.to_string();
    let within = parsed
        .strip_prefix("policy")
        .and_then(|number| number.parse().ok());
    let id = format!("policy{}", before + within.unwrap_or(0usize));
    findings.push(
        Finding::warning(
            code::policy::MISSING_ID,
            format!("a policy has no id, so it goes by its position: `{id}`"),
        )
        .label(place.clone(), "this policy")
        .help("give it an `@id(\"…\")` that starts with the path of its file"),
    );
    id
}

/// The result if the parser itself fails: an error, so that the policies do not count as absent.
pub(super) fn not_read() -> (Parsed, Vec<Finding>) {
    let finding = Finding::error(code::policy::UNREAD, "the policies could not be read")
        .help("this is a mistake in tarbac; please report it with the policies");
    (Parsed::default(), vec![finding])
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

/// The number of bytes that are formatted at a time. For each token, Cedar's formatter goes through all comments of
/// the text.
const FORMATTED: usize = 4 * 1024;

/// The text in the format of Cedar's formatter: 80 columns, two spaces.
///
/// # Errors
/// The text does not consist of valid policies.
pub fn formatted(source: &Arc<Source>) -> Result<String, Finding> {
    let ends = depth_limit::of_policies(source)?;
    // The parser's messages say more than the formatter's.
    if let Err(errors) = PolicySet::from_str(source.text())
        && let Some(error) = errors.iter().next()
    {
        return Err(diagnostic::of_cedar(code::policy::SYNTAX, source, error));
    }
    let config = Config {
        line_width: 80,
        indent_width: 2,
    };
    let formatted = paragraphs(source.text(), &ends).map(|text| {
        policies_str_to_pretty(text, &config).map_err(|error| {
            let error: &dyn miette::Diagnostic = error.as_ref();
            diagnostic::of_cedar(code::policy::SYNTAX, source, error)
        })
    });
    let formatted: Vec<String> = formatted.collect::<Result<_, _>>()?;
    // Each part ends with a line break, and an empty line separates two policies.
    Ok(formatted.join("\n"))
}

/// Parts of a text with some policies each; `ends` are the ends of the policies. A comment after a policy on the same
/// line stays with it.
fn paragraphs<'t>(text: &'t str, ends: &[usize]) -> impl Iterator<Item = &'t str> {
    let (_, between) = ends.split_last().unwrap_or((&0, &[]));
    let mut start = 0;
    let mut bounds = Vec::new();
    for &end in between {
        let line = text.get(end..).and_then(|rest| rest.lines().next());
        if end - start >= FORMATTED && line.is_some_and(|line| line.trim().is_empty()) {
            bounds.push(start..end);
            start = end;
        }
    }
    bounds.push(start..text.len());
    bounds.into_iter().filter_map(|part| text.get(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_formatted_as_cedar_formats_it_at_once() {
        let policy = |number: usize| match number % 5 {
            0 => "permit (principal,action,resource) ; // behind\n\n\n\n",
            1 => "// before\n@id(\"a;b\") permit (principal, action, resource) when { true };\n",
            2 => "forbid(principal,action,resource);forbid(principal,action,resource);",
            3 => {
                "\n  // one\n\n  // another\nforbid(principal,action,resource)\nunless { \"//\" == \";\" };\r\n"
            }
            _ => "permit (principal, action, resource) // before the end\n;\n",
        };
        let texts =
            [0, 1, 7, 400].map(|count| (0..count).map(policy).collect::<String>() + "// the end");
        for text in texts {
            let config = Config {
                line_width: 80,
                indent_width: 2,
            };
            let at_once = policies_str_to_pretty(&text, &config).ok();
            let source = Source::held("a.cedar", text);
            let ends = depth_limit::of_policies(&source).ok();
            let parts = ends.map(|ends| paragraphs(source.text(), &ends).count());
            assert_eq!(
                parts.is_some_and(|parts| parts > 3),
                source.text().len() > 4 * FORMATTED
            );
            assert!(at_once.is_some());
            assert_eq!(formatted(&source).ok(), at_once);
        }
    }
}
