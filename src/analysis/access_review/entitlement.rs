//! The entitlements of a class of people.

use std::collections::{BTreeMap, BTreeSet};

use super::granted::Granted;
use super::summary::ACCOUNTS;
use super::{Entitlement, Review, Status, Through};
use crate::bulk::index::{AskerId, CellId, ResourceId, StateId, SurveyId};
use crate::bulk::summary::{Asked, Place, Summary, is_stuck, named, on_page};
use crate::bulk::survey::{BulkDecision, ClassDecisions};
use crate::explain::asked_to_be_in;
use tarbac_host::bundle::{Action, Policy};
use tarbac_host::decision::{Decision, Outcome, Request};
use tarbac_host::engine::Engine;
use tarbac_store::Row;

/// The annotation of a forbid that refuses what is none of what roles grant.
const BEYOND: &str = "beyond";

/// The only state.
pub(super) const NOW: StateId = StateId::new(0);

/// Looks at classes of people.
pub(super) struct ClassReviewer<'s, 'e> {
    pub review: &'s Review<'e>,
    pub survey: &'s BulkDecision<'e>,
    /// The type that asks, and the survey.
    place: (AskerId, SurveyId),
    pub actions: Asked<'e>,
}

/// What holds for a class of people.
pub(super) struct Made {
    /// The decisions that can be asked for about each.
    pub decisions: u64,
    /// Whether their cells are those of everybody who has no sets of resources.
    pub is_whole: bool,
    /// Whether a policy refuses something because of what the accounts are, which may be otherwise tomorrow.
    pub is_suspended: bool,
    pub found: Vec<Found>,
}

/// What holds of an action, and the permits behind it.
pub(super) struct Found {
    /// Without what it comes through.
    pub hold: Entitlement,
    permits: Vec<Permit>,
}

/// A permit, and what it asks to be in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Permit {
    policy: String,
    is_role: bool,
    ends: Vec<Row>,
}

/// Cells in which the same holds of an action.
#[derive(Default)]
struct Alike {
    cells: Vec<CellId>,
    reasons: BTreeMap<String, u64>,
}

impl Made {
    /// What any of the permits ask to be in, each once.
    pub fn ends(&self) -> impl Iterator<Item = Row> + use<> {
        let permits = self.found.iter().flat_map(|found| &found.permits);
        let ends: BTreeSet<Row> = permits.flat_map(|permit| &permit.ends).copied().collect();
        ends.into_iter()
    }

    /// Whether something cannot be decided.
    pub fn has_unknown(&self) -> bool {
        self.found
            .iter()
            .any(|found| found.hold.status == Status::Unknown)
    }

    /// What the roles are by which something is allowed.
    pub fn used(&self) -> BTreeSet<Row> {
        let allowed = self.found.iter();
        let allowed = allowed.filter(|found| found.hold.status.is_allowed());
        let permits = allowed.flat_map(|found| &found.permits);
        let roles = permits.filter(|permit| permit.is_role);
        roles.flat_map(|permit| &permit.ends).copied().collect()
    }
}

impl Found {
    /// What holds for somebody whose ways to what permits ask to be in are these.
    pub fn hold_of(&self, engine: &Engine, path: impl Fn(Row) -> Option<Vec<Row>>) -> Entitlement {
        let mut through = Vec::new();
        for permit in &self.permits {
            let by = |steps: Vec<Row>| Through {
                policy: permit.policy.clone(),
                is_role: permit.is_role,
                steps: steps.into_iter().map(|row| named(engine, row)).collect(),
            };
            let ways: Vec<Vec<Row>> = permit.ends.iter().filter_map(|end| path(*end)).collect();
            match ways.is_empty() {
                true => through.push(by(Vec::new())),
                false => through.extend(ways.into_iter().map(by)),
            }
        }
        Entitlement {
            through,
            ..self.hold.clone()
        }
    }
}

impl<'s, 'e> ClassReviewer<'s, 'e> {
    pub fn new(
        review: &'s Review<'e>,
        survey: &'s BulkDecision<'e>,
        place: (AskerId, SurveyId),
    ) -> Self {
        let vocabulary = review.engine.bundle().vocabulary();
        let actions = survey.actions().iter();
        Self {
            review,
            survey,
            place,
            actions: actions.map(|uid| vocabulary.action(uid)).collect(),
        }
    }

    /// What holds for a class of people.
    pub fn at(&self, seen: &ClassDecisions<'_>) -> Made {
        let mut made = Made {
            decisions: 0,
            is_whole: seen.is_whole(),
            is_suspended: false,
            found: Vec::new(),
        };
        let Some(row) = self.survey.person(NOW, self.survey.first(seen.class)) else {
            return made;
        };
        let roles = self.review.edges.roles_of(row);
        for (number, action) in self.actions.iter_enumerated() {
            let Some(action) = action else { continue };
            let places = on_page(&self.actions, action);
            let mut granted = Granted::of(self, row, (number, *action), &roles);
            let mut alike: BTreeMap<(Status, Vec<&str>), Alike> = BTreeMap::new();
            for (cell, of) in seen.cells().iter_enumerated() {
                let Some(outcome) = seen.outcome(NOW, number, cell) else {
                    continue;
                };
                made.decisions += of.count;
                made.is_suspended |= self.is_of_accounts(outcome);
                let (status, permits) = match outcome.decision {
                    Decision::Allow => {
                        let is_stuck = places.is_some_and(|of| is_stuck(seen, NOW, of, cell));
                        let status = match is_stuck {
                            true => Status::OutOfReach,
                            false => Status::Allowed,
                        };
                        (status, self.allowing(outcome))
                    }
                    Decision::Deny if self.is_beyond(outcome) => continue,
                    Decision::Deny => (Status::Refused, granted.at(seen, cell)),
                    Decision::Indeterminate => (Status::Unknown, Vec::new()),
                };
                if status == Status::Refused && permits.is_empty() {
                    continue;
                }
                let alike = alike.entry((status, permits)).or_default();
                alike.cells.push(cell);
                for reason in reasons(status, outcome) {
                    *alike.reasons.entry(reason.clone()).or_default() += of.count;
                }
            }
            let found = alike.into_iter().map(|((status, permits), alike)| {
                self.found(seen, row, action, status, &permits, alike)
            });
            made.found.extend(found);
        }
        made
    }

    /// The permits that allow something: those that name a role, or all where none does.
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

    /// Whether what refuses something says that no role grants it.
    fn is_beyond(&self, outcome: &Outcome) -> bool {
        let bundle = self.review.engine.bundle();
        let mut policies = outcome.policies.iter().filter_map(|id| bundle.policy(id));
        policies.any(|policy| policy.annotation(BEYOND).is_some())
    }

    /// Whether a policy refuses something that has a name for the accounts to which it does.
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
        seen: &ClassDecisions<'_>,
        person: Row,
        action: &Action,
        status: Status,
        permits: &[&str],
        alike: Alike,
    ) -> Found {
        let extents = Summary::of(&[self.review.engine], self.survey);
        let extent = extents.count(seen, &alike.cells);
        let firsts = alike.cells.iter().map(|cell| seen.cells()[*cell].first);
        let first = firsts.min();
        let request = first.and_then(|first| self.request(person, action, first));
        let bundle = self.review.engine.bundle();
        let permits = permits.iter().filter_map(|id| bundle.policy(id));
        let mut reasons: Vec<(String, u64)> = alike.reasons.into_iter().collect();
        reasons.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        Found {
            permits: permits
                .map(|permit| self.permit(permit, request.as_ref()))
                .collect(),
            hold: Entitlement {
                resources: extents.examples(seen, &alike.cells),
                at: Place {
                    asker: self.place.0,
                    survey: self.place.1,
                    class: seen.class,
                    cells: alike.cells,
                },
                action: action.uid.clone(),
                name: action.short_name().to_owned(),
                status,
                through: Vec::new(),
                count: extent.count,
                of: self.survey.resources().len() as u64,
                under: extent.under,
                reasons,
                supports: Vec::new(),
                groups: Vec::new(),
            },
        }
    }

    fn permit(&self, permit: &Policy, request: Option<&Request>) -> Permit {
        let engine = self.review.engine;
        let ends = request.map(|request| asked_to_be_in(engine, permit, request));
        let rows = ends.into_iter().flatten();
        let mut rows: Vec<Row> = rows
            .filter_map(|uid| engine.directory().row(&uid))
            .collect();
        rows.sort_unstable();
        rows.dedup();
        Permit {
            policy: permit.id().to_owned(),
            is_role: permit.principal_anchor().is_some(),
            ends: rows,
        }
    }

    /// The request of somebody about an action on a resource.
    pub fn request(&self, person: Row, action: &Action, resource: ResourceId) -> Option<Request> {
        let directory = self.review.engine.directory();
        Some(Request {
            principal: directory.uid(person),
            action: action.uid.clone(),
            resource: directory.uid(self.survey.resource(NOW, resource)?),
            context: self.review.context(&action.uid),
        })
    }
}

/// What stands behind a status: policies that refuse, or what went wrong.
fn reasons(status: Status, outcome: &Outcome) -> &[String] {
    match status {
        Status::Allowed | Status::OutOfReach => &[],
        Status::Refused => &outcome.policies,
        Status::Unknown => &outcome.errors,
    }
}
