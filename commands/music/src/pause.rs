//! `/pause`: pauses the music until `/resume`.

use sdk::prelude::*;

use crate::guard::Desk;
use crate::words;

/// Pauses the music
#[poise::command(slash_command, guild_only)]
pub(crate) async fn pause(ctx: Context<'_>) -> Result<(), Error> {
    let desk = Desk::steering(ctx)?;
    desk.player.pause().await?;
    words::say(ctx, "Paused; /resume plays on.".to_owned()).await
}
