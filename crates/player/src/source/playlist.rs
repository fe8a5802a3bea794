//! Playlists: M3U, extended or not, and PLS. HLS, which uses the extension of M3U, is distinguished from them.

use std::time::Duration;

use crate::length::believed;
use reqwest::Url;

use super::SourceError;

/// Most characters of a title that are kept.
const TITLE: usize = 200;

/// An entry of a playlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Address, as written or made absolute. It has not been checked.
    pub(super) url: Url,
    /// Title, if the playlist has one.
    pub(super) title: Option<String>,
    /// Length, if the playlist has one.
    pub(super) duration: Option<Duration>,
}

/// The entries of a playlist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Playlist {
    /// Its title, if it has one.
    pub(super) title: Option<String>,
    /// Entries with a web address.
    pub(super) entries: Vec<Entry>,
    /// Number of entries that were left out because they have no web address.
    pub(super) skipped: usize,
    /// Number of entries in addition to those that were read.
    pub(super) more: usize,
}

/// Forms of playlists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    M3u,
    Pls,
}

impl Form {
    /// Distinguishes a playlist from audio, by its media type, its first bytes, or the end of its address.
    pub(super) fn of(kind: &str, first: &[u8], path: &str) -> Option<Self> {
        let text = String::from_utf8_lossy(&first[..first.len().min(512)]);
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let begins =
            |word: &str| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        if begins("#EXTM3U") || begins("#EXTINF") {
            return Some(Self::M3u);
        }
        if begins("[playlist]") {
            return Some(Self::Pls);
        }
        let is_text = !first.is_empty() && !first.contains(&0) && !begins("<");
        match kind {
            "audio/x-scpls" | "audio/scpls" | "application/pls+xml" | "application/pls" if is_text => {
                Some(Self::Pls)
            }
            "audio/x-mpegurl"
            | "audio/mpegurl"
            | "application/x-mpegurl"
            | "application/mpegurl"
            | "application/vnd.apple.mpegurl"
                if is_text =>
            {
                Some(Self::M3u)
            }
            _ if is_text => Self::of_name(path),
            _ => None,
        }
    }

    /// Returns whether the end of an address is that of a playlist.
    pub(super) fn is_in_name(path: &str) -> bool {
        Self::of_name(path).is_some()
    }

    fn of_name(path: &str) -> Option<Self> {
        let path = path.to_ascii_lowercase();
        match path.rsplit('.').next()? {
            "pls" => Some(Self::Pls),
            "m3u" | "m3u8" => Some(Self::M3u),
            _ => None,
        }
    }

    /// Reads a playlist at `base`, with at most `most` entries.
    pub(super) fn read(self, text: &[u8], base: &Url, most: usize) -> Result<Playlist, SourceError> {
        let text = match std::str::from_utf8(text) {
            Ok(text) => text.to_owned(),
            Err(_) => text.iter().copied().map(char::from).collect(),
        };
        let text = text.trim_start_matches('\u{feff}');
        match self {
            Self::M3u => m3u(text, base, most),
            Self::Pls => Ok(pls(text, base, most)),
        }
    }
}

impl Playlist {
    fn add(
        &mut self,
        address: &str,
        title: Option<String>,
        duration: Option<Duration>,
        base: &Url,
        most: usize,
    ) {
        match base.join(address) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => {
                if self.entries.len() < most {
                    self.entries.push(Entry { url, title, duration });
                } else {
                    self.more += 1;
                }
            }
            _ => self.skipped += 1,
        }
    }
}

fn m3u(text: &str, base: &Url, most: usize) -> Result<Playlist, SourceError> {
    let mut playlist = Playlist::default();
    let (mut title, mut duration) = (None, None);
    for line in lines(text) {
        if line.starts_with("#EXT-X-") {
            return Err(SourceError::Hls);
        } else if let Some(told) = line.strip_prefix("#EXTINF:") {
            // `#EXTINF:123 key="value",Artist - Title`
            let (length, name) = told.split_once(',').unwrap_or((told, ""));
            duration = seconds(length.split_ascii_whitespace().next().unwrap_or_default());
            title = clean(name);
        } else if let Some(name) = line.strip_prefix("#PLAYLIST:") {
            playlist.title = clean(name);
        } else if !line.starts_with('#') {
            playlist.add(line, title.take(), duration.take(), base, most);
        }
    }
    Ok(playlist)
}

fn pls(text: &str, base: &Url, most: usize) -> Playlist {
    let mut entries = std::collections::BTreeMap::<u32, (Option<&str>, Option<&str>, Option<&str>)>::new();
    for (key, value) in lines(text).filter_map(|line| line.split_once('=')) {
        let key = key.trim().to_ascii_lowercase();
        let name = key.trim_end_matches(|c: char| c.is_ascii_digit());
        let Ok(number) = key[name.len()..].parse() else { continue };
        let value = Some(value.trim());
        match name {
            "file" => entries.entry(number).or_default().0 = value,
            "title" => entries.entry(number).or_default().1 = value,
            "length" => entries.entry(number).or_default().2 = value,
            _ => {}
        }
    }
    let mut playlist = Playlist::default();
    for (file, title, length) in entries.into_values() {
        if let Some(file) = file {
            playlist.add(file, title.and_then(clean), length.and_then(seconds), base, most);
        }
    }
    playlist
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty())
}

/// Reads a length in seconds. Zero and negative numbers mean a stream without end.
fn seconds(text: &str) -> Option<Duration> {
    let seconds = text.trim().parse::<f64>().ok().filter(|seconds| *seconds > 0.0)?;
    Duration::try_from_secs_f64(seconds).ok().and_then(believed)
}

fn clean(title: &str) -> Option<String> {
    let title: String = title.chars().filter(|c| !sdk_core::text::is_control(*c)).take(TITLE).collect();
    let title = title.trim();
    (!title.is_empty()).then(|| title.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> Url {
        Url::parse("http://radio.example/lists/all.m3u?x=1").unwrap()
    }

    fn read(form: Form, text: &str) -> Playlist {
        form.read(text.as_bytes(), &base(), 500).unwrap()
    }

    #[test]
    fn an_m3u_is_read_with_its_titles_and_relative_addresses() {
        let text = "\u{feff}#EXTM3U\r\n#PLAYLIST: Evening \r\n#EXTINF:123 group=\"x\",Artist - Title\r\n../a.mp3\r\n\
                    # a remark\r\n#EXTINF:-1,\r\nhttps://b.example/live\r\nfile:///etc/passwd\r\nC:\\music\\c.mp3\r\n";
        let playlist = read(Form::M3u, text);
        assert_eq!(playlist.title.as_deref(), Some("Evening"));
        assert_eq!(playlist.skipped, 2);
        let [first, second] = &playlist.entries[..] else { panic!("{playlist:?}") };
        assert_eq!(first.url.as_str(), "http://radio.example/a.mp3");
        assert_eq!(first.title.as_deref(), Some("Artist - Title"));
        assert_eq!(first.duration, Some(Duration::from_secs(123)));
        assert_eq!(
            (second.url.as_str(), &second.title, second.duration),
            ("https://b.example/live", &None, None)
        );
    }

    #[test]
    fn a_pls_is_read_in_the_order_of_its_numbers() {
        let text = "[playlist]\nnumberofentries=3\nFile2=http://b.example/\nTitle2=Second\nLength2=-1\n\
                    file10=/c.ogg\nFile1=a.mp3\nTitle1=First\nLength1=60\nTitle3=No file\nVersion=2\n";
        let playlist = read(Form::Pls, text);
        let urls: Vec<_> = playlist.entries.iter().map(|entry| entry.url.as_str()).collect();
        assert_eq!(
            urls,
            ["http://radio.example/lists/a.mp3", "http://b.example/", "http://radio.example/c.ogg"]
        );
        assert_eq!(playlist.entries[0].duration, Some(Duration::from_mins(1)));
        assert_eq!(playlist.entries[1].title.as_deref(), Some("Second"));
    }

    #[test]
    fn lengths_that_cannot_be_are_none() {
        for length in ["1e19", "1e300", "inf", "NaN", "-1", "0", "604801", "99999999999999999999"] {
            let m3u = read(Form::M3u, &format!("#EXTINF:{length},Long\na.mp3\n"));
            let pls = read(Form::Pls, &format!("File1=a.mp3\nLength1={length}\n"));
            assert_eq!((m3u.entries[0].duration, pls.entries[0].duration), (None, None), "{length}");
        }
    }

    #[test]
    fn hls_is_told_apart() {
        for text in [
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:4,\na.ts\n",
            "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n",
        ] {
            assert_eq!(Form::M3u.read(text.as_bytes(), &base(), 9).unwrap_err(), SourceError::Hls);
        }
    }

    #[test]
    fn no_more_entries_are_read_than_asked_for() {
        let text: Vec<_> = (0..50).map(|n| format!("http://a.example/{n}\n")).collect();
        let text = text.concat();
        let playlist = Form::M3u.read(text.as_bytes(), &base(), 10).unwrap();
        assert_eq!((playlist.entries.len(), playlist.skipped, playlist.more), (10, 0, 40));
    }

    #[test]
    fn a_playlist_is_known_by_type_or_beginning_or_name() {
        for (kind, first, path, form) in [
            ("", "#EXTM3U\n", "/", Some(Form::M3u)),
            ("text/plain", " [Playlist]\n", "/", Some(Form::Pls)),
            ("audio/x-mpegurl", "http://a/", "/", Some(Form::M3u)),
            ("audio/x-scpls", "File1=a", "/", Some(Form::Pls)),
            ("", "http://a/", "/x.M3U8", Some(Form::M3u)),
            ("audio/mpeg", "ID3\0", "/x.m3u", None),
            ("audio/mpeg", "http", "/x", None),
            ("audio/x-mpegurl", "<html>", "/x", None),
        ] {
            assert_eq!(Form::of(kind, first.as_bytes(), path), form, "{kind} {first} {path}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(names in prop::collection::vec(("[a-z]{1,8}", "[A-Za-z][A-Za-z -]{0,10}[a-z]", 1_u32..9_999), 0..20)) {
            let m3u: Vec<_> = names.iter().map(|(file, title, length)| format!("#EXTINF:{length},{title}\n{file}.mp3\n")).collect();
            let pls: Vec<_> = names.iter().enumerate().map(|(n, (file, title, length))| {
                format!("File{n}={file}.mp3\nTitle{n}={title}\nLength{n}={length}\n")
            }).collect();
            let (m3u, pls) = (read(Form::M3u, &m3u.concat()), read(Form::Pls, &pls.concat()));
            prop_assert_eq!(&m3u, &pls);
            prop_assert_eq!(m3u.entries.len(), names.len());
            for (entry, (file, title, length)) in m3u.entries.iter().zip(&names) {
                prop_assert_eq!(entry.url.path(), format!("/lists/{file}.mp3"));
                prop_assert_eq!(entry.title.as_ref(), Some(title));
                prop_assert_eq!(entry.duration, Some(Duration::from_secs((*length).into())));
            }
        }

        #[test]
        fn no_bytes_make_it_panic_and_only_web_addresses_come_out(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "(?s).{0,200}") {
            for form in [Form::M3u, Form::Pls] {
                for text in [&bytes[..], text.as_bytes()] {
                    let _ = Form::of("audio/x-mpegurl", text, "/a.pls");
                    if let Ok(playlist) = form.read(text, &base(), 5) {
                        prop_assert!(playlist.entries.len() <= 5);
                        prop_assert!(playlist.entries.iter().all(|entry| matches!(entry.url.scheme(), "http" | "https")));
                    }
                }
            }
        }
    }
}
