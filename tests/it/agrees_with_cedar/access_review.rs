//! The access review against plain Cedar: what it says of everybody, and of what becomes of them without an
//! assignment.

mod assignments;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Effect, Entities, EntityUid, PrincipalConstraint, Request as CedarRequest,
};
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use serde_json::Value;
use tarbac::access_review::{AccessReview, Review};
use tarbac::decision::{Decision, Request};
use tarbac::directory::Row;
use tarbac::source::Source;
use tarbac::{Switches, shipped};

use super::both::Both;
use super::random::{Dice, GROUPS, link_file, random_directory, random_policies};
use assignments::Assignments;
use told::Expected;

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

fn reviewed(both: &Both) -> AccessReview {
    let review = Review::new(&both.engine, |_| Context::empty());
    let mut reviewed = review.access(|| {});
    review.detail(&mut reviewed.people, usize::MAX, || {});
    reviewed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Who can do what, through which permits, and what is granted and refused for which reasons.
    #[test]
    fn reviews_on_random_worlds(seed in any::<u64>()) {
        let both = random_world(&mut Dice(seed));
        let expected = Expected::new(&both);
        let reviewed = reviewed(&both);
        let told = expected.told.iter().map(|(key, told)| (key.clone(), (told.status, told.through.clone())));
        prop_assert_eq!(expected.found(&reviewed.people, seed)?, told.collect::<BTreeMap<_, _>>(), "seed {}", seed);
        expected.totals(&reviewed.totals)?;
        expected.roles(&reviewed.roles)?;
        expected.obstacles(&reviewed.obstacles)?;
    }

    /// What is said of an assignment is what plain Cedar says of everybody without it.
    #[test]
    fn assignments_on_random_worlds(seed in any::<u64>()) {
        let both = random_world(&mut Dice(seed));
        let reviewed = reviewed(&both);
        let assignments = Assignments::new(&both, &reviewed.assignments);
        assignments.each_alone(&reviewed.totals, seed)?;
        assignments.those_that_give_nothing(seed)?;
        assignments.those_that_repeat(seed)?;
        assignments.people(&reviewed.assignments, seed)?;
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
