//! The library's index for searches.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::LibraryTrack;
use crate::source::media::MediaInfo;

/// The library at a moment.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By title.
    entries: Vec<Entry>,
    by_id: HashMap<String, usize>,
}

/// A file of the library.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) stamp: Stamp,
    track: Arc<LibraryTrack>,
    /// Title, artist, album and path in their folded form.
    title: String,
    artist: String,
    all: String,
}

/// Metadata that shows whether a file has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) modified: Option<SystemTime>,
    pub(super) size: u64,
}

/// How well a track matches, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// The title begins with the query.
    Title,
    /// The artist does, or artist and title together.
    Artist,
    /// A word begins with the query.
    Word,
    /// Every word of the query begins a word, in any order.
    Words,
    /// The query is a part of the text.
    Part,
    /// Every word of the query is a part of the text.
    Parts,
}

impl Entry {
    pub(super) fn new(path: String, stamp: Stamp, info: MediaInfo) -> Self {
        let name = path.rsplit('/').next().unwrap_or(&path);
        let name = name.rsplit_once('.').map_or(name, |(name, _)| name);
        let title = info.tags.title.unwrap_or_else(|| name.to_owned());
        let (artist, album) = (info.tags.artist, info.tags.album);
        let folded = fold(&title);
        let of_artist = artist.as_deref().map(fold).unwrap_or_default();
        let all = [&of_artist, &folded, &album.as_deref().map(fold).unwrap_or_default(), &fold(&path)]
            .map(String::as_str)
            .join(" ");
        let id = id(&path);
        let track = Arc::new(LibraryTrack { id, path, title, artist, album, duration: info.duration });
        Self { stamp, track, title: folded, artist: of_artist, all }
    }

    pub(super) fn path(&self) -> &str {
        &self.track.path
    }

    /// Returns how well it matches `query`, which is folded and not empty.
    fn rank(&self, query: &str) -> Option<Rank> {
        if self.title.starts_with(query) {
            return Some(Rank::Title);
        }
        if !self.artist.is_empty() && self.all.starts_with(query) {
            return Some(Rank::Artist);
        }
        if begins_a_word(&self.all, query) {
            return Some(Rank::Word);
        }
        let mut words = query.split(' ');
        if words.all(|word| begins_a_word(&self.all, word)) {
            return Some(Rank::Words);
        }
        if self.all.contains(query) {
            return Some(Rank::Part);
        }
        query.split(' ').all(|word| self.all.contains(word)).then_some(Rank::Parts)
    }
}

impl Index {
    pub(super) fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|one, other| (&one.title, &one.all).cmp(&(&other.title, &other.all)));
        let by_id = entries.iter().enumerate().map(|(at, entry)| (entry.track.id.clone(), at)).collect();
        Self { entries, by_id }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn tracks(&self) -> impl Iterator<Item = &Arc<LibraryTrack>> {
        self.entries.iter().map(|entry| &entry.track)
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<LibraryTrack>> {
        self.by_id.get(id).map(|at| self.entries[*at].track.clone())
    }

    pub(super) fn search(&self, text: &str, most: usize) -> Vec<Arc<LibraryTrack>> {
        let query = fold(text);
        if query.is_empty() {
            return self.tracks().take(most).cloned().collect();
        }
        let ranked = self.entries.iter().enumerate();
        let mut ranked: Vec<_> = ranked.filter_map(|(at, entry)| Some((entry.rank(&query)?, at))).collect();
        ranked.sort_unstable();
        ranked.into_iter().take(most).map(|(_, at)| self.entries[at].track.clone()).collect()
    }

    /// Returns the best match, if words of it begin with those of `text`.
    pub(super) fn best(&self, text: &str) -> Option<Arc<LibraryTrack>> {
        let query = fold(text);
        if query.is_empty() {
            return None;
        }
        let ranked = self.entries.iter().filter_map(|entry| Some((entry.rank(&query)?, &entry.track)));
        let best = ranked.min_by_key(|(rank, _)| *rank)?;
        (best.0 <= Rank::Words).then(|| best.1.clone())
    }
}

/// Returns whether a word of `text` begins with `start`.
fn begins_a_word(text: &str, start: &str) -> bool {
    text.match_indices(start).any(|(at, _)| at == 0 || text.as_bytes()[at - 1] == b' ')
}

/// Folds a text for comparison: lower case, without accents, words of letters and digits.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        // Letters that do not decompose into a letter and an accent.
        match c {
            'ß' => folded.push_str("ss"),
            'ø' => folded.push('o'),
            'đ' | 'ð' => folded.push('d'),
            'ł' => folded.push('l'),
            'ı' => folded.push('i'),
            'þ' => folded.push_str("th"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            // Characters within a word are left out; separators become a space.
            '\'' | '’' | '`' => {}
            c if c.is_alphanumeric() => folded.push(c),
            _ if folded.is_empty() || folded.ends_with(' ') => {}
            _ => folded.push(' '),
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// Returns an id of a path in 13 letters and digits, the same in every run (FNV-1a).
fn id(path: &str) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let hash = path.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (0..13).map(|digit| char::from(DIGITS[usize::try_from(hash >> (digit * 5) & 31).unwrap_or(0)])).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn index(tracks: &[(&str, Option<&str>, Option<&str>)]) -> Index {
        Index::new(
            tracks
                .iter()
                .map(|(path, title, artist)| {
                    let mut info = MediaInfo::default();
                    info.tags.title = title.map(str::to_owned);
                    info.tags.artist = artist.map(str::to_owned);
                    Entry::new((*path).to_owned(), Stamp { modified: None, size: 0 }, info)
                })
                .collect(),
        )
    }

    fn found(index: &Index, text: &str) -> Vec<String> {
        index.search(text, 25).iter().map(|track| track.title.clone()).collect()
    }

    #[test]
    fn a_beginning_is_better_than_a_word_and_a_word_than_a_part() {
        let index = index(&[
            ("1.mp3", Some("Moonlight Sonata"), Some("Beethoven")),
            ("2.mp3", Some("Blue Moon"), Some("Rodgers")),
            ("3.mp3", Some("Honeymoon"), None),
            ("4.mp3", Some("Sunrise"), Some("Moon Duo")),
            ("5.mp3", Some("Unrelated"), None),
        ]);
        assert_eq!(found(&index, "moon"), ["Moonlight Sonata", "Sunrise", "Blue Moon", "Honeymoon"]);
        assert_eq!(found(&index, "moon blue"), ["Blue Moon"]);
        assert_eq!(found(&index, "beethoven moon"), ["Moonlight Sonata"]);
        assert_eq!(found(&index, "nothing"), [""; 0]);
        assert_eq!(found(&index, " -- ").len(), 5);
        assert_eq!(index.search("", 2).len(), 2);
        assert_eq!(index.best("honey").unwrap().title, "Honeymoon");
        assert!(index.best("oneymoo").is_none() && index.best("").is_none());
    }

    #[test]
    fn case_and_accents_do_not_matter() {
        let index = index(&[
            ("a/Jóga.mp3", Some("Jóga"), Some("Björk")),
            ("b/gr.mp3", Some("Straße in Łódź"), Some("Øystein Æ")),
            ("c/don't stop.flac", None, None),
        ]);
        for text in ["JOGA", "jóga", "bjork jo", "BJÖRK"] {
            assert_eq!(found(&index, text), ["Jóga"], "{text}");
        }
        for text in ["strasse", "STRASSE in lodz", "oystein ae"] {
            assert_eq!(found(&index, text), ["Straße in Łódź"], "{text}");
        }
        assert_eq!(found(&index, "dont"), ["don't stop"]);
    }

    #[test]
    fn an_id_stays_and_leads_back() {
        let index = index(&[("a/b.mp3", None, None), ("a/c.mp3", None, None)]);
        let track = index.search("b", 1).remove(0);
        // Choices that Discord's clients have stored stay valid after an update of the bot.
        assert_eq!(track.id, id("a/b.mp3"));
        assert_eq!(id("a/b.mp3"), "jzswoebhc2sso");
        assert_eq!(index.get(&track.id).unwrap().path, "a/b.mp3");
        assert!(index.get("aaaaaaaaaaaaa").is_none());
    }

    proptest! {
        #[test]
        fn a_track_is_found_by_any_part_of_its_title(title in "[a-zA-Zäöü]{1,8}( [a-zé]{1,6}){0,2}", from in 0_usize..8, length in 1_usize..8) {
            let index = index(&[("x.mp3", Some(&title), None), ("y.mp3", Some("0"), None)]);
            let part: String = title.chars().skip(from).take(length).collect();
            prop_assume!(!part.trim().is_empty());
            prop_assert!(found(&index, &part.to_uppercase()).contains(&title));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}", title in ".{0,40}", most in 0_usize..3) {
            let index = index(&[("x.mp3", Some(&title), Some(&text))]);
            prop_assert!(index.search(&text, most).len() <= most);
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }
}
