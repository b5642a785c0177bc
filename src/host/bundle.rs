//! The bundle: schema and policies in which no error was found.
//!
//! [`read`] turns the texts of a workspace into a [`Bundle`], or into the findings that prevent one. The names of
//! actions, readings, messages and authorities stand in the texts; this module only carries them.
//!
//! It decides nothing ([`crate::engine`] does) and opens no file ([`crate::workspace`] does).

pub(crate) mod absence;
mod check;
mod clause;
mod condition;
mod departures;
mod depth_limit;
mod diagnostic;
mod guard;
mod idle;
pub(crate) mod ids;
mod links;
mod never_true;
mod parse;
mod policy;
mod policy_edit;
pub mod policy_text;
mod read;
mod reading;
mod schema;
pub(crate) mod scope;
mod shipped;
mod texts;
mod types;
mod vocabulary;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use blake3::{Hash, Hasher};
use cedar_policy::{EntityUid, Schema};
use cedar_policy_core::ast;
use cedar_policy_core::validator::ValidatorSchema;
use cedar_policy_core::validator::types::Type;

use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::{self, Finding};
use tarbac_diagnostic::source::Source;
use types::Against;

pub use check::policies_against_directory;
pub use clause::{Clause, Keyword, text};
pub use condition::{ConditionKind, Conditions};
pub(crate) use departures::{OnRecord, ids_in, replaces_any};
pub use diagnostic::of_cedar;
pub use parse::formatted;
pub use policy::{ActionScope, Effect, Policy};
pub use policy_edit::{PolicyEdit, static_policy};
pub(crate) use read::parse;
pub use read::{NoBundle, read, without_schema};
pub use reading::{Reading, Switches, UnknownReading};
pub use schema::is_another_schema;
pub use scope::Scope;
pub use shipped::{Shipped, TextFile};
pub use texts::{RulesOrigin, Texts};
pub use vocabulary::{
    Action, Annotations, Attribute, Kind, QUESTION_CONTEXT, QUESTIONS, StandIn, Vocabulary,
};

/// Schema and policies in which no error was found.
#[derive(Debug)]
pub struct Bundle {
    schema: Schema,
    schema_text: String,
    vocabulary: Vocabulary,
    policies: Vec<Policy>,
    readings: Vec<Reading>,
    rules: RulesOrigin,
    identity: Hash,
    not_read: Vec<String>,
    missing: Vec<String>,
    shipped: Arc<Shipped>,
}

impl Bundle {
    /// The findings about the policies under the schema; `texts` are those that the bundle was read from.
    pub(crate) fn check(&self, texts: &Texts) -> Vec<Finding> {
        read::check_by_schema(&self.policies, &self.schema, &self.vocabulary, texts)
    }

    /// Reads policies that decide nothing, such as specs, with the findings about them under the schema of the bundle.
    /// They are in the order of their files.
    pub fn read_beside(&self, sources: &[Arc<Source>]) -> (Vec<Policy>, Vec<Finding>) {
        let (parsed, mut findings) = self.parsed(sources);
        findings.extend(parsed.templates.iter().map(|template| {
            Finding::error(code::spec::TEMPLATE, "a template is not linked here")
                .label(template.place.clone(), "this template")
                .help("write the policy without slots")
        }));
        let mut policies = parsed.policies;
        policies.sort_by(|one, other| one.place().cmp(other.place()));
        (policies, findings)
    }

    /// Reads policies, with the findings about them under the schema.
    fn parsed(&self, sources: &[Arc<Source>]) -> (parse::Parsed, Vec<Finding>) {
        let parsed = std::thread::scope(|scope| {
            let policies = scope.spawn(|| parse::policies(sources, &|_| false));
            policies.join()
        });
        let (parsed, mut findings) = parsed.unwrap_or_else(|_| parse::not_read());
        findings.extend(ids::check(&parsed.policies, &parsed.templates));
        let against = Against {
            schema: &self.schema,
            vocabulary: &self.vocabulary,
            is_built_in: false,
            is_shipped: false,
        };
        findings.extend(types::check(&parsed.policies, &against, &BTreeSet::new()));
        (parsed, findings)
    }

    /// A copy of the bundle with the policies of these files, which replace those with the same id or are added, and
    /// without the policies with some ids.
    ///
    /// # Errors
    /// The findings about the files.
    pub fn with(
        &self,
        sources: &[Arc<Source>],
        without: &BTreeSet<String>,
    ) -> Result<Self, Vec<Finding>> {
        // Links of templates stay as they are.
        let (put, mut findings) = self.parsed(sources);
        findings.retain(|finding| finding.severity == finding::Severity::Error);
        if !findings.is_empty() {
            return Err(findings);
        }
        let mut put = put.policies;
        if !self.vocabulary.asks() {
            put.iter_mut().for_each(Policy::mean_nothing);
        }
        let is_put: HashSet<&str> = put.iter().map(Policy::id).collect();
        let kept = self.policies.iter();
        let kept = kept.filter(|policy| !is_put.contains(policy.id()));
        let mut policies: Vec<Policy> = kept.chain(&put).cloned().collect();
        policies.retain(|policy| !without.contains(policy.id()));
        policies.sort_by(|one, other| one.id().cmp(other.id()));
        let mut shipped = self.policies.iter().filter(|policy| policy.is_shipped());
        let is_gone = |id: &str| is_put.contains(id) || without.contains(id);
        let rules = match self.rules {
            RulesOrigin::Shipped | RulesOrigin::ShippedAndCustom
                if shipped.any(|policy| is_gone(policy.id())) =>
            {
                RulesOrigin::Own
            }
            RulesOrigin::Shipped if !put.is_empty() => RulesOrigin::ShippedAndCustom,
            rules => rules,
        };
        let mut hasher = Hasher::new();
        hasher.update(b"with");
        hasher.update(self.identity.as_bytes());
        for text in sources.iter().map(|source| source.text()) {
            hasher.update(blake3::hash(text.as_bytes()).as_bytes());
        }
        hasher.update(b"without");
        for id in without {
            hasher.update(blake3::hash(id.as_bytes()).as_bytes());
        }
        Ok(Self {
            schema: self.schema.clone(),
            schema_text: self.schema_text.clone(),
            vocabulary: self.vocabulary.clone(),
            policies,
            readings: self.readings.clone(),
            rules,
            identity: hasher.finalize(),
            not_read: self.not_read.clone(),
            missing: self.missing.clone(),
            shipped: Arc::clone(&self.shipped),
        })
    }

    /// The bundle with policies that are evaluated in another form, by their id; the others are evaluated as they are
    /// written.
    pub(crate) fn evaluated_as(&self, forms: &BTreeMap<String, ast::Policy>) -> Self {
        let policies = self.policies.iter();
        let policies = policies.map(|policy| policy.evaluated_as(forms.get(policy.id()).cloned()));
        Self {
            schema: self.schema.clone(),
            schema_text: self.schema_text.clone(),
            vocabulary: self.vocabulary.clone(),
            policies: policies.collect(),
            readings: self.readings.clone(),
            rules: self.rules,
            identity: self.identity,
            not_read: self.not_read.clone(),
            missing: self.missing.clone(),
            shipped: Arc::clone(&self.shipped),
        }
    }

    /// The rules that ship with the program, whether they are in force or not.
    pub fn shipped(&self) -> &Arc<Shipped> {
        &self.shipped
    }

    /// The origin of the rules in force.
    pub fn rules(&self) -> RulesOrigin {
        self.rules
    }

    /// The digest of the texts, independent of the names and order of the files.
    pub fn identity(&self) -> Hash {
        self.identity
    }

    /// The names of the workspace's files that are not read, including the missing ones.
    pub fn not_read(&self) -> &[String] {
        &self.not_read
    }

    /// The names of files that tarbac wrote and that are missing.
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// The schema in Cedar's form.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// All schema files, joined into one text in the Cedar format.
    pub fn schema_text(&self) -> &str {
        &self.schema_text
    }

    /// The actions with their spellings, and the annotations of types and attributes.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The keys that the context of an action may have; empty if the schema does not have the action.
    pub fn context_keys(&self, action: &EntityUid) -> BTreeSet<String> {
        let schema: &ValidatorSchema = self.schema.as_ref();
        match schema.context_type(action.as_ref()) {
            Some(Type::Record { attrs, .. }) => attrs.keys().map(|key| key.to_string()).collect(),
            _ => BTreeSet::new(),
        }
    }

    /// Every policy, sorted by id, including those of readings that are off.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The policy with this id.
    pub fn policy(&self, id: &str) -> Option<&Policy> {
        let index = self
            .policies
            .binary_search_by(|policy| policy.id().cmp(id))
            .ok()?;
        self.policies.get(index)
    }

    /// The policies with these ids, in the order of a message: first those with `@first`, then the others, both sorted
    /// by id.
    pub fn as_said<'a>(&'a self, ids: &[String]) -> Vec<&'a Policy> {
        let mut policies: Vec<&Policy> = ids.iter().filter_map(|id| self.policy(id)).collect();
        policies.sort_by_key(|policy| (policy.first().is_none(), policy.id()));
        policies
    }

    /// The readings, sorted by name.
    pub fn readings(&self) -> &[Reading] {
        &self.readings
    }

    /// The policies in force with these readings on, sorted by id.
    pub fn in_force<'a>(&'a self, on: &'a [String]) -> impl Iterator<Item = &'a Policy> {
        self.policies
            .iter()
            .filter(move |policy| policy.holds_under(on))
    }

    /// Every entity that a policy names.
    pub fn named_entities(&self) -> HashSet<EntityUid> {
        self.policies
            .iter()
            .flat_map(Policy::named_entities)
            .collect()
    }

    /// The permissions that the scope of a policy covers, in the order of the schema.
    pub fn permissions_of(&self, policy: &Policy) -> impl Iterator<Item = &Action> {
        let scope = policy.action_scope();
        self.vocabulary
            .permissions()
            .filter(move |action| scope.covers(action))
    }

    /// The questions that a policy answers: those that its scope names. A policy for every action answers none.
    pub fn questions_of(&self, policy: &Policy) -> impl Iterator<Item = &Action> {
        let scope = policy.action_scope();
        self.vocabulary
            .questions()
            .filter(move |question| scope.answers(question))
    }
}
