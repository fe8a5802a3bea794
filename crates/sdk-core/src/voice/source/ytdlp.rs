//! yt-dlp: what it finds on pages and by searching.
//!
//! # Theory of operation
//!
//! It is looked for once, at the start, and asked for its version. It is handed addresses that were parsed and judged,
//! and words behind its own `ytsearch:`, both after `--`, so nothing that a user writes is an option to it. It reads no
//! configuration and none of the bot's environment. Its generic extractor, which fetches whatever address it is given,
//! is off: what is left goes to sites that it knows by name. What it finds is data again: its addresses pass the
//! guard like those of a user, and its output is never shown to anyone.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::guard::Guard;
use super::remote::Remote;
use super::status::YtDlpStatus;
use super::{Bounds, SourceError};
use found::Info;

mod found;
mod process;
#[cfg(test)]
mod tests;

pub(super) use found::Found;

/// Sound that can be played without ffmpeg, in one piece, Opus before others as it needs no decoding.
const FORMAT: &str = "bestaudio[acodec=opus][protocol=https]/bestaudio[protocol=https]/bestaudio[protocol=http]/\
                      best[protocol=https]/best[protocol=http]";
/// How long an address that was found is good.
const GOOD: Duration = Duration::from_mins(5);
/// Most addresses that are kept.
const KEPT: usize = 32;
/// Bytes after which YouTube slows an answer down.
const WINDOW: u64 = 10 << 20;
/// Headers that an address may ask for.
const HEADERS: [&str; 6] = ["accept", "accept-language", "cookie", "origin", "referer", "user-agent"];

/// yt-dlp, if there is one. The default is none.
#[derive(Default)]
pub(super) struct YtDlp(Option<Inner>);

struct Inner {
    guard: Guard,
    bounds: Arc<Bounds>,
    status: watch::Receiver<YtDlpStatus>,
    running: Semaphore,
    /// Where the sound of a page is.
    media: Mutex<HashMap<String, (Instant, Remote)>>,
}

impl YtDlp {
    /// Looks for yt-dlp at `path` or on the `PATH`, and asks it for its version in the background.
    pub(super) fn find(path: Option<PathBuf>, guard: Guard, bounds: Arc<Bounds>) -> Self {
        let (sender, status) = watch::channel(YtDlpStatus::Looking);
        let within = bounds.version;
        let running = Semaphore::new(bounds.processes);
        tokio::spawn(async move {
            let status = look(path, within).await;
            match &status {
                YtDlpStatus::Found { path, version } => {
                    tracing::info!(path = %path.display(), version, "yt-dlp found");
                }
                YtDlpStatus::Broken { path } => {
                    tracing::warn!(path = %path.display(), "yt-dlp does not run");
                }
                YtDlpStatus::Absent | YtDlpStatus::Looking => {
                    tracing::info!("yt-dlp is not installed; pages cannot be played, nor searched elsewhere");
                }
            }
            sender.send_replace(status);
        });
        Self(Some(Inner { guard, bounds, status, running, media: Mutex::default() }))
    }

    /// Says how it is.
    pub(super) fn status(&self) -> YtDlpStatus {
        self.0.as_ref().map(|inner| inner.status.borrow().clone()).unwrap_or_default()
    }

    /// Says whether it has been found by now.
    pub(super) fn is_found(&self) -> bool {
        matches!(self.status(), YtDlpStatus::Found { .. })
    }

    /// Says whether it can be asked; waits while it is being looked for.
    pub(super) async fn is_there(&self) -> bool {
        self.program().await.is_some()
    }

    /// Finds up to `most` tracks on a page.
    pub(super) async fn page(&self, url: &Url, most: usize) -> Result<Found, SourceError> {
        let items = format!("1:{}", most.max(1));
        let info = self.ask(&["--playlist-items", &items], url.as_str(), SourceError::NoPages).await?;
        let inner = self.inner(SourceError::NoPages)?;
        let found = info.found(Some(url), &inner.guard);
        if let (Some(remote), [track]) = (info.remote(&inner.guard), found.tracks.as_slice())
            && let crate::voice::Playable::YtDlp { url } = &track.playable
        {
            inner.keep(url, remote);
        }
        if found.tracks.is_empty() { Err(SourceError::Page) } else { Ok(found) }
    }

    /// Finds up to `most` tracks by words.
    pub(super) async fn search(&self, text: &str, most: usize) -> Result<Found, SourceError> {
        let inner = self.inner(SourceError::NoSearch)?;
        let words: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let words: String = words.trim().chars().take(inner.bounds.search).collect();
        let query = format!("ytsearch{}:{words}", most.max(1));
        let found = self.ask(&[], &query, SourceError::NoSearch).await?.found(None, &inner.guard);
        if found.tracks.is_empty() { Err(SourceError::NothingFound) } else { Ok(found) }
    }

    /// Finds where the sound of a page is.
    pub(super) async fn media(&self, url: &Url) -> Result<Remote, SourceError> {
        let inner = self.inner(SourceError::NoPages)?;
        let kept = inner.media.lock().get(url.as_str()).filter(|(since, _)| since.elapsed() < GOOD).cloned();
        if let Some((_, remote)) = kept {
            return Ok(remote);
        }
        let info = self.ask(&["--playlist-items", "1"], url.as_str(), SourceError::NoPages).await?;
        let remote = info.remote(&inner.guard).ok_or(SourceError::Page)?;
        inner.keep(url.as_str(), remote.clone());
        Ok(remote)
    }

    /// Forgets where the sound of a page is, because it is not there any more.
    pub(super) fn forget(&self, url: &str) {
        if let Some(inner) = &self.0 {
            inner.media.lock().remove(url);
        }
    }

    fn inner(&self, absent: SourceError) -> Result<&Inner, SourceError> {
        self.0.as_ref().ok_or(absent)
    }

    async fn program(&self) -> Option<PathBuf> {
        let mut status = self.0.as_ref()?.status.clone();
        let status = status.wait_for(|status| *status != YtDlpStatus::Looking).await.ok()?;
        match &*status {
            YtDlpStatus::Found { path, .. } => Some(path.clone()),
            _ => None,
        }
    }

    /// Runs it for an address that was judged, or for words behind a search's name.
    async fn ask(&self, options: &[&str], about: &str, absent: SourceError) -> Result<Info, SourceError> {
        let (inner, program) = (self.inner(absent.clone())?, self.program().await.ok_or(absent)?);
        let permit = timeout(inner.bounds.answer, inner.running.acquire()).await;
        let _permit = permit.map_err(|_| SourceError::Busy)?.map_err(|_| SourceError::Busy)?;
        let mut arguments = vec![
            "--ignore-config",
            "--no-exec",
            "--no-cache-dir",
            "--no-warnings",
            "--no-playlist",
            "--flat-playlist",
            "--use-extractors",
            "default,-generic",
            "--socket-timeout",
            "10",
            "--retries",
            "1",
            "--format",
            FORMAT,
            "--dump-single-json",
        ];
        arguments.extend(options);
        arguments.extend(["--", about]);
        let output = process::run(&program, &arguments, inner.bounds.find, inner.bounds.output).await?;
        serde_json::from_slice(&output).map_err(|error| {
            tracing::debug!(%error, "yt-dlp writes something else than what is asked for");
            SourceError::Page
        })
    }
}

impl Inner {
    fn keep(&self, url: &str, remote: Remote) {
        let mut media = self.media.lock();
        media.retain(|_, (since, _)| since.elapsed() < GOOD);
        if media.len() < KEPT {
            media.insert(url.to_owned(), (Instant::now(), remote));
        }
    }
}

impl Info {
    /// Gives where the sound is, and what its server wants to be asked with.
    fn remote(&self, guard: &Guard) -> Option<Remote> {
        let mut headers = HeaderMap::new();
        for (name, value) in self.http_headers.iter().flatten() {
            let name = name.to_ascii_lowercase();
            if !HEADERS.contains(&name.as_str()) {
                continue;
            }
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
        let url = guard.parse(self.media()?).ok()?;
        let window = url.host_str().is_some_and(|host| host.ends_with(".googlevideo.com")).then_some(WINDOW);
        Some(Remote { url, headers, window })
    }
}

/// Finds the program, and has it tell its version.
async fn look(path: Option<PathBuf>, within: Duration) -> YtDlpStatus {
    let Some(path) = path.or_else(process::on_path) else { return YtDlpStatus::Absent };
    let told = process::run(&path, &["--ignore-config", "--version"], within, 1 << 10).await;
    let told = told.map(|told| String::from_utf8_lossy(&told).trim().to_owned());
    match told {
        Ok(version)
            if !version.is_empty() && version.len() < 40 && !version.contains(char::is_whitespace) =>
        {
            YtDlpStatus::Found { path, version }
        }
        _ => YtDlpStatus::Broken { path },
    }
}
