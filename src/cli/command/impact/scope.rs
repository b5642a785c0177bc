//! The people, permissions and devices that a comparison is limited to.

use clap::Args;
use tarbac_analysis::change::impact::About;
use tarbac_host::Engine;
use tarbac_host::lookup::{Lookup, Name, Part};

use super::super::candidates;
use crate::arguments::offered;
use crate::failure::Failure;

/// Whom and what a comparison is about; the totals and the exit status speak of nothing else.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Compare only")]
pub(crate) struct OnlyArgs {
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

/// Whom and what a comparison of two states is about, which are there in one of them.
pub(crate) fn about(states: [&Engine; 2], only: &OnlyArgs) -> Result<About, Failure> {
    let names = states.map(Lookup::of);
    let named = |texts: &[String], part: Part| {
        let found = texts.iter().map(|text| {
            let name = Name::from(text.as_str());
            let in_state = |names: &Lookup<'_>| match part {
                Part::Principal => names.any_principal(&name),
                Part::Action => names.action(&name).map(|action| action.uid.clone()),
                Part::Resource => names.any_resource(&name),
            };
            let [before, after] = &names;
            let found = in_state(after).or_else(|error| in_state(before).map_err(|_| error));
            found.map_err(|error| after.suggest(error, None))
        });
        found.collect::<Result<Vec<_>, _>>()
    };
    Ok(About {
        principals: named(&only.principal, Part::Principal)?,
        actions: named(&only.action, Part::Action)?,
        resources: named(&only.resource, Part::Resource)?,
    })
}

/// What a comparison is about, in words; none where it is about everything.
pub(crate) fn only(only: &OnlyArgs) -> Option<String> {
    let named = [&only.principal, &only.action, &only.resource];
    let named: Vec<String> = named
        .into_iter()
        .filter(|names| !names.is_empty())
        .map(|names| names.join(", "))
        .collect();
    (!named.is_empty()).then(|| format!("only about {}", named.join("; ")))
}
