//! `tarbac publish`: the workspace as the next revision of a store.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, ValueEnum};
use tarbac_fleet::{
    Given, GivenContent, ManifestPart, NextRevision, PublishError, Published, Readings,
    RevisionLabel, SigningKey, publish,
};
use tarbac_host::workspace::{PartContent, PartFile, contents};
use tarbac_report as render;

use super::fleet::{StoreAtArgs, cache, in_short, load_tree, publication, publisher, say_errors};
use super::{layout, switches, test};
use crate::arguments::format::{DOCUMENTS, format_among};
use crate::arguments::{Arguments, Command, Format, GlobalArgs};
use crate::clock;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, say};

/// Publish the workspace to a store, for every decision point that reads it.
///
/// The workspace becomes the next revision of the store, at once or not at all. With --part, only the schema and the
/// policies, or only what describes the tenant is published (entities, and rules that an import made), and the newest
/// revision has the rest: a change of policies and an hourly import never undo each other. The new revision is validated
/// first, and refused if it has errors. It includes the shipped rules in force, so all replicas decide alike.
///
/// Exit status: 0 published, or nothing to publish; 1 refused for its errors or failed tests, 2 could not publish.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac publish --store file:///srv/tarbac/contoso
  tarbac publish --store az://contosopdp/revisions/contoso --part policies --test --message \"$(git log -1 --format=%s)\"
  tarbac publish --store s3://contoso-pdp/contoso --part entities --cache /var/cache/tarbac
  tarbac help fleet                        the page on many decision points")]
pub(crate) struct PublishArgs {
    /// The store.
    #[command(flatten)]
    pub at: StoreAtArgs,

    /// Publish this part.
    #[arg(long, value_name = "PART", default_value = "all")]
    pub part: PartArg,

    /// The message of the revision, like that of a commit.
    #[arg(short, long, value_name = "TEXT")]
    pub message: Option<String>,

    /// Run the suites of the workspace on the revision first, and publish nothing if one fails.
    #[arg(long)]
    pub test: bool,

    /// Sign with the private key in this file (Ed25519, PEM).
    #[arg(long, value_name = "FILE", env = "TARBAC_SIGN", hide_env_values = true)]
    pub sign: Option<PathBuf>,

    /// Keep what was read in this folder, so that the next publication is quicker.
    #[arg(long, value_name = "DIR", env = "TARBAC_CACHE", hide_env_values = true)]
    pub cache: Option<PathBuf>,

    /// Write every file again, in place of damaged ones.
    #[arg(long)]
    pub repair: bool,
}

/// A part of a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PartArg {
    /// Everything.
    All,
    /// The schema, and the policies that people wrote.
    Policies,
    /// The entities, and the policies that an import made.
    Entities,
}

/// Why a revision is not published.
enum Refusal {
    /// It has errors, or a suite fails; that was said.
    Said,
    /// It cannot be examined.
    Failed(Failure),
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &PublishArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let key = arguments
        .sign
        .as_deref()
        .map(SigningKey::read)
        .transpose()?;
    let store = arguments.at.make()?;
    let cache = cache(arguments.cache.as_deref())?;
    let label = RevisionLabel {
        publisher: publisher(global),
        message: arguments.message.clone(),
        created: clock::now(),
        key: key.as_ref(),
        repair: arguments.repair,
    };
    let switches = switches(global)?;
    let readings = Readings {
        on: switches.on,
        off: switches.off,
    };
    let next = next(contents(&layout(global))?, arguments.part, readings);
    let mut examine = |tree: &Path, readings: &Readings| {
        let keep = arguments.cache.is_some();
        let loaded = load_tree(global, tree, readings, keep);
        let loaded = loaded
            .map_err(|error| say_errors(error, tree).map_or(Refusal::Said, Refusal::Failed))?;
        if arguments.test && !passes(global, tree, readings, output).map_err(Refusal::Failed)? {
            return Err(Refusal::Said);
        }
        Ok(loaded.engine.provenance().revision.clone())
    };
    match publish(&store, &cache, next, &label, &mut examine) {
        Ok(published) => {
            write(&published, global, &store.location().to_string(), output)?;
            Ok(Exit::Yes)
        }
        Err(PublishError::Refused(Refusal::Said)) => {
            say("Nothing was published.\n");
            Ok(Exit::No)
        }
        Err(PublishError::Refused(Refusal::Failed(failure))) => Err(failure),
        Err(PublishError::Fleet(error)) => Err(error.into()),
    }
}

/// The files of a workspace, as far as they are published.
fn next(files: Vec<PartFile>, part: PartArg, readings: Readings) -> NextRevision {
    let given = files.into_iter().map(|file| Given {
        part: match file.is_of_tenant {
            true => ManifestPart::Entities,
            false => ManifestPart::Policies,
        },
        path: file.path,
        content: match file.content {
            PartContent::OnDisk(path) => GivenContent::OnDisk(path),
            PartContent::Text(text) => GivenContent::Text(text),
        },
    });
    let only = |part: ManifestPart, given: Vec<Given>| {
        given.into_iter().filter(|file| file.part == part).collect()
    };
    let given: Vec<Given> = given.collect();
    match part {
        PartArg::All => NextRevision::All(given, readings),
        PartArg::Policies => NextRevision::Part(
            ManifestPart::Policies,
            only(ManifestPart::Policies, given),
            readings,
        ),
        PartArg::Entities => NextRevision::Part(
            ManifestPart::Entities,
            only(ManifestPart::Entities, given),
            readings,
        ),
    }
}

/// Whether the suites of the workspace pass on a revision.
fn passes(
    global: &GlobalArgs,
    tree: &Path,
    readings: &Readings,
    output: &mut Output,
) -> Result<bool, Failure> {
    let mut line = vec![
        "tarbac".into(),
        "test".into(),
        "-C".into(),
        global.workspace.clone().into_os_string(),
    ];
    for part in ["entities", "policies", "schema"] {
        let folder = tree.join(part);
        if folder.is_dir() {
            line.extend([format!("--{part}").into(), folder.into_os_string()]);
        }
    }
    for (flag, names) in [("--reading", &readings.on), ("--no-reading", &readings.off)] {
        line.extend(names.iter().flat_map(|name| [flag.into(), name.into()]));
    }
    let Ok(Arguments {
        command: Command::Test(arguments),
        global,
    }) = Arguments::try_parse_from(line)
    else {
        return Ok(false);
    };
    Ok(test::run(&global, &arguments, output)? == Exit::Yes)
}

fn write(
    published: &Published,
    global: &GlobalArgs,
    store: &str,
    output: &mut Output,
) -> Result<(), Failure> {
    let publication = publication(published);
    if global.format == Format::Json {
        return output.write(&render::store::document("publish", publication));
    }
    let (Published::New(manifest) | Published::Unchanged(manifest)) = published;
    output.write(&match published {
        Published::New(_) => format!(
            "published {} to {store}: {} files, {} bytes\n",
            in_short(manifest),
            manifest.files.len(),
            manifest.size()
        ),
        Published::Unchanged(_) => {
            format!("unchanged: {store} has this as {}\n", in_short(manifest))
        }
    })
}
