//! `/lyrics`: shows the lyrics of a song, from LRCLIB or a similar server.

use sdk::prelude::*;
use sdk::text;
use sdk::voice::Lyrics;
use serenity::{CreateEmbed, CreateEmbedFooter};

use crate::defer::defer_if_slow;
use crate::guard::MusicContext;
use crate::look::COLOR;
use crate::pace;

/// Maximum number of characters of all embeds of a message, less those of the title and the footer. Source: "Embed
/// Limits" in Discord's documentation.
const ROOM: usize = 5_700;

/// Maximum number of characters of a title, and of an artist, as shown: both together fit an embed's title.
const NAME: usize = (text::EMBED_TITLE - 3) / 2;

/// Shows the words of what is on, or of another song
///
/// With /play, one person has at most 12 things a minute looked up.
#[poise::command(slash_command, guild_only)]
pub(crate) async fn lyrics(
    ctx: Context<'_>,
    #[description = "Title, best with the artist; what is on, if left out"]
    #[max_length = 200]
    song: Option<String>,
) -> Result<(), Error> {
    let music = MusicContext::of(ctx)?;
    let client = ctx.data().voice().lyrics(&ctx.data().settings())?;
    let asked = match song.as_deref() {
        Some(song) => client.find(song, None, None),
        None => {
            let track = &music.current()?.track;
            client.find(&track.title, track.artist.as_deref(), track.duration)
        }
    };
    pace::count(ctx.data(), music.user)?;
    let lyrics = {
        let _permit = music.data.voice().sources().admit(music.caller())?;
        defer_if_slow(ctx, async { Ok(asked.await?) }).await?
    };
    let mut reply = poise::CreateReply::default();
    for embed in shown(&lyrics) {
        reply = reply.embed(embed);
    }
    ctx.send(reply).await?;
    Ok(())
}

/// Creates one embed with the lyrics, or two if they are long.
fn shown(lyrics: &Lyrics) -> Vec<CreateEmbed> {
    let [title, artist] = [&lyrics.title, &lyrics.artist].map(|name| foreign(name, Surface::Line, NAME));
    let title = format!("{title} – {artist}");
    let body = if lyrics.is_instrumental {
        "It has no words.".to_owned()
    } else {
        foreign(&lyrics.plain, Surface::Lines, ROOM)
    };
    let (first, rest) = split(&body);
    let mut embeds = vec![CreateEmbed::new().title(title).description(first).color(COLOR)];
    if let Some(rest) = rest {
        embeds.push(CreateEmbed::new().description(rest).color(COLOR));
    }
    let last = embeds.pop().unwrap_or_default();
    embeds.push(last.footer(CreateEmbedFooter::new("from LRCLIB")));
    embeds
}

/// Splits a text that is too long for one embed between two lines. Returns the first part, and the rest if there is
/// any.
fn split(text: &str) -> (String, Option<String>) {
    let Some((most, _)) = text.char_indices().nth(text::EMBED_DESCRIPTION) else {
        return (text.to_owned(), None);
    };
    let at = text[..most].rfind('\n').filter(|at| *at > most / 2).unwrap_or(most);
    // Never between a backslash and the character that it escapes.
    let escapes = text[..at].len() - text[..at].trim_end_matches('\\').len();
    let at = at - escapes % 2;
    (text[..at].to_owned(), Some(text[at..].trim_start().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptions(plain: &str) -> Vec<String> {
        let lyrics = Lyrics { title: "Song".to_owned(), plain: plain.to_owned(), ..Lyrics::default() };
        let embeds = shown(&lyrics).into_iter().map(|embed| serde_json::to_value(embed).unwrap());
        embeds.map(|embed| embed["description"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn long_lyrics_are_split_between_lines_within_discords_limits() {
        assert_eq!(descriptions("la\nla"), ["la\nla"]);
        let line = "ä".repeat(99);
        let parts = descriptions(&format!("{line}\n").repeat(200));
        assert_eq!(parts.len(), 2);
        let lengths = parts.iter().map(|part| part.chars().count());
        assert!(lengths.clone().all(|length| length <= text::EMBED_DESCRIPTION), "{parts:?}");
        assert!(lengths.sum::<usize>() <= ROOM);
        assert!(parts[0].ends_with(&line) && parts[1].starts_with(&line));
        assert_eq!(descriptions(&"x".repeat(5_000)).len(), 2);
        for before in ["", "x"] {
            let parts = descriptions(&format!("{before}{}", "*".repeat(3_000)));
            assert!(
                parts.iter().all(|part| part.matches('\\').count() == part.matches('*').count()),
                "{parts:?}"
            );
            assert!(parts[0].ends_with(r"\*") && parts[1].starts_with(r"\*"), "{parts:?}");
        }
    }

    #[test]
    fn lyrics_mark_nothing_up_and_hold_no_controls() {
        assert_eq!(
            descriptions("# la\u{202e}\n[la](https://evil.example)"),
            ["\\# la\n\\[la\\](https\\://evil.example)"]
        );
    }

    #[test]
    fn the_longest_names_fit_a_title() {
        let name = "*".repeat(500);
        let lyrics = Lyrics { title: name.clone(), artist: name, ..Lyrics::default() };
        let embed = serde_json::to_value(&shown(&lyrics)[0]).unwrap();
        let title = embed["title"].as_str().unwrap();
        assert!(title.chars().count() <= 256 && title.contains(r"\* – ") | title.contains("… – "), "{title}");
    }

    #[test]
    fn an_instrumental_says_so() {
        let lyrics = Lyrics { is_instrumental: true, ..Lyrics::default() };
        let embed = serde_json::to_value(&shown(&lyrics)[0]).unwrap();
        assert_eq!(embed["description"], "It has no words.");
    }
}
