//! Type errors of Cedar's strict validation, each reported once.
//!
//! Cedar validates a policy once for each combination of principal and resource types, and picks suggested names in
//! the order of a hash table. Here a wrong word is one finding, for whichever types it is wrong, and its suggestion is
//! always the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cedar_policy::{EntityTypeName, PolicyId, Schema};
use cedar_policy_core::ast;
use cedar_policy_core::validator::validation_errors::AttributeAccess;
use cedar_policy_core::validator::{
    ValidationError, ValidationMode, ValidationResult, ValidationWarning, Validator,
    ValidatorSchema,
};
use miette::Diagnostic;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::diagnostic;
use super::idle;
use super::policy::{ActionScope, Policy};
use super::vocabulary::{Action, Vocabulary};
use crate::lookup::did_you_mean;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::{Finding, Severity};

/// The number of policies that are validated together.
const AT_ONCE: usize = 32;

/// The schema that policies are checked against.
pub(super) struct Against<'a> {
    /// The schema in Cedar's form.
    pub schema: &'a Schema,
    /// The vocabulary of the schema.
    pub vocabulary: &'a Vocabulary,
    /// Whether a part of the schema ships with the program and stands in no file of the workspace.
    pub is_built_in: bool,
    /// Whether the whole schema is the one that ships.
    pub is_shipped: bool,
}

/// The findings of strict validation.
///
/// Policies that ship are valid against the schema that ships; with any other schema they are checked too. That a forbid
/// of these ids (`told`) can never apply is told already, with the condition that is the cause.
pub(super) fn check(
    policies: &[Policy],
    against: &Against<'_>,
    told: &BTreeSet<&str>,
) -> Vec<Finding> {
    let to_check: Vec<&Policy> = policies
        .iter()
        .filter(|policy| !(against.is_shipped && policy.is_shipped()))
        .collect();
    if to_check.is_empty() {
        return Vec::new();
    }
    let schema: &ValidatorSchema = against.schema.as_ref();
    let validator = Validator::new(schema.clone());
    // Policies are validated independently, on all cores.
    let results: Vec<ValidationResult<ValidationError, ValidationWarning>> =
        as_asked(&to_check, against.vocabulary)
            .iter()
            .flat_map(|policies| policies.chunks(AT_ONCE))
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|policies| {
                let mut set = ast::PolicySet::new();
                for policy in policies {
                    // Of policies that share an id, only the first is checked; `ids` reports the others.
                    let _ = set.add(policy.clone());
                }
                validator.validate(&set, ValidationMode::Strict)
            })
            .collect();
    let mut mistakes: BTreeMap<Mistake, Met> = BTreeMap::new();
    let mut warnings = Vec::new();
    for result in results {
        let (errors, more) = result.into_errors_and_warnings();
        for error in errors {
            let mistake = Mistake::from_error(&error);
            mistakes.entry(mistake).or_default().add(error);
        }
        warnings.extend(more);
    }
    let mut findings = warned(policies, warnings, against, told);
    for (mistake, met) in mistakes {
        let policy = with_id(policies, &mistake.policy);
        findings.extend(met.finding(policy, against));
    }
    let mut seen = BTreeSet::new();
    findings.retain(|finding: &Finding| {
        seen.insert((
            finding.message.clone(),
            finding.labels.first().map(|label| label.place.clone()),
        ))
    });
    findings
}

/// The findings about what Cedar's validator warns of.
fn warned(
    policies: &[Policy],
    warnings: Vec<ValidationWarning>,
    against: &Against<'_>,
    told: &BTreeSet<&str>,
) -> Vec<Finding> {
    let warnings = idle::lasting(policies, warnings, against.vocabulary);
    let of_warning = |warning: ValidationWarning| {
        let policy = policy_of(policies, &warning);
        let is_told = policy.is_some_and(|policy| told.contains(policy.id()));
        if is_told && matches!(warning, ValidationWarning::ImpossiblePolicy(_)) {
            return None;
        }
        let finding = Finding::warning(code::policy::SUSPICIOUS, warning.to_string());
        let mut finding = placed(finding, policy, &warning);
        let is_idle = |policy: &Policy| idle::is_idle_forbid(policy, &warning, against.vocabulary);
        if policy.is_some_and(is_idle) {
            finding.code = code::policy::IDLE_FORBID;
            finding.severity = Severity::Error;
            finding = finding.help("a forbid that can never apply holds nobody back: is `in` meant for `==`, or another type?");
        }
        Some(finding)
    };
    warnings.into_iter().filter_map(of_warning).collect()
}

/// The policy that a warning is about.
pub(super) fn policy_of<'p>(
    policies: &'p [Policy],
    warning: &ValidationWarning,
) -> Option<&'p Policy> {
    let warning = cedar_policy::ValidationWarning::from(warning.clone());
    with_id(policies, warning.policy_id())
}

/// Policies in the form in which they are evaluated: one for every action stands for all permissions, and for no
/// question. Each list contains a policy once.
fn as_asked(policies: &[&Policy], vocabulary: &Vocabulary) -> Vec<Vec<ast::Policy>> {
    let whole = |policy: &&Policy| policy.ast().clone();
    if !vocabulary.asks() {
        return vec![policies.iter().map(whole).collect()];
    }
    // Cedar accepts no set of actions with different types.
    let mut by_type: BTreeMap<&EntityTypeName, Vec<Arc<ast::EntityUID>>> = BTreeMap::new();
    for action in vocabulary.permissions() {
        let of_type = by_type.entry(action.uid.type_name()).or_default();
        of_type.push(Arc::new(action.uid.clone().into()));
    }
    let (for_all, others): (Vec<&Policy>, Vec<&Policy>) = policies
        .iter()
        .partition(|policy| policy.action_scope() == ActionScope::Any);
    let mut lists = vec![others.iter().map(whole).collect::<Vec<ast::Policy>>()];
    for actions in by_type.into_values() {
        let constraint = ast::ActionConstraint::In(actions);
        let asked = for_all.iter().map(|policy| {
            let ast = policy.ast();
            let template = ast::Template::new(
                ast.id().clone(),
                ast.loc().cloned(),
                ast::Annotations::new(),
                ast.effect(),
                ast.principal_constraint(),
                constraint.clone(),
                ast.resource_constraint(),
                ast.non_scope_constraints().cloned(),
            );
            let asked = ast::Template::try_as_policy(Arc::new(template));
            asked.unwrap_or_else(|_| ast.clone())
        });
        lists.push(asked.collect());
    }
    lists
}

fn with_id<'p>(policies: &'p [Policy], id: &PolicyId) -> Option<&'p Policy> {
    let id: &str = id.as_ref();
    policies
        .iter()
        .find(|policy| policy.id() == id || policy.ast().template().id().to_string() == id)
}

fn placed(finding: Finding, policy: Option<&Policy>, error: &dyn Diagnostic) -> Finding {
    match policy {
        Some(policy) => diagnostic::complete(finding, &policy.place().source, error),
        None => finding,
    }
}

/// A mistake in a policy, for all types that it occurs with.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Mistake {
    policy: PolicyId,
    place: Option<(usize, usize)>,
    what: String,
}

impl Mistake {
    fn from_error(error: &ValidationError) -> Self {
        let label = error.labels().and_then(|mut labels| labels.next());
        let place = label.map(|label| (label.offset(), label.len()));
        let what = match error {
            ValidationError::UnsafeAttributeAccess(error) => accessed(&error.attribute_access),
            ValidationError::UnsafeOptionalAttributeAccess(error) => {
                accessed(&error.attribute_access)
            }
            // An unknown type is one mistake, even if the scope repeats it.
            ValidationError::UnrecognizedEntityType(_)
            | ValidationError::UnrecognizedActionId(_) => error.to_string(),
            other => format!("{:?}", std::mem::discriminant(other)),
        };
        Self {
            // Only the public error has the id.
            policy: cedar_policy::ValidationError::from(error.clone())
                .policy_id()
                .clone(),
            place,
            what,
        }
    }
}

/// A text that identifies the access to an attribute.
fn accessed(access: &AttributeAccess) -> String {
    let (AttributeAccess::EntityLUB(_, attributes)
    | AttributeAccess::Context(_, attributes)
    | AttributeAccess::Other(attributes)) = access;
    format!("attribute {}", attributes.join("."))
}

/// Cedar's errors about one mistake.
#[derive(Default)]
struct Met {
    /// The errors by message.
    errors: BTreeMap<String, ValidationError>,
    /// The types that lack the attribute.
    lacking: BTreeSet<EntityTypeName>,
    /// The path from the entity to the attribute, through records.
    path: Vec<String>,
}

impl Met {
    fn add(&mut self, error: ValidationError) {
        if let ValidationError::UnsafeAttributeAccess(access) = &error
            && let AttributeAccess::EntityLUB(types, attributes) = &access.attribute_access
            && let Some(entity_type) = types.get_single_entity()
        {
            self.lacking.insert(entity_type.clone().into());
            self.path = attributes.iter().rev().map(ToString::to_string).collect();
        }
        self.errors.insert(error.to_string(), error);
    }

    fn finding(self, policy: Option<&Policy>, against: &Against<'_>) -> Option<Finding> {
        if let Some(policy) = policy
            && !self.lacking.is_empty()
        {
            return self.attribute(policy, against);
        }
        let others = self.errors.len().saturating_sub(1);
        let (message, error) = self.errors.into_iter().next()?;
        let mut finding = placed(Finding::error(code::policy::TYPE, message), policy, &error);
        let vocabulary = against.vocabulary;
        finding.help = match &error {
            ValidationError::UnrecognizedEntityType(error) => {
                let near = did_you_mean(&error.actual_entity_type, vocabulary.type_names());
                against.unknown(near)
            }
            ValidationError::UnrecognizedActionId(error) => {
                let actions: Vec<String> = vocabulary
                    .actions()
                    .map(|action| action.uid.to_string())
                    .collect();
                let actions = actions.iter().map(String::as_str);
                against.unknown(did_you_mean(&error.actual_action_id, actions))
            }
            // The attributes of the record are not known here.
            ValidationError::UnsafeAttributeAccess(_) => None,
            _ => finding.help,
        };
        if others > 0 {
            let more = format!(
                "it is wrong for {others} more of the types that the policy meets; `principal is` and `resource is` name those that are meant"
            );
            finding.help = Some(match finding.help {
                Some(help) => format!("{help}; {more}"),
                None => more,
            });
        }
        Some(finding)
    }

    /// The finding about an attribute that some types lack.
    fn attribute(self, policy: &Policy, against: &Against<'_>) -> Option<Finding> {
        let vocabulary = against.vocabulary;
        let (attribute, records) = self.path.split_last()?;
        let (principals, resources) = types_of_scope(policy, vocabulary);
        let lacking: Vec<&EntityTypeName> = self.lacking.iter().collect();
        let owner = |name: &EntityTypeName| owner(vocabulary, name, records);
        let has = |name: &EntityTypeName| {
            let attributes = owner(name).and_then(|owner| vocabulary.attributes(&owner));
            attributes.is_some_and(|attributes| attributes.contains_key(attribute))
        };
        let is_resource = lacking.iter().any(|name| resources.contains(*name));
        let part = if is_resource { "resource" } else { "principal" };
        let met = if is_resource { &resources } else { &principals };
        let all_met = lacking.iter().all(|name| met.contains(*name));
        let owners: Vec<&EntityTypeName> = met
            .iter()
            .filter(|name| all_met && !self.lacking.contains(*name) && has(name))
            .collect();
        let id = policy.id();
        let (message, help) = match (owners.as_slice(), lacking.as_slice()) {
            ([], [only]) => {
                let near = owner(only).and_then(|owner| vocabulary.attributes(&owner));
                let near = near.into_iter().flatten().map(|(name, _)| name.as_str());
                let message = self.errors.keys().next()?.clone();
                (message, did_you_mean(attribute, near))
            }
            ([], several) => {
                let near = several.iter().find_map(|name| {
                    let attributes = vocabulary.attributes(&owner(name)?)?;
                    let near = did_you_mean(attribute, attributes.keys().map(String::as_str))?;
                    Some(match all_met {
                        true => format!("{near} That is an attribute of `{name}` only, so write `{part} is {name}` as well"),
                        false => near,
                    })
                });
                let message = format!(
                    "for policy `{id}`, attribute `{attribute}` not found on any of {}",
                    quoted(several)
                );
                (message, near)
            }
            (owners, lacking) => {
                let message = format!(
                    "for policy `{id}`, attribute `{attribute}` is not on {}, which the policy meets too",
                    quoted(lacking)
                );
                let scopes = owners.iter().map(|name| format!("`{part} is {name}`"));
                let scopes = scopes.collect::<Vec<_>>().join(" or ");
                let help = format!("name in the scope the type that has it: {scopes}");
                (message, Some(help))
            }
        };
        let (_, error) = self.errors.into_iter().next()?;
        let finding = Finding::error(code::policy::TYPE, message);
        let mut finding = placed(finding, Some(policy), &error);
        finding.help = help;
        Some(finding)
    }
}

/// The types of principals and resources of the actions that a policy is evaluated for. A policy for every action is
/// evaluated for permissions only.
fn types_of_scope(
    policy: &Policy,
    vocabulary: &Vocabulary,
) -> (BTreeSet<EntityTypeName>, BTreeSet<EntityTypeName>) {
    let scope = policy.action_scope();
    let actions = vocabulary.actions();
    let actions: Vec<&Action> = actions.filter(|action| scope.answers(action)).collect();
    let principals = actions.iter().flat_map(|action| &action.principals);
    let resources = actions.iter().flat_map(|action| &action.resources);
    (principals.cloned().collect(), resources.cloned().collect())
}

fn quoted(names: &[&EntityTypeName]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// The type or record at the end of a path of records that begins at an entity type.
fn owner(vocabulary: &Vocabulary, name: &EntityTypeName, records: &[String]) -> Option<String> {
    match records.is_empty() {
        true => Some(name.to_string()),
        false => match &vocabulary.attribute(&name.to_string(), records)?.kind {
            super::Kind::Record(record) => Some(record.clone()),
            _ => None,
        },
    }
}

impl Against<'_> {
    /// The help for a name that is not in the schema.
    fn unknown(&self, near: Option<String>) -> Option<String> {
        let whose = "the schema in force is the one that ships with tarbac, for Intune; `--schema` names another, and `test --cedar --no-schema` does without";
        match (near, self.is_built_in) {
            (Some(near), _) => Some(near),
            (None, true) => Some(whose.to_owned()),
            (None, false) => None,
        }
    }
}
