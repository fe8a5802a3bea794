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
    plain_within(text, TITLE)
}

/// As [`plain`], of at most so many characters, and as many again that keep them as they are.
pub(crate) fn plain_within(text: &str, most: usize) -> String {
    let shown = text::cut(text.trim(), most);
    let mut words = String::new();
    for (index, character) in shown.char_indices() {
        let rest = &shown[index..];
        let is_markup = match character {
            '\\' | '*' | '_' | '`' | '[' | ']' | '<' | '@' => true,
            // Twice they strike out and hide.
            '~' | '|' => rest[1..].starts_with(character) || shown[..index].ends_with(character),
            // An address would be a link.
            ':' => rest.starts_with("://"),
            // At the beginning of a line they make headings, quotes and lists.
            '#' | '>' | '-' | '+' => index == 0,
            '.' => index > 0 && shown[..index].bytes().all(|byte| byte.is_ascii_digit()),
            _ => false,
        };
        match character {
            _ if is_markup => words.extend(['\\', character]),
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

/// Writes a track's length, where it is known; `about 3:00` where it is an estimate.
pub(crate) fn length(track: &Track) -> Option<String> {
    let about = if track.is_about { "about " } else { "" };
    track.duration.map(|length| format!("{about}{}", text::clock(length)))
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
        assert_eq!(plain("*@everyone* <@1>\n[x](y)"), r"\*\@everyone\* \<\@1> \[x\](y)");
        assert_eq!(plain(&"x".repeat(500)).chars().count(), TITLE);
        assert_eq!(bold(&track("a_b")), r"**a\_b**");
        assert_eq!(plain("||no|| ~~no~~ http://no.example"), r"\|\|no\|\| \~\~no\~\~ http\://no.example");
        assert_eq!((plain("# no").as_str(), plain("1. no").as_str()), (r"\# no", r"1\. no"));
        assert_eq!((plain("- no").as_str(), plain("> no").as_str()), (r"\- no", r"\> no"));
    }

    #[test]
    fn a_title_that_marks_nothing_up_is_left_as_it_is() {
        for title in ["Hotcord: Melody", "One | Two (live) #3", "No. 5 - it's 4:33 > all, ~ 1.5"] {
            assert_eq!(plain(title), title);
        }
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
