//! Plans on random worlds beside plain Cedar, which is given nothing but what a plan says that somebody
//! should do.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Context, EntityUid};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use serde_json::{Value, json};
use tarbac::change::impact::States;
use tarbac::decision::Decision;
use tarbac::plan::{Plan, Planner, Proposal, Reason, RoleChange, What};
use tarbac::source::Source;
use tarbac::{Switches, bundle, shipped};

use super::facts::{Facts, Key};
use crate::agrees_with_cedar::{
    ASSIGNMENTS, Both, COLLECTIONS, Dice, HIERARCHIES, PEOPLE, link_file, random_directory,
    random_policies,
};

/// A world in which Configuration Manager decides, most people administer most of it and have roles, of which
/// two are custom, and everybody is of one tenant.
fn world(dice: &mut Dice) -> Both {
    let mut json = random_directory(dice);
    let tenant = json!({ "type": "Intune::Tenant", "id": "t0" });
    let is_usual = |dice: &mut Dice| dice.roll(4) > 0;
    let is_scoped = json.as_array().unwrap().iter().any(|entity| {
        entity["uid"] == tenant && entity["attrs"]["scopedPermissions"] == json!(true)
    });
    for entity in json.as_array_mut().unwrap() {
        let kind = entity["uid"]["type"].as_str().unwrap().to_owned();
        match kind.as_str() {
            "Intune::Tenant" => {
                let attributes = entity["attrs"].as_object_mut().unwrap();
                attributes.insert("useIntuneRbac".to_owned(), json!(is_usual(dice)));
            }
            "ConfigMgr::Hierarchy" => {
                entity["attrs"]["tenant"] = tenant.clone();
                if !is_usual(dice) {
                    continue;
                }
                entity["attrs"]["version"] = json!(2403);
                entity["attrs"]["enforceConfigMgrRbac"] = json!(is_usual(dice));
            }
            "Entra::User" => {
                entity["attrs"]["tenant"] = tenant.clone();
                entity["attrs"]["cloudOnly"] = json!(!is_usual(dice));
                if let Some(Value::Object(administrator)) = entity["attrs"].get_mut("configMgr") {
                    for (name, of) in administrator {
                        let (kind, all) = match name.as_str() {
                            "discoveredByEntra"
                            | "discoveredByActiveDirectory"
                            | "readScripts"
                            | "readApplications"
                            | "approveApplications" => ("ConfigMgr::Hierarchy", HIERARCHIES),
                            _ => ("ConfigMgr::Collection", COLLECTIONS),
                        };
                        if is_usual(dice) {
                            *of = all
                                .iter()
                                .map(|id| json!({ "type": kind, "id": id }))
                                .collect();
                        }
                    }
                }
                if is_usual(dice) {
                    let id = dice.pick(ASSIGNMENTS);
                    let assignment = json!({ "type": "Intune::RoleAssignment", "id": id });
                    let parents = entity["parents"].as_array_mut().unwrap();
                    parents.retain(|parent| *parent != assignment);
                    parents.push(assignment);
                }
            }
            "Intune::RoleAssignment" => {
                let attributes = entity["attrs"].as_object_mut().unwrap();
                if let Some(role) = attributes.remove("narrowedRole") {
                    entity["parents"].as_array_mut().unwrap().push(role);
                }
                for parent in entity["parents"].as_array_mut().unwrap() {
                    match parent["type"].as_str().unwrap() {
                        "Intune::Tenant" => *parent = tenant.clone(),
                        "Intune::Role" if is_usual(dice) => {
                            parent["id"] = json!(dice.pick(&["r0", "r1", "Application Manager"]));
                        }
                        _ => {}
                    }
                }
                // Under Scoped permissions an assignment with other scope tags is not in its role.
                let parents = entity["parents"].as_array_mut().unwrap();
                let is_whole = |parent: &Value| {
                    let tags = [json!("0"), json!("*")];
                    parent["type"] == "Intune::ScopeTag" && tags.contains(&parent["id"])
                };
                if is_scoped && !parents.iter().any(is_whole) {
                    let is_role = |parent: &Value| parent["type"] == "Intune::Role";
                    let role = parents.iter().position(is_role).unwrap();
                    entity["attrs"]["narrowedRole"] = parents.remove(role);
                }
            }
            "Intune::Role" => {
                let is_custom = entity["uid"]["id"].as_str().unwrap().starts_with('r');
                entity["attrs"]["builtIn"] = json!(!is_custom);
            }
            _ => {}
        }
    }
    keep_apart(&mut json);
    let mut text = String::new();
    for role in ["r0", "r1"] {
        let all = [
            "viewScripts",
            "runScript",
            "viewTimeline",
            "enrollNow",
            "updateRoles",
        ];
        let actions = dice.some(&all);
        if !actions.is_empty() {
            let actions = actions.iter().map(|id| format!("Intune::Action::\"{id}\""));
            let actions = actions.collect::<Vec<_>>().join(", ");
            text += &format!(
                "// The role {role}.\n@id(\"custom.{role}\")\n@doc(\"A list (of) permissions.\")\npermit (principal in Intune::Role::\"{role}\", action in [{actions}], resource);\n"
            );
        }
    }
    let mut links = Vec::new();
    if dice.roll(4) == 0 {
        let (more, of_more) = random_policies(dice);
        text += &more;
        links = of_more;
    }
    let mut texts = shipped::rules().alone();
    texts
        .policies
        .push(Source::held("policies/custom/random.cedar", text));
    texts.links.push(link_file(&links));
    Both::made(json, &texts, &links, &Switches::default())
}

/// Takes devices and collections out of the collections of other hierarchies, which are contradictions.
fn keep_apart(json: &mut Value) {
    let entities = json.as_array_mut().unwrap();
    let hierarchies: BTreeMap<String, Value> = entities
        .iter()
        .filter(|entity| entity["uid"]["type"] == "ConfigMgr::Collection")
        .map(|entity| {
            let id = entity["uid"]["id"].as_str().unwrap().to_owned();
            (id, entity["attrs"]["hierarchy"].clone())
        })
        .collect();
    for entity in entities {
        let hierarchy = entity["attrs"]["hierarchy"].clone();
        let parents = entity["parents"].as_array_mut().unwrap();
        parents.retain(|parent| {
            let of_parent = parent["id"].as_str().and_then(|id| hierarchies.get(id));
            parent["type"] != "ConfigMgr::Collection" || of_parent.is_none_or(|of| *of == hierarchy)
        });
    }
}

/// The same world in which Intune decides about most of the hierarchies; now and then another.
fn changed(world: &Both, dice: &mut Dice) -> Both {
    if dice.roll(5) == 0 {
        return world.turned(dice);
    }
    let mut json = world.json.clone();
    for entity in json.as_array_mut().unwrap() {
        let attributes = &mut entity["attrs"];
        if attributes.get("useIntuneRbac").is_some() {
            attributes["useIntuneRbac"] = json!(true);
        }
        if attributes.get("enforceConfigMgrRbac").is_some() && dice.roll(4) > 0 {
            attributes["enforceConfigMgrRbac"] = json!(false);
        }
    }
    world.with(json, world.texts.clone())
}

/// What plain Cedar allows.
pub(super) fn allowed(both: &Both) -> BTreeSet<Key> {
    let directory = both.engine.directory();
    let mut allowed = BTreeSet::new();
    for request in both.requests() {
        let is_there =
            directory.defines(&request.principal) && directory.defines(&request.resource);
        if is_there && both.plain(&request).0 == Decision::Allow {
            allowed.insert((request.principal, request.action, request.resource));
        }
    }
    allowed
}

/// What is done of a change.
#[derive(Clone, Copy, PartialEq)]
enum Done {
    All,
    /// Roles are made and assigned, and give nothing.
    WithoutPermissions,
}

/// The world with changes, by what these say: policies in files, and role assignments.
fn with(world: &Both, changes: &[&RoleChange], done: Done) -> Both {
    let mut texts = world.texts.clone();
    let mut json = world.json.clone();
    let entities = json.as_array_mut().unwrap();
    let uid = |uid: &EntityUid| json!({ "type": uid.type_name().to_string(), "id": uid.id().unescaped() });
    for change in changes {
        for file in change.files.iter().filter(|_| done == Done::All) {
            texts.policies.retain(|source| source.name != file.path);
            texts
                .policies
                .push(Source::held(file.path.clone(), file.text.clone()));
        }
        let role = uid(&change.role.uid);
        if matches!(change.what, What::Made | What::Replaced) {
            entities.push(json!({ "uid": role.clone(), "attrs": {}, "parents": [] }));
        }
        for assigned in &change.assigned {
            let to = uid(&assigned.to.uid);
            let assigned = entities
                .iter_mut()
                .find(|entity| entity["uid"] == to)
                .unwrap();
            let parents = assigned["parents"].as_array_mut().unwrap();
            if let Some(instead) = &change.instead_of {
                parents.retain(|parent| *parent != uid(&instead.uid));
                parents.push(role.clone());
                continue;
            }
            let id = format!("{} to {}", role["id"], to["id"]);
            let assignment = json!({ "type": "Intune::RoleAssignment", "id": id });
            parents.push(assignment.clone());
            entities.push(json!({
                "uid": assignment,
                "attrs": {},
                "parents": [
                    role.clone(),
                    { "type": "Intune::Tenant", "id": "t0" },
                    { "type": "Intune::ScopeTag", "id": "*" },
                ],
            }));
        }
    }
    world.with(json, texts)
}

/// Changes in the same file are in it together.
fn without(proposal: &Proposal, number: usize) -> Option<Vec<&RoleChange>> {
    let changes = proposal.changes.iter().enumerate();
    let others: Vec<&RoleChange> = changes
        .filter(|(other, _)| *other != number)
        .map(|(_, change)| change)
        .collect();
    let path = |change: &RoleChange| change.files.first().map(|file| file.path.clone());
    let this = path(&proposal.changes[number]);
    let is_shared = others
        .iter()
        .any(|other| this.is_some() && path(other) == this);
    (!is_shared).then_some(others)
}

fn planned(before: &Both, after: &Both) -> Plan {
    let states = States {
        before: &before.engine,
        after: &after.engine,
    };
    let context = |_: &tarbac::Engine, _: &bundle::Action| Context::empty();
    let compare = |states: States<'_>| states.compare(context).impact(|| {});
    let impact = compare(states);
    let planning = Planner {
        states,
        impact: &impact,
        context: &context,
        compare: &compare,
    };
    let plan = planning.plan();
    plan.unwrap_or_else(|error| panic!("{error:#?}"))
}

/// Everybody whom a change gives its permissions.
fn reached(world: &Both, change: &RoleChange) -> BTreeSet<EntityUid> {
    let directory = world.engine.directory();
    let is_in = |person: &EntityUid, group: &EntityUid| {
        let (Some(person), Some(group)) = (directory.row(person), directory.row(group)) else {
            return false;
        };
        person == group || directory.ancestors(person).any(|row| row == group)
    };
    let people = PEOPLE.iter();
    let people = people.map(|id| {
        format!("Entra::User::\"{id}\"")
            .parse::<EntityUid>()
            .unwrap()
    });
    people
        .filter(|person| match change.what {
            What::Extended => is_in(person, &change.role.uid),
            _ => change
                .assigned
                .iter()
                .any(|assigned| is_in(person, &assigned.to.uid)),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// With a plan nobody loses anything but what it says that no role keeps, nobody is given what they did
    /// not lose, no change is there for nothing, and no fewer changes do.
    #[test]
    fn what_is_lost_is_kept_on_random_worlds(seed in any::<u64>()) {
        let dice = &mut Dice(seed);
        let before = world(dice);
        let after = changed(&before, dice);
        let plan = planned(&before, &after);
        prop_assert!(plan.is_verified(), "seed {}: {:#?}", seed, plan);
        let [was, is] = [&before, &after].map(allowed);
        let changes: Vec<&RoleChange> = plan.keep.changes.iter().collect();
        let kept = allowed(&with(&after, &changes, Done::All));
        // What is lost all the same is what the plan says.
        let mut lost: BTreeMap<(EntityUid, EntityUid), u64> = BTreeMap::new();
        for (person, action, _) in was.difference(&kept) {
            *lost.entry((person.clone(), action.clone())).or_default() += 1;
        }
        let mut said: BTreeMap<EntityUid, (BTreeSet<EntityUid>, u64)> = BTreeMap::new();
        for of in &plan.lost {
            for person in &of.people {
                let actions = of.permissions.iter().map(|permission| permission.action.clone());
                prop_assert!(said.insert(person.uid.clone(), (actions.collect(), of.decisions)).is_none());
            }
        }
        let mut found: BTreeMap<EntityUid, (BTreeSet<EntityUid>, u64)> = BTreeMap::new();
        for ((person, action), count) in lost {
            let (actions, decisions) = found.entry(person).or_default();
            actions.insert(action);
            *decisions += count;
        }
        prop_assert_eq!(&found, &said, "seed {}", seed);
        // No role keeps it: not even one that gives everything.
        let facts = Facts::of(&after, &was, &is);
        for key in was.difference(&kept) {
            prop_assert!(!facts.all.contains(key) && !facts.mere.contains(key), "seed {}: {:?}", seed, key);
        }
        // Nobody is given what they did not lose, unless it lets them do nothing more.
        let mere = allowed(&with(&after, &changes, Done::WithoutPermissions));
        for change in &changes {
            for person in reached(&after, change) {
                for permission in &change.permissions {
                    let of = |of: &BTreeSet<Key>| -> BTreeSet<Key> {
                        let is_it = |key: &&Key| key.0 == person && key.1 == permission.action;
                        of.iter().filter(is_it).cloned().collect()
                    };
                    let has_lost = of(&was).difference(&of(&is)).next().is_some();
                    prop_assert!(has_lost || of(&kept) == of(&mere), "seed {}: {} {:?}", seed, person, permission);
                }
            }
        }
        // What people gain is said.
        let more: u64 = changes.iter().flat_map(|change| &change.gains).map(|gain| gain.decisions).sum();
        let gained = kept.difference(&was).filter(|key| !is.contains(*key)).count() as u64;
        prop_assert_eq!(more, gained, "seed {}", seed);
        // Each change is needed.
        for (number, change) in changes.iter().enumerate() {
            if let Some(others) = without(&plan.keep, number) {
                let left = allowed(&with(&after, &others, Done::All));
                let back: Vec<&Key> = was.difference(&left).filter(|key| kept.contains(*key)).collect();
                prop_assert!(!back.is_empty(), "seed {}: {:#?}", seed, plan.keep);
                if let Some(proof) = &change.proof {
                    let key = (proof.person.uid.clone(), proof.permission.action.clone(), proof.resource.uid.clone());
                    prop_assert!(back.contains(&&key), "seed {}: {:?}", seed, proof);
                }
            }
        }
        // No fewer changes do.
        if plan.keep.is_smallest && !changes.is_empty() {
            prop_assert!(facts.can_be_covered(changes.len() - 1) != Some(true), "seed {}: {:#?}", seed, plan.keep);
            prop_assert!(facts.can_be_covered(changes.len()) != Some(false), "seed {}: {:#?}", seed, plan.keep);
        }
    }

    /// What a plan takes away costs nobody what they had before, and what it leaves is what it says.
    #[test]
    fn what_is_gained_is_taken_away_on_random_worlds(seed in any::<u64>()) {
        let dice = &mut Dice(seed);
        let before = world(dice);
        let after = changed(&before, dice);
        let plan = planned(&before, &after);
        prop_assert!(plan.is_verified(), "seed {}: {:#?}", seed, plan);
        let [was, is] = [&before, &after].map(allowed);
        let changes: Vec<&RoleChange> = plan.spare.changes.iter().collect();
        let spared = allowed(&with(&after, &changes, Done::All));
        for key in &spared {
            prop_assert!(is.contains(key), "seed {}: {:?}", seed, key);
        }
        for key in is.difference(&spared) {
            prop_assert!(!was.contains(key), "seed {}: {:?}", seed, key);
        }
        let stays: u64 = plan.gained.iter().map(|gained| gained.decisions).sum();
        prop_assert_eq!(stays, spared.difference(&was).count() as u64, "seed {}", seed);
        for gained in plan.gained.iter().filter(|gained| gained.reason == Reason::HadElsewhere) {
            for person in &gained.people {
                for permission in &gained.permissions {
                    let had = was.iter().any(|key| key.0 == person.uid && key.1 == permission.action && is.contains(key));
                    prop_assert!(had, "seed {}: {} {:?}", seed, person, permission);
                }
            }
        }
        for number in 0..changes.len() {
            if let Some(others) = without(&plan.spare, number) {
                let left = allowed(&with(&after, &others, Done::All));
                prop_assert!(left.difference(&was).count() as u64 > stays, "seed {}", seed);
            }
        }
    }
}

/// Every kind of change and every reason is met on the random worlds, or these show nothing.
#[test]
fn the_random_worlds_are_not_dull() {
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..60 {
        let dice = &mut Dice(seed);
        let before = world(dice);
        let plan = planned(&before, &changed(&before, dice));
        let changes = plan.keep.changes.iter().chain(&plan.spare.changes);
        let kinds = changes.map(|change| format!("{:?}", change.what));
        let reasons = plan.gained.iter().map(|gained| match gained.reason {
            Reason::HadElsewhere => "HadElsewhere".to_owned(),
            Reason::Shared { .. } => "Shared".to_owned(),
            Reason::ByOther(_) => "ByOther".to_owned(),
        });
        for kind in kinds.chain(reasons) {
            *met.entry(kind).or_default() += 1;
        }
        let count = format!("{} changes", plan.keep.changes.len());
        *met.entry(count).or_default() += 1;
    }
    for kind in [
        "Extended",
        "Made",
        "Reduced",
        "Replaced",
        "HadElsewhere",
        "Shared",
        "ByOther",
        "2 changes",
    ] {
        assert!(met.contains_key(kind), "{kind}: {met:?}");
    }
}
