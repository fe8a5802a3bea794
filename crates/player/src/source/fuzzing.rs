//! Entry points for fuzzing sources: playlists and the titles of stations.

use reqwest::Url;

use super::icy::Icy;
pub(crate) use super::media::fuzzing::{compare, play};
use super::playlist::{Form, Playlist};

/// Most entries that are read from a playlist.
const ENTRIES: usize = 20;

/// Reads a playlist: one line with its media type, one with its path, and then its text.
///
/// # Panics
/// When the result contains something other than web addresses, or too much, or is read differently after writing it.
pub(crate) fn playlist(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let mut line = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let (kind, path) = (line(), line());
    let text = parts.next().unwrap_or_default();
    let base = Url::parse("http://radio.example/lists/all.m3u?x=1").expect("an address");
    let told = Form::of(&kind, text, &path);
    for form in told.into_iter().chain([Form::M3u, Form::Pls]) {
        let Ok(playlist) = form.read(text, &base, ENTRIES) else {
            assert_eq!(form, Form::M3u, "only HLS is refused");
            continue;
        };
        judge(&playlist);
        for (form, text) in [(Form::M3u, m3u(&playlist)), (Form::Pls, pls(&playlist))] {
            let again = form.read(text.as_bytes(), &base, ENTRIES).expect("what was written");
            assert_eq!(again.entries, playlist.entries, "{text}");
            assert_eq!((again.skipped, again.more), (0, 0));
        }
    }
}

fn judge(playlist: &Playlist) {
    assert!(playlist.entries.len() <= ENTRIES);
    assert!(playlist.more == 0 || playlist.entries.len() == ENTRIES);
    let titles = playlist.entries.iter().filter_map(|entry| entry.title.as_ref()).chain(&playlist.title);
    for title in titles {
        assert!((1..=200).contains(&title.chars().count()), "{title:?}");
        assert!(title.trim() == title && !title.contains(char::is_control), "{title:?}");
    }
    for entry in &playlist.entries {
        assert!(matches!(entry.url.scheme(), "http" | "https"), "{}", entry.url);
        assert!(entry.duration.is_none_or(|length| !length.is_zero()), "{entry:?}");
    }
}

fn m3u(playlist: &Playlist) -> String {
    let mut text = "#EXTM3U\n".to_owned();
    for entry in &playlist.entries {
        let length = entry.duration.map_or(-1.0, |length| length.as_secs_f64());
        text +=
            &format!("#EXTINF:{length:?},{}\n{}\n", entry.title.as_deref().unwrap_or_default(), entry.url);
    }
    text
}

fn pls(playlist: &Playlist) -> String {
    let mut text = "[playlist]\n".to_owned();
    for (at, entry) in playlist.entries.iter().enumerate() {
        text += &format!("File{at}={}\n", entry.url);
        text += &entry.title.as_ref().map(|title| format!("Title{at}={title}\n")).unwrap_or_default();
        let length = entry.duration.map(|length| format!("Length{at}={:?}\n", length.as_secs_f64()));
        text += &length.unwrap_or_default();
    }
    text
}

/// Extracts titles from a stream. The first byte is the interval, the second one seeds the positions of the cuts.
///
/// # Panics
/// When the positions of the cuts make a difference.
pub(crate) fn icy(bytes: &[u8]) {
    let [interval, seed, stream @ ..] = bytes else { return };
    let interval = usize::from(*interval) + 1;
    let (mut whole, mut cut) = (Icy::new(interval), Icy::new(interval));
    let (sound, title) = whole.split(stream);
    let (mut heard, mut told, mut rest, mut state) = (Vec::new(), None, stream, u32::from(*seed));
    while !rest.is_empty() {
        // Lehmer's random number generator, which is sufficient for this.
        state = state.wrapping_mul(48_271).wrapping_add(11);
        let length = 1 + usize::try_from(state >> 16).unwrap_or(0) % (1 + usize::from(*seed));
        let (now, later) = rest.split_at(length.min(rest.len()));
        let (sound, title) = cut.split(now);
        assert!(sound.len() <= now.len());
        heard.extend(sound);
        told = title.or(told);
        rest = later;
    }
    assert!(heard == sound, "other sound");
    assert_eq!(told, title);
    assert!(sound.len() >= stream.len() * interval / (interval + 1 + 255 * 16), "too little sound");
    if let Some(title) = &title {
        assert!((1..=200).contains(&title.chars().count()), "{title:?}");
        assert!(title.trim() == title && !title.contains(char::is_control), "{title:?}");
    }
}
