//! Findings of policies about the entities of a directory.

use std::collections::BTreeSet;

use cedar_policy::{Context, EntityId, EntityTypeName, EntityUid};

use super::Engine;
use super::activation::entities_in;
use super::case::{Case, Parties};
use super::policy_finding::{policy_finding, undecided};
use crate::bundle::{Action, Policy};
use crate::decision::Request;
use tarbac_diagnostic::finding::Finding;
use tarbac_store::Row;

impl Engine {
    /// The findings of the policies that answer the question `finding`.
    ///
    /// They are evaluated for each principal with each entity that it is in or could be in by an activation, and once
    /// for each entity of the types that no principal can be in.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.contradictions();
        let Some(action) = self.question("finding") else {
            return findings;
        };
        let mut found = FindingsByPlace::default();
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
            // The principal does not matter if it cannot be in the entity.
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

    /// The entities that would become ancestors of a principal if it activated every membership.
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

    /// Whether the schema allows entities of one type to be in entities of another.
    fn can_belong_to(&self, type_name: &EntityTypeName, other: &EntityTypeName) -> bool {
        let ancestors = self.bundle.schema().ancestors(type_name);
        ancestors.is_some_and(|mut ancestors| ancestors.any(|ancestor| ancestor == other))
    }

    fn find(&self, action: &Action, person: &EntityUid, about: Row, found: &mut FindingsByPlace) {
        let request = Request {
            principal: person.clone(),
            action: action.uid.clone(),
            resource: self.directory.uid(about),
            context: Context::empty(),
        };
        let row = self.directory.row(person);
        let defined = row.filter(|row| self.directory.is_defined(*row));
        let parties = defined.map(|principal| Parties {
            principal,
            resource: about,
        });
        let case = Case::of_directory(self, &request, parties, row.into_iter().collect());
        let outcome = self.put(&request, &case);
        for error in &outcome.errors {
            if found.seen.insert((error.clone(), about, about)) {
                let place = self.directory.place(about);
                found.findings.push(undecided("finding", error, place));
            }
        }
        for policy in self.policies(&outcome) {
            // The mistake can be corrected at the entity through which the principal is in the other.
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
        let finding = policy_finding(policy, format_args!("`{}`", request.resource));
        if let Some(place) = through.and_then(|row| self.directory.place(row)) {
            let text = format!("through here, for example for `{}`", request.principal);
            return finding.label(place, text);
        }
        match self.directory.place(about) {
            Some(place) => finding.label(place, "this one"),
            None => finding,
        }
    }
}

/// Findings, one for each place where a mistake can be corrected.
#[derive(Default)]
struct FindingsByPlace {
    findings: Vec<Finding>,
    seen: BTreeSet<(String, Row, Row)>,
}
