//! How changes are noticed.

use std::time::Duration;

/// How changes are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchMode {
    /// Quiet time after an event before a save counts as finished.
    pub debounce: Duration,
    /// Period of polling; `None` uses the system's events.
    pub poll: Option<Duration>,
}

impl WatchMode {
    /// Quiet time that joins the files of one checkout and is too short to notice.
    pub const DEFAULT_DEBOUNCE: Duration = Duration::from_millis(2);
    /// Period of polling where there are no events: noticeable, but some hundred files are little work.
    pub const DEFAULT_POLL: Duration = Duration::from_millis(500);
}
