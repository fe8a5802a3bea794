//! `/join`: joins a voice channel.

use sdk::prelude::*;
use sdk::voice::ConnectionState;
use serenity::{ChannelId, GuildChannel, Mentionable as _};

use crate::defer::defer_if_slow;
use crate::display;
use crate::guard::{self, MusicContext};
use crate::state::change;

/// Joins your voice channel, or moves there and plays on
#[poise::command(slash_command, guild_only)]
pub(crate) async fn join(
    ctx: Context<'_>,
    #[description = "Channel to join; yours, if left out"]
    #[channel_types("Voice", "Stage")]
    channel: Option<GuildChannel>,
) -> Result<(), Error> {
    let music = MusicContext::of(ctx)?;
    let asked = channel.map(|channel| channel.id);
    let channel = where_to(&music, asked)?;
    let name = channel.mention();
    if music.is_in(channel) && music.status.connection == ConnectionState::Connected {
        return display::say(ctx, format!("I am in {name} already.")).await;
    }
    change(ctx.data(), music.guild, |guild| guild.asked_in = Some(ctx.channel_id()))?;
    defer_if_slow(ctx, enter(ctx, &music, channel)).await?;
    display::say(ctx, format!("I am in {name} now.")).await
}

/// Returns the channel to join. Only a DJ can move the bot away from listeners.
fn where_to(music: &MusicContext, asked: Option<ChannelId>) -> Result<ChannelId, Error> {
    let Some(channel) = asked.or(music.channel) else { return music.meeting() };
    let is_elsewhere = music.status.channel.is_some_and(|here| here != channel);
    if is_elsewhere && !music.listeners.is_empty() && music.status.current.is_some() {
        music.is_dj()?;
    }
    Ok(channel)
}

/// Joins a channel, if the bot can speak there.
pub(crate) async fn enter(ctx: Context<'_>, music: &MusicContext, channel: ChannelId) -> Result<(), Error> {
    guard::can_speak(&ctx.serenity_context().cache, music.guild, channel)?;
    Ok(music.player.join(channel).await?)
}
