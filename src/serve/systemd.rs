//! Notifications to systemd, if it started the process.

#[cfg(unix)]
use sd_notify::NotifyState;

/// Reports that the server is ready: it listens, or has finished a reload.
pub(crate) fn ready() {
    #[cfg(unix)]
    say(&[NotifyState::Ready]);
}

/// Reports the start of a reload.
pub(crate) fn reloading() {
    #[cfg(unix)]
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        say(&[NotifyState::Reloading, now]);
    }
}

/// Reports that the server is about to stop.
pub(crate) fn stopping() {
    #[cfg(unix)]
    say(&[NotifyState::Stopping]);
}

#[cfg(unix)]
fn say(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd does not listen");
    }
}
