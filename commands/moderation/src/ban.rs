//! `/ban`, `/tempban`, `/softban` and `/unban`.

use std::time::Duration;

use sdk::prelude::*;
use serenity::{Attachment, User};

use crate::act::{self, Order};
use crate::cases::Kind;
use crate::guard::{ModerationContext, Target};
use crate::{duration, evidence};

/// Bans a user, who may also be somebody outside of this server
#[poise::command(slash_command, guild_only, ephemeral, default_member_permissions = "BAN_MEMBERS")]
pub(crate) async fn ban(
    ctx: Context<'_>,
    #[description = "Whom to ban"] user: User,
    #[description = "Why, for the user, the case and Discord's audit log"]
    #[max_length = 400]
    reason: Option<String>,
    #[description = "Delete the user's messages of the last time, up to 7d"]
    #[max_length = 50]
    delete: Option<String>,
    #[description = "Link to the evidence"]
    #[max_length = 500]
    evidence: Option<String>,
    #[description = "File with the evidence"] file: Option<Attachment>,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    let (delete, evidence) = (deleted(delete.as_deref())?, evidence::of(evidence, file.as_ref())?);
    ctx.defer_ephemeral().await?;
    let target = at.target(user).await?;
    let order = Order { evidence, delete, ..Order::new(Kind::Ban, target, reason) };
    act::answer(ctx, &at, order).await
}

/// Bans a user for some time
#[poise::command(slash_command, guild_only, ephemeral, default_member_permissions = "BAN_MEMBERS")]
#[allow(clippy::too_many_arguments)] // Discord has no option that takes several.
pub(crate) async fn tempban(
    ctx: Context<'_>,
    #[description = "Whom to ban"] user: User,
    #[description = "How long, for example 12h or 3d"]
    #[max_length = 50]
    duration: String,
    #[description = "Why, for the user, the case and Discord's audit log"]
    #[max_length = 400]
    reason: Option<String>,
    #[description = "Delete the user's messages of the last time, up to 7d"]
    #[max_length = 50]
    delete: Option<String>,
    #[description = "Link to the evidence"]
    #[max_length = 500]
    evidence: Option<String>,
    #[description = "File with the evidence"] file: Option<Attachment>,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    let lasts = Some(duration::parse(&duration)?);
    let (delete, evidence) = (deleted(delete.as_deref())?, evidence::of(evidence, file.as_ref())?);
    ctx.defer_ephemeral().await?;
    let target = at.target(user).await?;
    let order = Order { evidence, lasts, delete, ..Order::new(Kind::TemporaryBan, target, reason) };
    act::answer(ctx, &at, order).await
}

/// Removes a member and their messages: bans and unbans at once
#[poise::command(slash_command, guild_only, ephemeral, default_member_permissions = "BAN_MEMBERS")]
pub(crate) async fn softban(
    ctx: Context<'_>,
    #[description = "Whom to softban"] user: User,
    #[description = "Why, for the user, the case and Discord's audit log"]
    #[max_length = 400]
    reason: Option<String>,
    #[description = "Age of the messages to delete, up to 7d; 1d, if left out"]
    #[max_length = 50]
    delete: Option<String>,
    #[description = "Link to the evidence"]
    #[max_length = 500]
    evidence: Option<String>,
    #[description = "File with the evidence"] file: Option<Attachment>,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    let delete = deleted(delete.as_deref().or(Some("1d")))?;
    let evidence = evidence::of(evidence, file.as_ref())?;
    ctx.defer_ephemeral().await?;
    let target = at.target(user).await?;
    if !target.is_member() {
        let words = format!("I cannot softban {}, who is not in this server.", target.name());
        return Err(Refusal::new(words).into());
    }
    let order = Order { evidence, delete, ..Order::new(Kind::Softban, target, reason) };
    act::answer(ctx, &at, order).await
}

/// Lifts the ban of a user
#[poise::command(slash_command, guild_only, ephemeral, default_member_permissions = "BAN_MEMBERS")]
pub(crate) async fn unban(
    ctx: Context<'_>,
    #[description = "Whom to unban: their id"] user: User,
    #[description = "Why, for the case and Discord's audit log"]
    #[max_length = 400]
    reason: Option<String>,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    ctx.defer_ephemeral().await?;
    // Somebody who is banned is no member.
    let order = Order::new(Kind::Unban, Target { user, roles: None }, reason);
    act::answer(ctx, &at, order).await
}

fn deleted(text: Option<&str>) -> Result<Duration, Refusal> {
    text.map_or(Ok(Duration::ZERO), |text| {
        duration::within(text, duration::BAN_DELETES, "The age of messages that a ban deletes")
    })
}
