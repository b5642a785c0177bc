//! Consistent reads of files that another program may be changing.

use super::{Layout, Unreadable, places, restless, transaction};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source, shown};

/// The finding about files that were written to complete an interrupted change. The rest of such a change may have
/// come with a repository, and then no other message mentions it.
pub(super) fn finished_change(files: &[String]) -> Option<Finding> {
    let first = files.first()?;
    let more = match files.len() - 1 {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    let message = format!("a change that was stopped was finished: `{first}`{more} changed");
    let place = Place::new(&Source::held(first.clone(), ""), 0..0);
    Some(
        Finding::warning(code::workspace::FINISHED, message)
            .label(place, "this file")
            .help("there is nothing to do; where nobody changed this workspace, see what git says has changed"),
    )
}

/// The most attempts to read files that change meanwhile.
pub(super) const ATTEMPTS: u32 = 20;

/// Reads files of a workspace, and again if a transaction changed them meanwhile, since some would be old and others
/// new. `read` gets the files that were written before to complete an interrupted change.
pub(super) fn consistently<T, E: From<Unreadable>>(
    layout: &Layout,
    mut read: impl FnMut(&[String]) -> Result<T, E>,
) -> Result<T, E> {
    let roots = places::roots(layout)?;
    let mut finished = Vec::new();
    for _ in 0..ATTEMPTS {
        let mut before = Vec::new();
        for root in &roots {
            let (generation, paths) = transaction::settled(root)?;
            before.push(generation);
            finished.extend(paths.iter().map(|path| shown(&root.join(path))));
        }
        let result = read(&finished);
        let after = roots.iter().map(|root| transaction::generation(root));
        if after.collect::<Result<Vec<_>, Unreadable>>()? == before {
            return result;
        }
    }
    Err(restless(&layout.root).into())
}
