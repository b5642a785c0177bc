//! What roles can mend in a world, and with how few of them, by plain Cedar and by trying everything.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;
use serde_json::{Value, json};
use tarbac::bundle::{Policy, Texts};
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
        // A role helps nobody who loses nothing.
        let losing: BTreeSet<&EntityUid> = was.difference(is).map(|key| &key.0).collect();
        let json = with_role(after, &losing);
        let mut extended = BTreeMap::new();
        let mut holders = BTreeMap::new();
        for role in ["r0", "r1"] {
            if can_be_extended(after, role) {
                let more = after.with(after.json.clone(), permitting(after, role));
                extended.insert(role.to_owned(), allowed(&more));
                holders.insert(role.to_owned(), holders_of(after, role));
            }
        }
        Self {
            was: was.clone(),
            is: is.clone(),
            mere: allowed(&after.with(json.clone(), after.texts.clone())),
            all: allowed(&after.with(json, permitting(after, "all"))),
            extended,
            holders,
        }
    }

    /// Whether so many role changes can keep everything that a role can: each a custom role that gives more,
    /// or a new role for everybody whom it gives nothing that they did not lose. Every set of permissions is
    /// tried, as long as there are not too many.
    pub(super) fn can_be_covered(&self, changes: usize) -> Option<bool> {
        let lost = self.was.difference(&self.is);
        let is_mendable = |key: &&Key| self.all.contains(*key) || self.mere.contains(*key);
        let search = Search::new(self, lost.filter(is_mendable).collect());
        if search.kinds.len() > 5 {
            return None;
        }
        // Permissions that stand for others speak for them.
        let all = search.places(|key| search.kinds.contains(&&key.1));
        let mended = search.mended();
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

fn person(id: &str) -> EntityUid {
    format!("Entra::User::\"{id}\"").parse().unwrap()
}

/// The entities with a role `all`, which these people have.
fn with_role(after: &Both, people: &BTreeSet<&EntityUid>) -> Value {
    let mut json = after.json.clone();
    let entities = json.as_array_mut().unwrap();
    let assignment = json!({ "type": "Intune::RoleAssignment", "id": "all" });
    for entity in entities.iter_mut() {
        let uid = person(entity["uid"]["id"].as_str().unwrap());
        if entity["uid"]["type"] == "Entra::User" && people.contains(&uid) {
            entity["parents"]
                .as_array_mut()
                .unwrap()
                .push(assignment.clone());
        }
    }
    let role = json!({ "type": "Intune::Role", "id": "all" });
    entities.push(json!({ "uid": role, "attrs": {}, "parents": [] }));
    entities.push(json!({
        "uid": assignment,
        "attrs": {},
        "parents": [
            role,
            { "type": "Intune::Tenant", "id": "t0" },
            { "type": "Intune::ScopeTag", "id": "*" },
        ],
    }));
    json
}

/// The policies with one by which a role gives everything.
fn permitting(after: &Both, role: &str) -> Texts {
    let text = format!(
        "@id(\"all.{role}\")\npermit (principal in Intune::Role::\"{role}\", action, resource);\n"
    );
    let mut texts = after.texts.clone();
    texts.policies.push(Source::held("all.cedar", text));
    texts
}

/// Only where every policy about the role is a list can it be extended.
fn can_be_extended(after: &Both, role: &str) -> bool {
    let list = format!("custom.{role}");
    let bundle = after.engine.bundle();
    let in_force: Vec<&Policy> = bundle.in_force(after.engine.readings()).collect();
    let names_role = |policy: &Policy| {
        let mut named = policy.named_entities();
        named.any(|uid| uid.id().unescaped() == role)
    };
    let is_list = |policy: &&Policy| policy.id() == list;
    in_force.iter().any(is_list)
        && in_force
            .iter()
            .all(|policy| is_list(policy) || !names_role(policy))
}

fn holders_of(after: &Both, role: &str) -> BTreeSet<EntityUid> {
    let directory = after.engine.directory();
    let people = PEOPLE.iter().filter_map(|id| {
        let uid = person(id);
        let row = directory.row(&uid)?;
        let is_role = |above| directory.id(above) == role;
        directory.ancestors(row).any(is_role).then_some(uid)
    });
    people.collect()
}

/// The search for role changes that mend everything.
struct Search<'f> {
    facts: &'f Facts,
    /// What roles can keep of what is lost.
    mendable: Vec<&'f Key>,
    /// Permissions, of which those that are alike for everybody are one.
    kinds: Vec<&'f EntityUid>,
}

impl<'f> Search<'f> {
    fn new(facts: &'f Facts, mendable: Vec<&'f Key>) -> Self {
        let mut search = Self {
            facts,
            mendable,
            kinds: Vec::new(),
        };
        let of_all = facts.was.iter().chain(&facts.all);
        let people: BTreeSet<&EntityUid> = of_all.map(|key| &key.0).collect();
        let actions: BTreeSet<&EntityUid> = search.mendable.iter().map(|key| &key.1).collect();
        let mut kinds: BTreeMap<String, &EntityUid> = BTreeMap::new();
        for action in actions {
            let alike = people.iter().map(|person| search.kind(person, action));
            let alike: Vec<String> = alike.collect();
            kinds.entry(alike.join("; ")).or_insert(action);
        }
        search.kinds = kinds.into_values().collect();
        search
    }

    /// What a permission does for somebody.
    fn kind(&self, person: &EntityUid, action: &EntityUid) -> String {
        let facts = self.facts;
        let of_both = |key: &&&Key| key.0 == *person && key.1 == *action;
        let mends = |roles: &BTreeSet<Key>| {
            let mut of = self.mendable.iter().filter(of_both);
            of.any(|key| roles.contains(*key) && !facts.mere.contains(*key))
        };
        let mut of = self.mendable.iter().filter(of_both);
        let by_mere_role = of.any(|key| facts.mere.contains(*key));
        let extended = facts.extended.values();
        let extended: Vec<(bool, bool)> = extended
            .map(|of| (mends(of), facts.harms(person, action, of, &facts.is)))
            .collect();
        let harms = facts.harms(person, action, &facts.all, &facts.mere);
        let mends = mends(&facts.all);
        format!("{mends} {by_mere_role} {harms} {extended:?}")
    }

    /// The places of some of what is mendable.
    fn places(&self, is: impl Fn(&Key) -> bool) -> BTreeSet<usize> {
        let all = self.mendable.iter().enumerate();
        all.filter(|(_, key)| is(key))
            .map(|(place, _)| place)
            .collect()
    }

    /// What each possible change mends.
    fn mended(&self) -> Vec<BTreeSet<usize>> {
        let facts = self.facts;
        let mut mended = Vec::new();
        for bits in 0..1_usize << self.kinds.len() {
            let kinds = self.kinds.iter().enumerate();
            let given = kinds.filter(|(bit, _)| bits >> bit & 1 == 1);
            let given: BTreeSet<&EntityUid> = given.map(|(_, action)| *action).collect();
            let gives = |key: &Key| given.contains(&key.1) || !self.kinds.contains(&&key.1);
            mended.push(self.places(|key| {
                self.may_have(&key.0, &given, &facts.all, &facts.mere)
                    && (facts.mere.contains(key) || gives(key))
            }));
            for (role, extended) in &facts.extended {
                let holders = &facts.holders[role];
                let may = |person| self.may_have(person, &given, extended, &facts.is);
                if holders.iter().all(may) {
                    mended.push(self.places(|key| {
                        holders.contains(&key.0)
                            && extended.contains(key)
                            && !facts.mere.contains(key)
                            && gives(key)
                    }));
                }
            }
        }
        mended
    }

    /// Whether somebody needs each of these permissions, or has no more by it.
    fn may_have(
        &self,
        person: &EntityUid,
        given: &BTreeSet<&EntityUid>,
        with: &BTreeSet<Key>,
        without: &BTreeSet<Key>,
    ) -> bool {
        let needs = |action: &EntityUid| {
            let mut of_both = self
                .mendable
                .iter()
                .filter(|key| key.0 == *person && key.1 == *action);
            of_both.any(|key| !self.facts.mere.contains(*key))
        };
        let mut given = given.iter();
        given.all(|action| needs(action) || !self.facts.harms(person, action, with, without))
    }
}
