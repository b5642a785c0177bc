//! The manifest of a folder of policies or schema: what the folder says of itself.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_saphyr::Error;

use crate::yaml;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};

/// The name of the file, in the folder itself.
pub(super) const NAME: &str = "tarbac.yaml";

/// What everybody is told who may have to write one.
pub(super) const HELP: &str = "a manifest is the line `replaces: shipped`, and says that the files beside it are in force and none of those that ship";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    replaces: Replaced,
}

/// What the files of the folder stand in the place of.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Replaced {
    /// What ships with tarbac.
    Shipped,
}

/// Whether a path is that of a manifest, be it where one is read or not.
pub(super) fn is_called(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == NAME)
}

/// Whether the folder of a manifest replaces what ships.
pub(super) fn replaces(source: &Arc<Source>) -> Result<bool, Finding> {
    let manifest: Manifest =
        yaml::read(source).map_err(|error| wrong(source, error.without_snippet()))?;
    Ok(match manifest.replaces {
        Replaced::Shipped => true,
    })
}

fn wrong(source: &Arc<Source>, error: &Error) -> Finding {
    let place = match error.location() {
        Some(location) => yaml::place(source, location),
        None => Place::new(source, 0..0),
    };
    let message = match error {
        Error::SerdeUnknownField { field, .. } => format!("`{field}` is no key of a manifest"),
        Error::SerdeMissingField { field, .. } => format!("`{field}` is missing"),
        Error::DuplicateMappingKey { .. } => "a key stands twice".to_owned(),
        other => {
            let message = other.to_string();
            // The place is shown with the lines around it.
            let message = message.split(" at line ").next().unwrap_or_default();
            format!(
                "not a manifest: {}",
                message.trim_end_matches(['.', ':', ','])
            )
        }
    };
    Finding::error(code::manifest::SYNTAX, message)
        .label(place, "in this manifest")
        .help(HELP)
}

/// A manifest where none is read: whoever wrote it expects it to change which rules are in force.
pub(super) fn misplaced(name: &str, folder: &str) -> Finding {
    Finding::error(
        code::manifest::MISPLACED,
        format!("`{name}` is not read: a manifest stands in `{folder}` itself"),
    )
    .label(Place::new(&Source::held(name, ""), 0..0), "this file")
    .help("move it there, or remove it")
}
