//! The clock of a collection: the only place that reads the time or sleeps.

#![expect(
    clippy::disallowed_methods,
    reason = "a collection says when it was made, and waits as it is told to"
)]

use std::time::Duration;

use jiff::Timestamp;

/// The current time.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Sleeps.
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
