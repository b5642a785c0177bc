//! The records of a decision log: requests, callers and answers.
//!
//! One JSON object stands for one decision or one search. A key without a value is left out; none is `null`.

mod omission;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tarbac_host::Decision;
use tarbac_host::decision::Basis;

use crate::wire;

pub use omission::{JsonPointer, NoPointer};

/// The version of the format.
pub const LOG_VERSION: u32 = 1;

/// A JSON object.
pub type JsonObject = Map<String, Value>;

/// A line of a decision log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogRecord {
    /// [`LOG_VERSION`].
    pub version: u32,
    /// The kind of the answer.
    #[serde(flatten)]
    pub answered: Answered,
    /// When, in UTC, to the millisecond, as RFC 3339 has it.
    pub time: String,
    /// The id of this line: a UUID that sorts by time.
    pub decision_id: String,
    /// The id of the request over HTTP.
    pub request_id: String,
    /// The id of the trace that the request belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The process that answered: a UUID of its own.
    pub instance: String,
    /// The caller.
    pub caller: LoggedCaller,
    /// The workspace that was asked, if the server has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// The path of the endpoint, for example `/access/v1/evaluation`.
    pub endpoint: String,
    /// The place in the batch, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<usize>,
    /// The principal; absent where the request could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<LoggedEntity>,
    /// The action; absent in a search for actions, and where the request could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<LoggedAction>,
    /// The resource; absent where the request could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<LoggedEntity>,
    /// The context, with the keys that come from the action and the clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<JsonObject>,
    /// The attributes that the request set in place of the directory's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_request: Option<FromRequest>,
    /// The names that the request used, where they are others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<AskedNames>,
    /// The readings in force.
    pub readings: Vec<String>,
    /// The rules and data of the decision.
    pub revision: LoggedRevision,
    /// The duration, in microseconds.
    pub duration_us: u64,
    /// The JSON pointers to the values that are left out of this line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub omitted: Vec<String>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Answered {
    /// Whether it may be done.
    Decision(LoggedDecision),
    /// Everybody who may, or everything that may be done.
    Search(LoggedSearch),
}

/// A decision, with its reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedDecision {
    /// The decision.
    #[schemars(schema_with = "wire::decision")]
    pub decision: Decision,
    /// The basis of the decision.
    #[schemars(schema_with = "wire::basis")]
    pub basis: Basis,
    /// Which role-based access control is in force; absent where that does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// The ids of the policies that determine it, sorted.
    pub policies: Vec<String>,
    /// The errors of policies, sorted.
    pub errors: Vec<String>,
    /// The codes of the notices, each once.
    pub notices: Vec<String>,
}

/// The results of a search, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedSearch {
    /// The results of the page.
    pub count: usize,
    /// The results of all pages.
    pub total: usize,
    /// The candidates that could not be decided, which are no results.
    pub undecided: usize,
    /// Whether the answer is a page of several.
    pub page: bool,
}

/// A caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedCaller {
    /// The name; `anonymous` for whoever was not asked for it.
    pub name: String,
    /// How the caller said who it is.
    pub by: CallerBy,
}

/// How a caller says who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CallerBy {
    /// Not at all.
    Nothing,
    /// By a token.
    Token,
    /// By a JSON Web Token.
    Jwt,
    /// By a certificate.
    Certificate,
}

/// Somebody or something: the type and the id of Cedar, or those of the request where it knows none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedEntity {
    /// The type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The id; absent where it is searched for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// An action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedAction {
    /// The id of Cedar, or the whole name where several have the id.
    pub name: String,
    /// The properties that the request gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<JsonObject>,
}

/// The attributes that a request set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FromRequest {
    /// Of the subject.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub subject: JsonObject,
    /// Of the resource.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub resource: JsonObject,
}

/// The names that a request used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AskedNames {
    /// The subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<LoggedEntity>,
    /// The action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<LoggedEntity>,
}

/// A revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedRevision {
    /// Its identity: the first 16 digits of the revision that `tarbac validate` prints.
    pub id: String,
    /// Its number in a store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
}

impl FromRequest {
    /// Whether the request set no attribute.
    pub fn is_empty(&self) -> bool {
        self.subject.is_empty() && self.resource.is_empty()
    }
}

impl AskedNames {
    /// Whether the request used no other names.
    pub fn is_empty(&self) -> bool {
        self.subject.is_none() && self.action.is_none() && self.resource.is_none()
    }
}

impl LogRecord {
    /// The record as a line of JSON with its line end, without the values at these JSON pointers.
    ///
    /// # Errors
    /// The record cannot be written as JSON, which does not happen.
    pub fn line(&self, omit: &[JsonPointer]) -> Result<String, serde_json::Error> {
        let text = match omit {
            [] => serde_json::to_string(self)?,
            omit => {
                let mut record = serde_json::to_value(self)?;
                omission::leave_out(omit, &mut record);
                serde_json::to_string(&record)?
            }
        };
        Ok(text + "\n")
    }
}
