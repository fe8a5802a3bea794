//! Dispatch of gateway events to the code that handles them.
//!
//! # Theory of operation
//!
//! serenity calls `Dispatcher::dispatch` once for each event, in a task of its own. The event loads the live
//! [`RoutingTable`]. Commands and autocompletion go through poise to the generation that defines the command, text commands
//! to the plugin that has the command, components and modals to the longest matching custom-id prefix, and every
//! listener of the event's kind and every plugin's `event_handler` receives it.
//!
//! Each handler enters its generation through that generation's gate independently, so that the event of one plugin
//! never waits for another plugin. The gate holds the event while the plugin's state is transferred, and redirects it
//! if the generation has been replaced meanwhile: the handler is then looked up in the newest snapshot. So an event is
//! handled by the old code or by the new, never by both and never by neither.
//!
//! What a server has switched off is decided first, from memory: its calls are answered with one sentence, and its
//! listeners do not get the events of that server.
//!
//! A panic is contained in its handler. A press or a modal without a registered handler is answered by `unhandled`,
//! after everything else has had the chance to answer it.

use std::sync::Arc;

use futures_util::future::{join_all, join3};
use serenity::all::{FullEvent, GuildId};
use serenity::async_trait;

use crate::gate::{Call, Replaced};
use crate::generation::Generation;
use crate::host::Host;
use crate::observer::Unhandled;
use crate::routing_table::RoutingTable;
use crate::{EventKind, PluginId};

mod call_timer;
mod command;
mod events;
mod gateway;
mod handler;
mod interaction;
mod message;
mod raw;
mod reloads;
mod reply_target;
mod switch;
mod timers;
mod unhandled;
mod voice;

pub use gateway::Gateway;
pub use reloads::run_reload_handlers;
pub use timers::run_timers;
pub use voice::run_voice_handlers;

use handler::run;
use interaction::answer_while_closing;

/// serenity's framework for this bot.
pub struct Dispatcher {
    host: Host,
}

impl Dispatcher {
    /// Creates a dispatcher that reads the host's live snapshot.
    pub fn new(host: Host) -> Self {
        Self { host }
    }

    fn report_unhandled(&self, why: Unhandled) {
        if let Some(observer) = self.host.observer() {
            observer.unhandled(why);
        }
    }

    /// Calls the listeners of all plugins with an event.
    async fn listeners(
        &self,
        ctx: &serenity::all::Context,
        snapshot: &Arc<RoutingTable>,
        guild: Option<GuildId>,
        kind: EventKind,
        event: &Arc<FullEvent>,
    ) {
        let listening = snapshot.listeners(kind).iter().map(|(generation, _)| generation);
        let on = listening.filter(|generation| !generation.is_off(guild, None));
        let mut plugins: Vec<&PluginId> = on.map(|generation| generation.plugin()).collect();
        plugins.dedup();
        join_all(plugins.into_iter().map(|plugin| self.listeners_of(plugin, ctx, snapshot, kind, event)))
            .await;
    }

    /// Calls one plugin's listeners with an event, all of them in one generation.
    async fn listeners_of(
        &self,
        plugin: &PluginId,
        ctx: &serenity::all::Context,
        snapshot: &Arc<RoutingTable>,
        kind: EventKind,
        event: &Arc<FullEvent>,
    ) {
        let find =
            |snapshot: &RoutingTable| snapshot.generations().get(plugin).cloned().map(|found| (found, ()));
        let Some((generation, (), call)) = enter(&self.host, snapshot, kind.name(), find).await else {
            return;
        };
        let listeners = generation.subscriptions.listeners.iter().filter(|listener| listener.kind == kind);
        let heard = listeners.map(|listener| {
            run(ctx, &generation, listener.name, |ctx| (listener.handler)(ctx, event.clone()))
        });
        call.run(join_all(heard)).await;
    }
}

/// Begins a call in the generation that `find` returns, and follows it to newer snapshots. Returns `None` if the newest
/// snapshot has no such generation.
async fn enter<T>(
    host: &Host,
    snapshot: &Arc<RoutingTable>,
    what: &str,
    find: impl Fn(&RoutingTable) -> Option<(Arc<Generation>, T)>,
) -> Option<(Arc<Generation>, T, Call)> {
    let mut snapshot = snapshot.clone();
    loop {
        let (generation, place) = find(&snapshot)?;
        match generation.enter(what).await {
            Ok(call) => return Some((generation, place, call.keep(snapshot))),
            // A swap stores the new snapshot before it redirects calls.
            Err(Replaced) => snapshot = host.registry().snapshot(),
        }
    }
}

#[async_trait]
impl serenity::framework::Framework for Dispatcher {
    async fn init(&mut self, client: &serenity::Client) {
        self.host.set_shards(client.shard_manager.clone());
        self.host.cache_keeper().set_cache(client.cache.clone());
    }

    async fn dispatch(&self, ctx: serenity::all::Context, mut event: FullEvent) {
        self.host.cache_keeper().complete(&mut event);
        if !self.host.handles_shard(ctx.shard_id.0) {
            // Another process handles the shard's events, and its session here is about to be closed.
            return;
        }
        let kind = EventKind::of(&event);
        if let (Some(observer), Some(kind)) = (self.host.observer(), kind) {
            observer.event(kind);
        }
        match &event {
            FullEvent::GuildCreate { guild, .. } => {
                // Events are handled concurrently, so this one may overtake `READY`.
                self.host.voice().set_context(&ctx);
                self.host.voice().guild_came(guild.id);
            }
            // An unavailable guild comes back by itself.
            FullEvent::GuildDelete { incomplete, .. } if !incomplete.unavailable => {
                self.host.voice().guild_gone(incomplete.id);
            }
            FullEvent::VoiceStateUpdate { new, .. } => {
                new.guild_id.into_iter().for_each(|guild| self.host.voice().listeners_changed(guild));
            }
            _ => {}
        }
        if self.host.is_closing() {
            if answer_while_closing(&ctx, &event).await {
                self.report_unhandled(Unhandled::Closing);
            }
            return;
        }
        let snapshot = self.host.registry().snapshot();
        if let FullEvent::Ready { .. } = event {
            self.host.cache_keeper().session_has_begun(ctx.shard_id, &ctx.shard);
            self.host.set_serenity_context(ctx.clone());
        }
        let Some(kind) = kind else { return };
        let event = Arc::new(event);
        let own = async {
            if !self.interaction(&ctx, &snapshot, &event).await
                && !self.command(&ctx, &snapshot, &event).await
            {
                self.message(&ctx, &snapshot, &event).await;
            }
        };
        let guild = switch::guild(&ctx, &event);
        let listeners = self.listeners(&ctx, &snapshot, guild, kind, &event);
        join3(listeners, self.event_handlers(&ctx, &snapshot, guild, kind, &event), own).await;
    }
}
