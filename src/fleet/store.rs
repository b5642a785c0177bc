//! Stores: the objects below a prefix of a storage.

use std::io;
use std::sync::Arc;

use crate::digest::Digest;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use tokio::runtime::{Builder, Runtime};

use crate::clock::StoreClock;
use crate::error::FleetError;
use crate::location::Location;
use crate::manifest::{LARGEST, Manifest};
use crate::path::{BLOBS, REPLICAS, REVISIONS, number_of, of_blob, of_revision};
use crate::signature::TrustedKeys;

/// The number of threads for requests to stores.
const THREADS: usize = 2;

/// A file with the newest number, for people; programs do not read it.
const LATEST: &str = "latest.json";

/// A store to publish to or to read from. Calls block until the store answers.
#[derive(Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
    location: Location,
    runtime: Arc<Runtime>,
    trust: Option<Arc<TrustedKeys>>,
    clock: StoreClock,
}

/// A revision of a store: its manifest, and the bytes of the manifest.
#[derive(Debug, Clone)]
pub struct Revision {
    /// The manifest.
    pub manifest: Manifest,
    pub(crate) bytes: Bytes,
}

impl Store {
    /// Opens a store for reading. With `trust`, its manifests must be signed by one of these keys.
    ///
    /// # Errors
    /// The environment has wrong settings, the folder does not exist, or no thread can be started.
    pub fn open(location: &Location, trust: Option<TrustedKeys>) -> Result<Self, FleetError> {
        let clock = StoreClock::default();
        Self::over((location.open(false, &clock)?, clock), location, trust)
    }

    /// Opens a store for writing: a folder is created if it does not exist.
    ///
    /// # Errors
    /// The errors of [`Store::open`].
    pub fn make(location: &Location, trust: Option<TrustedKeys>) -> Result<Self, FleetError> {
        let clock = StoreClock::default();
        Self::over((location.open(true, &clock)?, clock), location, trust)
    }

    pub(crate) fn over(
        (objects, clock): (Arc<dyn ObjectStore>, StoreClock),
        location: &Location,
        trust: Option<TrustedKeys>,
    ) -> Result<Self, FleetError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("store")
            .enable_all()
            .build()
            .map_err(|error| {
                FleetError::file("start a thread for", std::path::Path::new("store"), error)
            })?;
        Ok(Self {
            objects,
            prefix: location.prefix().clone(),
            location: location.clone(),
            runtime: Arc::new(runtime),
            trust: trust.map(Arc::new),
            clock,
        })
    }

    /// The store of a workspace below this one, over the same connections.
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        Self {
            prefix: self.prefix.clone().join(name),
            location: self.location.below(name),
            ..self.clone()
        }
    }

    /// The location.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The time of the last answer, by the clock of the store; `now`, the time of this machine, if there is none.
    pub(crate) fn time(&self, now: Timestamp) -> Timestamp {
        self.clock.time(now)
    }

    /// Sets the clock of the store, as the `Date` header of an answer does.
    #[cfg(test)]
    pub(crate) fn hear(&self, date: &str) {
        self.clock.hear(date);
    }

    /// The name of its workspace: the last part of its URL.
    pub fn name(&self) -> String {
        self.location.name()
    }

    /// The names of the workspaces below this prefix, sorted.
    ///
    /// # Errors
    /// The store does not answer.
    pub fn workspaces(&self) -> Result<Vec<String>, FleetError> {
        let of_own = [REVISIONS, BLOBS, REPLICAS];
        let listed = self
            .runtime
            .block_on(self.objects.list_with_delimiter(Some(&self.prefix)));
        let listed = listed.map_err(|error| FleetError::store("list the workspaces", error))?;
        let names = listed.common_prefixes.iter().filter_map(Path::filename);
        let mut names: Vec<String> = names
            .filter(|name| !of_own.contains(name))
            .map(str::to_owned)
            .collect();
        names.sort();
        Ok(names)
    }

    /// The numbers of the revisions after `after`, ascending.
    ///
    /// # Errors
    /// The store does not answer.
    pub fn numbers(&self, after: u64) -> Result<Vec<u64>, FleetError> {
        let folder = self.prefix.clone().join(REVISIONS);
        let offset = of_revision(&self.prefix, after);
        let listed = self.objects.list_with_offset(Some(&folder), &offset);
        let listed = self
            .runtime
            .block_on(listed.try_collect::<Vec<ObjectMeta>>());
        let listed = listed.map_err(|error| FleetError::store("list the revisions", error))?;
        let mut numbers: Vec<u64> = listed
            .iter()
            .filter_map(|meta| number_of(&meta.location))
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The revision with this number; `None` if it does not exist.
    ///
    /// # Errors
    /// The store does not answer, or the object is not a trusted manifest of this number.
    pub fn revision(&self, number: u64) -> Result<Option<Revision>, FleetError> {
        let Some(bytes) = self.manifest_bytes(number)? else {
            return Ok(None);
        };
        self.read(bytes, number).map(Some)
    }

    /// The revision of a manifest, from its bytes.
    pub(crate) fn read(&self, bytes: Bytes, number: u64) -> Result<Revision, FleetError> {
        let manifest = Manifest::read(&bytes, number, &self.name(), self.trust.as_deref())?;
        Ok(Revision { manifest, bytes })
    }

    /// The newest revision; `None` if there is none.
    ///
    /// # Errors
    /// The errors of [`Store::revision`].
    pub fn newest(&self) -> Result<Option<Revision>, FleetError> {
        match self.numbers(0)?.last() {
            Some(number) => self.revision(*number),
            None => Ok(None),
        }
    }

    pub(crate) fn manifest_bytes(&self, number: u64) -> Result<Option<Bytes>, FleetError> {
        let path = of_revision(&self.prefix, number);
        let read = async {
            let found = self.objects.get(&path).await?;
            // Larger objects are not read into memory.
            match found.meta.size > LARGEST {
                true => Ok(Err(found.meta.size)),
                false => found.bytes().await.map(Ok),
            }
        };
        match self.runtime.block_on(read) {
            Ok(Ok(bytes)) => Ok(Some(bytes)),
            Ok(Err(size)) => Err(FleetError::Manifest {
                number,
                reason: format!("it has {size} bytes"),
            }),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(FleetError::store(
                format!("read the manifest of revision {number}"),
                error,
            )),
        }
    }

    /// Creates the manifest of a revision; `false` if another publisher has taken the number.
    pub(crate) fn commit(&self, number: u64, bytes: &Bytes) -> Result<bool, FleetError> {
        let path = of_revision(&self.prefix, number);
        let put = self.put_new(&path, bytes.clone());
        match self.runtime.block_on(put) {
            Ok(()) => Ok(true),
            // The object may be our own: a request is repeated when its answer is lost.
            Err(
                object_store::Error::AlreadyExists { .. }
                | object_store::Error::Precondition { .. },
            ) => Ok(self.manifest_bytes(number)?.as_ref() == Some(bytes)),
            Err(error) => Err(FleetError::store(
                format!("create the manifest of revision {number}"),
                error,
            )),
        }
    }

    /// Writes the file with the newest number. Failures do not matter.
    pub(crate) fn hint(&self, number: u64) {
        let path = self.prefix.clone().join(LATEST);
        let text = format!("{{\"number\":{number}}}\n");
        let _ = self.runtime.block_on(self.objects.put(&path, text.into()));
    }

    /// Writes a blob, unless it exists: a blob with this name has the same content.
    pub(crate) fn put_blob(&self, digest: &Digest, bytes: Bytes) -> Result<(), FleetError> {
        let path = of_blob(&self.prefix, digest);
        match self.runtime.block_on(self.put_new(&path, bytes)) {
            Ok(())
            | Err(
                object_store::Error::AlreadyExists { .. }
                | object_store::Error::Precondition { .. },
            ) => Ok(()),
            Err(error) => Err(FleetError::store(format!("write the blob {digest}"), error)),
        }
    }

    /// Writes a blob, and replaces an existing one.
    pub(crate) fn replace_blob(&self, digest: &Digest, bytes: Bytes) -> Result<(), FleetError> {
        let path = of_blob(&self.prefix, digest);
        let put = self.runtime.block_on(self.objects.put(&path, bytes.into()));
        put.map(drop)
            .map_err(|error| FleetError::store(format!("write the blob {digest}"), error))
    }

    /// Whether a blob exists.
    pub(crate) fn has_blob(&self, digest: &Digest) -> Result<bool, FleetError> {
        let path = of_blob(&self.prefix, digest);
        match self.runtime.block_on(self.objects.head(&path)) {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(FleetError::store(
                format!("look for the blob {digest}"),
                error,
            )),
        }
    }

    /// Writes the compressed bytes of a blob to `out`.
    ///
    /// # Errors
    /// The blob does not exist, is longer than `limit` bytes, or the store stops answering.
    pub(crate) fn fetch(
        &self,
        digest: &Digest,
        limit: u64,
        out: &mut dyn io::Write,
    ) -> Result<(), FleetError> {
        let path = of_blob(&self.prefix, digest);
        let failed = |error| match error {
            object_store::Error::NotFound { .. } => FleetError::NoBlob {
                digest: digest.to_string(),
            },
            error => FleetError::store(format!("read the blob {digest}"), error),
        };
        let read = async {
            let found = self.objects.get(&path).await.map_err(failed)?;
            if found.meta.size > limit {
                return Err(FleetError::Damaged {
                    digest: digest.to_string(),
                    reason: format!("it has {} bytes", found.meta.size),
                });
            }
            let mut stream = found.into_stream();
            while let Some(bytes) = stream.next().await {
                let bytes = bytes.map_err(failed)?;
                out.write_all(&bytes).map_err(|error| {
                    FleetError::file("write", std::path::Path::new("a blob"), error)
                })?;
            }
            Ok(())
        };
        self.runtime.block_on(read)
    }

    async fn put_new(&self, path: &Path, bytes: Bytes) -> object_store::Result<()> {
        let options = PutOptions::from(PutMode::Create);
        self.objects
            .put_opts(path, bytes.into(), options)
            .await
            .map(drop)
    }

    /// The objects in a folder of the store.
    pub(crate) fn listed(&self, folder: &str) -> Result<Vec<ObjectMeta>, FleetError> {
        let path = self.prefix.clone().join(folder);
        let listed = self.objects.list(Some(&path)).try_collect();
        let listed = self.runtime.block_on(listed);
        listed.map_err(|error| FleetError::store(format!("list {folder}"), error))
    }

    /// Removes objects; missing ones are no error.
    pub(crate) fn remove(&self, paths: Vec<Path>) -> Result<(), FleetError> {
        let paths = futures_util::stream::iter(paths.into_iter().map(Ok)).boxed();
        let removed = self.objects.delete_stream(paths);
        let removed = self.runtime.block_on(removed.collect::<Vec<_>>());
        for result in removed {
            match result {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(FleetError::store("remove objects", error)),
            }
        }
        Ok(())
    }

    /// Writes an announcement.
    pub(crate) fn put_replica(&self, name: &str, text: String) -> Result<(), FleetError> {
        let path = self.prefix.clone().join(REPLICAS).join(name);
        let put = self.runtime.block_on(self.objects.put(&path, text.into()));
        put.map(drop)
            .map_err(|error| FleetError::store("announce the replica", error))
    }

    /// The path of an announcement.
    pub(crate) fn replica_path(&self, name: &str) -> Path {
        self.prefix.clone().join(REPLICAS).join(name)
    }

    /// A small object; `None` if it does not exist.
    pub(crate) fn small(&self, path: &Path) -> Result<Option<Bytes>, FleetError> {
        let read = async { self.objects.get(path).await?.bytes().await };
        match self.runtime.block_on(read) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(FleetError::store(format!("read `{path}`"), error)),
        }
    }
}
