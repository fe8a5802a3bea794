//! poise's `event_handler` of each plugin that has one, besides its listeners.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use poise::{FrameworkContext, FrameworkError, PrefixFrameworkOptions};
use serenity::all::{Context, FullEvent, GuildId};

use super::{Dispatcher, enter};
use crate::failure::panicked;
use crate::generation::Generation;
use crate::panics::panic_text;
use crate::routing_table::RoutingTable;
use crate::{Data, Error, EventKind, FrameworkOptions};

impl Dispatcher {
    /// Calls each plugin's event handler with an event, each through its own gate.
    pub(super) async fn event_handlers(
        &self,
        ctx: &Context,
        snapshot: &Arc<RoutingTable>,
        guild: Option<GuildId>,
        kind: EventKind,
        event: &FullEvent,
    ) {
        let on = snapshot.event_handlers().iter().filter(|generation| !generation.is_off(guild, None));
        join_all(on.map(|generation| {
            let plugin = generation.plugin();
            async move {
                let find = |live: &RoutingTable| {
                    let found = live.generations().get(plugin).filter(|found| found.handles_events());
                    found.cloned().map(|found| (found, ()))
                };
                let what = format!("event_handler of {}", kind.name());
                let Some((generation, (), call)) = enter(&self.host, snapshot, &what, find).await else {
                    return;
                };
                let handled = self.event_handler(ctx, &generation, event);
                if let Err(panic) = AssertUnwindSafe(call.run(handled)).catch_unwind().await {
                    panicked(&generation.data, &what, panic_text(&*panic));
                }
            }
        }))
        .await;
    }

    async fn event_handler(&self, ctx: &Context, generation: &Generation, event: &FullEvent) {
        let Some(shard_manager) = self.host.shards() else { return };
        let options = generation.options();
        let own_context = generation.own_context(ctx);
        let framework = FrameworkContext {
            serenity_context: &own_context,
            options: &options,
            user_data: &generation.data,
            shard_manager,
        };
        if let Err(error) = (options.event_handler)(framework, event).await {
            fail(framework, options.clone(), event, error).await;
        }
    }
}

tokio::task_local! {
    /// The error of an event handler, and the options whose `on_error` is to handle it.
    static FAILED: RefCell<Option<(Arc<FrameworkOptions>, Error)>>;
}

/// Passes the error of an event handler to the plugin's `on_error`.
///
/// Only poise can create a [`FrameworkError::EventHandler`]. So poise is called with options whose event handler only
/// fails, and the error that it creates is corrected before it is passed on.
async fn fail(
    framework: FrameworkContext<'_, Data, Error>,
    options: Arc<FrameworkOptions>,
    event: &FullEvent,
    error: Error,
) {
    let failing = FrameworkOptions {
        event_handler: |_, _| Box::pin(std::future::ready(Err("an event handler failed".into()))),
        on_error: pass_on,
        prefix_options: PrefixFrameworkOptions {
            mention_as_prefix: false,
            ..PrefixFrameworkOptions::default()
        },
        ..FrameworkOptions::default()
    };
    let framework = FrameworkContext { options: &failing, ..framework };
    let dispatched = poise::dispatch_event(framework, event.clone());
    FAILED.scope(RefCell::new(Some((options, error))), Box::pin(dispatched)).await;
}

fn pass_on(error: FrameworkError<'_, Data, Error>) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        let mut failed = error;
        // Without commands, an interaction is also reported as unknown.
        let FrameworkError::EventHandler { error, framework, .. } = &mut failed else { return };
        let Some((options, real)) = FAILED.with(RefCell::take) else { return };
        *error = real;
        *framework = FrameworkContext { options: &options, ..*framework };
        (options.on_error)(failed).await;
    })
}
