//! The reader of a bundle, which parses, joins and checks texts.

use std::sync::Arc;

use cedar_policy::Schema;

use super::parse as parsing;
use super::types::Against;
use super::{
    Bundle, Policy, Switches, Texts, UnknownReading, Vocabulary, check, guard, ids, links,
    never_true, reading, schema, types,
};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::{self, Finding};
use tarbac_diagnostic::source::Source;

/// The schema of a workspace with errors, if the schema itself has none.
pub type NoBundle = Option<(Schema, Vocabulary)>;

/// The policies and schema of a workspace with errors.
#[derive(Debug)]
pub(crate) struct Unsound {
    /// The schema, if it has no errors.
    pub schema: NoBundle,
    policies: Vec<Policy>,
}

impl Unsound {
    /// Further findings about the policies, by the schema.
    pub(crate) fn check(&self, texts: &Texts) -> Vec<Finding> {
        let schema = self.schema.as_ref();
        schema.map_or_else(Vec::new, |(schema, vocabulary)| {
            check_by_schema(&self.policies, schema, vocabulary, texts)
        })
    }
}

/// Reads a bundle.
///
/// Texts that ship are not checked. There is a bundle exactly if none of the findings is an error; otherwise the
/// schema is returned if it has no errors, so that the entities can be checked.
pub fn read(texts: &Texts) -> (Result<Bundle, NoBundle>, Vec<Finding>) {
    let (read, mut findings) = parse(texts);
    let read = match read {
        Ok(bundle) => {
            findings.extend(bundle.check(texts));
            match finding::any_error(&findings) {
                true => Err(Some((bundle.schema, bundle.vocabulary))),
                false => Ok(bundle),
            }
        }
        Err(unsound) => {
            findings.extend(unsound.check(texts));
            Err(unsound.schema)
        }
    };
    (read, findings)
}

/// Reads a bundle that is still to be checked ([`Bundle::check`]). There is one exactly if none of the findings is an
/// error.
pub(crate) fn parse(texts: &Texts) -> (Result<Bundle, Unsound>, Vec<Finding>) {
    let shipped = &texts.shipped;
    let is_shipped = |text: &str| shipped.has_text(text);
    let (schema, policies) = std::thread::scope(|scope| {
        let policies = scope.spawn(|| parsing::policies(&texts.policies, &is_shipped));
        let schema = schema::read(&texts.schema, shipped);
        let policies = policies.join();
        (schema, policies.unwrap_or_else(|_| parsing::not_read()))
    });
    let (schema, mut findings) = schema;
    let (parsed, more) = policies;
    findings.extend(more);

    let (linked, more) = links::link(&parsed.templates, &texts.links);
    findings.extend(more);
    let mut policies = parsed.policies;
    policies.extend(linked);
    policies.sort_by(|one, other| one.id().cmp(other.id()));
    // If the schema cannot be read, it may be one with questions.
    let asks = schema
        .as_ref()
        .is_none_or(|(_, vocabulary)| vocabulary.asks());
    if !asks {
        policies.iter_mut().for_each(Policy::mean_nothing);
    }

    findings.extend(ids::check(&policies, &parsed.templates));
    findings.extend(check::annotations(&policies, asks));
    findings.extend(check::templates(&parsed.templates, &policies, asks));
    let (readings, more) = reading::collect(&policies);
    findings.extend(more);

    if !asks {
        findings.retain(|finding| finding.code != code::schema::MISSING_DOC);
    }
    let (schema, vocabulary) = match schema {
        Some(schema) if !finding::any_error(&findings) => schema,
        schema => return (Err(Unsound { schema, policies }), findings),
    };
    let schema_texts = texts.schema.iter();
    let schema_texts: Vec<_> = schema_texts
        .map(|source| schema::in_cedar_format(source))
        .collect();
    let bundle = Bundle {
        schema,
        schema_text: schema_texts.join("\n"),
        vocabulary,
        policies,
        readings,
        rules: shipped.rules(texts),
        identity: texts.identity(),
        not_read: texts.not_read.clone(),
        missing: texts.missing.clone(),
        shipped: Arc::clone(shipped),
    };
    (Ok(bundle), findings)
}

/// Findings about policies by the schema: type errors, and permissions that no guardrail holds back.
pub(super) fn check_by_schema(
    policies: &[Policy],
    schema: &Schema,
    vocabulary: &Vocabulary,
    texts: &Texts,
) -> Vec<Finding> {
    let shipped = &texts.shipped;
    let is_shipped = |source: &Arc<Source>| shipped.has_text(source.text());
    let against = Against {
        schema,
        vocabulary,
        is_built_in: texts.schema.iter().any(|source| shipped.holds(source)),
        // If one of the files that ship is missing, the schema is another.
        is_shipped: texts.schema.iter().all(is_shipped)
            && check::are_actions_known(policies, schema),
    };
    let never_true = never_true::check(policies, &against);
    let mut findings = types::check(policies, &against, &never_true.forbids);
    findings.extend(never_true.findings);
    findings.extend(guard::check(policies, vocabulary));
    findings.extend(check::for_everybody(policies, vocabulary));
    findings
}

/// Reads policies without a schema, sorted by id; all are in force, as in Cedar. `None` if one has an error.
///
/// # Errors
/// A reading is switched, and without a schema there is none.
pub fn without_schema(
    texts: &Texts,
    switches: &Switches,
) -> Result<(Option<Vec<Policy>>, Vec<Finding>), UnknownReading> {
    switches.on_among(&[])?;
    let (parsed, mut findings) = parsing::policies(&texts.policies, &|_| false);
    let (linked, more) = links::link(&parsed.templates, &texts.links);
    findings.extend(more);
    let mut policies = parsed.policies;
    policies.extend(linked);
    policies.sort_by(|one, other| one.id().cmp(other.id()));
    findings.extend(ids::check(&policies, &parsed.templates));
    let is_sound = !finding::any_error(&findings);
    Ok((is_sound.then_some(policies), findings))
}
