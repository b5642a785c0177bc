//! The answer to a request: the decision, with refusals and notices.

use cedar_policy::EntityUid;
use cedar_policy_core::ast;

use super::Engine;
use super::activation::{Activation, entities_in};
use super::case::Case;
use super::index::answering;
use super::question::put_about;
use crate::bundle::Policy;
use crate::decision::{Answer, Basis, Decision, Notice, Outcome, Refusal, Request};

impl Engine {
    /// Decides a request, with the refusals and notices for a person.
    pub fn answer(&self, request: &Request) -> Answer {
        let reached = match self.reach(request) {
            Ok(reached) => reached,
            Err(errors) => {
                return Answer {
                    outcome: Outcome::indeterminate(errors),
                    authority: None,
                    refusals: Vec::new(),
                    notices: Vec::new(),
                };
            }
        };
        let (case, (outcome, authority)) = self.decided_of(request, reached);
        let mut errors = Vec::new();
        let notices = self.notices(&case, &outcome, &mut errors);
        let refusals = self.refusals(&case, &outcome, &mut errors);
        errors.extend(self.damage());
        Answer {
            outcome: outcome.with_errors(errors),
            authority,
            refusals,
            notices,
        }
    }

    /// Decides a request, with the refusals. As in [`Engine::answer`], an error in the search for refusals makes the
    /// decision indeterminate.
    pub fn decide_with_refusals(&self, request: &Request) -> (Outcome, Vec<Refusal>) {
        let reached = match self.reach(request) {
            Ok(reached) => reached,
            Err(errors) => return (Outcome::indeterminate(errors), Vec::new()),
        };
        let (case, (outcome, _)) = self.decided_of(request, reached);
        let mut errors = Vec::new();
        let refusals = self.refusals(&case, &outcome, &mut errors);
        errors.extend(self.damage());
        (outcome.with_errors(errors), refusals)
    }

    fn refusals(
        &self,
        case: &Case<'_>,
        outcome: &Outcome,
        errors: &mut Vec<String>,
    ) -> Vec<Refusal> {
        let refusing: Vec<&Policy> = match outcome.basis {
            Basis::Forbidden => self.bundle.as_said(&outcome.policies),
            Basis::NotPermitted => self.ask("refusal", case, &case.request().resource, errors),
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

    fn notices(&self, case: &Case<'_>, outcome: &Outcome, errors: &mut Vec<String>) -> Vec<Notice> {
        let request = case.request();
        let mut notices = self.notices_of_action(request, outcome);
        let mut lifting = None;
        let action = self.question("notice");
        let answers = action.map_or(&[][..], |action| self.index.answers(&action.uid));
        let context = self.question_context(request);
        let context = context.map_err(|error| errors.push(error.to_string())).ok();
        let questions = self.noticeable(request).into_iter().filter_map(|about| {
            let asked = answering(answers, &about)?;
            let question = put_about(action?, request, &about, context.as_ref()?)?;
            Some((about, question, asked))
        });
        for (about, question, asked) in questions {
            for policy in self.told(&question, asked, case, errors) {
                let notice = Notice {
                    code: policy.annotation("code").unwrap_or(policy.id()).to_owned(),
                    message: policy.doc().unwrap_or_default().to_owned(),
                    about: (about != request.resource).then(|| about.clone()),
                    from: policy.id().to_owned(),
                    former: policy
                        .annotation("former")
                        .and_then(|path| self.former(case, path)),
                };
                if let Some(path) = policy.annotation("lifts") {
                    let lifting = lifting.get_or_insert_with(|| match outcome.decision {
                        Decision::Deny => self.lifting(request, case.slice()),
                        Decision::Allow | Decision::Indeterminate => Vec::new(),
                    });
                    notices.extend(lifted(&notice, path, lifting));
                } else if let Some(path) = policy.annotation("about") {
                    let named = self.named_by(case, path).into_iter();
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

    /// The notices that the schema attaches to the action.
    fn notices_of_action(&self, request: &Request, outcome: &Outcome) -> Vec<Notice> {
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
            let opened = self.decide(&Request {
                action: page.uid.clone(),
                ..request.clone()
            });
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

    /// The entities that notices can be about: the resource, the entities that its attributes refer to, and the
    /// ancestors of the principal.
    fn noticeable(&self, request: &Request) -> Vec<EntityUid> {
        let directory = &self.directory;
        let mut about = vec![request.resource.clone()];
        if let Some(row) = directory.row(&request.resource) {
            about.extend(directory.references(row).map(|row| directory.uid(row)));
        }
        let principal = directory.row(&request.principal).into_iter();
        let mut ancestors: Vec<EntityUid> = principal
            .flat_map(|row| directory.ancestors(row))
            .map(|row| directory.uid(row))
            // The principal may be in the resource.
            .filter(|uid| *uid != request.resource)
            .collect();
        ancestors.sort();
        about.extend(ancestors);
        about
    }

    /// The entities in an attribute of the principal that is a set; `path` is its name with `principal.` in front.
    fn named_by(&self, case: &Case<'_>, path: &str) -> Vec<EntityUid> {
        let attribute = path.strip_prefix("principal.");
        let principal = case.slice().get(&case.request().principal);
        let named = principal
            .zip(attribute)
            .map(|(of, name)| entities_in(of, name));
        named.into_iter().flatten().collect()
    }

    /// The decision if a Bool attribute had the other value; `path` leads from the resource to it.
    fn former(&self, case: &Case<'_>, path: &str) -> Option<Decision> {
        let (request, slice) = (case.request(), case.slice());
        let mut steps = path.strip_prefix("resource.")?.split('.');
        let last = steps.next_back()?;
        let mut entity = slice.get(&request.resource)?;
        for step in steps {
            let ast::PartialValue::Value(value) = entity.get(step)? else {
                return None;
            };
            let ast::ValueKind::Lit(ast::Literal::EntityUID(uid)) = value.value_kind() else {
                return None;
            };
            entity = slice.get(&EntityUid::from(uid.as_ref().clone()))?;
        }
        let ast::PartialValue::Value(value) = entity.get(last)? else {
            return None;
        };
        let ast::ValueKind::Lit(ast::Literal::Bool(now)) = value.value_kind() else {
            return None;
        };
        let mut before = slice.clone();
        before.put(with_attribute(entity, last, ast::Value::from(!now)));
        Some(self.decide_in(request, &before).decision)
    }
}

/// A notice for each entity in an attribute of the principal whose activation lifts the refusal; if several are needed
/// together, the notice names the others. `path` is the name of the attribute with `principal.` in front.
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

/// An entity with one attribute replaced.
pub fn with_attribute(entity: &ast::Entity, name: &str, value: ast::Value) -> ast::Entity {
    let (uid, attributes, indirect, parents, tags) = entity.clone().into_inner();
    let attributes = attributes
        .into_iter()
        .filter(|(key, _)| key != name)
        .chain([(name.into(), ast::PartialValue::Value(value))])
        .collect::<Vec<_>>();
    ast::Entity::new_with_attr_partial_value(uid, attributes, indirect, parents, tags)
}
