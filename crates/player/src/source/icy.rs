//! Titles inside a radio stream, in the form of SHOUTcast and Icecast.
//!
//! After every `icy-metaint` bytes of audio comes a byte that counts blocks of 16 bytes, and then that many blocks of
//! text like `StreamTitle='Artist - Title';`, padded with zeros.

/// Most characters of a title that are kept.
const MOST: usize = 200;

/// Splits a stream into its audio and the titles in it.
#[derive(Clone, Debug)]
pub(super) struct Icy {
    interval: usize,
    next: Next,
}

/// What the next byte is.
#[derive(Clone, Debug)]
enum Next {
    /// Audio, with the number of bytes left.
    Sound(usize),
    /// The number of blocks.
    Count,
    /// Text, with the number of bytes left and the bytes read so far.
    Text(usize, Vec<u8>),
}

impl Icy {
    /// Creates a splitter for a stream with text after every `interval` bytes, which is at least one.
    pub(super) fn new(interval: usize) -> Self {
        Self { interval, next: Next::Sound(interval) }
    }

    /// Returns the audio in `bytes`, and the last title in them.
    pub(super) fn split(&mut self, mut bytes: &[u8]) -> (Vec<u8>, Option<String>) {
        let (mut sound, mut heard) = (Vec::with_capacity(bytes.len()), None);
        while let Some(first) = bytes.first() {
            match &mut self.next {
                Next::Sound(left) => {
                    let (now, later) = bytes.split_at(bytes.len().min(*left));
                    sound.extend_from_slice(now);
                    *left -= now.len();
                    bytes = later;
                    if *left == 0 {
                        self.next = Next::Count;
                    }
                }
                Next::Count => {
                    self.next = match usize::from(*first) * 16 {
                        0 => Next::Sound(self.interval),
                        length => Next::Text(length, Vec::with_capacity(length)),
                    };
                    bytes = &bytes[1..];
                }
                Next::Text(left, text) => {
                    let (now, later) = bytes.split_at(bytes.len().min(*left));
                    text.extend_from_slice(now);
                    *left -= now.len();
                    bytes = later;
                    if *left == 0 {
                        heard = title(text).or(heard);
                        self.next = Next::Sound(self.interval);
                    }
                }
            }
        }
        (sound, heard)
    }
}

/// Returns the title in a block of text; `None` if it is empty.
fn title(block: &[u8]) -> Option<String> {
    // Most stations write UTF-8, older ones Latin-1, whose bytes are the first characters of Unicode.
    let end = block.iter().position(|byte| *byte == 0).unwrap_or(block.len());
    let text = match std::str::from_utf8(&block[..end]) {
        Ok(text) => text.to_owned(),
        Err(_) => block[..end].iter().copied().map(char::from).collect(),
    };
    let rest = text.split_once("StreamTitle='")?.1;
    // A title may contain quotes. It ends with a quote and a semicolon.
    let title = rest.split_once("';").map_or_else(|| rest.trim_end_matches('\''), |(title, _)| title);
    let title: String = title.chars().filter(|c| !sdk_core::text::is_control(*c)).take(MOST).collect();
    let title = title.trim();
    (!title.is_empty()).then(|| title.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Inserts titles into audio as a station does.
    fn weave(sound: &[u8], interval: usize, titles: &[Option<String>]) -> Vec<u8> {
        let mut stream = Vec::new();
        let mut titles = titles.iter();
        for piece in sound.chunks(interval) {
            stream.extend_from_slice(piece);
            if piece.len() < interval {
                break;
            }
            match titles.next() {
                Some(Some(title)) => {
                    let mut text = format!("StreamTitle='{title}';StreamUrl='';").into_bytes();
                    text.resize(text.len().next_multiple_of(16), 0);
                    stream.push(u8::try_from(text.len() / 16).unwrap());
                    stream.extend(text);
                }
                _ => stream.push(0),
            }
        }
        stream
    }

    proptest! {
        #[test]
        fn sound_and_titles_come_apart_however_the_stream_is_cut(
            sound in prop::collection::vec(any::<u8>(), 0..600),
            interval in 1_usize..64,
            titles in prop::collection::vec(prop::option::of("[a-zA-ZäöüÄ' -]{0,20}[a-z]"), 0..8),
            cuts in prop::collection::vec(1_usize..40, 1..40),
        ) {
            let stream = weave(&sound, interval, &titles);
            let mut icy = Icy::new(interval);
            let (mut heard, mut told) = (Vec::new(), Vec::new());
            let (mut rest, mut cuts) = (stream.as_slice(), cuts.iter().cycle());
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
                let (sound, title) = icy.split(now);
                heard.extend(sound);
                told.extend(title);
                rest = later;
            }
            prop_assert_eq!(heard, sound.clone());
            let sent: Vec<_> =
                titles.iter().take(sound.len() / interval).flatten().map(|t| t.trim().to_owned()).collect();
            // A piece may contain two blocks, of which the last one counts.
            prop_assert_eq!(told.last(), sent.last());
            prop_assert!(told.iter().all(|title| sent.contains(title)));
        }

        #[test]
        fn no_stream_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), interval in 1_usize..9) {
            let _ = Icy::new(interval).split(&bytes);
            let _ = title(&bytes);
        }
    }

    #[test]
    fn a_title_is_read_in_every_spelling() {
        for (block, read) in [
            (&b"StreamTitle='Don't Stop';StreamUrl='http://x';\0\0"[..], Some("Don't Stop")),
            (b"StreamTitle='Only this'", Some("Only this")),
            (b"StreamUrl='x';StreamTitle='Later';", Some("Later")),
            (b"StreamTitle='Bj\xf6rk - J\xf3ga';", Some("Björk - Jóga")),
            ("StreamTitle='Björk';".as_bytes(), Some("Björk")),
            (b"StreamTitle='';", None),
            (b"StreamTitle=' \x1b ';", None),
            (b"nothing", None),
        ] {
            assert_eq!(title(block).as_deref(), read);
        }
    }
}
