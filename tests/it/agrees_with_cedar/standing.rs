//! The standing report against plain Cedar: what it says of everybody, and of what becomes of them without an
//! assignment.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Effect, Entities, EntityUid, PolicySet, PrincipalConstraint,
    Request as CedarRequest,
};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use serde_json::Value;
use tarbac::access_review::{AccessReview, Redundancy, Review, Status};
use tarbac::decision::{Decision, Request};
use tarbac::directory::Row;
use tarbac::source::Source;
use tarbac::{Switches, shipped};

use super::both::Both;
use super::random::{Dice, GROUPS, link_file, random_directory, random_policies};

/// Who asks for what on what.
type Key = (EntityUid, EntityUid, EntityUid);

/// Somebody or a group, and what it is directly in.
type Step = (Option<EntityUid>, EntityUid);

fn key(request: &Request) -> Key {
    (
        request.principal.clone(),
        request.action.clone(),
        request.resource.clone(),
    )
}

/// Makes two people alike.
fn twins(json: &mut Value) {
    let people = json.as_array_mut().unwrap().iter_mut();
    let people = people.filter(|entity| entity["uid"]["type"] == "Entra::User");
    if let [one, .., other] = &mut people.collect::<Vec<_>>()[..] {
        other["attrs"] = one["attrs"].clone();
        other["parents"] = one["parents"].clone();
    }
}

/// A random world, in some of which a policy looks for the resource in what depends on the groups of whoever
/// asks.
fn random_world(dice: &mut Dice) -> Both {
    let mut json = random_directory(dice);
    if dice.coin() {
        twins(&mut json);
    }
    let (mut text, links) = random_policies(dice);
    if dice.roll(3) == 0 {
        let group = dice.pick(GROUPS);
        text.push_str(&format!(
            "@id(\"random.entangled\")\npermit (principal, action, resource is ConfigMgr::Device)\nwhen {{ principal has configMgr && resource in (if principal in Entra::Group::\"{group}\" then principal.configMgr.read else principal.configMgr.runScript) }};\n"
        ));
        text.push_str(&format!(
            "@id(\"random.desk\")\npermit (principal in Entra::Group::\"{group}\", action, resource is ConfigMgr::Device)\nwhen {{ resource.coManaged }};\n"
        ));
    }
    let mut texts = shipped::rules().alone();
    texts.policies.push(Source::held("random.cedar", text));
    texts.links.push(link_file(&links));
    let on = dice.some(&["default-scope-tag", "discovery-either"]);
    let off = dice.some(&["any-intune-role", "entra-administrators"]);
    let names = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    let switches = Switches {
        on: names(on),
        off: names(off),
    };
    Both::made(json, &texts, &links, &switches)
}

/// The entity that the scope of a policy asks the principal to be or to be in.
fn anchor(policy: &cedar_policy::Policy) -> Option<EntityUid> {
    match policy.principal_constraint() {
        PrincipalConstraint::Eq(uid)
        | PrincipalConstraint::In(uid)
        | PrincipalConstraint::IsIn(_, uid) => Some(uid),
        PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
    }
}

impl Both {
    /// The permits that name something that the principal is or is in.
    fn of_roles(&self) -> BTreeMap<String, EntityUid> {
        let permits = self.policies.policies();
        let permits = permits.filter(|policy| policy.effect() == Effect::Permit);
        permits
            .filter_map(|policy| Some((policy.id().to_string(), anchor(policy)?)))
            .collect()
    }

    /// Which of these policies apply.
    fn applying(&self, request: &Request, policies: &PolicySet) -> BTreeSet<String> {
        let response = Authorizer::new().is_authorized(&plain(request), policies, &self.entities);
        response
            .diagnostics()
            .reason()
            .map(ToString::to_string)
            .collect()
    }

    /// What plain Cedar decides in this directory.
    fn decisions(&self, json: &Value) -> BTreeMap<Key, Decision> {
        let schema = self.engine.bundle().schema();
        let entities = Entities::from_json_value(json.clone(), Some(schema)).unwrap();
        let decide = |request: &Request| {
            let response =
                Authorizer::new().is_authorized(&plain(request), &self.policies, &entities);
            match (response.diagnostics().errors().next(), response.decision()) {
                (Some(_), _) => Decision::Indeterminate,
                (None, cedar_policy::Decision::Allow) => Decision::Allow,
                (None, cedar_policy::Decision::Deny) => Decision::Deny,
            }
        };
        let requests = self.requests();
        requests
            .iter()
            .map(|request| (key(request), decide(request)))
            .collect()
    }

    /// The directory without some steps.
    fn without<'s>(&self, steps: impl IntoIterator<Item = &'s Step>) -> Value {
        let mut json = self.json.clone();
        for (from, to) in steps {
            let Some(from) = from else { continue };
            for entity in json.as_array_mut().unwrap() {
                if uid(&entity["uid"]) == *from {
                    let parents = entity["parents"].as_array_mut().unwrap();
                    parents.retain(|parent| uid(parent) != *to);
                }
            }
        }
        json
    }

    /// Every step of a person or group into a role assignment, or into what a permit names.
    fn steps(&self) -> BTreeSet<Step> {
        let roles: BTreeSet<EntityUid> = self.of_roles().into_values().collect();
        let mut steps = BTreeSet::new();
        let mut assignments = BTreeSet::new();
        for entity in self.json.as_array().unwrap() {
            let from = uid(&entity["uid"]);
            if from.type_name().basename() == "RoleAssignment" {
                assignments.insert(from.clone());
            }
            if !["User", "Group"].contains(&from.type_name().basename()) {
                continue;
            }
            let to = entity["parents"].as_array().unwrap().iter().map(uid);
            let to =
                to.filter(|to| to.type_name().basename() == "RoleAssignment" || roles.contains(to));
            steps.extend(to.map(|to| (Some(from.clone()), to)));
        }
        let entered: BTreeSet<EntityUid> = steps.iter().map(|(_, to)| to.clone()).collect();
        steps.extend(
            assignments
                .difference(&entered)
                .map(|to| (None, to.clone())),
        );
        steps
    }

    fn row(&self, uid: &EntityUid) -> Row {
        self.engine.directory().row(uid).unwrap()
    }

    fn is_in(&self, uid: &EntityUid, group: &EntityUid) -> bool {
        let directory = self.engine.directory();
        uid == group
            || directory.row(group).is_some_and(|group| {
                directory
                    .ancestors(self.row(uid))
                    .any(|above| above == group)
            })
    }
}

fn uid(json: &Value) -> EntityUid {
    let (type_name, id) = (json["type"].as_str().unwrap(), json["id"].as_str().unwrap());
    EntityUid::from_str(&format!("{type_name}::\"{id}\"")).unwrap()
}

fn standing(both: &Both) -> AccessReview {
    let review = Review::new(&both.engine, |_| Context::empty());
    let mut standing = review.access(|| {});
    review.detail(&mut standing.people, usize::MAX, || {});
    standing
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Who can do what, through which permits, and what is granted and refused for which reasons.
    #[test]
    fn standing_on_random_worlds(seed in any::<u64>()) {
        let both = random_world(&mut Dice(seed));
        let of_roles = both.of_roles();
        // Links come with their templates; the forbids are left out, and the permits that name no role.
        let mut role_permits = both.policies.clone();
        for policy in both.policies.policies().filter(|policy| !of_roles.contains_key(&policy.id().to_string())) {
            let removed = match policy.is_static() {
                true => role_permits.remove_static(policy.id().clone()),
                false => role_permits.unlink(policy.id().clone()),
            };
            prop_assert!(removed.is_ok());
        }
        let plain: BTreeMap<Key, (Decision, Vec<String>, Vec<String>)> =
            both.requests().iter().map(|request| (key(request), both.plain(request))).collect();

        // By who, what for and on what: what comes of it, through which permits, for which reasons.
        type Told = (Status, BTreeSet<String>, Vec<String>);
        let mut expected: BTreeMap<Key, Told> = BTreeMap::new();
        for request in both.requests() {
            let (decision, policies, errors) = plain[&key(&request)].clone();
            let told = match decision {
                Decision::Allow => {
                    let action = both.engine.bundle().vocabulary().action(&request.action).unwrap();
                    let page = action.page().map(|page| EntityUid::from_str(&format!("Intune::Action::\"{page}\"")).unwrap());
                    let is_stuck = page.is_some_and(|page| {
                        plain[&(request.principal.clone(), page, request.resource.clone())].0 != Decision::Allow
                    });
                    let status = if is_stuck { Status::OutOfReach } else { Status::Allowed };
                    let all: BTreeSet<String> = policies.into_iter().collect();
                    let of_roles: BTreeSet<String> = all.iter().filter(|id| of_roles.contains_key(*id)).cloned().collect();
                    (status, if of_roles.is_empty() { all } else { of_roles }, Vec::new())
                }
                // Of the devices of another tenant nothing is granted.
                Decision::Deny if policies.iter().any(|id| id.starts_with("guardrails.tenant.")) => continue,
                Decision::Deny => (Status::Refused, both.applying(&request, &role_permits), policies),
                Decision::Indeterminate => (Status::Unknown, BTreeSet::new(), errors),
            };
            if told.0 != Status::Refused || !told.1.is_empty() {
                expected.insert(key(&request), told);
            }
        }

        let standing = standing(&both);
        let mut found: BTreeMap<Key, (Status, BTreeSet<String>)> = BTreeMap::new();
        for holder in &standing.people {
            for hold in &holder.holds {
                prop_assert_eq!(hold.resources.len() as u64, hold.count);
                let through: BTreeSet<String> = hold.through.iter().map(|through| through.policy.clone()).collect();
                for person in &holder.people {
                    for through in &hold.through {
                        prop_assert_eq!(through.is_role, of_roles.contains_key(&through.policy));
                        let mut at = person.uid.clone();
                        for step in &through.steps {
                            let directory = both.engine.directory();
                            prop_assert!(directory.parents(both.row(&at)).any(|row| directory.uid(row) == step.uid), "seed {}", seed);
                            at = step.uid.clone();
                        }
                        if let Some(role) = of_roles.get(&through.policy) {
                            prop_assert_eq!(&at, role, "seed {}", seed);
                        }
                    }
                    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
                    for resource in &hold.resources {
                        let key = (person.uid.clone(), hold.action.clone(), resource.uid.clone());
                        for reason in expected.get(&key).into_iter().flat_map(|(_, _, reasons)| reasons) {
                            *reasons.entry(reason.clone()).or_default() += 1;
                        }
                        prop_assert!(found.insert(key, (hold.status, through.clone())).is_none());
                    }
                    let told: BTreeMap<String, u64> = hold.reasons.iter().cloned().collect();
                    prop_assert_eq!(told, reasons, "seed {}", seed);
                }
            }
        }
        let told = expected.iter().map(|(key, (status, through, _))| (key.clone(), (*status, through.clone())));
        prop_assert_eq!(&found, &told.collect::<BTreeMap<_, _>>(), "seed {}", seed);

        // The totals, and those of each role.
        let count = |is: &dyn Fn(&Told) -> bool| expected.values().filter(|told| is(told)).count() as u64;
        let people = |is: &dyn Fn(&Told) -> bool| {
            let of = expected.iter().filter(|(_, told)| is(told));
            of.map(|((person, _, _), _)| person).collect::<BTreeSet<_>>().len() as u64
        };
        let is_allowed = |told: &Told| told.0.is_allowed();
        let is_refused = |told: &Told| told.0 == Status::Refused;
        let totals = &standing.totals;
        prop_assert_eq!(totals.people, super::PEOPLE.len() as u64);
        prop_assert_eq!(totals.decisions, plain.len() as u64);
        prop_assert_eq!(totals.allowed, count(&is_allowed));
        prop_assert_eq!(totals.out_of_reach, count(&|told| told.0 == Status::OutOfReach));
        prop_assert_eq!(totals.refused, count(&is_refused));
        prop_assert_eq!(totals.unknown, count(&|told| told.0 == Status::Unknown));
        prop_assert_eq!(totals.people_allowed, people(&is_allowed));
        prop_assert_eq!(totals.people_refused, people(&is_refused));
        for role in &standing.roles {
            let is_through = |told: &Told| told.1.iter().any(|policy| of_roles.get(policy) == Some(&role.entity.uid));
            let all = plain.keys().map(|(person, _, _)| person).collect::<BTreeSet<_>>().into_iter();
            prop_assert_eq!(role.people, all.filter(|person| both.is_in(person, &role.entity.uid)).count() as u64);
            prop_assert_eq!(role.allowed, count(&|told| is_allowed(told) && is_through(told)));
            prop_assert_eq!(role.refused, count(&|told| is_refused(told) && is_through(told)));
            prop_assert_eq!(role.people_allowed, people(&|told| is_allowed(told) && is_through(told)));
        }
        for obstacle in &standing.obstacles {
            let refuses = |told: &Told| is_refused(told) && told.2.contains(&obstacle.policy);
            prop_assert_eq!((obstacle.decisions, obstacle.people), (count(&refuses), people(&refuses)));
        }
    }

    /// What is said of an assignment is what plain Cedar says of everybody without it.
    #[test]
    fn assignments_on_random_worlds(seed in any::<u64>()) {
        let both = random_world(&mut Dice(seed));
        let of_roles = both.of_roles();
        let before = both.decisions(&both.json);
        let steps = both.steps();
        let standing = standing(&both);
        let found: BTreeMap<Step, Redundancy> = standing
            .assignments
            .iter()
            .map(|of| ((of.from.as_ref().map(|from| from.uid.clone()), of.to.uid.clone()), of.redundancy))
            .collect();
        prop_assert_eq!(found.len(), standing.assignments.len());
        prop_assert_eq!(standing.totals.assignments, steps.len() as u64, "seed {}", seed);

        // Each alone, but for those of somebody about whom something cannot be decided.
        let is_known = |(from, _): &&Step| {
            let mut unknown = before.iter().filter(|(_, decision)| **decision == Decision::Indeterminate);
            !unknown.any(|((person, _, _), _)| from.as_ref().is_some_and(|from| both.is_in(person, from)))
        };
        let unknown = steps.iter().filter(|step| !is_known(step)).count();
        prop_assert_eq!(standing.totals.assignments_unknown, unknown as u64);
        let changes_nothing = |step: &&Step| is_known(step) && both.decisions(&both.without([*step])) == before;
        let removable: BTreeSet<&Step> = steps.iter().filter(changes_nothing).collect();
        let said: BTreeSet<&Step> = found.keys().collect();
        let differing: Vec<String> = said
            .symmetric_difference(&removable)
            .map(|step| format!("{:?} in {}", step.0.as_ref().map(ToString::to_string), step.1))
            .collect();
        prop_assert!(differing.is_empty(), "{:?} seed {}", differing, seed);

        // Those that give nothing allow nothing, and can go together.
        let of = |wanted: Redundancy| found.iter().filter(move |(_, idle)| **idle == wanted).map(|(step, _)| step);
        let is_used = |(from, to): &Step| {
            both.requests().iter().any(|request| {
                let is_below = from.as_ref().is_some_and(|from| both.is_in(&request.principal, from));
                let (decision, policies, _) = both.plain(request);
                let is_behind = |policy: &String| of_roles.get(policy).is_some_and(|role| both.is_in(to, role));
                is_below && decision == Decision::Allow && policies.iter().any(is_behind)
            })
        };
        prop_assert!(!of(Redundancy::Nothing).any(is_used), "seed {}", seed);
        prop_assert!(both.decisions(&both.without(of(Redundancy::Nothing))) == before, "seed {}", seed);
        // What is given besides is given by something that may go as well: together they make a difference.
        let unused: Vec<&Step> = of(Redundancy::Repeats).filter(|step| !is_used(step)).collect();
        let others: Vec<&Step> = found.keys().collect();
        let mut sets: Vec<u32> = (1..1 << others.len()).collect();
        sets.sort_by_key(|set| set.count_ones());
        let differs = |set: u32| {
            let gone = (0..).zip(&others).filter(|(bit, _)| set >> bit & 1 == 1);
            both.decisions(&both.without(gone.map(|(_, step)| *step))) != before
        };
        for step in unused {
            let bit = 1 << others.iter().position(|other| other == &step).unwrap();
            let mut with = sets.iter().filter(|set| **set & bit != 0);
            prop_assert!(with.any(|set| differs(*set) && !differs(set & !bit)), "seed {}", seed);
        }
        for assignment in &standing.assignments {
            let people = before.keys().map(|(person, _, _)| person).collect::<BTreeSet<_>>().into_iter();
            let is_below = |person: &&EntityUid| assignment.from.as_ref().is_some_and(|from| both.is_in(person, &from.uid));
            prop_assert_eq!(people.filter(is_below).count() as u64, assignment.people, "seed {}", seed);
        }
    }
}

/// A request as plain Cedar takes it.
fn plain(request: &Request) -> CedarRequest {
    CedarRequest::new(
        request.principal.clone(),
        request.action.clone(),
        request.resource.clone(),
        request.context.clone(),
        None,
    )
    .unwrap()
}
