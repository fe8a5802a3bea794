//! `/slowmode`.

use std::time::Duration;

use sdk::prelude::*;
use sdk::text;
use serde_json::json;
use serenity::{GuildChannel, Mentionable as _, Permissions};

use crate::guard::ModerationContext;
use crate::{answer, discord, duration};

/// Sets how long members wait between two messages in a channel
#[poise::command(slash_command, guild_only, ephemeral, default_member_permissions = "MANAGE_CHANNELS")]
pub(crate) async fn slowmode(
    ctx: Context<'_>,
    #[description = "The time, for example 10s or 2h, up to 6h, or off"]
    #[max_length = 50]
    duration: String,
    #[description = "Which channel; this one, if left out"]
    #[channel_types("Text", "News", "Voice", "Stage", "Forum")]
    channel: Option<GuildChannel>,
    #[description = "Why, for Discord's audit log"]
    #[max_length = 400]
    reason: Option<String>,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    let wait = match duration.trim() {
        off if off.eq_ignore_ascii_case("off") => Duration::ZERO,
        text => duration::within(text, duration::SLOW_MODE, "Slow mode")?,
    };
    let channel = channel.map_or(ctx.channel_id(), |channel| channel.id);
    let mention = channel.mention();
    let manage =
        if at.is_thread(channel)? { Permissions::MANAGE_THREADS } else { Permissions::MANAGE_CHANNELS };
    let needed = Permissions::VIEW_CHANNEL | manage;
    if channel != ctx.channel_id() {
        at.moderator_may_in(channel, needed)?;
    }
    at.bot_may_in(channel, needed, "to change the slow mode there")?;
    ctx.defer_ephemeral().await?;
    let change = json!({ "rate_limit_per_user": wait.as_secs() });
    let answer = ctx.http().edit_channel(channel, &change, Some(&at.audit(reason.as_deref()))).await;
    answer.map_err(|error| discord::explained(error, &format!("change the slow mode of {mention}")))?;
    let sentence = if wait.is_zero() {
        format!("{mention} has no slow mode now")
    } else {
        format!("Members wait {} between two messages in {mention} now", text::duration(wait))
    };
    answer::logged(ctx, &at, "Slow mode", sentence).await
}
