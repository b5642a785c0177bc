//! The counts of a collection in progress, by export.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tarbac_tenant::exports::{CallState, CollectedCall};

use crate::client::{Effort, Rejection};

/// The outcome and counts of the calls so far, by export.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<BTreeMap<String, CollectedCall>>);

impl Tally {
    /// Counts an answer. Returns the records and files of all exports.
    pub(crate) fn add(&self, export: &str, files: u64, rows: u64) -> (u64, u64) {
        self.with(export, |call| {
            call.files += files;
            call.rows += rows;
        });
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = calls.values();
        calls.fold((0, 0), |(rows, files), call| {
            (rows + call.rows, files + call.files)
        })
    }

    /// Subtracts the files and records of an export that begins again.
    pub(crate) fn take_back(&self, export: &str, files: u64, rows: u64) {
        self.with(export, |call| {
            call.files = call.files.saturating_sub(files);
            call.rows = call.rows.saturating_sub(rows);
        });
    }

    /// Counts requests and repetitions.
    pub(crate) fn spend(&self, export: &str, effort: Effort) {
        self.with(export, |call| {
            call.requests += effort.requests;
            call.retries += effort.retries;
        });
    }

    /// Counts an object that no longer exists.
    pub(crate) fn gone(&self, export: &str) {
        self.with(export, |call| call.gone += 1);
    }

    /// Records that a service refused a call or answered with an error. A refusal stays, whatever error follows.
    pub(crate) fn reject(&self, export: &str, rejection: &Rejection, rights: &str) {
        self.with(export, |call| {
            let is_refused = rejection.status == 403;
            if call.state == CallState::Refused && !is_refused {
                return;
            }
            call.state = match is_refused {
                true => CallState::Refused,
                false => CallState::Failed,
            };
            call.status = Some(rejection.status);
            call.permission = is_refused.then(|| rights.to_owned());
            call.message = Some(rejection.message.clone());
        });
    }

    /// Clears the error of a call, because another call has given the same records.
    pub(crate) fn made_good(&self, export: &str) {
        self.with(export, |call| {
            call.state = CallState::Collected;
            (call.status, call.permission, call.message) = (None, None, None);
        });
    }

    /// The calls, by export.
    pub(crate) fn calls(&self) -> Vec<CollectedCall> {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.values().cloned().collect()
    }

    fn with(&self, export: &str, change: impl FnOnce(&mut CollectedCall)) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let call = calls
            .entry(export.to_owned())
            .or_insert_with(|| CollectedCall {
                export: export.to_owned(),
                state: CallState::Collected,
                files: 0,
                rows: 0,
                requests: 0,
                retries: 0,
                gone: 0,
                status: None,
                permission: None,
                message: None,
            });
        change(call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_stays_whatever_error_follows() {
        for statuses in [[403, 400], [400, 403]] {
            let tally = Tally::default();
            for status in statuses {
                let message = String::new();
                tally.reject("users", &Rejection { status, message }, "User.Read.All");
            }
            let calls = tally.calls();
            let call = calls
                .first()
                .map(|call| (call.state, call.permission.as_deref()));
            assert_eq!(call, Some((CallState::Refused, Some("User.Read.All"))));
        }
    }
}
