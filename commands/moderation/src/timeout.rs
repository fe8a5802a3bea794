//! `/timeout` and `/untimeout`.

use sdk::prelude::*;
use serenity::{Attachment, User};

use crate::act::{self, Order};
use crate::cases::Kind;
use crate::guard::ModerationContext;
use crate::{duration, evidence};

/// Keeps a member from writing and speaking for some time
#[poise::command(slash_command, guild_only, ephemeral, default_member_permissions = "MODERATE_MEMBERS")]
pub(crate) async fn timeout(
    ctx: Context<'_>,
    #[description = "Whom to time out"] user: User,
    #[description = "How long, for example 10m or 1d12h, up to 28d"]
    #[max_length = 50]
    duration: String,
    #[description = "Why, for the user, the case and Discord's audit log"]
    #[max_length = 400]
    reason: Option<String>,
    #[description = "Link to the evidence"]
    #[max_length = 500]
    evidence: Option<String>,
    #[description = "File with the evidence"] file: Option<Attachment>,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    let lasts = Some(duration::within(&duration, duration::TIMEOUT, "A timeout")?);
    let evidence = evidence::of(evidence, file.as_ref())?;
    ctx.defer_ephemeral().await?;
    let target = at.target(user).await?;
    let order = Order { evidence, lasts, ..Order::new(Kind::Timeout, target, reason) };
    act::answer(ctx, &at, order).await
}

/// Ends the timeout of a member
#[poise::command(slash_command, guild_only, ephemeral, default_member_permissions = "MODERATE_MEMBERS")]
pub(crate) async fn untimeout(
    ctx: Context<'_>,
    #[description = "Whose timeout to end"] user: User,
    #[description = "Why, for the case and Discord's audit log"]
    #[max_length = 400]
    reason: Option<String>,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    ctx.defer_ephemeral().await?;
    let target = at.target(user).await?;
    act::answer(ctx, &at, Order::new(Kind::TimeoutEnd, target, reason)).await
}
