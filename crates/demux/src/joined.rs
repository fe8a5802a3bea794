//! A stream whose beginning comes from another one.

use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::{MediaSource, MediaSourceStream, ReadBytes as _};

/// `head`, followed by the rest of a stream.
pub(crate) struct Joined {
    head: Vec<u8>,
    rest: MediaSourceStream,
    /// Position in the rest at which it follows the head.
    begins: u64,
    at: u64,
}

impl Joined {
    pub(crate) fn new(head: Vec<u8>, rest: MediaSourceStream) -> Self {
        let begins = rest.pos();
        Self { head, rest, begins, at: 0 }
    }

    fn head_len(&self) -> u64 {
        self.head.len() as u64
    }
}

impl Read for Joined {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.at).ok().and_then(|at| self.head.get(at..)).unwrap_or_default();
        let read = if left.is_empty() {
            self.rest.read(buffer)?
        } else {
            let length = left.len().min(buffer.len());
            buffer[..length].copy_from_slice(&left[..length]);
            length
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Joined {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(to) => Some(to),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.byte_len().and_then(|length| length.checked_add_signed(by)),
        };
        let to = to.ok_or(io::ErrorKind::InvalidInput)?;
        let within = to.saturating_sub(self.head_len());
        let place = self.begins.checked_add(within).ok_or(io::ErrorKind::InvalidInput)?;
        self.rest.seek(SeekFrom::Start(place))?;
        self.at = to;
        Ok(to)
    }
}

impl MediaSource for Joined {
    fn is_seekable(&self) -> bool {
        self.rest.is_seekable()
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.rest.byte_len()?.saturating_sub(self.begins).saturating_add(self.head_len()))
    }
}
