//! `/voteskip`: the listeners skip a track together.

use sdk::prelude::*;
use sdk::voice::VoiceError;

use crate::guard::Desk;
use crate::memory::change;
use crate::words;

/// Votes to skip the track that is on
#[poise::command(slash_command, guild_only)]
pub(crate) async fn voteskip(ctx: Context<'_>) -> Result<(), Error> {
    let desk = Desk::of(ctx)?;
    desk.current()?;
    desk.is_listening()?;
    let words = vote(&desk).await?;
    words::say(ctx, words).await
}

/// Counts the vote of a listener, and skips the track if it is the last one needed. Returns the text of the answer.
pub(crate) async fn vote(desk: &Desk) -> Result<String, Error> {
    let current = desk.current()?;
    let ratio = desk.settings.vote_ratio;
    let tally = change(&desk.data, desk.guild, |guild| {
        guild.votes.cast(current.number, desk.user, &desk.listeners, ratio)
    })?;
    let tally = tally.ok_or(VoiceError::TrackOver)?;
    let (title, votes, needed) = (words::bold(&current.track), tally.votes, tally.needed);
    if tally.is_enough() {
        desk.player.skip_start(current.number, 1).await?;
        Ok(format!("Skipped {title} with {votes} of {needed} votes."))
    } else if tally.is_new {
        Ok(format!("A vote to skip {title}: {votes} of {needed}."))
    } else {
        Err(Refusal::new(format!("You have voted already; it is {votes} of {needed} votes.")).into())
    }
}
