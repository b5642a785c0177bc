//! Memberships of groups and people in role assignments, with the license rules.
//!
//! Intune gives a role to all members of a group, at any depth, with an exception for people without a license: if the
//! tenant allows unlicensed administrators, such a person has the role as a direct member only (assign-role.md,
//! unlicensed-admins.md), otherwise not at all (prerequisites.md). A group with such a person in it cannot itself be a
//! member of the role assignment; a separate group of the entitled members is.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use super::entra::{Entra, Holder, Person};
use super::intune::Intune;
use super::report::{
    GROUP_CYCLE, LICENSE_UNKNOWN, MEMBERS_MISSING, Notes, UNKNOWN_MEMBER, UNLICENSED,
    UNLICENSED_ADMINISTRATOR,
};

/// Direct memberships, by indices in [`Entra`] and in [`Intune`].
#[derive(Default)]
pub(super) struct Membership {
    /// For each group, the groups that contain it.
    pub(super) groups_of_group: Vec<BTreeSet<u32>>,
    /// For each group, the assignments of all its members.
    pub(super) assignments_of_group: Vec<BTreeSet<usize>>,
    /// The assignments of a person that come from no group.
    pub(super) assignments_of_person: BTreeMap<u32, BTreeSet<usize>>,
    /// For each group whose members do not all have its roles, the members who do.
    pub(super) parts: BTreeMap<u32, EntitledMembers>,
    /// The assignments with members that are in no export.
    pub(super) with_unknown_members: BTreeSet<usize>,
    /// The assignments that a person does not get because a license is missing or unknown.
    pub(super) without_license: BTreeMap<u32, BTreeSet<usize>>,
}

/// The members of a group who have its roles.
pub(super) struct EntitledMembers {
    pub(super) assignments: BTreeSet<usize>,
    pub(super) people: BTreeSet<u32>,
}

impl Membership {
    pub(super) fn new(
        entra: &Entra,
        intune: &Intune,
        allows_unlicensed: bool,
        notes: &mut Notes,
    ) -> Self {
        let mut membership = Self {
            groups_of_group: vec![BTreeSet::new(); entra.groups.len()],
            assignments_of_group: vec![BTreeSet::new(); entra.groups.len()],
            ..Self::default()
        };
        let mut assigned: BTreeMap<u32, BTreeSet<usize>> = BTreeMap::new();
        for (number, assignment) in intune.assignments.iter().enumerate() {
            for id in &assignment.members {
                match entra.holder(id) {
                    Some(Holder::Group(group)) => {
                        assigned.entry(group).or_default().insert(number);
                    }
                    Some(Holder::Person(person)) => {
                        let is_entitled = Self::entitled(entra, person, allows_unlicensed, notes);
                        membership.give(person, number, is_entitled);
                    }
                    None => {
                        membership.with_unknown_members.insert(number);
                        notes.add(&UNKNOWN_MEMBER, format!("{id} of {}", assignment.called()));
                    }
                }
            }
        }
        for (group, assignments) in assigned {
            membership.assign(entra, group, assignments, allows_unlicensed, notes);
        }
        membership.nest(entra, notes);
        membership.forget_what_is_held(entra);
        for (person, assignments) in &membership.without_license {
            // An unknown license is not a missing one, and has been noted already.
            let Some(person) = entra
                .person(*person)
                .filter(|person| person.has_license == Some(false))
            else {
                continue;
            };
            for assignment in assignments {
                if let Some(assignment) = intune.assignments.get(*assignment) {
                    let name = format!("{}: {}", person.user_principal_name, assignment.called());
                    notes.add(&UNLICENSED, name);
                }
            }
        }
        membership
    }

    fn give(&mut self, person: u32, assignment: usize, is_entitled: bool) {
        let given = match is_entitled {
            true => &mut self.assignments_of_person,
            false => &mut self.without_license,
        };
        given.entry(person).or_default().insert(assignment);
    }

    /// Whether a person can have a role: with a license, or if none is needed.
    fn entitled(entra: &Entra, person: u32, needs_none: bool, notes: &mut Notes) -> bool {
        let Some(person) = entra.person(person) else {
            return false;
        };
        let name = person.user_principal_name.as_str();
        match (person.has_license, needs_none) {
            (Some(false), true) => notes.add(&UNLICENSED_ADMINISTRATOR, name),
            // If nobody's licenses are known, one note covers all accounts.
            (None, false) if entra.has_licenses => notes.add(&LICENSE_UNKNOWN, name),
            (Some(_), _) | (None, _) => {}
        }
        needs_none || person.has_license == Some(true)
    }

    /// The parts that a person would join with a group, of this group and of those that contain it; `None` for a
    /// person who would lack one of the roles for lack of a license.
    pub(super) fn joining(
        &self,
        entra: &Entra,
        person: &Person,
        group: u32,
        allows_unlicensed: bool,
    ) -> Option<Vec<u32>> {
        let mut above = vec![group];
        let mut seen = BTreeSet::from([group]);
        let mut parts = Vec::new();
        while let Some(of) = above.pop() {
            let is_entitled = person.has_license == Some(true) || allows_unlicensed && of == group;
            let assignments = self.assignments_of_group.get(of as usize);
            let gives = assignments.is_some_and(|assignments| !assignments.is_empty());
            if gives && !is_entitled {
                return None;
            }
            if self.parts.contains_key(&of) && is_entitled && entra.group(of).is_some() {
                parts.push(of);
            }
            let groups = self.groups_of_group.get(of as usize);
            above.extend(groups.into_iter().flatten().filter(|of| seen.insert(**of)));
        }
        Some(parts)
    }

    /// Gives the assignments of a group to its entitled members.
    fn assign(
        &mut self,
        entra: &Entra,
        group: u32,
        assignments: BTreeSet<usize>,
        allows_unlicensed: bool,
        notes: &mut Notes,
    ) {
        let nested = entra.nested(group);
        for group in nested.iter().filter_map(|group| entra.group(*group)) {
            if !group.has_members {
                notes.add(&MEMBERS_MISSING, group.called());
            }
        }
        let direct = entra.group(group).map(|group| &group.people);
        let (entitled, without): (BTreeSet<u32>, BTreeSet<u32>) =
            entra.people_in(group).into_iter().partition(|person| {
                let is_direct = direct.is_some_and(|direct| direct.contains(person));
                Self::entitled(entra, *person, allows_unlicensed && is_direct, notes)
            });
        if without.is_empty() {
            if let Some(given) = self.assignments_of_group.get_mut(group as usize) {
                given.extend(assignments);
            }
            return;
        }
        for person in without {
            let lacking = self.without_license.entry(person).or_default();
            lacking.extend(&assignments);
        }
        let part = EntitledMembers {
            assignments,
            people: entitled,
        };
        self.parts.insert(group, part);
    }

    /// Nests the groups. Entities cannot contain each other, so groups in a cycle share all their groups and
    /// assignments.
    fn nest(&mut self, entra: &Entra, notes: &mut Notes) {
        let edges = (0..).zip(&entra.groups).flat_map(|(number, group)| {
            let members = group.groups.iter().filter(move |member| **member != number);
            members.map(move |member| (*member, number))
        });
        let mut graph: DiGraph<(), ()> = DiGraph::from_edges(edges.clone());
        while graph.node_count() < entra.groups.len() {
            graph.add_node(());
        }
        let mut component_of = vec![0; entra.groups.len()];
        let components = tarjan_scc(&graph);
        for (number, component) in components.iter().enumerate() {
            for node in component {
                if let Some(of) = component_of.get_mut(node.index()) {
                    *of = number;
                }
            }
        }
        for (member, group) in edges {
            let component = |group: u32| component_of.get(group as usize);
            if component(member) != component(group)
                && let Some(groups) = self.groups_of_group.get_mut(member as usize)
            {
                groups.insert(group);
            }
        }
        for component in components.iter().filter(|component| component.len() > 1) {
            let members = || component.iter().map(|node| node.index());
            let (mut groups, mut assignments) = (BTreeSet::new(), BTreeSet::new());
            for group in members() {
                groups.extend(self.groups_of_group.get(group).into_iter().flatten());
                assignments.extend(self.assignments_of_group.get(group).into_iter().flatten());
            }
            let mut names = Vec::new();
            for group in members() {
                if let Some(of) = self.groups_of_group.get_mut(group) {
                    of.clone_from(&groups);
                }
                if let Some(of) = self.assignments_of_group.get_mut(group) {
                    of.clone_from(&assignments);
                }
                names.extend(entra.groups.get(group).map(super::entra::Group::called));
            }
            names.sort();
            notes.add(&GROUP_CYCLE, names.join(", "));
        }
    }

    /// Removes the lacking assignments that a person has through another membership.
    fn forget_what_is_held(&mut self, entra: &Entra) {
        let mut without_license = std::mem::take(&mut self.without_license);
        for (person, lacking) in &mut without_license {
            let mut held: BTreeSet<usize> = BTreeSet::new();
            held.extend(self.assignments_of_person.get(person).into_iter().flatten());
            for part in self
                .parts
                .values()
                .filter(|part| part.people.contains(person))
            {
                held.extend(&part.assignments);
            }
            let groups = entra.person(*person).map(|person| person.groups.clone());
            let mut seen = groups.unwrap_or_default();
            let mut open: Vec<u32> = seen.iter().copied().collect();
            while let Some(group) = open.pop() {
                held.extend(
                    self.assignments_of_group
                        .get(group as usize)
                        .into_iter()
                        .flatten(),
                );
                for parent in self
                    .groups_of_group
                    .get(group as usize)
                    .into_iter()
                    .flatten()
                {
                    if seen.insert(*parent) {
                        open.push(*parent);
                    }
                }
            }
            lacking.retain(|assignment| !held.contains(assignment));
        }
        without_license.retain(|_, lacking| !lacking.is_empty());
        self.without_license = without_license;
    }
}
