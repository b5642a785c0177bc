//! The arguments of the decision log.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tarbac_analysis::decision_log::JsonPointer;
use tarbac_serve::{DecisionLogSettings, LogTarget, Unlogged};

/// Where and how decisions are logged.
#[derive(Debug, Args)]
#[command(next_help_heading = "Decision log")]
pub(crate) struct DecisionLogArgs {
    /// Write a JSON line for each decision into this file, or with - to standard output.
    #[arg(
        long,
        value_name = "PATH",
        env = "TARBAC_DECISION_LOG",
        hide_env_values = true
    )]
    pub decision_log: Option<PathBuf>,

    /// What happens to a decision that cannot be logged.
    #[arg(
        long,
        value_name = "HOW",
        env = "TARBAC_DECISION_LOG_LOSS",
        hide_env_values = true,
        default_value = "refuse"
    )]
    pub decision_log_loss: UnloggedArg,

    /// Leave the value at this JSON pointer out of the lines, for example /context/ip; repeatable.
    #[arg(
        long,
        value_name = "POINTER",
        env = "TARBAC_DECISION_LOG_OMIT",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub decision_log_omit: Vec<JsonPointer>,
}

/// What happens to a decision that cannot be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnloggedArg {
    /// Refuse the request with 503.
    Refuse,
    /// Answer, and count the lost record.
    Count,
}

impl DecisionLogArgs {
    pub(super) fn settings(&self) -> Option<DecisionLogSettings> {
        let path = self.decision_log.clone()?;
        Some(DecisionLogSettings {
            target: LogTarget::from(path),
            unlogged: match self.decision_log_loss {
                UnloggedArg::Refuse => Unlogged::Refuse,
                UnloggedArg::Count => Unlogged::Count,
            },
            omit: self.decision_log_omit.clone(),
        })
    }
}
