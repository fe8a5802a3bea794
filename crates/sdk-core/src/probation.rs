//! The first calls of a new generation, in which a panic causes a rollback.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::timeout_at;

use crate::PluginId;
use crate::panics::{Panic, PanicReport, Panics};

/// A generation's probation, which is off until it begins. Cheap to clone.
///
/// It ends after a number of ended calls or after a time, whichever comes first.
#[derive(Clone, Debug)]
pub struct Probation(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    plugin: PluginId,
    generation: u64,
    panics: Panics,
    calls_left: AtomicU64,
    until: OnceLock<Instant>,
    /// Notified when the last call has ended.
    passed: Notify,
}

impl Probation {
    pub(crate) fn new(plugin: PluginId, generation: u64, panics: Panics) -> Self {
        let (calls_left, until) = (AtomicU64::new(0), OnceLock::new());
        Self(Arc::new(Inner { plugin, generation, panics, calls_left, until, passed: Notify::new() }))
    }

    /// Puts the generation on probation for `calls` calls, and for `time` at most. Only the first call has an effect.
    pub fn begin(&self, calls: u64, time: Duration) {
        if self.0.until.set(Instant::now() + time).is_ok() {
            self.0.calls_left.store(calls, Ordering::Release);
        }
    }

    /// Returns whether the generation is on probation.
    pub fn is_on(&self) -> bool {
        self.0.calls_left.load(Ordering::Acquire) > 0
            && self.0.until.get().is_some_and(|until| Instant::now() < *until)
    }

    /// Waits for the end of the last call on probation. Returns `false` if the time is up before, or if probation has
    /// not begun.
    pub async fn passed(&self) -> bool {
        let Some(until) = self.0.until.get() else { return false };
        let ended = self.0.passed.notified();
        // Checked after the future was created, so that no call's end in between is missed.
        self.0.calls_left.load(Ordering::Acquire) == 0 || timeout_at((*until).into(), ended).await.is_ok()
    }

    /// Counts a call that has ended, in whichever way.
    pub(crate) fn call_ended(&self) {
        // For all generations except the newest few, this check is the only cost.
        if self.0.calls_left.load(Ordering::Relaxed) > 0 {
            let less = |left: u64| left.checked_sub(1);
            if self.0.calls_left.fetch_update(Ordering::AcqRel, Ordering::Relaxed, less) == Ok(1) {
                self.0.passed.notify_waiters();
            }
        }
    }

    /// Reports a panic that this thread has just caught. Returns its description.
    pub(crate) fn panicked(&self, what: &str, text: &str) -> Panic {
        let panic = Panic::caught(what, text);
        self.0.panics.tell(|| PanicReport {
            plugin: self.0.plugin.clone(),
            generation: self.0.generation,
            panic: panic.clone(),
            on_probation: self.is_on(),
        });
        panic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probation(panics: &Panics) -> Probation {
        Probation::new(PluginId::new("commands/one"), 4, panics.clone())
    }

    #[test]
    fn it_is_over_with_the_last_of_its_calls() {
        let probation = probation(&Panics::default());
        assert!(!probation.is_on(), "it has not begun");
        probation.begin(2, Duration::from_mins(1));
        probation.call_ended();
        assert!(probation.is_on());
        probation.call_ended();
        assert!(!probation.is_on());
        probation.call_ended();
        probation.begin(9, Duration::from_mins(1));
        assert!(!probation.is_on(), "it comes once");
    }

    #[test]
    fn it_is_over_with_its_time_and_never_begins_for_no_calls() {
        let panics = Panics::default();
        let (late, none) = (probation(&panics), probation(&panics));
        late.begin(5, Duration::ZERO);
        none.begin(0, Duration::from_mins(1));
        assert!(!late.is_on() && !none.is_on());
    }

    #[tokio::test]
    async fn who_waits_hears_of_its_last_call_or_that_its_time_is_up() {
        let panics = Panics::default();
        let (never, late, passed) = (probation(&panics), probation(&panics), probation(&panics));
        assert!(!never.passed().await);
        late.begin(1, Duration::from_millis(1));
        assert!(!late.passed().await);
        passed.begin(2, Duration::from_mins(1));
        let two_calls = async {
            passed.call_ended();
            tokio::task::yield_now().await;
            passed.call_ended();
        };
        assert!(tokio::join!(passed.passed(), two_calls).0);
        assert!(passed.passed().await, "also who comes late");
    }

    #[test]
    fn every_panic_is_reported_with_whether_it_came_on_probation() {
        let panics = Panics::default();
        let mut heard = panics.listen();
        let probation = probation(&panics);
        probation.begin(1, Duration::from_mins(1));
        let panic = probation.panicked("/ping", "no guilds today");
        probation.call_ended();
        probation.panicked("task watch", "gone");
        let first = heard.try_recv().unwrap();
        assert_eq!((first.generation, first.on_probation, first.panic), (4, true, panic));
        assert!(!heard.try_recv().unwrap().on_probation);
    }
}
