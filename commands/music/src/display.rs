//! Texts about tracks. Titles are untrusted, so they are escaped.

use std::borrow::Borrow;
use std::time::Duration;

use sdk::prelude::*;
use sdk::text;
use sdk::voice::{Loop, Track};

/// Maximum number of characters of a title in a line of text, as shown.
const TITLE: usize = 100;
/// Maximum number of bytes of an address that is linked in a line of text, so that a page of lines fits an embed.
const LINK: usize = 160;

/// Returns a title, or any untrusted text, escaped and shortened for a line of text.
pub(crate) fn plain(text: &str) -> String {
    foreign(text, Surface::Line, TITLE)
}

pub(crate) fn bold(track: &Track) -> String {
    format!("**{}**", plain(&track.label()))
}

/// Returns a track's title as a link to its page, if it has one.
pub(crate) fn linked(track: &Track) -> String {
    let title = plain(&track.label());
    match &track.url {
        Some(url) if url.len() <= LINK && !url.contains(breaks_a_link) => {
            format!("[{title}]({url})")
        }
        _ => title,
    }
}

/// Returns whether a character in an address could end the link around it.
fn breaks_a_link(character: char) -> bool {
    matches!(character, ' ' | '(' | ')' | '<' | '>') || text::is_control(character)
}

/// Describes tracks: a single one by its title, several by their number.
pub(crate) fn those<T: Borrow<Track>>(tracks: &[T]) -> String {
    match tracks {
        [track] => bold(track.borrow()),
        tracks => text::count(tracks.len(), "track"),
    }
}

/// Formats the time until something is played: `, in 3:20`, or nothing if it is not known.
pub(crate) fn wait(eta: Option<Duration>) -> String {
    eta.map(|eta| format!(", in {}", text::clock(eta))).unwrap_or_default()
}

/// Formats a track's length, if known; `about 3:00` if it is an estimate.
pub(crate) fn length(track: &Track) -> Option<String> {
    let about = if track.is_about { "about " } else { "" };
    track.duration.map(|length| format!("{about}{}", text::clock(length)))
}

/// Describes what repeats.
pub(crate) fn repeat(repeat: Loop) -> &'static str {
    match repeat {
        Loop::Off => "nothing repeats",
        Loop::Track => "the track repeats",
        Loop::Queue => "the queue repeats",
    }
}

/// Answers a command with one line for the whole channel, which mentions no user.
pub(crate) async fn say(ctx: Context<'_>, words: String) -> Result<(), Error> {
    let nobody = serenity::CreateAllowedMentions::new();
    ctx.send(poise::CreateReply::default().content(words).allowed_mentions(nobody)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use sdk::voice::Playable;

    use super::*;

    fn track(title: &str) -> Track {
        Track::new(title, Playable::Library { path: "song.ogg".to_owned() })
    }

    #[test]
    fn a_title_mentions_nobody_and_marks_nothing_up() {
        assert_eq!(bold(&track("a_b\u{202e}")), r"**a\_b**");
        assert_eq!(plain(&"x".repeat(500)).chars().count(), TITLE);
    }

    #[test]
    fn a_link_is_one_only_where_its_address_cannot_break_it() {
        let mut song = track("Song");
        assert_eq!(linked(&song), "Song");
        song.url = Some("https://example.org/song".to_owned());
        assert_eq!(linked(&song), "[Song](https://example.org/song)");
        for url in ["https://example.org/a) [b](c", "https://example.org/\u{202e}gpj.song"] {
            song.url = Some(url.to_owned());
            assert_eq!(linked(&song), "Song");
        }
    }

    #[test]
    fn several_tracks_are_counted() {
        let tracks = ["One", "Two"].map(|title| std::sync::Arc::new(track(title)));
        assert_eq!(those(&tracks[..1]), "**One**");
        assert_eq!(those(&tracks), "2 tracks");
    }
}
