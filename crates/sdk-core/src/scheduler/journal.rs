//! What of the timers has changed since they were last written.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::oneshot;

use super::{Kept, Key, Scheduler, Set, Timers};

/// Most claims that are written at once.
const TOGETHER: usize = 500;

/// Changes that are not written yet.
#[derive(Default)]
pub(super) struct Journal {
    /// Number of the last change.
    last: u64,
    changed: BTreeSet<Key>,
    claims: Vec<Claim>,
    /// Timers whose handler has ended, with their ids.
    finished: Vec<(Key, i64)>,
}

/// A due timer that waits for its claim.
pub(crate) struct Claim {
    pub(crate) timer: Kept,
    /// Whether the timer itself is not written yet.
    pub(crate) is_new: bool,
    reply: oneshot::Sender<bool>,
}

impl Claim {
    /// Tells the timer whether it may run here.
    pub(crate) fn reply(self, is_granted: bool) {
        let _ = self.reply.send(is_granted);
    }
}

/// Changes to write, in this order: claims, removed timers, kept and set timers, finished timers.
#[derive(Default)]
pub(crate) struct Batch {
    number: u64,
    pub(crate) claims: Vec<Claim>,
    pub(crate) removed: Vec<Key>,
    /// Due timers that are not run in this process any more.
    pub(crate) kept: Vec<Kept>,
    pub(crate) set: Vec<Kept>,
    pub(crate) finished: Vec<(Key, i64)>,
}

impl Batch {
    /// Keeps a due timer without running it. It replaces an earlier one of its key.
    pub(crate) fn keep(&mut self, claim: Claim) {
        if claim.is_new {
            self.kept.retain(|timer| timer.place() != claim.timer.place());
            self.kept.push(claim.timer);
        }
    }

    /// Returns whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.claims.is_empty()
            && self.removed.is_empty()
            && self.kept.is_empty()
            && self.set.is_empty()
            && self.finished.is_empty()
    }
}

/// How far the journal is written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    pub(super) number: u64,
    /// Whether the last attempt has failed.
    pub(super) is_away: bool,
}

impl Journal {
    /// Notes that a timer was set or removed. Returns the number of the change.
    pub(super) fn note(&mut self, key: Key) -> u64 {
        self.changed.insert(key);
        self.last += 1;
        self.last
    }

    /// Notes that a timer that was claimed is not to be run again. Returns the number of the change.
    pub(super) fn finish(&mut self, key: Key, id: i64) -> u64 {
        self.finished.push((key, id));
        self.last += 1;
        self.last
    }

    /// Asks for the claim of a timer that is no longer pending.
    pub(super) fn claim(&mut self, key: &Key, timer: Kept) -> oneshot::Receiver<bool> {
        let (reply, claimed) = oneshot::channel();
        let is_new = self.changed.remove(key);
        self.claims.push(Claim { timer, is_new, reply });
        claimed
    }
}

impl Scheduler {
    /// Begins to note what changes, for [`take`](Self::take).
    pub(crate) fn keep(&self) {
        self.0.timers.lock().journal.get_or_insert_default();
    }

    /// Restores timers that are still to be written.
    pub(crate) fn restore_unwritten(&self, kept: Vec<Kept>) {
        let keys: Vec<Key> = kept.iter().map(Kept::place).collect();
        self.restore(kept);
        if let Some(journal) = &mut self.0.timers.lock().journal {
            journal.changed.extend(keys);
        }
        self.0.noted.notify_one();
    }

    /// Waits until there is something to write.
    pub(crate) async fn noted_change(&self) {
        self.0.noted.notified().await;
    }

    /// Takes what has changed since the last time.
    pub(crate) fn take(&self) -> Batch {
        let mut guard = self.0.timers.lock();
        let timers = &mut *guard;
        let Some(journal) = &mut timers.journal else { return Batch::default() };
        let mut batch = Batch { number: journal.last, ..Batch::default() };
        let claims = journal.claims.len().min(TOGETHER);
        batch.claims = journal.claims.drain(..claims).collect();
        batch.finished = std::mem::take(&mut journal.finished);
        for key in std::mem::take(&mut journal.changed) {
            match timers.pending.get(&key) {
                Some(set) => batch.set.push(set.kept(&key)),
                None => batch.removed.push(key),
            }
        }
        if !journal.claims.is_empty() {
            self.0.noted.notify_one();
        }
        batch
    }

    /// Keeps a timer that another process runs, in case that process ends: it is due here again after `until`, in milliseconds
    /// since 1970.
    pub(crate) fn wait_for_other(&self, timer: &Kept, until: u64) {
        let set = Set { at: Duration::from_millis(until + 1), interrupted: true, ..Set::from(timer.clone()) };
        self.0.timers.lock().pending.entry(timer.place()).or_insert(set);
        self.wake();
    }

    /// Takes over what the database has under a key, because another process may have set or removed it: `None` if there is
    /// nothing. What is not written here yet counts.
    pub(crate) fn adopt(&self, key: Key, kept: Option<Kept>) {
        let mut guard = self.0.timers.lock();
        let Timers { pending, journal } = &mut *guard;
        let is_ours = |journal: &Journal| {
            journal.changed.contains(&key) || journal.claims.iter().any(|claim| claim.timer.place() == key)
        };
        if journal.as_ref().is_some_and(is_ours) {
            return;
        }
        match kept {
            Some(kept) if pending.get(&key).is_none_or(|set| set.id != kept.id) => {
                pending.insert(key, Set::from(kept));
            }
            Some(_) => return,
            None => _ = pending.remove(&key),
        }
        drop(guard);
        self.wake();
    }

    /// Takes over all timers that the database has, like [`adopt`](Self::adopt).
    pub(crate) fn adopt_all(&self, kept: Vec<Kept>) {
        let mut gone: BTreeSet<Key> = self.0.timers.lock().pending.keys().cloned().collect();
        for timer in kept {
            let key = timer.place();
            gone.remove(&key);
            self.adopt(key, Some(timer));
        }
        for key in gone {
            self.adopt(key, None);
        }
    }

    /// Notes that a batch is written. Its claims are replied to by the caller.
    pub(crate) fn wrote(&self, batch: &Batch) {
        self.0.progress.send_replace(Progress { number: batch.number, is_away: false });
    }

    /// Takes a batch back that could not be written. What has changed again meanwhile counts.
    pub(crate) fn give_back(&self, batch: Batch) {
        {
            let mut guard = self.0.timers.lock();
            let Timers { pending, journal } = &mut *guard;
            let Some(journal) = journal else { return };
            for timer in batch.kept {
                let place = timer.place();
                pending.entry(place.clone()).or_insert_with(|| Set::from(timer));
                journal.changed.insert(place);
            }
            let mut claims = batch.claims;
            claims.append(&mut journal.claims);
            journal.claims = claims;
            journal.finished.extend(batch.finished);
            journal.changed.extend(batch.removed);
            for timer in batch.set {
                // It may have become due meanwhile.
                match journal.claims.iter_mut().find(|claim| claim.timer.id == timer.id) {
                    Some(claim) => claim.is_new = true,
                    None => _ = journal.changed.insert(timer.place()),
                }
            }
        }
        self.0.progress.send_modify(|progress| progress.is_away = true);
    }
}
