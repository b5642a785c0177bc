//! The engine: it decides requests with Cedar, on the policies and entities that matter.
//!
//! An [`Engine`] joins a [`Bundle`] and a [`Directory`] under a choice of readings. It knows no role, toggle or
//! message: it gives Cedar the policies that can match a request and the entities that the request can reach. The
//! decision equals that of Cedar's `Authorizer::is_authorized` over all policies and all entities, with three
//! exceptions, in which it is indeterminate: a policy cannot be evaluated, the principal or the resource does not
//! exist, or the schema asks who is in authority over the resource and not exactly one policy says so. It is
//! indeterminate as well where it depends on a value that the directory only assumes.

mod activation;
mod answer;
mod assumed;
mod authority;
mod case;
mod clause;
mod condition;
mod context_key;
mod contradictions;
mod evaluation;
mod findings;
mod index;
mod kept;
mod misleading_names;
mod policy_finding;
mod question;
mod reach;
mod read_set;
mod set_attribute;
mod slice;
mod undecidable;
mod unknown_names;
mod unknown_values;
mod unlisted_members;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use blake3::Hasher;
use cedar_policy::{Context, EntityTypeName, EntityUid, Request as CedarRequest};
use cedar_policy_core::ast;

use crate::bundle::{Action, Bundle, Switches, UnknownReading};
use crate::decision::{Authority, Outcome, Provenance, Request};
pub use activation::Activation;
use authority::{Asking, AuthorityQuestion};
use case::Case;
use index::{Bucket, Index};
use reach::{Reach, entities_named_in};
use tarbac_store::{Directory, Row};

pub use answer::with_attribute;
pub use authority::{answering, authority_findings, two_authorities};
pub use evaluation::{Applicable, Evaluation};
pub use reach::entities_of;
pub use read_set::{ReadSetBuilder, Variables};
pub use set_attribute::SetAttribute;
pub use slice::EntitySlice;
pub use undecidable::{NotAsked, Undecidable};

/// A bundle and a directory that fit, with the readings in force; decides requests.
#[derive(Debug)]
pub struct Engine {
    bundle: Arc<Bundle>,
    directory: Arc<Directory>,
    readings: Vec<String>,
    index: Index,
    actions: HashMap<EntityUid, KnownAction>,
    /// `None` if the schema does not ask who is in authority.
    authority: Option<AuthorityQuestion>,
    provenance: Arc<Provenance>,
    /// Whether the truth of clauses is kept from one request to the next.
    keeps: bool,
}

/// An action of the schema, with its entity in Cedar's form.
#[derive(Debug)]
struct KnownAction {
    action: Action,
    entity: Arc<ast::Entity>,
}

impl Engine {
    /// An engine of policies and entities, under these switches of readings.
    ///
    /// # Errors
    /// A switch names no reading of the bundle.
    pub fn new(
        bundle: Arc<Bundle>,
        directory: Arc<Directory>,
        switches: &Switches,
    ) -> Result<Self, UnknownReading> {
        let on = switches.on_among(bundle.readings());
        let readings = on.map_err(|error| error.among_settings(bundle.vocabulary()))?;
        let index = Index::new(&bundle, &readings, &directory);
        let vocabulary = bundle.vocabulary();
        let actions = vocabulary
            .permissions()
            .chain(vocabulary.questions())
            .map(|action| (action.uid.clone(), known(action)))
            .collect();
        let authority = AuthorityQuestion::find(&bundle, &readings);
        let provenance = Provenance {
            rules: bundle.rules(),
            revision: revision(&bundle, &readings, &directory),
            readings: readings.clone(),
            not_read: bundle.not_read().to_vec(),
            missing: bundle.missing().to_vec(),
        };
        Ok(Self {
            bundle,
            directory,
            readings,
            index,
            actions,
            authority,
            provenance: Arc::new(provenance),
            keeps: true,
        })
    }

    /// An engine of the same policies and entities under other switches of readings.
    ///
    /// # Errors
    /// A switch names no reading of the bundle.
    pub fn under(&self, switches: &Switches) -> Result<Self, UnknownReading> {
        let (bundle, directory) = (Arc::clone(&self.bundle), Arc::clone(&self.directory));
        Self::new(bundle, directory, switches)
    }

    /// The entities that may have more members than the directory knows, by the attributes that the schema marks
    /// `@unlisted`: those where such an attribute is true, those that one refers to, and the ancestors of both.
    pub fn unlisted(&self) -> BTreeSet<Row> {
        let directory = &self.directory;
        let told = self.bundle.vocabulary().unlisted();
        let told = told.filter_map(|(type_name, attribute)| {
            let type_name: EntityTypeName = type_name.parse().ok()?;
            Some((type_name, attribute))
        });
        let rows = told.flat_map(|(type_name, attribute)| {
            let rows = directory.rows_of(&type_name);
            rows.flat_map(move |row| {
                let itself = directory.attribute_is_true(row, attribute).then_some(row);
                itself
                    .into_iter()
                    .chain(directory.attribute_entities(row, attribute))
            })
        });
        let with_above = rows.flat_map(|row| std::iter::once(row).chain(directory.ancestors(row)));
        with_above.collect()
    }

    /// The schema and the policies.
    pub fn bundle(&self) -> &Arc<Bundle> {
        &self.bundle
    }

    /// The entities.
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// The names of the readings that are on, sorted.
    pub fn readings(&self) -> &[String] {
        &self.readings
    }

    /// The rules, readings and data behind every decision.
    pub fn provenance(&self) -> &Arc<Provenance> {
        &self.provenance
    }

    /// Decides a request. For a question, the policies of the outcome are the answers.
    pub fn decide(&self, request: &Request) -> Outcome {
        match self.reach(request) {
            Ok(reach) => self.decided_of(request, reach).1.0,
            Err(errors) => Outcome::indeterminate(errors),
        }
    }

    /// The error of every decision if the directory is damaged.
    fn damage(&self) -> Option<String> {
        let is_damaged = self.directory.is_damaged();
        is_damaged.then(|| Undecidable::Damaged.to_string())
    }

    /// The entity slice of a request.
    ///
    /// # Errors
    /// The reasons why the request cannot be decided: it names an entity that does not exist, or does not conform to
    /// the schema.
    pub fn slice(&self, request: &Request) -> Result<EntitySlice, Vec<Undecidable>> {
        let mut slice = EntitySlice::default();
        for row in self.reach(request)?.rows {
            slice.reach(&self.directory, [row]);
        }
        Ok(slice)
    }

    /// The engine without anything that is kept from one request to the next: every clause of a policy is evaluated
    /// anew. It decides the same, and slower.
    #[must_use]
    pub fn keeping_nothing(mut self) -> Self {
        self.keeps = false;
        self
    }

    /// The number of truth values of clauses that are kept.
    pub fn kept(&self) -> usize {
        self.index.kept()
    }

    /// Decides a request in a slice that may differ from that of the directory, because it was changed.
    pub fn decide_in(&self, request: &Request, slice: &EntitySlice) -> Outcome {
        let action = match self.known(&request.action) {
            Ok(known) => &known.action,
            Err(error) => return Outcome::indeterminate([error]),
        };
        let case = Case::within(self, request, slice);
        let reached = self.reached_in(request, slice);
        let buckets = self.index.matching(request, action.is_question(), reached);
        let authority = self.asks_authority(action, request);
        self.decided(&case, action, buckets, authority).0
    }

    /// Decides a request by its reach, and finds who is in authority.
    fn decided_of<'a>(
        &'a self,
        request: &'a Request,
        reach: Reach<'_>,
    ) -> (Case<'a>, (Outcome, Option<Authority>)) {
        let case = Case::of_directory(self, request, Some(reach.parties), reach.rows);
        let buckets = reach.buckets.into_iter();
        let decided = self.decided(&case, reach.action, buckets, reach.authority);
        (case, decided)
    }

    /// Decides a request by these policies, and finds who is in authority. Every decision is made here.
    fn decided<'a>(
        &self,
        case: &Case<'_>,
        action: &Action,
        buckets: impl Iterator<Item = &'a Bucket>,
        authority: Option<Asking<'_>>,
    ) -> (Outcome, Option<Authority>) {
        let outcome = match action.is_question() {
            true => self.answers(case, buckets),
            false => self.outcome_of(case.applicable(buckets)),
        };
        match authority.and_then(|asking| self.authority_over(case, &asking)) {
            None => (outcome, None),
            Some(Ok(authority)) => (outcome, Some(authority)),
            Some(Err(errors)) => (outcome.with_errors(errors), None),
        }
    }

    /// Adds to a changed slice the entities that its matching policies look into.
    pub fn widen(&self, request: &Request, slice: &mut EntitySlice) {
        let Ok(KnownAction { action, .. }) = self.known(&request.action) else {
            return;
        };
        let reached: Vec<Row> = self.reached_in(request, slice).collect();
        let reached = reached.into_iter();
        let matching = self.index.matching(request, action.is_question(), reached);
        let asking = self.asks_authority(action, request);
        for bucket in matching.chain(asking.and_then(|asking| asking.asked)) {
            slice.reach(&self.directory, bucket.looked_into.iter().copied());
        }
    }

    /// The principal, the resource and all their ancestors in a slice.
    fn reached_in<'a>(
        &'a self,
        request: &'a Request,
        slice: &'a EntitySlice,
    ) -> impl Iterator<Item = Row> + 'a {
        let directory = &self.directory;
        [&request.principal, &request.resource]
            .into_iter()
            .flat_map(move |uid| {
                let entity = slice.get(uid);
                let ancestors = entity.into_iter().flat_map(ast::Entity::ancestors);
                std::iter::once(uid.as_ref())
                    .chain(ancestors)
                    .filter_map(move |uid| directory.row(&EntityUid::from(uid.clone())))
            })
    }

    /// The outcome of these policies for a question.
    fn answers<'a>(&self, case: &Case<'_>, buckets: impl Iterator<Item = &'a Bucket>) -> Outcome {
        self.outcome_of(case.applicable(buckets).answers())
    }

    fn outcome_of(&self, applicable: Applicable) -> Outcome {
        Outcome::from(applicable).with_errors(self.damage().into_iter().collect())
    }

    fn known(&self, action: &EntityUid) -> Result<&KnownAction, Undecidable> {
        let known = self.actions.get(action);
        known.ok_or_else(|| Undecidable::UnknownAction(Box::new(action.clone())))
    }

    /// The context of a request, read from JSON.
    ///
    /// # Errors
    /// The JSON does not conform to the action's context in the schema.
    pub fn context(
        &self,
        action: &EntityUid,
        json: serde_json::Value,
    ) -> Result<Context, Undecidable> {
        let schema = self.bundle.schema();
        let context = Context::from_json_value(json, Some((schema, action)))
            .map_err(|error| Undecidable::not_taken(miette::Report::new(error)))?;
        // A value that was read by the schema may still be an entity of the wrong type.
        context
            .validate(schema, action)
            .map_err(|error| Undecidable::not_taken(miette::Report::new(error)))?;
        Ok(context)
    }
}

fn revision(bundle: &Bundle, readings: &[String], directory: &Directory) -> String {
    let mut hasher = Hasher::new();
    hasher.update(b"tarbac revision 1");
    hasher.update(bundle.identity().as_bytes());
    hasher.update(directory.identity().as_bytes());
    for reading in readings {
        hasher.update(blake3::hash(reading.as_bytes()).as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

fn cedar_request(request: &Request) -> Result<CedarRequest, Undecidable> {
    CedarRequest::new(
        request.principal.clone(),
        request.action.clone(),
        request.resource.clone(),
        request.context.clone(),
        None,
    )
    .map_err(Undecidable::not_taken)
}

fn known(action: &Action) -> KnownAction {
    let groups = action
        .groups
        .iter()
        .map(|group| group.as_ref().clone())
        .collect();
    let entity = ast::Entity::new_with_attr_partial_value(
        action.uid.as_ref().clone(),
        [],
        std::collections::HashSet::new(),
        groups,
        [],
    );
    KnownAction {
        action: action.clone(),
        entity: Arc::new(entity),
    }
}
