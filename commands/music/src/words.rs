//! Tracks in words, safe to show: a title is other people's text.

use std::borrow::Borrow;
use std::time::Duration;

use sdk::prelude::*;
use sdk::text;
use sdk::voice::{Loop, Track};

/// Most characters of a title in a line of text.
const TITLE: usize = 80;
/// Most bytes of an address that is linked in a line of text, so that a page of lines fits an embed.
const LINK: usize = 160;

/// Writes a title, or any text of others, so that Discord shows it as it is.
pub(crate) fn plain(text: &str) -> String {
    let mut words = String::new();
    for character in text::cut(text.trim(), TITLE).chars() {
        match character {
            '\\' | '*' | '_' | '~' | '`' | '|' | '[' | ']' | '(' | ')' | '<' | '>' | '@' | '#' | ':' => {
                words.extend(['\\', character]);
            }
            character if character.is_control() => words.push(' '),
            character => words.push(character),
        }
    }
    words
}

/// Writes a track's title in bold.
pub(crate) fn bold(track: &Track) -> String {
    format!("**{}**", plain(&track.label()))
}

/// Writes a track's title as a link to its page, if it has one.
pub(crate) fn linked(track: &Track) -> String {
    let title = plain(&track.label());
    match &track.url {
        Some(url) if url.len() <= LINK && !url.contains([' ', '(', ')', '<', '>']) => {
            format!("[{title}]({url})")
        }
        _ => title,
    }
}

/// Writes several tracks: the one by its title, more by their number.
pub(crate) fn those<T: Borrow<Track>>(tracks: &[T]) -> String {
    match tracks {
        [track] => bold(track.borrow()),
        tracks => text::count(tracks.len(), "track"),
    }
}

/// Writes a time until something is played: ` in 3:20`, or nothing where it is not known.
pub(crate) fn wait(eta: Option<Duration>) -> String {
    eta.map(|eta| format!(", in {}", text::clock(eta))).unwrap_or_default()
}

/// Writes what repeats.
pub(crate) fn repeat(repeat: Loop) -> &'static str {
    match repeat {
        Loop::Off => "nothing repeats",
        Loop::Track => "the track repeats",
        Loop::Queue => "the queue repeats",
    }
}

/// Answers a command with one line for the whole channel, which mentions nobody.
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
        assert_eq!(plain("*@everyone* <@1>\n[x](y)"), r"\*\@everyone\* \<\@1\> \[x\]\(y\)");
        assert_eq!(plain(&"x".repeat(500)).chars().count(), TITLE);
        assert_eq!(bold(&track("a_b")), r"**a\_b**");
    }

    #[test]
    fn a_link_is_one_only_where_its_address_cannot_break_it() {
        let mut song = track("Song");
        assert_eq!(linked(&song), "Song");
        song.url = Some("https://example.org/song".to_owned());
        assert_eq!(linked(&song), "[Song](https://example.org/song)");
        song.url = Some("https://example.org/a) [b](c".to_owned());
        assert_eq!(linked(&song), "Song");
    }

    #[test]
    fn several_tracks_are_counted() {
        let tracks = ["One", "Two"].map(|title| std::sync::Arc::new(track(title)));
        assert_eq!(those(&tracks[..1]), "**One**");
        assert_eq!(those(&tracks), "2 tracks");
    }
}
