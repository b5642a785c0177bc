//! The history of a store that is served, for people who look at the page.

use tarbac_fleet::{Cache, FleetError, Heard, Manifest, ReplicaState, Store, heard};
use tarbac_host::workspace::LoadOptions;
use tarbac_serve::{
    HeardReplica, PastRevision, ReplicaCondition, RevisionAbout, RevisionError, RevisionHistory,
    SourceError, TakeRevision,
};

use super::follow::{given, silent};
use crate::clock;
use crate::command::fleet::published_by;

/// A store, beside what is served of it.
pub(super) struct History {
    store: Store,
}

impl History {
    pub(super) fn new(store: Store) -> Self {
        Self { store }
    }

    fn manifest(&self, number: u64) -> Result<Manifest, FleetError> {
        let revision = self.store.revision(number)?;
        let revision = revision.ok_or(FleetError::NoRevision { number })?;
        Ok(revision.manifest)
    }
}

impl RevisionHistory for History {
    fn place(&self) -> String {
        self.store.location().to_string()
    }

    fn numbers(&self) -> Result<Vec<u64>, SourceError> {
        self.store.numbers(0).map_err(silent)
    }

    fn revision(&self, number: u64) -> Result<PastRevision, SourceError> {
        let about = match self.manifest(number) {
            Ok(manifest) => Ok(said(manifest)),
            Err(error) if error.is_passing() => return Err(silent(error)),
            Err(error) => Err(RevisionError::Invalid(error.to_string())),
        };
        Ok(PastRevision { number, about })
    }

    fn replicas(&self) -> Result<Vec<HeardReplica>, SourceError> {
        let replicas = heard(&self.store, clock::now()).map_err(silent)?;
        Ok(replicas.into_iter().map(replica).collect())
    }

    fn fetch(&self, number: u64, read: TakeRevision<'_>) -> Result<(), SourceError> {
        let manifest = self.manifest(number).map_err(silent)?;
        let files = Cache::temporary().map_err(silent)?;
        files.hold(&self.store, &manifest).map_err(silent)?;
        let read = given(&LoadOptions::default(), &files.tree(), &manifest, read);
        read.map_err(|refused| RevisionError::Invalid(refused.to_string()).into())
    }
}

fn said(manifest: Manifest) -> RevisionAbout {
    RevisionAbout {
        id: manifest.short_id().to_owned(),
        created: manifest.created,
        publisher: published_by(&manifest.publisher),
        message: manifest.message,
        reverts_to: manifest.reverts_to,
    }
}

fn replica(heard: Heard) -> HeardReplica {
    let Heard {
        said,
        seconds,
        silent,
    } = heard;
    HeardReplica {
        state: match said.state {
            _ if silent => ReplicaCondition::Silent,
            ReplicaState::Ok => ReplicaCondition::Ok,
            ReplicaState::Stale => ReplicaCondition::Stale,
            ReplicaState::Rejecting => ReplicaCondition::Rejecting,
        },
        instance: said.instance,
        number: said.number,
        id: said.id,
        since: said.since,
        seconds,
        version: said.version,
    }
}
