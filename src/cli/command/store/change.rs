//! Changes of a store: an earlier revision again, and old ones gone.

use std::path::Path;

use serde_json::json;
use tarbac_fleet::{
    NextRevision, PublishError, Published, Readings, RevisionLabel, SigningKey, publish,
};

use super::{PruneArgs, RevertArgs};
use crate::arguments::{Format, GlobalArgs};
use crate::command::fleet::{cache, in_short, load_tree, now, publisher, say_errors};
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
        created: now(),
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
    let (result, manifest) = match &published {
        Published::New(manifest) => ("published", manifest),
        Published::Unchanged(manifest) => ("unchanged", manifest),
    };
    let of = arguments.number;
    output.write(&match global.format {
        Format::Json => {
            let document = json!({
                "version": 1, "command": "store revert", "result": result,
                "number": manifest.number, "id": manifest.id, "reverts_to": of,
            });
            format!("{document:#}\n")
        }
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
    let pruned = tarbac_fleet::prune(&store, arguments.keep, now())?;
    output.write(&match global.format {
        Format::Json => {
            let document = json!({
                "version": 1, "command": "store prune",
                "revisions": pruned.revisions, "blobs": pruned.blobs, "replicas": pruned.replicas,
            });
            format!("{document:#}\n")
        }
        _ => format!(
            "removed {} revisions, {} files, and what {} replicas said that are gone\n",
            pruned.revisions, pruned.blobs, pruned.replicas
        ),
    })?;
    Ok(Exit::Yes)
}
