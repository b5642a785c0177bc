//! The policies in force, indexed by their scopes, and as one text.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{
    Authorizer, Decision as CedarDecision, Entities, EntityUid, PolicySet, Request as CedarRequest,
};
use cedar_policy_core::ast;
use hashbrown::HashMap;

use super::Response;
use super::error::TestError;
use tarbac_host::bundle::{Bundle, Policy};
use tarbac_host::decision::Decision;

/// The policies in force, indexed by their scopes.
///
/// A policy is evaluated only if its scope holds: the action of the request is in the scope, and the entity that the
/// scope names is the principal, the resource or above one of them. Other policies neither apply nor fail, so the
/// answer is that of the whole set.
pub(super) struct Policies {
    /// By action, those whose scope names neither principal nor resource.
    by_action: HashMap<EntityUid, PolicySet>,
    /// By the entity that the scope names.
    by_entity: HashMap<EntityUid, OfEntity>,
    authorizer: Authorizer,
}

/// The policies whose scope names one entity, by the actions it covers.
type OfEntity = Vec<(BTreeSet<EntityUid>, PolicySet)>;

impl Policies {
    /// # Errors
    /// A policy cannot be added to the others.
    pub(super) fn new(bundle: &Bundle, readings: &[String]) -> Result<Self, TestError> {
        let vocabulary = bundle.vocabulary();
        let mut by_action: BTreeMap<EntityUid, Vec<&Policy>> = BTreeMap::new();
        let mut by_entity: BTreeMap<EntityUid, BTreeMap<BTreeSet<EntityUid>, Vec<&Policy>>> =
            BTreeMap::new();
        for policy in bundle.in_force(readings) {
            let scope = policy.action_scope();
            let actions = vocabulary
                .permissions()
                .chain(vocabulary.questions())
                .filter(|action| scope.covers(action))
                .map(|action| action.uid.clone());
            match policy
                .principal_anchor()
                .or_else(|| policy.resource_anchor())
            {
                Some(entity) => by_entity
                    .entry(entity)
                    .or_default()
                    .entry(actions.collect())
                    .or_default()
                    .push(policy),
                None => {
                    for action in actions {
                        by_action.entry(action).or_default().push(policy);
                    }
                }
            }
        }
        let by_action = by_action
            .into_iter()
            .map(|(action, policies)| Ok((action, set(&policies)?)));
        let by_entity = by_entity.into_iter().map(|(entity, by_actions)| {
            let sets = by_actions
                .into_iter()
                .map(|(actions, policies)| Ok((actions, set(&policies)?)));
            Ok((entity, sets.collect::<Result<OfEntity, TestError>>()?))
        });
        Ok(Self {
            by_action: by_action.collect::<Result<_, TestError>>()?,
            by_entity: by_entity.collect::<Result<_, TestError>>()?,
            authorizer: Authorizer::new(),
        })
    }

    /// The answer of Cedar to a request with an action of the schema.
    pub(super) fn decide(
        &self,
        request: &CedarRequest,
        [principal, action, resource]: [&EntityUid; 3],
        entities: &Entities,
    ) -> Response {
        // One entity may be above both.
        let mut named: Vec<(&EntityUid, &OfEntity)> = [principal, resource]
            .into_iter()
            .flat_map(|uid| {
                let above = entities.ancestors(uid).into_iter().flatten();
                std::iter::once(uid).chain(above)
            })
            .filter_map(|uid| self.by_entity.get_key_value(uid))
            .collect();
        named.sort_unstable_by_key(|(uid, _)| *uid);
        named.dedup_by_key(|(uid, _)| *uid);
        let of_entities = named
            .into_iter()
            .flat_map(|(_, of_entity)| of_entity)
            .filter(|(actions, _)| actions.contains(action))
            .map(|(_, set)| set);
        let mut permits = Vec::new();
        let mut forbids = Vec::new();
        let mut errors = Vec::new();
        for set in self.by_action.get(action).into_iter().chain(of_entities) {
            let response = self.authorizer.is_authorized(request, set, entities);
            let determining = match response.decision() {
                CedarDecision::Allow => &mut permits,
                CedarDecision::Deny => &mut forbids,
            };
            let (reason, failed) = (
                response.diagnostics().reason(),
                response.diagnostics().errors(),
            );
            determining.extend(reason.map(ToString::to_string));
            errors.extend(failed.map(ToString::to_string));
        }
        // Forbids win over permits, whichever set they are in.
        let (decision, mut policies) = match (permits.is_empty(), forbids.is_empty()) {
            (false, true) => (Decision::Allow, permits),
            _ => (Decision::Deny, forbids),
        };
        policies.sort_unstable();
        errors.sort_unstable();
        Response {
            decision,
            policies,
            errors,
        }
    }
}

/// A set of all these policies.
///
/// # Errors
/// A policy cannot be added, as one whose id another has: without it, a decision would be that of other policies.
pub(super) fn set(policies: &[&Policy]) -> Result<PolicySet, TestError> {
    let mut set = ast::PolicySet::new();
    for policy in policies {
        set.add(policy.written().clone())
            .map_err(|error| TestError::Policies(error.to_string()))?;
    }
    Ok(PolicySet::from(set))
}

/// The policies in force under these readings as one text, sorted by id, for a program without readings.
///
/// `cedar run-tests --policies` decides with this text as tarbac does with the bundle; its `--schema` is the files of
/// the schema, joined. Each policy is written as in its own file, without the comments before it; a link of a template
/// is written out under the id of the link.
pub fn policies_in_force(bundle: &Bundle, readings: &[String]) -> String {
    bundle
        .in_force(readings)
        .map(|policy| match text_of(policy) {
            Some(text) => format!("{text}\n\n"),
            None => format!("{}\n\n", written_out(policy)),
        })
        .collect()
}

fn text_of(policy: &Policy) -> Option<&str> {
    let place = policy.place();
    let span = usize::try_from(place.start).ok()?..usize::try_from(place.end).ok()?;
    let text = place.source.text().get(span)?;
    (policy.written().is_static() && !text.is_empty()).then_some(text)
}

/// A link of a template as a policy of its own.
fn written_out(policy: &Policy) -> ast::Template {
    let link = policy.written();
    let annotations = link.annotations().map(|(key, value)| {
        let mut value = value.clone();
        if key.as_ref() as &str == "id" {
            value.val = policy.id().into();
        }
        (key.clone(), value)
    });
    ast::Template::new(
        link.id().clone(),
        None,
        annotations.collect(),
        link.effect(),
        link.principal_constraint(),
        link.action_constraint().clone(),
        link.resource_constraint(),
        link.non_scope_constraints().cloned(),
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

    use std::sync::Arc;

    use tarbac_host::bundle::{self, Shipped, TextFile};

    use super::{TestError, set};

    #[test]
    fn a_policy_that_cannot_be_added_is_an_error() {
        let file = |path: &str, text: &str| TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let files = vec![
            file(
                "schema/notes.cedarschema",
                "entity User; entity Note; action read appliesTo { principal: User, resource: Note };",
            ),
            file(
                "policies/notes.cedar",
                "@id(\"notes.read\")\npermit (principal is User, action == Action::\"read\", resource is Note);",
            ),
        ];
        let (bundle, findings) = bundle::read(&Arc::new(Shipped::new(files)).alone());
        let bundle = bundle.map_err(|_| findings).unwrap();
        let policy = bundle.policy("notes.read").unwrap();
        assert!(set(&[policy]).is_ok());
        assert!(matches!(
            set(&[policy, policy]),
            Err(TestError::Policies(_))
        ));
    }
}
