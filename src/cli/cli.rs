//! The grammar of the command line; its comments are the help texts.
//!
//! The comments are the help texts.

mod changes;
mod only;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser as _};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{
    Arg, ArgMatches, Args, ColorChoice, CommandFactory as _, FromArgMatches as _, Parser,
    Subcommand, ValueEnum,
};
use clap_complete::Shell;
use clap_complete::engine::{ArgValueCompleter, ValueCompleter};
use jiff::Timestamp;
use tarbac_assurance::suite::Filter;
use tarbac_host::workspace::Loss;
use tarbac_report::report::Format as ReportFormat;

pub use changes::Changes;
pub use only::Only;

use crate::command::candidates;

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
  tarbac -C contoso test                   are the decisions those that are expected?
  tarbac -C contoso prove                  and in every other tenant that there could be?
  tarbac help                              the commands, and the pages of the documentation"
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
}

impl Arguments {
    /// The command line of this process.
    ///
    /// # Errors
    /// It is wrong, or asks for help or the version.
    #[expect(clippy::disallowed_methods, reason = "the shell reads the environment")]
    pub fn read() -> Result<Self, clap::Error> {
        let mut command = Self::command();
        // A variable that is empty names no workspace.
        if std::env::var_os(WORKSPACE).is_some_and(|value| value.is_empty()) {
            command = command.mut_arg("workspace", |arg| arg.env(None));
        }
        let matches = command.try_get_matches_from_mut(std::env::args_os());
        let read = matches.and_then(|matches| {
            let arguments = Self::from_arg_matches(&matches)?;
            check_format(&command, &matches, arguments.global.format)?;
            Ok(arguments)
        });
        read.map_err(|error| with_nested(&command, error))
    }
}

/// The error with the command that is meant, where it is one of those within others, as `role export`.
fn with_nested(command: &clap::Command, mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) {
        let mut nested = command.get_subcommands().filter_map(|outer| {
            let inner = outer.find_subcommand(typed)?;
            Some(format!("{} {}", outer.get_name(), inner.get_name()))
        });
        if let Some(meant) = nested.next() {
            let meant = ContextValue::Strings(vec![meant]);
            error.insert(ContextKind::SuggestedSubcommand, meant);
        }
    }
    error
}

/// Refuses a format that the command does not write, where it is named before the command.
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

/// The variable that names the workspace where `-C` does not.
pub const WORKSPACE: &str = "TARBAC_WORKSPACE";

/// Under what the help lists [`Global`].
const HEADING: &str = "Workspace and output";

/// What holds for every command.
#[derive(Debug, Args)]
#[command(next_help_heading = HEADING)]
pub struct Global {
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
        display_order = FORMAT_ORDER
    )]
    pub format: Format,

    /// Say only answers and errors: no notes, no progress.
    #[arg(short, long, global = true, display_order = FORMAT_ORDER + 1)]
    pub quiet: bool,

    /// Colour text for people; auto does so on a terminal, unless NO_COLOR is set.
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        global = true,
        display_order = FORMAT_ORDER + 2
    )]
    pub color: ColorChoice,

    /// Whether something of a workspace was lost while the command ran; nobody types it.
    #[arg(skip)]
    pub loss: Loss,
}

/// Where the help lists the format: after what is read.
const FORMAT_ORDER: usize = 100;

/// What a shell offers for an argument.
fn offered(completer: impl ValueCompleter + 'static) -> ArgValueCompleter {
    ArgValueCompleter::new(completer)
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people.
    Human,
    /// JSON for programs.
    Json,
    /// The same as human.
    #[value(hide = true)]
    Table,
    /// JSON for programs, an object a line.
    Ndjson,
    /// Tables in Markdown.
    Markdown,
    /// Comma-separated values.
    Csv,
    /// A page that needs nothing else.
    Html,
}

impl Format {
    /// Whether it is text for people.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Human | Self::Table)
    }

    /// The word on the command line.
    fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// What most commands write.
const DOCUMENTS: &[Format] = &[Format::Human, Format::Json];

/// What is written of one table.
const TABLE: &[Format] = &[
    Format::Human,
    Format::Json,
    Format::Table,
    Format::Markdown,
    Format::Csv,
];

/// What is written of rows.
const ROWS: &[Format] = &[
    Format::Human,
    Format::Json,
    Format::Ndjson,
    Format::Markdown,
    Format::Csv,
];

/// What is written of a report over everybody.
const REPORTS: &[Format] = &[
    Format::Human,
    Format::Json,
    Format::Ndjson,
    Format::Markdown,
    Format::Csv,
    Format::Html,
];

/// The argument `--format` of a command that writes these.
fn format_among(formats: &[Format]) -> Arg {
    let values = formats.iter().filter_map(ValueEnum::to_possible_value);
    let parser = PossibleValuesParser::new(values.collect::<Vec<_>>());
    Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .value_parser(parser.try_map(|name| Format::from_str(&name, false)))
        .default_value("human")
        .help("Write the answer for people or for programs")
        .help_heading(HEADING)
        .display_order(FORMAT_ORDER)
}

/// The same of a command that writes the same whatever is asked for.
fn format_fixed(formats: &[Format]) -> Arg {
    format_among(formats).hide(true)
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Check(Check),
    Explain(Ask),
    Who(Who),
    What(What),
    Access(Access),
    WhatIf(WhatIf),
    Diff(Diff),
    Matrix(Matrix),
    Validate(Validate),
    Test(Test),
    Prove(Prove),
    Review(Review),
    Role(Role),
    Fmt(Fmt),
    /// List the readings: choices where the documents disagree.
    #[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac readings
  tarbac readings --reading discovery-either")]
    Readings,
    Init(Init),
    Import(Import),
    Schema(Schema),
    Completions(Completions),
    Man(Man),
    Help(Help),
}

/// Explain a decision: who decides, why, and what would change it.
///
/// Shows which authority is in force and what makes it so; for an allow, the path from the person
/// to the role and the policy; for a deny, every rule that refused with the values it read, and the
/// smallest changes that would make it an allow, each one tried.
///
/// Exit status: that of check.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac explain ada@contoso.example \"View client details\" WS-TST-001
  tarbac explain ada@contoso.example viewClientDetails WS-BER-014 --format json
  tarbac explain ada@contoso.example viewClientDetails WS-BER-014 --enforce-configmgr-rbac P01=off")]
pub struct Ask {
    /// Who asks: a user principal name, an id, or a Cedar UID.
    #[arg(add = offered(candidates::principals))]
    pub principal: String,

    /// What for: the id, the documented name or the Graph id of a permission.
    #[arg(add = offered(candidates::actions))]
    pub action: String,

    /// On what: the name, the id or the Cedar UID of a device or tenant.
    #[arg(add = offered(candidates::resources))]
    pub resource: String,

    /// What else is known about the request.
    #[command(flatten)]
    pub context: Context,

    /// What is supposed.
    #[command(flatten)]
    pub changes: Changes,
}

/// What else is known about a request.
#[derive(Debug, Args)]
pub struct Context {
    /// The context of the request, as a JSON object.
    #[arg(long, value_name = "JSON")]
    pub context: Option<String>,

    /// The moment of the request, for example 2026-11-23T08:05:00Z.
    #[arg(long, value_name = "DATETIME")]
    pub now: Option<String>,
}

/// Decide whether a person may do something to a device.
///
/// Prints one line: ALLOW with the policies that permit it, DENY with the rule that refuses it and
/// what the admin center says, or INDETERMINATE with what went wrong. What else there is to know
/// goes to standard error.
///
/// With --requests, answers one JSON object a line: {"id"?, "principal", "action", "resource",
/// "context"?}, each named as on the command line or as {"type", "id"}. The answers are in the order of
/// the lines, and each carries the id of its request, a string or a number. A bad line is answered
/// indeterminate and does not stop the rest.
///
/// Exit status: 0 allow, 1 deny, 2 indeterminate or could not answer. With --requests: 0 every line
/// was answered allow or deny, 2 otherwise.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac check ada@contoso.example \"View client details\" WS-TST-001
  tarbac check ada@contoso.example runScript 'ConfigMgr::Device::\"TST-16777220\"' --format json
  tarbac check olivia@contoso.example Roles/Update contoso --no-reading entra-administrators
  tarbac check --requests requests.ndjson > answers.ndjson
  tarbac check --requests requests.ndjson --answer decision
  some-program | tarbac check --requests -
  tarbac help workspace                    the page on workspaces and many requests")]
pub struct Check {
    /// Who asks: a user principal name, an id, or a Cedar UID.
    #[arg(
        required_unless_present = "requests",
        conflicts_with = "requests",
        add = offered(candidates::principals)
    )]
    pub principal: Option<String>,

    /// What for: the id, the documented name or the Graph id of a permission.
    #[arg(
        required_unless_present = "requests",
        conflicts_with = "requests",
        add = offered(candidates::actions)
    )]
    pub action: Option<String>,

    /// On what: the name, the id or the Cedar UID of a device or tenant.
    #[arg(
        required_unless_present = "requests",
        conflicts_with = "requests",
        add = offered(candidates::resources)
    )]
    pub resource: Option<String>,

    /// What else is known about the request.
    #[command(flatten)]
    pub context: Context,

    /// Answer the requests of this file, one a line; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["context", "now"])]
    pub requests: Option<PathBuf>,

    /// What to say of each of the requests.
    #[arg(
        long,
        value_name = "ANSWER",
        default_value = "full",
        requires = "requests",
        conflicts_with = "principal"
    )]
    pub answer: AnswerKind,

    /// On how many processors to answer the requests; on all without.
    #[arg(
        long,
        value_name = "N",
        requires = "requests",
        conflicts_with = "principal"
    )]
    pub jobs: Option<NonZeroUsize>,

    /// What is supposed.
    #[command(flatten)]
    pub changes: Changes,
}

/// What is said of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AnswerKind {
    /// What check says: with the authority, notices and messages.
    Full,
    /// The decision and the policies that determine it, as matrix and who have them; several times as quick. A
    /// notice or message that fails makes only a full answer indeterminate.
    Decision,
}

/// List everybody who may do something to a device or tenant.
///
/// Each with the path that gives it: through which group, role assignment and role. With --may-not also
/// everybody else, together with whoever is refused for the same reasons. Each decision is that of check.
///
/// Exit status: 0 somebody may, 1 nobody may, 2 it could not be decided about somebody.
#[derive(Debug, Args)]
#[command(arg = format_among(ROWS), after_help = "\
Examples:
  tarbac who \"Run script\" WS-TST-001
  tarbac who runScript WS-BER-014 --may-not --all
  tarbac who runScript WS-TST-001 --eligible
  tarbac who runScript WS-BER-014 --enforce-configmgr-rbac P01=off
  tarbac who Roles/Update contoso --format json
  tarbac help access                       the page on access")]
pub struct Who {
    /// What for: the id, the documented name or the Graph id of a permission.
    #[arg(add = offered(candidates::actions))]
    pub action: String,

    /// On what: the name, the id or the Cedar UID of a device or tenant.
    #[arg(add = offered(candidates::resources))]
    pub resource: String,

    /// List those who may not, with the reasons.
    #[arg(long)]
    pub may_not: bool,

    /// List, apart from the others, whoever may not now and may after activating an eligible membership.
    #[arg(long)]
    pub eligible: bool,

    /// List everybody: of those who may, and with --may-not of those who are refused alike.
    #[arg(long)]
    pub all: bool,

    /// What else is known about the requests.
    #[command(flatten)]
    pub context: Context,

    /// What is supposed.
    #[command(flatten)]
    pub changes: Changes,
}

/// List everything that somebody may do.
///
/// By devices that are treated alike: on all of a group the same is decided for the same reasons. Each
/// decision is that of check.
///
/// Exit status: 0 something is allowed, 1 nothing is, 2 something could not be decided.
#[derive(Debug, Args)]
#[command(arg = format_among(ROWS), after_help = "\
Examples:
  tarbac what ada@contoso.example
  tarbac what ada@contoso.example WS-BER-014
  tarbac what karin@contoso.example --all --format json
  tarbac help access                       the page on access")]
pub struct What {
    /// Who: a user principal name, an id, or a Cedar UID.
    #[arg(add = offered(candidates::principals))]
    pub principal: String,

    /// On what: the name, the id or the Cedar UID of a device or tenant; on everything without.
    #[arg(add = offered(candidates::resources))]
    pub resource: Option<String>,

    /// List every device.
    #[arg(long)]
    pub all: bool,

    /// What else is known about the requests.
    #[command(flatten)]
    pub context: Context,

    /// What is supposed.
    #[command(flatten)]
    pub changes: Changes,
}

/// Report who can do what, through which role, and which assignments give nothing.
///
/// Decides about everybody and everything. Shows for each role who can use it and how much it allows; what
/// a role grants and something else refuses, and what refuses it most; what is allowed and cannot be reached,
/// because the page that carries it is refused; and people together with those for whom exactly the same
/// holds, with the group and role assignment through which it does.
///
/// An assignment gives nothing if nothing is allowed by its role, and if no decision about anybody changes
/// without it: all that are said to give nothing can go at once. One that allows nothing, but without which
/// somebody would be refused, is not among them: Configuration Manager asks for any Intune role. Nor is one of an
/// account that is disabled, which has its roles again when it is enabled, or of a membership that somebody
/// can activate.
///
/// Exit status: 0 whatever is granted works and every assignment gives something, 1 not so, 2 something could
/// not be decided.
#[derive(Debug, Args)]
#[command(arg = format_among(REPORTS), after_help = "\
Examples:
  tarbac access
  tarbac access --all --format csv > access.csv
  tarbac access --format html > access.html
  tarbac access --no-reading any-intune-role   as if each role gave only what it has")]
pub struct Access {
    /// Show every row, with the collections that the devices are in.
    ///
    /// `tarbac what` with --all lists the devices of a person.
    #[arg(long)]
    pub all: bool,

    /// What else is known about the requests.
    #[command(flatten)]
    pub context: Context,

    /// What is supposed.
    #[command(flatten)]
    pub changes: Changes,
}

/// Show what changes for whom if something is changed.
///
/// Decides about everybody and everything before and after, and shows who gains and who loses what, on
/// which devices and why, with what to look at first. Nothing is written. Any number of changes go
/// together; --policies, --schema, --entities, --reading and --no-reading are changes too: before, the
/// workspace is as it stands.
///
/// With --plan, it also looks for the fewest role changes that go with the change: those after which nobody
/// loses what a role can keep, and, separately, those after which nobody gains what can be taken away
/// without a loss. A role change is a permission added to a custom role or taken out of it, or a new custom
/// role with those who are assigned it; its policy is ready to be put into policies/custom. Each plan is
/// compared in turn, and what it lets people gain is said: while Intune decides, a role is good for every
/// device of the tenant.
///
/// Exit status: 0 nothing changes, 1 somebody gains or loses something, 2 could not answer, or a plan does
/// not do what it should.
#[derive(Debug, Args)]
#[command(arg = format_among(REPORTS), after_help = "\
Examples:
  tarbac what-if --use-intune-rbac on --enforce-configmgr-rbac P01=off
  tarbac what-if --enforce-configmgr-rbac P01=off --plan
  tarbac what-if --site-version P01=2403 --all
  tarbac what-if --enforce-configmgr-rbac P01=off --principal ada@contoso.example --action runScript
  tarbac what-if --grant ada@contoso.example=\"Help Desk Operator\" --revoke olivia@contoso.example=\"Read Only Operator\"
  tarbac what-if --set 'ada@contoso.example.cloudOnly=false' --reading discovery-either --format json
  tarbac what-if --policies proposal/policies")]
pub struct WhatIf {
    /// Plan the fewest role changes after which nobody loses anything and, separately, nobody gains what can
    /// be taken away; each plan is tried.
    #[arg(long, conflicts_with_all = ["principal", "action", "resource"])]
    pub plan: bool,

    /// Show every row, and every device with the collections it is in; --format ndjson always does.
    #[arg(long)]
    pub all: bool,

    /// What else is known about the requests.
    #[command(flatten)]
    pub context: Context,

    /// What is changed.
    #[command(flatten)]
    pub changes: Changes,

    /// Whom and what it is about.
    #[command(flatten)]
    pub only: Only,
}

/// Show what changes for whom between two workspaces, policies, or revisions of git.
///
/// The report of what-if between two states, with whoever gains first. OLD and NEW are each a workspace, a folder or file of policies
/// that is joined with the entities of this workspace, or a revision of the git repository that this
/// workspace is in; without NEW it is this workspace.
///
/// Exit status: 0 the same, 1 somebody gains or loses something, 2 could not answer.
#[derive(Debug, Args)]
#[command(arg = format_among(REPORTS), after_help = "\
Examples:
  tarbac diff HEAD~1
  tarbac diff main proposal/policies
  tarbac diff ../contoso-last-week --all --format json
  tarbac help what-if                      the page on changes")]
pub struct Diff {
    /// The state before.
    pub old: String,

    /// The state after; this workspace without.
    pub new: Option<String>,

    /// Show every row, and every device with the collections it is in.
    #[arg(long)]
    pub all: bool,

    /// What else is known about the requests.
    #[command(flatten)]
    pub context: Context,

    /// Whom and what it is about.
    #[command(flatten)]
    pub only: Only,
}

/// Show what each role permits, or what each person may do.
///
/// Without --principal and --resource: permissions × roles, out of the policies in force. With one
/// of them, or --all: people × permissions, a block for each device, each cell with its deciding
/// policy.
#[derive(Debug, Args)]
#[command(arg = format_among(TABLE), after_help = "\
Examples:
  tarbac matrix --format markdown
  tarbac matrix --principal ada@contoso.example --resource WS-TST-001 --resource WS-BER-014
  tarbac matrix --resource WS-BER-014      everybody on one device
  tarbac matrix --all --format csv         everybody on everything")]
pub struct Matrix {
    /// Show this person; repeatable. Everybody, where only --resource is given.
    #[arg(long, value_name = "PRINCIPAL", add = offered(candidates::principals))]
    pub principal: Vec<String>,

    /// Show this device or tenant; repeatable. All of them, where only --principal is given.
    #[arg(long, value_name = "RESOURCE", add = offered(candidates::resources))]
    pub resource: Vec<String>,

    /// Show everybody on everything.
    #[arg(long, conflicts_with_all = ["principal", "resource"])]
    pub all: bool,

    /// What is supposed.
    #[command(flatten)]
    pub changes: Changes,
}

/// Find everything that is wrong with a workspace.
///
/// Reads schema, policies and entities and lists all findings, with a code to search for, the place
/// and what to do. No other command decides with a workspace that has errors.
///
/// Exit status: 0 clean, 1 findings, 2 could not read. Warnings alone are clean unless
/// --deny-warnings.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac -C contoso validate
  tarbac -C contoso validate --deny-warnings --format json
  tarbac validate --report github=- --report sarif=tarbac.sarif
  tarbac help ci                           the page on continuous integration")]
pub struct Validate {
    /// Treat warnings as findings.
    #[arg(long)]
    pub deny_warnings: bool,

    /// What else is written.
    #[command(flatten)]
    pub reports: Reports,
}

/// The reports of a command.
#[derive(Debug, Default, Args)]
pub struct Reports {
    /// Write a report too, for example junit=report.xml; repeatable.
    ///
    /// FORMAT is json, junit, sarif, github (workflow annotations), markdown (a job summary) or tap;
    /// for test also lcov, cobertura or listing, which are about coverage.
    /// FILE is replaced as a whole; `-` is standard output, and the answer then goes to standard
    /// error. The exit status stays what it is without a report.
    #[arg(long, value_name = "FORMAT=FILE", value_parser = Report::parse)]
    pub report: Vec<Report>,
}

/// A report in one format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How it is written.
    pub format: ReportFormat,
    /// Where to.
    pub target: Target,
}

/// Where a report goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Output,
    /// A file.
    File(PathBuf),
}

impl Report {
    fn parse(text: &str) -> Result<Self, String> {
        let Some((format, file)) = text.split_once('=') else {
            let names = ReportFormat::names();
            return Err(format!(
                "no file is named, as in junit=report.xml; the formats are {names}"
            ));
        };
        let format: ReportFormat = format.parse().map_err(|error| format!("{error}"))?;
        let target = match file {
            "" => return Err(format!("no file is named, as in {format}=FILE")),
            "-" => Target::Output,
            file => Target::File(file.into()),
        };
        Ok(Self { format, target })
    }
}

/// Run the suites of a workspace: are the decisions those that are expected?
///
/// A suite is a YAML file under `tests/`. Each case states a decision and exactly the policies that
/// determine it; a snapshot is a table of decisions that is kept beside the suite. `tarbac schema
/// suite` is the format, for editors, and `tarbac init` writes suites to start from.
///
/// A case that fails shows what was expected, what came, and the explanation. A snapshot that
/// differs leaves a file `.new` beside it; under CI nothing is written.
///
/// Exit status: 0 all passed, 1 something failed, 2 could not run, as when there is no case.
#[derive(Debug, Default, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac -C contoso test
  tarbac test tests/help-desk.yaml --filter \"cloud-only\"
  tarbac test --filter principal=ada@contoso.example --filter action=runScript
  tarbac test --accept                     take the new snapshots
  tarbac test --coverage --mutate          are the suites any good?
  tarbac test --report junit=junit.xml --report github=-
  tarbac test --cedar tests.json           run a file of `cedar run-tests`
  tarbac help testing                      the page on suites")]
pub struct Test {
    /// Run the suites of these files and folders; all under `tests/` without.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Run only what has this in the name of case or suite, or is about principal=NAME,
    /// action=NAME or resource=NAME; repeatable, and all of them must hold.
    #[arg(long, value_name = "FILTER")]
    pub filter: Vec<Filter>,

    /// Take the snapshots as they are now.
    #[arg(long, conflicts_with = "filter")]
    pub accept: bool,

    /// Run again whenever something in the workspace is saved.
    #[arg(long, conflicts_with = "report")]
    pub watch: bool,

    /// Measure which policies and clauses the cases put to the test.
    ///
    /// Each policy must decide a case; each scope, entry of an action list and conjunct must be
    /// seen true, be seen false, and make the difference. The reports lcov, cobertura and listing
    /// have it line by line.
    #[arg(long)]
    pub coverage: bool,

    /// Fail where less than this share of it is met, in percent; measures coverage.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub min_coverage: Option<f64>,

    /// Change the policies one small way at a time and see whether a case notices.
    ///
    /// A change that none notices is shown with a case that would, ready to paste.
    #[arg(long)]
    pub mutate: bool,

    /// Measure and change the policies in the binary too, not only those of the workspace.
    #[arg(long)]
    pub shipped: bool,

    /// Run a file of `cedar run-tests` as it is, in place of the suites; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "filter", "accept", "watch", "coverage", "min_coverage", "mutate"])]
    pub cedar: Option<PathBuf>,

    /// With --cedar, decide without a schema and without the rules that ship, as `cedar run-tests` does
    /// without --schema.
    #[arg(long, requires = "cedar", conflicts_with = "schema")]
    pub no_schema: bool,

    /// Write the cases as a file of `cedar run-tests` to standard output; nothing is run.
    ///
    /// With --to-cedar=DIR, the files tests.json, policies.cedar (those in force) and
    /// schema.cedarschema are written into this folder: what `cedar run-tests` takes.
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, default_missing_value = "-", conflicts_with_all = ["cedar", "accept", "watch", "coverage", "min_coverage", "mutate"])]
    pub to_cedar: Option<PathBuf>,

    /// What else is written.
    #[command(flatten)]
    pub reports: Reports,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("a number from 0 to 100 is wanted".to_owned()),
    }
}

impl Test {
    /// Whether coverage is to be measured.
    pub fn wants_coverage(&self) -> bool {
        self.coverage
            || self.min_coverage.is_some()
            || self
                .reports
                .report
                .iter()
                .any(|report| report.format.is_of_coverage())
    }
}

/// Prove that the policies are what the specs say, in every possible tenant.
///
/// A spec is a rule that must hold whoever asks and whatever the settings are, written as a Cedar
/// policy under `tests/specs/`: everything a `permit` matches must be allowed, everything a `forbid`
/// matches must be refused. A solver looks for a tenant in which it does not hold; the smallest that
/// it finds is shown as a list of facts, after plain Cedar has decided about it. Without being asked,
/// policies are found that can fail or that change nothing.
///
/// With --compare, the policies are compared with those of another workspace, of a policy folder or
/// of a revision of git: what any of them allows and the other refuses, under the readings in force.
///
/// The solver is cvc5, a program of its own: --solver, else the variable CVC5, else `cvc5` on the
/// PATH.
///
/// Exit status: 0 all proved, 1 something refuted, 2 something not proved, or no solver.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac prove
  tarbac prove tests/specs/roles.cedar --filter run-script
  tarbac prove --save-counterexamples tests/found && tarbac test tests/found
  tarbac prove --mutate                    do the specs say everything?
  tarbac prove --compare main              does this change open anything?
  tarbac prove --compare HEAD --allow-less
  tarbac help proving                      the page on proofs")]
pub struct Prove {
    /// Prove the specs of these files and folders; all under `tests/specs/` without.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Prove only specs that have this in their id or doc; repeatable, and all of them must be there.
    #[arg(long, value_name = "TEXT")]
    pub filter: Vec<String>,

    /// Compare with OLD instead: a workspace, a folder or file of policies, or a revision of git.
    ///
    /// A path that exists is taken before a revision of the same name. What is said of decisions is
    /// compared and listed as well; it grants nothing, so it lets pass.
    #[arg(long, value_name = "OLD", conflicts_with_all = ["paths", "filter", "mutate", "save_counterexamples"])]
    pub compare: Option<String>,

    /// With --compare, let pass that less is allowed than by OLD.
    #[arg(long, requires = "compare")]
    pub allow_less: bool,

    /// With --compare, let pass that more is allowed than by OLD.
    #[arg(long, requires = "compare")]
    pub allow_more: bool,

    /// Change the policies one small way at a time and see whether a spec is refuted.
    ///
    /// A change that refutes none is proved equivalent, or shown with what it decides otherwise.
    #[arg(long)]
    pub mutate: bool,

    /// With --mutate, change the policies in the binary too, not only those of the workspace.
    #[arg(long, requires = "mutate")]
    pub shipped: bool,

    /// Write each counterexample as a case of a suite into this folder: it fails until it is mended.
    #[arg(long, value_name = "DIR")]
    pub save_counterexamples: Option<PathBuf>,

    /// Treat warnings as refuted.
    #[arg(long)]
    pub deny_warnings: bool,

    /// The solver.
    #[arg(
        long,
        value_name = "PATH",
        env = "CVC5",
        default_value = SOLVER,
        value_parser = OsStringValueParser::new().map(solver),
        help_heading = "Solver"
    )]
    pub solver: PathBuf,

    /// The most seconds that one question may take the solver.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds, help_heading = "Solver")]
    pub timeout: Duration,

    /// How many solvers work at once; as many as there are processors without.
    #[arg(long, value_name = "N", help_heading = "Solver")]
    pub jobs: Option<NonZeroUsize>,

    /// What else is written.
    #[command(flatten)]
    pub reports: Reports,
}

/// The solver where none is named.
const SOLVER: &str = "cvc5";

/// A variable that is empty names no solver.
fn solver(named: OsString) -> PathBuf {
    match named.is_empty() {
        true => SOLVER.into(),
        false => named.into(),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|seconds: &f64| *seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "a number of seconds above 0 is wanted".to_owned())
}

/// Go through the decisions of snapshots that are others than they were, one by one.
///
/// Each is shown with its explanation, to be taken or left. A snapshot all of whose decisions are
/// taken is written; the others stay as they are.
///
/// Exit status: 0 every snapshot is as its file says, 1 some are not, 2 could not review.
#[derive(Debug, Args)]
#[command(arg = format_fixed(&[Format::Human]), after_help = "\
Examples:
  tarbac review
  tarbac review tests/everybody.yaml
  tarbac help testing                      the page on suites")]
pub struct Review {
    /// Review the snapshots of these files and folders; all under `tests/` without.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// Compare roles with a tenant, and give them to it.
#[derive(Debug, Args)]
#[command(arg = format_fixed(DOCUMENTS), after_help = "\
Examples:
  tarbac role export \"Script Runner\" > role.json
  tarbac role diff exports
  tarbac help importing                    the page on imports, and on roles")]
pub struct Role {
    /// What to do.
    #[command(subcommand)]
    pub command: RoleCommand,
}

/// What there is to do with roles.
#[derive(Debug, Subcommand)]
pub enum RoleCommand {
    Export(RoleExport),
    Diff(RoleDiff),
}

/// Write the request body that creates or updates a custom role of Intune.
///
/// The body is what `POST` and `PATCH` of `deviceManagement/roleDefinitions` take: the name, the docs
/// of the policies as description, and the permissions that they give. A policy that no role of Intune
/// can be, with a condition or a forbid, is named, and nothing is written. An update takes away what
/// else the role has in the tenant.
///
/// Exit status: 0 written, 2 there is no such role, or it is no role of Intune.
#[derive(Debug, Args)]
#[command(arg = format_fixed(DOCUMENTS), after_help = "\
Examples:
  tarbac role export \"Script Runner\"
  tarbac role export \"Script Runner\" > role.json
  az rest --method post --body @role.json \\
    --url https://graph.microsoft.com/v1.0/deviceManagement/roleDefinitions")]
pub struct RoleExport {
    /// The role: its name, or its id.
    #[arg(add = offered(candidates::roles))]
    pub role: String,
}

/// Compare the roles of the policies with the role definitions of a tenant.
///
/// EXPORTS is a folder of exports, of which only `graph/roleDefinitions.json` is read; `tarbac import
/// --how` has the call that gives it. Roles are compared by the permissions that the schema knows, and
/// custom roles that were imported by all.
///
/// Exit status: 0 the same, 1 different, 2 could not answer.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac role diff exports
  tarbac -C contoso role diff exports --format json
  tarbac help importing                    the page on imports, and on roles")]
pub struct RoleDiff {
    /// The folder of exports.
    pub exports: PathBuf,
}

/// Make a workspace of the exports of a live tenant.
///
/// EXPORTS is a folder with files that were exported from Microsoft Graph, Configuration Manager and
/// the admin center; --how lists them and how to get each. JSON, one document, several or one a line,
/// plain or compressed with gzip. The workspace has the people, groups, roles, hierarchies and devices
/// of the tenant, a copy of the rules in which built-in roles are as the tenant has them, and a file
/// for each custom role.
///
/// What the exports do not say gives nobody anything, and is said: what could not be joined, what was
/// assumed, and what is worth a look. The workspace is written whole or not at all.
///
/// A workspace that is there is refreshed: files that an import wrote, by the record tarbac-files.json, and
/// none that somebody wrote or changed. Where the exports have something new for a file that somebody has
/// changed, nothing is imported, and the files are named. The same where a whole export is missing that the last
/// import read, or nothing would be left of a kind of data: put the files of a refresh over those of the last
/// one, or say --drop-missing.
///
/// Exit status: 0 imported, 2 an export is refused or missing, somebody's changes are in the way, or the
/// workspace cannot be written.
#[derive(Debug, Args)]
#[command(arg = format_among(&[Format::Human, Format::Json, Format::Markdown])
    .help("Write the answer for people or for programs; markdown with --how only"), after_help = "\
Examples:
  tarbac import --how
  tarbac import --how --script > collect.ps1
  tarbac import exports --out contoso
  tarbac import exports --out contoso --dry-run
  tarbac import exports --out contoso --take policies/custom/script-runner.cedar
  tarbac import exports --out contoso --format json > report.json
  tarbac help importing                    the page on imports")]
pub struct Import {
    /// The folder of exports.
    #[arg(required_unless_present = "how")]
    pub exports: Option<PathBuf>,

    /// Write the workspace into this folder.
    #[arg(long, value_name = "DIR", required_unless_present = "how")]
    pub out: Option<PathBuf>,

    /// Show what would be added, changed and removed, and write nothing.
    #[arg(long)]
    pub dry_run: bool,

    /// Write this file or folder of the workspace as the import has it, although somebody has changed it;
    /// repeatable.
    #[arg(long, value_name = "PATH")]
    pub take: Vec<String>,

    /// Take the entities of a workspace without tarbac-files.json for those of an import, and replace them.
    #[arg(long)]
    pub force: bool,

    /// Import although data that the workspace has are in the exports no more: they are removed.
    #[arg(long)]
    pub drop_missing: bool,

    /// The moment at which eligible memberships are looked at, instead of the present: one that has ended by
    /// then or not begun is none.
    #[arg(long, value_name = "DATETIME", value_parser = moment)]
    pub now: Option<Timestamp>,

    /// List every name in the report.
    #[arg(long)]
    pub all: bool,

    /// List the files of an export with the call that gives each, and import nothing.
    #[arg(long, conflicts_with_all = ["exports", "out", "dry_run", "take", "force", "drop_missing", "now", "all"])]
    pub how: bool,

    /// Write the script of PowerShell that collects them.
    #[arg(long, requires = "how")]
    pub script: bool,
}

fn moment(text: &str) -> Result<Timestamp, &'static str> {
    tarbac_tenant::exports::moment(text).ok_or("it is no moment; write it as 2026-11-23T08:05:00Z")
}

/// Write a JSON Schema to standard output, for editors and programs.
#[derive(Debug, Args)]
#[command(arg = format_fixed(DOCUMENTS), after_help = "\
Examples:
  tarbac schema suite > tests/suite.schema.json
  tarbac schema access
  tarbac help testing                      the page on suites")]
pub struct Schema {
    /// What it is the schema of.
    pub of: SchemaOf,
}

/// What there is a JSON Schema of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// The YAML files under `tests/`.
    Suite,
    /// The JSON of `check`.
    Check,
    /// The JSON of `explain`.
    Explain,
    /// The JSON of `who`.
    Who,
    /// The JSON of `what`.
    What,
    /// The JSON of `access`.
    Access,
    /// The JSON of `what-if` and `diff`.
    WhatIf,
    /// The JSON of `matrix`.
    Matrix,
    /// The JSON of `readings`.
    Readings,
    /// The JSON of `validate`.
    Validate,
    /// The JSON of `test`.
    Test,
    /// The JSON of `test --cedar`.
    TestCedar,
    /// The JSON of `prove`.
    Prove,
    /// The JSON of `prove --compare`.
    ProveCompare,
    /// The JSON of `role diff`.
    RoleDiff,
    /// The JSON of `import`.
    Import,
    /// The JSON of `import --how`.
    ImportHow,
    /// The JSON of `init` and `fmt`.
    Files,
}

/// Format policy files as Cedar does.
///
/// Formats the policy files of the workspace, or those given; never the ones in the binary. Nothing
/// is written when a file is not valid Cedar, and a file is replaced only as a whole.
///
/// Exit status: 0 formatted, 1 unformatted files under --check, 2 could not read or write.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac fmt
  tarbac fmt --check policies/custom
  tarbac fmt - < script-runner.cedar")]
pub struct Fmt {
    /// List the files that are not formatted and write nothing.
    #[arg(long)]
    pub check: bool,

    /// Format these files and folders; `-` formats standard input to standard output.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// Write a sample workspace, to ask questions of and to change.
///
/// Writes the policies and the schema that ship, a small invented tenant, and a README that says
/// what to do next. It never overwrites: where one of the files exists, nothing is written. Lines are
/// added to a .gitignore that is there.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac init contoso && tarbac -C contoso access
  tarbac init --bare .                     in a repository, for a tenant of your own")]
pub struct Init {
    /// Leave the sample tenant and its README out: only rules, a first suite and a workflow.
    #[arg(long)]
    pub bare: bool,

    /// Write into this folder; it is made if it does not exist.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// Write the completions for a shell to standard output.
///
/// They ask this program how a line can go on, which knows the readings, people, permissions and devices of the
/// workspace that the line or TARBAC_WORKSPACE names, where its entities are not more than 32 MiB.
#[derive(Debug, Args)]
#[command(arg = format_fixed(&[Format::Human]), after_help = "\
Examples:
  echo 'source <(tarbac completions bash)' >> ~/.bashrc
  echo 'source <(tarbac completions zsh)' >> ~/.zshrc
  echo 'tarbac completions fish | source' >> ~/.config/fish/config.fish")]
pub struct Completions {
    /// The shell.
    pub shell: Shell,
}

/// Write the manual page to standard output, or one page for each command into a folder.
#[derive(Debug, Args)]
#[command(arg = format_fixed(&[Format::Human]), after_help = "\
Examples:
  tarbac man | man -l -
  tarbac man --out ~/.local/share/man/man1")]
pub struct Man {
    /// Write the pages of all commands into this folder.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Show the help of a command, or a page of the documentation.
///
/// Without a topic, lists the commands and the pages. A page with the name of a command follows its help.
#[derive(Debug, Args)]
#[command(arg = format_fixed(&[Format::Human]), after_help = "\
Examples:
  tarbac help
  tarbac help what-if
  tarbac help role export")]
pub struct Help {
    /// A command, or the name of a page.
    #[arg(value_name = "TOPIC", add = offered(candidates::topics))]
    pub topic: Vec<String>,
}
