//! `/pause`: pauses the music until `/resume`.

use sdk::prelude::*;

use crate::display;
use crate::guard::MusicContext;

/// Pauses the music
#[poise::command(slash_command, guild_only)]
pub(crate) async fn pause(ctx: Context<'_>) -> Result<(), Error> {
    let music = MusicContext::steering(ctx)?;
    music.player.pause().await?;
    display::say(ctx, "Paused; /resume plays on.".to_owned()).await
}
