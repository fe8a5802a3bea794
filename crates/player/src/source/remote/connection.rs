//! One answer that is being read, with some of what has been read of it.

use std::sync::Arc;

use crate::source::SourceError;
use crate::source::icy::Icy;
use crate::source::media::TrackEventSender;
use crate::source::web::{Body, Response};
use crate::source::ytdlp::Spool;

/// Bytes that one can go back by; symphonia reads so far ahead of what it looks at, and twice that.
const BEHIND: usize = 128 << 10;

/// Where bytes come from.
pub(super) enum Bytes {
    /// What follows an answer's head.
    Web(Body),
    /// What yt-dlp has fetched, from a place on.
    Spooled(Arc<Spool>, u64),
}

/// One answer that is being read.
pub(super) struct Connection {
    bytes: Bytes,
    icy: Option<Icy>,
    /// Bytes that have come, of which so many have been read.
    piece: Vec<u8>,
    read: usize,
    /// Place of the next byte.
    pub(super) at: u64,
    /// Bytes that have come in all.
    pub(super) come: u64,
}

impl Connection {
    pub(super) fn new(bytes: Bytes, icy: Option<Icy>, at: u64) -> Self {
        Self { bytes, icy, piece: Vec::new(), read: 0, at, come: 0 }
    }

    /// Reads an answer from its first byte.
    pub(super) fn of(answer: Response) -> Self {
        Self::new(Bytes::Web(answer.body), answer.head.interval.map(Icy::new), 0)
    }

    /// Returns whether titles are in it.
    pub(super) fn has_titles(&self) -> bool {
        self.icy.is_some()
    }

    /// Returns the bytes that have come and have not been read.
    pub(super) fn rest(&self) -> &[u8] {
        &self.piece[self.read..]
    }

    /// Reads what has come.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> usize {
        let length = self.rest().len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.rest()[..length]);
        self.read += length;
        self.at += length as u64;
        length
    }

    /// Returns whether a place is in what has come.
    pub(super) fn reaches(&self, to: u64) -> bool {
        let (behind, rest) = (self.read as u64, self.rest().len() as u64);
        self.at.saturating_sub(to) <= behind && to.saturating_sub(self.at) <= rest
    }

    /// Goes to a place in what has come; says whether it is there.
    pub(super) fn go(&mut self, to: u64) -> bool {
        if !self.reaches(to) {
            return false;
        }
        let begins = self.at - self.read as u64;
        self.read = usize::try_from(to - begins).unwrap_or(self.read);
        self.at = to;
        true
    }

    /// Waits for more bytes, of which those that have been read are forgotten, or some of them kept; says whether there
    /// are any.
    pub(super) async fn more(&mut self, keeps: bool, events: &TrackEventSender) -> Result<bool, SourceError> {
        let come = match &mut self.bytes {
            Bytes::Web(body) => body.next().await?,
            Bytes::Spooled(spool, at) => {
                let come = spool.read(*at).await?;
                *at += come.as_ref().map_or(0, Vec::len) as u64;
                come
            }
        };
        let Some(mut come) = come else { return Ok(false) };
        self.come += come.len() as u64;
        if let Some(icy) = &mut self.icy {
            let (sound, title) = icy.split(&come);
            if let Some(title) = title {
                events.title(title);
            }
            come = sound;
        }
        if !keeps {
            (self.piece, self.read) = (come, 0);
            return Ok(true);
        }
        if self.read > 2 * BEHIND {
            self.piece.drain(..self.read - BEHIND);
            self.read = BEHIND;
        }
        self.piece.append(&mut come);
        Ok(true)
    }
}
