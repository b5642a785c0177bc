//! The filters `--principal`, `--action` and `--resource` of a comparison, resolved.

use clap::Args;
use tarbac_analysis::inquiry::ScopeInquiry;

use super::super::candidates;
use crate::arguments::offered;

/// Limits of a comparison; the totals and the exit status count only requests within them.
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

impl ScopeArgs {
    /// The limits as they are given.
    pub(crate) fn given(&self) -> ScopeInquiry {
        ScopeInquiry {
            principals: self.principal.clone(),
            actions: self.action.clone(),
            resources: self.resource.clone(),
        }
    }
}
