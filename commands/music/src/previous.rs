//! `/previous`: goes back to the previous track.

use sdk::prelude::*;

use crate::guard::Desk;
use crate::words;

/// Goes back to the track before; the current one comes next
#[poise::command(slash_command, guild_only)]
pub(crate) async fn previous(ctx: Context<'_>) -> Result<(), Error> {
    let desk = Desk::steering(ctx)?;
    let track = desk.player.previous().await?;
    words::say(ctx, format!("Back to {}.", words::bold(&track))).await
}
