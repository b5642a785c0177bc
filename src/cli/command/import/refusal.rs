//! Refusals of an import: data that would be lost, and files in the way.

use std::path::Path;

use tarbac_host::record::Kept;
use tarbac_report as render;

use crate::failure::{Failure, ShellError};

/// The most files in the way that are listed.
const LISTED: usize = 20;

/// The failure that lists data that the exports lack.
pub(super) fn loss_failure(lost: &[String], out: &Path) -> Failure {
    let mut lines: Vec<String> = lost
        .iter()
        .take(LISTED)
        .map(|lost| format!("  {}", render::import::lost(lost)))
        .collect();
    let more = lost.len().saturating_sub(LISTED);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    ShellError::Arguments {
        message: format!(
            "nothing was imported into `{}`, because it has data that the exports lack, which would be removed:\n{}",
            out.display(),
            lines.join("\n")
        ),
        help: Some("put what is missing beside the other exports, anew or as it was exported last; where the tenant has it no more, --drop-missing removes it".to_owned()),
    }
    .into()
}

/// The failure that lists the files in the way.
pub(super) fn conflict_failure(conflicts: &[Kept], has_record: bool, out: &Path) -> Failure {
    let mut lines: Vec<String> = conflicts
        .iter()
        .take(LISTED)
        .map(|kept| format!("  {}: {}", kept.path, render::import::why(kept.why)))
        .collect();
    let more = conflicts.len().saturating_sub(LISTED);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    let is_adoption = |kept: &Kept| kept.path.starts_with("entities/");
    let help = match !has_record && conflicts.iter().all(is_adoption) {
        true => {
            "where they are those of an import that kept no record, --force replaces them; what else is in the workspace stays"
        }
        false => {
            "move what you wrote into a file of its own, or give up what is there with --take PATH; --dry-run shows everything"
        }
    };
    ShellError::Arguments {
        message: format!(
            "nothing was imported into `{}`, because it would overwrite what somebody wrote:\n{}",
            out.display(),
            lines.join("\n")
        ),
        help: Some(help.to_owned()),
    }
    .into()
}
