//! Arguments that limit a comparison.

use clap::Args;

use super::offered;
use crate::command::candidates;

/// Whom and what a comparison is about; the totals and the exit status speak of nothing else.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Compare only")]
pub struct Only {
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
