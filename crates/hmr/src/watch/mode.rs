//! How changes are noticed.

use std::time::Duration;

/// How changes are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchMode {
    /// Quiet time after an event before a save counts as finished.
    pub debounce: Duration,
    /// Period of polling; `None` listens to the system's events.
    pub poll: Option<Duration>,
}

impl WatchMode {
    /// Quiet time that joins the files of one checkout without being felt.
    pub const DEFAULT_DEBOUNCE: Duration = Duration::from_millis(2);
    /// Period of polling where nothing else is possible: felt, but some hundred files are no work.
    pub const DEFAULT_POLL: Duration = Duration::from_millis(500);
}
