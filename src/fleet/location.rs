//! The location of a store.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use thiserror::Error;
use url::Url;

use crate::clock::{Listening, StoreClock};
use crate::error::FleetError;

/// The limits for connecting to a store, and for its silence during an answer.
const REACHED: Duration = Duration::from_secs(5);
const SILENT: Duration = Duration::from_secs(15);

/// The time in which a failed request is repeated.
const TRIED: Duration = Duration::from_secs(20);

/// The location of a store, as a URL.
///
/// `az://ACCOUNT/CONTAINER/PREFIX`, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `file:///FOLDER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    text: String,
    place: Place,
    prefix: Path,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Azure { account: String, container: String },
    S3 { bucket: String },
    Google { bucket: String },
    Folder(PathBuf),
}

/// The text is not the location of a store.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "a store is like az://ACCOUNT/CONTAINER/PREFIX, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or file:///FOLDER"
)]
pub struct NoLocation;

impl Location {
    /// Opens the storage, whose answers set `clock`. Credentials come from the environment variables of each cloud.
    /// With `make`, a folder is created if it does not exist.
    ///
    /// # Errors
    /// The environment has wrong settings, or the folder cannot be used.
    pub(crate) fn open(
        &self,
        make: bool,
        clock: &StoreClock,
    ) -> Result<Arc<dyn ObjectStore>, FleetError> {
        let listening = || Listening(clock.clone());
        let failed = |reason| FleetError::store(format!("use `{self}`"), reason);
        Ok(match &self.place {
            Place::Azure { account, container } => Arc::new(
                MicrosoftAzureBuilder::from_env()
                    .with_account(account)
                    .with_container_name(container)
                    .with_client_options(options("AZURE_ALLOW_HTTP"))
                    .with_retry(retry())
                    .with_http_connector(listening())
                    .build()
                    .map_err(failed)?,
            ),
            Place::S3 { bucket } => Arc::new(
                AmazonS3Builder::from_env()
                    .with_bucket_name(bucket)
                    .with_client_options(options("AWS_ALLOW_HTTP"))
                    .with_retry(retry())
                    .with_http_connector(listening())
                    .build()
                    .map_err(failed)?,
            ),
            Place::Google { bucket } => Arc::new(
                GoogleCloudStorageBuilder::from_env()
                    .with_bucket_name(bucket)
                    .with_client_options(options("GOOGLE_ALLOW_HTTP"))
                    .with_retry(retry())
                    .with_http_connector(listening())
                    .build()
                    .map_err(failed)?,
            ),
            Place::Folder(folder) => {
                if make {
                    fs::create_dir_all(folder)
                        .map_err(|reason| FleetError::file("create", folder, reason))?;
                }
                // The folder may appear later or be unmounted for a while; then its objects are not found.
                Arc::new(LocalFileSystem::new().with_fsync(true))
            }
        })
    }

    /// The prefix of all objects.
    pub(crate) fn prefix(&self) -> &Path {
        &self.prefix
    }

    /// The last part of the location, which names a workspace among several.
    pub fn name(&self) -> String {
        let of_all = match &self.place {
            Place::Azure { container, .. } => container,
            Place::S3 { bucket } | Place::Google { bucket } => bucket,
            Place::Folder(_) => "",
        };
        self.prefix.filename().unwrap_or(of_all).to_owned()
    }

    /// Whether it is a folder, which is cheap to list.
    pub(crate) fn is_folder(&self) -> bool {
        matches!(self.place, Place::Folder(_))
    }

    /// The location of a workspace below this one.
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        let mut below = self.clone();
        below.text = format!("{}/{name}", self.text.trim_end_matches('/'));
        below.prefix = self.prefix.clone().join(name);
        if let Place::Folder(folder) = &mut below.place {
            folder.push(name);
        }
        below
    }
}

impl FromStr for Location {
    type Err = NoLocation;

    fn from_str(text: &str) -> Result<Self, NoLocation> {
        let url = Url::parse(text).map_err(|_| NoLocation)?;
        let is_bare =
            url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if !is_bare || url.password().is_some() || url.port().is_some() {
            return Err(NoLocation);
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        let mut prefix = Path::from_url_path(url.path()).map_err(|_| NoLocation)?;
        let place = match url.scheme() {
            "file" if host.is_empty() => {
                let folder = url.to_file_path().map_err(|()| NoLocation)?;
                prefix = Path::from_absolute_path(&folder).map_err(|_| NoLocation)?;
                Place::Folder(folder)
            }
            _ if host.is_empty() => return Err(NoLocation),
            "az" => {
                let mut parts = prefix.parts();
                let container = parts.next().ok_or(NoLocation)?;
                let container = container.as_ref().to_owned();
                let rest = parts.collect();
                prefix = rest;
                Place::Azure {
                    account: host,
                    container,
                }
            }
            "s3" => Place::S3 { bucket: host },
            "gs" => Place::Google { bucket: host },
            _ => return Err(NoLocation),
        };
        Ok(Self {
            text: text.trim_end_matches('/').to_owned(),
            place,
            prefix,
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// The client options of a store. `plain` is the environment variable that allows HTTP without TLS.
#[expect(
    clippy::disallowed_methods,
    reason = "a store is configured by the environment"
)]
fn options(plain: &str) -> ClientOptions {
    let is_plain = std::env::var(plain).is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    ClientOptions::new()
        .with_allow_http(is_plain)
        .with_connect_timeout(REACHED)
        .with_read_timeout(SILENT)
        // The duration of a download depends on the size of the blob.
        .with_timeout_disabled()
}

fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            base: 2.0,
        },
        max_retries: 3,
        retry_timeout: TRIED,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn each_kind_of_place_is_read() {
        let place = |text: &str| text.parse::<Location>().unwrap();
        let azure = place("az://contoso/pdp/tenants/a");
        assert_eq!(azure.prefix().as_ref(), "tenants/a");
        assert_eq!(azure.name(), "a");
        assert_eq!(place("az://contoso/pdp").name(), "pdp");
        assert_eq!(place("s3://bucket/").name(), "bucket");
        assert_eq!(place("gs://bucket/x/y/").to_string(), "gs://bucket/x/y");
        assert_eq!(place("file:///srv/store").name(), "store");
        assert_eq!(place("file:///srv").below("t1").name(), "t1");
        assert_eq!(azure.below("b").prefix().as_ref(), "tenants/a/b");
        for other in [
            "",
            "x",
            "az://",
            "az://account",
            "http://a/b",
            "s3://key:secret@bucket/x",
            "file://host/x",
            "s3://b/x?y",
        ] {
            assert!(other.parse::<Location>().is_err(), "{other}");
        }
    }
}
