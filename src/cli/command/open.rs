//! `tarbac open`: the page, in a browser.

use clap::Args;
use tarbac_host::workspace::LoadOptions;
use tarbac_serve::{Settings, Stopped, WorkspaceOrigin};

use super::{layout, note_warnings, reading, switches};
use crate::arguments::Format;
use crate::arguments::GlobalArgs;
use crate::arguments::format::format_fixed;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::say;

/// Open the page in a browser: who can, what, why and what if.
///
/// Serves the workspace on a free port of this machine, as `tarbac serve` does, and opens the page in the browser. It ends
/// with Ctrl+C. Nothing that is done on the page changes a file.
///
/// Exit status: 0 stopped as asked, 1 stopped at once by a second signal, 2 could not serve.
#[derive(Debug, Args)]
#[command(arg = format_fixed(&[Format::Human]), after_help = "\
Examples:
  tarbac open
  tarbac -C contoso open
  tarbac open --no-browser                 only say where the page is
  tarbac help page                         the documentation of the page")]
pub(crate) struct OpenArgs {
    /// Say where the page is, and open no browser.
    #[arg(long)]
    pub no_browser: bool,
}

pub(crate) fn run(global: &GlobalArgs, arguments: &OpenArgs) -> Result<Exit, Failure> {
    let settings = Settings {
        folder: super::serve::folder_argument(&global.workspace),
        bound: Some(match arguments.no_browser {
            true => tell,
            false => show,
        }),
        ..Settings::local()
    };
    let mut origin = WorkspaceOrigin {
        layout: layout(global),
        switches: switches(global)?,
        options: LoadOptions::default(),
    };
    let loaded = reading(global, |options| {
        origin.options = options.clone();
        origin.load()
    })?;
    origin.options.progress = None;
    note_warnings(&loaded.workspace);
    match tarbac_serve::serve(settings, origin, loaded)? {
        Stopped::Gracefully => Ok(Exit::Yes),
        Stopped::AtOnce => Ok(Exit::No),
    }
}

/// Says where the page is.
fn tell(url: &str) {
    say(&format!("the page is at {url}; Ctrl+C ends it\n"));
}

/// Opens the page, and says where it is.
fn show(url: &str) {
    tell(url);
    if let Err(error) = opener::open_browser(url) {
        say(&format!("no browser can be opened: {error}\n"));
    }
}
