//! The body of an answer, piece by piece, with a limit for silence.

use std::time::Duration;

use tokio::time::timeout;

use crate::source::SourceError;

/// Most bytes of a head that is sent as part of a body.
const HEAD: usize = 16 << 10;

/// The body of an answer.
pub(in crate::source) struct Body {
    response: reqwest::Response,
    /// Bytes that were read and put back.
    rest: Vec<u8>,
    silence: Duration,
}

impl Body {
    pub(super) fn new(response: reqwest::Response, silence: Duration) -> Self {
        Self { response, rest: Vec::new(), silence }
    }

    /// Returns the next bytes, never an empty piece; `None` at the end.
    pub(in crate::source) async fn next(&mut self) -> Result<Option<Vec<u8>>, SourceError> {
        if !self.rest.is_empty() {
            return Ok(Some(std::mem::take(&mut self.rest)));
        }
        loop {
            let chunk = timeout(self.silence, self.response.chunk()).await;
            match chunk.map_err(|_| SourceError::TimedOut)?.map_err(|_| SourceError::Broken)? {
                Some(chunk) if chunk.is_empty() => {}
                chunk => return Ok(chunk.map(Vec::from)),
            }
        }
    }

    /// Puts bytes back, to be the next ones.
    pub(in crate::source) fn give_back(&mut self, mut bytes: Vec<u8>) {
        bytes.append(&mut self.rest);
        self.rest = bytes;
    }

    /// Reads until there are `least` bytes or the end is reached, and leaves all of it to be read again.
    pub(in crate::source) async fn peek(&mut self, least: usize) -> Result<Vec<u8>, SourceError> {
        let mut seen = Vec::new();
        while seen.len() < least {
            match self.next().await? {
                Some(more) => seen.extend(more),
                None => break,
            }
        }
        self.give_back(seen.clone());
        Ok(seen)
    }

    /// Returns the whole body, if it is at most `most` bytes.
    pub(in crate::source) async fn whole(mut self, most: usize) -> Result<Vec<u8>, SourceError> {
        let mut seen = Vec::new();
        while let Some(more) = self.next().await? {
            seen.extend(more);
            if seen.len() > most {
                return Err(SourceError::TooLarge);
            }
        }
        Ok(seen)
    }

    /// Reads and returns the bytes up to the first empty line.
    pub(super) async fn take_head(&mut self) -> Result<Vec<u8>, SourceError> {
        let mut head = Vec::new();
        while let Some(more) = self.next().await? {
            head.extend(more);
            let end = head.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
            let end = end.or_else(|| head.windows(2).position(|two| two == b"\n\n").map(|at| at + 2));
            if let Some(end) = end {
                let rest = head.split_off(end);
                self.give_back(rest);
                return Ok(head);
            }
            if head.len() > HEAD {
                break;
            }
        }
        Err(SourceError::NoSound)
    }
}
