//! Exports of a live tenant: the catalog, file formats, rows and streaming readers.
//!
//! They come from Microsoft Graph, Configuration Manager and the admin center.
//!
//! A file is a page of records: the answer of a service (`{"value": […]}`), a bare array, one record a line, or the
//! single record that PowerShell writes for a list of one. It is UTF-8 or, as Windows PowerShell writes it, UTF-16,
//! with or without a byte order mark, plain or gzip. Records are streamed, so that a page may be larger than memory.
//!
//! [`catalog`] lists the files and the calls that return them; [`Folder`] finds the files and their pages.
//! [`import`](mod@crate::import) makes a workspace of the records.

pub mod catalog;
mod collected;
pub mod configmgr;
pub mod declared;
pub mod devices;
mod folder;
pub mod graph;
mod held;
mod lenient;
mod on_disk;
mod page;
mod record_error;
mod text;

use std::io;

use thiserror::Error;

pub use collected::{
    CallState, Collected, CollectedCall, NotWhole, PUBLISHING, STAGING, whole_collection,
};
pub use folder::{Files, Folder, RefusedExport};
pub use held::ExportsInMemory;
pub use lenient::moment_in as moment;
pub use on_disk::Exports;
pub use page::{Page, read, read_one};
pub use record_error::RecordError;

/// The reason why a file cannot be read.
#[derive(Debug, Error)]
pub enum Unread {
    /// The bytes cannot be read, for example because a gzip file is truncated.
    #[error("{0}")]
    Io(io::Error),
    /// The content is malformed.
    #[error("{message}")]
    Text {
        /// The problem.
        message: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
}

/// The key of an id: in lower case, without braces around it.
pub(crate) fn key(id: &str) -> String {
    let id = id.trim().trim_start_matches('{').trim_end_matches('}');
    id.to_ascii_lowercase()
}
