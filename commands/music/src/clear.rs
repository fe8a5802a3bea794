//! `/clear`: empties the queue.

use sdk::prelude::*;
use sdk::text;

use crate::display;
use crate::guard::MusicContext;

/// Empties the queue; the current track plays on
#[poise::command(slash_command, guild_only)]
pub(crate) async fn clear(ctx: Context<'_>) -> Result<(), Error> {
    let music = MusicContext::steering(ctx)?;
    let count = music.player.clear().await?;
    display::say(ctx, format!("The queue is empty; {} taken out.", text::count(count, "track"))).await
}
