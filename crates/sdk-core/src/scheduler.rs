//! Timers kept by the host. They fire in the generation that is live at that time.
//!
//! # Theory of operation
//!
//! All timers are in memory, so setting and removing one does not wait. Where a database keeps them, each change is also
//! noted in a journal, which a [`Checkpoint`](crate::checkpoint::Checkpoint) writes. A due timer is first claimed: its
//! row is marked in the database, so that no other process runs it, and a process that ends meanwhile leaves it there to
//! be run again. The row is removed when the handler has ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{Notify, oneshot, watch};

use crate::state::json_bytes;
use crate::store::MAX_KEY;
use crate::{Error, PluginId};

mod journal;

pub(crate) use journal::Batch;
use journal::{Journal, Progress};

/// A timer that has fired.
#[derive(Clone, Debug, PartialEq)]
pub struct Timer {
    /// Plugin that set it.
    pub plugin: PluginId,
    /// Name of the handler, as in [`Subscriptions::timer`](crate::Subscriptions::timer).
    pub name: String,
    /// Distinguishes timers of the same name.
    pub key: String,
    /// Value given when it was set.
    pub payload: Value,
    /// Whether the process ended while the handler ran for this timer before, so that some of its work may be done.
    pub interrupted: bool,
    /// Distinguishes this timer from others that were set with the same name and key.
    id: i64,
}

impl Timer {
    /// Deserialises the payload as `T`.
    ///
    /// # Errors
    /// If the payload has another shape, for example because the struct has changed.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(&self.payload).map_err(|error| {
            let Self { plugin, name, key, .. } = self;
            format!("the payload of timer {name} '{key}' of {plugin} does not fit its type: {error}").into()
        })
    }
}

/// A timer that is due. It runs once it is claimed.
pub struct Due {
    timer: Timer,
    /// `None` where no database keeps timers.
    claimed: Option<oneshot::Receiver<bool>>,
}

impl Due {
    /// Waits for the claim. Returns the timer; `None` if another process runs it, or this one is about to end.
    pub async fn claimed(self) -> Option<Timer> {
        match self.claimed {
            Some(claimed) => claimed.await.unwrap_or(false).then_some(self.timer),
            None => Some(self.timer),
        }
    }
}

/// Plugin, name and key of a timer.
pub(crate) type Key = (PluginId, String, String);

/// Maximum number of timers of a plugin.
pub const MAX_TIMERS: usize = 5_000;
/// Maximum size in bytes of a timer's key and its payload as JSON, together.
pub const MAX_PAYLOAD: usize = 2_048;

/// Longest sleep before the clock is read again. The clock may be set, or the machine suspended, in the meantime.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// Longest wait for a timer to be written. Discord allows 3 s for the answer that follows.
const WRITTEN_WITHIN: Duration = Duration::from_millis(1_500);

/// All pending timers. Cheap to clone.
///
/// They are kept by the wall clock, so a timer set before a restart fires at its time, or immediately if that has
/// passed.
#[derive(Clone)]
pub struct Scheduler(Arc<Inner>);

struct Inner {
    timers: Mutex<Timers>,
    changed: Notify,
    /// Notified when the journal has something to write.
    noted: Notify,
    progress: watch::Sender<Progress>,
    clock: fn() -> Duration,
}

#[derive(Default)]
struct Timers {
    pending: BTreeMap<Key, Set>,
    /// `None` where no database keeps timers.
    journal: Option<Journal>,
}

/// A pending timer.
#[derive(Clone, Debug, PartialEq)]
struct Set {
    /// Time since 1970.
    at: Duration,
    payload: Value,
    id: i64,
    interrupted: bool,
}

impl Set {
    fn new(at: Duration, payload: Value) -> Self {
        Self { at, payload, id: rand::random(), interrupted: false }
    }

    fn kept(&self, (plugin, name, key): &Key) -> Kept {
        Kept {
            plugin: plugin.clone(),
            name: name.clone(),
            key: key.clone(),
            at: u64::try_from(self.at.as_millis()).unwrap_or(u64::MAX),
            payload: self.payload.clone(),
            id: self.id,
            interrupted: self.interrupted,
        }
    }
}

impl From<Kept> for Set {
    fn from(Kept { at, payload, id, interrupted, .. }: Kept) -> Self {
        Self { at: Duration::from_millis(at), payload, id, interrupted }
    }
}

/// A timer as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) plugin: PluginId,
    pub(crate) name: String,
    pub(crate) key: String,
    /// Milliseconds since 1970.
    pub(crate) at: u64,
    pub(crate) payload: Value,
    #[serde(skip, default = "rand::random")]
    pub(crate) id: i64,
    #[serde(skip)]
    pub(crate) interrupted: bool,
}

impl Kept {
    fn place(&self) -> Key {
        (self.plugin.clone(), self.name.clone(), self.key.clone())
    }
}

impl Default for Scheduler {
    fn default() -> Self {
        Self::with_clock(wall_clock)
    }
}

fn wall_clock() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

impl Scheduler {
    fn with_clock(clock: fn() -> Duration) -> Self {
        Self(Arc::new(Inner {
            timers: Mutex::default(),
            changed: Notify::new(),
            noted: Notify::new(),
            progress: watch::Sender::default(),
            clock,
        }))
    }

    /// Sets a timer, replacing one of the same plugin, name and key. Returns a number to wait for with
    /// [`written`](Self::written).
    ///
    /// # Errors
    /// If the plugin has [`MAX_TIMERS`] others, if name and key are longer than [`MAX_KEY`], or if key and payload are
    /// larger than [`MAX_PAYLOAD`].
    pub fn set(
        &self,
        plugin: &PluginId,
        name: &str,
        key: &str,
        delay: Duration,
        payload: Value,
    ) -> Result<u64, Error> {
        let bytes = key.len() + json_bytes(&payload);
        if bytes > MAX_PAYLOAD {
            return Err(format!(
                "the timer {name} of {plugin} has a key and a payload of {bytes} bytes, and at most {MAX_PAYLOAD} are \
                 kept; keep the rest in the state"
            )
            .into());
        }
        if key.contains('\0') || name.contains('\0') || key.len() + name.len() > MAX_KEY {
            return Err(format!(
                "a timer of {plugin} has a name and a key with a zero byte or more than {MAX_KEY} bytes, which not \
                 every database keeps"
            )
            .into());
        }
        let set = Set::new((self.0.clock)() + delay, payload);
        let place = (plugin.clone(), name.to_owned(), key.to_owned());
        let mut timers = self.0.timers.lock();
        if !timers.pending.contains_key(&place) && count(&timers.pending, plugin) >= MAX_TIMERS {
            return Err(format!(
                "{plugin} has {MAX_TIMERS} timers set, which is the most; take some back first"
            )
            .into());
        }
        timers.pending.insert(place.clone(), set);
        let number = timers.journal.as_mut().map_or(0, |journal| journal.note(place));
        drop(timers);
        self.noted();
        Ok(number)
    }

    /// Waits until a change is written. Returns early if the database does not answer: the change is then written later.
    pub async fn written(&self, number: u64) {
        let mut progress = self.0.progress.subscribe();
        let written = progress.wait_for(|progress| progress.number >= number || progress.is_away);
        let _ = tokio::time::timeout(WRITTEN_WITHIN, written).await;
    }

    /// Restores a timer that fired but could not be handled, unless a new one has replaced it.
    pub(crate) fn requeue(&self, timer: Timer) {
        let at = (self.0.clock)();
        let Timer { plugin, name, key, payload, id, interrupted } = timer;
        let place = (plugin, name, key);
        let mut guard = self.0.timers.lock();
        let timers = &mut *guard;
        if timers.pending.contains_key(&place) {
            if let Some(journal) = &mut timers.journal {
                journal.finish(place, id);
            }
        } else {
            timers.pending.insert(place.clone(), Set { interrupted, ..Set::new(at, payload) });
            if let Some(journal) = &mut timers.journal {
                journal.note(place);
            }
        }
        drop(guard);
        self.noted();
    }

    /// Notes that the handler has ended, so that the timer is never run again. Returns a number to wait for with
    /// [`written`](Self::written).
    pub fn finish(&self, timer: Timer) -> u64 {
        let Timer { plugin, name, key, id, .. } = timer;
        let mut timers = self.0.timers.lock();
        let number = timers.journal.as_mut().map_or(0, |journal| journal.finish((plugin, name, key), id));
        drop(timers);
        self.0.noted.notify_one();
        number
    }

    /// Removes a timer. Returns whether it was pending.
    pub fn remove(&self, plugin: &PluginId, name: &str, key: &str) -> bool {
        let place = (plugin.clone(), name.to_owned(), key.to_owned());
        let mut timers = self.0.timers.lock();
        let was_there = timers.pending.remove(&place).is_some();
        if was_there && let Some(journal) = &mut timers.journal {
            journal.note(place);
        }
        drop(timers);
        self.noted();
        was_there
    }

    /// Restores stored timers, each with its own time.
    pub(crate) fn restore(&self, kept: Vec<Kept>) {
        let sets = kept.into_iter().map(|kept| (kept.place(), Set::from(kept)));
        self.0.timers.lock().pending.extend(sets);
        self.wake();
    }

    fn noted(&self) {
        self.wake();
        self.0.noted.notify_one();
    }

    /// Returns the number of pending timers.
    pub fn len(&self) -> usize {
        self.0.timers.lock().pending.len()
    }

    /// Returns whether no timer is pending.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits for the next timer that is due and `ready`, removes it and returns it.
    ///
    /// A timer whose plugin is not `ready` stays, and is checked again after [`wake`](Self::wake).
    pub async fn next(&self, ready: impl Fn(&PluginId, &str) -> bool) -> Due {
        loop {
            let changed = self.0.changed.notified();
            let now = (self.0.clock)();
            let mut wait = None;
            {
                let mut guard = self.0.timers.lock();
                let timers = &mut *guard;
                let next = timers
                    .pending
                    .iter()
                    .filter(|((plugin, name, _), _)| ready(plugin, name))
                    .min_by_key(|(_, set)| set.at)
                    .map(|(key, set)| (key.clone(), set.at));
                if let Some((place, at)) = next {
                    if at <= now
                        && let Some(set) = timers.pending.remove(&place)
                    {
                        let claimed = timers.journal.as_mut().map(|journal| {
                            self.0.noted.notify_one();
                            journal.claim(&place, set.kept(&place))
                        });
                        let Set { payload, id, interrupted, .. } = set;
                        let (plugin, name, key) = place;
                        return Due { timer: Timer { plugin, name, key, payload, interrupted, id }, claimed };
                    }
                    // Stored times are in whole milliseconds.
                    wait = Some(at.saturating_sub(now).clamp(Duration::from_millis(1), LOOK_AGAIN));
                }
            }
            match wait {
                Some(wait) => {
                    let _ = tokio::time::timeout(wait, changed).await;
                }
                None => changed.await,
            }
        }
    }

    /// Makes [`next`](Self::next) check again which timers are ready.
    pub fn wake(&self) {
        self.0.changed.notify_one();
    }
}

/// Returns the number of a plugin's timers.
fn count(timers: &BTreeMap<Key, Set>, plugin: &PluginId) -> usize {
    let from = timers.range((plugin.clone(), String::new(), String::new())..);
    from.take_while(|((of, _, _), _)| of == plugin).count()
}

#[cfg(test)]
mod tests;
