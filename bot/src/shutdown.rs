//! The shutdown of the bot: signals, and the order in which parts are stopped.
//!
//! Everything together has to fit into 10 s, the usual time limit of supervisors. The limits below add up to less than
//! that.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sdk::checkpoint::Checkpoint;
use sdk::host::Host;
use sdk::order::to_stop;
use sdk::serenity::all::ShardManager;
use sdk::tokio;
use sdk::tokio::time::{Instant, sleep, timeout};
use sdk::tracing::{info, warn};

/// Time after the first signal in which further ones count as the same.
const ECHO_WITHIN: Duration = Duration::from_millis(300);
/// Longest wait for commands and handlers in progress.
const CALLS_WITHIN: Duration = Duration::from_secs(2);
/// Longest time for one plugin's `stop` hook, and again for its tasks.
const STOP_WITHIN: Duration = Duration::from_millis(1500);
/// Longest time for all plugins together.
const PLUGINS_WITHIN: Duration = Duration::from_secs(4);
/// Longest wait for what the bot remembers, which is written twice.
const SAVED_WITHIN: Duration = Duration::from_millis(600);
/// Longest wait for Discord to confirm that the gateway is closed.
const GATEWAY_WITHIN: Duration = Duration::from_millis(2300);

/// Waits for the first SIGINT or SIGTERM. After that, the next one ends the process at once.
pub(crate) async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        warn!("signals cannot be heard on this machine; the bot runs until it is killed");
        return std::future::pending().await;
    };
    let name = tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    };
    info!(signal = name, "shutting down; a second signal ends at once");
    tokio::spawn(async move {
        // A terminal's Ctrl-C often arrives together with the same signal from a script or supervisor.
        let echo = async {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            }
        };
        let _: Result<(), _> = timeout(ECHO_WITHIN, echo).await;
        // The exit codes with which a shell reports a process ended by the signal.
        let code = tokio::select! {
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
        };
        warn!("second signal, ending at once");
        std::process::exit(code);
    });
}

/// Shuts everything down: no new calls, those in progress finish, plugins stop, the gateway closes.
///
/// State is saved before the plugins stop, because a `stop` hook may exceed the time limit, and again afterwards, when
/// the players have stopped.
pub(crate) async fn shut_down(
    host: &Host,
    shards: Option<&Arc<ShardManager>>,
    checkpoint: Option<&Arc<Checkpoint>>,
) {
    let began = Instant::now();
    host.close();
    finish_calls(host).await;
    save(checkpoint).await;
    if timeout(PLUGINS_WITHIN, stop_plugins(host)).await.is_err() {
        warn!(ms = PLUGINS_WITHIN.as_millis(), "not all plugins have stopped");
    }
    // As late as possible: music plays during the shutdown, and its position is exact from then on.
    host.voice().close().await;
    save(checkpoint).await;
    if let Some(shards) = shards
        && timeout(GATEWAY_WITHIN, shards.shutdown_all()).await.is_err()
    {
        warn!(ms = GATEWAY_WITHIN.as_millis(), "the gateway did not confirm the close");
    }
    info!(ms = began.elapsed().as_millis(), "shut down");
}

/// Saves state, within a time limit.
async fn save(checkpoint: Option<&Arc<Checkpoint>>) {
    if let Some(checkpoint) = checkpoint
        && timeout(SAVED_WITHIN, checkpoint.save()).await.is_err()
    {
        warn!(ms = SAVED_WITHIN.as_millis(), "what the bot remembers is not written yet");
    }
}

/// Waits until no call is in progress in any generation.
async fn finish_calls(host: &Host) {
    let under_way = || -> usize {
        let live = host.registry().snapshot();
        let lingering = host.registry().lingering();
        live.generations().values().chain(&lingering).map(|generation| generation.calls_under_way()).sum()
    };
    let all_done = async {
        while under_way() > 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    if timeout(CALLS_WITHIN, all_done).await.is_err() {
        warn!(calls = under_way(), ms = CALLS_WITHIN.as_millis(), "calls are still under way");
    }
}

/// Stops plugins, first those that no others need.
async fn stop_plugins(host: &Host) {
    let live: Vec<_> = host.registry().snapshot().generations().values().cloned().collect();
    for step in to_stop(live) {
        let outcomes = join_all(step.iter().map(|generation| generation.stop(STOP_WITHIN))).await;
        for (generation, problems) in step.iter().zip(outcomes) {
            for problem in problems {
                warn!(plugin = %generation.plugin(), problem, "plugin did not stop cleanly");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use sdk::generation::Generation;
    use sdk::registry::Change;
    use sdk::serenity::async_trait;
    use sdk::settings::Settings;
    use sdk::{Data, Dependency, Error, Plugin, PluginEntry};

    use super::*;

    static STOPPED: Mutex<Vec<String>> = Mutex::new(Vec::new());

    struct Sample(&'static [&'static str]);

    #[async_trait]
    impl Plugin for Sample {
        fn dependencies(&self) -> Vec<Dependency> {
            self.0.iter().map(|name| Dependency::required(name)).collect()
        }

        async fn stop(&self, data: &Data) -> Result<(), Error> {
            STOPPED.lock().unwrap().push(data.plugin().to_string());
            if data.plugin().short() == "hangs" { std::future::pending().await } else { Ok(()) }
        }
    }

    #[tokio::test]
    async fn plugins_stop_before_what_they_need_and_within_the_time() {
        let entries = [
            PluginEntry::new("commands-base", "1.0.0", "", || Box::new(Sample(&[]))),
            PluginEntry::new("commands-hangs", "1.0.0", "", || Box::new(Sample(&["commands/base"]))),
            PluginEntry::new("events-top", "1.0.0", "", || {
                Box::new(Sample(&["commands/base", "commands/hangs"]))
            }),
        ];
        let host = Host::new("1.0.0", Settings::default());
        let install = entries.iter().map(|entry| Generation::new(entry, 1, &host).unwrap()).collect();
        assert!(host.registry().swap(Change { install, remove: Vec::new() }).is_ok());
        let began = Instant::now();
        shut_down(&host, None, None).await;
        assert_eq!(*STOPPED.lock().unwrap(), ["events/top", "commands/hangs", "commands/base"]);
        assert!(began.elapsed() < Duration::from_secs(10) && host.is_closing());
    }
}
