//! Voice events, for the plugins that listen to them.

use std::collections::HashMap;

use futures_util::future::join_all;
use serenity::all::GuildId;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::enter;
use super::handler::run;
use crate::PluginId;
use crate::host::Host;
use crate::routing_table::RoutingTable;
use crate::voice::{VoiceEvent, VoiceEventKind};

/// Passes voice events to the plugins that listen to them, until the future is dropped.
///
/// Each plugin receives a guild's events one after the other, in the generation that is live then. No plugin and no
/// guild waits for another.
pub async fn run_voice_handlers(host: Host) {
    let mut heard = host.voice().listen();
    let mut lines = HashMap::<(PluginId, GuildId), UnboundedSender<VoiceEvent>>::new();
    let mut work = JoinSet::new();
    loop {
        let event = match heard.recv().await {
            Ok(event) => event,
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "handlers of voice events were too slow");
                continue;
            }
            Err(RecvError::Closed) => return,
        };
        let snapshot = host.registry().snapshot();
        for (plugin, generation) in snapshot.generations() {
            if generation.subscriptions.voice.is_empty() || generation.is_off(Some(event.guild), None) {
                continue;
            }
            let line = lines.entry((plugin.clone(), event.guild)).or_insert_with(|| {
                let (line, waiting) = unbounded_channel();
                work.spawn(hand_out(host.clone(), plugin.clone(), waiting));
                line
            });
            // The receiver is in `work`, which outlives the loop.
            let _ = line.send(event.clone());
        }
        if matches!(event.kind, VoiceEventKind::GuildGone) {
            lines.retain(|(_, guild), _| *guild != event.guild);
            while work.try_join_next().is_some() {}
        }
    }
}

/// Passes one guild's events to one plugin.
async fn hand_out(host: Host, plugin: PluginId, mut waiting: UnboundedReceiver<VoiceEvent>) {
    while let Some(event) = waiting.recv().await {
        let Some(ctx) = host.serenity_context().filter(|_| !host.is_closing()) else { continue };
        let find = |live: &RoutingTable| live.generations().get(&plugin).cloned().map(|found| (found, ()));
        let place = enter(&host, &host.registry().snapshot(), "voice event", find).await;
        let Some((generation, (), call)) = place else { continue };
        let handlers = generation.subscriptions.voice.iter();
        let heard = handlers.map(|listener| {
            run(&ctx, &generation, listener.name, |ctx| (listener.handler)(ctx, event.clone()))
        });
        call.run(join_all(heard)).await;
    }
}
