//! `/shuffle`: puts the queue into a random order.

use sdk::prelude::*;
use sdk::text;

use crate::guard::Desk;
use crate::words;

/// Puts what waits into a random order
#[poise::command(slash_command, guild_only)]
pub(crate) async fn shuffle(ctx: Context<'_>) -> Result<(), Error> {
    let desk = Desk::steering(ctx)?;
    let count = desk.player.shuffle().await?;
    words::say(ctx, format!("{} in a new order.", text::count(count, "track"))).await
}
