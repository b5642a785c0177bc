//! A folder of exports: which files there are, and in which order.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::{Unreadable, shown, unreadable};
use crate::export::{self, Unread};

/// How the name of an exported file ends.
const ENDINGS: [&str; 4] = [".json", ".json.gz", ".ndjson", ".ndjson.gz"];

/// Reads the records of an export, as `graph/roleDefinitions`, page by page: `NAME.json`,
/// `NAME-2.json` and so on. `false` where there is none.
///
/// # Errors
/// A page cannot be read, or one is missing: the one before says that there is more.
pub fn exported<T: DeserializeOwned>(
    folder: &Path,
    name: &str,
    mut each: impl FnMut(T),
) -> Result<bool, Unreadable> {
    let mut next = None;
    for number in 1.. {
        let page = match number {
            1 => name.to_owned(),
            number => format!("{name}-{number}"),
        };
        let there: Vec<PathBuf> = ENDINGS
            .iter()
            .map(|ending| folder.join(format!("{page}{ending}")))
            .filter(|path| path.is_file())
            .collect();
        let path = match there.as_slice() {
            [path] => path,
            [] => match next {
                None => return Ok(number > 1),
                Some(address) => {
                    return Err(unreadable(
                        &folder.join(format!("{page}.json")),
                        "it is missing: the page before it says that there is more",
                        Some(&format!("save what {address} answers under this name")),
                    ));
                }
            },
            [path, other, ..] => {
                let reason = format!("`{}` is there as well", shown(other));
                return Err(unreadable(path, &reason, Some("keep one of the two")));
            }
        };
        let file = File::open(path).map_err(|error| unreadable(path, &error.to_string(), None))?;
        let read = export::read(file, &mut each).map_err(|error| match error {
            Unread::Io(error) => unreadable(path, &error.to_string(), None),
            Unread::Json {
                message,
                line,
                column,
            } => unreadable(
                Path::new(&format!("{}:{line}:{column}", shown(path))),
                &message,
                None,
            ),
        })?;
        next = read.next;
    }
    Ok(true)
}
