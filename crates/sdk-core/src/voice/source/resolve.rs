//! From what somebody asks for to tracks.

use std::time::Duration;

use reqwest::Url;

use super::playlist::{Form, Playlist};
use super::remote::Remote;
use super::web::Answer;
use super::ytdlp;
use super::{Limits, SourceError, Sources};
use crate::voice::track::{Playable, Track};

/// Bytes by which a playlist or a page is told from sound.
const FIRST: usize = 512;
/// Most characters of a title that are kept.
const TITLE: usize = 200;
/// What the value of a choice of the library begins with.
const LIBRARY: &str = "library:";

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// An address.
    Url(String),
    /// Words.
    Search(String),
    /// A file that was attached.
    Attachment {
        /// Its address at Discord.
        url: String,
        /// Its name.
        name: String,
    },
    /// The id of a track of the library.
    Library(String),
}

impl Query {
    /// Reads a text option: an address, the value of a choice of the library, or words.
    pub fn from_text(text: &str) -> Self {
        let text = text.trim();
        if let Some(id) = text.strip_prefix(LIBRARY) {
            return Self::Library(id.to_owned());
        }
        // What has a scheme is meant as an address, also if it is of none that is played.
        let has_scheme = text.split_once("://").is_some_and(|(scheme, _)| {
            !scheme.is_empty()
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        });
        if has_scheme { Self::Url(text.to_owned()) } else { Self::Search(text.to_owned()) }
    }

    /// Gives the value of a choice that names a track of the library, as [`from_text`](Self::from_text) reads it.
    pub fn choice(id: &str) -> String {
        format!("{LIBRARY}{id}")
    }
}

/// Tracks that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The tracks, at least one.
    pub tracks: Vec<Track>,
    /// Title of the playlist that they are of.
    pub playlist: Option<String>,
    /// Entries that were left out because they cannot be played.
    pub skipped: usize,
    /// Entries that were left out because they are longer than is allowed.
    pub too_long: usize,
    /// Entries that were left out because there are more than may be added at once.
    pub more: usize,
    /// It is HE-AAC, of which only the lower half of the spectrum is played.
    pub is_core_only: bool,
}

/// What is at an address.
pub(super) enum Answered {
    Sound(Remote, Box<Answer>),
    Playlist(Playlist),
    /// A page, and its address after all redirects.
    Page(Url),
}

/// Finds the tracks that are asked for.
pub(super) async fn resolve(
    sources: &Sources,
    query: Query,
    limits: Limits,
) -> Result<Resolved, SourceError> {
    let found = match query {
        Query::Library(id) => {
            let track = sources.library().get(&id).ok_or(SourceError::NotInLibrary)?;
            Resolved { tracks: vec![track.track()], ..Resolved::default() }
        }
        Query::Search(text) => Resolved { tracks: search(sources, &text, 1).await?, ..Resolved::default() },
        Query::Attachment { url, name } => {
            let url = sources.0.web.guard().parse(&url)?;
            let playable = Playable::Attachment { url: url.to_string(), name: name.clone() };
            match ask(sources, &url).await? {
                Answered::Sound(remote, answer) => {
                    let mut found = track(sources, remote, *answer, &name, playable).await?;
                    // The address is not a page, and good for a day only.
                    for track in &mut found.tracks {
                        track.url = None;
                    }
                    found
                }
                Answered::Playlist(playlist) => of_playlist(sources, playlist, 1, limits).await?,
                Answered::Page(_) => return Err(SourceError::NoSound),
            }
        }
        Query::Url(text) => {
            let url = sources.0.web.guard().parse(&text)?;
            of_url(sources, url, 0, limits).await?
        }
    };
    let playables: Vec<_> = found.tracks.iter().map(|track| track.playable.clone()).collect();
    found.within(limits).inspect_err(|_| {
        // What is not to be played is not kept open.
        for playable in &playables {
            sources.0.looked.forget(playable);
        }
    })
}

/// Finds tracks by words: the library's, and then those that yt-dlp finds.
pub(super) async fn search(sources: &Sources, text: &str, most: usize) -> Result<Vec<Track>, SourceError> {
    if text.trim().is_empty() || most == 0 {
        return Err(SourceError::NothingFound);
    }
    if let Some(best) = sources.library().best(text) {
        let mut tracks = vec![best.track()];
        let others = sources.library().search(text, most).into_iter().filter(|track| track.id != best.id);
        tracks.extend(others.map(|track| track.track()).take(most - 1));
        return Ok(tracks);
    }
    let mut found = sources.0.yt_dlp.search(text, most).await?.tracks;
    found.truncate(most);
    Ok(found)
}

/// Asks what is at an address.
pub(super) async fn ask(sources: &Sources, url: &Url) -> Result<Answered, SourceError> {
    let remote = Remote::new(url.clone());
    let mut answer = remote.get(&sources.0.web, 0).await?;
    if answer.head.whole().is_some_and(|whole| whole > sources.bounds().file) {
        return Err(SourceError::TooLarge);
    }
    let first = answer.body.peek(FIRST).await?;
    if let Some(form) = Form::of(&answer.head.kind, &first, answer.url.path()) {
        let bounds = sources.bounds();
        let text = answer.body.whole(bounds.playlist).await?;
        let mut playlist = form.read(&text, &answer.url, bounds.entries)?;
        let all = playlist.entries.len();
        playlist.entries.retain(|entry| sources.0.web.guard().check(&entry.url).is_ok());
        playlist.skipped += all - playlist.entries.len();
        return Ok(Answered::Playlist(playlist));
    }
    if is_page(&answer.head.kind, &first) {
        return Ok(Answered::Page(answer.url));
    }
    if answer.head.kind.starts_with("image/") {
        return Err(SourceError::NoSound);
    }
    Ok(Answered::Sound(remote, Box::new(answer)))
}

fn is_page(kind: &str, first: &[u8]) -> bool {
    let text =
        String::from_utf8_lossy(first).trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    let begins =
        ["<!doctype", "<html", "<head", "<?xml", "<script"].iter().any(|start| text.starts_with(start));
    begins || matches!(kind, "text/html" | "application/xhtml+xml") && text.starts_with('<')
}

async fn of_url(sources: &Sources, url: Url, depth: usize, limits: Limits) -> Result<Resolved, SourceError> {
    match ask(sources, &url).await {
        Ok(Answered::Sound(remote, answer)) => {
            let name = name_of(&url);
            let playable = Playable::Http { url: url.to_string() };
            track(sources, remote, *answer, &name, playable).await
        }
        Ok(Answered::Playlist(playlist)) => of_playlist(sources, playlist, depth + 1, limits).await,
        Ok(Answered::Page(url)) => page(sources, &url, limits).await,
        // Some sites turn away whoever is no browser.
        Err(error @ SourceError::Status(_)) if sources.0.yt_dlp.is_there().await => {
            page(sources, &url, limits).await.map_err(|_| error)
        }
        Err(error) => Err(error),
    }
}

async fn page(sources: &Sources, url: &Url, limits: Limits) -> Result<Resolved, SourceError> {
    let found = sources.0.yt_dlp.page(url, limits.tracks).await?;
    let ytdlp::Found { tracks, playlist, skipped, more } = found;
    Ok(Resolved { tracks, playlist, skipped, more, ..Resolved::default() })
}

/// Gives the tracks of a playlist; what is in it is looked at when its turn comes, but for that of a single entry.
async fn of_playlist(
    sources: &Sources,
    playlist: Playlist,
    depth: usize,
    limits: Limits,
) -> Result<Resolved, SourceError> {
    let Playlist { title, mut entries, skipped, more } = playlist;
    if entries.is_empty() || depth > sources.bounds().nesting {
        return Err(SourceError::EmptyPlaylist);
    }
    if entries.len() == 1 && skipped == 0 && more == 0 {
        let entry = entries.remove(0);
        let mut found = Box::pin(of_url(sources, entry.url, depth, limits)).await?;
        if let ([track], Some(title)) = (found.tracks.as_mut_slice(), entry.title) {
            track.title = title;
        }
        return Ok(found);
    }
    let tracks = entries.into_iter().map(|entry| {
        let title = entry.title.unwrap_or_else(|| name_of(&entry.url));
        let url = entry.url.to_string();
        Track {
            duration: entry.duration,
            url: Some(url.clone()),
            ..Track::new(&title, Playable::Http { url })
        }
    });
    Ok(Resolved { tracks: tracks.collect(), playlist: title, skipped, more, ..Resolved::default() })
}

/// Looks into sound for what it says of itself, and keeps it open for a while.
async fn track(
    sources: &Sources,
    remote: Remote,
    answer: Answer,
    name: &str,
    playable: Playable,
) -> Result<Resolved, SourceError> {
    let (station, url) = (answer.head.station.clone(), remote.url.to_string());
    let opened = sources.play(remote, answer).await?;
    let facts = &opened.facts;
    let title =
        station.or_else(|| facts.tags.title.clone()).unwrap_or_else(|| name.chars().take(TITLE).collect());
    let track = Track {
        artist: facts.tags.artist.clone(),
        duration: facts.duration,
        is_about: facts.is_about,
        url: Some(url),
        ..Track::new(&title, playable.clone())
    };
    let is_core_only = facts.is_core_only;
    sources.0.looked.keep(playable, opened);
    Ok(Resolved { tracks: vec![track], is_core_only, ..Resolved::default() })
}

/// Gives the last part of an address as a title.
fn name_of(url: &Url) -> String {
    let last = url.path_segments().and_then(|mut parts| parts.rfind(|part| !part.is_empty()));
    let Some(last) = last else { return url.host_str().unwrap_or_default().to_owned() };
    let name = percent_decoded(last);
    let name = name.rsplit_once('.').map_or(name.as_str(), |(name, _)| name);
    name.chars().filter(|c| !crate::text::is_control(*c)).take(TITLE).collect()
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, later)) = rest.split_first() {
        let code = later.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let code = code.filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &later[2..];
            }
            _ => {
                bytes.push(*first);
                rest = later;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Resolved {
    /// Leaves out what is not allowed.
    fn within(mut self, limits: Limits) -> Result<Self, SourceError> {
        let all = self.tracks.len();
        let is_allowed = |length: Option<Duration>| match (length, limits.duration) {
            (Some(length), Some(most)) => length <= most,
            _ => true,
        };
        // A length that is a guess is no reason to refuse.
        self.tracks.retain(|track| track.is_about || is_allowed(track.duration));
        self.too_long += all - self.tracks.len();
        if let (true, Some(most)) = (self.tracks.is_empty() && all > 0, limits.duration) {
            return Err(SourceError::TooLong { most });
        }
        let allowed = self.tracks.len();
        self.tracks.truncate(limits.tracks.max(1));
        self.more += allowed - self.tracks.len();
        if self.tracks.is_empty() { Err(SourceError::NothingFound) } else { Ok(self) }
    }
}
