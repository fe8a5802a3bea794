//! `/resume`: continues after a pause.

use sdk::prelude::*;

use crate::display;
use crate::guard::MusicContext;

/// Plays on after a pause
#[poise::command(slash_command, guild_only)]
pub(crate) async fn resume(ctx: Context<'_>) -> Result<(), Error> {
    let music = MusicContext::steering(ctx)?;
    music.player.resume().await?;
    display::say(ctx, "Playing on.".to_owned()).await
}
