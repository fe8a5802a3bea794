//! `/remove`: waiting tracks out of the queue.

use sdk::prelude::*;

use crate::guard::Desk;
use crate::{choose, words};

/// Takes a waiting track out of the queue, or several
#[poise::command(slash_command, guild_only)]
pub(crate) async fn remove(
    ctx: Context<'_>,
    #[description = "Number of the track in the queue"]
    #[autocomplete = "choose::waiting"]
    #[min = 1]
    track: u32,
    #[description = "Number of the last one, to take out all from the first to it"]
    #[autocomplete = "choose::waiting"]
    #[min = 1]
    to: Option<u32>,
) -> Result<(), Error> {
    let desk = Desk::listening(ctx)?;
    let (one, other) = (track as usize, to.unwrap_or(track) as usize);
    let positions = one.min(other)..=one.max(other);
    if !is_own(&desk, *positions.start(), *positions.end()) {
        desk.is_dj()?;
    }
    let removed = desk.player.remove(positions).await?;
    words::say(ctx, format!("{} taken out of the queue.", words::those(&removed))).await
}

/// Says whether who asks has put all of these tracks there.
fn is_own(desk: &Desk, first: usize, last: usize) -> bool {
    let tracks = desk.status.upcoming.get(first.wrapping_sub(1)..last).unwrap_or_default();
    let mut requesters = tracks.iter().map(|track| track.requester.as_ref());
    !tracks.is_empty() && requesters.all(|requester| requester.is_some_and(|one| one.id == desk.user))
}
