//! From a gateway event to the code that handles it.
//!
//! # Theory of operation
//!
//! serenity calls [`Dispatcher::dispatch`] once for each event, in a task of its own. The event loads the live
//! [`Snapshot`] once and finishes on it: commands and autocomplete go through poise to the one generation that
//! defines them, components and modals to the closest custom-id prefix, and every listener of the event's kind
//! hears it. A swap in between changes nothing for this event. A panic is contained in the handler it came from.

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join, join_all};
use poise::{FrameworkContext, FrameworkError, FrameworkOptions, PrefixFrameworkOptions};
use serenity::all::{
    AutocompleteChoice, CommandInteraction, CreateAutocompleteResponse, CreateInteractionResponse,
    CreateInteractionResponseMessage, FullEvent, Interaction, Message, UserId,
};
use serenity::async_trait;
use tokio::sync::broadcast::error::RecvError;

use crate::bus::ReloadEvent;
use crate::definition::{CommandKey, CommandKind};
use crate::generation::Generation;
use crate::host::Host;
use crate::scheduler::Timer;
use crate::settings::{Environment, Settings};
use crate::snapshot::{Place, Snapshot};
use crate::subscriptions::{Keyed, Outcome};
use crate::{Command, Data, Error, EventContext, EventKind, text};

/// serenity's framework for this bot.
pub struct Dispatcher {
    host: Host,
}

impl Dispatcher {
    /// Makes a dispatcher that reads the host's live snapshot.
    pub fn new(host: Host) -> Self {
        Self { host }
    }

    async fn command(&self, ctx: &serenity::all::Context, snapshot: &Snapshot, event: FullEvent) {
        let owner = match &event {
            FullEvent::InteractionCreate {
                interaction: Interaction::Command(command) | Interaction::Autocomplete(command),
            } => {
                let owner = command_key(command).and_then(|key| snapshot.command(&key));
                if owner.is_none() {
                    answer_unknown(ctx, command).await;
                }
                owner
            }
            FullEvent::Message { new_message } => prefix_word(ctx, &self.host.settings(), new_message)
                .and_then(|word| snapshot.prefix_command(&word)),
            _ => None,
        };
        let (Some(generation), Some(shard_manager)) = (owner, self.host.shards()) else { return };
        let _call = generation.call();
        let options = generation.options();
        let framework = FrameworkContext {
            serenity_context: ctx,
            options: &options,
            user_data: &generation.data,
            shard_manager,
        };
        // Boxed, so that the many events that are no command do not carry the 20 KB of poise's future.
        let what = match &event {
            FullEvent::InteractionCreate {
                interaction: Interaction::Command(command) | Interaction::Autocomplete(command),
            } => format!("/{}", command.data.name),
            _ => "a text command".to_owned(),
        };
        let flight = self.host.flight(generation.plugin(), generation.number(), format_args!("{what}"));
        let dispatched = Box::pin(flight.follow(poise::dispatch_event(framework, event)));
        // poise contains panics of the command itself; this contains those of checks and converters.
        if let Err(panic) = AssertUnwindSafe(dispatched).catch_unwind().await {
            tracing::error!(
                plugin = %generation.plugin(), generation = generation.number(), panic = panic_text(&*panic),
                "a command panicked outside its body"
            );
        }
    }

    async fn interaction(
        &self,
        ctx: &serenity::all::Context,
        snapshot: &Snapshot,
        interaction: &Interaction,
    ) {
        match interaction {
            Interaction::Component(component) => {
                if let Some(place) = snapshot.component(&component.data.custom_id) {
                    let what = format!("component {}", component.data.custom_id);
                    let failed =
                        handle(ctx, place, |g| &g.subscriptions.components, component.clone(), &what).await;
                    if let Some(words) = failed {
                        let _ = component.create_response(ctx, ephemeral(words)).await;
                    }
                }
            }
            Interaction::Modal(modal) => {
                if let Some(place) = snapshot.modal(&modal.data.custom_id) {
                    let what = format!("modal {}", modal.data.custom_id);
                    let failed = handle(ctx, place, |g| &g.subscriptions.modals, modal.clone(), &what).await;
                    if let Some(words) = failed {
                        let _ = modal.create_response(ctx, ephemeral(words)).await;
                    }
                }
            }
            _ => {}
        }
    }
}

#[async_trait]
impl serenity::framework::Framework for Dispatcher {
    async fn init(&mut self, client: &serenity::Client) {
        self.host.set_shards(client.shard_manager.clone());
    }

    async fn dispatch(&self, ctx: serenity::all::Context, event: FullEvent) {
        if self.host.is_closing() {
            answer_while_closing(&ctx, &event).await;
            return;
        }
        let snapshot = self.host.registry().snapshot();
        if let FullEvent::Ready { .. } = event {
            self.host.set_serenity_context(ctx.clone());
        }
        let Some(kind) = EventKind::of(&event) else { return };
        let listeners = snapshot.listeners(kind);
        if let FullEvent::InteractionCreate { interaction } = &event {
            self.interaction(&ctx, &snapshot, interaction).await;
        }
        if listeners.is_empty() {
            self.command(&ctx, &snapshot, event).await;
            return;
        }
        let event = Arc::new(event);
        let heard = join_all(listeners.iter().map(|(generation, index)| {
            let listener = &generation.subscriptions.listeners[*index];
            run(&ctx, generation, listener.name, |ctx| (listener.handler)(ctx, event.clone()))
        }));
        join(heard, self.command(&ctx, &snapshot, FullEvent::clone(&event))).await;
    }
}

/// Runs the host's timers until the future is dropped.
pub async fn run_timers(host: Host) {
    let live = host.clone();
    let mut swaps = host.registry().swaps();
    loop {
        let ready = |plugin: &crate::PluginId, name: &str| {
            live.serenity_context().is_some() && live.registry().snapshot().timer(plugin, name).is_some()
        };
        tokio::select! {
            timer = host.scheduler().next(ready) => fire(&host, timer),
            changed = swaps.changed() => if changed.is_ok() { host.scheduler().wake() },
        }
    }
}

/// Hands what happens to plugins to those that listen to it, until the future is dropped.
pub async fn run_reload_handlers(host: Host) {
    let mut heard = host.bus().listen();
    loop {
        match heard.recv().await {
            Ok(stamped) => hand_out(&host, &stamped.event),
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "handlers of reload events were too slow")
            }
            Err(RecvError::Closed) => return,
        }
    }
}

fn hand_out(host: &Host, event: &ReloadEvent) {
    let Some(ctx) = host.serenity_context().filter(|_| !host.is_closing()) else { return };
    for generation in host.registry().snapshot().generations().values() {
        for index in 0..generation.subscriptions.reloads.len() {
            // As with timers: a call of the generation, that runs to its end when it is replaced.
            let (ctx, generation, event) = (ctx.clone(), generation.clone(), event.clone());
            let call = generation.call();
            tokio::spawn(async move {
                let _call = call;
                let listener = &generation.subscriptions.reloads[index];
                run(&ctx, &generation, listener.name, |ctx| (listener.handler)(ctx, event)).await;
            });
        }
    }
}

fn fire(host: &Host, timer: Timer) {
    let (Some(ctx), Some((generation, index))) =
        (host.serenity_context(), host.registry().snapshot().timer(&timer.plugin, &timer.name))
    else {
        return;
    };
    // Not one of the generation's own tasks, which end with it: a timer that has gone off is out of the scheduler, so
    // its handler is a call, and runs to its end.
    let call = generation.call();
    tokio::spawn(async move {
        let _call = call;
        let what = format!("timer {}", timer.name);
        let handler = &generation.subscriptions.timers[index];
        run(&ctx, &generation, &what, |ctx| (handler.handler)(ctx, timer)).await;
    });
}

/// Runs a component or modal handler and gives the words to tell the user when it failed.
async fn handle<T>(
    ctx: &serenity::all::Context,
    (generation, index): &Place,
    table: impl Fn(&Generation) -> &Vec<Keyed<T>>,
    value: T,
    what: &str,
) -> Option<String> {
    let handler = &table(generation)[*index];
    run(ctx, generation, what, |ctx| (handler.handler)(ctx, value)).await
}

/// Runs a handler as a call of its generation; a failure is logged and told in words fit for the user.
async fn run(
    ctx: &serenity::all::Context,
    generation: &Arc<Generation>,
    what: &str,
    handler: impl FnOnce(EventContext) -> Outcome,
) -> Option<String> {
    let _call = generation.call();
    let (plugin, number) = (generation.plugin(), generation.number());
    let context = EventContext::new(ctx.clone(), generation.data.clone());
    let flight = generation.data.host().flight(plugin, number, format_args!("{what}"));
    match AssertUnwindSafe(flight.follow(async { handler(context).await })).catch_unwind().await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => {
            tracing::error!(%plugin, generation = number, what, %error, "a handler failed");
            Some(user_words(&error))
        }
        Err(panic) => {
            let panic = panic_text(&*panic);
            tracing::error!(%plugin, generation = number, what, panic, "a handler panicked");
            Some(INTERNAL.to_owned())
        }
    }
}

const INTERNAL: &str = "Something went wrong here. It has been logged.";

/// Gives what a user may read of an error: its own words, unless they are those of a request that failed.
fn user_words(error: &Error) -> String {
    if error.is::<serenity::Error>() { INTERNAL.to_owned() } else { error.to_string() }
}

fn ephemeral(words: String) -> CreateInteractionResponse {
    CreateInteractionResponse::Message(
        CreateInteractionResponseMessage::new().content(text::cut(words, text::MESSAGE)).ephemeral(true),
    )
}

fn command_key(command: &CommandInteraction) -> Option<CommandKey> {
    let kind = CommandKind::from_number(Some(u8::from(command.data.kind).into()))?;
    Some(CommandKey { kind, name: command.data.name.clone() })
}

/// Answers a command that no plugin defines, so that the user is not left waiting.
async fn answer_unknown(ctx: &serenity::all::Context, command: &CommandInteraction) {
    tracing::warn!(command = command.data.name, "no live plugin defines this command");
    let is_autocomplete = command.data.autocomplete().is_some();
    let response = if is_autocomplete {
        CreateInteractionResponse::Autocomplete(
            CreateAutocompleteResponse::new().set_choices(Vec::<AutocompleteChoice>::new()),
        )
    } else {
        ephemeral(format!("/{} is not part of this bot any more.", command.data.name))
    };
    if let Err(error) = command.create_response(ctx, response).await {
        tracing::warn!(command = command.data.name, %error, "could not answer");
    }
}

/// Tells users who come in the last moments that the bot is about to end.
async fn answer_while_closing(ctx: &serenity::all::Context, event: &FullEvent) {
    let words = || ephemeral("The bot is restarting. Please try again in a moment.".to_owned());
    let answered = match event {
        FullEvent::InteractionCreate { interaction: Interaction::Command(command) } => {
            command.create_response(ctx, words()).await
        }
        FullEvent::InteractionCreate { interaction: Interaction::Component(component) } => {
            component.create_response(ctx, words()).await
        }
        FullEvent::InteractionCreate { interaction: Interaction::Modal(modal) } => {
            modal.create_response(ctx, words()).await
        }
        _ => Ok(()),
    };
    if let Err(error) = answered {
        tracing::debug!(%error, "could not answer while closing");
    }
}

/// Gives the lower-cased first word after the prefix or a mention of the bot, if the message begins so.
fn prefix_word(ctx: &serenity::all::Context, settings: &Settings, message: &Message) -> Option<String> {
    if message.author.bot {
        return None;
    }
    let content = message.content.trim_start();
    let by_prefix = settings.prefix.as_deref().and_then(|prefix| content.strip_prefix(prefix));
    let rest = by_prefix.or_else(|| {
        let bot = ctx.cache.current_user().id;
        content.strip_prefix(&format!("<@{bot}>")).or_else(|| content.strip_prefix(&format!("<@!{bot}>")))
    })?;
    rest.split_whitespace().next().map(str::to_lowercase)
}

/// Makes poise's options for one generation.
pub(crate) fn framework_options(
    mut commands: Vec<Command>,
    owners: &BTreeSet<UserId>,
) -> FrameworkOptions<Data, Error> {
    poise::set_qualified_names(&mut commands);
    FrameworkOptions {
        commands,
        on_error,
        owners: owners.iter().copied().collect(),
        initialize_owners: false,
        prefix_options: PrefixFrameworkOptions {
            dynamic_prefix: Some(|ctx| {
                Box::pin(async move { Ok(ctx.framework.user_data.settings().prefix.clone().map(Cow::Owned)) })
            }),
            mention_as_prefix: true,
            ..Default::default()
        },
        ..Default::default()
    }
}

/// Tells the user of a failed command in one sentence, and the log in full.
fn on_error(error: FrameworkError<'_, Data, Error>) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        let (ctx, words) = match error {
            FrameworkError::Command { ctx, error, .. } => {
                let data = ctx.data();
                let (plugin, generation) = (data.plugin(), data.generation());
                tracing::error!(%plugin, generation, command = ctx.command().qualified_name.as_ref(), %error, "a command failed");
                (ctx, user_words(&error))
            }
            FrameworkError::CommandPanic { ctx, payload, .. } => {
                let data = ctx.data();
                let (plugin, generation) = (data.plugin(), data.generation());
                let panic = payload.unwrap_or_default();
                tracing::error!(%plugin, generation, command = ctx.command().qualified_name.as_ref(), panic, "a command panicked");
                let words = match data.settings().environment {
                    Environment::Production => INTERNAL.to_owned(),
                    Environment::Development | Environment::Testing => {
                        format!("/{} panicked: {panic}", ctx.command().qualified_name)
                    }
                };
                (ctx, words)
            }
            FrameworkError::NotAnOwner { ctx, .. } => {
                (ctx, "Only the bot's owners can use this command.".to_owned())
            }
            FrameworkError::UnknownCommand { .. } => return,
            other => {
                if let Err(error) = poise::builtins::on_error(other).await {
                    tracing::warn!(%error, "could not tell the user of an error");
                }
                return;
            }
        };
        let reply = poise::CreateReply::default().content(text::cut(words, text::MESSAGE)).ephemeral(true);
        if let Err(error) = ctx.send(reply).await {
            tracing::warn!(%error, "could not tell the user of an error");
        }
    })
}

/// Gives the text of a panic's payload.
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no text)")
}
