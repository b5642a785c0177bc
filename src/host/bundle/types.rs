//! Type errors that Cedar's strict validation finds, each once.
//!
//! Cedar examines a policy once for each type of principal and resource that it can meet, and
//! suggests names in the order of a hash table. Here one wrong word is one finding, whichever
//! types it is wrong for, and what is suggested is near and the same each time.

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
use super::policy::{ActionScope, Effect, Policy};
use super::vocabulary::{Action, Vocabulary};
use crate::lookup::did_you_mean;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::{Finding, Severity};

/// How many policies are validated at once.
const AT_ONCE: usize = 32;

/// The schema that policies are checked against.
pub(super) struct Against<'a> {
    /// As Cedar has it.
    pub schema: &'a Schema,
    /// Its words.
    pub vocabulary: &'a Vocabulary,
    /// Whether a part of it is in the binary and in no file that its reader may know of.
    pub is_built_in: bool,
    /// Whether all of it is, to the letter, the schema that ships.
    pub is_shipped: bool,
}

/// What strict validation finds.
///
/// Policies that ship are valid against the schema that ships; with another schema they are
/// checked like any other.
pub(super) fn check(policies: &[Policy], against: &Against<'_>) -> Vec<Finding> {
    let to_check: Vec<&Policy> = policies
        .iter()
        .filter(|policy| !(against.is_shipped && policy.is_shipped()))
        .collect();
    if to_check.is_empty() {
        return Vec::new();
    }
    let schema: &ValidatorSchema = against.schema.as_ref();
    let validator = Validator::new(schema.clone());
    // What is wrong with one policy has nothing to do with another, so all cores take part.
    let results: Vec<ValidationResult<ValidationError, ValidationWarning>> =
        as_asked(&to_check, against.vocabulary)
            .iter()
            .flat_map(|policies| policies.chunks(AT_ONCE))
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|policies| {
                let mut set = ast::PolicySet::new();
                for policy in policies {
                    // Of policies that share an id, the first is checked; `ids` speaks of the others.
                    let _ = set.add(policy.clone());
                }
                validator.validate(&set, ValidationMode::Strict)
            })
            .collect();
    let mut mistakes: BTreeMap<Mistake, Met> = BTreeMap::new();
    let mut findings = Vec::new();
    for result in results {
        let (errors, warnings) = result.into_errors_and_warnings();
        for error in errors {
            let mistake = Mistake::of(&error);
            mistakes.entry(mistake).or_default().add(error);
        }
        for warning in warnings {
            let id = cedar_policy::ValidationWarning::from(warning.clone());
            let policy = with_id(policies, id.policy_id());
            let finding = Finding::warning(code::policy::SUSPICIOUS, warning.to_string());
            let mut finding = placed(finding, policy, &warning);
            if policy.is_some_and(|policy| is_idle_forbid(&warning, policy, against.vocabulary)) {
                finding.code = code::policy::IDLE_FORBID;
                finding.severity = Severity::Error;
                finding = finding.help("a forbid that can never apply holds nobody back: is `in` meant for `==`, or another type?");
            }
            findings.push(finding);
        }
    }
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

/// Whether somebody is let in whom a forbid was meant to hold back: by its scope it can never apply. Other people's
/// Cedar takes such a policy; of one for every action, only a part may be idle.
fn is_idle_forbid(warning: &ValidationWarning, policy: &Policy, vocabulary: &Vocabulary) -> bool {
    matches!(warning, ValidationWarning::InvalidActionApplication(_))
        && policy.effect() == Effect::Forbid
        && vocabulary.asks()
        && !matches!(policy.action_scope(), ActionScope::Any)
}

/// Policies as they are asked: one for every action is asked about permissions, and no question is put to
/// it. Each list has a policy once.
fn as_asked(policies: &[&Policy], vocabulary: &Vocabulary) -> Vec<Vec<ast::Policy>> {
    let whole = |policy: &&Policy| policy.ast().clone();
    if !vocabulary.asks() {
        return vec![policies.iter().map(whole).collect()];
    }
    // Actions of several types are no set that Cedar would take.
    let mut by_type: BTreeMap<&EntityTypeName, Vec<Arc<ast::EntityUID>>> = BTreeMap::new();
    for action in vocabulary.permissions() {
        let of_type = by_type.entry(action.uid.type_name()).or_default();
        of_type.push(Arc::new(action.uid.clone().into()));
    }
    let (for_all, others): (Vec<&Policy>, Vec<&Policy>) = policies
        .iter()
        .partition(|policy| policy.action_scope() == ActionScope::Any && policy.ast().is_static());
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

/// One mistake of a policy, whichever types it is met with.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Mistake {
    policy: PolicyId,
    place: Option<(usize, usize)>,
    what: String,
}

impl Mistake {
    fn of(error: &ValidationError) -> Self {
        let label = error.labels().and_then(|mut labels| labels.next());
        let place = label.map(|label| (label.offset(), label.len()));
        let what = match error {
            ValidationError::UnsafeAttributeAccess(error) => accessed(&error.attribute_access),
            ValidationError::UnsafeOptionalAttributeAccess(error) => {
                accessed(&error.attribute_access)
            }
            // A type that is not there is wrong once, wherever the scope repeats it.
            ValidationError::UnrecognizedEntityType(_)
            | ValidationError::UnrecognizedActionId(_) => error.to_string(),
            other => format!("{:?}", std::mem::discriminant(other)),
        };
        Self {
            // Only the public errors tell it.
            policy: cedar_policy::ValidationError::from(error.clone())
                .policy_id()
                .clone(),
            place,
            what,
        }
    }
}

/// The attribute that is looked for, in words that no other mistake has.
fn accessed(access: &AttributeAccess) -> String {
    let (AttributeAccess::EntityLUB(_, attributes)
    | AttributeAccess::Context(_, attributes)
    | AttributeAccess::Other(attributes)) = access;
    format!("attribute {}", attributes.join("."))
}

/// What Cedar says of one mistake.
#[derive(Default)]
struct Met {
    /// By what it says.
    errors: BTreeMap<String, ValidationError>,
    /// The types on which the attribute is not there.
    lacking: BTreeSet<EntityTypeName>,
    /// The attribute and the records that lead to it, from the entity on.
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
            // Which attributes a record has is not known here.
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

    /// An attribute that some types lack.
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

/// The types of the principals and of the resources of the actions that a policy is asked about. A policy for every
/// action is asked about permissions only.
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

/// The type or record at the end of a path of records that starts at an entity type.
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
    /// What to say of a name that the schema does not have.
    fn unknown(&self, near: Option<String>) -> Option<String> {
        let whose = "the schema in force is the one that ships with tarbac, for Intune; `--schema` names another, and `test --cedar --no-schema` does without";
        match (near, self.is_built_in) {
            (Some(near), _) => Some(near),
            (None, true) => Some(whose.to_owned()),
            (None, false) => None,
        }
    }
}
