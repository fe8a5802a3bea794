//! Silence in place of audio that arrives too late, and when there is too much of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use super::TrackUpdate;
use crate::source::SourceError;

/// Audio makes up for a part of the silence before it: one second in this many.
pub(super) const MAKES_UP: u32 = 4;

/// Counts silence in place of audio.
pub(super) struct Underrun {
    updates: Arc<watch::Sender<TrackUpdate>>,
    /// All silence, in milliseconds.
    silence: Arc<AtomicU64>,
    /// Silence that audio has not made up for.
    owed: Duration,
    /// Most silence that is tolerated.
    most: Duration,
}

impl Underrun {
    pub(super) fn new(
        updates: Arc<watch::Sender<TrackUpdate>>,
        silence: Arc<AtomicU64>,
        most: Duration,
    ) -> Self {
        Self { updates, silence, owed: Duration::ZERO, most }
    }

    /// Records audio.
    pub(super) fn heard(&mut self, sound: Duration) {
        self.owed = self.owed.saturating_sub(sound / MAKES_UP);
    }

    /// Records silence, and returns whether there is too much.
    pub(super) fn missed(&mut self, silence: Duration) -> bool {
        let millis = u64::try_from(silence.as_millis()).unwrap_or(0);
        self.silence.fetch_add(millis, Ordering::Relaxed);
        self.owed += silence;
        let is_over = self.owed > self.most;
        if is_over {
            self.updates.send_if_modified(|updates| {
                let is_first = updates.failure.is_none();
                updates.failure.get_or_insert(SourceError::Stalled);
                is_first
            });
        }
        is_over
    }

    /// Starts again, at another position.
    pub(super) fn forget(&mut self) {
        self.owed = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(20);

    fn underrun() -> (Underrun, watch::Receiver<TrackUpdate>) {
        let (updates, told) = watch::channel(TrackUpdate::default());
        (Underrun::new(Arc::new(updates), Arc::default(), Duration::from_secs(20)), told)
    }

    /// Plays frames of audio and of silence in turns, and returns after how many seconds the track is given up.
    fn given_up_after(sound: u32, silence: u32) -> Option<u32> {
        let (mut underrun, _told) = underrun();
        for turn in 0..50_000 / (sound + silence) {
            (0..sound).for_each(|_| underrun.heard(FRAME));
            for missed in 1..=silence {
                if underrun.missed(FRAME) {
                    return Some((turn * (sound + silence) + sound + missed) / 50);
                }
            }
        }
        None
    }

    #[test]
    fn a_server_that_sends_nothing_or_drips_or_stutters_is_given_up() {
        assert_eq!(given_up_after(0, 1), Some(20));
        // 400 ms of audio in each 14 seconds, and half of the audio.
        assert!(given_up_after(20, 680).is_some_and(|seconds| seconds < 30));
        assert!(given_up_after(50, 50).is_some_and(|seconds| seconds < 60));
    }

    #[test]
    fn a_pause_now_and_then_is_borne() {
        // 15 seconds of silence in each two minutes, and one in ten.
        assert_eq!(given_up_after(105 * 50, 15 * 50), None);
        assert_eq!(given_up_after(450, 50), None);
    }

    #[test]
    fn why_it_is_given_up_is_told_and_what_was_silent_is_counted() {
        let (mut underrun, told) = underrun();
        while !underrun.missed(FRAME) {}
        assert_eq!(told.borrow().failure, Some(SourceError::Stalled));
        assert_eq!(underrun.silence.load(Ordering::Relaxed), 20_020);
    }
}
