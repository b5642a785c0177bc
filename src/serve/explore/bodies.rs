//! The role changes of a plan as request bodies of Microsoft Graph.

use std::collections::BTreeSet;

use cedar_policy::EntityUid;
use tarbac_analysis::plan::{PlannedRoles, RoleChange, RoleChangeKind};
use tarbac_host::Engine;
use tarbac_tenant::graph_role::RoleDefinition;

/// A request of Microsoft Graph that makes a role change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GraphRequest {
    /// The method and the path.
    pub(crate) call: String,
    /// The body.
    pub(crate) body: String,
}

/// A request for each role change of a plan against losses, and then of that against gains; `None` where Graph cannot say
/// the role.
pub(crate) fn bodies(engine: &Engine, roles: &PlannedRoles) -> Vec<Option<GraphRequest>> {
    let PlannedRoles::Planned(plan) = roles else {
        return Vec::new();
    };
    plan.every_change()
        .map(|change| request(engine, change))
        .collect()
}

fn request(engine: &Engine, change: &RoleChange) -> Option<GraphRequest> {
    let actions = change
        .permissions
        .iter()
        .map(|permission| &permission.action);
    let changed = actions.filter_map(|uid| graph_id(engine, uid));
    let changed: BTreeSet<String> = changed.collect();
    let base = match change.what {
        RoleChangeKind::Made => None,
        RoleChangeKind::Extended | RoleChangeKind::Reduced => Some(&change.role),
        RoleChangeKind::Replaced => Some(change.instead_of.as_ref()?),
    };
    let known = base.map(|role| RoleDefinition::for_role(engine, &role.uid));
    let known = known.transpose().ok()?;
    let has: BTreeSet<String> = known
        .iter()
        .flat_map(RoleDefinition::allowed)
        .map(str::to_owned)
        .collect();
    let allowed: BTreeSet<String> = match change.what {
        RoleChangeKind::Made | RoleChangeKind::Extended => has.union(&changed).cloned().collect(),
        RoleChangeKind::Reduced | RoleChangeKind::Replaced => {
            has.difference(&changed).cloned().collect()
        }
    };
    let is_new = matches!(change.what, RoleChangeKind::Made | RoleChangeKind::Replaced);
    let description = known
        .as_ref()
        .map_or("", |known| known.description.as_str());
    let definition = RoleDefinition::listing(&change.role.name, description, allowed);
    let path = "https://graph.microsoft.com/beta/deviceManagement/roleDefinitions";
    let call = match is_new {
        true => format!("POST {path}"),
        false => format!("PATCH {path}/{}", change.role.uid.id().unescaped()),
    };
    Some(GraphRequest {
        call,
        body: tarbac_report::json(&definition),
    })
}

fn graph_id(engine: &Engine, action: &EntityUid) -> Option<String> {
    let action = engine.bundle().vocabulary().action(action)?;
    action.annotations.get("graph").cloned()
}
