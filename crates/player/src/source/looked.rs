//! What was looked at and may be played at once: kept for a short while, with its connection.
//!
//! To look at an address is to open it as for playing: its format is found out, and some seconds of sound are read ahead.
//! If the track begins soon, that is what is played. If it does not, because others are before it or nobody plays it, the
//! connection is closed, and opened anew when its turn comes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use sdk_core::voice::Playable;

use super::media::Opened;

/// Time for which it is kept; joining a voice channel takes some seconds, at worst 25.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(30);
/// Most that are kept, of which each holds a connection, a thread and some megabytes at most.
const MOST: usize = 8;

/// What was looked at.
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
    /// Keeps it for a while.
    pub(super) fn keep(&self, playable: Playable, opened: Opened) {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        // What is dropped ends a connection, and nobody waits for that.
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

    /// Takes what was looked at, unless it has broken off meanwhile.
    pub(super) fn take(&self, playable: &Playable) -> Option<Opened> {
        let taken = {
            let mut kept = self.kept.lock();
            let place = kept.iter().position(|kept| kept.playable == *playable)?;
            kept.remove(place)?
        };
        let is_broken = taken.opened.updates.borrow().failure.is_some();
        (!is_broken).then_some(taken.opened)
    }

    /// Closes what nobody is to play.
    pub(super) fn forget(&self, playable: &Playable) {
        drop(self.take(playable));
    }
}
