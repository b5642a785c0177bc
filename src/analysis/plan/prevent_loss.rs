//! Role changes that prevent losses.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;

use super::assignees::Members;
use super::choose::{Choice, Made, choose};
use super::draft::Draft;
use super::groups::{Changed, Groups};
use super::needed::Needs;
use super::policy_text::{NewRole, Rewriting, in_name, in_sentence, rewritten};
use super::role_catalog::RoleCatalog;
use super::verify::{Tally, deviations};
use super::{Assigned, Gain, Lost, Permission, Planner, Proof, Proposal, RoleChange, What};
use crate::change::impact::{Affected, Direction, Impact, States};
use crate::explain::{Labels, Named};
use tarbac_diagnostic::finding::Finding;
use tarbac_host::engine::Engine;

/// A role change, and those whom it reaches.
struct Step {
    change: RoleChange,
    /// The numbers of the permissions that it gives.
    gives: BTreeSet<usize>,
    /// Everybody who is given them.
    reaches: BTreeSet<EntityUid>,
    /// Whether they are assigned the role.
    is_assigned: bool,
}

/// Steps that were drafted.
struct Drafted {
    steps: Vec<Step>,
    /// The state with them.
    after: Engine,
    is_smallest: bool,
    needs: Needs,
}

impl Step {
    /// Whether it gives somebody a permission.
    fn gives(&self, person: &EntityUid, permission: usize) -> bool {
        self.gives.contains(&permission) && self.reaches.contains(person)
    }

    /// Whether it assigns somebody a role.
    fn assigns(&self, person: &EntityUid) -> bool {
        self.is_assigned && self.reaches.contains(person)
    }
}

impl Planner<'_, '_> {
    /// The changes after which nobody loses what a role could keep, not tried.
    pub(super) fn needed(&self, book: &RoleCatalog<'_>) -> Result<Vec<RoleChange>, Vec<Finding>> {
        let drafted = self.drafted(book)?.into_iter();
        let steps = drafted.flat_map(|drafted| drafted.steps);
        let mut changes: Vec<RoleChange> = steps.map(|step| step.change).collect();
        changes.sort_by_key(RoleChange::most_first);
        Ok(changes)
    }

    /// Drafts that nobody loses what a role could keep; nothing where nobody loses anything.
    fn drafted(&self, book: &RoleCatalog<'_>) -> Result<Option<Drafted>, Vec<Finding>> {
        let losing = self.losing();
        if losing.is_empty() {
            return Ok(None);
        }
        let custom = book.custom_of(&losing);
        let needs = self.needs(book, &losing, &custom)?;
        let groups = Groups::of(book, &needs, custom);
        let mut choice = choose(&groups.of, &groups.extensible(&needs));
        for made in &mut choice.made {
            made.gives.extend(pages(book, &needs, &groups, made));
        }
        let chosen = Chosen {
            book,
            needs: &needs,
            groups: &groups,
            choice: &choice,
        };
        let (steps, after) = match chosen.applied(true) {
            Ok(applied) => applied,
            // A group may hold people of several tenants, and an assignment belongs to one.
            Err(_) => chosen.applied(false)?,
        };
        Ok(Some(Drafted {
            steps,
            after,
            is_smallest: choice.is_smallest,
            needs,
        }))
    }

    /// Plans that nobody loses what a role could keep; and what is lost all the same.
    pub(super) fn keep(
        &self,
        book: &RoleCatalog<'_>,
    ) -> Result<(Proposal, Vec<Lost>), Vec<Finding>> {
        let Some(drafted) = self.drafted(book)? else {
            return Ok((Proposal::none(&self.impact.totals), Vec::new()));
        };
        let Drafted {
            steps,
            after,
            is_smallest,
            needs,
        } = drafted;
        let found = match steps.is_empty() {
            true => self.impact.clone(),
            false => (self.compare)(States {
                before: self.states.before,
                after: &after,
            }),
        };
        let before = Tally::of(self.impact);
        let number = |action: &EntityUid| needs.permissions.iter().position(|of| of == action);
        let deviations = deviations(&found, |person, action, direction, found| match direction {
            Direction::Lost => {
                let of_person = needs.people.get(person).zip(number(action));
                let lost = of_person.and_then(|(person, number)| person.lost.get(&number));
                lost.copied().unwrap_or_default()
            }
            Direction::Gained => {
                let without = before.count(person, action, direction);
                // What a change lets people gain is said with it.
                let gives = |step: &Step| {
                    let gives = number(action).is_some_and(|number| step.gives(person, number));
                    gives || step.assigns(person)
                };
                match found > without && steps.iter().any(gives) {
                    true => found,
                    false => without,
                }
            }
            Direction::Undecided => before.count(person, action, direction),
        });
        let gains = gains(book, &needs, &steps, &found, &before);
        let changes = steps.into_iter().zip(gains);
        let mut changes: Vec<RoleChange> = changes
            .map(|(step, gains)| RoleChange {
                gains,
                ..step.change
            })
            .collect();
        changes.sort_by_key(RoleChange::most_first);
        let proposal = Proposal {
            changes,
            is_smallest,
            totals: found.totals.clone(),
            deviations,
        };
        Ok((proposal, lost(&found)))
    }

    /// Everybody who loses something, in order.
    fn losing(&self) -> Vec<EntityUid> {
        let is_losing = |touched: &&Affected| {
            let mut changes = touched.changes.iter();
            changes.any(|change| change.direction == Direction::Lost)
        };
        let losing = self.impact.people.iter().filter(is_losing);
        let people = losing.flat_map(|touched| &touched.people);
        let uids: BTreeSet<EntityUid> = people.map(|person| person.uid.clone()).collect();
        uids.into_iter().collect()
    }
}

/// What was chosen, to be written down.
struct Chosen<'c, 'e> {
    book: &'c RoleCatalog<'e>,
    needs: &'c Needs,
    groups: &'c Groups,
    choice: &'c Choice,
}

impl Chosen<'_, '_> {
    /// The changes, and the state with them; roles are assigned to groups where that is asked for.
    fn applied(&self, to_groups: bool) -> Result<(Vec<Step>, Engine), Vec<Finding>> {
        let mut draft = Draft::default();
        let mut steps = self.extended(&mut draft);
        steps.extend(self.made(&mut draft, to_groups));
        let after = draft.applied(self.book.engine)?;
        Ok((steps, after))
    }

    /// The custom roles that are given permissions.
    fn extended(&self, draft: &mut Draft) -> Vec<Step> {
        let bundle = self.book.engine.bundle();
        let mut steps = Vec::new();
        let mut rewritings = Vec::new();
        for (number, gives) in &self.choice.extended {
            let role = self.groups.roles.get(*number);
            let policy = role.and_then(|role| self.book.lists(role)?.first().copied());
            let Some((role, policy)) = role.zip(policy) else {
                continue;
            };
            let permissions = self.named(gives);
            let already = bundle.permissions_of(policy).map(|action| &action.uid);
            let added = permissions.iter().map(|permission| &permission.action);
            let all: BTreeSet<&EntityUid> = already.chain(added).collect();
            rewritings.push(Rewriting {
                policy,
                actions: self.book.in_order(|uid| all.contains(uid)),
            });
            let reaches = self.groups.holders(*number);
            let needing = reaches.iter().filter(|uid| {
                let person = self.needs.people.get(*uid);
                person.is_some_and(|person| !person.need.is_disjoint(gives))
            });
            steps.push(Step {
                change: RoleChange {
                    role: self.call(role),
                    what: What::Extended,
                    instead_of: None,
                    permissions,
                    assigned: Vec::new(),
                    people: needing.count() as u64,
                    files: Vec::new(),
                    gains: Vec::new(),
                    proof: self.proof(Changed::Extended(*number)),
                },
                gives: gives.clone(),
                reaches,
                is_assigned: false,
            });
        }
        let (sources, files) = rewritten(&rewritings);
        draft.files.extend(sources);
        for (step, file) in steps.iter_mut().zip(files) {
            step.change.files.push(file);
        }
        steps
    }

    /// The new roles.
    fn made(&self, draft: &mut Draft, to_groups: bool) -> Vec<Step> {
        if self.choice.made.is_empty() {
            return Vec::new();
        }
        let members = Members::of(self.book);
        let made = self.choice.made.iter().enumerate();
        let made = made.map(|(number, made)| {
            let people = self.groups.people(&made.to);
            let permissions = self.named(&made.gives);
            let name = match permissions.as_slice() {
                [] => "Any role".to_owned(),
                some => in_name(some),
            };
            let role = draft.fresh(self.book.engine, &self.book.role_type, &name);
            let assigned = match to_groups {
                true => members.assignees(&people, &role),
                false => people.iter().map(|uid| (uid.clone(), 1)).collect(),
            };
            let actions = permissions.iter().map(|permission| &permission.action);
            let new = NewRole {
                uid: &role,
                doc: &format!(
                    "Gives what people lose otherwise: {}.",
                    in_sentence(&permissions)
                ),
                actions: &actions.cloned().collect::<Vec<_>>(),
            };
            let files = draft.make_with(&new);
            for (assignee, _) in &assigned {
                draft.join(assignee, &role);
            }
            Step {
                change: RoleChange {
                    role: self.call(&role),
                    what: What::Made,
                    instead_of: None,
                    permissions,
                    assigned: self.assigned(assigned),
                    people: people.len() as u64,
                    files,
                    gains: Vec::new(),
                    proof: self.proof(Changed::Made(number)),
                },
                gives: made.gives.clone(),
                reaches: people,
                is_assigned: true,
            }
        });
        made.collect()
    }

    fn proof(&self, change: Changed) -> Option<Proof> {
        let (person, (permission, resource)) =
            self.groups.proof(self.needs, self.choice, change)?;
        Some(Proof {
            person: self.call(&person),
            permission: self.named(&[*permission].into()).into_iter().next()?,
            resource: self.call(resource),
        })
    }

    fn named(&self, permissions: &BTreeSet<usize>) -> Vec<Permission> {
        let uids = permissions.iter();
        self.book
            .named(uids.filter_map(|number| self.needs.permissions.get(*number)))
    }

    fn assigned(&self, assigned: Vec<(EntityUid, u64)>) -> Vec<Assigned> {
        let assigned = assigned.into_iter().map(|(uid, people)| Assigned {
            to: self.call(&uid),
            people,
        });
        assigned.collect()
    }

    fn call(&self, uid: &EntityUid) -> Named {
        Labels::new(self.book.engine).named(uid)
    }
}

/// The permissions whose pages carry those of a new role, where they do nobody any harm.
fn pages(book: &RoleCatalog<'_>, needs: &Needs, groups: &Groups, made: &Made) -> Vec<usize> {
    let vocabulary = book.engine.bundle().vocabulary();
    let page = |permission: &usize| {
        let action = vocabulary.action(needs.permissions.get(*permission)?)?;
        let page = vocabulary.permission(action.page()?)?;
        let mut permissions = needs.permissions.iter();
        permissions.position(|uid| *uid == page.uid)
    };
    let to = made.to.iter().filter_map(|group| groups.of.get(*group));
    let pages = made.gives.iter().filter_map(page);
    let harmless = pages.filter(|page| to.clone().all(|group| group.may.contains(page)));
    harmless.collect()
}

/// For each change what it lets people gain beyond what they had before.
fn gains(
    book: &RoleCatalog<'_>,
    needs: &Needs,
    steps: &[Step],
    found: &Impact,
    before: &Tally<'_>,
) -> Vec<Vec<Gain>> {
    let mut gains: Vec<BTreeMap<EntityUid, (u64, u64)>> = vec![BTreeMap::new(); steps.len()];
    for touched in &found.people {
        let mut counts: BTreeMap<&EntityUid, u64> = BTreeMap::new();
        let changes = touched.changes.iter();
        for change in changes.filter(|change| change.direction == Direction::Gained) {
            *counts.entry(&change.action).or_default() += change.count;
        }
        for (action, count) in counts {
            let number = needs.permissions.iter().position(|uid| uid == action);
            for person in &touched.people {
                let more =
                    count.saturating_sub(before.count(&person.uid, action, Direction::Gained));
                if more == 0 {
                    continue;
                }
                let gives =
                    |step: &Step| number.is_some_and(|number| step.gives(&person.uid, number));
                let giving = steps.iter().position(gives);
                // What no permission of theirs gives comes of having a role at all.
                let assigning = || steps.iter().position(|step| step.assigns(&person.uid));
                let step = giving.or_else(assigning);
                if let Some(gains) = step.and_then(|step| gains.get_mut(step)) {
                    let (people, decisions) = gains.entry(action.clone()).or_default();
                    *people += 1;
                    *decisions += more;
                }
            }
        }
    }
    let in_order = |of_step: BTreeMap<EntityUid, (u64, u64)>| {
        let actions = book.in_order(|uid| of_step.contains_key(uid));
        let permissions = book.named(&actions).into_iter();
        let gains = permissions.filter_map(|permission| {
            let (people, decisions) = *of_step.get(&permission.action)?;
            Some(Gain {
                permission,
                people,
                decisions,
            })
        });
        gains.collect()
    };
    gains.into_iter().map(in_order).collect()
}

/// What is lost in a comparison, by people who lose the same for the same reasons; most first.
fn lost(found: &Impact) -> Vec<Lost> {
    let mut all: Vec<Lost> = Vec::new();
    for touched in &found.people {
        let mut lost = Lost {
            people: touched.people.clone(),
            permissions: Vec::new(),
            decisions: 0,
            after: Vec::new(),
        };
        let changes = touched.changes.iter();
        for change in changes.filter(|change| change.direction == Direction::Lost) {
            let permission = Permission {
                action: change.action.clone(),
                name: change.name.clone(),
            };
            lost.decisions += change.count;
            if !lost.permissions.contains(&permission) {
                lost.permissions.push(permission);
            }
            if !lost.after.contains(&change.after) {
                lost.after.push(change.after.clone());
            }
        }
        let same = |known: &&mut Lost| {
            known.permissions == lost.permissions
                && known.decisions == lost.decisions
                && known.after == lost.after
        };
        match all.iter_mut().find(same) {
            _ if lost.decisions == 0 => {}
            Some(known) => known.people.extend(lost.people),
            None => all.push(lost),
        }
    }
    for lost in &mut all {
        lost.people.sort();
    }
    all.sort_by_key(|lost| std::cmp::Reverse(lost.decisions * lost.people.len() as u64));
    all
}
