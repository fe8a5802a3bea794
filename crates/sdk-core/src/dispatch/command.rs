//! Commands and autocompletion, each run by poise in the generation that defines it.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::FutureExt as _;
use poise::FrameworkContext;
use serenity::all::{
    AutocompleteChoice, CommandInteraction, CreateAutocompleteResponse, CreateInteractionResponse, FullEvent,
    Interaction, ResolvedOption, ResolvedValue, ShardManager,
};
use tokio::sync::Mutex;
use tracing::Instrument as _;

use super::call_timer::{CallTimer, registered};
use super::interaction::ephemeral;
use super::reply_target::ReplyTarget;
use super::{Dispatcher, enter, switch};
use crate::definition::{CommandKey, CommandKind};
use crate::failure::{self, panicked};
use crate::generation::Generation;
use crate::observer::{Outcome, Trigger, Unhandled};
use crate::panics::panic_text;
use crate::routing_table::RoutingTable;

/// A command or its autocompletion, as sent by a user.
struct Called<'a> {
    interaction: &'a CommandInteraction,
    is_autocomplete: bool,
    key: CommandKey,
}

impl Called<'_> {
    fn of(event: &FullEvent) -> Option<Called<'_>> {
        let (interaction, is_autocomplete) = match event {
            FullEvent::InteractionCreate { interaction: Interaction::Command(command) } => (command, false),
            FullEvent::InteractionCreate { interaction: Interaction::Autocomplete(command) } => {
                (command, true)
            }
            _ => return None,
        };
        Some(Called { interaction, is_autocomplete, key: command_key(interaction)? })
    }

    /// Returns the kind of the command and its name as registered by the generation.
    fn registered(&self, generation: &Generation) -> (Trigger, String) {
        let trigger = match self.key.kind {
            _ if self.is_autocomplete => Trigger::Autocomplete,
            CommandKind::Slash => Trigger::Slash,
            CommandKind::User => Trigger::User,
            CommandKind::Message => Trigger::Message,
        };
        let path = std::iter::once(self.key.name.as_str()).chain(subcommands(self.interaction));
        // A context menu entry has its own name, by which it was found.
        let name = match self.key.kind {
            CommandKind::Slash => registered(generation.commands(), path).unwrap_or_default(),
            CommandKind::User | CommandKind::Message => &self.key.name,
        };
        (trigger, name.to_owned())
    }

    /// Runs it with poise in a generation. Returns how it ended.
    async fn run(
        &self,
        ctx: &serenity::all::Context,
        generation: &Generation,
        shard_manager: &Arc<ShardManager>,
    ) -> Outcome {
        let options = generation.options();
        let own_context = generation.own_context(ctx);
        let framework = FrameworkContext {
            serenity_context: &own_context,
            options: &options,
            user_data: &generation.data,
            shard_manager,
        };
        let (answered, given) = (AtomicBool::new(false), self.interaction.data.options());
        let invocation_data: Mutex<Box<dyn Any + Send + Sync>> = Mutex::new(Box::new(()));
        let mut tree = Vec::new();
        let dispatched = if self.is_autocomplete {
            // poise logs a refused answer itself, without the plugin and command.
            let span =
                tracing::warn_span!("autocomplete", plugin = %generation.plugin(), command = %self.key.name);
            poise::dispatch_autocomplete(
                framework,
                self.interaction,
                &answered,
                &invocation_data,
                &given,
                &mut tree,
            )
            .instrument(span)
            .await
        } else {
            poise::dispatch_interaction(
                framework,
                self.interaction,
                &answered,
                &invocation_data,
                &given,
                &mut tree,
            )
            .await
        };
        let Err(error) = dispatched else { return Outcome::Ok };
        let failed = failure::handle(error, &options, Some(&answered)).await;
        if self.is_autocomplete {
            suggest_nothing(ctx, self.interaction).await;
        }
        failed.outcome
    }
}

impl Dispatcher {
    /// Runs a command or its autocompletion in the generation that defines it. Returns whether the event is one.
    pub(super) async fn command(
        &self,
        ctx: &serenity::all::Context,
        snapshot: &Arc<RoutingTable>,
        event: &FullEvent,
    ) -> bool {
        let Some(called) = Called::of(event) else { return false };
        let Some(shard_manager) = self.host.shards() else { return true };
        let find = |snapshot: &RoutingTable| snapshot.command(&called.key).map(|owner| (owner.clone(), ()));
        let typed = typed(called.interaction);
        let what = if called.is_autocomplete { format!("autocomplete of {typed}") } else { typed };
        let timer = CallTimer::begin();
        let guild = called.interaction.guild_id;
        if let Some(off) =
            snapshot.command(&called.key).filter(|owner| owner.is_off(guild, Some(&called.key.name)))
        {
            answer_off(ctx, &called).await;
            let (trigger, name) = called.registered(off);
            timer.report(&self.host, trigger, &name, Outcome::Refused);
            return true;
        }
        let Some((generation, (), call)) = enter(&self.host, snapshot, &what, find).await else {
            self.report_unhandled(Unhandled::UnknownCommand);
            answer_unknown(ctx, called.interaction, self.host.is_withdrawn(&called.key)).await;
            return true;
        };
        // Only the observer uses the name.
        let named = self.host.observer().map(|_| called.registered(&generation));
        // Boxed, so that the many events that are not commands do not carry the 20 KB of poise's future.
        let run = Box::pin(called.run(ctx, &generation, shard_manager));
        // poise contains panics of the command itself; this contains those of an `on_error`.
        let ended = AssertUnwindSafe(call.run(run)).catch_unwind().await;
        if let Some((trigger, name)) = &named {
            timer.report(&self.host, *trigger, name, *ended.as_ref().unwrap_or(&Outcome::Panic));
        }
        if let Err(panic) = ended {
            let words = panicked(&generation.data, &what, panic_text(&*panic));
            if let Some(target) = ReplyTarget::of(event) {
                target.tell(ctx, words).await;
            }
        }
        true
    }
}

/// Answers a failed autocompletion with an empty list. Without an answer the user's client keeps waiting.
async fn suggest_nothing(ctx: &serenity::all::Context, command: &CommandInteraction) {
    if let Err(error) = command.create_response(ctx, no_suggestions()).await {
        tracing::debug!(command = command.data.name, %error, "could not answer an autocompletion");
    }
}

fn no_suggestions() -> CreateInteractionResponse {
    CreateInteractionResponse::Autocomplete(
        CreateAutocompleteResponse::new().set_choices(Vec::<AutocompleteChoice>::new()),
    )
}

fn command_key(command: &CommandInteraction) -> Option<CommandKey> {
    let kind = CommandKind::from_number(Some(u8::from(command.data.kind).into()))?;
    Some(CommandKey { kind, name: command.data.name.clone() })
}

/// Returns a command as a user types it, for example `/dev reload`, without its options.
fn typed(command: &CommandInteraction) -> String {
    let Some(key) = command_key(command) else { return command.data.name.clone() };
    subcommands(command).into_iter().fold(key.to_string(), |words, name| words + " " + name)
}

/// Returns the names of the subcommands that lead to the called one.
fn subcommands(command: &CommandInteraction) -> Vec<&str> {
    let mut names = Vec::new();
    let mut options = command.data.options();
    while let Some(ResolvedOption {
        name,
        value: ResolvedValue::SubCommand(inner) | ResolvedValue::SubCommandGroup(inner),
        ..
    }) = options.into_iter().next()
    {
        names.push(name);
        options = inner;
    }
    names
}

/// Answers a command that the server has switched off.
async fn answer_off(ctx: &serenity::all::Context, called: &Called<'_>) {
    let CommandKey { kind, name } = &called.key;
    let response = match kind {
        _ if called.is_autocomplete => no_suggestions(),
        CommandKind::Slash => ephemeral(&switch::sentence(&format!("/{name}"))),
        CommandKind::User | CommandKind::Message => ephemeral(&switch::sentence(name)),
    };
    if let Err(error) = called.interaction.create_response(ctx, response).await {
        tracing::debug!(command = name, %error, "could not answer a command that is switched off");
    }
}

/// Answers a command that no plugin defines, so that its user does not wait in vain.
///
/// `withdrawn`: the command stays registered, because the code that defined it may come back soon.
async fn answer_unknown(ctx: &serenity::all::Context, command: &CommandInteraction, withdrawn: bool) {
    tracing::warn!(command = command.data.name, withdrawn, "no live plugin defines this command");
    let is_autocomplete = command.data.autocomplete().is_some();
    let response = if is_autocomplete {
        no_suggestions()
    } else if withdrawn {
        ephemeral(&format!(
            "/{} is being worked on; it is not part of this bot at the moment.",
            command.data.name
        ))
    } else {
        ephemeral(&format!("/{} is not part of this bot any more.", command.data.name))
    };
    if let Err(error) = command.create_response(ctx, response).await {
        tracing::warn!(command = command.data.name, %error, "could not answer");
    }
}
