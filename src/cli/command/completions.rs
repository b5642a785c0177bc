//! `tarbac completions`: completions for a shell, and the program that answers them.

use clap::Args;
use clap::CommandFactory;
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};

use crate::arguments::format::format_fixed;
use crate::arguments::{Arguments, Format};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::Output;

/// Write the completions for a shell to standard output.
///
/// The completions call this program, which offers the readings, people, permissions and devices of the workspace that
/// the command line or TARBAC_WORKSPACE names, unless its entities are larger than 32 MiB.
///
/// Exit status: 0 written, 2 could not answer.
#[derive(Debug, Args)]
#[command(arg = format_fixed(&[Format::Human]), after_help = "\
Examples:
  echo 'source <(tarbac completions bash)' >> ~/.bashrc
  echo 'source <(tarbac completions zsh)' >> ~/.zshrc
  echo 'tarbac completions fish | source' >> ~/.config/fish/config.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell.
    pub shell: Shell,
}

/// The name of the program for shells.
const NAME: &str = "tarbac";

/// The variable that a shell sets to ask for completions.
const VARIABLE: &str = "TARBAC_COMPLETE";

/// Without this line, bash splits a user principal name at the `@`.
const BASH: &str = "COMP_WORDBREAKS=${COMP_WORDBREAKS//@}\n";

pub(crate) fn run(completions: &CompletionsArgs, output: &mut Output) -> Result<Exit, Failure> {
    let (shells, shell) = (Shells::builtins(), completions.shell.to_string());
    let Some(completer) = shells.completer(&shell) else {
        return Err(ShellError::Arguments {
            message: format!("there are no completions for {shell}"),
            help: None,
        }
        .into());
    };
    let mut text = Vec::new();
    completer
        .write_registration(VARIABLE, NAME, NAME, NAME, &mut text)
        .map_err(Failure::Output)?;
    output.write_verbatim(&String::from_utf8_lossy(&text))?;
    if completions.shell == Shell::Bash {
        output.write_verbatim(BASH)?;
    }
    Ok(Exit::Yes)
}

/// Answers a shell that asks for completions; returns whether one asked.
pub(crate) fn answer() -> Result<bool, clap::Error> {
    let environment = CompleteEnv::with_factory(Arguments::command).var(VARIABLE);
    let environment = environment.bin(NAME).completer(NAME);
    let here = std::env::current_dir().ok();
    environment.try_complete(std::env::args_os(), here.as_deref())
}
