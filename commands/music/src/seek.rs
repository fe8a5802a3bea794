//! `/seek`: goes to another position in the track.

use std::time::Duration;

use sdk::prelude::*;
use sdk::text;

use crate::defer::defer_if_slow;
use crate::guard::MusicContext;
use crate::{display, time};

/// Goes to another time in the track: 1:30, 90s, +30s, -10s
#[poise::command(slash_command, guild_only)]
pub(crate) async fn seek(
    ctx: Context<'_>,
    #[description = "Time from the beginning, or with + or - from here"]
    #[max_length = 30]
    to: String,
) -> Result<(), Error> {
    let to = time::seek(&to)?;
    let music = MusicContext::of(ctx)?;
    music.current()?;
    music.may_steer()?;
    let sought = music.player.seek(to);
    let position = defer_if_slow(ctx, async { Ok(sought.await?) }).await?;
    // A source may go to a position some milliseconds before the requested one.
    let position = position + Duration::from_millis(500);
    display::say(ctx, format!("On to {}.", text::clock(position))).await
}
