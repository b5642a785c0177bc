//! The engine that answers a question: the one served, or one with changes.

use std::sync::Arc;

use tarbac_analysis::change::what_if::{self, Premises};
use tarbac_analysis::inquiry::InquiryError;
use tarbac_host::{Engine, Switches};

use super::arguments::Suppositions;
use crate::fault::Fault;
use crate::served::Served;

/// An engine, and what it supposes.
pub(crate) struct Supposed {
    pub(crate) engine: Arc<Engine>,
    pub(crate) premises: Premises,
}

/// The workspace with what a question supposes. Nothing of it is written anywhere.
///
/// # Errors
/// A change cannot be made, or a reading is unknown.
pub(crate) fn supposed(served: &Served, given: &Suppositions) -> Result<Supposed, Fault> {
    if given.is_empty() {
        return Ok(Supposed {
            engine: Arc::clone(&served.engine),
            premises: Premises::default(),
        });
    }
    let switches = switches(&served.engine, &given.switches);
    let supposed = what_if::suppose(&served.engine, &given.changes, &switches);
    let (engine, mut premises) =
        supposed.map_err(|findings| refused(&InquiryError::Findings(findings)))?;
    if given.changes.is_empty() {
        premises = Premises::default();
    }
    Ok(Supposed {
        engine: Arc::new(engine),
        premises,
    })
}

/// Every reading that is on and off: as it is served, but for what is asked.
pub(crate) fn switches(engine: &Engine, asked: &Switches) -> Switches {
    let known = engine.bundle().readings().iter();
    let known = known
        .filter(|reading| !asked.on.contains(&reading.name) && !asked.off.contains(&reading.name));
    let is_on = |name: &String| engine.readings().contains(name);
    let (on, off): (Vec<String>, Vec<String>) =
        known.map(|reading| reading.name.clone()).partition(is_on);
    Switches {
        on: asked.on.iter().cloned().chain(on).collect(),
        off: asked.off.iter().cloned().chain(off).collect(),
    }
}

/// An inquiry without an answer, as its sender is told.
pub(crate) fn refused(error: &InquiryError) -> Fault {
    let help = match error {
        InquiryError::Findings(findings) => findings.first().and_then(|of| of.help.clone()),
        error => miette::Diagnostic::help(error).map(|help| help.to_string()),
    };
    let message = match help {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    };
    Fault::bad_request(message)
}
