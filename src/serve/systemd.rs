//! The words to systemd, where it has started the process.

#[cfg(unix)]
use sd_notify::NotifyState;

/// The server listens, or has read its workspace again.
pub(crate) fn ready() {
    #[cfg(unix)]
    say(&[NotifyState::Ready]);
}

/// The server reads its workspace again.
pub(crate) fn reloading() {
    #[cfg(unix)]
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        say(&[NotifyState::Reloading, now]);
    }
}

/// The server is about to stop.
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
