//! `/jump`: skips to a waiting track.

use sdk::prelude::*;

use crate::guard::Desk;
use crate::{choose, words};

/// Goes straight to a waiting track, passing over those before it
#[poise::command(slash_command, guild_only)]
pub(crate) async fn jump(
    ctx: Context<'_>,
    #[description = "Number of the track in the queue"]
    #[autocomplete = "choose::waiting"]
    #[min = 1]
    track: u32,
) -> Result<(), Error> {
    let desk = Desk::steering(ctx)?;
    let track = desk.player.jump(track as usize).await?;
    words::say(ctx, format!("On to {}.", words::bold(&track))).await
}
