//! `/shuffle`: puts the queue into a random order.

use sdk::prelude::*;
use sdk::text;

use crate::display;
use crate::guard::MusicContext;

/// Puts what waits into a random order
#[poise::command(slash_command, guild_only)]
pub(crate) async fn shuffle(ctx: Context<'_>) -> Result<(), Error> {
    let music = MusicContext::steering(ctx)?;
    let count = music.player.shuffle().await?;
    display::say(ctx, format!("{} in a new order.", text::count(count, "track"))).await
}
