//! Reads policy files.

use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::PolicySet;
use cedar_policy_core::ast;
use cedar_policy_formatter::{Config, policies_str_to_pretty};

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

/// Reads all policies and templates; each takes its `@id` as its id.
pub(super) fn policies(
    sources: &[Arc<Source>],
    is_shipped: &dyn Fn(&str) -> bool,
) -> (Parsed, Vec<Finding>) {
    let mut parsed = Parsed::default();
    let mut findings = Vec::new();
    for source in sources {
        read_file(
            source,
            is_shipped(source.text()),
            &mut parsed,
            &mut findings,
        );
    }
    (parsed, findings)
}

fn read_file(
    source: &Arc<Source>,
    shipped: bool,
    parsed: &mut Parsed,
    findings: &mut Vec<Finding>,
) {
    if let Some(finding) = nesting::of_policies(source) {
        findings.push(finding);
        return;
    }
    let set = match PolicySet::from_str(source.text()) {
        Ok(set) => set,
        Err(errors) => {
            findings.extend(
                errors
                    .iter()
                    .map(|error| diagnostic::of_cedar("policy::syntax", source, error)),
            );
            return;
        }
    };
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
    if let Some(finding) = nesting::of_policies(source) {
        return Err(finding);
    }
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
