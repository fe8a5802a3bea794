//! Boxes: ISO/IEC 14496-12, section 4.2.

use symphonia::core::errors::{Error, Result};
use symphonia::core::io::{MediaSourceStream, ReadBytes as _};

use crate::bytes::Cursor;

/// Head of a box.
pub(super) struct Header {
    pub(super) kind: [u8; 4],
    /// Length of what follows, in bytes; `None` where it extends to the end.
    pub(super) length: Option<u64>,
}

impl Header {
    pub(super) fn read(stream: &mut MediaSourceStream) -> Result<Self> {
        let (size, kind) = (stream.read_be_u32()?, stream.read_quad_bytes()?);
        let length = match size {
            0 => None,
            1 => Some(stream.read_be_u64()?.checked_sub(16).ok_or(broken())?),
            size => Some(u64::from(size).checked_sub(8).ok_or(broken())?),
        };
        Ok(Self { kind, length })
    }
}

/// Returns the boxes in memory, up to the first broken one.
pub(super) fn children(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut bytes = Cursor(bytes);
    std::iter::from_fn(move || {
        let (size, kind) = (bytes.u32()?, bytes.array()?);
        let length = match size {
            0 => bytes.0.len(),
            1 => usize::try_from(bytes.u64()?.checked_sub(16)?).ok()?,
            size => usize::try_from(size.checked_sub(8)?).ok()?,
        };
        Some((kind, bytes.take(length)?))
    })
}

/// Returns the box at this path of kinds.
pub(super) fn find<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |within, wanted| {
        children(within).find(|(kind, _)| kind == *wanted).map(|(_, data)| data)
    })
}

pub(super) fn broken() -> Error {
    Error::DecodeError("a broken box of MP4")
}
