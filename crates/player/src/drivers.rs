//! Creating songbird's drivers: one scheduler and one configuration for all guilds.

use std::num::{NonZeroU8, NonZeroUsize};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use songbird::Config;
use songbird::driver::retry::{Retry, Strategy};
use songbird::driver::{DisposalThread, Driver, Scheduler, SchedulerConfig, SchedulerMode};
use tokio::time::timeout;

/// Wait before songbird's second and last attempt to connect. Further attempts are made by [`rejoin`](super::rejoin).
const RETRY_AFTER: Duration = Duration::from_millis(250);
/// Longest wait for songbird's statistics of its threads.
const STATS_WITHIN: Duration = Duration::from_millis(200);

/// Creates drivers.
///
/// A trait, so that songbird's types are not part of the host's: otherwise the compiler would check all of songbird, in
/// each plugin again, to determine whether the host is `Send`.
pub(super) trait Drivers: Send + Sync {
    /// Creates a driver that is not connected.
    fn make(&self) -> Driver;

    /// Returns the longest time that a mixer took for its last frame.
    fn mixing_time(&self) -> BoxFuture<'_, Option<Duration>>;
}

/// Returns the factory of drivers.
pub(super) fn drivers() -> Box<dyn Drivers> {
    Box::new(Shared::default())
}

#[derive(Default)]
struct Shared(Mutex<Option<Config>>);

impl Shared {
    fn scheduler(&self) -> Option<Scheduler> {
        self.0.lock().as_ref()?.scheduler.clone()
    }
}

impl Drivers for Shared {
    fn make(&self) -> Driver {
        let mut shared = self.0.lock();
        if shared.as_ref().and_then(|config| config.scheduler.as_ref()).is_some_and(has_died) {
            tracing::error!(
                "songbird's scheduler has ended; players that stand still begin anew with another one"
            );
            *shared = None;
        }
        Driver::new(shared.get_or_insert_with(config).clone())
    }

    fn mixing_time(&self) -> BoxFuture<'_, Option<Duration>> {
        Box::pin(async {
            // Before the first driver is created, no thread mixes.
            let scheduler = self.scheduler()?;
            let workers = timeout(STATS_WITHIN, scheduler.worker_thread_stats()).await.ok()?.ok()?;
            let busy = workers.iter().filter(|worker| worker.live_mixers() > 0);
            busy.map(|worker| Duration::from_nanos(worker.last_compute_cost_ns())).max()
        })
    }
}

/// Returns whether the task of a scheduler has ended. It ends for good when a track makes it panic: no driver with that
/// scheduler mixes again.
fn has_died(scheduler: &Scheduler) -> bool {
    // A running task does not answer at once. For one that has ended, the request fails at once.
    scheduler.worker_thread_stats().now_or_never().is_some_and(|answer| answer.is_err())
}

fn config() -> Config {
    let mut threads = SchedulerConfig::default();
    // A source that blocks the mixer affects its own guild only.
    threads.strategy = SchedulerMode::MaxPerThread(NonZeroUsize::MIN);
    let retry = Retry { strategy: Strategy::Every(RETRY_AFTER.into()), retry_limit: Some(NonZeroU8::MIN) };
    Config::default().disposer(DisposalThread::run()).driver_retry(retry).scheduler(Scheduler::new(threads))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_is_made_after_the_scheduler_has_died_has_another_one() {
        let runtime = || {
            let mut threads = tokio::runtime::Builder::new_multi_thread();
            threads.worker_threads(1).enable_all().build().unwrap()
        };
        let shared = Shared::default();
        let first = runtime();
        let (_one, _two) = first.block_on(async { (shared.make(), shared.make()) });
        let before = shared.scheduler().unwrap();
        assert!(first.block_on(before.worker_thread_stats()).is_ok() && !has_died(&before));
        // Its task ends with the runtime that it was spawned in, just as with a panic.
        drop(first);
        assert!(has_died(&before));
        runtime().block_on(async {
            assert_eq!(shared.mixing_time().await, None);
            let _three = shared.make();
            let after = shared.scheduler().unwrap();
            assert!(after.worker_thread_stats().await.is_ok() && !has_died(&after));
            let _four = shared.make();
            assert!(!has_died(&shared.scheduler().unwrap()));
        });
    }
}
