//! A world for tarbac and for plain Cedar.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{
    Authorizer, Context, Entities, EntityUid, Policy, PolicyId, PolicySet, Request as CedarRequest,
    SlotId, Template,
};
use serde_json::{Value, json};
use tarbac::bundle::{self, Bundle, Texts};
use tarbac::decision::{Decision, Request};
use tarbac::directory::{Directory, EntityRules, Input};
use tarbac::engine::Engine;
use tarbac::source::Source;
use tarbac::{Switches, shipped};

use super::random::{
    DEVICES, Dice, Link, PEOPLE, TENANTS, link_file, random_directory, random_policies,
};

/// Every policy in force, as plain Cedar has it.
pub(crate) fn plain_policies(texts: &Texts, links: &[Link], readings: &[String]) -> PolicySet {
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

pub(crate) fn bundle_of(texts: &Texts) -> Bundle {
    let (bundle, findings) = bundle::read(texts);
    bundle.unwrap_or_else(|_| panic!("{findings:#?}"))
}

pub(crate) fn directory_of(json: &Value, bundle: &Bundle) -> Directory {
    let named = bundle.named_entities();
    let input = Input {
        source: Source::held("entities.json", ""),
        reader: Box::new(std::io::Cursor::new(json.to_string())),
    };
    let (directory, findings) = Directory::read(
        vec![input],
        bundle.schema(),
        &named,
        &EntityRules::default(),
    );
    assert!(findings.is_empty(), "{findings:#?}");
    directory
}

fn owned(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

/// A random world with random policies beside those that ship, for tarbac and for plain Cedar.
pub(crate) struct Both {
    pub(crate) engine: Engine,
    pub(super) policies: PolicySet,
    pub(super) entities: Entities,
    pub(crate) json: Value,
    pub(crate) texts: Texts,
    pub(super) links: Vec<Link>,
    /// Those whom, and what, is asked about, be they there or not.
    pub(super) people: Vec<String>,
    pub(super) devices: Vec<String>,
    /// What is known about every request.
    pub(super) about: Value,
}

impl Both {
    pub(crate) fn of(dice: &mut Dice, switches: &Switches) -> Self {
        Self::of_entities(dice, random_directory, switches)
    }

    pub(crate) fn of_entities(
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
            people: owned(PEOPLE),
            devices: owned(DEVICES),
            about: json!({}),
        }
    }

    /// The same world, asked about others and under another context.
    pub(crate) fn asked(self, people: &[&str], devices: &[&str], about: Value) -> Self {
        Self {
            people: owned(people),
            devices: owned(devices),
            about,
            ..self
        }
    }

    /// What is known about a request of an action.
    pub(crate) fn context(&self, action: &EntityUid) -> Context {
        self.engine.context(action, self.about.clone()).unwrap()
    }

    /// The context in which something is known about a request, for each permission.
    pub(crate) fn contexts(&self, about: &Value) -> HashMap<EntityUid, Context> {
        let permissions = self.engine.bundle().vocabulary().permissions();
        let context = |uid: &EntityUid| self.engine.context(uid, about.clone()).unwrap();
        permissions
            .map(|action| (action.uid.clone(), context(&action.uid)))
            .collect()
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
        let uids = |type_name: &str, ids: &[String]| -> Vec<EntityUid> {
            let uid = |id: &String| EntityUid::from_str(&format!("{type_name}::\"{id}\"")).unwrap();
            ids.iter().map(uid).collect()
        };
        let people = uids("Entra::User", &self.people);
        let devices = uids("ConfigMgr::Device", &self.devices);
        let tenants = uids("Intune::Tenant", &owned(TENANTS));
        let mut requests = Vec::new();
        for action in self.engine.bundle().vocabulary().permissions() {
            let resources = match action.id() {
                "updateRoles" => &tenants,
                _ => &devices,
            };
            let context = self.context(&action.uid);
            for person in &people {
                requests.extend(resources.iter().map(|resource| Request {
                    principal: person.clone(),
                    action: action.uid.clone(),
                    resource: resource.clone(),
                    context: context.clone(),
                }));
            }
        }
        requests
    }
}
