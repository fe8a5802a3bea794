//! How songbird's drivers are made: one scheduler and one configuration for all guilds.

use std::num::{NonZeroU8, NonZeroUsize};
use std::sync::OnceLock;
use std::time::Duration;

use futures_util::future::BoxFuture;
use songbird::Config;
use songbird::driver::retry::{Retry, Strategy};
use songbird::driver::{DisposalThread, Driver, Scheduler, SchedulerConfig, SchedulerMode};
use tokio::time::timeout;

/// Wait before the second and last attempt of songbird to connect; more is for [`rejoin`](super::rejoin) to say.
const RETRY_AFTER: Duration = Duration::from_millis(250);
/// Longest wait for songbird's account of its threads.
const STATS_WITHIN: Duration = Duration::from_millis(200);

/// Makes drivers.
///
/// A trait, so that songbird's types are no part of the host's: whoever asks the compiler whether the host can be sent
/// would have it look through all of songbird, in each plugin again.
pub(super) trait Drivers: Send + Sync {
    /// Makes a driver, which is connected to nothing.
    fn make(&self) -> Driver;

    /// Gives the longest time that a mixer took for its last frame.
    fn mixing_time(&self) -> BoxFuture<'_, Option<Duration>>;
}

/// Gives what makes drivers.
pub(super) fn drivers() -> Box<dyn Drivers> {
    Box::new(Shared::default())
}

#[derive(Default)]
struct Shared(OnceLock<Config>);

impl Drivers for Shared {
    fn make(&self) -> Driver {
        Driver::new(self.0.get_or_init(config).clone())
    }

    fn mixing_time(&self) -> BoxFuture<'_, Option<Duration>> {
        Box::pin(async {
            // Before the first driver is made, no thread mixes.
            let scheduler = self.0.get()?.scheduler.as_ref()?;
            let workers = timeout(STATS_WITHIN, scheduler.worker_thread_stats()).await.ok()?.ok()?;
            let busy = workers.iter().filter(|worker| worker.live_mixers() > 0);
            busy.map(|worker| Duration::from_nanos(worker.last_compute_cost_ns())).max()
        })
    }
}

fn config() -> Config {
    let mut threads = SchedulerConfig::default();
    // A source that makes the mixer wait is heard in its own guild only.
    threads.strategy = SchedulerMode::MaxPerThread(NonZeroUsize::MIN);
    let retry = Retry { strategy: Strategy::Every(RETRY_AFTER.into()), retry_limit: Some(NonZeroU8::MIN) };
    Config::default().disposer(DisposalThread::run()).driver_retry(retry).scheduler(Scheduler::new(threads))
}
