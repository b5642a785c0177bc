//! The choice of roles to extend, and of new roles to create.
//!
//! All people get the permissions that they need, and none that they may not be given.
//!
//! The best choice has the fewest roles, then the fewest permissions, then the fewest new roles. Permissions, people
//! and roles are indices.

use std::collections::{BTreeMap, BTreeSet};

use super::set_cover::covers;

/// The most sets of permissions among which a new role is chosen.
const CANDIDATES: usize = 2_000;

/// People with the same needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    /// The permissions that they need.
    pub need: BTreeSet<usize>,
    /// Whether they need a role, whatever its permissions.
    pub needs_role: bool,
    /// The permissions that they may be given.
    pub may: BTreeSet<usize>,
    /// The permissions that help them in a role that they have.
    pub helped: BTreeSet<usize>,
    /// The roles that they have, of those that can be extended.
    pub has: BTreeSet<usize>,
}

/// The chosen roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    /// The new permissions of each extended role.
    pub extended: BTreeMap<usize, BTreeSet<usize>>,
    /// The new roles.
    pub new_roles: Vec<ChosenRole>,
    /// Whether it is certain that fewer roles are not enough.
    pub is_smallest: bool,
}

/// A new role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChosenRole {
    /// Its permissions.
    pub gives: BTreeSet<usize>,
    /// The groups of people who are given it.
    pub to: BTreeSet<usize>,
}

/// A role that could be changed, with the permissions that it could give.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Candidate {
    Extend(usize, BTreeSet<usize>),
    Make(BTreeSet<usize>),
}

impl Candidate {
    fn gives(&self) -> &BTreeSet<usize> {
        match self {
            Self::Extend(_, gives) | Self::Make(gives) => gives,
        }
    }

    /// Whether it can reach a group: they have the role, or may be given it.
    fn reaches(&self, group: &Group) -> bool {
        match self {
            Self::Extend(role, _) => group.has.contains(role),
            Self::Make(gives) => gives.is_subset(&group.may),
        }
    }

    /// Whether it gives a group that it reaches a permission or role that the group needs.
    fn helps(&self, group: &Group, need: Option<usize>) -> bool {
        match (need, self) {
            (Some(permission), Self::Extend(_, gives)) => {
                gives.contains(&permission) && group.helped.contains(&permission)
            }
            (Some(permission), Self::Make(gives)) => gives.contains(&permission),
            (None, Self::Extend(..)) => false,
            (None, Self::Make(_)) => true,
        }
    }
}

/// Chooses roles for these groups; `extensible` has, for each role that can be extended, the permissions that all its
/// people may be given.
pub(super) fn choose(groups: &[Group], extensible: &BTreeMap<usize, BTreeSet<usize>>) -> Choice {
    let needed = groups.iter().flat_map(|group| {
        // A role that is needed for its own sake gets one permission.
        let any = group.may.first().filter(|_| group.need.is_empty());
        group.need.iter().chain(any)
    });
    let needed: BTreeSet<usize> = needed.copied().collect();
    let (mut candidates, is_complete) = new_roles(groups, &needed);
    let extended = extensible.iter().filter_map(|(role, may)| {
        let gives: BTreeSet<usize> = may.intersection(&needed).copied().collect();
        (!gives.is_empty()).then_some(Candidate::Extend(*role, gives))
    });
    candidates.splice(0..0, extended);
    let needs = needs(groups);
    let sets: Vec<BTreeSet<usize>> = candidates
        .iter()
        .map(|candidate| helped(candidate, groups, &needs))
        .collect();
    let found = covers(needs.len(), &sets);
    let families = found.all.iter().map(|cover| {
        let family = cover.iter().filter_map(|place| candidates.get(*place));
        least(family.cloned().collect(), groups)
    });
    let best = families.min_by_key(|family| {
        let permissions: usize = family.iter().map(|candidate| candidate.gives().len()).sum();
        let is_made = |candidate: &&Candidate| matches!(candidate, Candidate::Make(_));
        let made = family.iter().filter(is_made).count();
        (permissions, made, family.clone())
    });
    let mut choice = given(best.unwrap_or_default(), groups);
    choice.is_smallest = found.is_smallest && is_complete;
    choice
}

/// The sets of permissions among which a new role is chosen, and whether the list is complete: each set has the
/// permissions that some groups may be given together.
fn new_roles(groups: &[Group], needed: &BTreeSet<usize>) -> (Vec<Candidate>, bool) {
    let mut all: BTreeSet<BTreeSet<usize>> = groups
        .iter()
        .map(|group| group.may.intersection(needed).copied().collect())
        .collect();
    let mut waiting: Vec<BTreeSet<usize>> = all.iter().cloned().collect();
    let mut is_complete = true;
    while let Some(one) = waiting.pop() {
        if all.len() > CANDIDATES {
            is_complete = false;
            break;
        }
        let met: Vec<BTreeSet<usize>> = all
            .iter()
            .map(|other| one.intersection(other).copied().collect())
            .collect();
        waiting.extend(met.into_iter().filter(|set| all.insert(set.clone())));
    }
    (all.into_iter().map(Candidate::Make).collect(), is_complete)
}

/// The needs of the groups, each with the index of the group: a permission, or a role whatever its permissions.
fn needs(groups: &[Group]) -> Vec<(usize, Option<usize>)> {
    let of_group = |(index, group): (usize, &Group)| {
        let permissions = group.need.iter().map(|permission| Some(*permission));
        let role = group.needs_role.then_some(None);
        let needs = permissions.chain(role).map(|need| (index, need));
        needs.collect::<Vec<_>>()
    };
    groups.iter().enumerate().flat_map(of_group).collect()
}

/// The indices of the needs that a candidate meets.
fn helped(
    candidate: &Candidate,
    groups: &[Group],
    needs: &[(usize, Option<usize>)],
) -> BTreeSet<usize> {
    let reached: Vec<bool> = groups
        .iter()
        .map(|group| candidate.reaches(group))
        .collect();
    let needs = needs.iter().enumerate();
    let helped = needs.filter(|(_, (index, need))| {
        reached.get(*index) == Some(&true)
            && groups
                .get(*index)
                .is_some_and(|group| candidate.helps(group, *need))
    });
    helped.map(|(place, _)| place).collect()
}

/// The same roles with as few permissions as are needed. Each permission is decided independently.
fn least(family: Vec<Candidate>, groups: &[Group]) -> Vec<Candidate> {
    let needs = needs(groups);
    let permissions: BTreeSet<usize> = needs.iter().filter_map(|(_, need)| *need).collect();
    let mut gives: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); family.len()];
    for permission in permissions {
        let of: Vec<(usize, Option<usize>)> = needs
            .iter()
            .filter(|(_, need)| *need == Some(permission))
            .copied()
            .collect();
        let sets: Vec<BTreeSet<usize>> = family
            .iter()
            .map(|candidate| helped(candidate, groups, &of))
            .collect();
        let found = covers(of.len(), &sets);
        for place in found.all.first().into_iter().flatten() {
            if let Some(gives) = gives.get_mut(*place) {
                gives.insert(permission);
            }
        }
    }
    let least = family.into_iter().zip(gives);
    let least = least.map(|(candidate, gives)| match candidate {
        Candidate::Extend(role, _) => Candidate::Extend(role, gives),
        // The role is needed for its own sake: one permission that harms nobody is enough.
        Candidate::Make(all) if gives.is_empty() => {
            Candidate::Make(all.into_iter().take(1).collect())
        }
        Candidate::Make(_) => Candidate::Make(gives),
    });
    least.collect()
}

/// Assigns the new roles to the groups that need them, as few as possible to each.
fn given(family: Vec<Candidate>, groups: &[Group]) -> Choice {
    let mut choice = Choice {
        extended: BTreeMap::new(),
        new_roles: Vec::new(),
        is_smallest: true,
    };
    for candidate in &family {
        match candidate {
            Candidate::Extend(role, gives) => {
                choice.extended.insert(*role, gives.clone());
            }
            Candidate::Make(gives) => choice.new_roles.push(ChosenRole {
                gives: gives.clone(),
                to: BTreeSet::new(),
            }),
        }
    }
    let (made, extended): (Vec<Candidate>, Vec<Candidate>) = family
        .into_iter()
        .partition(|candidate| matches!(candidate, Candidate::Make(_)));
    for (index, group) in groups.iter().enumerate() {
        let of_group = needs(std::slice::from_ref(group));
        let missing: Vec<(usize, Option<usize>)> = of_group
            .into_iter()
            .filter(|(_, need)| {
                let helps = |role: &Candidate| role.reaches(group) && role.helps(group, *need);
                !extended.iter().any(helps)
            })
            .collect();
        let sets: Vec<BTreeSet<usize>> = made
            .iter()
            .map(|candidate| helped(candidate, std::slice::from_ref(group), &missing))
            .collect();
        let found = covers(missing.len(), &sets);
        for place in found.all.first().into_iter().flatten() {
            if let Some(role) = choice.new_roles.get_mut(*place) {
                role.to.insert(index);
            }
        }
    }
    choice
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a test that panics has failed")]
mod tests {
    use std::collections::BTreeMap;

    use super::{Candidate, Group, choose, needs};

    fn group(need: &[usize], may: &[usize], has: &[usize]) -> Group {
        Group {
            need: need.iter().copied().collect(),
            needs_role: false,
            may: need.iter().chain(may).copied().collect(),
            helped: need.iter().copied().collect(),
            has: has.iter().copied().collect(),
        }
    }

    #[test]
    fn nested_needs_share_a_role_and_nobody_is_given_more() {
        // Three groups, two roles: what all need, and what the second and third need besides.
        let groups = [
            group(&[0], &[], &[]),
            group(&[0, 1], &[], &[]),
            group(&[0, 1], &[2], &[]),
        ];
        let choice = choose(&groups, &BTreeMap::new());
        assert_eq!(choice.new_roles.len(), 2);
        assert!(choice.is_smallest);
        for role in &choice.new_roles {
            for index in &role.to {
                assert!(role.gives.is_subset(&groups[*index].may));
            }
        }
        let permissions: usize = choice.new_roles.iter().map(|role| role.gives.len()).sum();
        assert_eq!(permissions, 2);
    }

    #[test]
    fn a_role_that_people_have_is_extended_before_one_is_made() {
        let groups = [group(&[0, 1], &[], &[7])];
        let choice = choose(&groups, &BTreeMap::from([(7, [0, 1].into())]));
        assert_eq!(choice.new_roles, []);
        assert_eq!(choice.extended, BTreeMap::from([(7, [0, 1].into())]));
        // Others have it as well, who may not be given one of the two.
        let choice = choose(&groups, &BTreeMap::from([(7, [0].into())]));
        assert_eq!(choice.new_roles.len(), 1);
        assert!(choice.extended.is_empty());
    }

    #[test]
    fn a_role_as_such_has_a_permission_that_harms_nobody() {
        let alone = Group {
            needs_role: true,
            ..group(&[], &[3], &[])
        };
        let other = group(&[3], &[], &[]);
        let choice = choose(&[alone, other], &BTreeMap::new());
        assert_eq!(choice.new_roles.len(), 1);
        assert_eq!(choice.new_roles[0].gives, [3].into());
        assert_eq!(choice.new_roles[0].to, [0, 1].into());
    }

    /// Every family of as many sets of permissions is tried.
    #[test]
    #[expect(
        clippy::too_many_lines,
        reason = "the search by brute force stands beside its question"
    )]
    fn it_is_the_smallest_there_is() {
        let mut random = 1_u64;
        let mut bit = || {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            random >> 62 == 0
        };
        for _ in 0..200 {
            let mut some = || (0..4).filter(|_| bit()).collect::<Vec<usize>>();
            let groups: Vec<Group> = (0..3).map(|_| group(&some(), &some(), &some())).collect();
            let extensible = BTreeMap::from([(0, some().into_iter().collect()), (1, [].into())]);
            let choice = choose(&groups, &extensible);
            let found = (
                choice.new_roles.len() + choice.extended.len(),
                choice
                    .new_roles
                    .iter()
                    .map(|role| role.gives.len())
                    .sum::<usize>()
                    + choice
                        .extended
                        .values()
                        .map(|gives| gives.len())
                        .sum::<usize>(),
            );
            let sets = || (0..16_usize).map(|bits| (0..4).filter(move |bit| bits >> bit & 1 == 1));
            let extended = sets()
                .map(|gives| Candidate::Extend(0, gives.collect()))
                .filter(|candidate| candidate.gives().is_subset(&extensible[&0]));
            let all: Vec<Candidate> = sets()
                .map(|gives| Candidate::Make(gives.collect()))
                .chain(extended)
                .filter(|candidate| !candidate.gives().is_empty())
                .collect();
            let mut families: Vec<Vec<Candidate>> = vec![Vec::new()];
            let best = loop {
                let is_enough = |family: &&Vec<Candidate>| {
                    needs(&groups).iter().all(|(index, need)| {
                        let group = &groups[*index];
                        let mut of = family.iter();
                        of.any(|role| role.reaches(group) && role.helps(group, *need))
                    })
                };
                let permissions = |family: &Vec<Candidate>| -> usize {
                    family.iter().map(|role| role.gives().len()).sum()
                };
                let enough = families.iter().filter(is_enough);
                if let Some(least) = enough.map(permissions).min() {
                    break (families[0].len(), least);
                }
                let more = |family: &Vec<Candidate>| {
                    let family = family.clone();
                    let all = all.iter().cloned();
                    all.map(move |role| [family.clone(), vec![role]].concat())
                        .collect::<Vec<_>>()
                };
                families = families.iter().flat_map(more).collect();
            };
            assert!(choice.is_smallest);
            assert_eq!(found, best, "{groups:?} {extensible:?}");
        }
    }
}
