//! The context of a request.

use clap::Args;
use tarbac_analysis::inquiry::{ContextInquiry, InquiryError};
use tarbac_host::json::StrictJson;

use crate::clock;

/// The context of a request.
#[derive(Debug, Args)]
pub(crate) struct ContextArgs {
    /// The context of the request, as a JSON object.
    #[arg(long, value_name = "JSON")]
    pub context: Option<String>,

    /// The time of the request, for example 2026-11-23T08:05:00Z, by default now.
    #[arg(long, value_name = "DATETIME")]
    pub now: Option<String>,
}

impl ContextArgs {
    /// The context as it is given.
    ///
    /// # Errors
    /// It is not JSON.
    pub(crate) fn given(&self) -> Result<ContextInquiry, InquiryError> {
        let read = |text: &String| {
            let read: Result<StrictJson, _> = serde_json::from_str(text);
            read.map(|StrictJson(json)| json).map_err(|error| {
                InquiryError::Context(format!("the context is not valid JSON: {error}"))
            })
        };
        Ok(ContextInquiry {
            context: self.context.as_ref().map(read).transpose()?,
            now: self.now.clone(),
            asked_at: Some(clock::datetime()),
        })
    }
}
