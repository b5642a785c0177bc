//! Changed decisions of a snapshot.

use schemars::JsonSchema;
use serde::Serialize;

use tarbac_assurance::snapshot::{Decided, Flip};

/// A decision that is another than it was, in JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire<'a> {
    kind: &'static str,
    principal: &'a str,
    action: &'a str,
    resource: &'a str,
    resource_name: &'a str,
    before: Option<&'a Decided>,
    after: Option<&'a Decided>,
}

/// A decision that is another than it was, in one line.
pub fn line(flip: &Flip) -> String {
    let cell = &flip.cell;
    let decided = |decided: &Option<Decided>| match decided {
        None => "not in the table".to_owned(),
        Some(Decided { mark, policy }) => match policy {
            Some(policy) => format!("{} {policy}", mark.sign()),
            None => format!("{} no policy", mark.sign()),
        },
    };
    format!(
        "{}: {}, {}, {}: {} → {}",
        flip.kind.words(),
        cell.principal,
        cell.action,
        flip.resource,
        decided(&flip.before),
        decided(&flip.after)
    )
}

/// The same for programs.
pub fn wire(flip: &Flip) -> Wire<'_> {
    Wire {
        kind: flip.kind.words(),
        principal: &flip.cell.principal,
        action: &flip.cell.action,
        resource: &flip.cell.resource,
        resource_name: &flip.resource,
        before: flip.before.as_ref(),
        after: flip.after.as_ref(),
    }
}
