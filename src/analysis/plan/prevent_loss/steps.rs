//! Chosen role changes as steps, with their files.

use std::collections::BTreeSet;

use cedar_policy::EntityUid;

use super::Step;
use crate::explain::{Labels, Named};
use crate::plan::assignees::Members;
use crate::plan::choose::Choice;
use crate::plan::draft::Draft;
use crate::plan::groups::{Changed, Groups};
use crate::plan::needed::Needs;
use crate::plan::policy_text::{NewRole, Rewriting, in_name, in_sentence, rewritten};
use crate::plan::role_catalog::RoleCatalog;
use crate::plan::{Assigned, Permission, PreventedLoss, RoleChange, RoleChangeKind};
use tarbac_diagnostic::finding::Finding;
use tarbac_host::engine::Engine;

/// Chosen role changes.
pub(super) struct Chosen<'c, 'e> {
    pub(super) catalog: &'c RoleCatalog<'e>,
    pub(super) needs: &'c Needs,
    pub(super) groups: &'c Groups,
    pub(super) choice: &'c Choice,
}

impl Chosen<'_, '_> {
    /// The steps, and the state after them. With `to_groups`, new roles are assigned to groups where possible.
    pub(super) fn applied(&self, to_groups: bool) -> Result<(Vec<Step>, Engine), Vec<Finding>> {
        let mut draft = Draft::default();
        let mut steps = self.extended(&mut draft)?;
        steps.extend(self.new_roles(&mut draft, to_groups));
        let after = draft.applied(self.catalog.engine)?;
        Ok((steps, after))
    }

    /// The steps that extend custom roles.
    fn extended(&self, draft: &mut Draft) -> Result<Vec<Step>, Vec<Finding>> {
        let bundle = self.catalog.engine.bundle();
        let mut steps = Vec::new();
        let mut rewritings = Vec::new();
        for (index, gives) in &self.choice.extended {
            let role = self.groups.roles.get(*index);
            let policy = role.and_then(|role| self.catalog.lists(role)?.first().copied());
            let Some((role, policy)) = role.zip(policy) else {
                continue;
            };
            let permissions = self.named(gives);
            let already = bundle.permissions_of(policy).map(|action| &action.uid);
            let added = permissions.iter().map(|permission| &permission.action);
            let all: BTreeSet<&EntityUid> = already.chain(added).collect();
            rewritings.push(Rewriting {
                policy,
                actions: self.catalog.in_order(|uid| all.contains(uid)),
            });
            let reaches = self.groups.holders(*index);
            let needing = reaches.iter().filter(|uid| {
                let person = self.needs.people.get(*uid);
                person.is_some_and(|person| !person.need.is_disjoint(gives))
            });
            steps.push(Step {
                change: RoleChange {
                    role: self.call(role),
                    what: RoleChangeKind::Extended,
                    instead_of: None,
                    permissions,
                    assigned: Vec::new(),
                    people: needing.count() as u64,
                    files: Vec::new(),
                    gains: Vec::new(),
                    proof: self.proof(Changed::Extended(*index)),
                },
                gives: gives.clone(),
                reaches,
                is_assigned: false,
            });
        }
        let (sources, files) = rewritten(&rewritings)?;
        draft.files.extend(sources);
        for (step, file) in steps.iter_mut().zip(files) {
            step.change.files.push(file);
        }
        Ok(steps)
    }

    /// The steps that make new roles.
    fn new_roles(&self, draft: &mut Draft, to_groups: bool) -> Vec<Step> {
        if self.choice.new_roles.is_empty() {
            return Vec::new();
        }
        let members = Members::new(self.catalog);
        let new_roles = self.choice.new_roles.iter().enumerate();
        let new_roles = new_roles.map(|(index, new_role)| {
            let people = self.groups.people(&new_role.to);
            let permissions = self.named(&new_role.gives);
            let name = match permissions.as_slice() {
                [] => "Any role".to_owned(),
                some => in_name(some),
            };
            let role = draft.fresh(self.catalog.engine, &self.catalog.role_type, &name);
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
                    what: RoleChangeKind::Made,
                    instead_of: None,
                    permissions,
                    assigned: self.assigned(assigned),
                    people: people.len() as u64,
                    files,
                    gains: Vec::new(),
                    proof: self.proof(Changed::Made(index)),
                },
                gives: new_role.gives.clone(),
                reaches: people,
                is_assigned: true,
            }
        });
        new_roles.collect()
    }

    fn proof(&self, change: Changed) -> Option<PreventedLoss> {
        let (person, (permission, resource)) =
            self.groups.proof(self.needs, self.choice, change)?;
        Some(PreventedLoss {
            person: self.call(&person),
            permission: self.named(&[*permission].into()).into_iter().next()?,
            resource: self.call(resource),
        })
    }

    fn named(&self, permissions: &BTreeSet<usize>) -> Vec<Permission> {
        let uids = permissions.iter();
        self.catalog
            .named(uids.filter_map(|index| self.needs.permissions.get(*index)))
    }

    fn assigned(&self, assigned: Vec<(EntityUid, u64)>) -> Vec<Assigned> {
        let assigned = assigned.into_iter().map(|(uid, people)| Assigned {
            to: self.call(&uid),
            people,
        });
        assigned.collect()
    }

    fn call(&self, uid: &EntityUid) -> Named {
        Labels::new(self.catalog.engine).named(uid)
    }
}
