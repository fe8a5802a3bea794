//! The gate of a generation: it counts calls, pauses new ones while state is transferred, and redirects those that come
//! after a swap to the next generation.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::flight::Flight;
use crate::probation::Probation;

tokio::task_local! {
    /// The call that runs in this task, if any.
    static CURRENT: (Arc<Gate>, u64);
}

/// A call in progress in a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallReport {
    /// Name of the call, such as `/poll` or `component poll:7:1`.
    pub what: String,
    /// Time since it began.
    pub age: Duration,
    /// Whether it waits for a user and so runs no code of its plugin.
    pub waits: bool,
}

impl fmt::Display for CallReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:.1} s)", self.what, self.age.as_secs_f64())
    }
}

/// The generation is out of dispatch. The newest snapshot has its replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Replaced;

/// The gate's state and its calls in progress.
#[derive(Default)]
pub(crate) struct Gate {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Default)]
struct Inner {
    door: Door,
    next: u64,
    calls: BTreeMap<u64, Record>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Door {
    #[default]
    Open,
    Paused,
    Replaced,
}

struct Record {
    what: String,
    began: Instant,
    waits: bool,
}

impl Inner {
    fn count_in(&mut self, what: &str) -> u64 {
        self.next += 1;
        let record = Record { what: what.to_owned(), began: Instant::now(), waits: false };
        self.calls.insert(self.next, record);
        self.next
    }
}

impl Gate {
    /// Counts a call in and returns its id. While the gate is paused, waits until it is resumed or the generation is
    /// replaced.
    async fn enter(&self, what: &str) -> Result<u64, Replaced> {
        loop {
            if let Some(outcome) = self.try_enter(what) {
                return outcome;
            }
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            // The gate may have opened before the wait began.
            if let Some(outcome) = self.try_enter(what) {
                return outcome;
            }
            changed.await;
        }
    }

    /// Counts a call in and returns its id; `None` while the gate is paused.
    fn try_enter(&self, what: &str) -> Option<Result<u64, Replaced>> {
        let mut inner = self.inner.lock();
        match inner.door {
            Door::Open => Some(Ok(inner.count_in(what))),
            Door::Paused => None,
            Door::Replaced => Some(Err(Replaced)),
        }
    }

    /// Counts a call in, whatever the gate's state, and returns its id.
    fn count_in(&self, what: &str) -> u64 {
        self.inner.lock().count_in(what)
    }

    fn leave(&self, id: u64) {
        self.inner.lock().calls.remove(&id);
        self.changed.notify_waiters();
    }

    fn set_waits(&self, id: u64, waits: bool) {
        if let Some(record) = self.inner.lock().calls.get_mut(&id) {
            record.waits = waits;
        }
        self.changed.notify_waiters();
    }

    fn set_door(&self, from: &[Door], to: Door) {
        let mut inner = self.inner.lock();
        if from.contains(&inner.door) {
            inner.door = to;
        }
        drop(inner);
        self.changed.notify_waiters();
    }

    /// Makes new calls wait at the gate.
    pub(crate) fn pause(&self) {
        self.set_door(&[Door::Open], Door::Paused);
    }

    /// Lets calls in again, including those that wait.
    pub(crate) fn resume(&self) {
        self.set_door(&[Door::Paused], Door::Open);
    }

    /// Opens the gate of a generation that goes live.
    pub(crate) fn open(&self) {
        self.set_door(&[Door::Paused, Door::Replaced], Door::Open);
    }

    /// Redirects waiting calls and all later ones.
    pub(crate) fn redirect(&self) {
        self.set_door(&[Door::Open, Door::Paused], Door::Replaced);
    }

    /// Lists the calls in progress, the oldest first.
    pub(crate) fn calls(&self) -> Vec<CallReport> {
        let report = |record: &Record| CallReport {
            what: record.what.clone(),
            age: record.began.elapsed(),
            waits: record.waits,
        };
        self.inner.lock().calls.values().map(report).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.inner.lock().calls.len()
    }

    /// Waits until no call is in progress, except those that wait for a user if `but_those_that_wait`. Returns whether
    /// that happened before the deadline.
    pub(crate) async fn wait_idle(&self, deadline: Duration, but_those_that_wait: bool) -> bool {
        let is_idle = || self.inner.lock().calls.values().all(|record| but_those_that_wait && record.waits);
        let idle = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if is_idle() {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(deadline, idle).await.is_ok()
    }
}

/// A call in progress. It ends when this is dropped.
pub(crate) struct Call {
    gate: Arc<Gate>,
    id: u64,
    flight: Flight,
    probation: Probation,
    /// What lives as long as the call: its generation, and the snapshot on which it began, whose services it keeps.
    keeps: Vec<Arc<dyn Any + Send + Sync>>,
}

impl Call {
    /// Begins a call at a generation's gate. Waits while state is transferred.
    pub(crate) async fn begin(gate: &Arc<Gate>, what: &str) -> Result<Counted, Replaced> {
        let id = gate.enter(what).await?;
        Ok(Counted(gate.clone(), id))
    }

    /// Begins a call that is part of another call in progress. It never waits at the gate.
    pub(crate) fn within(gate: &Arc<Gate>, what: &str) -> Counted {
        Counted(gate.clone(), gate.count_in(what))
    }

    /// Keeps `value` as long as the call lasts.
    pub(crate) fn keep(mut self, value: Arc<dyn Any + Send + Sync>) -> Self {
        self.keeps.push(value);
        self
    }

    /// Runs the call's work, with this call as the current one of the task.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = T>) -> T {
        CURRENT.scope((self.gate.clone(), self.id), self.flight.follow(work)).await
    }
}

/// A call that has passed the gate.
pub(crate) struct Counted(Arc<Gate>, u64);

impl Counted {
    /// Returns the call, recorded and counted for probation.
    pub(crate) fn call(self, flight: Flight, probation: Probation) -> Call {
        Call { gate: self.0, id: self.1, flight, probation, keeps: Vec::new() }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.gate.leave(self.id);
        self.probation.call_ended();
    }
}

/// Waits for an action of a user. No handover waits for the call meanwhile.
pub(crate) async fn wait_for_user<T>(something: impl Future<Output = T>) -> T {
    struct Waiting(Option<(Arc<Gate>, u64)>);
    impl Drop for Waiting {
        fn drop(&mut self) {
            if let Some((gate, id)) = &self.0 {
                gate.set_waits(*id, false);
            }
        }
    }
    let waiting = Waiting(CURRENT.try_with(Clone::clone).ok());
    if let Some((gate, id)) = &waiting.0 {
        gate.set_waits(*id, true);
    }
    something.await
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn a_paused_call_enters_after_the_resume_and_is_redirected_after_a_replacement() {
        let gate = Gate::default();
        gate.pause();
        let (one, other) = (gate.enter("one"), gate.enter("other"));
        tokio::pin!(one, other);
        assert!(one.as_mut().now_or_never().is_none());
        gate.resume();
        let id = one.await.unwrap();
        assert_eq!(gate.calls()[0].what, "one");
        gate.leave(id);
        gate.pause();
        assert!(other.as_mut().now_or_never().is_none());
        gate.redirect();
        assert_eq!(other.await, Err(Replaced));
        assert_eq!(gate.enter("late").await, Err(Replaced));
        gate.resume();
        assert_eq!(
            gate.enter("later").await,
            Err(Replaced),
            "a resume does not bring a retired generation back"
        );
        gate.open();
        assert!(gate.enter("again").await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_gate_is_idle_after_its_last_call_and_waiting_for_a_user_counts_as_idle_for_a_handover() {
        let gate = Gate::default();
        let id = gate.enter("call").await.unwrap();
        let soon = Duration::from_millis(50);
        assert!(!gate.wait_idle(soon, true).await);
        gate.set_waits(id, true);
        assert!(gate.wait_idle(soon, true).await);
        assert!(!gate.wait_idle(soon, false).await);
        let (idle, ()) = tokio::join!(gate.wait_idle(soon, false), async { gate.leave(id) });
        assert!(idle);
        assert_eq!(gate.count(), 0);
    }

    /// Each call enters once or is redirected once, in whatever order threads reach the gate.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn nobody_is_left_at_the_door() {
        for _ in 0..200 {
            let gate = Arc::new(Gate::default());
            let callers = (0..8).map(|_| {
                let gate = gate.clone();
                tokio::spawn(async move {
                    match gate.enter("call").await {
                        Ok(id) => {
                            tokio::task::yield_now().await;
                            gate.leave(id);
                            true
                        }
                        Err(Replaced) => false,
                    }
                })
            });
            let callers: Vec<_> = callers.collect();
            gate.pause();
            gate.resume();
            gate.pause();
            assert!(gate.wait_idle(Duration::from_secs(30), true).await);
            // From here on no call is inside and none enters.
            let inside = gate.count();
            gate.redirect();
            let outcomes = tokio::time::timeout(Duration::from_secs(30), join_all(callers)).await.unwrap();
            assert_eq!((inside, outcomes.len()), (0, 8));
        }
    }
}
