//! Timers kept by the host. They fire in the generation that is live at that time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;

use crate::changes::Changes;
use crate::state::json_bytes;
use crate::{Error, PluginId};

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

type Key = (PluginId, String, String);

/// Maximum number of timers of a plugin.
pub const MAX_TIMERS: usize = 5_000;
/// Maximum size in bytes of a timer's key and its payload as JSON, together.
pub const MAX_PAYLOAD: usize = 2_048;

/// Longest sleep before the clock is read again. The clock may be set, or the machine suspended, in the meantime.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// All pending timers. Cheap to clone.
///
/// They are kept by the wall clock, so a timer set before a restart fires at its time, or immediately if that has
/// passed.
#[derive(Clone)]
pub struct Scheduler(Arc<Inner>);

struct Inner {
    timers: Mutex<BTreeMap<Key, Set>>,
    changed: Notify,
    changes: Changes,
    clock: fn() -> Duration,
}

/// A pending timer.
#[derive(Clone, Debug, PartialEq)]
struct Set {
    /// Time since 1970.
    at: Duration,
    payload: Value,
}

/// A timer as stored in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) plugin: PluginId,
    pub(crate) name: String,
    pub(crate) key: String,
    /// Milliseconds since 1970.
    pub(crate) at: u64,
    pub(crate) payload: Value,
}

impl Default for Scheduler {
    fn default() -> Self {
        Self::new(Changes::default())
    }
}

fn wall_clock() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

impl Scheduler {
    pub(crate) fn new(changes: Changes) -> Self {
        Self::with_clock(changes, wall_clock)
    }

    fn with_clock(changes: Changes, clock: fn() -> Duration) -> Self {
        Self(Arc::new(Inner { timers: Mutex::default(), changed: Notify::new(), changes, clock }))
    }

    /// Sets a timer, replacing one of the same plugin, name and key.
    ///
    /// # Errors
    /// If the plugin has [`MAX_TIMERS`] others, or if key and payload are larger than [`MAX_PAYLOAD`].
    pub fn set(
        &self,
        plugin: &PluginId,
        name: &str,
        key: &str,
        delay: Duration,
        payload: Value,
    ) -> Result<(), Error> {
        let bytes = key.len() + json_bytes(&payload);
        if bytes > MAX_PAYLOAD {
            return Err(format!(
                "the timer {name} of {plugin} has a key and a payload of {bytes} bytes, and at most {MAX_PAYLOAD} are \
                 kept; keep the rest in the state"
            )
            .into());
        }
        let set = Set { at: (self.0.clock)() + delay, payload };
        let place = (plugin.clone(), name.to_owned(), key.to_owned());
        let mut timers = self.0.timers.lock();
        if !timers.contains_key(&place) && count(&timers, plugin) >= MAX_TIMERS {
            return Err(format!(
                "{plugin} has {MAX_TIMERS} timers set, which is the most; take some back first"
            )
            .into());
        }
        timers.insert(place, set);
        drop(timers);
        self.noted();
        Ok(())
    }

    /// Restores a timer that fired but found no handler, unless a new one has replaced it.
    pub(crate) fn requeue(&self, timer: Timer) {
        let Timer { plugin, name, key, payload } = timer;
        let at = (self.0.clock)();
        self.0.timers.lock().entry((plugin, name, key)).or_insert_with(|| Set { at, payload });
        self.noted();
    }

    /// Removes a timer. Returns whether it was pending.
    pub fn remove(&self, plugin: &PluginId, name: &str, key: &str) -> bool {
        let was_there =
            self.0.timers.lock().remove(&(plugin.clone(), name.to_owned(), key.to_owned())).is_some();
        self.noted();
        was_there
    }

    /// Returns all timers, for storing.
    pub(crate) fn kept(&self) -> Vec<Kept> {
        let timers = self.0.timers.lock();
        let kept = timers.iter().map(|((plugin, name, key), set)| Kept {
            plugin: plugin.clone(),
            name: name.clone(),
            key: key.clone(),
            at: u64::try_from(set.at.as_millis()).unwrap_or(u64::MAX),
            payload: set.payload.clone(),
        });
        kept.collect()
    }

    /// Restores stored timers, each with its own time.
    pub(crate) fn restore(&self, kept: Vec<Kept>) {
        let sets = kept.into_iter().map(|Kept { plugin, name, key, at, payload }| {
            ((plugin, name, key), Set { at: Duration::from_millis(at), payload })
        });
        self.0.timers.lock().extend(sets);
        self.wake();
    }

    fn noted(&self) {
        self.wake();
        self.0.changes.mark();
    }

    /// Returns the number of pending timers.
    pub fn len(&self) -> usize {
        self.0.timers.lock().len()
    }

    /// Returns whether no timer is pending.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits for the next timer that is due and `ready`, removes it and returns it.
    ///
    /// A timer whose plugin is not `ready` stays, and is checked again after [`wake`](Self::wake).
    pub async fn next(&self, ready: impl Fn(&PluginId, &str) -> bool) -> Timer {
        loop {
            let changed = self.0.changed.notified();
            let now = (self.0.clock)();
            let mut wait = None;
            {
                let mut timers = self.0.timers.lock();
                let next = timers
                    .iter()
                    .filter(|((plugin, name, _), _)| ready(plugin, name))
                    .min_by_key(|(_, set)| set.at)
                    .map(|(key, set)| (key.clone(), set.at));
                if let Some((key, at)) = next {
                    if at <= now
                        && let Some(Set { payload, .. }) = timers.remove(&key)
                    {
                        self.0.changes.mark();
                        let (plugin, name, key) = key;
                        return Timer { plugin, name, key, payload };
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
mod tests {
    use std::sync::OnceLock;

    use tokio::time::Instant;

    use super::*;

    /// Returns the time of a wall clock that follows tokio's clock and starts at 1000 s.
    fn clock() -> Duration {
        thread_local!(static BEGAN: OnceLock<Instant> = const { OnceLock::new() });
        BEGAN.with(|began| began.get_or_init(Instant::now).elapsed()) + Duration::from_secs(1000)
    }

    fn scheduler() -> Scheduler {
        Scheduler::with_clock(Changes::default(), clock)
    }

    #[tokio::test(start_paused = true)]
    async fn timers_go_off_in_the_order_of_their_times() {
        let scheduler = scheduler();
        let plugin = PluginId::new("commands/one");
        scheduler.set(&plugin, "close", "late", Duration::from_secs(50), Value::Null).unwrap();
        scheduler.set(&plugin, "close", "early", Duration::from_secs(5), Value::Null).unwrap();
        scheduler.set(&plugin, "close", "never", Duration::from_secs(1), Value::Null).unwrap();
        assert!(scheduler.remove(&plugin, "close", "never"));
        assert_eq!(scheduler.next(|_, _| true).await.key, "early");
        assert_eq!(clock().as_secs(), 1005);
        assert_eq!(scheduler.next(|_, _| true).await.key, "late");
        assert_eq!(clock().as_secs(), 1050);
        assert!(scheduler.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_due_timer_waits_for_its_plugin() {
        let scheduler = scheduler();
        scheduler.set(&PluginId::new("commands/one"), "close", "", Duration::ZERO, Value::Null).unwrap();
        let live = std::sync::atomic::AtomicBool::new(false);
        let next = scheduler.next(|_, _| live.load(std::sync::atomic::Ordering::Relaxed));
        tokio::pin!(next);
        assert!(tokio::time::timeout(Duration::from_secs(9), next.as_mut()).await.is_err());
        live.store(true, std::sync::atomic::Ordering::Relaxed);
        scheduler.wake();
        assert_eq!(next.await.name, "close");
    }

    #[tokio::test(start_paused = true)]
    async fn a_kept_timer_goes_off_at_its_own_time_and_one_that_was_missed_at_once() {
        let before = scheduler();
        let plugin = PluginId::new("commands/one");
        before.set(&plugin, "close", "missed", Duration::from_secs(5), Value::from(1)).unwrap();
        before.set(&plugin, "close", "ahead", Duration::from_secs(100), Value::from(2)).unwrap();
        let kept = serde_json::to_string(&before.kept()).unwrap();
        tokio::time::advance(Duration::from_mins(1)).await;
        let after = scheduler();
        after.restore(serde_json::from_str(&kept).unwrap());
        let missed = after.next(|_, _| true).await;
        assert_eq!(
            (missed.key.as_str(), missed.payload, clock().as_secs()),
            ("missed", Value::from(1), 1060)
        );
        assert_eq!(after.next(|_, _| true).await.key, "ahead");
        assert_eq!(clock().as_secs(), 1100);
    }

    #[test]
    fn a_plugins_timers_and_their_payloads_are_bounded() {
        let (scheduler, plugin) = (Scheduler::default(), PluginId::new("commands/one"));
        let set = |plugin: &PluginId, key: &str, payload: Value| {
            scheduler.set(plugin, "close", key, Duration::from_secs(9), payload)
        };
        for number in 0..MAX_TIMERS {
            set(&plugin, &number.to_string(), Value::Null).unwrap();
        }
        let refused = set(&plugin, "more", Value::Null).unwrap_err().to_string();
        assert!(refused.contains("commands/one has 5000 timers"), "{refused}");
        // An existing timer is replaced, and other plugins have timers of their own.
        set(&plugin, "7", Value::from(1)).unwrap();
        set(&PluginId::new("commands/two"), "7", Value::Null).unwrap();
        assert!(scheduler.remove(&plugin, "close", "8"));
        set(&plugin, "more", Value::Null).unwrap();
        // The key and two quotes count too.
        set(&plugin, "7", "x".repeat(MAX_PAYLOAD - 3).into()).unwrap();
        assert!(set(&plugin, "7", "x".repeat(MAX_PAYLOAD - 2).into()).is_err());
    }

    #[test]
    fn a_timer_that_is_put_back_does_not_replace_a_newer_one() {
        let scheduler = scheduler();
        let plugin = PluginId::new("commands/one");
        let timer = Timer {
            plugin: plugin.clone(),
            name: "a".to_owned(),
            key: String::new(),
            payload: Value::from(1),
        };
        scheduler.requeue(timer.clone());
        assert_eq!(scheduler.len(), 1);
        scheduler.set(&plugin, "a", "", Duration::from_secs(1), Value::from(2)).unwrap();
        scheduler.requeue(timer);
        assert_eq!(scheduler.kept()[0].payload, Value::from(2));
    }
}
