//! `/previous`: goes back to the previous track.

use sdk::prelude::*;

use crate::display;
use crate::guard::MusicContext;

/// Goes back to the track before; the current one comes next
#[poise::command(slash_command, guild_only)]
pub(crate) async fn previous(ctx: Context<'_>) -> Result<(), Error> {
    let music = MusicContext::steering(ctx)?;
    let track = music.player.previous().await?;
    display::say(ctx, format!("Back to {}.", display::bold(&track))).await
}
