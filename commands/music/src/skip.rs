//! `/skip`: skips to the next track, or over several.

use sdk::prelude::*;

use crate::guard::Desk;
use crate::words;

/// Goes on to the next track, or passes over several
#[poise::command(slash_command, guild_only)]
pub(crate) async fn skip(
    ctx: Context<'_>,
    #[description = "How many tracks to pass over; the current one, if left out"]
    #[min = 1]
    #[max = 500]
    count: Option<u32>,
) -> Result<(), Error> {
    let desk = Desk::of(ctx)?;
    let number = desk.current()?.number;
    match count {
        Some(2..) => desk.may_steer()?,
        _ => may_skip(&desk)?,
    }
    let skipped = desk.player.skip_start(number, count.map_or(1, |count| count as usize)).await?;
    words::say(ctx, format!("Skipped {}.", words::those(&skipped))).await
}

/// Refuses users who may not skip the current track. DJs may, and the user who requested it.
pub(crate) fn may_skip(desk: &Desk) -> Result<(), Error> {
    desk.is_listening()?;
    let requester = desk.current()?.track.requester.as_ref();
    if requester.is_some_and(|requester| requester.id == desk.user) {
        return Ok(());
    }
    desk.is_dj_or("; /voteskip asks them")
}
