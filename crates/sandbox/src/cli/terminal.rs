//! Output to the terminal: foreign text made harmless, and readers that disappear.
//!
//! All output of the command line goes through this module.

use std::fmt::Write as _;
use std::io::{self, Write as _};

pub(super) use sandbox::controls::{escape as inline, is_control};

use super::Failure;

/// Returns the lines of a foreign text, each in the form of [`inline`]. The caller indents them, so that none of them
/// can be taken for the command line's own.
pub(super) fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(inline)
}

/// Returns JSON with its controls as `\u` escapes. They occur only in strings, so its meaning stays the same.
pub(super) fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_control(character) && character != '\n' {
            let _ = write!(shown, "\\u{:04x}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Prints text whose foreign parts are harmless already. Controls that were missed are escaped here.
///
/// A reader that has closed the pipe, as in `sandbox say ... | head -n 1`, is no failure: it has what it wanted.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    write(text).map(|_| ())
}

/// Prints text as one line, whatever it contains.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    print(&format!("{}\n", inline(text)))
}

/// Prints a value as a line of JSON.
pub(super) fn json_line(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(|error| Failure(error.to_string()))?;
    line(&json(&text))
}

/// Prints text and returns whether the output still has a reader.
pub(super) fn write(text: &str) -> Result<bool, Failure> {
    let mut shown = String::with_capacity(text.len());
    for part in text.split_inclusive('\n') {
        let (body, end) = part.strip_suffix('\n').map_or((part, ""), |body| (body, "\n"));
        shown.push_str(&inline(body));
        shown.push_str(end);
    }
    let mut out = io::stdout();
    match out.write_all(shown.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure(format!("the output can't be written: {error}"))),
    }
}

/// Prints a sentence on standard error, which may have no reader.
pub(super) fn warn(sentence: &str) {
    let _ = writeln!(io::stderr(), "sandbox: {}", inline(sentence));
}

/// Waits until the output has no reader any more, even while there is nothing to print. Never returns if that cannot be
/// known, as with a file.
pub(super) async fn reader_gone() {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd as _;

        use tokio::io::Interest;
        use tokio::net::unix::pipe::Sender;
        // Nothing is written through it, so the output may stay in blocking mode.
        let out = io::stdout().as_fd().try_clone_to_owned().and_then(Sender::from_owned_fd_unchecked);
        if let Ok(out) = out
            && out.ready(Interest::ERROR).await.is_ok()
        {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Decodes a stream of UTF-8 that comes in pieces, which may end within a character.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    rest: Vec<u8>,
}

impl Decoder {
    /// Returns the text that is complete so far. Bytes that are not UTF-8 are replaced.
    pub(super) fn text(&mut self, piece: &[u8]) -> String {
        self.rest.extend_from_slice(piece);
        let mut text = String::new();
        let mut at = 0;
        loop {
            match std::str::from_utf8(&self.rest[at..]) {
                Ok(whole) => {
                    text.push_str(whole);
                    at = self.rest.len();
                    break;
                }
                Err(error) => {
                    let whole = at + error.valid_up_to();
                    text.push_str(&String::from_utf8_lossy(&self.rest[at..whole]));
                    at = whole;
                    let Some(wrong) = error.error_len() else { break };
                    text.push(char::REPLACEMENT_CHARACTER);
                    at += wrong;
                }
            }
        }
        self.rest.drain(..at);
        text
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns text with many controls in it.
    pub(crate) fn foreign() -> impl Strategy<Value = String> {
        let nasty = [
            '\0', '\t', '\n', '\r', '\x0b', '\x0c', '\x1b', '\x7f', '\u{85}', '\u{9b}', '\u{61c}', '\u{200f}',
        ]
        .into_iter()
        .chain(['\u{2028}', '\u{2029}', '\u{202e}', '\u{2069}', ' ', '"', '\\', '\u{200d}', 'ß'])
        .collect::<Vec<_>>();
        let character = prop_oneof![2 => prop::sample::select(nasty), 1 => any::<char>()];
        prop::collection::vec(character, 0..40).prop_map(String::from_iter)
    }

    #[test]
    fn what_a_terminal_obeys_is_shown_as_an_escape() {
        assert_eq!(inline("a\x1b]0;title\x07\u{9b}2J\x7f"), "a\\u{1b}]0;title\\u{7}\\u{9b}2J\\u{7f}");
        assert_eq!(
            inline("a\u{202e}b\u{2066}c\u{61c}d\u{200f}e"),
            "a\\u{202e}b\\u{2066}c\\u{61c}d\\u{200f}e"
        );
        assert_eq!(inline("a\nb\rc\td\u{2028}e\u{85}f"), "a\\nb\\rc    d\\u{2028}e\\u{85}f");
        // Joiners of emoji, and other languages, stay.
        let plain = "héllo 👩\u{200d}👩\u{200d}👧 שלום 🏴󠁧󠁢󠁥󠁮󠁧󠁿 \u{ad}";
        assert_eq!(inline(plain), plain);
        assert_eq!(lines("a\r\nb\n\nc\u{2029}d\re").collect::<Vec<_>>(), ["a", "b", "", "c\\u{2029}d\\re"]);
    }

    proptest! {
        #[test]
        fn json_means_the_same_without_its_controls(text in foreign()) {
            let whole = serde_json::to_string(&text).unwrap();
            let shown = json(&whole);
            prop_assert!(!shown.contains(is_control), "{shown:?}");
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }

        #[test]
        fn no_control_is_left_in_a_line(text in foreign()) {
            prop_assert!(!inline(&text).contains(is_control));
            prop_assert!(lines(&text).all(|line| !line.contains(is_control)));
        }

        #[test]
        fn text_in_pieces_is_the_same_text(text in foreign(), size in 1..9_usize) {
            let mut decoder = Decoder::default();
            let read: String = text.as_bytes().chunks(size).map(|piece| decoder.text(piece)).collect();
            prop_assert_eq!(read, text);
        }

        #[test]
        fn bytes_in_pieces_are_what_they_are_at_once(bytes in any::<Vec<u8>>(), size in 1..9_usize) {
            let mut decoder = Decoder::default();
            let mut read: String = bytes.chunks(size).map(|piece| decoder.text(piece)).collect();
            read.push_str(&String::from_utf8_lossy(&decoder.rest));
            prop_assert_eq!(read, String::from_utf8_lossy(&bytes));
        }
    }
}
