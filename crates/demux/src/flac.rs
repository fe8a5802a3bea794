//! FLAC files: their metadata is read here, their frames by symphonia. The format is that of RFC 9639.

use symphonia::core::errors::{Error, Result};
use symphonia::core::formats::{FormatOptions, FormatReader as _};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions, ReadBytes as _};
use symphonia::default::formats::FlacReader;

use crate::bytes::{skip, take};
use crate::joined::Joined;
use crate::tags::Tags;
use crate::{TAG, comments};

/// Maximum number of metadata blocks.
const BLOCKS: usize = 1_024;
/// Size of the block that describes the coding, in bytes.
pub(crate) const INFO: usize = 34;

/// Opens a file: its frames follow a head that holds only the description of their coding.
pub(crate) fn open(mut stream: MediaSourceStream, tags: &mut Tags) -> Result<FlacReader> {
    stream.ignore_bytes(4)?;
    let mut head = b"fLaC\x80\0\0\x22".to_vec();
    for _ in 0..BLOCKS {
        let [kind, a, b, c] = stream.read_quad_bytes()?;
        let length = u64::from(u32::from_be_bytes([0, a, b, c]));
        match kind & 0x7f {
            0 if length == INFO as u64 && head.len() == 8 => head.extend(take(&mut stream, length, INFO)?),
            4 if length <= TAG as u64 => comments::read(&take(&mut stream, length, TAG)?, tags),
            0 | 127 => return Err(Error::DecodeError("a FLAC file with a wrong block of metadata")),
            _ => skip(&mut stream, length)?,
        }
        if kind & 0x80 != 0 {
            if head.len() != 8 + INFO {
                break;
            }
            let joined = Box::new(Joined::new(head, stream));
            let stream = MediaSourceStream::new(joined, MediaSourceStreamOptions::default());
            return FlacReader::try_new(stream, &FormatOptions::default());
        }
    }
    Err(Error::DecodeError("a FLAC file that does not say how it is coded"))
}

/// Returns how many samples a frame holds; `None` where its head is not that of a frame.
pub(crate) fn samples(frame: &[u8]) -> Option<u64> {
    let [0xff, 0xf8 | 0xf9, sizes, _, number, rest @ ..] = frame else { return None };
    // The number of the frame takes as many more bytes as its first one has leading ones, less one.
    let rest = rest.get((number.leading_ones() as usize).saturating_sub(1)..)?;
    Some(match sizes >> 4 {
        0 => return None,
        1 => 192,
        code @ 2..=5 => 576 << (code - 2),
        6 => u64::from(*rest.first()?) + 1,
        7 => u64::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])) + 1,
        code => 256 << (code - 8),
    })
}
