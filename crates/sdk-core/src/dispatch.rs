//! From a gateway event to the code that handles it.
//!
//! # Theory of operation
//!
//! serenity calls `Dispatcher::dispatch` once for each event, in a task of its own. The event loads the live
//! [`Snapshot`]: commands and autocomplete go through poise to the one generation that defines them, components and
//! modals to the closest custom-id prefix, and every listener of the event's kind hears it. Each enters its generation
//! through that one's gate, by itself, so that one plugin's event never waits for another plugin. The gate holds it back
//! while the plugin's state crosses, and sends it on when the generation has been replaced meanwhile: then it looks up in
//! the newest snapshot who is there for it now. So an event is handled by the old code or by the new, never by both and
//! never by neither. A panic is contained in the handler it came from.

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
    CreateInteractionResponseMessage, FullEvent, Interaction, Message, ResolvedOption, ResolvedValue, UserId,
};
use serenity::async_trait;
use tokio::sync::broadcast::error::RecvError;

use crate::asker::Asker;
use crate::bus::ReloadEvent;
use crate::collectors::Awaited;
use crate::definition::{CommandKey, CommandKind};
use crate::gate::{Call, Moved};
use crate::generation::Generation;
use crate::host::Host;
use crate::panics::Panic;
use crate::scheduler::Timer;
use crate::settings::{Environment, Settings};
use crate::snapshot::{Place, Snapshot};
use crate::state::StateMoved;
use crate::subscriptions::{Keyed, Outcome};
use crate::{Command, Data, Error, EventContext, EventKind, PluginId, Subscriptions, text};

mod voice;

pub use voice::run_voice_handlers;

/// serenity's framework for this bot.
pub struct Dispatcher {
    host: Host,
}

impl Dispatcher {
    /// Makes a dispatcher that reads the host's live snapshot.
    pub fn new(host: Host) -> Self {
        Self { host }
    }

    async fn command(&self, ctx: &serenity::all::Context, snapshot: &Arc<Snapshot>, event: FullEvent) {
        enum Called {
            Command(CommandKey),
            Word(String),
        }
        let called = match &event {
            FullEvent::InteractionCreate {
                interaction: Interaction::Command(command) | Interaction::Autocomplete(command),
            } => command_key(command).map(Called::Command),
            FullEvent::Message { new_message } => {
                prefix_word(ctx, &self.host.settings(), new_message).map(Called::Word)
            }
            _ => None,
        };
        let (Some(called), Some(shard_manager)) = (called, self.host.shards()) else { return };
        let find = |snapshot: &Snapshot| match &called {
            Called::Command(key) => snapshot.command(key).map(|owner| (owner.clone(), ())),
            Called::Word(word) => snapshot.prefix_command(word).map(|owner| (owner.clone(), ())),
        };
        let what = match &event {
            FullEvent::InteractionCreate { interaction: Interaction::Command(command) } => typed(command),
            FullEvent::InteractionCreate { interaction: Interaction::Autocomplete(command) } => {
                format!("autocomplete of {}", typed(command))
            }
            _ => match &called {
                Called::Command(key) => key.to_string(),
                Called::Word(word) => format!("text command {word}"),
            },
        };
        let Some((generation, (), call)) = enter(&self.host, snapshot, &what, find).await else {
            if let FullEvent::InteractionCreate {
                interaction: Interaction::Command(command) | Interaction::Autocomplete(command),
            } = &event
            {
                answer_unknown(ctx, command).await;
            }
            return;
        };
        let options = generation.options();
        let framework = FrameworkContext {
            serenity_context: ctx,
            options: &options,
            user_data: &generation.data,
            shard_manager,
        };
        let asker = Asker::of(&event);
        // Boxed, so that the many events that are no command do not carry the 20 KB of poise's future.
        let dispatched = Box::pin(poise::dispatch_event(framework, event));
        // poise contains panics of the command itself; this contains those of checks and converters.
        if let Err(panic) = AssertUnwindSafe(call.run(dispatched)).catch_unwind().await {
            let panic = panicked(&generation.data, &what, panic_text(&*panic));
            if let Some(asker) = asker {
                asker.tell(ctx, panic_words(&generation.data, &panic)).await;
            }
        }
    }

    /// Has a press, a choice or a modal handled; says whether the event is one.
    async fn interaction(
        &self,
        ctx: &serenity::all::Context,
        snapshot: &Arc<Snapshot>,
        event: &FullEvent,
    ) -> bool {
        let FullEvent::InteractionCreate { interaction } = event else { return false };
        let answered = match interaction {
            Interaction::Component(component) => {
                let id = &component.data.custom_id;
                if self.awaited(snapshot, &format!("component {id}"), component).await {
                    return true;
                }
                let (what, find) = (format!("component {id}"), |live: &Snapshot| live.component(id).cloned());
                match self.keyed(ctx, snapshot, &what, find, |on| &on.components, component).await {
                    Some(words) => component.create_response(ctx, ephemeral(words)).await,
                    None => Ok(()),
                }
            }
            Interaction::Modal(modal) => {
                let id = &modal.data.custom_id;
                if self.awaited(snapshot, &format!("modal {id}"), modal).await {
                    return true;
                }
                let (what, find) = (format!("modal {id}"), |live: &Snapshot| live.modal(id).cloned());
                match self.keyed(ctx, snapshot, &what, find, |on| &on.modals, modal).await {
                    Some(words) => modal.create_response(ctx, ephemeral(words)).await,
                    None => Ok(()),
                }
            }
            _ => return false,
        };
        if let Err(error) = answered {
            tracing::debug!(%error, "the user of a handler that failed could not be told");
        }
        true
    }

    /// Hands an interaction to the call that waits for it, and says whether there is one.
    async fn awaited<T: Awaited>(&self, snapshot: &Arc<Snapshot>, what: &str, interaction: &T) -> bool {
        let find = |live: &Snapshot| {
            let mut all = live.generations().values();
            all.find(|generation| generation.data.collectors().wants(interaction))
                .map(|found| (found.clone(), ()))
        };
        let Some((generation, (), _call)) = enter(&self.host, snapshot, what, find).await else {
            return false;
        };
        generation.data.collectors().give(interaction)
    }

    /// Runs a component or modal handler and gives the words to tell the user when it failed.
    async fn keyed<T: Clone>(
        &self,
        ctx: &serenity::all::Context,
        snapshot: &Arc<Snapshot>,
        what: &str,
        find: impl Fn(&Snapshot) -> Option<Place>,
        table: fn(&Subscriptions) -> &Vec<Keyed<T>>,
        value: &T,
    ) -> Option<String> {
        let (generation, index, call) = enter(&self.host, snapshot, what, find).await?;
        let handler = &table(&generation.subscriptions)[index];
        call.run(run(ctx, &generation, what, |ctx| (handler.handler)(ctx, value.clone()))).await
    }

    /// Has each plugin's listeners hear an event.
    async fn listeners(
        &self,
        ctx: &serenity::all::Context,
        snapshot: &Arc<Snapshot>,
        kind: EventKind,
        event: &Arc<FullEvent>,
    ) {
        let mut plugins: Vec<&PluginId> =
            snapshot.listeners(kind).iter().map(|(generation, _)| generation.plugin()).collect();
        plugins.dedup();
        join_all(plugins.into_iter().map(|plugin| self.listeners_of(plugin, ctx, snapshot, kind, event)))
            .await;
    }

    /// Has one plugin's listeners hear an event, all of them in one generation.
    async fn listeners_of(
        &self,
        plugin: &PluginId,
        ctx: &serenity::all::Context,
        snapshot: &Arc<Snapshot>,
        kind: EventKind,
        event: &Arc<FullEvent>,
    ) {
        let find = |snapshot: &Snapshot| snapshot.generations().get(plugin).cloned().map(|found| (found, ()));
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

/// Begins a call in the generation that `find` gives, following it to newer snapshots; `None` when there is none now.
async fn enter<T>(
    host: &Host,
    snapshot: &Arc<Snapshot>,
    what: &str,
    find: impl Fn(&Snapshot) -> Option<(Arc<Generation>, T)>,
) -> Option<(Arc<Generation>, T, Call)> {
    let mut snapshot = snapshot.clone();
    loop {
        let (generation, place) = find(&snapshot)?;
        match generation.enter(what).await {
            Ok(call) => return Some((generation, place, call.on(snapshot))),
            // A swap stores the new snapshot before it sends anyone on.
            Err(Moved) => snapshot = host.registry().snapshot(),
        }
    }
}

#[async_trait]
impl serenity::framework::Framework for Dispatcher {
    async fn init(&mut self, client: &serenity::Client) {
        self.host.set_shards(client.shard_manager.clone());
    }

    async fn dispatch(&self, ctx: serenity::all::Context, event: FullEvent) {
        match &event {
            FullEvent::GuildCreate { guild, .. } => self.host.voice().guild_came(guild.id),
            FullEvent::VoiceStateUpdate { new, .. } => {
                new.guild_id.into_iter().for_each(|guild| self.host.voice().listeners_changed(guild));
            }
            _ => {}
        }
        if self.host.is_closing() {
            answer_while_closing(&ctx, &event).await;
            return;
        }
        let snapshot = self.host.registry().snapshot();
        if let FullEvent::Ready { .. } = event {
            self.host.set_serenity_context(ctx.clone());
        }
        let Some(kind) = EventKind::of(&event) else { return };
        if snapshot.listeners(kind).is_empty() {
            if !self.interaction(&ctx, &snapshot, &event).await {
                self.command(&ctx, &snapshot, event).await;
            }
            return;
        }
        let event = Arc::new(event);
        let own = async {
            if !self.interaction(&ctx, &snapshot, &event).await {
                self.command(&ctx, &snapshot, FullEvent::clone(&event)).await;
            }
        };
        join(self.listeners(&ctx, &snapshot, kind, &event), own).await;
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
                tracing::warn!(missed, "handlers of reload events were too slow");
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// Has an event heard by each plugin that listens to reloads; as with timers, in tasks that are none of a generation's
/// own.
fn hand_out(host: &Host, event: &ReloadEvent) {
    let Some(ctx) = host.serenity_context().filter(|_| !host.is_closing()) else { return };
    let snapshot = host.registry().snapshot();
    for generation in snapshot.generations().values() {
        if generation.subscriptions.reloads.is_empty() {
            continue;
        }
        let (host, snapshot, plugin) = (host.clone(), snapshot.clone(), generation.plugin().clone());
        let (ctx, event) = (ctx.clone(), event.clone());
        // As with timers: a call of the generation, that runs to its end when it is replaced.
        tokio::spawn(async move {
            let find = |snapshot: &Snapshot| snapshot.generations().get(&plugin).cloned().map(|g| (g, ()));
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

/// Has a timer that has gone off handled, in a task that is none of the generation's own: those end with it, and a
/// timer that has gone off is out of the scheduler.
fn fire(host: &Host, timer: Timer) {
    let host = host.clone();
    tokio::spawn(async move {
        let what = format!("timer {}", timer.name);
        let find = |snapshot: &Snapshot| snapshot.timer(&timer.plugin, &timer.name);
        let place = enter(&host, &host.registry().snapshot(), &what, find).await;
        let (Some(ctx), Some((generation, index, call))) = (host.serenity_context(), place) else {
            // Its plugin has gone meanwhile; it waits for the return.
            host.scheduler().put_back(timer);
            return;
        };
        let handler = &generation.subscriptions.timers[index];
        let handled =
            call.run(outcome(&ctx, &generation, &what, |ctx| (handler.handler)(ctx, timer.clone()))).await;
        if let Err(Failed::Error(error)) = &handled
            && error.is::<StateMoved>()
        {
            tracing::info!(plugin = %timer.plugin, what, "goes off again: the state moved on while it ran");
            host.scheduler().put_back(timer);
            return;
        }
        told(&generation, &what, handled);
    });
}

/// Why a handler did not do its work.
enum Failed {
    Error(Error),
    Panic(Panic),
}

/// Runs a handler; a failure is logged and told in words fit for the user.
async fn run(
    ctx: &serenity::all::Context,
    generation: &Generation,
    what: &str,
    handler: impl FnOnce(EventContext) -> Outcome,
) -> Option<String> {
    told(generation, what, outcome(ctx, generation, what, handler).await)
}

async fn outcome(
    ctx: &serenity::all::Context,
    generation: &Generation,
    what: &str,
    handler: impl FnOnce(EventContext) -> Outcome,
) -> Result<(), Failed> {
    let context = EventContext::new(ctx.clone(), generation.data.clone());
    match AssertUnwindSafe(async { handler(context).await }).catch_unwind().await {
        Ok(outcome) => outcome.map_err(Failed::Error),
        Err(panic) => Err(Failed::Panic(panicked(&generation.data, what, panic_text(&*panic)))),
    }
}

/// Logs a failure and gives the words for the user.
fn told(generation: &Generation, what: &str, outcome: Result<(), Failed>) -> Option<String> {
    let (plugin, number) = (generation.plugin(), generation.number());
    match outcome {
        Ok(()) => None,
        Err(Failed::Error(error)) => {
            tracing::error!(%plugin, generation = number, what, %error, "a handler failed");
            Some(user_words(&error))
        }
        Err(Failed::Panic(panic)) => Some(panic_words(&generation.data, &panic)),
    }
}

const INTERNAL: &str = "Something went wrong here. It has been logged.";

/// Gives what a user may read of an error: its own words, unless they are those of a request that failed.
fn user_words(error: &Error) -> String {
    if error.is::<serenity::Error>() { INTERNAL.to_owned() } else { error.to_string() }
}

/// Logs and reports a panic that this thread has just caught.
fn panicked(data: &Data, what: &str, text: &str) -> Panic {
    let panic = data.probation().panicked(what, text);
    let (plugin, generation) = (data.plugin(), data.generation());
    tracing::error!(%plugin, generation, "{panic}");
    panic
}

/// Gives what a user may read of a panic.
fn panic_words(data: &Data, panic: &Panic) -> String {
    match data.settings().environment {
        Environment::Production => INTERNAL.to_owned(),
        Environment::Development | Environment::Testing => panic.to_string(),
    }
}

pub(crate) fn ephemeral(words: String) -> CreateInteractionResponse {
    CreateInteractionResponse::Message(
        CreateInteractionResponseMessage::new().content(text::cut(words, text::MESSAGE)).ephemeral(true),
    )
}

fn command_key(command: &CommandInteraction) -> Option<CommandKey> {
    let kind = CommandKind::from_number(Some(u8::from(command.data.kind).into()))?;
    Some(CommandKey { kind, name: command.data.name.clone() })
}

/// Gives a command as a user typed it, `/dev reload` say, without its options.
fn typed(command: &CommandInteraction) -> String {
    let Some(key) = command_key(command) else { return command.data.name.clone() };
    let mut words = key.to_string();
    let mut options = command.data.options();
    while let Some(ResolvedOption {
        name,
        value: ResolvedValue::SubCommand(inner) | ResolvedValue::SubCommandGroup(inner),
        ..
    }) = options.into_iter().next()
    {
        words += " ";
        words += name;
        options = inner;
    }
    words
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
                let what = format!("/{}", ctx.command().qualified_name);
                let panic = panicked(ctx.data(), &what, &payload.unwrap_or_default());
                (ctx, panic_words(ctx.data(), &panic))
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
