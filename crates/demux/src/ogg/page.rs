//! Pages of Ogg: RFC 3533, section 6.

use symphonia::core::checksum::Crc32;
use symphonia::core::errors::{Error, Result};
use symphonia::core::io::{MediaSourceStream, Monitor as _, ReadBytes as _, SeekBuffered as _};

/// Size of a page's head without its first four bytes, in bytes.
const HEAD: usize = 23;
/// Maximum size of a page, in bytes.
const PAGE: usize = 65_307;
/// Maximum number of bytes between two pages that are not a page.
const GAP: u64 = 4 << 20;

pub(super) struct Page {
    flags: u8,
    /// Position in time at its end; `None` when no packet ends on it.
    pub(super) granule: Option<u64>,
    pub(super) serial: u32,
    pub(super) sequence: u32,
    /// Position in the file at which it begins.
    pub(super) place: u64,
    lengths: Vec<u8>,
    body: Vec<u8>,
}

/// Packet, or the part of it that is on a page.
pub(super) struct Part<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) is_end: bool,
}

/// Makes a stream remember as much as a page.
pub(super) fn prepare(stream: &mut MediaSourceStream) {
    stream.ensure_seekback_buffer(PAGE);
}

impl Page {
    /// Reads the next page whose checksum is right.
    pub(super) fn read(stream: &mut MediaSourceStream) -> Result<Self> {
        let begins = stream.pos();
        loop {
            let mut mark = stream.read_be_u32()?;
            while mark != 0x4f67_6753 {
                if stream.pos() - begins > GAP {
                    return Err(Error::DecodeError("an Ogg file without pages"));
                }
                mark = mark << 8 | u32::from(stream.read_u8()?);
            }
            let after = stream.pos();
            if let Some(page) = Self::behind_mark(stream, after)? {
                return Ok(page);
            }
            stream.seek_buffered(after);
        }
    }

    /// Reads what follows the first four bytes of a page; returns `None` when that is not a page.
    fn behind_mark(stream: &mut MediaSourceStream, after: u64) -> Result<Option<Self>> {
        let mut head = [0; HEAD];
        stream.read_buf_exact(&mut head)?;
        let mut lengths = vec![0; head[22].into()];
        stream.read_buf_exact(&mut lengths)?;
        let mut body = vec![0; lengths.iter().copied().map(usize::from).sum()];
        stream.read_buf_exact(&mut body)?;
        let told = head[18..22].try_into().map_or(0, u32::from_le_bytes);
        head[18..22].fill(0);
        let mut sum = Crc32::new(0);
        for bytes in [b"OggS", &head[..], &lengths, &body] {
            sum.process_buf_bytes(bytes);
        }
        if head[0] != 0 || sum.crc() != told {
            return Ok(None);
        }
        let granule = head[2..10].try_into().map_or(u64::MAX, u64::from_le_bytes);
        Ok(Some(Self {
            flags: head[1],
            // Granules are signed, and negative where there is none.
            granule: Some(granule).filter(|granule| i64::try_from(*granule).is_ok()),
            serial: head[10..14].try_into().map_or(0, u32::from_le_bytes),
            sequence: head[14..18].try_into().map_or(0, u32::from_le_bytes),
            place: after - 4,
            lengths,
            body,
        }))
    }

    /// Returns whether it begins with the rest of a packet.
    pub(super) fn is_continued(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Returns whether a stream begins with it.
    pub(super) fn is_first(&self) -> bool {
        self.flags & 2 != 0
    }

    /// Returns whether a stream ends with it.
    pub(super) fn is_last(&self) -> bool {
        self.flags & 4 != 0
    }

    /// Returns its content, in order.
    pub(super) fn parts(&self) -> Vec<Part<'_>> {
        let (mut parts, mut rest, mut length) = (Vec::new(), &self.body[..], 0);
        for (index, segment) in self.lengths.iter().enumerate() {
            length += usize::from(*segment);
            let is_end = *segment < 255;
            if is_end || index + 1 == self.lengths.len() {
                let (bytes, later) = rest.split_at(length);
                parts.push(Part { bytes, is_end });
                (rest, length) = (later, 0);
            }
        }
        parts
    }
}
