//! Coding of a track: sample entries, ISO/IEC 14496-12, section 12.2, and 14496-1, section 7.2.6.

use symphonia::core::codecs::{CODEC_TYPE_AAC, CODEC_TYPE_MP3, CODEC_TYPE_OPUS, CodecParameters};

use super::boxes::{children, find};
use crate::bytes::Cursor;
use crate::codec::channels;
use crate::{aac, flac, ogg};

/// Reads the first entry of an `stsd`; returns `None` when its audio is of an unknown kind.
pub(super) fn read(stsd: &[u8]) -> Option<CodecParameters> {
    let (kind, entry) = children(stsd.get(8..)?).next()?;
    let mut entry = Cursor(entry);
    entry.take(8)?;
    let version = entry.u16()?;
    entry.take(6)?;
    let count = entry.u16()?;
    entry.take(6)?;
    let rate = entry.u32()? >> 16;
    entry.take(match version {
        0 => 0,
        1 => 16,
        2 => 36,
        _ => return None,
    })?;
    let entry = entry.0;
    let mut params = CodecParameters::new();
    params.with_sample_rate(rate).with_channels(channels(count.into()).or(channels(2))?);
    match &kind {
        b"mp4a" => {
            let descriptor = find(entry, &[b"esds"]).or_else(|| find(entry, &[b"wave", b"esds"]))?;
            described(descriptor, &mut params)?;
        }
        b".mp3" => {
            params.for_codec(CODEC_TYPE_MP3);
        }
        b"Opus" => {
            let head = find(entry, &[b"dOps"])?;
            let extra = [b"OpusHead", head].concat();
            params.for_codec(CODEC_TYPE_OPUS).with_sample_rate(48_000).with_extra_data(extra.into());
        }
        b"fLaC" => {
            let info = find(entry, &[b"dfLa"])?.get(8..8 + flac::INFO)?;
            ogg::flac_params(info, &mut params)?;
            params.n_frames = None;
        }
        _ => return None,
    }
    Some(params)
}

/// Reads an `esds`.
fn described(esds: &[u8], params: &mut CodecParameters) -> Option<()> {
    let mut stream = Cursor(descriptor(esds.get(4..)?, 3)?);
    stream.take(2)?;
    let flags = stream.u8()?;
    if flags & 0x80 != 0 {
        stream.take(2)?;
    }
    if flags & 0x40 != 0 {
        let length = stream.u8()?;
        stream.take(length.into())?;
    }
    if flags & 0x20 != 0 {
        stream.take(2)?;
    }
    let decoder = descriptor(stream.0, 4)?;
    match decoder.first()? {
        0x40 | 0x66..=0x68 => {
            let told = descriptor(decoder.get(13..)?, 5)?;
            if told.len() < 2 {
                return None;
            }
            if let Some(config) = aac::Config::read(told) {
                params.with_sample_rate(config.rate);
            }
            params.for_codec(CODEC_TYPE_AAC).with_extra_data(told.into());
        }
        0x69 | 0x6b => {
            params.for_codec(CODEC_TYPE_MP3);
        }
        _ => return None,
    }
    Some(())
}

/// Returns the first descriptor of a kind.
fn descriptor(bytes: &[u8], wanted: u8) -> Option<&[u8]> {
    let mut bytes = Cursor(bytes);
    loop {
        let kind = bytes.u8()?;
        let mut length = 0;
        for _ in 0..4 {
            let byte = bytes.u8()?;
            length = length << 7 | usize::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                break;
            }
        }
        let data = bytes.take(length)?;
        if kind == wanted {
            return Some(data);
        }
    }
}
