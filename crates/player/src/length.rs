//! Lengths of tracks, as a foreign file or playlist states them.

use std::sync::Arc;
use std::time::Duration;

use sdk_core::voice::Track;

/// Longest length that is accepted. A longer one counts as unknown.
pub(super) const LONGEST: Duration = Duration::from_hours(7 * 24);

/// Returns a plausible length; `None` if it is zero or above [`LONGEST`].
pub(super) fn believed(length: Duration) -> Option<Duration> {
    (!length.is_zero() && length <= LONGEST).then_some(length)
}

/// Removes an implausible length.
pub(super) fn doubt(track: &mut Arc<Track>) {
    if track.duration.is_some() && track.duration.and_then(believed).is_none() {
        Arc::make_mut(track).duration = None;
    }
}
