//! The texts and JSON of `role diff`: where policies and tenant disagree on a role.

use schemars::JsonSchema;
use serde::Serialize;

use super::words::counted;
use super::{Style, VERSION};
use crate::schema;
use tarbac_host::decision::Provenance;
use tarbac_tenant::graph_role::RoleDifference;

/// The roles that differ, and the number of roles.
pub fn human(differences: &[RoleDifference], style: Style) -> String {
    let mut text = String::new();
    let different: Vec<&RoleDifference> = differences.iter().filter(|of| !of.is_none()).collect();
    for difference in &different {
        let of = match &difference.id {
            Some(id) => id.clone(),
            None => "the tenant has no such role".to_owned(),
        };
        text += &format!("{} ({of})\n", difference.name);
        for permission in &difference.only_tenant {
            let sign = style.green("+");
            text += &format!("  {sign} {permission}: the tenant gives it, and no policy does\n");
        }
        for permission in &difference.only_policies {
            let sign = style.red("-");
            text += &format!("  {sign} {permission}: a policy gives it, and the tenant does not\n");
        }
        for finding in &difference.unclear {
            text += &format!("  {} {}\n", style.yellow("?"), finding.message);
        }
    }
    let of = counted(differences.len(), "role");
    text + &match different.len() {
        0 => format!("{}: {of}\n", style.green("same")),
        count => format!("{}: {count} of {of}\n", style.red("different")),
    }
}

/// The JSON Schema of a comparison of roles.
pub const SCHEMA: fn() -> String =
    schema::text::<super::provenance::With<'static, Document<'static>>>;

#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    version: u32,
    same: bool,
    roles: Vec<Role<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Role<'a> {
    name: &'a str,
    id: Option<&'a str>,
    only_tenant: &'a [String],
    only_policies: &'a [String],
    unclear: Vec<&'a str>,
}

/// Every role with its differences, as JSON.
pub fn document(differences: &[RoleDifference], provenance: &Provenance) -> String {
    let document = Document {
        version: VERSION,
        same: differences.iter().all(RoleDifference::is_none),
        roles: differences
            .iter()
            .map(|difference| Role {
                name: &difference.name,
                id: difference.id.as_deref(),
                only_tenant: &difference.only_tenant,
                only_policies: &difference.only_policies,
                unclear: difference
                    .unclear
                    .iter()
                    .map(|finding| finding.message.as_str())
                    .collect(),
            })
            .collect(),
    };
    super::provenance::document(document, provenance)
}
