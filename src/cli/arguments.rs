//! The command line: its commands, with the arguments that all of them take.
//!
//! The arguments of a command stand beside its run, in `command`. Doc comments of arguments are the help texts.

mod command_line;
pub(crate) mod format;
pub(crate) mod global;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap_complete::engine::{ArgValueCompleter, ValueCompleter};

pub(crate) use command_line::command_line;
pub(crate) use format::Format;
pub(crate) use global::GlobalArgs;

use crate::command;

/// Decide and explain who may do what to Intune tenant-attached devices.
///
/// The rules of Intune and Configuration Manager are Cedar policies. A workspace is a folder with
/// `policies/`, `schema/` and `entities/`; its policies and schema add to those in the binary, unless a
/// file `tarbac.yaml` beside them says that they replace them.
///
/// Exit status: 0 yes (allow, clean), 1 no (deny, findings), 2 could not answer.
#[derive(Debug, Parser)]
#[command(
    name = "tarbac",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  tarbac init contoso                      write a sample workspace into the folder contoso
  tarbac -C contoso check ada@contoso.example \"View client details\" WS-TST-001
  tarbac -C contoso explain ada@contoso.example \"View client details\" WS-BER-014
  tarbac -C contoso access                 who can do what, and which assignments give nothing
  tarbac -C contoso what-if --enforce-configmgr-rbac P01=off
                                           what changes for whom
  tarbac matrix                            what each role permits
  tarbac -C contoso validate               everything that is wrong with a workspace
  tarbac -C contoso test                   are the decisions as expected?
  tarbac -C contoso prove                  and in every other tenant that there could be?
  tarbac -C contoso serve                  answer programs over HTTP
  tarbac help                              the commands, and the pages of the documentation"
)]
pub(crate) struct Arguments {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
    /// The arguments of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
}

impl Arguments {
    /// The command line of this process.
    ///
    /// # Errors
    /// The command line is wrong, or asks for help or the version.
    #[expect(clippy::disallowed_methods, reason = "the shell reads the environment")]
    pub(crate) fn read() -> Result<Self, clap::Error> {
        let mut command = Self::command();
        // An empty variable names no workspace.
        if std::env::var_os(global::WORKSPACE).is_some_and(|value| value.is_empty()) {
            command = command.mut_arg("workspace", |arg| arg.env(None));
        }
        let matches = command.try_get_matches_from_mut(std::env::args_os());
        let read = matches.and_then(|matches| {
            let arguments = Self::from_arg_matches(&matches)?;
            check_format(&command, &matches, arguments.global.format)?;
            Ok(arguments)
        });
        read.map_err(|error| explained(&mut command, error))
    }
}

/// The commands of optional features, with the feature and whether this build has it.
const OPTIONAL: [(&str, &str, bool); 7] = [
    ("collect", "collect", cfg!(feature = "collect")),
    ("serve", "serve", cfg!(feature = "serve")),
    ("open", "serve", cfg!(feature = "serve")),
    ("health", "serve", cfg!(feature = "serve")),
    ("token", "serve", cfg!(feature = "serve")),
    ("publish", "fleet", cfg!(feature = "fleet")),
    ("store", "fleet", cfg!(feature = "fleet")),
];

/// The error about an unknown command, if this build leaves it out, or if the word is a command within another, such as
/// `export` of `role export`.
fn explained(command: &mut clap::Command, mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    let mut optional = OPTIONAL.iter();
    if let Some((_, feature, _)) = optional.find(|(name, _, is_here)| name == typed && !is_here) {
        let message = format!(
            "this build of tarbac leaves out `{typed}`: build it with `--features {feature}`"
        );
        return command.error(ErrorKind::InvalidSubcommand, message);
    }
    let mut nested = command.get_subcommands().filter_map(|outer| {
        let inner = outer.find_subcommand(typed)?;
        Some(format!("{} {}", outer.get_name(), inner.get_name()))
    });
    if let Some(meant) = nested.next() {
        let meant = ContextValue::Strings(vec![meant]);
        error.insert(ContextKind::SuggestedSubcommand, meant);
    }
    error
}

/// Refuses a format that the command does not write. Clap checks only a format that follows the command.
fn check_format(
    command: &clap::Command,
    matches: &ArgMatches,
    format: Format,
) -> Result<(), clap::Error> {
    let (mut command, mut matches) = (command, matches);
    while let Some((name, of_subcommand)) = matches.subcommand()
        && let Some(subcommand) = command.find_subcommand(name)
    {
        (command, matches) = (subcommand, of_subcommand);
    }
    let Some(argument) = command.get_arguments().find(|arg| arg.get_id() == "format") else {
        return Ok(());
    };
    let (written, name) = (argument.get_possible_values(), format.name());
    if written.iter().any(|value| value.matches(&name, false)) {
        return Ok(());
    }
    let written = written.iter().filter(|value| !value.is_hide_set());
    let written = written.map(|value| value.get_name().to_owned()).collect();
    let mut error = clap::Error::new(ErrorKind::InvalidValue).with_cmd(command);
    let about = [
        (ContextKind::InvalidArg, argument.to_string()),
        (ContextKind::InvalidValue, name),
    ];
    for (kind, text) in about {
        error.insert(kind, ContextValue::String(text));
    }
    error.insert(ContextKind::ValidValue, ContextValue::Strings(written));
    Err(error)
}

/// The completions of an argument.
pub(crate) fn offered(completer: impl ValueCompleter + 'static) -> ArgValueCompleter {
    ArgValueCompleter::new(completer)
}

/// A command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(command::check::CheckArgs),
    Explain(command::explain::ExplainArgs),
    Who(command::who::WhoArgs),
    What(command::what::WhatArgs),
    Access(command::access::AccessArgs),
    WhatIf(command::what_if::WhatIfArgs),
    Diff(command::diff::DiffArgs),
    Replay(command::replay::ReplayArgs),
    Matrix(command::matrix::MatrixArgs),
    Validate(command::validate::ValidateArgs),
    Test(command::test::TestArgs),
    Prove(command::prove::ProveArgs),
    Review(command::review::ReviewArgs),
    Role(command::role::RoleArgs),
    Fmt(command::fmt::FmtArgs),
    Readings(command::readings::ReadingsArgs),
    Init(command::init::InitArgs),
    Import(command::import::ImportArgs),
    #[cfg(feature = "collect")]
    Collect(command::collect::CollectArgs),
    #[cfg(feature = "serve")]
    Serve(Box<command::serve::ServeArgs>),
    #[cfg(feature = "serve")]
    Open(command::open::OpenArgs),
    #[cfg(feature = "serve")]
    Health(command::health::HealthArgs),
    #[cfg(feature = "serve")]
    Token(command::token::TokenArgs),
    #[cfg(feature = "fleet")]
    Publish(command::publish::PublishArgs),
    #[cfg(feature = "fleet")]
    Store(command::store::StoreArgs),
    Schema(command::schema::SchemaArgs),
    Completions(command::completions::CompletionsArgs),
    Man(command::man::ManArgs),
    Help(command::help::HelpArgs),
}
