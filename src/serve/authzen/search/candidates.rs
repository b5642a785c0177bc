//! The decisions about the candidates of a search.

use cedar_policy::{Context, EntityUid};
use rayon::prelude::*;
use tarbac_host::engine::SetAttribute;
use tarbac_host::{Decision, Request};
use tarbac_store::Row;

use super::Kind;
use crate::authzen::evaluation::outcome;
use crate::authzen::request::{AskedAction, Explain, SearchParts};
use crate::authzen::resolve::{self, Problem, Resolved};
use crate::names::Permission;
use crate::served::Served;
use crate::work::Waiting;

/// The results of a search, on all pages.
#[derive(Default)]
pub(super) struct SearchResults {
    /// The entities, in the order of their ids.
    pub(super) rows: Vec<Row>,
    /// The names of actions, in order.
    pub(super) names: Vec<String>,
    pub(super) undecided: usize,
}

/// Runs a search. It ends early, with an incomplete result, once no client waits for it.
pub(super) fn find(
    kind: Kind,
    served: &Served,
    asked: &SearchParts,
    waiting: &Waiting,
) -> Result<SearchResults, Problem> {
    match (kind, &asked.action) {
        (Kind::Action, _) => actions(served, asked, waiting),
        (_, Some(action)) => entities(kind, served, asked, action, waiting),
        (_, None) => Ok(SearchResults::default()),
    }
}

/// Decides about each entity of the searched type.
fn entities(
    kind: Kind,
    served: &Served,
    asked: &SearchParts,
    action: &AskedAction,
    waiting: &Waiting,
) -> Result<SearchResults, Problem> {
    let permission = resolve::permission(served, &action.name)?;
    let context = resolve::context(
        served,
        permission,
        action,
        asked.context.as_ref(),
        Explain::No,
    )?;
    let searched = resolve::type_of(served, &asked.searched)?;
    let known = match kind {
        Kind::Resource => &asked.subject,
        Kind::Subject | Kind::Action => &asked.resource,
    };
    let Some(known) = known else {
        return Ok(SearchResults::default());
    };
    let (other, known_row) = resolve::entity_of(served, known)?;
    let set = resolve::set_by(served, &other, known);
    let is_asked = match kind {
        Kind::Resource => permission.action.applies_to(other.type_name(), searched),
        Kind::Subject | Kind::Action => permission.action.applies_to(searched, other.type_name()),
    };
    if !is_asked {
        return Ok(SearchResults::default());
    }
    let directory = served.engine.directory();
    let rows: Vec<Row> = directory.rows_of(searched).collect();
    let question = Question {
        kind,
        served,
        permission,
        context,
        known_row,
        known: other,
        set,
    };
    let decide = |row: &Row| {
        if waiting.is_over() {
            return None;
        }
        let decision = question.decision(*row)?;
        (decision != Decision::Deny).then_some((*row, decision))
    };
    let decided: Vec<(Row, Decision)> = rows
        .par_iter()
        .with_min_len(64)
        .filter_map(decide)
        .collect();
    let mut found = SearchResults::default();
    for (row, decision) in decided {
        match decision {
            Decision::Allow => found.rows.push(row),
            Decision::Indeterminate => found.undecided += 1,
            Decision::Deny => {}
        }
    }
    found
        .rows
        .sort_by(|one, other| directory.id(*one).cmp(directory.id(*other)));
    Ok(found)
}

/// The parts of a search for entities that all candidates share.
struct Question<'a> {
    kind: Kind,
    served: &'a Served,
    permission: &'a Permission,
    context: Context,
    /// The entity that the request names: the resource in a search for subjects, and the subject in one for resources.
    known: EntityUid,
    known_row: Row,
    /// The attributes that the request sets.
    set: Vec<SetAttribute>,
}

impl Question<'_> {
    /// The decision about a candidate; `None` if the schema refuses an attribute that the request sets.
    fn decision(&self, candidate: Row) -> Option<Decision> {
        // Kept decisions hold only for entities with the attributes of the directory.
        let rows = self.sides(candidate, self.known_row);
        if self.set.is_empty() {
            let (principal, resource) = rows;
            let rows = (principal, &self.permission.action.uid, resource);
            return Some(self.served.decide_rows(rows, &self.context).decision);
        }
        let candidate = self.served.engine.directory().uid(candidate);
        let (principal, resource) = self.sides(candidate, self.known.clone());
        let resolved = Resolved {
            request: asks(self.permission, (principal, resource, self.context.clone())),
            rows,
            set: self.set.clone(),
        };
        Some(outcome(self.served, &resolved).ok()?.decision)
    }

    /// The candidate and the known entity, as principal and resource.
    fn sides<T>(&self, candidate: T, known: T) -> (T, T) {
        match self.kind {
            Kind::Resource => (known, candidate),
            Kind::Subject | Kind::Action => (candidate, known),
        }
    }
}

/// The request of a principal about a resource.
fn asks(
    permission: &Permission,
    (principal, resource, context): (EntityUid, EntityUid, Context),
) -> Request {
    Request {
        principal,
        action: permission.action.uid.clone(),
        resource,
        context,
    }
}

/// Decides about each action.
fn actions(
    served: &Served,
    asked: &SearchParts,
    waiting: &Waiting,
) -> Result<SearchResults, Problem> {
    let (Some(subject), Some(resource)) = (&asked.subject, &asked.resource) else {
        return Ok(SearchResults::default());
    };
    let (principal, principal_row) = resolve::entity_of(served, subject)?;
    let (thing, thing_row) = resolve::entity_of(served, resource)?;
    let rows = (principal_row, thing_row);
    let mut set = resolve::set_by(served, &principal, subject);
    set.extend(resolve::set_by(served, &thing, resource));
    let none = AskedAction::default();
    let mut found = SearchResults::default();
    for permission in served.names.permissions() {
        if waiting.is_over()
            || !permission
                .action
                .applies_to(principal.type_name(), thing.type_name())
        {
            continue;
        }
        // A context may conform to the schema for one action and not for another.
        let context = resolve::context(
            served,
            permission,
            &none,
            asked.context.as_ref(),
            Explain::No,
        );
        let decision = context.map_or(Decision::Indeterminate, |context| {
            let parts = (principal.clone(), thing.clone(), context);
            let resolved = Resolved {
                request: asks(permission, parts),
                rows,
                set: set.clone(),
            };
            let outcome = outcome(served, &resolved);
            outcome.map_or(Decision::Indeterminate, |outcome| outcome.decision)
        });
        match decision {
            Decision::Allow => found
                .names
                .push(served.names.of_permission(&served.engine, permission)),
            Decision::Indeterminate => found.undecided += 1,
            Decision::Deny => {}
        }
    }
    found.names.sort_unstable();
    Ok(found)
}
