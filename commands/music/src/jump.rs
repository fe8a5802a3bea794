//! `/jump`: skips to a waiting track.

use sdk::prelude::*;

use crate::guard::MusicContext;
use crate::{choose, display};

/// Goes straight to a waiting track, passing over those before it
#[poise::command(slash_command, guild_only)]
pub(crate) async fn jump(
    ctx: Context<'_>,
    #[description = "Number of the track in the queue"]
    #[autocomplete = "choose::waiting"]
    #[min = 1]
    track: u32,
) -> Result<(), Error> {
    let music = MusicContext::steering(ctx)?;
    let track = music.player.jump(track as usize).await?;
    display::say(ctx, format!("On to {}.", display::bold(&track))).await
}
