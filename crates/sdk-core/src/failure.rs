//! Handling of poise's errors: the log, the message for the user, and a plugin's own `on_error`.
//!
//! The `on_error` of the command or plugin comes first. If it sends nothing to the user of an interaction, the host
//! does, because Discord otherwise shows that the application did not respond. The author of a text command does not
//! wait for a response, so there a plugin's `on_error` may send nothing.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use poise::{CommandInteractionType, Context, CreateReply, FrameworkError};
use serenity::all::{CreateAllowedMentions, CreateInteractionResponseFollowup, HttpError, Permissions};

use self::reference::INTERNAL;
pub(crate) use self::reference::Reference;
use crate::observer::Outcome;
use crate::text::{self, Surface, foreign};
use crate::{Data, Error, FrameworkOptions, Refusal};

mod reference;

/// Discord's error code for a response to an interaction that already has one.
const ALREADY_ACKNOWLEDGED: isize = 40060;

/// What the host knows about the error that this task passes to an `on_error`.
struct Handing {
    /// The message for the user.
    words: Option<String>,
    reference: Option<Reference>,
    /// Whether the host's own [`on_error`] has handled it.
    by_host: Cell<bool>,
}

tokio::task_local! {
    static HANDING: Handing;
}

/// How a failed call ended.
pub(crate) struct Failed {
    pub(crate) outcome: Outcome,
    /// Whether the host's [`on_error`] handled it: the plugin has none of its own, or passed the error on.
    pub(crate) by_host: bool,
}

/// Passes an error to its `on_error`, and makes sure that the user of an interaction gets a message.
///
/// `answered` holds whether the interaction has an answer; it is `None` for text commands.
pub(crate) async fn handle(
    error: FrameworkError<'_, Data, Error>,
    options: &FrameworkOptions,
    answered: Option<&AtomicBool>,
) -> Failed {
    let outcome = outcome(&error);
    let reference = reference(&error);
    let words = match &error {
        // Reported to probation independently of the `on_error`, and here, on the thread that knows the panic's
        // location.
        FrameworkError::CommandPanic { ctx, payload, .. } => {
            let what = format!("{}{}", ctx.prefix(), ctx.command().qualified_name);
            Some(panicked(ctx.data(), &what, payload.as_deref().unwrap_or_default()))
        }
        error => sentence(error, reference),
    };
    let (ctx, cause) = (error.ctx(), reference.and_then(|_| cause(&error)));
    let handing = Handing { words: words.clone(), reference, by_host: Cell::new(false) };
    let handled = async {
        error.handle(options).await;
        HANDING.with(|handing| handing.by_host.get())
    };
    let by_host = HANDING.scope(handing, handled).await;
    let is_answered = answered.is_none_or(|answered| answered.load(Ordering::SeqCst));
    if let (false, false, Some(ctx), Some(words)) = (by_host, is_answered, ctx, words) {
        if let (Some(reference), Some(cause)) = (reference, cause) {
            let (plugin, command) = (ctx.data().plugin(), &ctx.command().qualified_name);
            tracing::error!(%plugin, command = %command, %reference, cause, "the on_error of a plugin told nobody");
        }
        tell(ctx, &words, false).await;
    }
    Failed { outcome, by_host }
}

/// Logs an error and sends the user a message. The host calls it for plugins whose options set no `on_error`.
///
/// A plugin's own `on_error` can pass on what it does not handle: `other => sdk::on_error(other).await`.
pub fn on_error(error: FrameworkError<'_, Data, Error>) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        let handing = HANDING.try_with(|handing| {
            handing.by_host.set(true);
            (handing.words.clone(), handing.reference)
        });
        let (words, reference) = handing.unwrap_or_else(|_| {
            let reference = reference(&error);
            (sentence(&error, reference), reference)
        });
        log(&error, reference);
        if let (Some(ctx), Some(words)) = (error.ctx(), words) {
            tell(ctx, &words, true).await;
        }
    })
}

/// Logs and reports a panic that this thread has just caught. Returns the message for the user.
pub(crate) fn panicked(data: &Data, what: &str, text: &str) -> String {
    let panic = data.probation().panicked(what, text);
    if let Some(observer) = data.services().observer() {
        observer.panicked(data.plugin());
    }
    let (plugin, generation, reference) = (data.plugin(), data.generation(), Reference::of(data));
    let shown = reference.map(tracing::field::display);
    tracing::error!(%plugin, generation, reference = shown, "{panic}");
    reference.map_or_else(|| panic.to_string(), Reference::sentence)
}

/// Returns how a call has ended: with a panic, an error or a refusal.
fn outcome(error: &FrameworkError<'_, Data, Error>) -> Outcome {
    match error {
        FrameworkError::Command { error, .. }
        | FrameworkError::CommandCheckFailed { error: Some(error), .. }
        | FrameworkError::NonCommandMessage { error, .. } => Outcome::of(error),
        FrameworkError::CommandPanic { .. } => Outcome::Panic,
        FrameworkError::CommandStructureMismatch { .. }
        | FrameworkError::DynamicPrefix { .. }
        | FrameworkError::PermissionFetchFailed { .. }
        | FrameworkError::UnknownInteraction { .. } => Outcome::Error,
        _ => Outcome::Refused,
    }
}

/// Returns the data of the plugin that an error belongs to; `None` for a prefix without a command, which is common.
fn data<'a>(error: &FrameworkError<'a, Data, Error>) -> Option<&'a Data> {
    match error {
        FrameworkError::EventHandler { framework, .. }
        | FrameworkError::NonCommandMessage { framework, .. }
        | FrameworkError::UnknownInteraction { framework, .. } => Some(framework.user_data),
        FrameworkError::DynamicPrefix { ctx, .. } => Some(ctx.framework.user_data),
        other => other.ctx().map(poise::Context::data),
    }
}

/// Returns the reference number of an error whose text is not for users. A panic has a number of its own.
fn reference(error: &FrameworkError<'_, Data, Error>) -> Option<Reference> {
    let data = data(error)?;
    match error {
        FrameworkError::Command { error, .. }
        | FrameworkError::CommandCheckFailed { error: Some(error), .. }
        | FrameworkError::EventHandler { error, .. }
        | FrameworkError::NonCommandMessage { error, .. }
        | FrameworkError::DynamicPrefix { error, .. } => Reference::of_error(data, error),
        FrameworkError::ArgumentParse { error, .. } if !is_users_mistake(&**error) => {
            Reference::of_error(data, error)
        }
        _ => None,
    }
}

/// Returns the text of a plugin's error.
fn cause(error: &FrameworkError<'_, Data, Error>) -> Option<String> {
    match error {
        FrameworkError::Command { error, .. }
        | FrameworkError::CommandCheckFailed { error: Some(error), .. }
        | FrameworkError::ArgumentParse { error, .. } => Some(error.to_string()),
        _ => None,
    }
}

/// Returns whether an argument's error is one of poise, serenity or std, whose text is meant for the user. An error of
/// a plugin's own type may contain anything, unless it is a [`Refusal`].
fn is_users_mistake(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    macro_rules! is_one_of {
        ($($error:ty),* $(,)?) => { $(error.is::<$error>())||* };
    }
    is_one_of!(
        poise::CodeBlockError,
        poise::InvalidBool,
        poise::InvalidChoice,
        poise::TooFewArguments,
        poise::TooManyArguments,
        serenity::all::ChannelParseError,
        serenity::all::EmojiParseError,
        serenity::all::GuildChannelParseError,
        serenity::all::GuildParseError,
        serenity::all::MemberParseError,
        serenity::all::MessageParseError,
        serenity::all::RoleParseError,
        serenity::all::UserParseError,
        std::char::ParseCharError,
        std::net::AddrParseError,
        std::num::ParseFloatError,
        std::num::ParseIntError,
        std::str::ParseBoolError,
    )
}

/// Returns the message for the user of a failed command; `None` if no user waits for an answer.
fn sentence(error: &FrameworkError<'_, Data, Error>, reference: Option<Reference>) -> Option<String> {
    let words = match error {
        FrameworkError::Command { error, .. }
        | FrameworkError::CommandCheckFailed { error: Some(error), .. } => {
            Reference::user_message(reference, error)
        }
        // The location of a panic is known only where it is caught, and the message is built there.
        FrameworkError::CommandPanic { .. } => INTERNAL.to_owned(),
        FrameworkError::CommandCheckFailed { error: None, .. } => {
            "This command is not available to you here.".to_owned()
        }
        FrameworkError::SubcommandRequired { ctx } => {
            let names: Vec<_> =
                ctx.command().subcommands.iter().map(|one| format!("`{}`", one.name)).collect();
            format!("This command needs one of its subcommands: {}.", names.join(", "))
        }
        FrameworkError::ArgumentParse { ctx, error, input, .. } => {
            // The error may repeat the user's input.
            let why = match reference {
                Some(reference) => format!(" (reference {reference})"),
                None => format!(": {}", foreign(&error.to_string(), Surface::Line, 400)),
            };
            let words = match input.as_deref().filter(|input| !input.trim().is_empty()) {
                Some(input) => {
                    format!("`{}` cannot be used here{why}.", foreign(input, Surface::Code, 200))
                }
                None => format!("The arguments do not fit{why}."),
            };
            match &ctx.command().help_text {
                Some(help) => format!("{words}\n{help}"),
                None => words,
            }
        }
        FrameworkError::CommandStructureMismatch { .. } => {
            "This command has changed in the meantime. Please type it again.".to_owned()
        }
        FrameworkError::CooldownHit { remaining_cooldown, .. } => {
            format!("Please wait {} before you use this command again.", rounded_up(*remaining_cooldown))
        }
        FrameworkError::MissingBotPermissions { missing_permissions, .. } => {
            format!("I cannot do this without the permission {}.", names(*missing_permissions))
        }
        FrameworkError::MissingUserPermissions { missing_permissions: Some(missing), .. } => {
            format!("You need the permission {} for this command.", names(*missing))
        }
        FrameworkError::MissingUserPermissions { missing_permissions: None, .. }
        | FrameworkError::PermissionFetchFailed { .. } => {
            "Your permissions could not be looked up. Please try again in a moment.".to_owned()
        }
        FrameworkError::NotAnOwner { .. } => "Only the bot's owners can use this command.".to_owned(),
        // With `require_cache_for_guild_check`.
        FrameworkError::GuildOnly { ctx, .. } if ctx.guild_id().is_some() => {
            "This server is not known well enough yet. Please try again in a moment.".to_owned()
        }
        FrameworkError::GuildOnly { .. } => "This command works in servers only.".to_owned(),
        FrameworkError::DmOnly { .. } => "This command works in direct messages only.".to_owned(),
        FrameworkError::NsfwOnly { .. } => "This command works in age-restricted channels only.".to_owned(),
        _ => return None,
    };
    Some(words)
}

/// Logs an error: faults of the bot at error level, mistakes of users at debug level.
fn log(error: &FrameworkError<'_, Data, Error>, reference: Option<Reference>) {
    let Some(data) = data(error) else { return };
    let reference = reference.map(tracing::field::display);
    let (plugin, generation) = (data.plugin(), data.generation());
    let command = error.ctx().map(|ctx| ctx.command().qualified_name.to_string()).unwrap_or_default();
    match error {
        FrameworkError::Command { error, .. }
        | FrameworkError::CommandCheckFailed { error: Some(error), .. } => {
            if Refusal::is(error) {
                tracing::debug!(%plugin, generation, command, %error, "a command was refused");
            } else {
                tracing::error!(%plugin, generation, command, reference, %error, "a command failed");
            }
        }
        // Logged when it was caught.
        FrameworkError::CommandPanic { .. } => {}
        FrameworkError::CommandStructureMismatch { description, .. } => {
            tracing::error!(%plugin, generation, command, description, "a command does not fit its definition");
        }
        FrameworkError::PermissionFetchFailed { .. } => {
            tracing::error!(%plugin, generation, command, "permissions could not be looked up");
        }
        FrameworkError::EventHandler { error, event, .. } => {
            let event = event.snake_case_name();
            tracing::error!(%plugin, generation, event, reference, %error, "an event handler failed");
        }
        FrameworkError::NonCommandMessage { error, .. } => {
            tracing::error!(%plugin, generation, reference, %error, "a handler of messages failed");
        }
        FrameworkError::DynamicPrefix { error, .. } => {
            tracing::error!(%plugin, generation, reference, %error, "a prefix could not be looked up");
        }
        FrameworkError::ArgumentParse { error, .. } if reference.is_some() => {
            tracing::error!(%plugin, generation, command, reference, %error, "an argument could not be read");
        }
        other => tracing::debug!(%plugin, generation, command, why = %other, "a command was refused"),
    }
}

/// Sends the user of a command the error message, if necessary `beside` an answer that the host does not know of.
async fn tell(ctx: Context<'_, Data, Error>, words: &str, beside: bool) {
    // The answer to an autocompletion is a list.
    if let Context::Application(application) = ctx
        && application.interaction_type == CommandInteractionType::Autocomplete
    {
        return;
    }
    let words = text::message(words);
    let reply = CreateReply::default()
        .content(words.clone())
        .ephemeral(true)
        .allowed_mentions(CreateAllowedMentions::new());
    let told = match (ctx.send(reply).await, ctx) {
        (Err(error), Context::Application(application)) if is_acknowledged(&error) => {
            if !beside {
                return;
            }
            let followup = CreateInteractionResponseFollowup::new()
                .content(words)
                .ephemeral(true)
                .allowed_mentions(CreateAllowedMentions::new());
            application.interaction.create_followup(ctx, followup).await.map(drop)
        }
        (told, _) => told.map(drop),
    };
    if let Err(error) = told {
        tracing::warn!(%error, "could not tell the user of an error");
    }
}

/// Returns whether Discord refused a response because the plugin has already sent one without poise.
fn is_acknowledged(error: &serenity::Error) -> bool {
    matches!(
        error,
        serenity::Error::Http(HttpError::UnsuccessfulRequest(answer))
            if answer.error.code == ALREADY_ACKNOWLEDGED
    )
}

/// Returns the time in whole seconds, rounded up.
fn rounded_up(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    let plural = if seconds == 1 { "" } else { "s" };
    format!("{seconds} second{plural}")
}

fn names(permissions: Permissions) -> String {
    permissions.get_permission_names().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cooldown_is_never_over_before_the_time_that_was_told() {
        assert_eq!(rounded_up(Duration::from_millis(1)), "1 second");
        assert_eq!(rounded_up(Duration::from_millis(9_999)), "10 seconds");
        assert_eq!(rounded_up(Duration::from_secs(2)), "2 seconds");
    }
}
