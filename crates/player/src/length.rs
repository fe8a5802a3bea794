//! Lengths of tracks, which are what a file or a playlist of others says.

use std::sync::Arc;
use std::time::Duration;

use sdk_core::voice::Track;

/// Longest track whose length is believed; what claims to be longer has none.
pub(super) const LONGEST: Duration = Duration::from_hours(7 * 24);

/// Returns a length that may be; `None` for one of nothing, and one past [`LONGEST`].
pub(super) fn believed(length: Duration) -> Option<Duration> {
    (!length.is_zero() && length <= LONGEST).then_some(length)
}

/// Forgets a length that cannot be.
pub(super) fn doubt(track: &mut Arc<Track>) {
    if track.duration.is_some() && track.duration.and_then(believed).is_none() {
        Arc::make_mut(track).duration = None;
    }
}
