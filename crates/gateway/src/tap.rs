//! Raw events for whoever wants to read them: what Discord sent, whether serenity can parse it or not.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use tokio::sync::mpsc;

/// Events that a slow subscriber can be behind; more are left out and counted.
const BEHIND: usize = 4096;

/// An event as Discord sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEvent {
    /// Name of the event, such as `INTERACTION_CREATE`.
    pub name: Arc<str>,
    /// Its data, as JSON.
    pub data: Arc<str>,
    /// Shard it was received on.
    pub shard: u32,
}

/// Receives raw events. Dropping it ends the subscription.
#[derive(Debug)]
pub struct RawEvents {
    events: mpsc::Receiver<RawEvent>,
    missed: Arc<AtomicU64>,
}

impl RawEvents {
    /// Waits for the next event; `None` after the gateway has ended.
    pub async fn recv(&mut self) -> Option<RawEvent> {
        self.events.recv().await
    }

    /// Returns how many events were left out because this subscriber was too slow.
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
struct Subscriber {
    /// Names of events; none means all.
    names: BTreeSet<String>,
    events: mpsc::Sender<RawEvent>,
    missed: Arc<AtomicU64>,
}

/// All subscribers.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    subscribers: RwLock<Vec<Subscriber>>,
}

impl Tap {
    pub(crate) fn subscribe(&self, names: BTreeSet<String>) -> RawEvents {
        let (sender, events) = mpsc::channel(BEHIND);
        let missed = Arc::new(AtomicU64::new(0));
        let subscriber = Subscriber { names, events: sender, missed: missed.clone() };
        let mut subscribers = self.subscribers.write();
        subscribers.retain(|subscriber| !subscriber.events.is_closed());
        subscribers.push(subscriber);
        RawEvents { events, missed }
    }

    pub(crate) fn publish(&self, event: &RawEvent) {
        for subscriber in &*self.subscribers.read() {
            let is_wanted = subscriber.names.is_empty() || subscriber.names.contains(&*event.name);
            if is_wanted
                && let Err(mpsc::error::TrySendError::Full(_)) = subscriber.events.try_send(event.clone())
            {
                subscriber.missed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_subscriber_gets_the_events_it_names() {
        let tap = Tap::default();
        let mut all = tap.subscribe(BTreeSet::new());
        let mut some = tap.subscribe(BTreeSet::from(["B".to_owned()]));
        for name in ["A", "B"] {
            tap.publish(&RawEvent { name: name.into(), data: "{}".into(), shard: 3 });
        }
        drop(tap);
        assert_eq!(&*all.recv().await.unwrap().name, "A");
        assert_eq!(&*all.recv().await.unwrap().name, "B");
        assert_eq!(all.recv().await, None);
        assert_eq!(&*some.recv().await.unwrap().name, "B");
        assert_eq!(some.recv().await, None);
    }

    #[tokio::test]
    async fn a_slow_subscriber_misses_events_and_can_know_it() {
        let tap = Tap::default();
        let events = tap.subscribe(BTreeSet::new());
        for _ in 0..BEHIND + 3 {
            tap.publish(&RawEvent { name: "A".into(), data: "{}".into(), shard: 0 });
        }
        assert_eq!(events.missed(), 3);
    }
}
