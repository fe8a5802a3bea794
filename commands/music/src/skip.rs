//! `/skip`: skips to the next track, or over several.

use sdk::prelude::*;

use crate::display;
use crate::guard::MusicContext;

/// Goes on to the next track, or passes over several
#[poise::command(slash_command, guild_only)]
pub(crate) async fn skip(
    ctx: Context<'_>,
    #[description = "How many tracks to pass over; the current one, if left out"]
    #[min = 1]
    #[max = 500]
    count: Option<u32>,
) -> Result<(), Error> {
    let music = MusicContext::of(ctx)?;
    let number = music.current()?.number;
    match count {
        Some(2..) => music.may_steer()?,
        _ => may_skip(&music)?,
    }
    let skipped = music.player.skip_start(number, count.map_or(1, |count| count as usize)).await?;
    display::say(ctx, format!("Skipped {}.", display::those(&skipped))).await
}

/// Refuses users who may not skip the current track. DJs may, and the user who requested it.
pub(crate) fn may_skip(music: &MusicContext) -> Result<(), Error> {
    music.is_listening()?;
    let requester = music.current()?.track.requester.as_ref();
    if requester.is_some_and(|requester| requester.id == music.user) {
        return Ok(());
    }
    music.is_dj_or("; /voteskip asks them")
}
