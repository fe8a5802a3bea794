//! Reading from a stream, with limits, and from memory.

use std::io::{self, Read as _, Seek as _, SeekFrom};

use symphonia::core::errors::{Error, Result};
use symphonia::core::io::{MediaSource as _, MediaSourceStream, ReadBytes as _};

/// Minimum number of bytes by which memory grows while reading.
const STEP: usize = 64 << 10;
/// Number of bytes up to which skipping reads them instead of seeking.
const NEAR: u64 = 128 << 10;

/// Reads the bytes that are available, up to the buffer's length; returns 0 at the end.
pub(crate) fn some(stream: &mut MediaSourceStream, buffer: &mut [u8]) -> Result<usize> {
    Ok(stream.read(buffer)?)
}

/// Reads `length` bytes into memory, which grows as they come.
///
/// # Errors
/// When `length` is more than `most`, or fewer bytes follow.
pub(crate) fn take(stream: &mut MediaSourceStream, length: u64, most: usize) -> Result<Vec<u8>> {
    let length = usize::try_from(length).ok().filter(|length| *length <= most);
    let length = length.ok_or(Error::LimitError("a part is longer than it may be"))?;
    let mut bytes = Vec::new();
    while bytes.len() < length {
        let begin = bytes.len();
        let step = (length - begin).min(begin.max(STEP));
        bytes.reserve_exact(step);
        bytes.resize(begin + step, 0);
        stream.read_exact(&mut bytes[begin..])?;
    }
    Ok(bytes)
}

/// Skips `length` bytes.
pub(crate) fn skip(stream: &mut MediaSourceStream, length: u64) -> Result<()> {
    if length > NEAR && stream.is_seekable() {
        let to = stream.pos().checked_add(length).ok_or_else(ended)?;
        return go(stream, to);
    }
    Ok(stream.ignore_bytes(length)?)
}

/// Seeks to a position.
pub(crate) fn go(stream: &mut MediaSourceStream, to: u64) -> Result<()> {
    if stream.byte_len().is_some_and(|length| to > length) {
        return Err(ended());
    }
    stream.seek(SeekFrom::Start(to))?;
    Ok(())
}

/// Returns the error of a stream that has ended.
pub(crate) fn ended() -> Error {
    Error::IoError(io::Error::new(io::ErrorKind::UnexpectedEof, "end of stream"))
}

/// Reads from memory; everything is `None` past the end.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a>(pub(crate) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Takes as many bytes as a number of up to 64 bits states.
    pub(crate) fn take_long(&mut self, length: impl TryInto<usize>) -> Option<&'a [u8]> {
        self.take(length.try_into().ok()?)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u24(&mut self) -> Option<u32> {
        let [a, b, c] = self.array()?;
        Some(u32::from_be_bytes([0, a, b, c]))
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn u16_le(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32_le(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }
}
