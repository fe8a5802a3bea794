//! `/voteskip`: the listeners skip a track together.

use sdk::prelude::*;
use sdk::voice::VoiceError;

use crate::display;
use crate::guard::MusicContext;
use crate::state::change;

/// Votes to skip the track that is on
#[poise::command(slash_command, guild_only)]
pub(crate) async fn voteskip(ctx: Context<'_>) -> Result<(), Error> {
    let music = MusicContext::of(ctx)?;
    music.current()?;
    music.is_listening()?;
    let words = vote(&music).await?;
    display::say(ctx, words).await
}

/// Counts the vote of a listener, and skips the track if it is the last one needed. Returns the text of the answer.
pub(crate) async fn vote(music: &MusicContext) -> Result<String, Error> {
    let current = music.current()?;
    let ratio = music.settings.vote_ratio;
    let tally = change(&music.data, music.guild, |guild| {
        guild.votes.cast(current.number, music.user, &music.listeners, ratio)
    })?;
    let tally = tally.ok_or(VoiceError::TrackOver)?;
    let (title, votes, needed) = (display::bold(&current.track), tally.votes, tally.needed);
    if tally.is_enough() {
        music.player.skip_start(current.number, 1).await?;
        Ok(format!("Skipped {title} with {votes} of {needed} votes."))
    } else if tally.is_new {
        Ok(format!("A vote to skip {title}: {votes} of {needed}."))
    } else {
        Err(Refusal::new(format!("You have voted already; it is {votes} of {needed} votes.")).into())
    }
}
