//! Text for people: durations, counts, texts shortened to Discord's limits, and [untrusted text](foreign()) made safe.

use std::fmt::Display;
use std::io::Write as _;
use std::time::Duration;

mod foreign;

pub use foreign::{Surface, foreign, is_control};

/// Maximum number of characters of a message's content.
pub const MESSAGE: usize = 2000;
/// Maximum number of characters of an embed's description.
pub const EMBED_DESCRIPTION: usize = 4096;
/// Maximum number of characters of an embed field's value.
pub const EMBED_FIELD: usize = 1024;
/// Maximum number of characters of an embed's title.
pub const EMBED_TITLE: usize = 256;
/// Maximum number of characters of an embed's footer.
pub const EMBED_FOOTER: usize = 2048;

/// Writes lines to standard error, with control characters escaped. Errors are ignored: the reader may be gone.
pub fn write_error(lines: impl Display) {
    fn write(text: &str) {
        let mut error = std::io::stderr().lock();
        for line in text.split('\n') {
            let _ = writeln!(error, "{}", foreign(line, Surface::Log, usize::MAX));
        }
    }
    write(&lines.to_string());
}

/// Returns the text of an answer as a message accepts it: without control characters except line breaks, and shortened
/// to [`MESSAGE`] characters.
pub(crate) fn message(words: &str) -> String {
    cut(words.replace(|character| is_control(character) && character != '\n', " "), MESSAGE)
}

/// Returns `text`, shortened to at most `most` characters. If something was cut off, the last one is an ellipsis.
pub fn cut(text: impl Into<String>, most: usize) -> String {
    fn cut(mut text: String, most: usize) -> String {
        if text.chars().count() > most {
            let kept = text.char_indices().nth(most.saturating_sub(1)).map_or(0, |(index, _)| index);
            text.truncate(kept);
            if most > 0 {
                text.push('…');
            }
        }
        text
    }
    cut(text.into(), most)
}

/// Formats a number with its noun: `1 vote`, `2 votes`, `2 entries`.
pub fn count(number: usize, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if number == 1 => format!("1 {noun}"),
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{number} {stem}ies"),
        _ => format!("{number} {noun}s"),
    }
}

/// Formats a sentence so that it can follow a colon: without its full stop, and without the capital of its first word
/// unless that is a name or "I".
pub fn clause(sentence: &str) -> String {
    const FIRST: [&str; 9] = ["It", "Its", "That", "The", "There", "This", "Only", "Nothing", "Nobody"];
    let sentence = sentence.trim().trim_end_matches('.');
    let first = sentence.split(|character: char| !character.is_alphabetic()).next().unwrap_or_default();
    if FIRST.contains(&first) {
        format!("{}{}", first.to_lowercase(), &sentence[first.len()..])
    } else {
        sentence.to_owned()
    }
}

/// Returns the seconds of a unit of time, by a word in lower case: `s`, `sec`, `second`, `seconds`, and so on up to weeks.
pub fn unit(word: &str) -> Option<u64> {
    Some(match word {
        "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 604_800,
        _ => return None,
    })
}

/// Parses a duration: numbers with units, one after the other. `unit` returns the seconds of a unit's word in lower case, which
/// is empty for a number without one. `None` if it is no duration.
pub fn parse_duration(text: &str, unit: &dyn Fn(&str) -> Option<u64>) -> Option<Duration> {
    let mut rest = text.trim();
    let mut seconds: Option<u64> = None;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u64 = rest[..digits].parse().ok()?;
        let after = rest[digits..].trim_start();
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let factor = unit(&after[..letters].to_ascii_lowercase())?;
        seconds = Some(seconds.unwrap_or_default().checked_add(number.checked_mul(factor)?)?);
        rest = after[letters..].trim_start();
    }
    seconds.map(Duration::from_secs)
}

/// Formats a duration in its two largest units: `3 days 4 hours`, `5 minutes`, `12 seconds`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let Some(largest) = units.iter().position(|(unit, _)| seconds >= *unit) else {
        return "less than a second".to_owned();
    };
    let (unit, noun) = units[largest];
    let mut words = count(whole(seconds / unit), noun);
    if let Some((smaller, noun)) = units.get(largest + 1)
        && seconds % unit >= *smaller
    {
        words.push(' ');
        words.push_str(&count(whole(seconds % unit / smaller), noun));
    }
    words
}

/// Formats a time as on a player: `3:07`, `1:02:45`.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours == 0 { format!("{minutes}:{seconds:02}") } else { format!("{hours}:{minutes:02}:{seconds:02}") }
}

fn whole(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_says_so() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
        assert_eq!(cut("äöüß", 1), "…");
        assert_eq!(cut("äöüß", 0), "");
        assert_eq!(cut("x".repeat(5000), MESSAGE).chars().count(), MESSAGE);
    }

    #[test]
    fn more_than_one_is_a_plural() {
        assert_eq!(count(1, "entry"), "1 entry");
        assert_eq!(count(2, "entry"), "2 entries");
        assert_eq!(count(0, "day"), "0 days");
    }

    #[test]
    fn a_sentence_goes_on_after_a_colon() {
        assert_eq!(clause("Its source is gone."), "its source is gone");
        assert_eq!(clause("I find nothing there."), "I find nothing there");
        assert_eq!(clause("Discord did not answer..."), "Discord did not answer");
        assert_eq!(clause("Italian is fine"), "Italian is fine");
        assert_eq!(clause(""), "");
    }

    #[test]
    fn durations_are_told_in_their_two_largest_units() {
        for (seconds, words) in [
            (0, "less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (61, "1 minute 1 second"),
            (3_600, "1 hour"),
            (3_659, "1 hour"),
            (7_380, "2 hours 3 minutes"),
            (86_400 * 3 + 3_600, "3 days 1 hour"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), words);
        }
    }
}
