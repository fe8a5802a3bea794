//! `/leave`: leaves the voice channel.

use sdk::prelude::*;
use sdk::voice::VoiceError;
use serenity::Mentionable as _;

use crate::guard::Desk;
use crate::memory::change;
use crate::words;

/// Leaves the voice channel and empties the queue
#[poise::command(slash_command, guild_only)]
pub(crate) async fn leave(ctx: Context<'_>) -> Result<(), Error> {
    let desk = Desk::of(ctx)?;
    let channel = desk.status.channel.ok_or(VoiceError::NotConnected)?;
    // Without listeners, the user need not join first.
    if !desk.listeners.is_empty() {
        desk.may_steer()?;
    }
    // The user knows that the bot leaves, so no message about it is needed.
    change(ctx.data(), desk.guild, |guild| guild.asked_in = None)?;
    desk.player.leave().await?;
    words::say(ctx, format!("I have left {}.", channel.mention())).await
}
