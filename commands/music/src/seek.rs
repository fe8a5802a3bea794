//! `/seek`: goes to another position in the track.

use std::time::Duration;

use sdk::prelude::*;
use sdk::text;

use crate::guard::Desk;
use crate::wait::patiently;
use crate::{time, words};

/// Goes to another time in the track: 1:30, 90s, +30s, -10s
#[poise::command(slash_command, guild_only)]
pub(crate) async fn seek(
    ctx: Context<'_>,
    #[description = "Time from the beginning, or with + or - from here"]
    #[max_length = 30]
    to: String,
) -> Result<(), Error> {
    let to = time::seek(&to)?;
    let desk = Desk::of(ctx)?;
    desk.current()?;
    desk.may_steer()?;
    let sought = desk.player.seek(to);
    let position = patiently(ctx, async { Ok(sought.await?) }).await?;
    // A source may go to a position some milliseconds before the requested one.
    let position = position + Duration::from_millis(500);
    words::say(ctx, format!("On to {}.", text::clock(position))).await
}
