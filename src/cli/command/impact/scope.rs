//! The filters `--principal`, `--action` and `--resource` of a comparison, resolved.

use clap::Args;
use tarbac_analysis::change::impact::About;
use tarbac_host::Engine;
use tarbac_host::lookup::{Lookup, Name, RequestPart};

use super::super::candidates;
use crate::arguments::offered;
use crate::failure::Failure;

/// Limits of a comparison; the totals and the exit status are about nothing else.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Compare only")]
pub(crate) struct ScopeArgs {
    /// Compare what this person may do; repeatable.
    #[arg(long, value_name = "PRINCIPAL", add = offered(candidates::principals))]
    pub principal: Vec<String>,

    /// Compare this permission; repeatable.
    #[arg(long, value_name = "ACTION", add = offered(candidates::actions))]
    pub action: Vec<String>,

    /// Compare what may be done on this device or tenant; repeatable.
    #[arg(long, value_name = "RESOURCE", add = offered(candidates::resources))]
    pub resource: Vec<String>,
}

/// The limits of a comparison. Each named entity must exist in one of the two states.
pub(crate) fn about(states: [&Engine; 2], scope: &ScopeArgs) -> Result<About, Failure> {
    let names = states.map(Lookup::new);
    let named = |texts: &[String], part: RequestPart| {
        let found = texts.iter().map(|text| {
            let name = Name::from(text.as_str());
            let in_state = |names: &Lookup<'_>| match part {
                RequestPart::Principal => names.any_principal(&name),
                RequestPart::Action => names.action(&name).map(|action| action.uid.clone()),
                RequestPart::Resource => names.any_resource(&name),
            };
            let [before, after] = &names;
            let found = in_state(after).or_else(|error| in_state(before).map_err(|_| error));
            found.map_err(|error| after.suggest(error, None))
        });
        found.collect::<Result<Vec<_>, _>>()
    };
    Ok(About {
        principals: named(&scope.principal, RequestPart::Principal)?,
        actions: named(&scope.action, RequestPart::Action)?,
        resources: named(&scope.resource, RequestPart::Resource)?,
    })
}

/// The limits of a comparison in words; `None` without limits.
pub(crate) fn in_words(scope: &ScopeArgs) -> Option<String> {
    let named = [&scope.principal, &scope.action, &scope.resource];
    let named: Vec<String> = named
        .into_iter()
        .filter(|names| !names.is_empty())
        .map(|names| names.join(", "))
        .collect();
    (!named.is_empty()).then(|| format!("only about {}", named.join("; ")))
}
