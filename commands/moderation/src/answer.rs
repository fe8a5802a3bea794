//! Answers to moderators.

use poise::CreateReply;
use sdk::prelude::*;
use sdk::text;
use serenity::{CreateAllowedMentions, CreateEmbed};

use crate::guard::ModerationContext;
use crate::log;

/// Answers with a sentence that only the moderator sees. Mentions in it ping no one.
pub(crate) async fn sentence(ctx: Context<'_>, sentence: impl Into<String>) -> Result<(), Error> {
    let reply = CreateReply::default().content(ended(sentence)).ephemeral(true);
    ctx.send(reply.allowed_mentions(CreateAllowedMentions::new())).await?;
    Ok(())
}

/// Writes a sentence, which has no full stop, into the moderators' log, and answers with it.
pub(crate) async fn logged(
    ctx: Context<'_>,
    at: &ModerationContext,
    title: &str,
    words: String,
) -> Result<(), Error> {
    let entry = log::entry(title, at.moderator.id).description(format!("{words}."));
    let remark = log::write(&at.data, at.guild, entry).await;
    sentence(ctx, words + remark).await
}

/// Answers with an embed that only the moderator sees.
pub(crate) async fn embed(ctx: Context<'_>, embed: CreateEmbed) -> Result<(), Error> {
    let nobody = CreateAllowedMentions::new();
    ctx.send(CreateReply::default().embed(embed).ephemeral(true).allowed_mentions(nobody)).await?;
    Ok(())
}

/// Ends a sentence and shortens it to what a message holds.
pub(crate) fn ended(sentence: impl Into<String>) -> String {
    let mut sentence: String = sentence.into();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    text::cut(sentence, text::MESSAGE)
}
