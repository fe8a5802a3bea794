//! The parts of yt-dlp's output that are used.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Url;
use sdk_core::voice::{Playable, Track};
use serde::Deserialize;

use crate::length::believed;
use crate::source::guard::Guard;

/// Most characters of a title that are kept.
const TITLE: usize = 200;

/// A video, or a list of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Info {
    title: Option<String>,
    artist: Option<String>,
    uploader: Option<String>,
    channel: Option<String>,
    duration: Option<f64>,
    webpage_url: Option<String>,
    original_url: Option<String>,
    url: Option<String>,
    thumbnail: Option<String>,
    is_live: Option<bool>,
    protocol: Option<String>,
    pub(super) http_headers: Option<BTreeMap<String, String>>,
    pub(super) format_id: Option<String>,
    /// Entries of the whole list, of which the requested ones are here.
    playlist_count: Option<usize>,
    entries: Option<Vec<Option<Info>>>,
}

/// Tracks that were found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::source) struct Found {
    /// Title of the list that they are in.
    pub(in crate::source) playlist: Option<String>,
    pub(in crate::source) tracks: Vec<Track>,
    /// Number of tracks that cannot be played.
    pub(in crate::source) skipped: usize,
    /// Number of further tracks in the list.
    pub(in crate::source) more: usize,
}

impl Info {
    /// Returns the tracks. A video without an address of its own is at `page`.
    pub(super) fn found(&self, page: Option<&Url>, guard: &Guard) -> Found {
        let Some(entries) = &self.entries else {
            let track = self.track(page, guard);
            return Found {
                playlist: None,
                skipped: usize::from(track.is_none()),
                more: 0,
                tracks: track.into_iter().collect(),
            };
        };
        let tracks: Vec<_> = entries.iter().flatten().filter_map(|entry| entry.track(None, guard)).collect();
        // The title of a search is its text.
        let playlist = page.and_then(|_| self.title.as_deref().and_then(clean));
        let more = page.and(self.playlist_count).unwrap_or(0).saturating_sub(entries.len());
        Found { playlist, skipped: entries.len() - tracks.len(), more, tracks }
    }

    /// Returns the entry whose audio is played.
    pub(super) fn played(&self) -> &Self {
        match &self.entries {
            Some(entries) => entries.iter().flatten().next().map_or(self, Self::played),
            None => self,
        }
    }

    /// Returns the address of the audio itself.
    pub(super) fn media(&self) -> Option<&str> {
        if let Some(entries) = &self.entries {
            return entries.iter().flatten().next().and_then(Self::media);
        }
        self.protocol.as_ref().and(self.url.as_deref())
    }

    fn track(&self, page: Option<&Url>, guard: &Guard) -> Option<Track> {
        self.title.as_ref().or(self.url.as_ref())?;
        let own = [&self.webpage_url, &self.original_url].into_iter().flatten().map(String::as_str);
        // In a list whose entries were not resolved, the address of an entry is its page.
        let listed = self.url.as_deref().filter(|_| self.protocol.is_none());
        let url = own.chain(listed).find_map(|url| guard.parse(url).ok()).or_else(|| page.cloned())?;
        let seconds = self.duration.filter(|_| self.is_live != Some(true));
        let seconds = seconds.filter(|seconds| *seconds > 0.0);
        let by = [&self.artist, &self.channel, &self.uploader].into_iter().flatten();
        let title = self.title.as_deref().and_then(clean);
        let playable = Playable::YtDlp { url: url.to_string() };
        Some(Track {
            artist: by.map(String::as_str).find_map(clean),
            duration: seconds
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .and_then(believed),
            artwork: self.thumbnail.as_deref().and_then(|url| guard.parse(url).ok()).map(String::from),
            url: Some(url.to_string()),
            ..Track::new(&title.unwrap_or_else(|| url.host_str().unwrap_or_default().to_owned()), playable)
        })
    }
}

fn clean(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !sdk_core::text::is_control(*c)).take(TITLE).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
