//! The links of policy templates.
//!
//! A link file has the format of `cedar link`: a JSON array of
//! `{"template_id": …, "link_id": …, "args": {"?principal": "Type::\"id\"", …}}`.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{EntityUid, ParseErrors};
use cedar_policy_core::ast;
use serde::Deserialize;
use serde_json::Value;

use super::parse::Template;
use super::policy::Policy;
use crate::json::StrictJson;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    template_id: String,
    link_id: String,
    args: BTreeMap<String, String>,
}

/// The policies that the files make of the templates.
pub(super) fn link(templates: &[Template], sources: &[Arc<Source>]) -> (Vec<Policy>, Vec<Finding>) {
    let mut policies = Vec::new();
    let mut findings = Vec::new();
    for source in sources {
        // A slot that is filled twice is no slot with the last value.
        let links = serde_json::from_str::<StrictJson>(source.text());
        let links = links.and_then(|_| serde_json::from_str::<Vec<Link>>(source.text()));
        let links = match links {
            Ok(links) => links,
            Err(error) => {
                let finding = Finding::error(
                    code::policy::LINK,
                    format!("not a file of template links: {error}"),
                )
                .label(Place::new(source, 0..0), "in this file");
                findings.push(match is_of_policies(source.text()) {
                    true => finding.help("policies in the JSON format are not read: `cedar translate-policy --direction json-to-cedar --policies FILE` makes a `.cedar` file of them"),
                    false => finding,
                });
                continue;
            }
        };
        for link in links {
            match link_one(templates, &link) {
                Ok(policy) => policies.push(policy),
                Err(error) => findings.push(
                    Finding::error(
                        code::policy::LINK,
                        format!("the link `{}` {error}", link.link_id),
                    )
                    .label(Place::new(source, 0..0), "in this file"),
                ),
            }
        }
    }
    (policies, findings)
}

/// Whether a text has policies in Cedar's JSON format: one, a set, or a list of them.
/// <https://docs.cedarpolicy.com/policies/json-format.html>
fn is_of_policies(text: &str) -> bool {
    let is_of = |value: &Value| {
        let mut keys = ["effect", "staticPolicies", "templates", "templateLinks"].iter();
        keys.any(|key| value.get(key).is_some())
    };
    match serde_json::from_str(text) {
        Ok(Value::Array(values)) => values.iter().any(is_of),
        Ok(value) => is_of(&value),
        Err(_) => false,
    }
}

/// The reason why a template was not linked; displays as a predicate after the link.
#[derive(Debug, thiserror::Error)]
enum LinkError {
    #[error("is of a template `{0}` that does not exist")]
    Template(String),
    #[error("fills `{0}`, which is no slot")]
    Slot(String),
    #[error("has `{0}`, which is no entity: {1}")]
    Entity(String, Box<ParseErrors>),
    #[error("cannot be made: {0}")]
    Linking(#[from] Box<ast::LinkingError>),
}

fn link_one(templates: &[Template], link: &Link) -> Result<Policy, LinkError> {
    let template = templates
        .iter()
        .find(|template| template.ast.id().to_string() == link.template_id)
        .ok_or_else(|| LinkError::Template(link.template_id.clone()))?;
    let mut values = HashMap::new();
    for (slot, uid) in &link.args {
        let slot = match slot.as_str() {
            "?principal" => ast::SlotId::principal(),
            "?resource" => ast::SlotId::resource(),
            other => return Err(LinkError::Slot(other.to_owned())),
        };
        let uid = EntityUid::from_str(uid)
            .map_err(|error| LinkError::Entity(uid.clone(), Box::new(error)))?;
        values.insert(slot, uid.into());
    }
    let id = ast::PolicyID::from_string(&link.link_id);
    let policy = ast::Template::link(Arc::clone(&template.ast), id, values).map_err(Box::new)?;
    Ok(Policy::new(
        policy,
        template.place.clone(),
        template.shipped,
    ))
}
