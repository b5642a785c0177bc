//! Rows of the access review: one for all actions with the same outcome.

use std::collections::BTreeSet;

use super::LISTED;
use crate::explanation::typed;
use crate::support::in_short;
use crate::tally::{common, first, for_some};
use crate::words::counted;
use tarbac_analysis::access_review::{Entitlement, PersonAccess, Status, Through};
use tarbac_analysis::explain::{Named, Support};

/// Actions with the same outcome on the same resources through the same permits.
pub(super) struct Row<'s> {
    pub status: Status,
    pub actions: Vec<&'s str>,
    pub count: u64,
    pub of: u64,
    pub under: &'s [(Named, u64)],
    pub resources: &'s [Named],
    pub groups: &'s [(Named, u64)],
    through: &'s [Through],
    /// The other facts that the actions depend on, each once.
    supports: Vec<Support>,
    /// The number of people who share the row.
    people: usize,
    /// The reasons of each action.
    reasons: Vec<BTreeSet<&'s str>>,
}

/// The rows of some people, by outcome.
pub(super) fn rows(holder: &PersonAccess) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for hold in &holder.holds {
        let reasons = hold.reasons.iter().map(|(reason, _)| reason.as_str());
        let reasons: BTreeSet<&str> = reasons.collect();
        match rows.iter_mut().find(|row| row.is_of(hold)) {
            Some(row) => {
                row.actions.push(&hold.name);
                row.reasons.push(reasons);
                row.add(&hold.supports);
            }
            None => rows.push(Row {
                status: hold.status,
                actions: vec![&hold.name],
                count: hold.count,
                of: hold.of,
                under: &hold.under,
                resources: &hold.resources,
                groups: &hold.groups,
                through: &hold.through,
                supports: hold.supports.clone(),
                people: holder.people.len(),
                reasons: vec![reasons],
            }),
        }
    }
    rows.sort_by_key(|row| row.status);
    rows
}

impl<'s> Row<'s> {
    fn is_of(&self, hold: &'s Entitlement) -> bool {
        self.status == hold.status
            && self.count == hold.count
            && self.of == hold.of
            && self.under == hold.under
            && self.resources == hold.resources
            && self.groups == hold.groups
            && self.through == hold.through.as_slice()
    }

    fn add(&mut self, supports: &[Support]) {
        for support in supports {
            if !self.supports.iter().any(|of| of.is_of_same_fact(support)) {
                self.supports.push(support.clone());
            }
        }
    }

    /// The permissions that the outcome depends on besides the role. Where they differ between people or resources, those of
    /// one person on some resources.
    pub(super) fn with(&self) -> Option<String> {
        let permissions = in_short(&self.supports)?;
        let is_all = self.people == 1 && self.count <= 1;
        Some(match is_all {
            true => format!("with {permissions}"),
            false => format!("with, for example, {permissions}"),
        })
    }

    /// The paths to the roles and groups that the permits require, each once; with `all` also the permits.
    pub(super) fn ways(&self, all: bool) -> Vec<String> {
        let mut ways: Vec<String> = Vec::new();
        for through in self.through {
            let steps: Vec<String> = through.steps.iter().map(typed).collect();
            let way = match (steps.is_empty(), all) {
                (true, _) => through.policy.clone(),
                (false, false) => steps.join(" -> "),
                (false, true) => format!("{}: {}", steps.join(" -> "), through.policy),
            };
            if !ways.contains(&way) {
                ways.push(way);
            }
        }
        ways
    }

    /// The refusing policies or the errors that all of the actions share, and the number of further ones.
    pub(super) fn reasons(&self, all: bool) -> Option<String> {
        let word = match self.status {
            Status::Allowed | Status::OutOfReach => return None,
            Status::Refused => "refused by",
            Status::Unknown => "because of",
        };
        let (reasons, more) = common(&self.reasons, all || self.reasons.len() == 1);
        let limit = if all { usize::MAX } else { LISTED };
        Some(match (reasons.as_slice(), more) {
            (reasons, 0) => format!("{word} {}", first(reasons, limit)),
            ([], more) => format!("{word} {}", counted(more, "policy")),
            (reasons, more) => format!("{word} {}{}", reasons.join(", "), for_some(more)),
        })
    }
}
