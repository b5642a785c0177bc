//! The engine against plain Cedar: on random directories, policies and requests, the decision and
//! the determining policies are those of `Authorizer::is_authorized` over everything.

mod by_class;
mod everybody;
mod standing;
mod supposed;

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{
    Authorizer, Context, Entities, EntityUid, Policy, PolicyId, PolicySet, Request as CedarRequest,
    SlotId, Template,
};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use serde_json::{Value, json};
use tarbac::bulk::class::Classes;
use tarbac::bundle::{self, Bundle, Texts};
use tarbac::decision::{Decision, Request};
use tarbac::directory::{Directory, Input, Rules};
use tarbac::engine::Engine;
use tarbac::prove::{self, Prover, Says, Solving, Spec, SpecResult, Unknown};
use tarbac::source::Source;
use tarbac::{Switches, assembly, code, shipped};

use crate::solver::solver;
use crate::world::{entity, given, uid, uids};

/// A deterministic source of choices.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.roll(2) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }

    pub(crate) fn some<'a>(&mut self, from: &[&'a str]) -> Vec<&'a str> {
        from.iter().copied().filter(|_| self.coin()).collect()
    }
}

const TENANTS: &[&str] = &["t0", "t1"];
pub(crate) const HIERARCHIES: &[&str] = &["h0", "h1", "h2"];
pub(crate) const COLLECTIONS: &[&str] = &["c0", "c1", "c2", "c3"];
const DEVICES: &[&str] = &["d0", "d1", "d2", "d3"];
const GROUPS: &[&str] = &["g0", "g1", "g2"];
const ROLES: &[&str] = &[
    "Help Desk Operator",
    "Application Manager",
    "Intune Role Administrator",
    "r0",
    "r1",
];
pub(crate) const ASSIGNMENTS: &[&str] = &["a0", "a1", "a2", "a3"];
pub(crate) const PEOPLE: &[&str] = &["p0", "p1", "p2", "p3"];
const TAGS: &[&str] = &["0", "*", "7"];

/// Parents of one type.
fn each<'a>(type_name: &'a str, ids: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    ids.iter().map(|id| (type_name, *id)).collect()
}

pub(crate) fn random_directory(dice: &mut Dice) -> Value {
    random_tenants(dice, PEOPLE, DEVICES)
}

/// The same with these people and devices.
fn random_tenants(dice: &mut Dice, people: &[&str], devices: &[&str]) -> Value {
    let mut all = Vec::new();
    let scoped = dice.some(TENANTS);
    for tenant in TENANTS {
        let mut attrs = json!({ "useIntuneRbac": dice.coin() });
        if scoped.contains(tenant) || dice.coin() {
            attrs["scopedPermissions"] = json!(scoped.contains(tenant));
        }
        if dice.coin() {
            attrs["useIntuneRbacChangedAt"] = json!("2026-11-23T08:00:00Z");
        }
        all.push(entity("Intune::Tenant", tenant, attrs, &[]));
    }
    for hierarchy in HIERARCHIES {
        let attrs = json!({
            "tenant": uid("Intune::Tenant", dice.pick(TENANTS)),
            "version": dice.pick(&[2103, 2107, 2111, 2207, 2403]),
            "enforceConfigMgrRbac": dice.coin(),
            "earlyUpdateRing": dice.coin(),
        });
        all.push(entity("ConfigMgr::Hierarchy", hierarchy, attrs, &[]));
    }
    for (index, collection) in COLLECTIONS.iter().enumerate() {
        // A collection is limited to an earlier one, so that there is no cycle.
        let parents = dice.some(&COLLECTIONS[..index]);
        let attrs = json!({ "hierarchy": uid("ConfigMgr::Hierarchy", dice.pick(HIERARCHIES)) });
        all.push(entity(
            "ConfigMgr::Collection",
            collection,
            attrs,
            &each("ConfigMgr::Collection", &parents),
        ));
    }
    for device in devices {
        let mut attrs = json!({
            "hierarchy": uid("ConfigMgr::Hierarchy", dice.pick(HIERARCHIES)),
            "name": format!("{}-{device}", dice.pick(&["WS", "SRV"])),
            "coManaged": dice.coin(),
        });
        if dice.coin() {
            attrs["operatingSystem"] = json!(dice.pick(&["Windows 11", "Windows Server 2025"]));
        }
        let parents = each("ConfigMgr::Collection", &dice.some(COLLECTIONS));
        all.push(entity("ConfigMgr::Device", device, attrs, &parents));
    }
    for role in ROLES {
        all.push(entity(
            "Intune::Role",
            role,
            json!({ "builtIn": dice.coin() }),
            &[],
        ));
    }
    for tag in TAGS {
        all.push(entity("Intune::ScopeTag", tag, json!({}), &[]));
    }
    all.push(entity(
        "Entra::DirectoryRole",
        "Global Administrator",
        json!({}),
        &[],
    ));
    for assignment in ASSIGNMENTS {
        let (role, tenant, tags) = (dice.pick(ROLES), dice.pick(TENANTS), dice.some(TAGS));
        let mut parents = vec![("Intune::Tenant", tenant)];
        parents.extend(each("Intune::ScopeTag", &tags));
        // Under Scoped permissions an assignment with other scope tags is not in its role.
        let is_narrowed = scoped.contains(&tenant) && !tags.contains(&"0") && !tags.contains(&"*");
        let attrs = match is_narrowed {
            true => json!({ "narrowedRole": uid("Intune::Role", role) }),
            false => {
                parents.push(("Intune::Role", role));
                json!({})
            }
        };
        all.push(entity(
            "Intune::RoleAssignment",
            assignment,
            attrs,
            &parents,
        ));
    }
    for (index, group) in GROUPS.iter().enumerate() {
        let mut parents = each("Entra::Group", &dice.some(&GROUPS[..index]));
        if dice.coin() {
            parents.push(("Intune::RoleAssignment", dice.pick(ASSIGNMENTS)));
        }
        all.push(entity("Entra::Group", group, json!({}), &parents));
    }
    for person in people {
        let mut attrs = json!({
            "tenant": uid("Intune::Tenant", dice.pick(TENANTS)),
            "userPrincipalName": format!("{person}@example.com"),
            "cloudOnly": dice.roll(4) == 0,
        });
        if dice.coin() {
            attrs["accountEnabled"] = json!(dice.roll(3) > 0);
        }
        if dice.roll(3) == 0 {
            attrs["eligibleGroups"] = uids("Entra::Group", &dice.some(GROUPS));
        }
        if dice.roll(4) > 0 {
            let mut administrator = serde_json::Map::new();
            for name in [
                "discoveredByEntra",
                "discoveredByActiveDirectory",
                "readScripts",
                "readApplications",
                "approveApplications",
            ] {
                administrator.insert(
                    name.to_owned(),
                    uids("ConfigMgr::Hierarchy", &dice.some(HIERARCHIES)),
                );
            }
            for name in [
                "read",
                "readResource",
                "notifyResource",
                "runCmPivot",
                "runScript",
                "readBitLockerRecoveryKey",
            ] {
                administrator.insert(
                    name.to_owned(),
                    uids("ConfigMgr::Collection", &dice.some(COLLECTIONS)),
                );
            }
            attrs["configMgr"] = Value::Object(administrator);
        }
        let mut parents = each("Entra::Group", &dice.some(GROUPS));
        if dice.roll(4) == 0 {
            parents.push(("Intune::RoleAssignment", dice.pick(ASSIGNMENTS)));
        }
        if dice.roll(5) == 0 {
            parents.push(("Entra::DirectoryRole", "Global Administrator"));
        }
        all.push(entity("Entra::User", person, attrs, &parents));
    }
    Value::Array(all)
}

/// The id of a template, the id of the link, and the person in the slot `?principal`.
pub(crate) type Link = (String, String, String);

/// Policies of every shape: valid against the schema, some of them failing when evaluated.
pub(crate) fn random_policies(dice: &mut Dice) -> (String, Vec<Link>) {
    let mut text = String::new();
    let mut links = Vec::new();
    for number in 0..dice.roll(12) {
        let effect = if dice.roll(3) == 0 {
            "forbid"
        } else {
            "permit"
        };
        let principal = match dice.roll(7) {
            0 => format!("principal == Entra::User::\"{}\"", dice.pick(PEOPLE)),
            1 => format!("principal in Entra::Group::\"{}\"", dice.pick(GROUPS)),
            2 => format!("principal in Intune::Role::\"{}\"", dice.pick(ROLES)),
            3 => format!("principal in Intune::Tenant::\"{}\"", dice.pick(TENANTS)),
            4 => "principal is Entra::User".to_owned(),
            5 => "principal == ?principal".to_owned(),
            _ => "principal".to_owned(),
        };
        let action = match dice.roll(4) {
            0 => "action in [Intune::Action::\"viewScripts\", Intune::Action::\"runScript\"]",
            1 => "action in Intune::Action::\"cloudAttachedDevices\"",
            2 => "action == Intune::Action::\"viewTimeline\"",
            _ => {
                "action in [Intune::Action::\"remoteTasks\", Intune::Action::\"cloudAttachedDevices\"]"
            }
        };
        let resource = match dice.roll(5) {
            0 => format!("resource == ConfigMgr::Device::\"{}\"", dice.pick(DEVICES)),
            1 => format!(
                "resource in ConfigMgr::Collection::\"{}\"",
                dice.pick(COLLECTIONS)
            ),
            2 => "resource is ConfigMgr::Device".to_owned(),
            _ => "resource".to_owned(),
        };
        let mut conditions = String::new();
        for _ in 0..dice.roll(3) {
            let keyword = if dice.coin() { "when" } else { "unless" };
            let condition = match dice.roll(23) {
                0 => "principal.cloudOnly".to_owned(),
                1 => "resource.name like \"SRV*\"".to_owned(),
                2 => "resource has operatingSystem && resource.operatingSystem like \"*Server*\"".to_owned(),
                3 => "context has now && context.now < datetime(\"2026-11-23T12:00:00Z\")".to_owned(),
                4 => "[\"WS-d0\", \"SRV-d1\"].contains(resource.name)".to_owned(),
                5 => format!("resource in [ConfigMgr::Collection::\"{}\", ConfigMgr::Collection::\"{}\"]", dice.pick(COLLECTIONS), dice.pick(COLLECTIONS)),
                6 => "principal has configMgr && principal.configMgr.read.containsAny(principal.configMgr.runScript)".to_owned(),
                // Overflows, always or for newer hierarchies only.
                7 => "resource.hierarchy.version + 9223372036854775807 > 0".to_owned(),
                8 => "resource.hierarchy.version * 4000000000000000 > 0".to_owned(),
                // Looks into an entity that is not reached otherwise, or that is nowhere.
                9 => format!("Intune::Tenant::\"{}\".useIntuneRbac", dice.pick(&["t0", "t1", "nowhere"])),
                10 => format!("ConfigMgr::Collection::\"{}\" in ConfigMgr::Collection::\"{}\"", dice.pick(COLLECTIONS), dice.pick(COLLECTIONS)),
                11 => format!("(if resource.coManaged then ConfigMgr::Hierarchy::\"{}\" else resource.hierarchy).earlyUpdateRing", dice.pick(HIERARCHIES)),
                12 => format!("principal in principal.tenant || principal in Entra::Group::\"{}\"", dice.pick(GROUPS)),
                13 => "principal has configMgr && resource in principal.configMgr.runCmPivot".to_owned(),
                14 => "if principal.cloudOnly then resource.coManaged else principal has configMgr && principal.configMgr.readScripts.contains(resource.hierarchy)".to_owned(),
                15 => "principal has configMgr && (resource in principal.configMgr.notifyResource || resource.hierarchy.version * 4000000000000000 > 0)".to_owned(),
                16 => "principal has configMgr && (if principal.configMgr.read.isEmpty() then [resource].contains(resource) else resource in principal.configMgr.read)".to_owned(),
                17 => "action == Intune::Action::\"viewTimeline\" && resource.coManaged".to_owned(),
                19 => "principal has accountEnabled && !principal.accountEnabled".to_owned(),
                20 => "principal has eligibleGroups && principal in principal.eligibleGroups".to_owned(),
                21 => "principal.tenant has scopedPermissions && principal.tenant.scopedPermissions".to_owned(),
                18 => format!("resource == ConfigMgr::Device::\"{}\" || principal == Entra::User::\"{}\"", dice.pick(DEVICES), dice.pick(PEOPLE)),
                _ => "principal.tenant == resource.hierarchy.tenant".to_owned(),
            };
            conditions.push_str(&format!("\n{keyword} {{ {condition} }}"));
        }
        let id = format!("random.{number}");
        text.push_str(&format!(
            "@id(\"{id}\")\n{effect} ({principal}, {action}, {resource}){conditions};\n"
        ));
        if principal.contains("?principal") {
            for link in 0..dice.roll(3) {
                let person = format!("Entra::User::\"{}\"", dice.pick(PEOPLE));
                links.push((id.clone(), format!("{id}.link{link}"), person));
            }
        }
    }
    (text, links)
}

/// Every policy in force, as plain Cedar has it.
fn plain_policies(texts: &Texts, links: &[Link], readings: &[String]) -> PolicySet {
    let mut all = PolicySet::new();
    for source in &texts.policies {
        let set = PolicySet::from_str(source.text()).unwrap();
        let in_force = |policy: &Policy| {
            policy.annotation("reading").is_none_or(|name| {
                (policy.annotation("holds") == Some("on"))
                    == readings.iter().any(|reading| reading == name)
            })
        };
        for policy in set.policies().filter(|policy| in_force(policy)) {
            all.add(policy.new_id(PolicyId::new(policy.annotation("id").unwrap())))
                .unwrap();
        }
        for template in set.templates() {
            let template: Template =
                template.new_id(PolicyId::new(template.annotation("id").unwrap()));
            all.add_template(template).unwrap();
        }
    }
    for (template, link, person) in links {
        let slots = HashMap::from([(SlotId::principal(), EntityUid::from_str(person).unwrap())]);
        all.link(PolicyId::new(template), PolicyId::new(link), slots)
            .unwrap();
    }
    all
}

// Bundle and directory are joined here without the checks of `tarbac::assembly`, so that worlds in
// which people cross tenants or policies name nobody are decided as well.

fn bundle_of(texts: &Texts) -> Bundle {
    let (bundle, findings) = bundle::read(texts);
    bundle.unwrap_or_else(|_| panic!("{findings:#?}"))
}

fn directory_of(json: &Value, bundle: &Bundle) -> Directory {
    let named = bundle.named_entities();
    let input = Input {
        source: Source::held("entities.json", ""),
        reader: Box::new(std::io::Cursor::new(json.to_string())),
    };
    let (directory, findings) =
        Directory::read(vec![input], bundle.schema(), &named, &Rules::default());
    assert!(findings.is_empty(), "{findings:#?}");
    directory
}

/// A random world with random policies beside those that ship, for tarbac and for plain Cedar.
pub(crate) struct Both {
    pub(crate) engine: Engine,
    policies: PolicySet,
    entities: Entities,
    pub(crate) json: Value,
    pub(crate) texts: Texts,
    links: Vec<Link>,
    /// Those whom, and what, is asked about, be they there or not.
    people: Vec<String>,
    devices: Vec<String>,
    /// What is known about every request.
    about: Value,
}

impl Both {
    fn of(dice: &mut Dice, switches: &Switches) -> Self {
        Self::of_entities(dice, random_directory, switches)
    }

    fn of_entities(
        dice: &mut Dice,
        entities: impl Fn(&mut Dice) -> Value,
        switches: &Switches,
    ) -> Self {
        let json = entities(dice);
        let (text, links) = random_policies(dice);
        let mut texts = shipped::rules().alone();
        texts.policies.push(Source::held("random.cedar", text));
        texts.links.push(link_file(&links));
        Self::made(json, &texts, &links, switches)
    }

    pub(crate) fn made(json: Value, texts: &Texts, links: &[Link], switches: &Switches) -> Self {
        let bundle = bundle_of(texts);
        let directory = directory_of(&json, &bundle);
        let engine = Engine::new(Arc::new(bundle), Arc::new(directory), switches).unwrap();
        Self {
            policies: plain_policies(texts, links, engine.readings()),
            entities: Entities::from_json_value(json.clone(), Some(engine.bundle().schema()))
                .unwrap(),
            engine,
            json,
            texts: texts.clone(),
            links: links.to_vec(),
            people: PEOPLE.iter().map(|id| (*id).to_owned()).collect(),
            devices: DEVICES.iter().map(|id| (*id).to_owned()).collect(),
            about: json!({}),
        }
    }

    /// The same world, asked about others and under another context.
    fn asked(self, people: &[&str], devices: &[&str], about: Value) -> Self {
        let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        Self {
            people: owned(people),
            devices: owned(devices),
            about,
            ..self
        }
    }

    /// What is known about a request of an action.
    fn context(&self, action: &EntityUid) -> Context {
        self.engine.context(action, self.about.clone()).unwrap()
    }

    /// The same world with some toggles and checkboxes turned, other readings, and without somebody or
    /// something.
    pub(crate) fn turned(&self, dice: &mut Dice) -> Self {
        let mut json = self.json.clone();
        let gone = [dice.pick(PEOPLE), dice.pick(DEVICES)].map(|id| dice.coin().then_some(id));
        json.as_array_mut()
            .unwrap()
            .retain(|entity| !gone.iter().flatten().any(|id| entity["uid"]["id"] == *id));
        for entity in json.as_array_mut().unwrap() {
            for name in ["useIntuneRbac", "enforceConfigMgrRbac", "cloudOnly"] {
                if dice.roll(3) == 0
                    && let Some(value) = entity["attrs"].get_mut(name)
                {
                    *value = json!(!value.as_bool().unwrap());
                }
            }
        }
        let on = dice
            .some(&["default-scope-tag", "discovery-either"])
            .into_iter();
        let switches = Switches {
            on: on.map(str::to_owned).collect(),
            off: Vec::new(),
        };
        Self::made(json, &self.texts, &self.links, &switches)
    }

    /// The same world with other entities and policies.
    pub(crate) fn with(&self, json: Value, texts: Texts) -> Self {
        let on = self.engine.readings().to_vec();
        let all = self.engine.bundle().readings().iter();
        let off = all.map(|reading| reading.name.clone());
        let switches = Switches {
            off: off.filter(|name| !on.contains(name)).collect(),
            on,
        };
        Self::made(json, &texts, &self.links, &switches)
    }

    /// What plain Cedar says: the decision, the policies that determine it, and the errors.
    pub(crate) fn plain(&self, request: &Request) -> (Decision, Vec<String>, Vec<String>) {
        let plain = CedarRequest::new(
            request.principal.clone(),
            request.action.clone(),
            request.resource.clone(),
            request.context.clone(),
            Some(self.engine.bundle().schema()),
        )
        .unwrap();
        let response = Authorizer::new().is_authorized(&plain, &self.policies, &self.entities);
        let diagnostics = response.diagnostics();
        let mut determining: Vec<String> = diagnostics.reason().map(ToString::to_string).collect();
        determining.sort();
        let mut errors: Vec<String> = diagnostics.errors().map(ToString::to_string).collect();
        errors.sort();
        let decision = match (errors.is_empty(), response.decision()) {
            (false, _) => Decision::Indeterminate,
            (true, cedar_policy::Decision::Allow) => Decision::Allow,
            (true, cedar_policy::Decision::Deny) => Decision::Deny,
        };
        (decision, determining, errors)
    }

    /// Every request that can be made.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let uid = |type_name: &str, id: &str| {
            EntityUid::from_str(&format!("{type_name}::\"{id}\"")).unwrap()
        };
        let mut requests = Vec::new();
        for action in self.engine.bundle().vocabulary().permissions() {
            let tenants: Vec<String> = TENANTS.iter().map(|id| (*id).to_owned()).collect();
            let (resource_type, resources) = match action.id() {
                "updateRoles" => ("Intune::Tenant", &tenants),
                _ => ("ConfigMgr::Device", &self.devices),
            };
            for person in &self.people {
                requests.extend(resources.iter().map(|resource| Request {
                    principal: uid("Entra::User", person),
                    action: action.uid.clone(),
                    resource: uid(resource_type, resource),
                    context: self.context(&action.uid),
                }));
            }
        }
        requests
    }
}

pub(crate) fn link_file(links: &[Link]) -> Arc<Source> {
    let links: Value = links
        .iter()
        .map(|(template, link, person)| {
            json!({ "template_id": template, "link_id": link, "args": { "?principal": person } })
        })
        .collect();
    Source::held("links.json", links.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn on_random_worlds(seed in any::<u64>()) {
        let dice = &mut Dice(seed);
        let switches = Switches {
            on: dice.some(&["default-scope-tag", "discovery-either", "observed-roles"]).into_iter().map(str::to_owned).collect(),
            off: dice.some(&["any-intune-role", "entra-administrators"]).into_iter().map(str::to_owned).collect(),
        };
        let both = Both::of(dice, &switches);
        let engine = &both.engine;
        let now = json!({ "now": "2026-11-23T08:05:00Z" });
        for mut request in both.requests() {
            if dice.coin() {
                request.context = engine.context(&request.action, now.clone()).unwrap();
            }
            let outcome = engine.decide(&request);
            let (decision, determining, errors) = both.plain(&request);
            prop_assert_eq!(&outcome.policies, &determining, "{:?} seed {}", request, seed);
            prop_assert_eq!(&outcome.errors, &errors, "{:?} seed {}", request, seed);
            prop_assert_eq!(outcome.decision, decision, "{:?} seed {}", request, seed);
            // A world that was not changed decides as the directory does.
            let world = engine.world(&request).unwrap();
            prop_assert_eq!(engine.decide_in(&request, &world), outcome.clone());
            // The policies asked one by one come to the same.
            let action = engine.bundle().vocabulary().action(&request.action).unwrap();
            let trial = engine.trial(&request).unwrap();
            prop_assert_eq!(engine.applied(action, &trial).outcome(), outcome.clone());
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// People of one class, and devices of one class, are decided about alike.
    #[test]
    fn classes_on_random_worlds(seed in any::<u64>()) {
        let dice = &mut Dice(seed);
        let engine = Both::of(dice, &Switches::default()).engine;
        let all = |type_name: &str, ids: &[&str]| -> Vec<EntityUid> {
            ids.iter().map(|id| EntityUid::from_str(&format!("{type_name}::\"{id}\"")).unwrap()).collect()
        };
        let (people, devices) = (all("Entra::User", PEOPLE), all("ConfigMgr::Device", DEVICES));
        for action in engine.bundle().vocabulary().permissions().filter(|action| action.id() != "updateRoles") {
            let decide = |principal: &EntityUid, resource: &EntityUid| {
                engine.decide(&Request {
                    principal: principal.clone(),
                    action: action.uid.clone(),
                    resource: resource.clone(),
                    context: Context::empty(),
                })
            };
            for class in Classes::of(&engine, &people).members() {
                for person in class {
                    for device in &devices {
                        prop_assert_eq!(decide(&class[0], device), decide(person, device), "seed {}", seed);
                    }
                }
            }
            for class in Classes::of(&engine, &devices).members() {
                for device in class {
                    for person in &people {
                        prop_assert_eq!(decide(person, &class[0]), decide(person, device), "seed {}", seed);
                    }
                }
            }
        }
    }

    /// A directory with one entity put in is the one that is read from files with that entity.
    #[test]
    fn an_entity_put_in_random_worlds(seed in any::<u64>()) {
        let dice = &mut Dice(seed);
        let mut json = random_directory(dice);
        let texts = shipped::rules().alone();
        let switches = Switches::default();
        let engine_of = |json: &Value| {
            let bundle = bundle_of(&texts);
            let directory = directory_of(json, &bundle);
            Engine::new(Arc::new(bundle), Arc::new(directory), &switches).unwrap()
        };
        let before = engine_of(&json);
        let people: Vec<usize> = json
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .filter(|(_, entity)| entity["uid"]["type"] == "Entra::User")
            .map(|(index, _)| index)
            .collect();
        let person = &mut json[people[dice.roll(people.len())]];
        let cloud_only = person["attrs"]["cloudOnly"].as_bool().unwrap();
        person["attrs"]["cloudOnly"] = json!(!cloud_only);
        if dice.coin() {
            person["parents"] = json!([]);
        }
        let put_in = given(&Value::Array(vec![person.clone()]));
        let (changed, findings) = assembly::with_entities(&before, &put_in, &switches).unwrap();
        // Some random worlds are refused, for example those in which people cross tenants.
        let Some(changed) = changed else {
            prop_assert!(!findings.is_empty());
            return Ok(());
        };
        let after = engine_of(&json);
        for action in after.bundle().vocabulary().permissions().filter(|action| action.id() != "updateRoles") {
            for person in PEOPLE {
                for device in DEVICES {
                    let request = Request {
                        principal: EntityUid::from_str(&format!("Entra::User::\"{person}\"")).unwrap(),
                        action: action.uid.clone(),
                        resource: EntityUid::from_str(&format!("ConfigMgr::Device::\"{device}\"")).unwrap(),
                        context: Context::empty(),
                    };
                    prop_assert_eq!(changed.decide(&request), after.decide(&request), "seed {}", seed);
                }
            }
        }
    }
}

/// Whether a request is as a spec says, by plain Cedar over these entities; `None` where the spec
/// does not match it, or an evaluation fails, of which the spec says nothing.
fn holds(
    spec: &Spec,
    request: &CedarRequest,
    policies: &PolicySet,
    entities: &Entities,
) -> Option<bool> {
    let of_spec = PolicySet::from_policies([Policy::from(spec.policy().ast().clone())]).unwrap();
    let authorizer = Authorizer::new();
    let matched = authorizer.is_authorized(request, &of_spec, entities);
    matched.diagnostics().reason().next()?;
    let response = authorizer.is_authorized(request, policies, entities);
    if response.diagnostics().errors().next().is_some() {
        return None;
    }
    Some(match spec.says {
        Says::Allowed => response.decision() == cedar_policy::Decision::Allow,
        _ => response.decision() == cedar_policy::Decision::Deny,
    })
}

/// What was proved of a spec in an environment holds in a world, whoever asks about what.
fn holds_in_world(
    tried: &SpecResult<'_>,
    policies: &PolicySet,
    entities: &Entities,
    schema: &cedar_policy::Schema,
) -> Result<usize, String> {
    let mut matched = 0;
    for environment in &tried.environments {
        if !matches!(environment.verdict, prove::Verdict::Proved)
            || environment.resource.basename() != "Device"
        {
            continue;
        }
        for person in PEOPLE {
            for device in DEVICES {
                let request = CedarRequest::new(
                    EntityUid::from_str(&format!("Entra::User::\"{person}\"")).unwrap(),
                    environment.action.clone(),
                    EntityUid::from_str(&format!("ConfigMgr::Device::\"{device}\"")).unwrap(),
                    Context::empty(),
                    Some(schema),
                )
                .unwrap();
                match holds(tried.spec, &request, policies, entities) {
                    None => {}
                    Some(true) => matched += 1,
                    Some(false) => {
                        return Err(format!(
                            "`{}` is proved, and {request} is not so",
                            tried.spec.id()
                        ));
                    }
                }
            }
        }
    }
    Ok(matched)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// What is refuted is refuted by plain Cedar in the world that is told, and what is proved holds in
    /// random worlds by plain Cedar.
    #[test]
    fn proofs_on_random_policies(seed in any::<u64>()) {
        let Some(solver) = solver("agrees_with_cedar::proofs_on_random_policies") else {
            return Ok(());
        };
        let solving = Solving {
            solver,
            timeout: std::time::Duration::from_millis(500),
            jobs: 2,
        };
        let dice = &mut Dice(seed);
        let json = random_directory(dice);
        let (text, links) = random_policies(dice);
        // Where a policy can fail nothing is proved, so in most cases none can.
        let may_fail = dice.roll(4) == 0;
        let sure = |text: String| match may_fail {
            true => text,
            false => text
                .replace("+ 9223372036854775807 > 0", "> 2207")
                .replace("* 4000000000000000 > 0", "> 2302"),
        };
        let mut texts = shipped::rules().alone();
        texts.policies.push(Source::held("random.cedar", sure(text)));
        texts.links.push(link_file(&links));
        let bundle = bundle_of(&texts);
        let directory = directory_of(&json, &bundle);
        let engine = Engine::new(Arc::new(bundle), Arc::new(directory), &Switches::default()).unwrap();
        let schema = engine.bundle().schema();
        let policies = plain_policies(&texts, &links, engine.readings());

        // Other random policies are the specs; slots they have none.
        let (specs, _) = random_policies(dice);
        let specs = sure(specs);
        let specs = Source::held("specs.cedar", specs.replace("principal == ?principal", "principal"));
        let (specs, findings) = prove::read(&[specs], &engine);
        prop_assert!(findings.iter().all(|finding| finding.severity == tarbac::finding::Severity::Warning), "{findings:#?}");
        let prover = Prover::new(engine.bundle(), engine.readings(), &solving).unwrap();
        let proof = prover.prove(&specs, &|_, _| {}).unwrap();
        // The product of two numbers can take a solver too long; besides, nothing but a policy that can
        // fail keeps it from an answer.
        let mut unknown = proof.specs.iter().flat_map(SpecResult::unknown).map(|(_, unknown)| unknown);
        let other = unknown.find(|unknown| match unknown {
            Unknown::Timeout(_) => false,
            Unknown::CanFail { .. } => !may_fail,
            _ => true,
        });
        prop_assert!(other.is_none(), "{:?} seed {}", other, seed);
        let fails = proof.findings.iter().any(|finding| finding.code == code::prove::CAN_FAIL);
        prop_assert!(may_fail || !fails, "{:?} seed {}", proof.findings, seed);

        for tried in &proof.specs {
            for (_, counterexample) in tried.refutations() {
                let (request, entities) = counterexample.world.to_cedar(schema).unwrap();
                let confirmed = holds(tried.spec, &request, &policies, &entities);
                // The policies that can fail are said to; here one may fail beside what is decided.
                let fails = !counterexample.outcome.errors.is_empty();
                prop_assert!(confirmed == Some(false) || fails, "{}: {:?} seed {}", tried.spec.id(), confirmed, seed);
            }
        }
        for _ in 0..8 {
            let entities = Entities::from_json_value(random_directory(dice), Some(schema)).unwrap();
            for tried in &proof.specs {
                let held = holds_in_world(tried, &policies, &entities, schema);
                prop_assert!(held.is_ok(), "{:?} seed {}", held, seed);
            }
        }
    }
}
