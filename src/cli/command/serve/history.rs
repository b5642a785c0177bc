//! The history of a store that is served, for people who look at the page.

use tarbac_fleet::{Cache, FleetError, Heard, Manifest, ReplicaState, Store, heard};
use tarbac_host::workspace::LoadOptions;
use tarbac_serve::{
    HeardReplica, PastRevision, ReplicaCondition, RevisionAbout, RevisionHistory, TakeRevision,
};

use super::follow::given;
use crate::command::fleet::{now, published_by};

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

    fn numbers(&self) -> Result<Vec<u64>, String> {
        self.store.numbers(0).map_err(|error| error.to_string())
    }

    fn revision(&self, number: u64) -> Result<PastRevision, String> {
        let about = match self.manifest(number) {
            Ok(manifest) => Ok(said(manifest)),
            Err(error) if error.is_passing() => return Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        Ok(PastRevision { number, about })
    }

    fn replicas(&self) -> Result<Vec<HeardReplica>, String> {
        let replicas = heard(&self.store, now()).map_err(|error| error.to_string())?;
        Ok(replicas.into_iter().map(replica).collect())
    }

    fn fetch(&self, number: u64, read: TakeRevision<'_>) -> Result<(), String> {
        let failed = |error: FleetError| error.to_string();
        let manifest = self.manifest(number).map_err(failed)?;
        let files = Cache::temporary().map_err(failed)?;
        files.hold(&self.store, &manifest).map_err(failed)?;
        given(&LoadOptions::default(), &files.tree(), &manifest, read)
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
