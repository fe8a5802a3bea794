//! `/leave`: leaves the voice channel.

use sdk::prelude::*;
use sdk::voice::VoiceError;
use serenity::Mentionable as _;

use crate::display;
use crate::guard::MusicContext;
use crate::state::change;

/// Leaves the voice channel and empties the queue
#[poise::command(slash_command, guild_only)]
pub(crate) async fn leave(ctx: Context<'_>) -> Result<(), Error> {
    let music = MusicContext::of(ctx)?;
    let channel = music.status.channel.ok_or(VoiceError::NotConnected)?;
    // Without listeners, the user need not join first.
    if !music.listeners.is_empty() {
        music.may_steer()?;
    }
    // The user knows that the bot leaves, so no message about it is needed.
    change(ctx.data(), music.guild, |guild| guild.asked_in = None)?;
    music.player.leave().await?;
    display::say(ctx, format!("I have left {}.", channel.mention())).await
}
