//! Changes of a store: an earlier revision again, and old ones gone.

use std::path::Path;

use tarbac_fleet::{
    NextRevision, PublishError, Published, Readings, RevisionLabel, SigningKey, publish,
};
use tarbac_report as render;
use tarbac_report::store::Pruning;
use tarbac_report::words::counted;

use super::{PruneArgs, RevertArgs};
use crate::arguments::{Format, GlobalArgs};
use crate::clock;
use crate::command::fleet::{cache, in_short, load_tree, publication, publisher, say_errors};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, say};

pub(crate) fn revert(
    global: &GlobalArgs,
    arguments: &RevertArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let key = arguments
        .sign
        .as_deref()
        .map(SigningKey::read)
        .transpose()?;
    let store = arguments.at.open()?;
    let label = RevisionLabel {
        publisher: publisher(global),
        message: arguments.message.clone(),
        created: clock::now(),
        key: key.as_ref(),
        repair: false,
    };
    let mut examine =
        |tree: &Path, readings: &Readings| match load_tree(global, tree, readings, false) {
            Ok(loaded) => Ok(loaded.engine.provenance().revision.clone()),
            Err(error) => Err(say_errors(error, tree)),
        };
    let next = NextRevision::Revert(arguments.number);
    let published = match publish(&store, &cache(None)?, next, &label, &mut examine) {
        Ok(published) => published,
        Err(PublishError::Refused(None)) => {
            say("Nothing was published.\n");
            return Ok(Exit::No);
        }
        Err(PublishError::Refused(Some(failure))) => return Err(failure),
        Err(PublishError::Fleet(error)) => return Err(error.into()),
    };
    let (Published::New(manifest) | Published::Unchanged(manifest)) = &published;
    let publication = publication(&published);
    let (result, of) = (publication.result.word(), arguments.number);
    output.write(&match global.format {
        Format::Json => render::store::document("store revert", publication),
        _ => format!(
            "{result} {}, which has the content of {of}\n",
            in_short(manifest)
        ),
    })?;
    Ok(Exit::Yes)
}

pub(crate) fn prune(
    global: &GlobalArgs,
    arguments: &PruneArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let store = arguments.at.open()?;
    let pruned = tarbac_fleet::prune(&store, arguments.keep, clock::now())?;
    output.write(&match global.format {
        Format::Json => {
            let pruning = Pruning {
                revisions: pruned.revisions,
                blobs: pruned.blobs,
                replicas: pruned.replicas,
            };
            render::store::document("store prune", pruning)
        }
        _ => format!(
            "removed {}, {}, and the announcements of {} that are gone\n",
            counted(pruned.revisions, "revision"),
            counted(pruned.blobs, "file"),
            counted(pruned.replicas, "replica"),
        ),
    })?;
    Ok(Exit::Yes)
}
