//! The workspace of the command line, loaded with a progress bar and its notes.

use std::path::Path;
use std::sync::Arc;

use tarbac_host::workspace::{self, LoadOptions};
use tarbac_host::{Layout, Switches, Workspace};
use tarbac_tenant::exports::Exports;

use crate::arguments::GlobalArgs;
use crate::failure::{Failure, ShellError};
use crate::output::{self, progress};
use crate::product;

/// Loads the workspace that the arguments name.
pub(crate) fn load(global: &GlobalArgs) -> Result<Workspace, Failure> {
    load_from(&layout(global), &switches(global)?, global)
}

/// Loads a workspace.
pub(crate) fn load_from(
    layout: &Layout,
    switches: &Switches,
    global: &GlobalArgs,
) -> Result<Workspace, Failure> {
    let workspace = reading(global, |options| {
        Workspace::load_by(layout, switches, options)
    })?;
    note_warnings(&workspace);
    Ok(workspace)
}

/// Writes the notes about a workspace that go with every decision.
pub(crate) fn note_warnings(workspace: &Workspace) {
    let told = workspace.warnings.iter();
    told.filter(|finding| workspace::TOLD.contains(&finding.code))
        .for_each(output::warning);
    output::note_unread_files(workspace.engine.provenance());
}

/// Reads something that may be large, with a progress bar.
pub(crate) fn reading<T>(global: &GlobalArgs, read: impl FnOnce(&LoadOptions) -> T) -> T {
    let bar = progress("reading");
    let shown = bar.clone();
    let options = LoadOptions {
        cache: !global.no_cache,
        progress: Some(Arc::new(move |count, size| {
            shown.set_length(size);
            shown.inc(count);
        })),
        loss: global.loss.clone(),
    };
    let result = read(&options);
    bar.finish_and_clear();
    result
}

/// The exports in a folder; every opened file goes through `wrap`.
pub(crate) fn exports_in<W>(folder: &Path, wrap: W) -> Result<Exports<W>, Failure> {
    match folder.is_dir() {
        true => Ok(Exports::new(folder, wrap)),
        false => Err(ShellError::Arguments {
            message: format!("`{}` is not a folder", folder.display()),
            help: Some(
                "give the folder of the exports; `tarbac import --how` shows what is in it"
                    .to_owned(),
            ),
        }
        .into()),
    }
}

pub(crate) fn layout(global: &GlobalArgs) -> Layout {
    Layout {
        root: global.workspace.clone(),
        policies: global.policies.clone(),
        schema: global.schema.clone(),
        entities: global.entities.clone(),
        others: Vec::new(),
        shipped: product::rules(),
    }
}

pub(crate) fn switches(global: &GlobalArgs) -> Result<Switches, Failure> {
    if let Some(name) = global
        .reading
        .iter()
        .find(|name| global.no_reading.contains(name))
    {
        return Err(ShellError::Arguments {
            message: format!("the reading `{name}` is switched on and off"),
            help: Some("leave out --reading or --no-reading".to_owned()),
        }
        .into());
    }
    Ok(Switches {
        on: global.reading.clone(),
        off: global.no_reading.clone(),
    })
}
