//! `/join`: joins a voice channel.

use sdk::prelude::*;
use serenity::{ChannelId, GuildChannel, Mentionable as _};

use crate::guard::{self, Desk};
use crate::memory::change;
use crate::wait::patiently;
use crate::words;

/// Joins your voice channel, or moves there and plays on
#[poise::command(slash_command, guild_only)]
pub(crate) async fn join(
    ctx: Context<'_>,
    #[description = "Channel to join; yours, if left out"]
    #[channel_types("Voice", "Stage")]
    channel: Option<GuildChannel>,
) -> Result<(), Error> {
    let desk = Desk::of(ctx)?;
    let asked = channel.map(|channel| channel.id);
    let channel = where_to(&desk, asked)?;
    let name = channel.mention();
    if desk.is_in(channel) {
        return words::say(ctx, format!("I am in {name} already.")).await;
    }
    change(ctx.data(), desk.guild, |guild| guild.asked_in = Some(ctx.channel_id()))?;
    patiently(ctx, enter(ctx, &desk, channel)).await?;
    words::say(ctx, format!("I am in {name} now.")).await
}

/// Returns the channel to join. Only a DJ can move the bot away from listeners.
fn where_to(desk: &Desk, asked: Option<ChannelId>) -> Result<ChannelId, Error> {
    let Some(channel) = asked.or(desk.channel) else { return desk.meeting() };
    let is_elsewhere = desk.status.channel.is_some_and(|here| here != channel);
    if is_elsewhere && !desk.listeners.is_empty() && desk.status.current.is_some() {
        desk.is_dj()?;
    }
    Ok(channel)
}

/// Joins a channel, if the bot can speak there.
pub(crate) async fn enter(ctx: Context<'_>, desk: &Desk, channel: ChannelId) -> Result<(), Error> {
    guard::can_speak(&ctx.serenity_context().cache, desk.guild, channel)?;
    Ok(desk.player.join(channel).await?)
}
