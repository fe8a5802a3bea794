//! yt-dlp: tracks on pages and by search.
//!
//! # Theory of operation
//!
//! The program is looked for once, at the start, and asked for its version. It receives addresses that were parsed and
//! checked, and words after its own `ytsearch:`, both after `--`, so nothing that a user writes is an option to it. It
//! reads no configuration and none of the bot's environment. Its generic extractor, which fetches any address it is
//! given, is off: the others contact sites that they know by name. Its results are data again: its addresses pass the
//! guard like those of a user, and its output is never shown to users.
//!
//! For YouTube it needs a JavaScript runtime (`runtime`). If a site's servers refuse the media that it has found to all
//! other clients, it fetches the audio too (`spool`).

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use sdk_core::voice::Playable;
use sdk_core::voice::source::{JsRuntime, YtDlpStatus};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::guard::Guard;
use super::remote::Remote;
use super::{Bounds, SourceError};
use found::Info;

mod found;
mod process;
mod runtime;
mod spool;
#[cfg(test)]
mod tests;

pub(super) use found::Found;
pub(super) use spool::Spool;

/// Audio that can be played without ffmpeg, in one piece, with Opus preferred since it needs no decoding.
const FORMAT: &str = "bestaudio[acodec=opus][protocol=https]/bestaudio[protocol=https]/bestaudio[protocol=http]/\
                      best[protocol=https]/best[protocol=http]";
/// How long an address that was found is used.
const GOOD: Duration = Duration::from_mins(5);
/// Most addresses that are kept.
const KEPT: usize = 32;
/// Bytes after which YouTube slows an answer down.
const WINDOW: u64 = 10 << 20;
/// First version that knows `--js-runtimes`.
const KNOWS_RUNTIMES: [u32; 3] = [2025, 11, 12];
/// Sites for which yt-dlp needs a JavaScript runtime.
const SCRIPTED: [&str; 3] = ["youtube.com", "youtu.be", "youtube-nocookie.com"];
/// Headers that an address may need.
const HEADERS: [&str; 6] = ["accept", "accept-language", "cookie", "origin", "referer", "user-agent"];

/// yt-dlp, if there is one. The default is none.
#[derive(Default)]
pub(super) struct YtDlp(Option<Inner>);

struct Inner {
    guard: Guard,
    bounds: Arc<Bounds>,
    status: watch::Receiver<YtDlpStatus>,
    running: Semaphore,
    spooling: Arc<Semaphore>,
    /// Files being fetched, by their page, while they are read.
    spools: Mutex<HashMap<String, Weak<Spool>>>,
    /// The address of each page's audio.
    media: Mutex<HashMap<String, (Instant, Remote)>>,
}

impl YtDlp {
    /// Looks for yt-dlp at `path` or on the `PATH`, and asks it for its version in the background.
    pub(super) fn find(path: Option<PathBuf>, guard: Guard, bounds: Arc<Bounds>) -> Self {
        Self::find_in(path, std::env::var_os("PATH").unwrap_or_default(), guard, bounds)
    }

    /// As [`find`](Self::find), with these folders in place of those of the `PATH`.
    fn find_in(path: Option<PathBuf>, folders: OsString, guard: Guard, bounds: Arc<Bounds>) -> Self {
        let (sender, status) = watch::channel(YtDlpStatus::Looking);
        let within = bounds.version;
        let running = Semaphore::new(bounds.processes);
        let spooling = Arc::new(Semaphore::new(bounds.spools));
        tokio::spawn(async move {
            let status = look(path, &folders, within).await;
            match &status {
                YtDlpStatus::Found { path, version, runtime } => {
                    let path = path.display();
                    match runtime {
                        Some(runtime) if runtime.is_supported => {
                            tracing::info!(%path, version, %runtime, "yt-dlp found");
                        }
                        Some(runtime) => tracing::warn!(
                            %path, version, %runtime,
                            "yt-dlp found, but its JavaScript runtime is too old for YouTube; install Deno 2.3 or Node.js 22"
                        ),
                        None => tracing::warn!(
                            %path, version,
                            "yt-dlp found, but no JavaScript runtime, without which YouTube lacks formats; install Deno 2.3 or Node.js 22"
                        ),
                    }
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
        let (spools, media) = (Mutex::default(), Mutex::default());
        Self(Some(Inner { guard, bounds, status, running, spooling, spools, media }))
    }

    /// Returns its status.
    pub(super) fn status(&self) -> YtDlpStatus {
        self.0.as_ref().map(|inner| inner.status.borrow().clone()).unwrap_or_default()
    }

    /// Returns whether it has been found by now.
    pub(super) fn is_found(&self) -> bool {
        matches!(self.status(), YtDlpStatus::Found { .. })
    }

    /// Returns whether it can be run. Waits while it is being looked for.
    pub(super) async fn is_there(&self) -> bool {
        self.found().await.is_some()
    }

    /// Finds up to `most` tracks on a page.
    pub(super) async fn page(&self, url: &Url, most: usize) -> Result<Found, SourceError> {
        let items = format!("1:{}", most.max(1));
        let info = self.ask(&["--playlist-items", &items], url.as_str(), SourceError::NoPages).await?;
        let inner = self.inner(SourceError::NoPages)?;
        let found = info.found(Some(url), &inner.guard);
        if let (Some(remote), [track]) = (info.remote(&inner.guard), found.tracks.as_slice())
            && let Playable::YtDlp { url } = &track.playable
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

    /// Finds the address of a page's audio.
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

    /// Starts to fetch a page's audio in the format that was found. Further requests for it share the same file.
    pub(super) async fn spool(&self, page: &Url, remote: &Remote) -> Result<Arc<Spool>, SourceError> {
        let inner = self.inner(SourceError::NoPages)?;
        let found = self.found().await.ok_or(SourceError::NoPages)?;
        if let Some(spool) = self.spooled(page) {
            return Ok(spool);
        }
        let permit = inner.spooling.clone().try_acquire_owned().map_err(|_| SourceError::Busy)?;
        let mut arguments: Vec<String> = found.arguments();
        let format = remote.format.as_deref().unwrap_or(FORMAT);
        let options =
            ["--quiet", "--playlist-items", "1", "--format", format, "--output", "-", "--", page.as_str()];
        arguments.extend(options.map(str::to_owned));
        tracing::info!(
            host = page.host_str().unwrap_or_default(),
            "a site's server refuses the bot, so yt-dlp fetches the sound"
        );
        let spool = Spool::start(found.path, arguments, inner.bounds.clone(), permit)?;
        let mut spools = inner.spools.lock();
        spools.retain(|_, spool| spool.strong_count() > 0);
        spools.insert(page.to_string(), Arc::downgrade(&spool));
        Ok(spool)
    }

    /// Returns the file of a page that is being fetched already.
    pub(super) fn spooled(&self, page: &Url) -> Option<Arc<Spool>> {
        self.0.as_ref()?.spools.lock().get(page.as_str())?.upgrade()
    }

    /// Forgets the address of a page's audio, because it has expired.
    pub(super) fn forget(&self, url: &str) {
        if let Some(inner) = &self.0 {
            inner.media.lock().remove(url);
        }
    }

    fn inner(&self, absent: SourceError) -> Result<&Inner, SourceError> {
        self.0.as_ref().ok_or(absent)
    }

    /// Waits while it is being looked for, and returns the result.
    async fn found(&self) -> Option<Program> {
        let mut status = self.0.as_ref()?.status.clone();
        let status = status.wait_for(|status| *status != YtDlpStatus::Looking).await.ok()?;
        match &*status {
            YtDlpStatus::Found { path, version, runtime } => {
                Some(Program { path: path.clone(), version: version.clone(), runtime: runtime.clone() })
            }
            _ => None,
        }
    }

    /// Runs it for an address that was checked, or for words after a search's name.
    async fn ask(&self, options: &[&str], about: &str, absent: SourceError) -> Result<Info, SourceError> {
        let (inner, program) = (self.inner(absent.clone())?, self.found().await.ok_or(absent)?);
        let permit = timeout(inner.bounds.answer, inner.running.acquire()).await;
        let _permit = permit.map_err(|_| SourceError::Busy)?.map_err(|_| SourceError::Busy)?;
        let common = program.arguments();
        let mut arguments: Vec<_> = common.iter().map(String::as_str).collect();
        arguments.extend(["--flat-playlist", "--format", FORMAT, "--dump-single-json"]);
        arguments.extend(options);
        arguments.extend(["--", about]);
        let output = process::run(&program.path, &arguments, inner.bounds.find, inner.bounds.output).await;
        let info = output.and_then(|output| {
            serde_json::from_slice(&output).map_err(|error| {
                tracing::debug!(%error, "yt-dlp writes something else than what is asked for");
                SourceError::Page
            })
        });
        info.map_err(|error| {
            if error == SourceError::Page && program.lacks(about) { SourceError::NoRuntime } else { error }
        })
    }
}

/// The program that was found.
struct Program {
    path: PathBuf,
    version: String,
    runtime: Option<JsRuntime>,
}

impl Program {
    /// Returns the options that it is always run with.
    fn arguments(&self) -> Vec<String> {
        let options = [
            "--ignore-config",
            "--no-exec",
            "--no-cache-dir",
            "--no-warnings",
            "--no-playlist",
            "--use-extractors",
            "default,-generic",
            "--socket-timeout",
            "10",
            "--retries",
            "1",
        ];
        let mut options: Vec<String> = options.map(str::to_owned).to_vec();
        let knows = runtime::numbers(&self.version) >= KNOWS_RUNTIMES;
        // It finds Deno by itself.
        let told =
            self.runtime.as_ref().filter(|runtime| knows && runtime.is_supported && runtime.name != "deno");
        if let Some(runtime) = told {
            options
                .extend(["--js-runtimes".to_owned(), format!("{}:{}", runtime.name, runtime.path.display())]);
        }
        options
    }

    /// Returns whether a page is of a site for which it needs a JavaScript runtime and has none.
    fn lacks(&self, about: &str) -> bool {
        let has = self.runtime.as_ref().is_some_and(|runtime| runtime.is_supported);
        let host = Url::parse(about).ok().and_then(|url| url.host_str().map(str::to_ascii_lowercase));
        let is_scripted =
            |host: String| SCRIPTED.iter().any(|site| host == *site || host.ends_with(&format!(".{site}")));
        !has && host.is_some_and(is_scripted)
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
    /// Returns the address of the audio, with the headers that its server requires.
    fn remote(&self, guard: &Guard) -> Option<Remote> {
        let mut headers = HeaderMap::new();
        let played = self.played();
        for (name, value) in played.http_headers.iter().flatten() {
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
        let is_name = |format: &&String| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            (1..=64).contains(&format.len()) && format.chars().all(is_plain)
        };
        let format = played.format_id.as_ref().filter(is_name).cloned();
        Some(Remote { url, headers, window, format })
    }
}

/// Finds the program and asks for its version.
async fn look(path: Option<PathBuf>, folders: &OsStr, within: Duration) -> YtDlpStatus {
    let Some(path) = path.or_else(|| process::on_path(folders, "yt-dlp")) else { return YtDlpStatus::Absent };
    let told = process::run(&path, &["--ignore-config", "--version"], within, 1 << 10).await;
    let told = told.map(|told| String::from_utf8_lossy(&told).trim().to_owned());
    match told {
        Ok(version)
            if !version.is_empty() && version.len() < 40 && !version.contains(char::is_whitespace) =>
        {
            YtDlpStatus::Found { path, version, runtime: runtime::find(folders, within).await }
        }
        _ => YtDlpStatus::Broken { path },
    }
}
