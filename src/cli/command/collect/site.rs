//! A hierarchy with the address of its SMS Provider, as an argument has it.

use std::str::FromStr;

use thiserror::Error;

/// A hierarchy with the address of its SMS Provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SiteUrl {
    /// The site code.
    pub(super) code: String,
    /// The address, without the path of the AdminService.
    pub(super) url: String,
}

/// A text is no such thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a hierarchy is its site code and the address of its SMS Provider, as P01=https://cm01.contoso.example"
)]
pub(crate) struct NoSite;

impl FromStr for SiteUrl {
    type Err = NoSite;

    fn from_str(text: &str) -> Result<Self, NoSite> {
        let (code, url) = text.split_once('=').ok_or(NoSite)?;
        let is_code = code.len() == 3 && code.chars().all(|letter| letter.is_ascii_alphanumeric());
        let url = url.trim_end_matches('/');
        let url = url.strip_suffix("/wmi").unwrap_or(url);
        let url = url.strip_suffix("/AdminService").unwrap_or(url);
        match is_code && url.contains("://") {
            true => Ok(Self {
                code: code.to_owned(),
                url: url.to_owned(),
            }),
            false => Err(NoSite),
        }
    }
}
