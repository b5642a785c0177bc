//! Secrets that do not appear in messages or logs.

use std::fmt;

/// A token or password.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret, with surrounding blanks removed.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// A password, which may begin or end with blanks; the end of its line is removed.
    pub fn password(text: &str) -> Self {
        Self(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The plain text, to be sent to the service it belongs to.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}
