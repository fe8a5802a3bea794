//! The position in the current track, written by the mixer's event and read by other tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use sdk_core::voice::player::Position;

/// The position in the current track. The mixer's event writes it; no reader waits.
#[derive(Debug, Default)]
pub(super) struct Clock {
    on: Mutex<Option<On>>,
}

#[derive(Debug)]
struct On {
    number: u64,
    hand: Arc<Hand>,
}

/// One start of a track, as the mixer sees it.
#[derive(Debug)]
pub(super) struct Hand {
    /// Time into the track at which the mixer started.
    start: Duration,
    /// Milliseconds that were mixed since.
    mixed: AtomicU64,
    /// Milliseconds of those that were silent, because the audio arrived too late.
    silence: Arc<AtomicU64>,
}

impl Hand {
    pub(super) fn new(start: Duration, silence: Arc<AtomicU64>) -> Self {
        Self { start, mixed: AtomicU64::new(0), silence }
    }

    /// Sets how much of the input has been mixed.
    pub(super) fn set(&self, mixed: Duration) {
        self.mixed.store(u64::try_from(mixed.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn mixed(&self) -> Duration {
        Duration::from_millis(self.mixed.load(Ordering::Relaxed))
    }

    pub(super) fn position(&self) -> Duration {
        let silence = Duration::from_millis(self.silence.load(Ordering::Relaxed));
        self.start.saturating_add(self.mixed().saturating_sub(silence))
    }
}

impl Clock {
    /// Follows a start of a track.
    pub(super) fn follow(&self, number: u64, hand: Arc<Hand>) {
        *self.on.lock() = Some(On { number, hand });
    }

    /// Follows no track.
    pub(super) fn clear(&self) {
        *self.on.lock() = None;
    }
}

impl Position for Clock {
    fn position(&self, number: u64) -> Option<Duration> {
        self.on.lock().as_ref().filter(|on| on.number == number).map(|on| on.hand.position())
    }
}
