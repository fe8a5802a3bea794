//! Timers that the host keeps: they go off in whichever generation is live by then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::{Error, PluginId};

/// A timer that has gone off.
#[derive(Clone, Debug, PartialEq)]
pub struct Timer {
    /// Plugin that set it.
    pub plugin: PluginId,
    /// Name of the handler, as in [`Subscriptions::timer`](crate::Subscriptions::timer).
    pub name: String,
    /// Tells timers of the same name apart.
    pub key: String,
    /// Value given when it was set.
    pub payload: Value,
}

impl Timer {
    /// Reads the payload as `T`.
    ///
    /// # Errors
    /// When the payload has another shape, which a changed struct may cause.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(&self.payload).map_err(|error| {
            let Self { plugin, name, key, .. } = self;
            format!("the payload of timer {name} '{key}' of {plugin} does not fit its type: {error}").into()
        })
    }
}

type Key = (PluginId, String, String);

/// All timers that are still to go off; cheap to clone.
#[derive(Clone, Default)]
pub struct Scheduler(Arc<Inner>);

#[derive(Default)]
struct Inner {
    timers: Mutex<BTreeMap<Key, (Instant, Value)>>,
    changed: Notify,
}

impl Scheduler {
    /// Sets a timer, replacing one of the same plugin, name and key.
    pub fn set(&self, plugin: &PluginId, name: &str, key: &str, delay: Duration, payload: Value) {
        let at = Instant::now() + delay;
        self.0.timers.lock().insert((plugin.clone(), name.to_owned(), key.to_owned()), (at, payload));
        self.0.changed.notify_one();
    }

    /// Removes a timer and says whether it was there.
    pub fn remove(&self, plugin: &PluginId, name: &str, key: &str) -> bool {
        self.0.timers.lock().remove(&(plugin.clone(), name.to_owned(), key.to_owned())).is_some()
    }

    /// Counts the timers that are still to go off.
    pub fn len(&self) -> usize {
        self.0.timers.lock().len()
    }

    /// Says whether no timer is set.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits for the next timer that is due and `ready`, and takes it out.
    ///
    /// A timer whose plugin is not `ready` stays, and is looked at again after [`wake`](Self::wake).
    pub async fn next(&self, ready: impl Fn(&PluginId, &str) -> bool) -> Timer {
        loop {
            let changed = self.0.changed.notified();
            let now = Instant::now();
            let mut wait_until = None;
            {
                let mut timers = self.0.timers.lock();
                let next = timers
                    .iter()
                    .filter(|((plugin, name, _), _)| ready(plugin, name))
                    .min_by_key(|(_, (at, _))| *at)
                    .map(|(key, (at, _))| (key.clone(), *at));
                if let Some((key, at)) = next {
                    if at <= now
                        && let Some((_, payload)) = timers.remove(&key)
                    {
                        let (plugin, name, key) = key;
                        return Timer { plugin, name, key, payload };
                    }
                    wait_until = Some(at);
                }
            }
            match wait_until {
                Some(at) => {
                    let _ = tokio::time::timeout_at(at, changed).await;
                }
                None => changed.await,
            }
        }
    }

    /// Has [`next`](Self::next) look again at who is ready.
    pub fn wake(&self) {
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn timers_go_off_in_the_order_of_their_times() {
        let scheduler = Scheduler::default();
        let plugin = PluginId::new("commands/one");
        scheduler.set(&plugin, "close", "late", Duration::from_secs(50), Value::Null);
        scheduler.set(&plugin, "close", "early", Duration::from_secs(5), Value::Null);
        scheduler.set(&plugin, "close", "never", Duration::from_secs(1), Value::Null);
        assert!(scheduler.remove(&plugin, "close", "never"));
        assert_eq!(scheduler.next(|_, _| true).await.key, "early");
        assert_eq!(scheduler.next(|_, _| true).await.key, "late");
        assert!(scheduler.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_due_timer_waits_for_its_plugin() {
        let scheduler = Scheduler::default();
        scheduler.set(&PluginId::new("commands/one"), "close", "", Duration::ZERO, Value::Null);
        let live = std::sync::atomic::AtomicBool::new(false);
        let next = scheduler.next(|_, _| live.load(std::sync::atomic::Ordering::Relaxed));
        tokio::pin!(next);
        assert!(tokio::time::timeout(Duration::from_secs(9), next.as_mut()).await.is_err());
        live.store(true, std::sync::atomic::Ordering::Relaxed);
        scheduler.wake();
        assert_eq!(next.await.name, "close");
    }
}
