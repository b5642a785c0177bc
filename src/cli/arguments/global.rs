//! The arguments of every command.

use std::path::PathBuf;

use clap::{Args, ColorChoice};
use tarbac_host::workspace::Loss;

use super::format::{DISPLAY_ORDER, Format};
use super::offered;
use crate::command::candidates;

/// The variable that names the workspace if `-C` does not.
pub(crate) const WORKSPACE: &str = "TARBAC_WORKSPACE";

/// The heading of [`GlobalArgs`] in the help.
pub(crate) const HEADING: &str = "Workspace and output";

/// The arguments of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = HEADING)]
pub(crate) struct GlobalArgs {
    /// Read the workspace in this folder.
    #[arg(
        short = 'C',
        long,
        value_name = "DIR",
        env = WORKSPACE,
        hide_env_values = true,
        default_value = ".",
        global = true
    )]
    pub workspace: PathBuf,

    /// Read policies from this file or folder instead of `policies/`; repeatable.
    #[arg(long, value_name = "PATH", global = true)]
    pub policies: Vec<PathBuf>,

    /// Read the schema from this file or folder instead of `schema/`; repeatable.
    #[arg(long, value_name = "PATH", global = true)]
    pub schema: Vec<PathBuf>,

    /// Read entities from this file or folder instead of `entities/`; repeatable.
    #[arg(long, value_name = "PATH", global = true)]
    pub entities: Vec<PathBuf>,

    /// Switch a reading on; repeatable. `tarbac readings` lists them.
    #[arg(long, value_name = "NAME", global = true, add = offered(candidates::readings))]
    pub reading: Vec<String>,

    /// Switch a reading off; repeatable.
    #[arg(long, value_name = "NAME", global = true, add = offered(candidates::readings))]
    pub no_reading: Vec<String>,

    /// Read a large workspace anew, and keep nothing of it in `.tarbac/`.
    #[arg(long, global = true)]
    pub no_cache: bool,

    /// Write the answer for people or for programs; the help of a command lists what it writes.
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "human",
        global = true,
        display_order = DISPLAY_ORDER
    )]
    pub format: Format,

    /// Say only answers and errors: no notes, no progress.
    #[arg(short, long, global = true, display_order = DISPLAY_ORDER + 1)]
    pub quiet: bool,

    /// Colour text for people; auto does so on a terminal, unless NO_COLOR is set.
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        global = true,
        display_order = DISPLAY_ORDER + 2
    )]
    pub color: ColorChoice,

    /// Whether kept data of a workspace turned out to be damaged while the command ran. It is no argument.
    #[arg(skip)]
    pub loss: Loss,
}
