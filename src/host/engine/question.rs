//! Questions to the policies.
//!
//! The message of the admin center if no policy permits a request, the notices that go with an answer, and the
//! mistakes in the directory: each is a question that policies answer (see `schema/tarbac.cedarschema`). A question is
//! put only to the policies that name it, so that no custom policy answers one by accident.

use cedar_policy::{Context, EntityUid, RestrictedExpression};

use super::case::Case;
use super::index::Bucket;
use super::{Applicable, Engine, EntitySlice, Undecidable};
use crate::bundle::{Action, Kind, Policy, QUESTION_CONTEXT};
use crate::decision::{Outcome, Request};

impl Engine {
    /// The policies that answer a question about an entity, sorted by id; empty if the question does not apply to such
    /// entities.
    pub(super) fn ask(
        &self,
        question: &str,
        case: &Case<'_>,
        about: &EntityUid,
        errors: &mut Vec<String>,
    ) -> Vec<&Policy> {
        let question = self.as_question(question, case.request(), about);
        let question = question.unwrap_or_else(|error| {
            errors.push(error.to_string());
            None
        });
        let asked = question.and_then(|question| {
            let asked = self.index.question(&question.action, about)?;
            Some((question, asked))
        });
        match asked {
            Some((question, asked)) => self.told(&question, asked, case, errors),
            None => Vec::new(),
        }
    }

    /// Those of these policies that answer a question, sorted by id.
    pub(super) fn told(
        &self,
        question: &Request,
        asked: &Bucket,
        behind: &Case<'_>,
        errors: &mut Vec<String>,
    ) -> Vec<&Policy> {
        let case = behind.question(question, asked);
        let outcome = self.answers(&case, std::iter::once(asked));
        errors.extend(outcome.errors.iter().cloned());
        self.policies(&outcome)
    }

    /// The question about an entity as a request; `None` if it does not apply to such entities.
    ///
    /// # Errors
    /// The question has no context.
    pub fn as_question(
        &self,
        question: &str,
        request: &Request,
        about: &EntityUid,
    ) -> Result<Option<Request>, Undecidable> {
        let context = self.question_context(request)?;
        let question = self.question(question);
        Ok(question.and_then(|question| put_about(question, request, about, &context)))
    }

    /// The entity slice of a question, which extends that of the request behind it.
    pub fn slice_of_question(&self, question: &Request, slice: &EntitySlice) -> EntitySlice {
        let mut slice = slice.clone();
        let asked = self.directory.row(&question.resource);
        let looked_into = self
            .index
            .question(&question.action, &question.resource)
            .map(|bucket| bucket.looked_into.iter().copied());
        slice.reach(
            &self.directory,
            asked.into_iter().chain(looked_into.into_iter().flatten()),
        );
        slice
    }

    /// The context of a question: the time, and the resource of the request behind it, under the name of the attribute
    /// that the schema declares with its type.
    pub(super) fn question_context(&self, request: &Request) -> Result<Context, Undecidable> {
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

    /// The outcome of a question that is put beside a case.
    pub(super) fn put(&self, question: &Request, behind: &Case<'_>) -> Outcome {
        let Some(asked) = self.index.question(&question.action, &question.resource) else {
            return Outcome::from(Applicable::default());
        };
        let case = behind.question(question, asked);
        self.answers(&case, std::iter::once(asked))
    }

    pub(super) fn policies(&self, outcome: &Outcome) -> Vec<&Policy> {
        outcome
            .policies
            .iter()
            .filter_map(|id| self.bundle.policy(id))
            .collect()
    }
}

/// A question about an entity as a request; `None` if it does not apply to such entities.
pub(super) fn put_about(
    question: &Action,
    request: &Request,
    about: &EntityUid,
    context: &Context,
) -> Option<Request> {
    let applies = question.applies_to(request.principal.type_name(), about.type_name());
    applies.then(|| Request {
        principal: request.principal.clone(),
        action: question.uid.clone(),
        resource: about.clone(),
        context: context.clone(),
    })
}
