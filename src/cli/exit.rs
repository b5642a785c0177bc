//! The exit status.

use std::process::ExitCode;

use tarbac_host::Decision;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Allow, clean, done.
    Yes,
    /// Deny, findings.
    No,
    /// Could not answer.
    Unanswered,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Yes => Self::SUCCESS,
            Exit::No => Self::from(1),
            Exit::Unanswered => Self::from(2),
        }
    }
}

impl From<Decision> for Exit {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Allow => Self::Yes,
            Decision::Deny => Self::No,
            Decision::Indeterminate => Self::Unanswered,
        }
    }
}
