//! Until when a sender's frames may come without end-to-end encryption.
//!
//! A client alone in its call has no user to share keys with, and one that is being added to a group has none yet: both
//! send plain frames. Afterwards plain frames are dropped, as every other member would drop them.

use std::time::{Duration, Instant};

/// How long what held before a transition is still accepted (DAVE protocol, "Passthrough Mode" and "Commit Handling").
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// Until when plain frames are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    /// As long as nothing changes: the call is not encrypted, or no other user is in it.
    Always,
    /// Up to a moment.
    Until(Instant),
}

impl Plain {
    /// Returns whether a plain frame is accepted now.
    pub(super) fn takes(self, now: Instant) -> bool {
        match self {
            Self::Always => true,
            Self::Until(end) => now < end,
        }
    }

    /// Handles the beginning or the end of a change of keys: the grace starts again.
    pub(super) fn renew(&mut self, now: Instant) {
        if let Self::Until(end) = self {
            *end = now + GRACE;
        }
    }

    /// Sets whether the sender is free to send plain frames from now on.
    pub(super) fn set(&mut self, free: bool, now: Instant) {
        *self = match (*self, free) {
            (_, true) => Self::Always,
            (Self::Always, false) => Self::Until(now + GRACE),
            (until, false) => until,
        };
    }
}
