//! `/resume`: continues after a pause.

use sdk::prelude::*;

use crate::guard::Desk;
use crate::words;

/// Plays on after a pause
#[poise::command(slash_command, guild_only)]
pub(crate) async fn resume(ctx: Context<'_>) -> Result<(), Error> {
    let desk = Desk::steering(ctx)?;
    desk.player.resume().await?;
    words::say(ctx, "Playing on.".to_owned()).await
}
