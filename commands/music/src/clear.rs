//! `/clear`: empties the queue.

use sdk::prelude::*;
use sdk::text;

use crate::guard::Desk;
use crate::words;

/// Empties the queue; the current track plays on
#[poise::command(slash_command, guild_only)]
pub(crate) async fn clear(ctx: Context<'_>) -> Result<(), Error> {
    let desk = Desk::steering(ctx)?;
    let count = desk.player.clear().await?;
    words::say(ctx, format!("The queue is empty; {} taken out.", text::count(count, "track"))).await
}
