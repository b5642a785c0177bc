//! The clock of a collection: the one place that asks for the time, and waits.

#![expect(
    clippy::disallowed_methods,
    reason = "a collection says when it was made, and waits as it is told to"
)]

use std::time::Duration;

use jiff::Timestamp;

/// The time of day.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Waits.
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
