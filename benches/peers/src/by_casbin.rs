//! The rules by casbin: roles and their actions as policies, and what depends on attributes in functions of the matcher.
//!
//! Functions of casbin have no state, so the facts are global.

use std::sync::{Mutex, PoisonError};

use casbin::{CoreApi, DefaultModel, Enforcer, MgmtApi, OperatorFunction};
use rhai::Dynamic;
use serde_json::Value;
use tarbac::decision::Request;
use tokio::runtime::{Builder, Runtime};

use super::facts::Facts;
use super::tenant::{self, Tenant};

static FACTS: Mutex<Value> = Mutex::new(Value::Null);

pub struct Casbin(Enforcer);

impl Casbin {
    pub fn new(facts: Facts, tenant: &Tenant) -> Self {
        let runtime: Runtime = Builder::new_current_thread().build().unwrap();
        let (policies, groups) = (policies(&facts.json), groups(&facts.json, tenant));
        *FACTS.lock().unwrap_or_else(PoisonError::into_inner) = facts.json;
        Self(runtime.block_on(async {
            let model = DefaultModel::from_str(include_str!("model.conf")).await.unwrap();
            let mut enforcer = Enforcer::new(model, ()).await.unwrap();
            let decides: fn(Dynamic) -> Dynamic = |device| {
                with(|facts| intune_decides(hierarchy(facts, &text(device))).into())
            };
            let refused: fn(Dynamic, Dynamic, Dynamic) -> Dynamic = |person, device, action| {
                let (person, device, action) = (text(person), text(device), text(action));
                with(|facts| refused(facts, &person, &device, &action).into())
            };
            enforcer.add_function("intuneDecides", OperatorFunction::Arg1(decides));
            enforcer.add_function("refused", OperatorFunction::Arg3(refused));
            enforcer.add_policies(policies).await.unwrap();
            enforcer.add_grouping_policies(groups).await.unwrap();
            enforcer
        }))
    }

    pub fn allows(&self, request: &Request) -> bool {
        let [sub, obj, act] = [&request.principal, &request.resource, &request.action]
            .map(|uid| uid.id().unescaped().to_owned());
        self.0.enforce((sub, obj, act)).unwrap()
    }
}

/// A role that everybody has who has any.
const ANY: &str = "any role";

fn policies(facts: &Value) -> Vec<Vec<String>> {
    let of = |role: &str, actions: &Value, when: &str| -> Vec<Vec<String>> {
        let actions = actions.as_object().unwrap().keys();
        let row = actions.map(|action| vec![role.to_owned(), action.clone(), when.to_owned()]);
        row.collect()
    };
    let roles = facts["roles"].as_object().unwrap().iter();
    let mut all: Vec<Vec<String>> =
        roles.flat_map(|(role, actions)| of(role, actions, "always")).collect();
    all.extend(of(ANY, &facts["groups"]["attached"], "configmgr"));
    for role in ["Global Administrator", "Intune Administrator"] {
        all.extend(of(role, &facts["groups"]["attached"], "always"));
        all.extend(of(role, &facts["groups"]["remote"], "always"));
    }
    all
}

fn groups(facts: &Value, tenant: &Tenant) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for id in (0..tenant.people).map(tenant::person) {
        let person = &facts["people"][&id];
        let mut row = |role: &str| all.push(vec![id.clone(), role.to_owned()]);
        for roles in ["roles", "directoryRoles"] {
            person[roles].as_object().unwrap().keys().for_each(|role| row(role));
        }
        if !person["roles"].as_object().unwrap().is_empty() {
            row(ANY);
        }
    }
    all
}

fn text(value: Dynamic) -> String {
    value.into_string().unwrap()
}

fn with<T>(read: impl FnOnce(&Value) -> T) -> T {
    read(&FACTS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The hierarchy of a device, and its tenant.
fn hierarchy<'f>(facts: &'f Value, device: &str) -> (&'f Value, &'f Value) {
    let site = facts["devices"][device]["hierarchy"].as_str().unwrap();
    let hierarchy = &facts["hierarchies"][site];
    (hierarchy, &facts["tenants"][hierarchy["tenant"].as_str().unwrap()])
}

fn intune_decides((hierarchy, tenant): (&Value, &Value)) -> bool {
    tenant["useIntuneRbac"] == true
        && hierarchy["enforceConfigMgrRbac"] == false
        && hierarchy["version"].as_i64() >= Some(2207)
}

fn refused(facts: &Value, person: &str, device: &str, action: &str) -> bool {
    let (hierarchy, tenant) = hierarchy(facts, device);
    let (person, device) = (&facts["people"][person], &facts["devices"][device]);
    let site = device["hierarchy"].as_str().unwrap();
    let version = hierarchy["version"].as_i64().unwrap();
    let updates = action == "viewSoftwareUpdates";
    let is_out = person["tenant"] != hierarchy["tenant"]
        || person["accountEnabled"] == false
        || updates && person["cloudOnly"] == true && version == 2207 && hierarchy["earlyUpdateRing"] == true
        || updates && version < 2111
        || action == "rotateBitLockerKeys" && version < 2107;
    if is_out || intune_decides((hierarchy, tenant)) {
        return is_out;
    }
    let of = &person["configMgr"];
    let collections = device["collections"].as_object().unwrap();
    let granted = |name: &str| collections.keys().any(|id| of[name][id] == true);
    let in_site = |name: &str| of[name][site] == true;
    let may = match action {
        "viewResourceExplorer" => granted("readResource"),
        "viewTimeline" => granted("readResource") && granted("notifyResource"),
        "viewScripts" => granted("readResource") && in_site("readScripts"),
        "runScript" => granted("readResource") && granted("runScript") && in_site("readScripts"),
        "rotateBitLockerKeys" => granted("readBitLockerRecoveryKey"),
        "initiateConfigurationManagerAction" => granted("notifyResource"),
        "runCmPivotQuery" => granted("runCmPivot") || granted("runScript"),
        "viewApplications" | "takeApplicationActions" => {
            in_site("readApplications") && in_site("approveApplications")
        }
        _ => true,
    };
    let has_role = !person["directoryRoles"].as_object().unwrap().is_empty()
        || person["tenants"][hierarchy["tenant"].as_str().unwrap()] == true;
    let is_discovered = in_site("discoveredByEntra") && in_site("discoveredByActiveDirectory");
    person["cloudOnly"] == true || !has_role || !is_discovered || !granted("read") || !may
}
