//! Reload events, for the plugins that listen to them.

use futures_util::future::join_all;
use tokio::sync::broadcast::error::RecvError;

use super::enter;
use super::handler::run;
use crate::bus::ReloadEvent;
use crate::host::Host;
use crate::routing_table::RoutingTable;

/// Passes reload events to the plugins that listen to them, until the future is dropped.
pub async fn run_reload_handlers(host: Host) {
    let mut heard = host.bus().listen();
    loop {
        match heard.recv().await {
            Ok(stamped) => hand_out(&host, &stamped.event),
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "handlers of reload events were too slow");
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// Calls the reload listeners of each plugin with an event. As with timers, this runs in tasks that do not belong to a
/// generation.
fn hand_out(host: &Host, event: &ReloadEvent) {
    let Some(ctx) = host.serenity_context().filter(|_| !host.is_closing()) else { return };
    let snapshot = host.registry().snapshot();
    for generation in snapshot.generations().values() {
        if generation.subscriptions.reloads.is_empty() {
            continue;
        }
        let (host, snapshot, plugin) = (host.clone(), snapshot.clone(), generation.plugin().clone());
        let (ctx, event) = (ctx.clone(), event.clone());
        // As with timers: a call of the generation, which runs to its end if the generation is replaced.
        tokio::spawn(async move {
            let find =
                |snapshot: &RoutingTable| snapshot.generations().get(&plugin).cloned().map(|g| (g, ()));
            let Some((generation, (), call)) = enter(&host, &snapshot, "reload event", find).await else {
                return;
            };
            let handlers = generation.subscriptions.reloads.iter();
            let heard = handlers.map(|listener| {
                run(&ctx, &generation, listener.name, |ctx| (listener.handler)(ctx, event.clone()))
            });
            call.run(join_all(heard)).await;
        });
    }
}
