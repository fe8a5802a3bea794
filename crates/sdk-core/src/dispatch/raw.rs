//! Raw events, given by whatever reads the gateway, to the listeners that plugins have for their names.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::watch;

use super::handler::run;
use super::{Dispatcher, enter};
use crate::PluginId;
use crate::raw::RawEvent;
use crate::routing_table::RoutingTable;

impl Dispatcher {
    /// Returns the names of the raw events that live plugins listen to. They change with the number in
    /// [`raw_changes`](Self::raw_changes).
    pub fn raw_names(&self) -> BTreeSet<String> {
        let snapshot = self.host.registry().snapshot();
        let live = snapshot.generations().values();
        live.flat_map(|generation| generation.subscriptions.raw.iter().map(|listener| listener.key.clone()))
            .collect()
    }

    /// Returns a receiver that changes whenever [`raw_names`](Self::raw_names) may have changed.
    pub fn raw_changes(&self) -> watch::Receiver<u64> {
        self.host.registry().swaps()
    }

    /// Calls the raw listeners of all plugins with an event: `name` is the gateway's `t`, `json` its `d`. It does not
    /// matter whether serenity can read the event. Spawn it, so that no event waits for a listener.
    ///
    /// Before the first session nobody is called, since listeners get a context.
    pub async fn raw(&self, name: &str, shard: u32, json: &str) {
        let snapshot = self.host.registry().snapshot();
        let hears = |one: &crate::generation::Generation| {
            one.subscriptions.raw.iter().any(|listener| listener.key == name)
        };
        let live = snapshot.generations().values();
        let plugins: Vec<_> = live.filter(|one| hears(one)).map(|one| one.plugin().clone()).collect();
        if plugins.is_empty() || self.host.is_closing() {
            return;
        }
        let Some(ctx) = self.host.serenity_context() else {
            tracing::debug!(name, "a raw event came before the first session");
            return;
        };
        let event = RawEvent::new(name, shard, json);
        join_all(plugins.iter().map(|plugin| self.raw_of(plugin, &ctx, &snapshot, &event))).await;
    }

    /// Calls one plugin's listeners with a raw event, all of them in one generation.
    async fn raw_of(
        &self,
        plugin: &PluginId,
        ctx: &serenity::all::Context,
        snapshot: &Arc<RoutingTable>,
        event: &RawEvent,
    ) {
        let what = format!("raw {}", event.name());
        let find = |live: &RoutingTable| live.generations().get(plugin).cloned().map(|found| (found, ()));
        let Some((generation, (), call)) = enter(&self.host, snapshot, &what, find).await else { return };
        if generation.is_off(event.guild_id(), None) {
            return;
        }
        let all = generation.subscriptions.raw.iter().filter(|listener| listener.key == event.name());
        let heard =
            all.map(|listener| run(ctx, &generation, &what, |ctx| (listener.handler)(ctx, event.clone())));
        call.run(join_all(heard)).await;
    }
}
