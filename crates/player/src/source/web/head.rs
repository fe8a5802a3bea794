//! The head of an answer.

use reqwest::StatusCode;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap};

use crate::source::SourceError;

/// The head of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::source) struct Head {
    /// Media type in lower case, without parameters. Empty if none is stated.
    pub(in crate::source) kind: String,
    /// Bytes of this answer.
    pub(in crate::source) length: Option<u64>,
    /// Part of the whole file, if the server supports ranges.
    pub(in crate::source) range: Option<Range>,
    /// Bytes of audio between two blocks of ICY metadata.
    pub(in crate::source) interval: Option<usize>,
    /// Name of a station.
    pub(in crate::source) station: Option<String>,
}

/// Part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) struct Range {
    /// First byte.
    pub(in crate::source) from: u64,
    /// Bytes of the whole file, if the server states them.
    pub(in crate::source) whole: Option<u64>,
}

impl Head {
    pub(super) fn new(status: StatusCode, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let range = || Range::parse(&text(CONTENT_RANGE.as_str())?);
        Self {
            kind: media_type(&text(CONTENT_TYPE.as_str()).unwrap_or_default()),
            length: text(CONTENT_LENGTH.as_str()).and_then(|length| length.trim().parse().ok()),
            range: if status == StatusCode::PARTIAL_CONTENT { range() } else { None },
            interval: text("icy-metaint")
                .and_then(|interval| interval.trim().parse().ok())
                .filter(|n| *n > 0),
            station: text("icy-name").and_then(|name| station(&name)),
        }
    }

    /// Reads the head of a SHOUTcast 1 server, which differs from HTTP only in its first line.
    pub(super) fn of_shoutcast(head: &[u8]) -> Result<Self, SourceError> {
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let mut first = lines.next().unwrap_or_default().split_ascii_whitespace();
        match (first.next(), first.next().and_then(|status| status.parse::<u16>().ok())) {
            (Some("ICY"), Some(200)) => {}
            (Some("ICY"), Some(status)) => return Err(SourceError::Status(status)),
            _ => return Err(SourceError::NoSound),
        }
        let mut told = Self::default();
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            match name.trim().to_ascii_lowercase().as_str() {
                "content-type" => told.kind = media_type(value),
                "icy-metaint" => told.interval = value.trim().parse().ok().filter(|n| *n > 0),
                "icy-name" => told.station = station(value),
                _ => {}
            }
        }
        Ok(told)
    }

    /// Returns the size of the whole file, if the server states it.
    pub(in crate::source) fn whole(&self) -> Option<u64> {
        match self.range {
            Some(range) => range.whole,
            None => self.length,
        }
    }
}

impl Range {
    /// Reads `bytes 0-99/200`.
    fn parse(text: &str) -> Option<Self> {
        let (part, whole) = text.trim().strip_prefix("bytes")?.trim().split_once('/')?;
        let from = part.split_once('-')?.0.trim().parse().ok()?;
        Some(Self { from, whole: whole.trim().parse().ok() })
    }
}

fn media_type(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn station(name: &str) -> Option<String> {
    let name: String = name.chars().filter(|c| !sdk_core::text::is_control(*c)).take(200).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}
