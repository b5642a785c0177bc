//! The entitlements of a class of people.

use std::collections::{BTreeMap, BTreeSet};

use super::granted::Granted;
use super::summary::ACCOUNTS;
use super::{Entitlement, Review, Status, Through};
use crate::bulk::decision::{BulkDecision, ClassDecisions};
use crate::bulk::index::{ActionId, BulkId, CellId, PrincipalTypeId, ResourceId, StateId};
use crate::bulk::summary::{
    AskedActions, CellSet, OnPage, Summary, is_out_of_reach, named, on_page,
};
use crate::explain::asked_to_be_in;
use tarbac_host::bundle::{Action, Policy};
use tarbac_host::decision::{Decision, Outcome, Request};
use tarbac_host::engine::Engine;
use tarbac_store::Row;

/// `@beyond`: this forbid refuses requests that no role would have granted.
const BEYOND: &str = "beyond";

/// The index of the only state.
pub(super) const NOW: StateId = StateId::new(0);

/// The reviewer of the classes of one bulk decision.
pub(super) struct ClassReviewer<'s, 'e> {
    pub(super) review: &'s Review<'e>,
    pub(super) bulk: &'s BulkDecision<'e>,
    /// The bulk decision, by index.
    index: (PrincipalTypeId, BulkId),
    pub(super) actions: AskedActions<'e>,
}

/// The entitlements of a class of people.
pub(super) struct ClassEntitlements {
    /// The number of decisions that can be asked for about each person.
    pub(super) decisions: u64,
    /// Whether the cells are those of all classes without sets of resources.
    pub(super) is_whole: bool,
    /// Whether a policy refuses decisions because of the state of the accounts, which may change.
    pub(super) is_suspended: bool,
    pub(super) found: Vec<EntitlementWithPermits>,
}

/// An entitlement, and the permits behind it.
pub(super) struct EntitlementWithPermits {
    /// The entitlement without `through`.
    pub(super) entitlement: Entitlement,
    permits: Vec<Permit>,
}

/// A permit, and the entities that it asks the principal to be in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Permit {
    policy: String,
    is_role: bool,
    ends: Vec<Row>,
    /// Whether these entities cannot be found.
    is_unknown: bool,
}

/// Cells in which an action has the same status by the same permits.
#[derive(Default)]
struct EqualCells {
    cells: Vec<CellId>,
    reasons: BTreeMap<String, u64>,
}

impl ClassEntitlements {
    /// The entities that any of the permits asks the principal to be in, each once.
    pub(super) fn ends(&self) -> impl Iterator<Item = Row> + use<> {
        let permits = self.found.iter().flat_map(|found| &found.permits);
        let ends: BTreeSet<Row> = permits.flat_map(|permit| &permit.ends).copied().collect();
        ends.into_iter()
    }

    /// Whether a decision is indeterminate, or the entities that a permit asks for cannot be found.
    pub(super) fn has_unknown(&self) -> bool {
        self.found.iter().any(|found| {
            found.entitlement.status == Status::Unknown
                || found.permits.iter().any(|permit| permit.is_unknown)
        })
    }

    /// The entities that permits of allowed entitlements name.
    pub(super) fn used(&self) -> BTreeSet<Row> {
        let allowed = self.found.iter();
        let allowed = allowed.filter(|found| found.entitlement.status.is_allowed());
        let permits = allowed.flat_map(|found| &found.permits);
        let roles = permits.filter(|permit| permit.is_role);
        roles.flat_map(|permit| &permit.ends).copied().collect()
    }
}

impl EntitlementWithPermits {
    /// The entitlement of a person with these chains of memberships to the entities that permits ask for.
    pub(super) fn with_paths(
        &self,
        engine: &Engine,
        path: impl Fn(Row) -> Option<Vec<Row>>,
    ) -> Entitlement {
        let mut through = Vec::new();
        for permit in &self.permits {
            let via = |steps: Vec<Row>| Through {
                policy: permit.policy.clone(),
                is_role: permit.is_role,
                steps: steps.into_iter().map(|row| named(engine, row)).collect(),
            };
            let ways: Vec<Vec<Row>> = permit.ends.iter().filter_map(|end| path(*end)).collect();
            match ways.is_empty() {
                true => through.push(via(Vec::new())),
                false => through.extend(ways.into_iter().map(via)),
            }
        }
        Entitlement {
            through,
            ..self.entitlement.clone()
        }
    }
}

impl<'s, 'e> ClassReviewer<'s, 'e> {
    pub(super) fn new(
        review: &'s Review<'e>,
        bulk: &'s BulkDecision<'e>,
        index: (PrincipalTypeId, BulkId),
    ) -> Self {
        let vocabulary = review.engine.bundle().vocabulary();
        let actions = bulk.actions().iter();
        Self {
            review,
            bulk,
            index,
            actions: actions.map(|uid| vocabulary.action(uid)).collect(),
        }
    }

    /// The entitlements of a class of people.
    pub(super) fn entitlements(&self, decisions: &ClassDecisions<'_>) -> ClassEntitlements {
        let mut entitlements = ClassEntitlements {
            decisions: 0,
            is_whole: decisions.is_whole(),
            is_suspended: false,
            found: Vec::new(),
        };
        let Some(row) = self.bulk.first_person(NOW, decisions.class) else {
            return entitlements;
        };
        let permits = self.review.assignments.roles_of(row);
        for (id, action) in self.actions.iter_enumerated() {
            let Some(action) = action else { continue };
            let granted = Granted::new(self, row, (id, *action), &permits);
            let equal = self.equal_cells(decisions, (id, action), granted, &mut entitlements);
            let found = equal.into_iter().map(|((status, permits), equal)| {
                self.found(decisions, row, action, status, &permits, equal)
            });
            entitlements.found.extend(found);
        }
        entitlements
    }

    /// The cells by status and permits, without those in which the action is neither allowed nor granted.
    fn equal_cells<'d>(
        &self,
        decisions: &'d ClassDecisions<'_>,
        (id, action): (ActionId, &Action),
        mut granted: Granted<'_, 's, 'e>,
        entitlements: &mut ClassEntitlements,
    ) -> BTreeMap<(Status, Vec<&'d str>), EqualCells>
    where
        'e: 'd,
    {
        let on_page = on_page(&self.actions, action);
        let mut equal: BTreeMap<(Status, Vec<&str>), EqualCells> = BTreeMap::new();
        for (cell_id, cell) in decisions.cells().iter_enumerated() {
            let Some(outcome) = decisions.outcome(NOW, id, cell_id) else {
                continue;
            };
            entitlements.decisions += cell.count;
            entitlements.is_suspended |= self.is_of_accounts(outcome);
            let (status, permits) = match outcome.decision {
                Decision::Allow => {
                    let status = status_of_allowed(decisions, on_page, cell_id);
                    (status, self.allowing(outcome))
                }
                Decision::Deny if self.is_beyond(outcome) => continue,
                Decision::Deny => (Status::Refused, granted.on(decisions, cell_id)),
                Decision::Indeterminate => (Status::Unknown, Vec::new()),
            };
            if status == Status::Refused && permits.is_empty() {
                continue;
            }
            let equal = equal.entry((status, permits)).or_default();
            equal.cells.push(cell_id);
            for reason in reasons(status, outcome) {
                *equal.reasons.entry(reason.clone()).or_default() += cell.count;
            }
        }
        equal
    }

    /// The permits of an allowed decision: those that name a role, or all if none does.
    fn allowing<'o>(&self, outcome: &'o Outcome) -> Vec<&'o str> {
        let bundle = self.review.engine.bundle();
        let names_role = |id: &&str| {
            bundle
                .policy(id)
                .is_some_and(|of| of.principal_anchor().is_some())
        };
        let all = || outcome.policies.iter().map(String::as_str);
        let of_roles: Vec<&str> = all().filter(names_role).collect();
        match of_roles.is_empty() {
            true => all().collect(),
            false => of_roles,
        }
    }

    /// Whether a policy with `@beyond` refuses the request.
    fn is_beyond(&self, outcome: &Outcome) -> bool {
        let bundle = self.review.engine.bundle();
        let mut policies = outcome.policies.iter().filter_map(|id| bundle.policy(id));
        policies.any(|policy| policy.annotation(BEYOND).is_some())
    }

    /// Whether a policy with `@accounts` refuses the request.
    fn is_of_accounts(&self, outcome: &Outcome) -> bool {
        let bundle = self.review.engine.bundle();
        let policies = match outcome.decision {
            Decision::Deny => outcome.policies.as_slice(),
            _ => &[],
        };
        let mut policies = policies.iter().filter_map(|id| bundle.policy(id));
        policies.any(|policy| policy.annotation(ACCOUNTS).is_some())
    }

    fn found(
        &self,
        decisions: &ClassDecisions<'_>,
        person: Row,
        action: &Action,
        status: Status,
        permits: &[&str],
        equal: EqualCells,
    ) -> EntitlementWithPermits {
        let summary = Summary::new(&[self.review.engine], self.bulk);
        let count = summary.count(decisions, &equal.cells);
        let firsts = equal.cells.iter();
        let firsts = firsts.map(|cell| decisions.cells()[*cell].first);
        let first = firsts.min();
        let request = first.and_then(|first| self.request(person, action, first));
        let bundle = self.review.engine.bundle();
        let permits = permits.iter().filter_map(|id| bundle.policy(id));
        let mut reasons: Vec<(String, u64)> = equal.reasons.into_iter().collect();
        reasons.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        EntitlementWithPermits {
            permits: permits
                .map(|permit| self.permit(permit, request.as_ref()))
                .collect(),
            entitlement: Entitlement {
                resources: summary.examples(decisions, &equal.cells),
                cells: CellSet {
                    principal_type: self.index.0,
                    bulk: self.index.1,
                    class: decisions.class,
                    cells: equal.cells,
                },
                action: action.uid.clone(),
                name: action.short_name().to_owned(),
                status,
                through: Vec::new(),
                count: count.count,
                of: self.bulk.resources().len() as u64,
                under: count.under,
                reasons,
                supports: Vec::new(),
                groups: Vec::new(),
            },
        }
    }

    fn permit(&self, permit: &Policy, request: Option<&Request>) -> Permit {
        let engine = self.review.engine;
        let ends = request.and_then(|request| asked_to_be_in(engine, permit, request).ok());
        let is_unknown = ends.is_none();
        let mut rows: Vec<Row> = ends
            .into_iter()
            .flatten()
            .filter_map(|uid| engine.directory().row(&uid))
            .collect();
        rows.sort_unstable();
        rows.dedup();
        Permit {
            policy: permit.id().to_owned(),
            is_role: permit.principal_anchor().is_some(),
            ends: rows,
            is_unknown,
        }
    }

    /// The request of a person about an action on a resource.
    pub(super) fn request(
        &self,
        person: Row,
        action: &Action,
        resource: ResourceId,
    ) -> Option<Request> {
        let directory = self.review.engine.directory();
        Some(Request {
            principal: directory.uid(person),
            action: action.uid.clone(),
            resource: directory.uid(self.bulk.resource(NOW, resource)?),
            context: self.review.contexts.get(&action.uid)?.clone(),
        })
    }
}

/// The status of an allowed decision: allowed, or out of reach because the page of the action is refused.
fn status_of_allowed(
    decisions: &ClassDecisions<'_>,
    on_page: Option<OnPage>,
    cell: CellId,
) -> Status {
    match on_page.is_some_and(|on_page| is_out_of_reach(decisions, NOW, on_page, cell)) {
        true => Status::OutOfReach,
        false => Status::Allowed,
    }
}

/// The policies that refuse, or the errors.
fn reasons(status: Status, outcome: &Outcome) -> &[String] {
    match status {
        Status::Allowed | Status::OutOfReach => &[],
        Status::Refused => &outcome.policies,
        Status::Unknown => &outcome.errors,
    }
}
