//! Batches: up to 20 calls of Microsoft Graph in one request.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tarbac_tenant::exports::catalog::{Export, GraphCall};

use crate::answer::{self, Form};
use crate::client::{Client, Effort, ReadFault, Rejection, RequestOutcome};
use crate::fault::CollectError;
use crate::graph::{List, page_name, stem};
use crate::run::{Facts, Run};
use crate::transport::Request;

/// The most requests of a batch. Source: the page of Microsoft Graph on JSON batching.
pub(crate) const LARGEST: usize = 20;

/// The largest accepted answer to a batch, in bytes.
const LONGEST: u64 = 256 * 1024 * 1024;

/// A call about one object.
#[derive(Clone)]
pub(crate) struct Item<'e> {
    pub(crate) export: &'e Export,
    pub(crate) call: GraphCall,
    pub(crate) id: String,
}

#[derive(Serialize)]
struct Requests {
    requests: Vec<Inner>,
}

#[derive(Serialize)]
struct Inner {
    id: String,
    method: &'static str,
    url: String,
}

#[derive(Deserialize)]
struct Responses {
    responses: Vec<Response>,
}

#[derive(Deserialize)]
struct Response {
    id: String,
    status: u16,
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    body: Option<Box<RawValue>>,
}

impl Response {
    /// The answer to the call at a position, if the whole batch is refused.
    fn refused(position: usize, rejection: &Rejection) -> Self {
        let body = serde_json::json!({"error": {"message": rejection.message}});
        Self {
            id: position.to_string(),
            status: rejection.status,
            headers: None,
            body: serde_json::value::to_raw_value(&body).ok(),
        }
    }
}

/// The outcome of one call of a batch.
enum Inside {
    /// The call has to be repeated, after the wait that the service asks for, if any.
    Again(Option<Duration>, String),
    Kept,
}

impl Run<'_> {
    /// Makes at most [`LARGEST`] calls of one version of Graph.
    pub(crate) fn batch(
        &self,
        client: &Client<'_>,
        items: Vec<Item<'_>>,
    ) -> Result<(), CollectError> {
        let mut pending = Vec::new();
        for item in items {
            if !is_id(&item.id) {
                return Err(CollectError::Internal(format!(
                    "{} names an object by `{}`, which is no id",
                    item.export.file, item.id
                )));
            }
            let list = self.list_of(client, &item);
            let saved = self.journal.saved(&list.stem);
            match saved.pages.is_empty() && !saved.is_done {
                true => pending.push(item),
                // A list that an earlier run began is continued page by page, outside a batch.
                false => {
                    if let Some(rejection) = self.follow(client, &list, None)? {
                        self.reject_object(&item, &list.url, &rejection)?;
                    }
                }
            }
        }
        let mut rounds = 0;
        while !pending.is_empty() {
            pending.retain(|item| !self.is_given_up(item.export.file));
            let (again, wanted, reason) = self.round(client, &pending, rounds > 0)?;
            if again.len() == pending.len() {
                rounds += 1;
            }
            if rounds > self.settings.waits.times {
                return Err(CollectError::NoAnswer {
                    url: client.address("$batch"),
                    times: rounds as u64,
                    reason,
                });
            }
            pending = again;
            if !pending.is_empty() {
                let waits = &self.settings.waits;
                let delay = (waits.first * (1 << rounds.min(10))).min(waits.longest);
                let wait = wanted.map_or(delay, |wanted| wanted.max(delay));
                if wait > waits.longest {
                    return Err(CollectError::NoAnswer {
                        url: client.address("$batch"),
                        times: rounds as u64,
                        reason,
                    });
                }
                client.wait(wait);
            }
        }
        Ok(())
    }

    /// Sends one batch. Returns the calls to repeat, the wait before that, and the reason.
    fn round<'i>(
        &self,
        client: &Client<'_>,
        pending: &[Item<'i>],
        is_again: bool,
    ) -> Result<(Vec<Item<'i>>, Option<Duration>, String), CollectError> {
        let Some(version) = pending.first().map(|item| item.call.version) else {
            return Ok((Vec::new(), None, String::new()));
        };
        let mut answers = self.ask_at_once(client, version, pending, is_again)?;
        let (mut again, mut wanted, mut reason) = (Vec::new(), None, String::new());
        // A 403 for one object may concern that object alone; a 403 for all of several means a missing permission.
        let mut statuses: BTreeMap<&str, BTreeMap<&str, u16>> = BTreeMap::new();
        for (number, item) in pending.iter().enumerate() {
            if let Some(response) = answers.get(&number.to_string()) {
                let of_export = statuses.entry(item.export.file).or_default();
                of_export.insert(&item.id, response.status);
            }
        }
        statuses.retain(|_, of| of.len() > 1 && of.values().all(|status| *status == 403));
        for (number, item) in pending.iter().enumerate() {
            let inside = match answers.remove(&number.to_string()) {
                Some(response) => self.inside(client, item, response)?,
                None => Inside::Again(None, "a batch lacks an answer".to_owned()),
            };
            if let Inside::Again(after, why) = inside {
                again.push(item.clone());
                wanted = wanted.max(after);
                reason = why;
            }
            if statuses.contains_key(item.export.file) {
                self.give_up(item.export.file);
            }
        }
        Ok((again, wanted, reason))
    }

    /// Sends several calls in one request. Returns the answers by their positions.
    fn ask_at_once(
        &self,
        client: &Client<'_>,
        version: &str,
        pending: &[Item<'_>],
        is_again: bool,
    ) -> Result<BTreeMap<String, Response>, CollectError> {
        let inner = pending.iter().enumerate().map(|(number, item)| {
            let request = item.call.request(Some(&item.id));
            let url = request.strip_prefix(version).unwrap_or(&request);
            Inner {
                id: number.to_string(),
                method: "GET",
                url: url.to_owned(),
            }
        });
        let requests = Requests {
            requests: inner.collect(),
        };
        let body = serde_json::to_string(&requests)
            .map_err(|error| CollectError::Internal(error.to_string()))?;
        let url = client.address(&format!("{version}/$batch"));
        let mut effort = Effort::default();
        let mut read = |reader: &mut dyn Read| -> Result<Responses, ReadFault> {
            let mut text = Vec::new();
            let read = reader.take(LONGEST).read_to_end(&mut text);
            read.map_err(|error| ReadFault::Broken(error.to_string()))?;
            serde_json::from_slice(&text).map_err(|error| ReadFault::Broken(error.to_string()))
        };
        let asked = client.ask(&url, Request::Post(&body), &mut effort, &mut read);
        for (number, item) in pending.iter().enumerate() {
            let is_retried = is_again || (number == 0 && effort.retries > 0);
            let effort = Effort {
                requests: 1,
                retries: u64::from(is_retried),
            };
            self.tally.spend(item.export.file, effort);
        }
        let responses = match asked? {
            RequestOutcome::Answer(Responses { responses }) => responses,
            // Whoever may not send a batch may make none of its calls.
            RequestOutcome::Rejected(rejection) if rejection.status == 403 => {
                let positions = 0..pending.len();
                positions
                    .map(|position| Response::refused(position, &rejection))
                    .collect()
            }
            RequestOutcome::Rejected(Rejection { status, message }) => {
                return Err(CollectError::Answered {
                    url,
                    status,
                    message,
                });
            }
        };
        let responses = responses.into_iter();
        Ok(responses
            .map(|response| (response.id.clone(), response))
            .collect())
    }

    /// Processes one answer of a batch.
    fn inside(
        &self,
        client: &Client<'_>,
        item: &Item<'_>,
        response: Response,
    ) -> Result<Inside, CollectError> {
        let Response {
            status,
            headers,
            body,
            ..
        } = response;
        let text = body.as_deref().map_or("", RawValue::get);
        if [401, 408, 429].contains(&status) || (500..600).contains(&status) {
            let after = headers.into_iter().flatten();
            let mut after = after.filter(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
            let after = after
                .next()
                .and_then(|(_, seconds)| seconds.trim().parse().ok());
            let reason = format!("status {status} in a batch");
            return Ok(Inside::Again(after.map(Duration::from_secs), reason));
        }
        let list = self.list_of(client, item);
        if status != 200 {
            let message = message_in(text);
            self.reject_object(item, &list.url, &Rejection { status, message })?;
            return Ok(Inside::Kept);
        }
        let keep = Facts::keeps(item.export.file);
        let page = page_name(&list.stem, 1);
        let draft = self.staging.draft(&page)?;
        let read = match answer::save(&mut text.as_bytes(), &draft, Form::List, &keep) {
            Ok(read) => read,
            Err(ReadFault::Broken(reason)) => return Ok(Inside::Again(None, reason)),
            Err(ReadFault::Kept(error)) => return Err(error),
        };
        self.staging.keep(&draft, &page)?;
        self.note(&list.stem, read.rows, read.next.as_deref())?;
        if let Some(rejection) = self.follow(client, &list, Some(read))? {
            self.reject_object(item, &list.url, &rejection)?;
        }
        Ok(Inside::Kept)
    }

    /// Records an error about one object.
    fn reject_object(
        &self,
        item: &Item<'_>,
        url: &str,
        rejection: &Rejection,
    ) -> Result<(), CollectError> {
        let name = item.export.file;
        match rejection.status {
            // The object was deleted after the list was made.
            404 => {
                self.tally.gone(name);
                Ok(())
            }
            _ => self.reject(item.export, name, url, rejection),
        }
    }

    fn list_of<'i>(&self, client: &Client<'_>, item: &Item<'i>) -> List<'i> {
        List {
            export: item.export,
            name: item.export.file,
            stem: stem(item.export, Some(&item.id)),
            url: client.address(&item.call.request(Some(&item.id))),
        }
    }
}

/// Whether a text is an id. Ids become parts of addresses and paths, so anything else is refused.
fn is_id(text: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    !text.is_empty() && text.len() <= 64 && text.chars().all(is_part)
}

/// The message of an error within a batch.
fn message_in(text: &str) -> String {
    let error: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let message = error
        .as_ref()
        .and_then(|body| body.pointer("/error/message"));
    let message = message.and_then(serde_json::Value::as_str);
    message.unwrap_or("no reason is given").to_owned()
}
