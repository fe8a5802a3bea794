//! Reading the log while it grows, without loss or repetition.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::{Entry, EventLog};

/// Entries fetched from the ring at a time, which bounds how long a reader holds its lock.
const BATCH: usize = 256;

/// Number of entries that were dropped from the ring before they were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} entries were dropped before they were read; read sooner or let the log keep more")]
pub struct Missed(pub u64);

/// Why [`EventLog::wait_for`] returned no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// No entry matched in time.
    #[error("no entry of the log matched within {within:?}, among {seen} looked at")]
    TimedOut {
        /// Time waited.
        within: Duration,
        /// Number of entries that were read and did not match.
        seen: u64,
    },
    /// Entries were dropped unread, so it is not known whether one of them matched.
    #[error(transparent)]
    Missed(#[from] Missed),
}

/// One reader's position in the log.
#[derive(Debug)]
pub struct Subscription {
    log: EventLog,
    signal: watch::Receiver<u64>,
    batch: VecDeque<Arc<Entry>>,
    next: u64,
}

impl Subscription {
    pub(super) fn new(log: EventLog, from: u64) -> Self {
        let signal = log.newest_signal();
        Self { log, signal, batch: VecDeque::new(), next: from.max(1) }
    }

    /// Waits for the next entry and returns it. After dropped entries, returns their number once.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Result<Arc<Entry>, Missed> {
        loop {
            if let Some(entry) = self.try_next()? {
                return Ok(entry);
            }
            // The sender lives as long as `log`, so this cannot fail.
            let _ = self.signal.changed().await;
        }
    }

    /// Returns the next entry, if there is one already.
    pub fn try_next(&mut self) -> Result<Option<Arc<Entry>>, Missed> {
        if self.batch.is_empty() {
            // Marked before reading, so that later entries count as a change again.
            self.signal.mark_unchanged();
            let page = self.log.read(self.next, BATCH);
            self.next = page.next;
            self.batch = page.entries.into();
            if page.dropped > 0 {
                return Err(Missed(page.dropped));
            }
        }
        Ok(self.batch.pop_front())
    }

    /// Waits up to `within` for the next entry for which `matches` returns `true`, and returns it.
    pub async fn find(
        &mut self,
        within: Duration,
        mut matches: impl FnMut(&Entry) -> bool,
    ) -> Result<Arc<Entry>, WaitError> {
        let deadline = Instant::now() + within;
        let mut seen = 0;
        loop {
            let Ok(entry) = tokio::time::timeout_at(deadline, self.next()).await else {
                return Err(WaitError::TimedOut { within, seen });
            };
            let entry = entry?;
            if matches(&entry) {
                return Ok(entry);
            }
            seen += 1;
        }
    }
}
