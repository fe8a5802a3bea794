//! poise's options of one generation: those set by the plugin, those added by the host, and those that no plugin can
//! set.
//!
//! # Theory of operation
//!
//! [`Plugin::options`] receives the host's defaults and changes them. Three things are shared by all plugins, so that
//! they outlive a reload and agree with each other: the owners, the edit tracker and the prefix `COMMAND_PREFIX`.
//! Fields that would create a second one of these are refused when the plugin is loaded. The host's prefix takes the
//! place of `stripped_dynamic_prefix`, because it may change while the bot runs, and each server may have another. The
//! plugin's own two callbacks are kept beside it in [`PrefixHooks`].

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeSet, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::fn_addr_eq;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use futures_util::future::BoxFuture;
use poise::{FrameworkContext, PartialContext, PrefixFrameworkOptions};
use serenity::all::{Context, FullEvent, GatewayIntents, Message, UserId};

use crate::data::PrefixHooks;
use crate::failure::on_error;
use crate::host_services::HostServices;
use crate::panics::panic_text;
use crate::{Command, Data, Error, FrameworkOptions, Plugin};

type EventHandler =
    for<'a> fn(FrameworkContext<'a, Data, Error>, &'a FullEvent) -> BoxFuture<'a, Result<(), Error>>;

/// Options of one generation, with the current owners.
///
/// poise reads the owners from its options, which also hold the commands and can be neither changed nor copied. So when
/// the owners change, the plugin creates its options again; this resets cooldowns.
pub(crate) struct Options {
    first: Arc<FrameworkOptions>,
    renewed: ArcSwapOption<FrameworkOptions>,
    hooks: PrefixHooks,
    has_text_commands: bool,
    handles_events: bool,
}

impl Options {
    /// Creates the options of a plugin.
    ///
    /// # Errors
    /// One sentence for each field that belongs to the host. It names the field and what to do instead.
    pub(crate) fn new(instance: &dyn Plugin, host: &HostServices) -> Result<Self, Vec<String>> {
        let (options, hooks) = make(instance, host)?;
        Ok(Self {
            hooks,
            has_text_commands: options.commands.iter().any(|command| command.prefix_action.is_some()),
            handles_events: handles_events(options.event_handler),
            first: Arc::new(options),
            renewed: ArcSwapOption::empty(),
        })
    }

    /// Returns the commands as first created.
    pub(crate) fn commands(&self) -> &[Command] {
        &self.first.commands
    }

    /// Returns the options with the current owners, for one event.
    pub(crate) fn current(&self, instance: &dyn Plugin, host: &HostServices) -> Arc<FrameworkOptions> {
        let owners = &host.settings().owners;
        if are_same(&self.first.owners, owners) {
            return self.first.clone();
        }
        if let Some(renewed) = self.renewed.load_full()
            && are_same(&renewed.owners, owners)
        {
            return renewed;
        }
        let made = catch_unwind(AssertUnwindSafe(|| make(instance, host)));
        let made = made.unwrap_or_else(|panic| Err(vec![panic_text(&*panic).to_owned()]));
        let options = match made {
            Ok((options, _)) => options,
            Err(problems) => {
                let problems = problems.join("; ");
                tracing::error!(
                    problems,
                    "a plugin cannot make its commands for other owners, so none of them runs"
                );
                FrameworkOptions { owners: set(owners), ..FrameworkOptions::default() }
            }
        };
        let options = Arc::new(options);
        self.renewed.store(Some(options.clone()));
        options
    }

    pub(crate) fn hooks(&self) -> PrefixHooks {
        self.hooks
    }

    pub(crate) fn has_text_commands(&self) -> bool {
        self.has_text_commands
    }

    /// Returns whether the plugin handles messages at all: text commands, or messages that are not commands.
    pub(crate) fn reads_messages(&self) -> bool {
        self.has_text_commands || self.handles_other_messages()
    }

    /// Returns whether the plugin handles messages that are not commands.
    pub(crate) fn handles_other_messages(&self) -> bool {
        self.first.prefix_options.non_command_message.is_some()
    }

    /// Returns whether code of the plugin decides what a prefix is.
    pub(crate) fn asks_for_prefix(&self) -> bool {
        self.hooks.dynamic.is_some() || self.hooks.stripped.is_some()
    }

    /// Returns whether names of text commands match regardless of case.
    pub(crate) fn ignores_case(&self) -> bool {
        self.first.prefix_options.case_insensitive_commands
    }

    /// Returns whether the plugin has an `event_handler`.
    pub(crate) fn handles_events(&self) -> bool {
        self.handles_events
    }

    /// Returns the intents that the plugin's own prefixes and `non_command_message` need.
    ///
    /// Source: Discord's list of intents. Edits come with the intents of messages.
    pub(crate) fn intents(&self) -> GatewayIntents {
        let prefixes = &self.first.prefix_options;
        let has_prefix =
            prefixes.prefix.is_some() || !prefixes.additional_prefixes.is_empty() || self.asks_for_prefix();
        if prefixes.non_command_message.is_some() || (self.has_text_commands && has_prefix) {
            GatewayIntents::GUILD_MESSAGES | GatewayIntents::DIRECT_MESSAGES | GatewayIntents::MESSAGE_CONTENT
        } else {
            GatewayIntents::empty()
        }
    }
}

/// Creates a plugin's options and adds those of the host.
fn make(instance: &dyn Plugin, host: &HostServices) -> Result<(FrameworkOptions, PrefixHooks), Vec<String>> {
    let mut options = defaults(host);
    instance.options(&mut options);
    options.commands.extend(instance.commands());
    poise::set_qualified_names(&mut options.commands);
    let problems = refused(&options, host);
    if !problems.is_empty() {
        return Err(problems);
    }
    options.owners = set(&host.settings().owners);
    let prefixes = &mut options.prefix_options;
    if options.commands.iter().any(wants_edits) {
        prefixes.edit_tracker = Some(host.edits().tracker());
    }
    let hooks = PrefixHooks {
        dynamic: prefixes.dynamic_prefix.replace(dynamic_prefix),
        stripped: prefixes.stripped_dynamic_prefix.replace(stripped_prefix),
    };
    Ok((options, hooks))
}

/// Returns the options of a plugin that changes nothing.
fn defaults(host: &HostServices) -> FrameworkOptions {
    FrameworkOptions {
        on_error,
        event_handler: no_events,
        owners: set(&host.settings().owners),
        prefix_options: PrefixFrameworkOptions {
            edit_tracker: Some(host.edits().tracker()),
            ..PrefixFrameworkOptions::default()
        },
        ..FrameworkOptions::default()
    }
}

/// Returns a sentence for each field that replaces something shared by all plugins.
fn refused(options: &FrameworkOptions, host: &HostServices) -> Vec<String> {
    const OWNERS: &str = "owners are the bot's, one set for all plugins: leave it out and set OWNER_IDS";
    let mut problems = Vec::new();
    let mut refuse =
        |field: &str, way_out: &str| problems.push(format!("its options set {field}; {way_out}"));
    if !options.owners.is_empty() && !are_same(&options.owners, &host.settings().owners) {
        refuse("owners", OWNERS);
    }
    if !options.initialize_owners {
        refuse("initialize_owners to false", OWNERS);
    }
    if options.initialized_team_roles.is_some() {
        refuse("initialized_team_roles", OWNERS);
    }
    let is_ours = |tracker| Arc::ptr_eq(tracker, &host.edits().tracker());
    if !options.prefix_options.edit_tracker.as_ref().is_none_or(is_ours) {
        refuse(
            "prefix_options.edit_tracker to one of its own",
            "edits are tracked by the host, for an hour and through reloads: leave it out",
        );
    }
    problems
}

/// Returns whether a command or one of its subcommands has `track_edits` or a part of it.
fn wants_edits(command: &Command) -> bool {
    command.invoke_on_edit
        || command.track_deletion
        || command.reuse_response
        || command.subcommands.iter().any(wants_edits)
}

fn no_events<'a>(_: FrameworkContext<'a, Data, Error>, _: &'a FullEvent) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(std::future::ready(Ok(())))
}

/// Returns whether an event handler is the plugin's own.
///
/// poise's default may have a different address in a plugin's code. It is then called and does nothing.
fn handles_events(handler: EventHandler) -> bool {
    let defaults = [no_events as EventHandler, FrameworkOptions::default().event_handler];
    !defaults.into_iter().any(|default| fn_addr_eq(default, handler))
}

/// What is known about a message's prefix, so that no callback of a plugin is called twice for one message.
#[derive(Default)]
pub(crate) enum KnownPrefix {
    /// Nothing, or nothing any more.
    #[default]
    Unknown,
    /// The message begins with this prefix.
    Is(String),
    /// No callback finds a prefix in the message.
    None,
}

tokio::task_local! {
    /// The prefix of the message that this task passes to poise.
    pub(crate) static PREFIX: Cell<KnownPrefix>;
}

fn known_prefix() -> KnownPrefix {
    PREFIX.try_with(Cell::take).unwrap_or_default()
}

/// Replaces `dynamic_prefix`, which poise calls first.
fn dynamic_prefix(
    ctx: PartialContext<'_, Data, Error>,
) -> BoxFuture<'_, Result<Option<Cow<'static, str>>, Error>> {
    Box::pin(async move {
        match known_prefix() {
            KnownPrefix::Is(prefix) => Ok(Some(Cow::Owned(prefix))),
            KnownPrefix::None => {
                // The other callback has not been called yet.
                PREFIX.with(|known| known.set(KnownPrefix::None));
                Ok(None)
            }
            KnownPrefix::Unknown => match ctx.framework.user_data.prefix_hooks().dynamic {
                Some(own) => own(ctx).await,
                None => Ok(None),
            },
        }
    })
}

/// Replaces `stripped_dynamic_prefix`, and handles the host's prefix.
fn stripped_prefix<'a>(
    ctx: &'a Context,
    message: &'a Message,
    data: &'a Data,
) -> BoxFuture<'a, Result<Option<&'a str>, Error>> {
    Box::pin(async move {
        let settings = data.settings();
        let known = known_prefix();
        // Without a prefix of the bot it does not receive the content of messages.
        let own = settings.prefix.as_ref().and(message.guild_id);
        let own = own.and_then(|guild| data.services().servers().prefix(guild));
        if let Some(prefix) = own.as_deref().or(settings.prefix.as_deref())
            && message.content.starts_with(prefix)
        {
            return Ok(message.content.get(..prefix.len()));
        }
        match (known, data.prefix_hooks().stripped) {
            (KnownPrefix::Unknown, Some(own)) => own(ctx, message, data).await,
            _ => Ok(None),
        }
    })
}

fn set(owners: &BTreeSet<UserId>) -> HashSet<UserId> {
    owners.iter().copied().collect()
}

fn are_same(one: &HashSet<UserId>, other: &BTreeSet<UserId>) -> bool {
    one.len() == other.len() && other.iter().all(|owner| one.contains(owner))
}

#[cfg(test)]
mod tests;
