//! The manifest of a rule folder: whether it replaces the rules that ship.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_saphyr::Error;

use crate::yaml;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};

/// The file name, directly in the folder.
pub(super) const NAME: &str = "tarbac.yaml";

/// The help about the purpose of a manifest.
pub(super) const HELP: &str = "a manifest is the line `replaces: shipped`, and says that the files beside it are in force and none of those that ship";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    replaces: Replaced,
}

/// The rules that the files of the folder replace.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Replaced {
    /// The rules that ship with tarbac.
    Shipped,
}

/// Whether a path has the name of a manifest, in any folder.
pub(super) fn is_called(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == NAME)
}

/// Whether the manifest makes its folder replace the rules that ship.
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
            // The excerpt shows the place.
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

/// The finding about a manifest in another folder: its author expects it to change the rules in force.
pub(super) fn misplaced(name: &str, folder: &str) -> Finding {
    Finding::error(
        code::manifest::MISPLACED,
        format!("`{name}` is not read: a manifest stands in `{folder}` itself"),
    )
    .label(Place::new(&Source::held(name, ""), 0..0), "this file")
    .help("move it there, or remove it")
}
