//! Changed decisions of a snapshot.

use schemars::JsonSchema;
use serde::Serialize;

use tarbac_assurance::snapshot::{CellDecision, Flip};

/// The JSON of a changed decision.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FlipWire<'a> {
    kind: &'static str,
    principal: &'a str,
    action: &'a str,
    resource: &'a str,
    resource_name: &'a str,
    before: Option<&'a CellDecision>,
    after: Option<&'a CellDecision>,
}

/// A changed decision in one line.
pub fn line(flip: &Flip) -> String {
    let cell = &flip.cell;
    let decided = |decided: &Option<CellDecision>| match decided {
        None => "not in the table".to_owned(),
        Some(CellDecision { mark, policy }) => match policy {
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

/// A changed decision for programs.
pub fn wire(flip: &Flip) -> FlipWire<'_> {
    FlipWire {
        kind: flip.kind.words(),
        principal: &flip.cell.principal,
        action: &flip.cell.action,
        resource: &flip.cell.resource,
        resource_name: &flip.resource,
        before: flip.before.as_ref(),
        after: flip.after.as_ref(),
    }
}
