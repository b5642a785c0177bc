//! Refusals of an import: data that would be lost, and files in the way.

use std::path::Path;

use tarbac_host::record::KeptFile;
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
        help: Some("add the missing exports, new ones or those of the last import, and what tenant.json declared; if the tenant no longer has these data, --drop-missing removes them".to_owned()),
    }
    .into()
}

/// The failure that lists the files in the way.
pub(super) fn conflict_failure(conflicts: &[KeptFile], has_record: bool, out: &Path) -> Failure {
    let mut lines: Vec<String> = conflicts
        .iter()
        .take(LISTED)
        .map(|kept| format!("  {}: {}", kept.path, render::import::why(kept.why)))
        .collect();
    let more = conflicts.len().saturating_sub(LISTED);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    let is_adoption = |kept: &KeptFile| kept.path.starts_with("entities/");
    let help = match !has_record && conflicts.iter().all(is_adoption) {
        true => {
            "if they come from an import without a record, --force replaces them; other files of the workspace stay"
        }
        false => {
            "move your changes into a file of their own, or discard them with --take PATH; --dry-run lists all of them"
        }
    };
    ShellError::Arguments {
        message: format!(
            "nothing was imported into `{}`, because it would overwrite files that somebody changed:\n{}",
            out.display(),
            lines.join("\n")
        ),
        help: Some(help.to_owned()),
    }
    .into()
}
