//! A store that fails on purpose.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// Answers a number of requests and no more, as if the program had been stopped.
#[derive(Debug)]
pub(crate) struct Stopping {
    inner: Arc<dyn ObjectStore>,
    left: AtomicI64,
    /// Whether the last request takes effect, and only its answer is lost.
    is_carried_out: bool,
    /// The seconds by which its clock is ahead.
    ahead: AtomicI64,
}

impl Stopping {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>, after: i64, is_carried_out: bool) -> Arc<Self> {
        Arc::new(Self {
            inner,
            left: AtomicI64::new(after),
            is_carried_out,
            ahead: AtomicI64::new(0),
        })
    }

    /// Sets the seconds by which its clock is ahead.
    pub(crate) fn be_ahead(&self, seconds: i64) {
        self.ahead.store(seconds, Ordering::SeqCst);
    }

    /// Whether every request was answered.
    pub(crate) fn was_enough(&self) -> bool {
        self.left.load(Ordering::SeqCst) >= 0
    }

    /// Sets the number of requests that are still answered.
    pub(crate) fn set(&self, left: i64) {
        self.left.store(left, Ordering::SeqCst);
    }

    fn count(&self) -> Result<()> {
        match self.left.fetch_sub(1, Ordering::SeqCst) > 0 {
            true => Ok(()),
            false => Err(away()),
        }
    }
}

fn away() -> Error {
    Error::Generic {
        store: "Test",
        source: "it is away".into(),
    }
}

impl fmt::Display for Stopping {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Stopping")
    }
}

#[async_trait]
impl ObjectStore for Stopping {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let counted = self.count();
        if counted.is_ok() || (self.is_carried_out && self.left.load(Ordering::SeqCst) == -1) {
            let put = self.inner.put_opts(location, payload, opts).await;
            counted?;
            return put;
        }
        Err(away())
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(away())
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.count()?;
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        match self.count() {
            Ok(()) => self.inner.delete_stream(locations),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.count() {
            Ok(()) => {
                let ahead = self.ahead.load(Ordering::SeqCst);
                let shifted = move |meta: ObjectMeta| {
                    let by = Duration::from_secs(ahead.unsigned_abs());
                    let last_modified = match ahead < 0 {
                        true => meta.last_modified - by,
                        false => meta.last_modified + by,
                    };
                    ObjectMeta {
                        last_modified,
                        ..meta
                    }
                };
                self.inner.list(prefix).map_ok(shifted).boxed()
            }
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.count()?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(away())
    }
}
