//! `/remove`: removes waiting tracks from the queue.

use std::sync::Arc;

use sdk::prelude::*;
use sdk::voice::Track;

use crate::guard::MusicContext;
use crate::{choose, display};

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
    let music = MusicContext::listening(ctx)?;
    let (one, other) = (track.max(1) as usize, to.unwrap_or(track).max(1) as usize);
    let positions = one.min(other)..=one.max(other);
    let tracks = music.status.upcoming.get(*positions.start() - 1..*positions.end()).unwrap_or_default();
    if !is_own(&music, tracks) {
        music.is_dj()?;
    }
    let removed = match tracks {
        // The player returns the reason.
        [] => music.player.remove(positions).await?,
        // Other tracks may have these numbers by now.
        tracks => music.player.remove_those(*positions.start(), tracks.to_vec()).await?,
    };
    display::say(ctx, format!("{} taken out of the queue.", display::those(&removed))).await
}

/// Returns whether the user has added all of these tracks.
fn is_own(music: &MusicContext, tracks: &[Arc<Track>]) -> bool {
    let mut requesters = tracks.iter().map(|track| track.requester.as_ref());
    !tracks.is_empty() && requesters.all(|requester| requester.is_some_and(|one| one.id == music.user))
}
