//! What can be typed. The comments are the help texts.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use tarbac::render::report::Format as ReportFormat;
use tarbac::suite::Filter;

/// Decide and explain who may do what to Intune tenant-attached devices.
///
/// The rules of Intune and Configuration Manager are Cedar policies. A workspace is a folder with
/// `policies/`, `schema/` and `entities/`; where it lacks policies or schema, those in the binary
/// are used.
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
  tarbac -C contoso prove                  and in every other tenant that there could be?"
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
}

/// What holds for every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Workspace and output")]
pub struct Global {
    /// Read the workspace in this folder.
    #[arg(
        short = 'C',
        long,
        value_name = "DIR",
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

    /// Write the answer for people or for programs.
    #[arg(long, value_name = "FORMAT", default_value = "human", global = true)]
    pub format: Format,

    /// Switch a reading on; repeatable. `tarbac readings` lists them.
    #[arg(long, value_name = "NAME", global = true)]
    pub reading: Vec<String>,

    /// Switch a reading off; repeatable.
    #[arg(long, value_name = "NAME", global = true)]
    pub no_reading: Vec<String>,

    /// Read a large workspace anew, and keep nothing of it in `.tarbac/`.
    #[arg(long, global = true)]
    pub no_cache: bool,
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people.
    Human,
    /// JSON for programs.
    Json,
    /// A table in plain text (matrix only; the same as human).
    #[value(hide = true)]
    Table,
    /// JSON for programs, an object a line (who, what, access, what-if and diff only).
    Ndjson,
    /// A table in Markdown (matrix, who, what, access, what-if, diff and import --how only).
    Markdown,
    /// Comma-separated values (matrix, who, what, access, what-if and diff only).
    Csv,
    /// A page that needs nothing else (access, what-if and diff only).
    Html,
}

impl Format {
    /// The word on the command line.
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
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
    Readings,
    Init(Init),
    Import(Import),
    Schema(Schema),
    Completions(Completions),
    Man(Man),
}

/// Explain a decision: who decides, why, and what would change it.
///
/// Shows which authority is in force and what makes it so; for an allow, the path from the person
/// to the role and the policy; for a deny, every rule that refused with the values it read, and the
/// smallest changes that would make it an allow, each one tried.
///
/// Exit status: that of check.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tarbac explain ada@contoso.example \"View client details\" WS-TST-001
  tarbac explain ada@contoso.example viewClientDetails WS-BER-014 --format json")]
pub struct Ask {
    /// Who asks: a user principal name, an id, or a Cedar UID.
    pub principal: String,

    /// What for: the id, the documented name or the Graph id of a permission.
    pub action: String,

    /// On what: the name, the id or the Cedar UID of a device or tenant.
    pub resource: String,

    /// What else is known about the request.
    #[command(flatten)]
    pub context: Context,
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
/// With --requests, answers one JSON object a line: {"principal", "action", "resource", "context"?},
/// each named as on the command line or as {"type", "id"}. A bad line is answered indeterminate and
/// does not stop the rest.
///
/// Exit status: 0 allow, 1 deny, 2 indeterminate or could not answer. With --requests: 0 every line
/// was answered allow or deny, 2 otherwise.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tarbac check ada@contoso.example \"View client details\" WS-TST-001
  tarbac check ada@contoso.example runScript 'ConfigMgr::Device::\"TST-16777220\"' --format json
  tarbac check olivia@contoso.example Roles/Update contoso --no-reading entra-administrators
  tarbac check --requests requests.ndjson > answers.ndjson
  some-program | tarbac check --requests -")]
pub struct Check {
    /// Who asks: a user principal name, an id, or a Cedar UID.
    #[arg(required_unless_present = "requests", conflicts_with = "requests")]
    pub principal: Option<String>,

    /// What for: the id, the documented name or the Graph id of a permission.
    #[arg(required_unless_present = "requests", conflicts_with = "requests")]
    pub action: Option<String>,

    /// On what: the name, the id or the Cedar UID of a device or tenant.
    #[arg(required_unless_present = "requests", conflicts_with = "requests")]
    pub resource: Option<String>,

    /// What else is known about the request.
    #[command(flatten)]
    pub context: Context,

    /// Answer the requests of this file, one a line; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["context", "now"])]
    pub requests: Option<PathBuf>,
}

/// List everybody who may do something to a device or tenant.
///
/// Each with the path that gives it: through which group, role assignment and role. With --may-not also
/// everybody else, together with whoever is refused for the same reasons. Each decision is that of check.
///
/// Exit status: 0 somebody may, 1 nobody may, 2 it could not be decided about somebody.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tarbac who \"Run script\" WS-TST-001
  tarbac who runScript WS-BER-014 --may-not --all
  tarbac who Roles/Update contoso --format json")]
pub struct Who {
    /// What for: the id, the documented name or the Graph id of a permission.
    pub action: String,

    /// On what: the name, the id or the Cedar UID of a device or tenant.
    pub resource: String,

    /// List those who may not, with the reasons.
    #[arg(long)]
    pub may_not: bool,

    /// List everybody: of those who may, and with --may-not of those who are refused alike.
    #[arg(long)]
    pub all: bool,

    /// What else is known about the requests.
    #[command(flatten)]
    pub context: Context,
}

/// List everything that somebody may do.
///
/// By devices that are treated alike: on all of a group the same is decided for the same reasons. Each
/// decision is that of check.
///
/// Exit status: 0 something is allowed, 1 nothing is, 2 something could not be decided.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tarbac what ada@contoso.example
  tarbac what ada@contoso.example WS-BER-014
  tarbac what karin@contoso.example --all --format json")]
pub struct What {
    /// Who: a user principal name, an id, or a Cedar UID.
    pub principal: String,

    /// On what: the name, the id or the Cedar UID of a device or tenant; on everything without.
    pub resource: Option<String>,

    /// List every device.
    #[arg(long)]
    pub all: bool,

    /// What else is known about the requests.
    #[command(flatten)]
    pub context: Context,
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
/// somebody would be refused, is not among them: Configuration Manager asks for any Intune role.
///
/// Exit status: 0 whatever is granted works and every assignment gives something, 1 not so, 2 something could
/// not be decided.
#[derive(Debug, Args)]
#[command(after_help = "\
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
#[command(after_help = "\
Examples:
  tarbac what-if --use-intune-rbac on --enforce-configmgr-rbac P01=off
  tarbac what-if --enforce-configmgr-rbac P01=off --plan
  tarbac what-if --site-version P01=2403 --all
  tarbac what-if --grant ada@contoso.example=\"Help Desk Operator\" --revoke olivia@contoso.example=\"Read Only Operator\"
  tarbac what-if --set 'ada@contoso.example.cloudOnly=false' --reading discovery-either --format json
  tarbac what-if --policies proposal/policies")]
pub struct WhatIf {
    /// Turn Use Intune RBAC on or off, for every tenant or the one that is named.
    #[arg(long, value_name = "[TENANT=]on|off")]
    pub use_intune_rbac: Vec<String>,

    /// Select or clear Enforce Configuration Manager RBAC, for every hierarchy or the one that is named;
    /// repeatable.
    #[arg(long, value_name = "[HIERARCHY=]on|off")]
    pub enforce_configmgr_rbac: Vec<String>,

    /// Update the sites of every hierarchy, or of the one that is named; repeatable.
    #[arg(long, value_name = "[HIERARCHY=]VERSION")]
    pub site_version: Vec<String>,

    /// Assign an Intune role to a person or group; repeatable.
    #[arg(long, value_name = "NAME=ROLE")]
    pub grant: Vec<String>,

    /// Take a person or group out of whatever gives it an Intune role, groups included; repeatable.
    #[arg(long, value_name = "NAME=ROLE")]
    pub revoke: Vec<String>,

    /// Give an attribute a value, as in 'P01.version=2403', or a fact of Cedar's, as in
    /// 'Entra::User::"ada" in Entra::Group::"desk"=true'; repeatable.
    #[arg(long, value_name = "UID.ATTRIBUTE=VALUE")]
    pub set: Vec<String>,

    /// Plan the fewest role changes after which nobody loses anything and, separately, nobody gains what can
    /// be taken away; each plan is tried.
    #[arg(long)]
    pub plan: bool,

    /// Show every row, and every device with the collections it is in; --format ndjson always does.
    #[arg(long)]
    pub all: bool,

    /// What else is known about the requests.
    #[command(flatten)]
    pub context: Context,
}

/// Show what changes for whom between two workspaces, policies, or revisions of git.
///
/// The report of what-if between two states, with whoever gains first. OLD and NEW are each a workspace, a folder or file of policies
/// that is joined with the entities of this workspace, or a revision of the git repository that this
/// workspace is in; without NEW it is this workspace.
///
/// Exit status: 0 the same, 1 somebody gains or loses something, 2 could not answer.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tarbac diff HEAD~1
  tarbac diff main proposal/policies
  tarbac diff ../contoso-last-week --all --format json")]
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
}

/// Show what each role permits, or what each person may do.
///
/// Without --principal and --resource: permissions × roles, out of the policies in force. With one
/// of them, or --all: people × permissions, a block for each device, each cell with its deciding
/// policy.
#[derive(Debug, Args)]
#[command(after_help = "\
--format is human (or table), markdown, csv or json.

Examples:
  tarbac matrix --format markdown
  tarbac matrix --principal ada@contoso.example --resource WS-TST-001 --resource WS-BER-014
  tarbac matrix --resource WS-BER-014      everybody on one device
  tarbac matrix --all --format csv         everybody on everything")]
pub struct Matrix {
    /// Show this person; repeatable. Everybody, where only --resource is given.
    #[arg(long, value_name = "PRINCIPAL")]
    pub principal: Vec<String>,

    /// Show this device or tenant; repeatable. All of them, where only --principal is given.
    #[arg(long, value_name = "RESOURCE")]
    pub resource: Vec<String>,

    /// Show everybody on everything.
    #[arg(long, conflicts_with_all = ["principal", "resource"])]
    pub all: bool,
}

/// Find everything that is wrong with a workspace.
///
/// Reads schema, policies and entities and lists all findings, with a code to search for, the place
/// and what to do. No other command decides with a workspace that has errors.
///
/// Exit status: 0 clean, 1 findings, 2 could not read. Warnings alone are clean unless
/// --deny-warnings.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tarbac -C contoso validate
  tarbac -C contoso validate --deny-warnings --format json
  tarbac validate --report github=- --report sarif=tarbac.sarif")]
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
#[command(after_help = "\
Examples:
  tarbac -C contoso test
  tarbac test tests/help-desk.yaml --filter \"cloud-only\"
  tarbac test --filter principal=ada@contoso.example --filter action=runScript
  tarbac test --accept                     take the new snapshots
  tarbac test --coverage --mutate          are the suites any good?
  tarbac test --report junit=junit.xml --report github=-
  tarbac test --cedar tests.json           run a file of `cedar run-tests`")]
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
/// A spec is a Cedar policy under `tests/specs/`: everything a `permit` matches must be allowed,
/// everything a `forbid` matches must be refused, whoever asks and whatever the settings are. A
/// solver looks for a world that refutes it; one that it finds is made small, decided again by plain
/// Cedar, and told. Besides, no policy can raise an error, and none is there for nothing.
///
/// With --compare, the policies are compared with those of another workspace, of a policy folder or
/// of a revision of git: what any of them allows and the other refuses, under the readings in force.
///
/// The solver is cvc5, a program of its own: --solver, else the variable CVC5, else `cvc5` on the
/// PATH.
///
/// Exit status: 0 all proved, 1 something refuted, 2 something not proved, or no solver.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tarbac prove
  tarbac prove tests/specs/roles.cedar --filter run-script
  tarbac prove --save-counterexamples tests/found && tarbac test tests/found
  tarbac prove --mutate                    do the specs say everything?
  tarbac prove --compare main              does this change open anything?
  tarbac prove --compare HEAD --allow-less")]
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
#[command(after_help = "\
Example:
  tarbac review
  tarbac review tests/everybody.yaml")]
pub struct Review {
    /// Review the snapshots of these files and folders; all under `tests/` without.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// Compare roles with a tenant, and give them to it.
#[derive(Debug, Args)]
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
#[command(after_help = "\
Examples:
  tarbac role export \"Script Runner\"
  tarbac role export \"Script Runner\" > role.json
  az rest --method post --body @role.json \\
    --url https://graph.microsoft.com/v1.0/deviceManagement/roleDefinitions")]
pub struct RoleExport {
    /// The role: its name, or its id.
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
#[command(after_help = "\
Example:
  tarbac role diff exports")]
pub struct RoleDiff {
    /// The folder of exports.
    pub exports: PathBuf,
}

/// Make a workspace of the exports of a live tenant.
///
/// EXPORTS is a folder with what Microsoft Graph, Configuration Manager and the admin center gave; --how
/// lists its files and the call that gives each. JSON or a record a line, in pages, UTF-8 or UTF-16, plain
/// or gzip. The workspace has the people, groups, roles, hierarchies and devices as entities, a copy of
/// the policies and the schema in which built-in roles are as the tenant has them, and a policy file for
/// each custom role.
///
/// What the exports do not say gives nobody anything, and is said: what could not be joined, what was
/// assumed, and what is worth a look. The workspace is written whole or not at all.
///
/// Exit status: 0 imported, 2 an export is refused, or the workspace cannot be written.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tarbac import --how
  tarbac import exports --out contoso
  tarbac import exports --out contoso --force --format json > report.json")]
pub struct Import {
    /// The folder of exports.
    #[arg(required_unless_present = "how")]
    pub exports: Option<PathBuf>,

    /// Write the workspace into this folder.
    #[arg(long, value_name = "DIR", required_unless_present = "how")]
    pub out: Option<PathBuf>,

    /// Replace `entities/`, `policies/` and `schema/` of a workspace that is there; the rest of it stays.
    #[arg(long)]
    pub force: bool,

    /// List every name in the report.
    #[arg(long)]
    pub all: bool,

    /// List the files of an export with the call that gives each, and import nothing.
    #[arg(long, conflicts_with_all = ["exports", "out", "force", "all"])]
    pub how: bool,
}

/// Write a JSON Schema to standard output, for editors.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tarbac schema suite > tests/suite.schema.json")]
pub struct Schema {
    /// What it is the schema of.
    pub of: SchemaOf,
}

/// What there is a JSON Schema of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// The YAML files under `tests/`.
    Suite,
}

/// Format policy files as Cedar does.
///
/// Formats the policy files of the workspace, or those given; never the ones in the binary. Nothing
/// is written when a file is not valid Cedar, and a file is replaced only as a whole.
///
/// Exit status: 0 formatted, 1 unformatted files under --check, 2 could not read or write.
#[derive(Debug, Args)]
#[command(after_help = "\
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
/// what to do next. It never overwrites: where one of the files exists, nothing is written.
#[derive(Debug, Args)]
pub struct Init {
    /// Write into this folder; it is made if it does not exist.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// Write the completions for a shell to standard output.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tarbac completions bash > ~/.local/share/bash-completion/completions/tarbac")]
pub struct Completions {
    /// The shell.
    pub shell: Shell,
}

/// Write the manual page to standard output, or one page for each command into a folder.
#[derive(Debug, Args)]
pub struct Man {
    /// Write the pages of all commands into this folder.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
