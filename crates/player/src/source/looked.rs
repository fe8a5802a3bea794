//! Inspected media that may be played at once: kept for a short time, with its connection.
//!
//! Inspecting an address opens it as for playing: its format is found out, and some seconds of audio are read ahead. If
//! the track begins soon, this is played. If it does not, because others are before it or it is not played at all, the
//! connection is closed, and opened again at its turn.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use sdk_core::voice::Playable;

use super::media::Opened;

/// Time for which media is kept. Joining a voice channel takes some seconds, at worst 25.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(30);
/// Most entries kept. Each holds a connection, a thread and at most some megabytes.
const MOST: usize = 8;

/// Inspected media.
#[derive(Default)]
pub(super) struct Looked {
    kept: Arc<Mutex<VecDeque<Kept>>>,
    number: AtomicU64,
}

struct Kept {
    number: u64,
    playable: Playable,
    opened: Opened,
}

impl Looked {
    /// Keeps media for [`KEPT_FOR`].
    pub(super) fn keep(&self, playable: Playable, opened: Opened) {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        // Dropping an entry closes its connection, which happens outside the lock.
        let oldest = {
            let mut kept = self.kept.lock();
            kept.push_back(Kept { number, playable, opened });
            if kept.len() > MOST { kept.pop_front() } else { None }
        };
        drop(oldest);
        let kept = Arc::downgrade(&self.kept);
        tokio::spawn(async move {
            tokio::time::sleep(KEPT_FOR).await;
            let Some(kept) = kept.upgrade() else { return };
            let over = {
                let mut kept = kept.lock();
                let place = kept.iter().position(|kept| kept.number == number);
                place.and_then(|place| kept.remove(place))
            };
            drop(over);
        });
    }

    /// Takes the entry of a track, unless it has failed meanwhile.
    pub(super) fn take(&self, playable: &Playable) -> Option<Opened> {
        let taken = {
            let mut kept = self.kept.lock();
            let place = kept.iter().position(|kept| kept.playable == *playable)?;
            kept.remove(place)?
        };
        let is_broken = taken.opened.updates.borrow().failure.is_some();
        (!is_broken).then_some(taken.opened)
    }

    /// Closes media that will not be played.
    pub(super) fn forget(&self, playable: &Playable) {
        drop(self.take(playable));
    }
}
