//! Questions to the policies: refusals, notices and findings.
//!
//! What the admin center says where nothing permits, what else to know, and what is wrong with the
//! directory: each is a question that policies answer (see
//! `schema/tarbac.cedarschema`). A question is put only to the policies that name it, so that no
//! custom policy answers one by accident.

use std::collections::BTreeSet;

use cedar_policy::{Context, EntityId, EntityTypeName, EntityUid, RestrictedExpression};
use cedar_policy_core::ast;

use super::activation::{Activation, entities_in};
use super::{Applicable, Engine, EntitySlice, Evaluation, Undecidable};
use crate::bundle::{Action, Kind, Policy, QUESTION_CONTEXT};
use crate::decision::{Answer, Basis, Decision, Notice, Outcome, Refusal, Request};
use crate::lookup::lower_first;
use tarbac_diagnostic::code::{self, Code};
use tarbac_diagnostic::finding::{Finding, Severity};
use tarbac_store::Row;

impl Engine {
    /// Decides a request and says what a person needs to know beside the decision.
    pub fn answer(&self, request: &Request) -> Answer {
        let world = match self.world(request) {
            Ok(world) => world,
            Err(errors) => {
                return Answer {
                    outcome: Outcome::indeterminate(errors),
                    authority: None,
                    refusals: Vec::new(),
                    notices: Vec::new(),
                };
            }
        };
        let (outcome, authority) = self.decided_in(request, &world);
        let mut errors = Vec::new();
        let notices = self.notices(request, &world, &outcome, &mut errors);
        let refusals = self.refusals(request, &world, &outcome, &mut errors);
        errors.extend(self.damage());
        Answer {
            outcome: outcome.with_errors(errors),
            authority,
            refusals,
            notices,
        }
    }

    /// Decides a request and says what a refused person is told; what cannot be asked is an error of the
    /// decision, as in [`Engine::answer`].
    pub fn decide_with_refusals(&self, request: &Request) -> (Outcome, Vec<Refusal>) {
        let world = match self.world(request) {
            Ok(world) => world,
            Err(errors) => return (Outcome::indeterminate(errors), Vec::new()),
        };
        let outcome = self.decide_in(request, &world);
        let mut errors = Vec::new();
        let refusals = self.refusals(request, &world, &outcome, &mut errors);
        errors.extend(self.damage());
        (outcome.with_errors(errors), refusals)
    }

    fn refusals(
        &self,
        request: &Request,
        world: &EntitySlice,
        outcome: &Outcome,
        errors: &mut Vec<String>,
    ) -> Vec<Refusal> {
        let refusing: Vec<&Policy> = match outcome.basis {
            Basis::Forbidden => self.bundle.as_said(&outcome.policies),
            Basis::NotPermitted => self.ask("refusal", request, &request.resource, world, errors),
            Basis::Permitted | Basis::Error => Vec::new(),
        };
        refusing
            .into_iter()
            .map(|policy| Refusal {
                policy: policy.id().to_owned(),
                message: policy.message().map(str::to_owned),
                advice: policy.advice().map(str::to_owned),
            })
            .collect()
    }

    fn notices(
        &self,
        request: &Request,
        world: &EntitySlice,
        outcome: &Outcome,
        errors: &mut Vec<String>,
    ) -> Vec<Notice> {
        let mut notices = self.notices_of_action(request, world, outcome);
        let mut lifting = None;
        for about in self.noticeable(request, world) {
            for policy in self.ask("notice", request, &about, world, errors) {
                let notice = Notice {
                    code: policy.annotation("code").unwrap_or(policy.id()).to_owned(),
                    message: policy.doc().unwrap_or_default().to_owned(),
                    about: (about != request.resource).then(|| about.clone()),
                    from: policy.id().to_owned(),
                    former: policy
                        .annotation("former")
                        .and_then(|path| self.former(request, world, path)),
                };
                if let Some(path) = policy.annotation("lifts") {
                    let lifting = lifting.get_or_insert_with(|| match outcome.decision {
                        Decision::Deny => self.lifting(request, world),
                        Decision::Allow | Decision::Indeterminate => Vec::new(),
                    });
                    notices.extend(lifted(&notice, path, lifting));
                } else if let Some(path) = policy.annotation("about") {
                    let named = self.named_by(request, world, path).into_iter();
                    notices.extend(named.map(|about| Notice {
                        about: Some(about),
                        ..notice.clone()
                    }));
                } else {
                    notices.push(notice);
                }
            }
        }
        notices.sort();
        notices
    }

    /// What the schema says of the action itself.
    fn notices_of_action(
        &self,
        request: &Request,
        world: &EntitySlice,
        outcome: &Outcome,
    ) -> Vec<Notice> {
        let mut notices = Vec::new();
        let Some(action) = self.bundle.vocabulary().action(&request.action) else {
            return notices;
        };
        let notice = |code: &str, message: String| Notice {
            code: code.to_owned(),
            message,
            about: None,
            from: action.id().to_owned(),
            former: None,
        };
        if let Some(message) = action.annotations.get("preview") {
            notices.push(notice("preview", message.clone()));
        }
        let page = action
            .page()
            .and_then(|page| self.bundle.vocabulary().permission(page));
        if let Some(page) = page.filter(|_| outcome.decision == Decision::Allow) {
            let opened = self.decide_in(
                &Request {
                    action: page.uid.clone(),
                    ..request.clone()
                },
                world,
            );
            if opened.decision != Decision::Allow {
                let message = format!(
                    "{} is out of reach: it is on the page of {}, which is refused",
                    action.short_name(),
                    page.short_name()
                );
                notices.push(notice("unreachable", message));
            }
        }
        notices
    }

    /// The resource, what its attributes name, and everything the principal is in.
    fn noticeable(&self, request: &Request, world: &EntitySlice) -> Vec<EntityUid> {
        let mut about = vec![request.resource.clone()];
        if let Some(row) = self.directory.row(&request.resource) {
            about.extend(
                self.directory
                    .references(row)
                    .map(|row| self.directory.uid(row)),
            );
        }
        let principal = world.get(&request.principal);
        let mut ancestors: Vec<EntityUid> = principal
            .into_iter()
            .flat_map(ast::Entity::ancestors)
            .map(|uid| EntityUid::from(uid.clone()))
            // The person may belong to what the request is about.
            .filter(|uid| *uid != request.resource)
            .collect();
        ancestors.sort();
        about.extend(ancestors);
        about
    }

    /// The entities in an attribute of the principal that is a set of them, given as its path.
    fn named_by(&self, request: &Request, world: &EntitySlice, path: &str) -> Vec<EntityUid> {
        let attribute = path.strip_prefix("principal.");
        let principal = world.get(&request.principal);
        let named = principal
            .zip(attribute)
            .map(|(of, name)| entities_in(of, name));
        named.into_iter().flatten().collect()
    }

    /// The decision with a boolean attribute, given as a path from the resource, the other way.
    fn former(&self, request: &Request, world: &EntitySlice, path: &str) -> Option<Decision> {
        let mut steps = path.strip_prefix("resource.")?.split('.');
        let last = steps.next_back()?;
        let mut entity = world.get(&request.resource)?;
        for step in steps {
            let ast::PartialValue::Value(value) = entity.get(step)? else {
                return None;
            };
            let ast::ValueKind::Lit(ast::Literal::EntityUID(uid)) = value.value_kind() else {
                return None;
            };
            entity = world.get(&EntityUid::from(uid.as_ref().clone()))?;
        }
        let ast::PartialValue::Value(value) = entity.get(last)? else {
            return None;
        };
        let ast::ValueKind::Lit(ast::Literal::Bool(now)) = value.value_kind() else {
            return None;
        };
        let mut before = world.clone();
        before.put(with_attribute(entity, last, ast::Value::from(!now)));
        Some(self.decide_in(request, &before).decision)
    }

    /// The policies that answer a question about an entity, sorted by id; none if it is not asked
    /// about such entities.
    fn ask(
        &self,
        question: &str,
        request: &Request,
        about: &EntityUid,
        world: &EntitySlice,
        errors: &mut Vec<String>,
    ) -> Vec<&Policy> {
        let Some(question) = self.as_question(question, request, about) else {
            return Vec::new();
        };
        let outcome = self.put(&question, world);
        errors.extend(outcome.errors.iter().cloned());
        self.policies(&outcome)
    }

    /// The question about an entity as a request; `None` if it is not asked about such entities.
    pub fn as_question(
        &self,
        question: &str,
        request: &Request,
        about: &EntityUid,
    ) -> Option<Request> {
        let action = self.question(question)?;
        if !action.applies_to(request.principal.type_name(), about.type_name()) {
            return None;
        }
        Some(Request {
            principal: request.principal.clone(),
            action: action.uid.clone(),
            resource: about.clone(),
            context: self.question_context(request).ok()?,
        })
    }

    /// What a question can reach, given what the request behind it can.
    pub fn world_of_question(&self, question: &Request, world: &EntitySlice) -> EntitySlice {
        let mut world = world.clone();
        let asked = self.directory.row(&question.resource);
        let looked_into = self
            .index
            .question(&question.action, &question.resource)
            .map(|bucket| bucket.looked_into.iter().copied());
        world.reach(
            &self.directory,
            asked.into_iter().chain(looked_into.into_iter().flatten()),
        );
        world
    }

    /// What a question may know: the moment, and the thing the request is about, under the name the
    /// schema gives an attribute of its type.
    fn question_context(&self, request: &Request) -> Result<Context, Undecidable> {
        let about = Kind::Entity(request.resource.type_name().to_string());
        let name = self
            .bundle
            .vocabulary()
            .attributes(QUESTION_CONTEXT)
            .and_then(|attributes| {
                attributes
                    .iter()
                    .find(|(_, attribute)| attribute.kind == about)
            });
        let about = name.map(|(name, _)| {
            (
                name.clone(),
                RestrictedExpression::new_entity_uid(request.resource.clone()),
            )
        });
        let now = request
            .context
            .clone()
            .into_iter()
            .filter(|(key, _)| key == "now");
        Context::from_pairs(about.into_iter().chain(now)).map_err(Undecidable::not_taken)
    }

    pub(super) fn question(&self, name: &str) -> Option<&Action> {
        self.bundle.vocabulary().question(name)
    }

    pub(super) fn put(&self, question: &Request, world: &EntitySlice) -> Outcome {
        let Some(asked) = self.index.question(&question.action, &question.resource) else {
            return Outcome::from(Applicable::default());
        };
        let world = self.world_of_question(question, world);
        match Evaluation::within(self, question, &world) {
            Ok(evaluation) => self.evaluate(&evaluation, std::iter::once(asked)),
            Err(error) => Outcome::indeterminate([error]),
        }
    }

    pub(super) fn policies(&self, outcome: &Outcome) -> Vec<&Policy> {
        outcome
            .policies
            .iter()
            .filter_map(|id| self.bundle.policy(id))
            .collect()
    }

    /// What the policies find wrong with the directory.
    ///
    /// They are asked about everything a person belongs to, for each person, and about every entity
    /// of the other types that the question is asked about.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.contradictions();
        let Some(action) = self.question("finding") else {
            return findings;
        };
        let mut found = Found::default();
        for type_name in &action.principals {
            let belonging: Vec<String> = action
                .resources
                .iter()
                .filter(|about| self.can_belong_to(type_name, about))
                .map(ToString::to_string)
                .collect();
            for person in self.directory.rows_of(type_name) {
                let reached = self.directory.ancestors(person);
                for about in reached.chain(self.activatable(type_name, person)) {
                    let name = self.directory.type_name(about);
                    if belonging.iter().any(|known| known == name) {
                        self.find(action, &self.directory.uid(person), about, &mut found);
                    }
                }
            }
            // Who asks does not matter to a question about something nobody belongs to.
            let anybody = EntityUid::from_type_name_and_id(type_name.clone(), EntityId::new(""));
            for other in &action.resources {
                if !self.can_belong_to(type_name, other) {
                    for about in self.directory.rows_of(other) {
                        self.find(action, &anybody, about, &mut found);
                    }
                }
            }
        }
        findings.extend(found.findings);
        findings
    }

    /// What an entity of a type would be in besides, if it activated everything that it can.
    pub(super) fn activatable(&self, type_name: &EntityTypeName, person: Row) -> Vec<Row> {
        let directory = &self.directory;
        let vocabulary = self.bundle.vocabulary();
        let mut named = vocabulary
            .activations(&type_name.to_string())
            .filter(|(attribute, _)| directory.has_attribute(person, attribute))
            .peekable();
        if named.peek().is_none() {
            return Vec::new();
        }
        let entity = directory.entity(person);
        let mut rows = BTreeSet::new();
        for group in named.flat_map(|(attribute, _)| entities_in(&entity, attribute)) {
            if let Some(row) = directory.row(&group) {
                rows.insert(row);
                rows.extend(directory.ancestors(row));
            }
        }
        for already in directory.ancestors(person) {
            rows.remove(&already);
        }
        rows.into_iter().collect()
    }

    /// Whether the schema lets entities of one type be in entities of another.
    fn can_belong_to(&self, type_name: &EntityTypeName, other: &EntityTypeName) -> bool {
        let ancestors = self.bundle.schema().ancestors(type_name);
        ancestors.is_some_and(|mut ancestors| ancestors.any(|ancestor| ancestor == other))
    }

    fn find(&self, action: &Action, person: &EntityUid, about: Row, found: &mut Found) {
        let request = Request {
            principal: person.clone(),
            action: action.uid.clone(),
            resource: self.directory.uid(about),
            context: Context::empty(),
        };
        let mut world = EntitySlice::default();
        let row = self.directory.row(person);
        world.reach(&self.directory, row);
        let outcome = self.put(&request, &world);
        for error in &outcome.errors {
            if found.seen.insert((error.clone(), about, about)) {
                let message = format!("a finding cannot be decided: {error}");
                let finding = Finding::error(code::policy::EVALUATION, message)
                    .help("mend the policy: what it would find cannot be known");
                let place = self.directory.place(about);
                found.findings.push(match place {
                    Some(place) => finding.label(place, "asked about this one"),
                    None => finding,
                });
            }
        }
        for policy in self.policies(&outcome) {
            // The entity through which the person reaches it is where somebody can mend it.
            let path = row.and_then(|row| self.directory.path(row, about));
            let through = path.and_then(|path| path.iter().rev().nth(1).copied());
            if found
                .seen
                .insert((policy.id().to_owned(), through.unwrap_or(about), about))
            {
                found
                    .findings
                    .push(self.finding(policy, &request, through, about));
            }
        }
    }

    fn finding(
        &self,
        policy: &Policy,
        request: &Request,
        through: Option<Row>,
        about: Row,
    ) -> Finding {
        let code = Code::of_policy(policy.annotation("code").unwrap_or(policy.id()));
        let doc = policy.doc().unwrap_or_default().trim_end_matches('.');
        let message = format!("{}: `{}`", lower_first(doc), request.resource);
        let mut finding = Finding::warning(code, message);
        if policy.annotation("severity") == Some("error") {
            finding.severity = Severity::Error;
        }
        if let Some(place) = through.and_then(|row| self.directory.place(row)) {
            finding = finding.label(
                place,
                format!("through here, for example for `{}`", request.principal),
            );
        } else if let Some(place) = self.directory.place(about) {
            finding = finding.label(place, "this one");
        }
        match policy.advice() {
            Some(advice) => finding.help(advice),
            None => finding,
        }
    }
}

/// A notice about each entity in an attribute of the principal, given as its path, with whose activation the
/// request is allowed; it names the others where it takes several.
fn lifted(notice: &Notice, path: &str, lifting: &[Vec<Activation>]) -> Vec<Notice> {
    let attribute = path.strip_prefix("principal.").unwrap_or(path);
    let mut notices = Vec::new();
    for together in lifting {
        let of_attribute = together.iter().filter(|of| of.attribute == attribute);
        notices.extend(of_attribute.map(|activation| {
            let others = together.iter().filter(|of| *of != activation);
            let others: Vec<String> = others.map(|of| format!("`{}`", of.entity)).collect();
            let message = match others.is_empty() {
                true => notice.message.clone(),
                false => format!(
                    "{}, together with {}",
                    notice.message.trim_end_matches('.'),
                    others.join(", ")
                ),
            };
            Notice {
                message,
                about: Some(activation.entity.clone()),
                ..notice.clone()
            }
        }));
    }
    notices
}

/// Findings, each once for the place where it can be mended.
#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
    seen: BTreeSet<(String, Row, Row)>,
}

/// The entity with one attribute changed.
pub fn with_attribute(entity: &ast::Entity, name: &str, value: ast::Value) -> ast::Entity {
    let (uid, attributes, indirect, parents, tags) = entity.clone().into_inner();
    let attributes = attributes
        .into_iter()
        .filter(|(key, _)| key != name)
        .chain([(name.into(), ast::PartialValue::Value(value))])
        .collect::<Vec<_>>();
    ast::Entity::new_with_attr_partial_value(uid, attributes, indirect, parents, tags)
}
