//! The content of a store, and the replicas that read it.

use tarbac_fleet::{FleetError, Heard, Manifest, ManifestPart, ReplicaState, heard};
use tarbac_report as render;
use tarbac_report::store::{
    AnnouncedCondition, ReplicaStatus, StoreLog, StoreLogEntry, StorePublisher, StoreStatus,
    StoredFiles, StoredReadings, StoredRevision,
};
use tarbac_report::words::counted;

use super::{LogArgs, StatusArgs};
use crate::arguments::{Format, GlobalArgs};
use crate::clock;
use crate::command::fleet::published_by;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) fn status(
    global: &GlobalArgs,
    arguments: &StatusArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let store = arguments.at.open()?;
    let numbers = store.numbers(0)?;
    let newest = match numbers.last() {
        Some(number) => store.revision(*number)?.map(|revision| revision.manifest),
        None => None,
    };
    let replicas = heard(&store, clock::now())?;
    let is_well = |of: &Heard| of.said.state == ReplicaState::Ok && !of.silent;
    let text = match global.format {
        Format::Json => {
            let status = StoreStatus {
                revisions: numbers.len(),
                newest: newest.as_ref().map(about),
                replicas: replicas.iter().map(replica_status).collect(),
            };
            render::store::document("store status", status)
        }
        _ => {
            let first = match &newest {
                Some(newest) => format!(
                    "{}, the newest: {}\n",
                    counted(numbers.len(), "revision"),
                    line(newest)
                ),
                None => "there is no revision yet\n".to_owned(),
            };
            let lines = replicas
                .iter()
                .map(|replica| replica_line(replica, newest.as_ref()));
            std::iter::once(first).chain(lines).collect()
        }
    };
    output.write(&text)?;
    Ok(match newest.is_some() && replicas.iter().all(is_well) {
        true => Exit::Yes,
        false => Exit::No,
    })
}

fn replica_status(replica: &Heard) -> ReplicaStatus {
    let said = &replica.said;
    ReplicaStatus {
        instance: said.instance.clone(),
        number: said.number,
        id: said.id.clone(),
        since: said.since.to_string(),
        state: match said.state {
            ReplicaState::Ok => AnnouncedCondition::Ok,
            ReplicaState::Stale => AnnouncedCondition::Stale,
            ReplicaState::Rejecting => AnnouncedCondition::Rejecting,
        },
        version: said.version.clone(),
        seconds: replica.seconds,
        silent: replica.silent,
    }
}

fn replica_line(replica: &Heard, newest: Option<&Manifest>) -> String {
    let said = &replica.said;
    let state = match said.state {
        _ if replica.silent => format!("silent for {} s", replica.seconds),
        ReplicaState::Ok => "ok".to_owned(),
        ReplicaState::Stale => "stale".to_owned(),
        ReplicaState::Rejecting => "rejects a newer revision".to_owned(),
    };
    let behind = newest.map_or(0, |newest| newest.number.saturating_sub(said.number));
    let behind = match behind {
        0 => String::new(),
        behind => format!(", {behind} behind"),
    };
    format!(
        "  {}: {state}, revision {} ({}){behind}, tarbac {}\n",
        said.instance, said.number, said.id, said.version
    )
}

pub(crate) fn log(
    global: &GlobalArgs,
    arguments: &LogArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let store = arguments.at.open()?;
    let numbers = store.numbers(0)?;
    let mut entries = Vec::new();
    for number in numbers.into_iter().rev().take(arguments.limit) {
        // One that cannot be used is a part of the history as well.
        match store.revision(number) {
            Ok(Some(revision)) => entries.push(Ok(revision.manifest)),
            Ok(None) => {}
            Err(error) if error.is_passing() => return Err(error.into()),
            Err(error) => entries.push(Err((number, error))),
        }
    }
    let text = match global.format {
        Format::Json => {
            let revisions = entries.iter().map(entry).collect();
            render::store::document("store log", StoreLog { revisions })
        }
        _ => entries
            .iter()
            .map(|entry| match entry {
                Ok(manifest) => format!("{}\n", line(manifest)),
                Err((_, error)) => format!("{error}\n"),
            })
            .collect(),
    };
    output.write(&text)?;
    Ok(Exit::Yes)
}

fn entry(entry: &Result<Manifest, (u64, FleetError)>) -> StoreLogEntry {
    match entry {
        Ok(manifest) => StoreLogEntry::Revision(Box::new(about(manifest))),
        Err((number, error)) => StoreLogEntry::Unusable {
            number: *number,
            error: error.to_string(),
        },
    }
}

/// A revision as programs get it.
fn about(manifest: &Manifest) -> StoredRevision {
    let count = |part: ManifestPart| {
        let files = manifest.files.iter();
        files.filter(|file| file.part == part).count()
    };
    StoredRevision {
        number: manifest.number,
        id: manifest.id.clone(),
        parent: manifest.parent,
        reverts_to: manifest.reverts_to,
        created: manifest.created.to_string(),
        publisher: StorePublisher {
            program: manifest.publisher.program.clone(),
            host: manifest.publisher.host.clone(),
            commit: manifest.publisher.commit.clone(),
        },
        message: manifest.message.clone(),
        readings: StoredReadings {
            on: manifest.readings.on.clone(),
            off: manifest.readings.off.clone(),
        },
        files: StoredFiles {
            policies: count(ManifestPart::Policies),
            entities: count(ManifestPart::Entities),
        },
        bytes: manifest.size(),
    }
}

/// A revision as people get it.
fn line(manifest: &Manifest) -> String {
    let reverts = manifest
        .reverts_to
        .map(|number| format!(", the content of {number}"));
    let message = manifest
        .message
        .as_ref()
        .map(|message| format!(": {message}"));
    let parts = [reverts, message].into_iter().flatten();
    let rest: String = parts.collect();
    let seconds = manifest.created.strftime("%Y-%m-%dT%H:%M:%SZ");
    format!(
        "{} ({}) {seconds} by {}{rest}",
        manifest.number,
        manifest.short_id(),
        published_by(&manifest.publisher)
    )
}
