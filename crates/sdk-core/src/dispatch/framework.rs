//! poise's framework, as each generation has its own.

use std::borrow::Cow;
use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use poise::{FrameworkError, FrameworkOptions, PrefixFrameworkOptions};
use serenity::all::UserId;

use super::handler::{panic_words, panicked, user_words};
use crate::observer::Outcome;
use crate::{Command, Data, Error, Refusal, observer, text};

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

/// Says how a command has ended: with a mistake of its own, or because it was not to be.
fn outcome(error: &FrameworkError<'_, Data, Error>) -> Outcome {
    match error {
        FrameworkError::Command { error, .. }
        | FrameworkError::CommandCheckFailed { error: Some(error), .. } => Outcome::of(error),
        FrameworkError::CommandPanic { .. } => Outcome::Panic,
        FrameworkError::CommandStructureMismatch { .. }
        | FrameworkError::DynamicPrefix { .. }
        | FrameworkError::PermissionFetchFailed { .. }
        | FrameworkError::UnknownInteraction { .. } => Outcome::Error,
        _ => Outcome::Refused,
    }
}

/// Tells the user of a failed command in one sentence, and the log in full.
fn on_error(error: FrameworkError<'_, Data, Error>) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        observer::note(outcome(&error));
        let (ctx, words) = match error {
            FrameworkError::Command { ctx, error, .. } => {
                let data = ctx.data();
                let (plugin, generation) = (data.plugin(), data.generation());
                let command = ctx.command().qualified_name.as_ref();
                if Refusal::is(&error) {
                    tracing::debug!(%plugin, generation, command, %error, "a command was refused");
                } else {
                    tracing::error!(%plugin, generation, command, %error, "a command failed");
                }
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
