//! What roles can mend in a world, and with how few of them, by plain Cedar and by trying everything.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;
use serde_json::json;
use tarbac::bundle;
use tarbac::source::Source;

use super::worlds::allowed;
use crate::agrees_with_cedar::both::Both;
use crate::agrees_with_cedar::random::PEOPLE;

/// By person, action and resource.
pub(super) type Key = (EntityUid, EntityUid, EntityUid);

/// What roles can mend in a world, by plain Cedar.
pub(super) struct Facts {
    was: BTreeSet<Key>,
    is: BTreeSet<Key>,
    /// Everybody has a new role that gives nothing.
    pub(super) mere: BTreeSet<Key>,
    /// It gives everything.
    pub(super) all: BTreeSet<Key>,
    /// By custom role: it gives everything.
    extended: BTreeMap<String, BTreeSet<Key>>,
    holders: BTreeMap<String, BTreeSet<EntityUid>>,
}

impl Facts {
    pub(super) fn of(after: &Both, was: &BTreeSet<Key>, is: &BTreeSet<Key>) -> Self {
        let mut json = after.json.clone();
        let entities = json.as_array_mut().unwrap();
        entities.push(
            json!({ "uid": { "type": "Intune::Role", "id": "all" }, "attrs": {}, "parents": [] }),
        );
        entities.push(json!({
            "uid": { "type": "Intune::RoleAssignment", "id": "all" },
            "attrs": {},
            "parents": [
                { "type": "Intune::Role", "id": "all" },
                { "type": "Intune::Tenant", "id": "t0" },
                { "type": "Intune::ScopeTag", "id": "*" },
            ],
        }));
        // A role helps nobody who loses nothing.
        let losing: BTreeSet<&EntityUid> = was.difference(is).map(|key| &key.0).collect();
        for entity in entities.iter_mut() {
            let id = entity["uid"]["id"].as_str().unwrap();
            let uid = format!("Entra::User::\"{id}\"")
                .parse::<EntityUid>()
                .unwrap();
            if entity["uid"]["type"] == "Entra::User" && losing.contains(&uid) {
                let assignment = json!({ "type": "Intune::RoleAssignment", "id": "all" });
                entity["parents"].as_array_mut().unwrap().push(assignment);
            }
        }
        let permit = |role: &str| {
            let text = format!(
                "@id(\"all.{role}\")\npermit (principal in Intune::Role::\"{role}\", action, resource);\n"
            );
            let mut texts = after.texts.clone();
            texts.policies.push(Source::held("all.cedar", text));
            texts
        };
        let directory = after.engine.directory();
        let mut extended = BTreeMap::new();
        let mut holders = BTreeMap::new();
        for role in ["r0", "r1"] {
            // Only where every policy about the role is a list can it be extended.
            let is_list = |policy: &&bundle::Policy| {
                policy.id() == format!("custom.{role}")
                    || !policy
                        .named_entities()
                        .any(|uid| uid.id().unescaped() == role)
            };
            let in_force: Vec<&bundle::Policy> = after
                .engine
                .bundle()
                .in_force(after.engine.readings())
                .collect();
            let has_one = in_force
                .iter()
                .any(|policy| policy.id() == format!("custom.{role}"));
            if has_one && in_force.iter().all(is_list) {
                extended.insert(
                    role.to_owned(),
                    allowed(&after.with(after.json.clone(), permit(role))),
                );
                let of_role = PEOPLE.iter().filter_map(|id| {
                    let uid = format!("Entra::User::\"{id}\"")
                        .parse::<EntityUid>()
                        .unwrap();
                    let row = directory.row(&uid)?;
                    let is_role = |above| directory.id(above) == role;
                    directory.ancestors(row).any(is_role).then_some(uid)
                });
                holders.insert(role.to_owned(), of_role.collect());
            }
        }
        Self {
            was: was.clone(),
            is: is.clone(),
            mere: allowed(&after.with(json.clone(), after.texts.clone())),
            all: allowed(&after.with(json, permit("all"))),
            extended,
            holders,
        }
    }

    /// Whether so many role changes can keep everything that a role can: each a custom role that gives more,
    /// or a new role for everybody whom it gives nothing that they did not lose. Every set of permissions is
    /// tried, as long as there are not too many.
    pub(super) fn can_be_covered(&self, changes: usize) -> Option<bool> {
        let lost: Vec<&Key> = self.was.difference(&self.is).collect();
        let mendable: Vec<&Key> = lost
            .into_iter()
            .filter(|key| self.all.contains(*key) || self.mere.contains(*key))
            .collect();
        let actions: BTreeSet<&EntityUid> = mendable.iter().map(|key| &key.1).collect();
        // Permissions that are alike for everybody are one.
        let mut kinds: BTreeMap<String, &EntityUid> = BTreeMap::new();
        let people: BTreeSet<&EntityUid> =
            self.was.iter().chain(&self.all).map(|key| &key.0).collect();
        for action in actions {
            let alike: Vec<String> = people
                .iter()
                .map(|person| {
                    let of_both = |key: &&&Key| key.0 == **person && key.1 == *action;
                    let mends = |roles: &BTreeSet<Key>| {
                        let mut of = mendable.iter().filter(of_both);
                        of.any(|key| roles.contains(*key) && !self.mere.contains(*key))
                    };
                    let as_such = mendable.iter().filter(of_both);
                    let as_such = as_such.filter(|key| self.mere.contains(**key)).count() > 0;
                    let extended: Vec<(bool, bool)> = self
                        .extended
                        .values()
                        .map(|of| (mends(of), self.harms(person, action, of, &self.is)))
                        .collect();
                    let harms = self.harms(person, action, &self.all, &self.mere);
                    format!("{} {as_such} {harms} {extended:?}", mends(&self.all))
                })
                .collect();
            kinds.entry(alike.join("; ")).or_insert(action);
        }
        let kinds: Vec<&EntityUid> = kinds.into_values().collect();
        if kinds.len() > 5 {
            return None;
        }
        // What each possible change mends.
        let mut mended: Vec<BTreeSet<usize>> = Vec::new();
        for bits in 0..1_usize << kinds.len() {
            let gives: BTreeSet<&EntityUid> = kinds
                .iter()
                .enumerate()
                .filter(|(bit, _)| bits >> bit & 1 == 1)
                .map(|(_, action)| *action)
                .collect();
            let may = |person: &EntityUid, from: &BTreeSet<Key>, base: &BTreeSet<Key>| {
                gives.iter().all(|action| {
                    let needs = mendable.iter().any(|key| {
                        key.0 == *person && key.1 == **action && !self.mere.contains(*key)
                    });
                    needs || !self.harms(person, action, from, base)
                })
            };
            mended.push(
                mendable
                    .iter()
                    .enumerate()
                    .filter(|(_, key)| {
                        may(&key.0, &self.all, &self.mere)
                            && (self.mere.contains(**key)
                                || gives.contains(&key.1)
                                || !kinds.contains(&&key.1))
                    })
                    .map(|(place, _)| place)
                    .collect(),
            );
            for (role, extended) in &self.extended {
                let holders = &self.holders[role];
                if holders.iter().all(|person| may(person, extended, &self.is)) {
                    mended.push(
                        mendable
                            .iter()
                            .enumerate()
                            .filter(|(_, key)| {
                                holders.contains(&key.0)
                                    && extended.contains(**key)
                                    && !self.mere.contains(**key)
                                    && (gives.contains(&key.1) || !kinds.contains(&&key.1))
                            })
                            .map(|(place, _)| place)
                            .collect(),
                    );
                }
            }
        }
        // Permissions that stand for others speak for them.
        let all: BTreeSet<usize> = mendable
            .iter()
            .enumerate()
            .filter(|(_, key)| kinds.contains(&&key.1))
            .map(|(place, _)| place)
            .collect();
        let mut covered: BTreeSet<BTreeSet<usize>> = BTreeSet::from([BTreeSet::new()]);
        for _ in 0..changes {
            let more = covered
                .iter()
                .flat_map(|known| mended.iter().map(|of| known.union(of).copied().collect()));
            covered = more.collect();
        }
        Some(covered.iter().any(|covered| all.is_subset(covered)))
    }

    /// Whether a permission lets somebody do more, besides what they lost.
    fn harms(
        &self,
        person: &EntityUid,
        action: &EntityUid,
        with: &BTreeSet<Key>,
        without: &BTreeSet<Key>,
    ) -> bool {
        let mut more = with.difference(without);
        more.any(|key| {
            key.0 == *person
                && key.1 == *action
                && (!self.was.contains(key) || self.is.contains(key))
        })
    }
}
