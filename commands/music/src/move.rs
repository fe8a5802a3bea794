//! `/move`: moves a waiting track to another position.

use sdk::prelude::*;

use crate::guard::MusicContext;
use crate::{choose, display};

/// Moves a waiting track to another place in the queue
#[poise::command(slash_command, guild_only, rename = "move")]
pub(crate) async fn reorder(
    ctx: Context<'_>,
    #[description = "Number of the track in the queue"]
    #[autocomplete = "choose::waiting"]
    #[min = 1]
    from: u32,
    #[description = "Number that it gets; 1 is played next"]
    #[min = 1]
    to: u32,
) -> Result<(), Error> {
    let music = MusicContext::steering(ctx)?;
    let track = music.player.move_track(from as usize, to as usize).await?;
    display::say(ctx, format!("{} is number {to} in the queue now.", display::bold(&track))).await
}
