//! `/play`: plays an address, a file, a track of the library, or the result of a search.

use sdk::autocomplete::{CHOICE, CHOICES};
use sdk::prelude::*;
use sdk::text;
use sdk::voice::queue::MAX_SHARE;
use sdk::voice::source::{Limits, Query, Resolved};
use sdk::voice::{At, Enqueued, Requester, SourceKind};
use serenity::{Attachment, AutocompleteChoice, ChannelId, CreateAutocompleteResponse};

use crate::defer::defer_if_slow;
use crate::display;
use crate::guard::MusicContext;
use crate::join::enter;
use crate::pace;
use crate::state::change;

/// Where new tracks are added.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
pub(crate) enum MessageRef {
    #[name = "end of the queue"]
    End,
    #[name = "next"]
    Next,
    #[name = "now"]
    Now,
}

/// Plays an address, a file, a track of the library, or what a search finds
///
/// At most 500 tracks wait, of them at most 250 of one person. That does not hold for managers of the server, members with
/// the DJ role and who listens alone. With /lyrics, one person has at most 12 things a minute looked up
/// outside of the library.
#[poise::command(slash_command, guild_only)]
pub(crate) async fn play(
    ctx: Context<'_>,
    #[description = "Address of a file, stream, page or playlist; or words"]
    #[autocomplete = "complete"]
    #[max_length = 2000]
    what: Option<String>,
    #[description = "Sound file to play"] file: Option<Attachment>,
    #[description = "Where it goes; at the end, if left out"]
    #[rename = "where"]
    place: Option<MessageRef>,
) -> Result<(), Error> {
    let music = MusicContext::of(ctx)?;
    let query = asked(what, file)?;
    let at = match place {
        None | Some(MessageRef::End) => At::End,
        Some(MessageRef::Next) => At::Next,
        Some(MessageRef::Now) => At::Now,
    };
    may_play(&music, at)?;
    if is_counted(&query) {
        pace::count(ctx.data(), music.user)?;
    }
    change(ctx.data(), music.guild, |guild| guild.asked_in = Some(ctx.channel_id()))?;
    let words = defer_if_slow(ctx, put_on(ctx, &music, query, at)).await?;
    display::say(ctx, words).await
}

/// Returns the channel to play in. Refuses users who may not play there, or not ahead of the waiting tracks.
fn may_play(music: &MusicContext, at: At) -> Result<ChannelId, Error> {
    let channel = music.meeting()?;
    if at != At::End && music.status.current.is_some() {
        music.is_dj()?;
    }
    Ok(channel)
}

/// Parses the options, exactly one of which has to be set.
fn asked(what: Option<String>, file: Option<Attachment>) -> Result<Query, Error> {
    match (what, file) {
        (None, Some(file)) => Ok(Query::Attachment { url: file.url, name: file.filename }),
        (Some(what), None) if !what.trim().is_empty() => Ok(Query::from_text(&what)),
        (Some(_), Some(_)) => Err(Refusal::new("Give an address or words, or a file, not both.").into()),
        _ => Err(Refusal::new("Say what to play: an address, words to search for, or a file.").into()),
    }
}

/// Returns whether the look-up counts towards the limit. That of a track chosen from the library does not.
fn is_counted(query: &Query) -> bool {
    !matches!(query, Query::Library(_))
}

/// Finds the tracks, joins the channel and enqueues them. Returns the text of the answer.
async fn put_on(ctx: Context<'_>, music: &MusicContext, query: Query, at: At) -> Result<String, Error> {
    let is_counted = is_counted(&query);
    let mut found = music.data.voice().sources().resolve(query, Limits::default(), music.caller()).await?;
    if is_counted && found.tracks.iter().all(|track| track.source() == SourceKind::Library) {
        pace::give_back(&music.data, music.user)?;
    }
    for track in &mut found.tracks {
        track.requester = Some(Requester { id: music.user, name: music.name.clone() });
    }
    // Meanwhile the bot may have begun to play elsewhere, or the user may have moved.
    let music = MusicContext::of(ctx)?;
    let channel = may_play(&music, at)?;
    if music.status.channel != Some(channel) {
        enter(ctx, &music, channel).await?;
    }
    let enqueued = music.player.enqueue_within(found.tracks.clone(), at, music.share()).await?;
    Ok(told(&found, enqueued))
}

/// Returns a sentence about where the tracks were added, and what was left out.
fn told(found: &Resolved, enqueued: Enqueued) -> String {
    let mut what = display::those(&found.tracks[..enqueued.added.min(found.tracks.len())]);
    if let Some(playlist) = &found.playlist {
        what = format!("{what} of the playlist **{}**", display::plain(playlist));
    }
    let mut words = match enqueued.position {
        0 => format!("Playing {what}"),
        position => format!("Added {what} as number {position} in the queue{}", display::wait(enqueued.eta)),
    };
    if enqueued.left_out > 0 {
        let left_out = text::count(enqueued.left_out, "track");
        words += &format!("; the queue is full, so {left_out} had to stay out");
    }
    if enqueued.over_share > 0 {
        let over = text::count(enqueued.over_share, "track");
        words += &format!("; {MAX_SHARE} tracks is the most for one person, so {over} had to stay out");
    }
    if found.more > 0 {
        let (most, all) = (found.tracks.len(), found.tracks.len() + found.more);
        words +=
            &format!("; those are the first {most} of {all}, which is the most that can be added at once");
    }
    if found.skipped > 0 {
        words += &format!("; {} of it cannot be played here", text::count(found.skipped, "entry"));
    }
    if found.too_long > 0 {
        let are = if found.too_long == 1 { "is" } else { "are" };
        words += &format!("; {} {are} longer than tracks may be here", text::count(found.too_long, "entry"));
    }
    if found.is_core_only {
        words +=
            "; it is HE-AAC, of which I play the lower half of the spectrum, so it sounds duller than it is";
    }
    words.push('.');
    words
}

/// Returns tracks of the library as choices.
async fn complete(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let sources = ctx.data().voice().sources();
    let mut choices = Vec::new();
    for track in sources.find_in_library(partial, CHOICES).await {
        choices.push(AutocompleteChoice::new(
            foreign(&track.label(), Surface::Label, CHOICE),
            Query::choice(&track.id),
        ));
    }
    CreateAutocompleteResponse::new().set_choices(choices)
}

#[cfg(test)]
mod tests {
    use sdk::voice::{Playable, Track};

    use super::*;

    fn found(tracks: usize) -> Resolved {
        let track = Track::new("Song", Playable::Library { path: "song.ogg".to_owned() });
        Resolved { tracks: vec![track; tracks], ..Resolved::default() }
    }

    fn words(found: &Resolved) -> String {
        let added = found.tracks.len();
        told(found, Enqueued { position: 0, added, left_out: 0, over_share: 0, eta: None })
    }

    #[test]
    fn what_is_left_out_is_told_by_why() {
        let all = Resolved { more: 400, ..found(100) };
        let most = "Playing 100 tracks; those are the first 100 of 500, which is the most that can be added at once.";
        assert_eq!(words(&all), most);
        let some = Resolved { skipped: 2, too_long: 1, ..found(3) };
        let left_out = "Playing 3 tracks; 2 entries of it cannot be played here; 1 entry is longer than tracks may be here.";
        assert_eq!(words(&some), left_out);
        assert_eq!(words(&found(1)), "Playing **Song**.");
    }

    #[test]
    fn what_the_queue_and_a_share_of_it_do_not_take_is_told() {
        let found = found(5);
        let told = |left_out, over_share| {
            let added = 5 - left_out - over_share;
            super::told(&found, Enqueued { position: 0, added, left_out, over_share, eta: None })
        };
        assert_eq!(
            told(0, 2),
            "Playing 3 tracks; 250 tracks is the most for one person, so 2 tracks had to stay out."
        );
        assert_eq!(told(1, 0), "Playing 4 tracks; the queue is full, so 1 track had to stay out.");
    }

    #[test]
    fn what_sounds_duller_than_it_is_is_told() {
        let dull = words(&Resolved { is_core_only: true, ..found(1) });
        assert!(dull.starts_with("Playing **Song**; it is HE-AAC"), "{dull}");
    }
}
