//! The log: every request, gateway message and fault, numbered, in a bounded ring that can be read while it grows.
//!
//! An entry is one JSON object on one line: `n` (its number, from 1, without gaps), `at_us` (microseconds of Unix time)
//! and `kind`; the other fields depend on the kind and are documented at [`Event`]. Tokens are replaced by `[redacted
//! xxxxxxxx]` before an entry is stored; equal tokens get equal marks, so an interaction and its follow-ups can still
//! be matched.

mod body;
mod delivery;
mod entry;
mod redact;
mod request;
mod subscription;
mod text;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tokio::sync::watch;

pub use sandbox_net::Closer;

pub use self::body::{Body, Json};
pub use self::delivery::Delivery;
pub use self::entry::{Entry, Event, Kind};
pub use self::redact::Redactor;
pub use self::request::{RateLimit, Request};
pub use self::subscription::{Missed, Subscription, WaitError};

/// The capacity of the log. The oldest entries are dropped first.
#[derive(Clone, Copy, Debug)]
pub struct Capacity {
    /// Most entries.
    pub entries: usize,
    /// Most bytes of bodies and texts, approximately.
    pub bytes: usize,
    /// Longest body, in bytes, in an entry. A longer one is recorded by its length.
    pub body: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { entries: 50_000, bytes: 64 << 20, body: 64 << 10 }
    }
}

/// Handle to the log. Clones share the same one.
#[derive(Clone, Debug)]
pub struct EventLog {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ring: Mutex<Ring>,
    capacity: Capacity,
    counts: [AtomicU64; Kind::COUNT],
    redactor: Redactor,
    /// Number of the newest entry. Only a signal; the ring is authoritative.
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
    /// Number of the newest entry ever; zero before the first.
    newest: u64,
}

/// Entries from some number on that were still there, from one read of the ring.
#[derive(Debug)]
pub struct Page {
    /// Entries in order.
    pub entries: Vec<Arc<Entry>>,
    /// Number of requested entries that had already been dropped.
    pub dropped: u64,
    /// Number to continue from.
    pub next: u64,
}

impl Default for EventLog {
    fn default() -> Self {
        Self::new(Capacity::default())
    }
}

impl EventLog {
    /// Creates an empty log.
    pub fn new(capacity: Capacity) -> Self {
        let shared = Shared {
            ring: Mutex::default(),
            capacity,
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
            redactor: Redactor::default(),
            newest: watch::Sender::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Stores one event and returns its number.
    pub fn push(&self, event: Event) -> u64 {
        let shared = &*self.shared;
        shared.counts[event.kind() as usize].fetch_add(1, Ordering::Relaxed);
        let weight = event.weight();
        let number = {
            let mut ring = shared.ring.lock();
            ring.newest += 1;
            let number = ring.newest;
            // Taken under the lock, so that times are in the order of numbers.
            ring.entries.push_back(Arc::new(Entry { n: number, at_us: unix_micros(), event }));
            ring.bytes += weight;
            while ring.entries.len() > shared.capacity.entries.max(1)
                || (ring.bytes > shared.capacity.bytes && ring.entries.len() > 1)
            {
                if let Some(oldest) = ring.entries.pop_front() {
                    ring.bytes = ring.bytes.saturating_sub(oldest.event.weight());
                }
            }
            number
        };
        shared.newest.send_modify(|newest| *newest = number.max(*newest));
        number
    }

    /// Stores a note, for a test or a user to find later.
    pub fn note(&self, text: impl Into<String>, data: Option<&serde_json::Value>) -> u64 {
        let data = data.map(|data| Body::from(self.redactor().json(data)));
        self.push(Event::Note { text: text.into(), data })
    }

    /// Returns the redactor of tokens in this log.
    pub fn redactor(&self) -> &Redactor {
        &self.shared.redactor
    }

    /// Returns the capacity of this log.
    pub fn capacity(&self) -> Capacity {
        self.shared.capacity
    }

    /// Returns the number of the newest entry; zero before the first.
    pub fn newest(&self) -> u64 {
        self.shared.ring.lock().newest
    }

    /// Returns the number of events of each kind so far, including dropped entries.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        Kind::ALL.into_iter().map(|kind| (kind.name(), self.count(kind))).collect()
    }

    /// Returns the number of events of this kind so far, including dropped entries.
    pub fn count(&self, kind: Kind) -> u64 {
        self.shared.counts[kind as usize].load(Ordering::Relaxed)
    }

    /// Reads at most `limit` entries, from number `from` on.
    pub fn read(&self, from: u64, limit: usize) -> Page {
        let ring = self.shared.ring.lock();
        let from = from.max(1);
        let oldest = ring.newest + 1 - ring.entries.len() as u64;
        let first = from.max(oldest);
        let skip = usize::try_from(first - oldest).unwrap_or(usize::MAX).min(ring.entries.len());
        let entries: Vec<_> = ring.entries.range(skip..).take(limit).cloned().collect();
        Page { dropped: first - from, next: first + entries.len() as u64, entries }
    }

    /// Returns the entries from number `from` on as lines for people, without heartbeats: seconds since the first one, and what
    /// happened.
    pub fn text(&self, from: u64) -> String {
        let page = self.read(from, usize::MAX);
        let start = page.entries.first().map_or(0, |entry| entry.at_us);
        let dropped = (page.dropped > 0).then(|| format!("{} earlier entries were dropped", page.dropped));
        let lines = page.entries.iter().filter_map(|entry| entry.text(start));
        dropped.into_iter().chain(lines).map(|line| line + "\n").collect()
    }

    /// Follows the log from number `from` on: first the existing entries, then later ones, each once.
    pub fn subscribe(&self, from: u64) -> Subscription {
        Subscription::new(self.clone(), from)
    }

    /// Waits up to `within` for the first entry from number `from` on for which `matches` returns `true`, and returns
    /// it.
    pub async fn wait_for(
        &self,
        from: u64,
        within: Duration,
        matches: impl FnMut(&Entry) -> bool,
    ) -> Result<Arc<Entry>, WaitError> {
        self.subscribe(from).find(within, matches).await
    }

    fn newest_signal(&self) -> watch::Receiver<u64> {
        self.shared.newest.subscribe()
    }
}

fn unix_micros() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
