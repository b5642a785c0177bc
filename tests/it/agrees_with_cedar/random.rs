//! Random tenants and policies, by a seed.

use std::sync::Arc;

use serde_json::{Value, json};
use tarbac::source::Source;

use crate::world::{entity, uid, uids};

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

pub(crate) const TENANTS: &[&str] = &["t0", "t1"];
pub(crate) const HIERARCHIES: &[&str] = &["h0", "h1", "h2"];
pub(crate) const COLLECTIONS: &[&str] = &["c0", "c1", "c2", "c3"];
pub(crate) const DEVICES: &[&str] = &["d0", "d1", "d2", "d3"];
pub(crate) const GROUPS: &[&str] = &["g0", "g1", "g2"];
pub(crate) const ROLES: &[&str] = &[
    "Help Desk Operator",
    "Application Manager",
    "Intune Role Administrator",
    "r0",
    "r1",
];
pub(crate) const ASSIGNMENTS: &[&str] = &["a0", "a1", "a2", "a3"];
pub(crate) const PEOPLE: &[&str] = &["p0", "p1", "p2", "p3"];
pub(crate) const TAGS: &[&str] = &["0", "*", "7"];

/// Parents of one type.
pub(crate) fn each<'a>(type_name: &'a str, ids: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    ids.iter().map(|id| (type_name, *id)).collect()
}

pub(crate) fn random_directory(dice: &mut Dice) -> Value {
    random_tenants(dice, PEOPLE, DEVICES)
}

/// The same with these people and devices.
pub(crate) fn random_tenants(dice: &mut Dice, people: &[&str], devices: &[&str]) -> Value {
    let mut all = Vec::new();
    let scoped = dice.some(TENANTS);
    all.extend(TENANTS.iter().map(|id| tenant(dice, id, &scoped)));
    all.extend(HIERARCHIES.iter().map(|id| hierarchy(dice, id)));
    all.extend((0..COLLECTIONS.len()).map(|number| collection(dice, number)));
    all.extend(devices.iter().map(|id| device(dice, id)));
    all.extend(ROLES.iter().map(|id| {
        let attrs = json!({ "builtIn": dice.coin() });
        entity("Intune::Role", id, attrs, &[])
    }));
    let tags = TAGS.iter();
    all.extend(tags.map(|id| entity("Intune::ScopeTag", id, json!({}), &[])));
    all.push(entity(ADMINISTRATOR.0, ADMINISTRATOR.1, json!({}), &[]));
    all.extend(ASSIGNMENTS.iter().map(|id| assignment(dice, id, &scoped)));
    all.extend((0..GROUPS.len()).map(|number| group(dice, number)));
    let like = devices.iter().map(Some).chain(std::iter::repeat(None));
    all.extend(people.iter().zip(like).map(|(id, like)| {
        // Some are called as a device is, or may be.
        let name = match like.filter(|_| dice.coin()) {
            Some(device) => format!("{}-{device}", dice.pick(&["WS", "SRV"])),
            None => format!("{id}@example.com"),
        };
        person(dice, id, &name)
    }));
    Value::Array(all)
}

const ADMINISTRATOR: (&str, &str) = ("Entra::DirectoryRole", "Global Administrator");

fn tenant(dice: &mut Dice, id: &str, scoped: &[&str]) -> Value {
    let mut attrs = json!({ "useIntuneRbac": dice.coin() });
    if scoped.contains(&id) || dice.coin() {
        attrs["scopedPermissions"] = json!(scoped.contains(&id));
    }
    if dice.coin() {
        attrs["useIntuneRbacChangedAt"] = json!("2026-11-23T08:00:00Z");
    }
    entity("Intune::Tenant", id, attrs, &[])
}

fn hierarchy(dice: &mut Dice, id: &str) -> Value {
    let attrs = json!({
        "tenant": uid("Intune::Tenant", dice.pick(TENANTS)),
        "version": dice.pick(&[2103, 2107, 2111, 2207, 2403]),
        "enforceConfigMgrRbac": dice.coin(),
        "earlyUpdateRing": dice.coin(),
    });
    entity("ConfigMgr::Hierarchy", id, attrs, &[])
}

/// A collection is limited to an earlier one, so that there is no cycle.
fn collection(dice: &mut Dice, number: usize) -> Value {
    let parents = dice.some(&COLLECTIONS[..number]);
    let parents = each("ConfigMgr::Collection", &parents);
    let attrs = json!({ "hierarchy": uid("ConfigMgr::Hierarchy", dice.pick(HIERARCHIES)) });
    entity(
        "ConfigMgr::Collection",
        COLLECTIONS[number],
        attrs,
        &parents,
    )
}

fn device(dice: &mut Dice, id: &str) -> Value {
    let mut attrs = json!({
        "hierarchy": uid("ConfigMgr::Hierarchy", dice.pick(HIERARCHIES)),
        "name": format!("{}-{id}", dice.pick(&["WS", "SRV"])),
        "coManaged": dice.coin(),
    });
    if dice.coin() {
        attrs["operatingSystem"] = json!(dice.pick(&["Windows 11", "Windows Server 2025"]));
    }
    let parents = each("ConfigMgr::Collection", &dice.some(COLLECTIONS));
    entity("ConfigMgr::Device", id, attrs, &parents)
}

fn assignment(dice: &mut Dice, id: &str, scoped: &[&str]) -> Value {
    let (role, tenant, mut tags) = (dice.pick(ROLES), dice.pick(TENANTS), dice.some(TAGS));
    // The scope tag `*` stands for none.
    if tags.len() > 1 {
        tags.retain(|tag| *tag != "*");
    }
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
    entity("Intune::RoleAssignment", id, attrs, &parents)
}

/// A group may be in earlier ones.
fn group(dice: &mut Dice, number: usize) -> Value {
    let mut parents = each("Entra::Group", &dice.some(&GROUPS[..number]));
    if dice.coin() {
        parents.push(("Intune::RoleAssignment", dice.pick(ASSIGNMENTS)));
    }
    entity("Entra::Group", GROUPS[number], json!({}), &parents)
}

fn person(dice: &mut Dice, id: &str, name: &str) -> Value {
    let mut attrs = json!({
        "tenant": uid("Intune::Tenant", dice.pick(TENANTS)),
        "userPrincipalName": name,
        "cloudOnly": dice.roll(4) == 0,
    });
    if dice.coin() {
        attrs["accountEnabled"] = json!(dice.roll(3) > 0);
    }
    if dice.roll(3) == 0 {
        attrs["eligibleGroups"] = uids("Entra::Group", &dice.some(GROUPS));
    }
    if dice.roll(4) > 0 {
        attrs["configMgr"] = configmgr_rights(dice);
    }
    let mut parents = each("Entra::Group", &dice.some(GROUPS));
    if dice.roll(4) == 0 {
        parents.push(("Intune::RoleAssignment", dice.pick(ASSIGNMENTS)));
    }
    if dice.roll(5) == 0 {
        parents.push(ADMINISTRATOR);
    }
    entity("Entra::User", id, attrs, &parents)
}

/// What somebody may in Configuration Manager.
fn configmgr_rights(dice: &mut Dice) -> Value {
    let in_hierarchies = [
        "discoveredByEntra",
        "discoveredByActiveDirectory",
        "readScripts",
        "readApplications",
        "approveApplications",
    ];
    let on_collections = [
        "read",
        "readResource",
        "notifyResource",
        "runCmPivot",
        "runScript",
        "readBitLockerRecoveryKey",
    ];
    let mut rights = json!({});
    for name in in_hierarchies {
        rights[name] = uids("ConfigMgr::Hierarchy", &dice.some(HIERARCHIES));
    }
    for name in on_collections {
        rights[name] = uids("ConfigMgr::Collection", &dice.some(COLLECTIONS));
    }
    rights
}

/// The id of a template, the id of the link, and the person in the slot `?principal`.
pub(crate) type Link = (String, String, String);

/// Policies of every shape: valid against the schema, some of them failing when evaluated.
pub(crate) fn random_policies(dice: &mut Dice) -> (String, Vec<Link>) {
    let mut text = String::new();
    let mut links = Vec::new();
    for number in 0..dice.roll(12) {
        let effect = match dice.roll(3) {
            0 => "forbid",
            _ => "permit",
        };
        let principal = principal(dice);
        let (action, resource) = (action(dice), resource(dice));
        let mut conditions = String::new();
        for _ in 0..dice.roll(3) {
            let keyword = if dice.coin() { "when" } else { "unless" };
            let condition = condition(dice, action);
            conditions.push_str(&format!("\n{keyword} {{ {condition} }}"));
        }
        let id = format!("random.{number}");
        text.push_str(&format!(
            "@id(\"{id}\")\n{effect} ({principal}, {action}, {resource}){conditions};\n"
        ));
        if principal.contains("?principal") {
            // A forbid without a link holds nobody back, which is an error.
            let least = usize::from(effect == "forbid");
            for link in 0..dice.roll(3).max(least) {
                let person = format!("Entra::User::\"{}\"", dice.pick(PEOPLE));
                links.push((id.clone(), format!("{id}.link{link}"), person));
            }
        }
    }
    (text, links)
}

fn principal(dice: &mut Dice) -> String {
    match dice.roll(7) {
        0 => format!("principal == Entra::User::\"{}\"", dice.pick(PEOPLE)),
        1 => format!("principal in Entra::Group::\"{}\"", dice.pick(GROUPS)),
        2 => format!("principal in Intune::Role::\"{}\"", dice.pick(ROLES)),
        3 => format!("principal in Intune::Tenant::\"{}\"", dice.pick(TENANTS)),
        4 => "principal is Entra::User".to_owned(),
        5 => "principal == ?principal".to_owned(),
        _ => "principal".to_owned(),
    }
}

fn action(dice: &mut Dice) -> &'static str {
    match dice.roll(4) {
        0 => "action in [Intune::Action::\"viewScripts\", Intune::Action::\"runScript\"]",
        1 => "action in Intune::Action::\"cloudAttachedDevices\"",
        2 => "action == Intune::Action::\"viewTimeline\"",
        _ => {
            "action in [Intune::Action::\"remoteTasks\", Intune::Action::\"cloudAttachedDevices\"]"
        }
    }
}

fn resource(dice: &mut Dice) -> String {
    match dice.roll(5) {
        0 => format!("resource == ConfigMgr::Device::\"{}\"", dice.pick(DEVICES)),
        1 => format!(
            "resource in ConfigMgr::Collection::\"{}\"",
            dice.pick(COLLECTIONS)
        ),
        2 => "resource is ConfigMgr::Device".to_owned(),
        _ => "resource".to_owned(),
    }
}

fn condition(dice: &mut Dice, scope: &str) -> String {
    // A condition on an action that the scope leaves out could never be true.
    let one = match scope.contains("runScript") {
        true => "runScript",
        false => "viewTimeline",
    };
    match dice.roll(28) {
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
                17 => format!("action == Intune::Action::\"{one}\" && resource.coManaged"),
                19 => "principal has accountEnabled && !principal.accountEnabled".to_owned(),
                20 => "principal has eligibleGroups && principal in principal.eligibleGroups".to_owned(),
                21 => "principal.tenant has scopedPermissions && principal.tenant.scopedPermissions".to_owned(),
                18 => format!("resource == ConfigMgr::Device::\"{}\" || principal == Entra::User::\"{}\"", dice.pick(DEVICES), dice.pick(PEOPLE)),
                22 => "resource.name == principal.userPrincipalName".to_owned(),
        23 => "principal has accountEnabled && resource.coManaged == principal.accountEnabled".to_owned(),
        24 => "principal.userPrincipalName == resource.name || resource.coManaged == principal.cloudOnly".to_owned(),
        25 => "resource has operatingSystem && resource.operatingSystem == principal.userPrincipalName".to_owned(),
        26 => "if resource.coManaged then resource.name == principal.userPrincipalName else principal.cloudOnly".to_owned(),
        _ => "principal.tenant == resource.hierarchy.tenant".to_owned(),
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
