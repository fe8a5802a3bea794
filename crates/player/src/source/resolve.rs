//! From a user's query to tracks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use reqwest::Url;
use sdk_core::voice::source::{Limits, Query, Resolved, SourceError};
use sdk_core::voice::{Playable, Track};

use super::Sources;
use super::deadline::Deadline;
use super::playlist::{Entry, Form, Playlist};
use super::remote::Remote;
use super::web::{Failed, Port, Response};
use super::ytdlp;

/// Bytes that are enough to distinguish a playlist or a page from audio.
const FIRST: usize = 512;
/// Most characters of a title that are kept.
const TITLE: usize = 200;
/// Most playlists inside playlists that are read for one query. A further one remains an entry, which plays its first
/// track.
const NESTED: usize = 16;

/// The content at an address.
pub(super) enum Content {
    Sound(Remote, Box<Response>),
    Playlist(Playlist),
    /// A page at its address after all redirects.
    Page(Url, Port),
}

/// How far resolving gets without yt-dlp.
enum Step {
    Found(Resolved),
    Page(Page),
}

/// A page for yt-dlp.
struct Page {
    url: Url,
    port: Port,
    /// Title that a playlist has for it.
    title: Option<String>,
    /// Why its server refused the bot, if it did.
    refused: Option<Failed>,
}

/// Finds the tracks for a query.
///
/// All requests to servers have one deadline, and yt-dlp has another.
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
        Query::Attachment { url, name } => attachment(sources, &url, &name, limits).await?,
        Query::Url(text) => {
            let url = sources.0.web.guard().parse(&text)?;
            let lookup = Lookup::new(sources, limits);
            match lookup.of_url(url, 0).await? {
                Step::Found(found) => found,
                Step::Page(asked) => page(sources, asked, limits).await?,
            }
        }
    };
    let playables: Vec<_> = found.tracks.iter().map(|track| track.playable.clone()).collect();
    within(found, limits).inspect_err(|_| {
        // A track that will not be played is not kept open.
        for playable in &playables {
            sources.0.looked.forget(playable);
        }
    })
}

/// Finds the track of an attachment.
async fn attachment(
    sources: &Sources,
    url: &str,
    name: &str,
    limits: Limits,
) -> Result<Resolved, SourceError> {
    let url = sources.0.web.guard().parse(url)?;
    let lookup = Lookup::new(sources, limits);
    let deadline = lookup.deadline;
    let playable = Playable::Attachment { url: url.to_string(), name: name.to_owned() };
    // The address was chosen by Discord and not by a user, so its errors reveal nothing about ports.
    match ask(sources, &url, deadline).await.map_err(|failed| failed.error)? {
        Content::Sound(remote, answer) => {
            let found = track(sources, remote, *answer, name, playable, deadline).await;
            let mut found = found.map_err(|failed| failed.error)?;
            // The address is not a page, and valid for a day only.
            for track in &mut found.tracks {
                track.url = None;
            }
            Ok(found)
        }
        Content::Playlist(playlist) => match lookup.of_playlist(playlist, 1).await? {
            Step::Found(found) => Ok(found),
            Step::Page(asked) => page(sources, asked, limits).await,
        },
        Content::Page(..) => Err(SourceError::NoSound),
    }
}

/// Finds tracks by words: the library's, or if it has no good match, those that yt-dlp finds.
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
    let bounds = sources.bounds();
    let searching = sources.0.yt_dlp.search(text, most);
    let mut found = Deadline::after(bounds.answer + bounds.find).keep(searching).await?.tracks;
    found.truncate(most);
    Ok(found)
}

/// Requests an address and finds out its content.
pub(super) async fn ask(sources: &Sources, url: &Url, deadline: Deadline) -> Result<Content, Failed> {
    let remote = Remote::new(url.clone());
    let mut answer = remote.get(&sources.0.web, 0, deadline).await?;
    let port = answer.port.clone();
    let failed = |error| port.failed(error);
    if answer.head.whole().is_some_and(|whole| whole > sources.bounds().file) {
        return Err(failed(SourceError::TooLarge));
    }
    let first = deadline.keep(answer.body.peek(FIRST)).await.map_err(failed)?;
    if let Some(form) = Form::of(&answer.head.kind, &first, answer.url.path()) {
        let bounds = sources.bounds();
        let text = deadline.keep(answer.body.whole(bounds.playlist)).await.map_err(failed)?;
        let mut playlist = form.read(&text, &answer.url, bounds.entries).map_err(failed)?;
        let all = playlist.entries.len();
        playlist.entries.retain(|entry| sources.0.web.guard().check(&entry.url).is_ok());
        playlist.skipped += all - playlist.entries.len();
        if playlist.entries.is_empty() {
            return Err(failed(SourceError::EmptyPlaylist));
        }
        return Ok(Content::Playlist(playlist));
    }
    if is_page(&answer.head.kind, &first) {
        return Ok(Content::Page(answer.url, port));
    }
    if answer.head.kind.starts_with("image/") {
        return Err(failed(SourceError::NoSound));
    }
    Ok(Content::Sound(remote, Box::new(answer)))
}

fn is_page(kind: &str, first: &[u8]) -> bool {
    let text =
        String::from_utf8_lossy(first).trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    let begins =
        ["<!doctype", "<html", "<head", "<?xml", "<script"].iter().any(|start| text.starts_with(start));
    begins || matches!(kind, "text/html" | "application/xhtml+xml") && text.starts_with('<')
}

/// Finds tracks on a page with yt-dlp.
async fn page(sources: &Sources, page: Page, limits: Limits) -> Result<Resolved, SourceError> {
    let Page { url, port, title, refused } = page;
    let bounds = sources.bounds();
    let looking = Deadline::after(bounds.answer + bounds.find).keep(async {
        if refused.is_some() && !sources.0.yt_dlp.is_there().await {
            return Err(SourceError::NoPages);
        }
        sources.0.yt_dlp.page(&url, limits.tracks).await
    });
    let found = looking.await.map_err(|error| refused.unwrap_or_else(|| port.failed(error)))?;
    let ytdlp::Found { mut tracks, playlist, skipped, more } = found;
    if let ([track], Some(title)) = (tracks.as_mut_slice(), title) {
        track.title = title;
    }
    Ok(Resolved { tracks, playlist, skipped, more, ..Resolved::default() })
}

/// Lookup of one query's addresses, with one deadline for all of them.
struct Lookup<'a> {
    sources: &'a Sources,
    limits: Limits,
    deadline: Deadline,
    /// Playlists inside playlists that were read.
    nested: AtomicUsize,
}

impl<'a> Lookup<'a> {
    fn new(sources: &'a Sources, limits: Limits) -> Self {
        let deadline = Deadline::after(sources.bounds().resolve);
        Self { sources, limits, deadline, nested: AtomicUsize::new(0) }
    }

    /// Finds the tracks or the page at an address; `depth` counts the playlists that led to it.
    async fn of_url(&self, url: Url, depth: usize) -> Result<Step, SourceError> {
        match ask(self.sources, &url, self.deadline).await {
            Ok(Content::Sound(remote, answer)) => {
                let name = name_of(&url);
                let playable = Playable::Http { url: url.to_string() };
                let found = track(self.sources, remote, *answer, &name, playable, self.deadline).await?;
                Ok(Step::Found(found))
            }
            Ok(Content::Playlist(playlist)) => self.of_playlist(playlist, depth + 1).await,
            Ok(Content::Page(url, port)) => Ok(Step::Page(Page { url, port, title: None, refused: None })),
            // Some sites refuse every client that is not a browser.
            Err(refused) if matches!(refused.error, SourceError::Status(_)) => {
                let port = refused.port.clone();
                Ok(Step::Page(Page { url, port, title: None, refused: Some(refused) }))
            }
            Err(failed) => Err(failed.into()),
        }
    }

    /// Returns the tracks of a playlist. A single entry and playlists inside it are read now, other entries when they
    /// play.
    async fn of_playlist(&self, playlist: Playlist, depth: usize) -> Result<Step, SourceError> {
        let Playlist { title, mut entries, skipped, more } = playlist;
        if depth > self.sources.bounds().nesting {
            return Err(SourceError::EmptyPlaylist);
        }
        if entries.len() == 1 && skipped == 0 && more == 0 {
            let entry = entries.remove(0);
            let mut step = Box::pin(self.of_url(entry.url, depth)).await?;
            match (&mut step, entry.title) {
                (Step::Found(found), Some(title)) => {
                    if let [track] = found.tracks.as_mut_slice() {
                        track.title = title;
                    }
                }
                (Step::Page(page), Some(title)) => page.title = Some(title),
                (_, None) => {}
            }
            return Ok(step);
        }
        let mut found = Resolved { playlist: title, skipped, more, ..Resolved::default() };
        for entry in entries {
            if !Form::is_in_name(entry.url.path()) || found.tracks.len() >= self.limits.tracks {
                found.tracks.push(track_of(entry));
                continue;
            }
            match self.inside(&entry.url, depth).await {
                Ok(Some(inner)) => {
                    found.tracks.extend(inner.tracks);
                    found.skipped += inner.skipped;
                    found.more += inner.more;
                    found.is_core_only |= inner.is_core_only;
                }
                // There is no time to read it, or it is not a playlist after all.
                Ok(None) | Err(SourceError::Late { .. }) => found.tracks.push(track_of(entry)),
                Err(_) => found.skipped += 1,
            }
        }
        if found.tracks.is_empty() { Err(SourceError::EmptyPlaylist) } else { Ok(Step::Found(found)) }
    }

    /// Returns the tracks of a playlist that is an entry of another one; `None` if it is not a playlist, or too many
    /// were read.
    async fn inside(&self, url: &Url, depth: usize) -> Result<Option<Resolved>, SourceError> {
        if self.nested.fetch_add(1, Ordering::Relaxed) >= NESTED {
            return Ok(None);
        }
        let Content::Playlist(playlist) = ask(self.sources, url, self.deadline).await? else {
            return Ok(None);
        };
        match Box::pin(self.of_playlist(playlist, depth + 1)).await? {
            Step::Found(found) => Ok(Some(found)),
            Step::Page(_) => Ok(None),
        }
    }
}

/// Returns an entry of a playlist as a track that is read when it plays.
fn track_of(entry: Entry) -> Track {
    let title = entry.title.unwrap_or_else(|| name_of(&entry.url));
    let url = entry.url.to_string();
    Track { duration: entry.duration, url: Some(url.clone()), ..Track::new(&title, Playable::Http { url }) }
}

/// Reads the metadata of audio, and keeps it open for a while.
async fn track(
    sources: &Sources,
    remote: Remote,
    answer: Response,
    name: &str,
    playable: Playable,
    deadline: Deadline,
) -> Result<Resolved, Failed> {
    let (station, url) = (answer.head.station.clone(), remote.url.to_string());
    let port = answer.port.clone();
    let opened = deadline.keep(sources.play(remote, answer)).await.map_err(|error| port.failed(error))?;
    let info = &opened.info;
    let title =
        station.or_else(|| info.tags.title.clone()).unwrap_or_else(|| name.chars().take(TITLE).collect());
    let track = Track {
        artist: info.tags.artist.clone(),
        duration: info.duration,
        is_about: info.is_about,
        url: Some(url),
        ..Track::new(&title, playable.clone())
    };
    let is_core_only = info.is_core_only;
    sources.0.looked.keep(playable, opened);
    Ok(Resolved { tracks: vec![track], is_core_only, ..Resolved::default() })
}

/// Returns the last part of an address as a title.
fn name_of(url: &Url) -> String {
    let last = url.path_segments().and_then(|mut parts| parts.rfind(|part| !part.is_empty()));
    let Some(last) = last else { return url.host_str().unwrap_or_default().to_owned() };
    let name = percent_decode_str(last).decode_utf8_lossy();
    let name = name.rsplit_once('.').map_or(&*name, |(name, _)| name);
    name.chars().filter(|c| !sdk_core::text::is_control(*c)).take(TITLE).collect()
}

/// Removes tracks that are not allowed.
fn within(mut found: Resolved, limits: Limits) -> Result<Resolved, SourceError> {
    let all = found.tracks.len();
    let is_allowed = |length: Option<Duration>| match (length, limits.duration) {
        (Some(length), Some(most)) => length <= most,
        _ => true,
    };
    // An estimated length is no reason to refuse.
    found.tracks.retain(|track| track.is_about || is_allowed(track.duration));
    found.too_long += all - found.tracks.len();
    if let (true, Some(most)) = (found.tracks.is_empty() && all > 0, limits.duration) {
        return Err(SourceError::TooLong { most });
    }
    let allowed = found.tracks.len();
    found.tracks.truncate(limits.tracks.max(1));
    found.more += allowed - found.tracks.len();
    if found.tracks.is_empty() { Err(SourceError::NothingFound) } else { Ok(found) }
}
