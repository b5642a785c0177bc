//! The reader of schema files, in Cedar's format or in JSON.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::entities_errors::EntitiesError;
use cedar_policy::{Entities, Schema, SchemaError, SchemaFragment};
use thiserror::Error;

use super::shipped::Shipped;
use super::vocabulary::Vocabulary;
use super::vocabulary::declarations::Declarations;
use super::{depth_limit, diagnostic};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};

/// Reads all schema files; the schema is absent if one of the findings is an error.
pub(super) fn read(
    sources: &[Arc<Source>],
    shipped: &Shipped,
) -> (Option<(Schema, Vocabulary)>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut fragments = Vec::new();
    for source in sources {
        let translated = shipped.in_json(source.text());
        let translated =
            translated.and_then(|json| SchemaFragment::from_json_value(json.clone()).ok());
        if let Some(fragment) = translated {
            fragments.push(fragment);
            continue;
        }
        if let Some(finding) = depth_limit::of_schema(source) {
            findings.push(finding);
            continue;
        }
        if is_json(source) {
            match SchemaFragment::from_json_str(source.text()) {
                Ok(fragment) => fragments.push(fragment),
                Err(error) => findings.push(of_json(source, &error)),
            }
            continue;
        }
        match SchemaFragment::from_cedarschema_str(source.text()) {
            Ok((fragment, warnings)) => {
                for warning in warnings {
                    let finding = Finding::warning(code::schema::WARNING, warning.to_string());
                    findings.push(diagnostic::complete(finding, source, &warning));
                }
                fragments.push(fragment);
            }
            Err(error) => findings.push(diagnostic::of_cedar(code::schema::SYNTAX, source, &error)),
        }
    }
    if tarbac_diagnostic::finding::any_error(&findings) {
        return (None, findings);
    }
    let (schema, action_entities) = match join(&fragments) {
        Ok(joined) => joined,
        Err(error) => {
            findings.push(of_files(sources, &fragments, error, shipped));
            return (None, findings);
        }
    };
    let mut declarations = Declarations::default();
    for (fragment, source) in fragments.into_iter().zip(sources) {
        match fragment.to_json_value() {
            Ok(json) => declarations.add_fragment(&json, source, &mut findings),
            Err(error) => findings.push(diagnostic::of_cedar(code::schema::SYNTAX, source, &error)),
        }
    }
    findings.extend(declarations.shared_names());
    let vocabulary = declarations.finish(&schema, &action_entities);
    (Some((schema, vocabulary)), findings)
}

/// A contradiction between the fragments of a schema.
#[derive(Debug, Error)]
enum Conflict {
    #[error(transparent)]
    Schema(Box<SchemaError>),
    #[error(transparent)]
    Actions(Box<EntitiesError>),
}

/// The finding about an error between schema files. An error that the files of a workspace have by themselves is theirs:
/// such a schema may clash with the one that ships as well, and that is not the cause.
fn of_files(
    sources: &[Arc<Source>],
    fragments: &[SchemaFragment],
    error: Conflict,
    shipped: &Shipped,
) -> Finding {
    let all = sources.iter().zip(fragments);
    let own = all.filter(|(source, _)| !shipped.holds(source));
    let (own, of_own): (Vec<&Arc<Source>>, Vec<SchemaFragment>) = own
        .map(|(source, fragment)| (source, fragment.clone()))
        .unzip();
    let (sources, error) = match join(&of_own) {
        Err(alone) if error.is_clash() || error.to_string() == alone.to_string() => (own, alone),
        _ => (sources.iter().collect(), error),
    };
    let label = match sources.len() {
        1 => "in this file",
        _ => "one of these files",
    };
    let finding = Finding::error(code::schema::CONFLICT, error.to_string());
    sources.into_iter().fold(finding, |finding, source| {
        finding.label(Place::new(source, 0..0), label)
    })
}

impl Conflict {
    /// Whether a name stands in the way of another.
    fn is_clash(&self) -> bool {
        matches!(self, Self::Schema(error)
            if matches!(**error, SchemaError::TypeShadowing(_) | SchemaError::ActionShadowing(_)))
    }
}

/// The schema of all fragments, with its action entities.
///
/// # Errors
/// The fragments contradict each other.
fn join(fragments: &[SchemaFragment]) -> Result<(Schema, Entities), Conflict> {
    let schema = Schema::from_schema_fragments(fragments.iter().cloned())
        .map_err(|error| Conflict::Schema(Box::new(error)))?;
    let actions = schema.action_entities();
    let actions = actions.map_err(|error| Conflict::Actions(Box::new(error)))?;
    Ok((schema, actions))
}

/// Whether a schema has nothing to do with `known`: it has no error, declares the types that its actions apply to, and
/// shares no namespace with the other.
pub fn is_another_schema(sources: &[Arc<Source>], known: &[Arc<Source>]) -> bool {
    let fragment = |source: &Arc<Source>| {
        let is_sound = depth_limit::of_schema(source).is_none();
        match is_json(source) {
            _ if !is_sound => None,
            true => SchemaFragment::from_json_str(source.text()).ok(),
            false => Some(SchemaFragment::from_cedarschema_str(source.text()).ok()?.0),
        }
    };
    let namespaces = |fragment: &SchemaFragment| -> BTreeSet<Option<String>> {
        let names = fragment.namespaces();
        names
            .map(|name| name.map(|name| name.to_string()))
            .collect()
    };
    let is_known = |source: &Arc<Source>| known.iter().any(|known| known.text() == source.text());
    if sources.is_empty() || sources.iter().any(is_known) {
        return false;
    }
    let known = known.iter().filter_map(fragment);
    let known: BTreeSet<_> = known.flat_map(|known| namespaces(&known)).collect();
    let mut fragments = Vec::new();
    for source in sources {
        match fragment(source) {
            Some(fragment) if namespaces(&fragment).is_disjoint(&known) => fragments.push(fragment),
            _ => return false,
        }
    }
    let schema = Schema::from_schema_fragments(fragments);
    schema.is_ok_and(|schema| schema.request_envs().next().is_some())
}

/// Whether a schema is in Cedar's JSON format; a schema in the other format never begins like this.
fn is_json(source: &Source) -> bool {
    source.text().trim_start().starts_with(['{', '['])
}

/// The finding about an error in a schema in the JSON format.
fn of_json(source: &Arc<Source>, error: &SchemaError) -> Finding {
    let mut finding = diagnostic::of_cedar(code::schema::SYNTAX, source, error);
    if let Some((line, column)) = position(&finding.message) {
        let lines = source.text().split_inclusive('\n');
        let before: usize = lines.take(line.saturating_sub(1)).map(str::len).sum();
        let at = (before + column.saturating_sub(1)).min(source.text().len());
        finding.labels.clear();
        finding = finding.label(Place::new(source, at..at), "here");
    }
    finding.message = format!("no schema in Cedar's JSON format: {}", finding.message);
    finding
}

/// The line and column at the end of a message about JSON.
fn position(message: &str) -> Option<(usize, usize)> {
    let (_, position) = message.rsplit_once(" at line ")?;
    let (line, column) = position.split_once(" column ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

/// The schema in the Cedar format, converted from JSON if necessary.
pub(super) fn in_cedar_format(source: &Source) -> Cow<'_, str> {
    if !is_json(source) {
        return Cow::Borrowed(source.text());
    }
    let fragment = SchemaFragment::from_json_str(source.text()).ok();
    let text = fragment.and_then(|fragment| fragment.to_cedarschema().ok());
    // A schema that the Cedar format cannot express stays in JSON.
    text.map_or(Cow::Borrowed(source.text()), Cow::Owned)
}
