//! Lyrics from LRCLIB.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::{StatusCode, Url};
use sdk_core::voice::{Lyrics, LyricsClient, LyricsError, LyricsSetupError};
use serde::Deserialize;
use tokio::time::timeout;

use super::source::Bounds;

#[cfg(test)]
mod tests;

/// User agent. LRCLIB asks for one with a version.
const AGENT: &str = concat!("hotcord/", env!("CARGO_PKG_VERSION"));
/// Largest difference in seconds between the lengths of two recordings that count as the same.
const SAME: f64 = 5.0;

/// A client of a server of lyrics. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Client {
    client: reqwest::Client,
    base: Url,
    bounds: Arc<Bounds>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    track_name: Option<String>,
    artist_name: Option<String>,
    duration: Option<f64>,
    #[serde(default)]
    instrumental: bool,
    plain_lyrics: Option<String>,
    synced_lyrics: Option<String>,
}

/// Returns the one HTTP client of all requests, since creating one reads the root certificates.
fn client(bounds: &Bounds) -> reqwest::Result<reqwest::Client> {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client.clone());
    }
    let client =
        reqwest::Client::builder().user_agent(AGENT).connect_timeout(bounds.connect).timeout(bounds.answer);
    // Requests are rare, and a connection belongs to the runtime that opened it.
    let client = client.pool_max_idle_per_host(0).build()?;
    Ok(CLIENT.get_or_init(|| client).clone())
}

impl Client {
    /// Creates a client of the server at `base`, to whose path `/api/...` is added.
    ///
    /// # Errors
    /// When `base` is no http(s) address, or the HTTP client cannot be created.
    pub(super) fn new(base: &str) -> Result<Self, LyricsSetupError> {
        let base = Url::parse(base.trim_end_matches('/')).map_err(|_| LyricsSetupError::NoAddress)?;
        if !matches!(base.scheme(), "http" | "https") || base.query().is_some() || base.fragment().is_some() {
            return Err(LyricsSetupError::NoAddress);
        }
        let bounds = Bounds::default();
        let client = client(&bounds).map_err(|error| LyricsSetupError::Client(error.into()))?;
        Ok(Self { client, base, bounds: Arc::new(bounds) })
    }

    async fn ask(
        &self,
        title: &str,
        artist: Option<&str>,
        duration: Option<Duration>,
    ) -> Result<Lyrics, LyricsError> {
        if title.is_empty() {
            return Err(LyricsError::NotFound);
        }
        if let (Some(artist), Some(duration)) = (artist, duration) {
            let seconds = duration.as_secs().to_string();
            let query = [("track_name", title), ("artist_name", artist), ("duration", &seconds)];
            if let Some(record) = self.get::<Record>("get", &query).await?
                && let Some(lyrics) = record.lyrics()
            {
                return Ok(lyrics);
            }
        }
        let words = artist.map_or_else(|| title.to_owned(), |artist| format!("{artist} {title}"));
        let records = self.get::<Vec<Record>>("search", &[("q", &words)]).await?.unwrap_or_default();
        let mut records: Vec<_> = records.into_iter().filter(Record::has_any).collect();
        if let Some(duration) = duration {
            // The sort is stable, so otherwise the order of the search stays.
            records.sort_by_key(|record| {
                record.duration.is_none_or(|seconds| (seconds - duration.as_secs_f64()).abs() > SAME)
            });
        }
        records.into_iter().find_map(Record::lyrics).ok_or(LyricsError::NotFound)
    }

    /// Sends a request and returns its answer; `None` if the server has none.
    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        what: &str,
        query: &[(&str, &str)],
    ) -> Result<Option<T>, LyricsError> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/api/{what}", self.base.path().trim_end_matches('/')));
        let failed = |error: reqwest::Error| {
            tracing::debug!(error = %error.without_url(), "no lyrics");
            LyricsError::Unavailable
        };
        let mut answer = self.client.get(url).query(query).send().await.map_err(failed)?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if !answer.status().is_success() {
            return Err(LyricsError::Unavailable);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > self.bounds.lyrics {
                return Err(LyricsError::Unavailable);
            }
        }
        serde_json::from_slice(&body).map(Some).map_err(|error| {
            tracing::debug!(%error, "lyrics in another form");
            LyricsError::Unavailable
        })
    }
}

impl LyricsClient for Client {
    fn find(
        &self,
        title: &str,
        artist: Option<&str>,
        duration: Option<Duration>,
    ) -> BoxFuture<'static, Result<Lyrics, LyricsError>> {
        let client = self.clone();
        let (title, artist) = (title.trim().to_owned(), artist.map(|artist| artist.trim().to_owned()));
        Box::pin(async move {
            let within = client.bounds.answer;
            let found = timeout(within, client.ask(&title, artist.as_deref(), duration)).await;
            found.map_err(|_| LyricsError::TimedOut)?
        })
    }
}

impl Record {
    fn has_any(&self) -> bool {
        let has = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
        self.instrumental || has(&self.plain_lyrics) || has(&self.synced_lyrics)
    }

    fn lyrics(self) -> Option<Lyrics> {
        if !self.has_any() {
            return None;
        }
        let lines = timed(self.synced_lyrics.as_deref().unwrap_or_default());
        let mut plain = self.plain_lyrics.unwrap_or_default().trim().to_owned();
        if plain.is_empty() {
            let lines: Vec<_> = lines.iter().map(|(_, line)| line.as_str()).collect();
            lines
                .join(
                    "
",
                )
                .trim()
                .clone_into(&mut plain);
        }
        Some(Lyrics {
            title: self.track_name.unwrap_or_default(),
            artist: self.artist_name.unwrap_or_default(),
            plain,
            lines,
            is_instrumental: self.instrumental,
        })
    }
}

/// Reads lines of the form `[01:02.34] words`, in the order of their times.
fn timed(text: &str) -> Vec<(Duration, String)> {
    let mut lines = Vec::new();
    for mut line in text.lines().map(str::trim) {
        let mut times = Vec::new();
        // A line of a refrain may have several times.
        while let Some((time, rest)) = line.strip_prefix('[').and_then(|line| line.split_once(']')) {
            let Some(time) = time_of(time) else { break };
            times.push(time);
            line = rest.trim_start();
        }
        lines.extend(times.into_iter().map(|time| (time, line.to_owned())));
    }
    lines.sort_by_key(|(time, _)| *time);
    lines
}

fn time_of(text: &str) -> Option<Duration> {
    let (minutes, seconds) = text.split_once(':')?;
    let minutes: u32 = minutes.trim().parse().ok()?;
    let seconds: f64 = seconds.trim().parse().ok().filter(|seconds| (0.0..60.0).contains(seconds))?;
    Some(Duration::from_secs(u64::from(minutes) * 60) + Duration::from_secs_f64(seconds))
}
