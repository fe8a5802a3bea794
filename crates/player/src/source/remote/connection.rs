//! One answer that is being read, with some of the bytes already read.

use std::sync::Arc;

use crate::source::SourceError;
use crate::source::icy::Icy;
use crate::source::media::TrackEventSender;
use crate::source::web::{Body, Response};
use crate::source::ytdlp::Spool;

/// Bytes that one can seek back by. symphonia reads this far ahead of its position, and twice that.
const BEHIND: usize = 128 << 10;

/// The source of the bytes.
pub(super) enum Bytes {
    /// The body of an answer.
    Web(Body),
    /// The file that yt-dlp has fetched, from a position on.
    Spooled(Arc<Spool>, u64),
}

/// One answer that is being read.
pub(super) struct Connection {
    bytes: Bytes,
    icy: Option<Icy>,
    /// Received bytes, of which `read` have been read.
    piece: Vec<u8>,
    read: usize,
    /// Position of the next byte.
    pub(super) at: u64,
    /// Number of bytes received in all.
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

    /// Returns whether it contains titles.
    pub(super) fn has_titles(&self) -> bool {
        self.icy.is_some()
    }

    /// Returns the bytes that were received and not read.
    pub(super) fn rest(&self) -> &[u8] {
        &self.piece[self.read..]
    }

    /// Reads received bytes.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> usize {
        let length = self.rest().len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.rest()[..length]);
        self.read += length;
        self.at += length as u64;
        length
    }

    /// Returns whether a position is within the received bytes.
    pub(super) fn reaches(&self, to: u64) -> bool {
        let (behind, rest) = (self.read as u64, self.rest().len() as u64);
        self.at.saturating_sub(to) <= behind && to.saturating_sub(self.at) <= rest
    }

    /// Seeks within the received bytes. Returns whether the position is there.
    pub(super) fn go(&mut self, to: u64) -> bool {
        if !self.reaches(to) {
            return false;
        }
        let begins = self.at - self.read as u64;
        self.read = usize::try_from(to - begins).unwrap_or(self.read);
        self.at = to;
        true
    }

    /// Waits for more bytes. Bytes that have been read are dropped, or partly kept if `keeps`. Returns whether there
    /// are more.
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
