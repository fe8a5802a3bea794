//! Timers that have fired.

use super::enter;
use super::handler::{Failed, log_failure, outcome};
use crate::host::Host;
use crate::routing_table::RoutingTable;
use crate::scheduler::{Due, Timer};
use crate::state::StateMoved;

/// Runs the host's timers until the future is dropped.
pub async fn run_timers(host: Host) {
    let live = host.clone();
    let mut swaps = host.registry().swaps();
    loop {
        let ready = |plugin: &crate::PluginId, name: &str| {
            live.serenity_context().is_some() && live.registry().snapshot().timer(plugin, name).is_some()
        };
        tokio::select! {
            due = host.scheduler().next(ready) => fire(&host, due),
            changed = swaps.changed() => if changed.is_ok() { host.scheduler().wake() },
        }
    }
}

/// Handles a due timer, in a task that does not belong to the generation: those end with it, and a due timer is no longer
/// among the scheduler's.
fn fire(host: &Host, due: Due) {
    let host = host.clone();
    tokio::spawn(async move {
        let Some(timer) = due.claimed().await else { return };
        match handle(&host, &timer).await {
            Handled::Once => _ = host.scheduler().finish(timer),
            Handled::Not => host.scheduler().requeue(timer),
        }
    });
}

/// What has become of a timer.
enum Handled {
    /// Its handler has run.
    Once,
    /// It has to run again.
    Not,
}

async fn handle(host: &Host, timer: &Timer) -> Handled {
    let what = format!("timer {}", timer.name);
    let find = |snapshot: &RoutingTable| snapshot.timer(&timer.plugin, &timer.name);
    let place = enter(host, &host.registry().snapshot(), &what, find).await;
    let (Some(ctx), Some((generation, index, call))) = (host.serenity_context(), place) else {
        // Its plugin has been removed meanwhile; the timer waits for its return.
        return Handled::Not;
    };
    let handler = &generation.subscriptions.timers[index];
    let handled =
        call.run(outcome(&ctx, &generation, &what, |ctx| (handler.handler)(ctx, timer.clone()))).await;
    if let Err(Failed::Error(error)) = &handled
        && error.is::<StateMoved>()
    {
        tracing::info!(plugin = %timer.plugin, what, "goes off again: the state moved on while it ran");
        return Handled::Not;
    }
    log_failure(&generation, &what, handled);
    Handled::Once
}
