//! Commands, autocompletion and text commands, each through poise in the one generation that defines it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use poise::FrameworkContext;
use serenity::all::{
    AutocompleteChoice, CommandInteraction, CreateAutocompleteResponse, CreateInteractionResponse, FullEvent,
    Interaction, Message, ResolvedOption, ResolvedValue,
};

use super::handler::{panic_text, panic_words, panicked};
use super::interaction::ephemeral;
use super::{Dispatcher, enter};
use crate::asker::Asker;
use crate::definition::{CommandKey, CommandKind};
use crate::generation::Generation;
use crate::observer::{Outcome, TurnedAway, Watch, Way, outcome_of, registered};
use crate::settings::Settings;
use crate::snapshot::Snapshot;

/// Whom an event calls.
enum Called {
    Command(CommandKey),
    Word(String),
}

impl Called {
    /// Gives what the command came by, and its name as the generation has registered it.
    fn registered(&self, event: &FullEvent, generation: &Generation) -> (Way, String) {
        let commands = generation.commands();
        let (key, data) = match (self, event) {
            (Self::Word(word), FullEvent::Message { .. }) => {
                let name = registered(commands, [word.as_str()]).unwrap_or_default();
                return (Way::Text, name.to_owned());
            }
            (
                Self::Command(key),
                FullEvent::InteractionCreate {
                    interaction: Interaction::Command(command) | Interaction::Autocomplete(command),
                },
            ) => (key, command),
            _ => return (Way::Text, String::new()),
        };
        let way = match (event, key.kind) {
            (FullEvent::InteractionCreate { interaction: Interaction::Autocomplete(_) }, _) => {
                Way::Autocomplete
            }
            (_, CommandKind::Slash) => Way::Slash,
            (_, CommandKind::User) => Way::User,
            (_, CommandKind::Message) => Way::Message,
        };
        let subcommands = subcommands(data);
        let path = std::iter::once(key.name.as_str()).chain(subcommands);
        // An entry in a menu has a name of its own, by which it was found.
        let name = match key.kind {
            CommandKind::Slash => registered(commands, path).unwrap_or_default(),
            CommandKind::User | CommandKind::Message => &key.name,
        };
        (way, name.to_owned())
    }
}

impl Dispatcher {
    /// Has a command run, or completed, by the generation that defines it; any other event is none of its business.
    pub(super) async fn command(
        &self,
        ctx: &serenity::all::Context,
        snapshot: &Arc<Snapshot>,
        event: FullEvent,
    ) {
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
        let watch = Watch::begin();
        let Some((generation, (), call)) = enter(&self.host, snapshot, &what, find).await else {
            self.turned_away(TurnedAway::UnknownCommand);
            if let FullEvent::InteractionCreate {
                interaction: Interaction::Command(command) | Interaction::Autocomplete(command),
            } = &event
            {
                let withdrawn = command_key(command).is_some_and(|key| self.host.is_withdrawn(&key));
                answer_unknown(ctx, command, withdrawn).await;
            }
            return;
        };
        let options = generation.options();
        let own_context = self.host.context_of(generation.plugin(), ctx);
        let framework = FrameworkContext {
            serenity_context: &own_context,
            options: &options,
            user_data: &generation.data,
            shard_manager,
        };
        let asker = Asker::of(&event);
        // Nobody else wants the name.
        let named = self.host.observer().map(|_| called.registered(&event, &generation));
        // Boxed, so that the many events that are no command do not carry the 20 KB of poise's future.
        let dispatched = Box::pin(outcome_of(poise::dispatch_event(framework, event)));
        // poise contains panics of the command itself; this contains those of checks and converters.
        let ended = AssertUnwindSafe(call.run(dispatched)).catch_unwind().await;
        if let Some((way, name)) = &named {
            watch.tell(&self.host, *way, name, *ended.as_ref().unwrap_or(&Outcome::Panic));
        }
        if let Err(panic) = ended {
            let panic = panicked(&generation.data, &what, panic_text(&*panic));
            if let Some(asker) = asker {
                asker.tell(ctx, panic_words(&generation.data, &panic)).await;
            }
        }
    }
}

fn command_key(command: &CommandInteraction) -> Option<CommandKey> {
    let kind = CommandKind::from_number(Some(u8::from(command.data.kind).into()))?;
    Some(CommandKey { kind, name: command.data.name.clone() })
}

/// Gives a command as a user typed it, `/dev reload` say, without its options.
fn typed(command: &CommandInteraction) -> String {
    let Some(key) = command_key(command) else { return command.data.name.clone() };
    subcommands(command).into_iter().fold(key.to_string(), |words, name| words + " " + name)
}

/// Gives the names of the subcommands that lead to what is called.
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

/// Answers a command that no plugin defines, so that the user is not left waiting.
///
/// `withdrawn`: it is kept registered, since the code that defined it may come back in a moment.
async fn answer_unknown(ctx: &serenity::all::Context, command: &CommandInteraction, withdrawn: bool) {
    tracing::warn!(command = command.data.name, withdrawn, "no live plugin defines this command");
    let is_autocomplete = command.data.autocomplete().is_some();
    let response = if is_autocomplete {
        CreateInteractionResponse::Autocomplete(
            CreateAutocompleteResponse::new().set_choices(Vec::<AutocompleteChoice>::new()),
        )
    } else if withdrawn {
        ephemeral(format!(
            "/{} is being worked on; it is not part of this bot at the moment.",
            command.data.name
        ))
    } else {
        ephemeral(format!("/{} is not part of this bot any more.", command.data.name))
    };
    if let Err(error) = command.create_response(ctx, response).await {
        tracing::warn!(command = command.data.name, %error, "could not answer");
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
