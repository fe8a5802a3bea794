//! WAV files: <https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html>.

use symphonia::core::codecs::{
    CODEC_TYPE_PCM_ALAW, CODEC_TYPE_PCM_F32LE, CODEC_TYPE_PCM_F64LE, CODEC_TYPE_PCM_MULAW,
    CODEC_TYPE_PCM_S16LE, CODEC_TYPE_PCM_S24LE, CODEC_TYPE_PCM_S32LE, CODEC_TYPE_PCM_U8, CodecParameters,
};
use symphonia::core::errors::{Error, Result, SeekErrorKind};
use symphonia::core::formats::{Packet, Track};
use symphonia::core::io::{MediaSource as _, MediaSourceStream, ReadBytes as _};
use symphonia::core::units::TimeBase;

use crate::bytes::{Cursor, ended, go, skip, some, take};
use crate::codec::channels;
use crate::reader::Container;
use crate::tags::{Kind, Tags};
use crate::{PACKET, TAG};

/// Maximum number of chunks before the audio.
const CHUNKS: usize = 1_024;
/// Maximum size of the chunk that describes the coding, in bytes.
const FORMAT: usize = 4_096;
/// Samples of each channel in a packet.
const FRAMES: u64 = 1_152;

/// Reads a WAV file.
pub(crate) struct Wav {
    stream: MediaSourceStream,
    track: Track,
    base: TimeBase,
    /// Size of one sample of each channel, in bytes.
    frame: u64,
    begins: u64,
    /// End of the audio; `None` where it lasts until the end of the stream.
    ends: Option<u64>,
}

impl Wav {
    pub(crate) fn open(mut stream: MediaSourceStream, tags: &mut Tags) -> Result<Self> {
        stream.ignore_bytes(12)?;
        let mut format = None;
        for _ in 0..CHUNKS {
            let (id, length) = (stream.read_quad_bytes()?, u64::from(stream.read_u32()?));
            let padding = length % 2;
            match (&id, &format) {
                (b"fmt ", None) => {
                    let chunk = take(&mut stream, length, FORMAT)?;
                    format =
                        Some(params(Cursor(&chunk)).ok_or(Error::Unsupported("a WAV file of another kind"))?);
                    skip(&mut stream, padding)?;
                }
                (b"LIST", _) if length <= TAG as u64 => {
                    let _ = list(Cursor(&take(&mut stream, length, TAG)?), tags);
                    skip(&mut stream, padding)?;
                }
                (b"data", Some(_)) => {
                    let (params, frame) = format.take().ok_or_else(ended)?;
                    return Ok(Self::of(stream, params, frame, length));
                }
                _ => skip(&mut stream, length + padding)?,
            }
        }
        Err(Error::DecodeError("a WAV file without sound"))
    }

    fn of(stream: MediaSourceStream, mut params: CodecParameters, frame: u64, length: u64) -> Self {
        let begins = stream.pos();
        // The writer of a stream does not know how long it becomes.
        let length = Some(length).filter(|length| !matches!(*length, 0 | 0xffff_0000..));
        let whole = stream.byte_len().map(|whole| whole.saturating_sub(begins));
        let length = whole.map_or(length, |whole| Some(length.map_or(whole, |length| length.min(whole))));
        if let Some(length) = length {
            params.with_n_frames(length / frame);
        }
        Self {
            base: params.time_base.unwrap_or(TimeBase::new(1, 1)),
            track: Track::new(0, params),
            frame,
            begins,
            ends: length.map(|length| begins.saturating_add(length)),
            stream,
        }
    }
}

/// Returns the coding, and the size of one sample of each channel in bytes.
fn params(mut chunk: Cursor<'_>) -> Option<(CodecParameters, u64)> {
    let mut kind = chunk.u16_le()?;
    let (count, rate) = (chunk.u16_le()?, chunk.u32_le().filter(|rate| *rate > 0)?);
    chunk.take(4)?;
    let (frame, bits) = (chunk.u16_le()?, chunk.u16_le()?);
    let mut used = bits;
    if kind == 0xfffe {
        chunk.take(2)?;
        used = chunk.u16_le().filter(|used| (1..=bits).contains(used)).unwrap_or(bits);
        chunk.take(4)?;
        kind = chunk.u16_le()?;
    }
    let codec = match (kind, bits) {
        (1, 8) => CODEC_TYPE_PCM_U8,
        (1, 16) => CODEC_TYPE_PCM_S16LE,
        (1, 24) => CODEC_TYPE_PCM_S24LE,
        (1, 32) => CODEC_TYPE_PCM_S32LE,
        (3, 32) => CODEC_TYPE_PCM_F32LE,
        (3, 64) => CODEC_TYPE_PCM_F64LE,
        (6, 8) => CODEC_TYPE_PCM_ALAW,
        (7, 8) => CODEC_TYPE_PCM_MULAW,
        _ => return None,
    };
    let mut params = CodecParameters::new();
    params.for_codec(codec).with_sample_rate(rate).with_time_base(TimeBase::new(1, rate));
    params.with_channels(channels(count.into())?).with_max_frames_per_packet(FRAMES);
    if kind == 1 {
        params.with_bits_per_coded_sample(bits.into()).with_bits_per_sample(used.into());
    }
    (frame == count * (bits / 8)).then_some((params, frame.into()))
}

fn list(mut chunk: Cursor<'_>, tags: &mut Tags) -> Option<()> {
    if chunk.take(4)? != b"INFO" {
        return None;
    }
    loop {
        let kind = match &chunk.array()? {
            b"INAM" => Some(Kind::Title),
            b"IART" => Some(Kind::Artist),
            b"IPRD" => Some(Kind::Album),
            _ => None,
        };
        let length = chunk.u32_le()?;
        let text = chunk.take_long(length)?;
        if let Some(kind) = kind {
            let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
            tags.note(kind, &String::from_utf8_lossy(&text[..end]));
        }
        chunk.take_long(length % 2)?;
    }
}

impl Container for Wav {
    fn track(&self) -> &Track {
        &self.track
    }

    fn base(&self) -> TimeBase {
        self.base
    }

    fn seek(&mut self, to: u64) -> Result<u64> {
        let place = to.checked_mul(self.frame).and_then(|bytes| self.begins.checked_add(bytes));
        let end = self.ends.unwrap_or(u64::MAX);
        let place = place.filter(|place| *place <= end).ok_or(Error::SeekError(SeekErrorKind::OutOfRange))?;
        if self.stream.is_seekable() {
            go(&mut self.stream, place)?;
        } else {
            let skipped = place.checked_sub(self.stream.pos());
            skip(&mut self.stream, skipped.ok_or(Error::SeekError(SeekErrorKind::ForwardOnly))?)?;
        }
        Ok(to)
    }

    fn next_packet(&mut self) -> Result<Packet> {
        let at = self.stream.pos().saturating_sub(self.begins) / self.frame;
        let left = self.ends.map_or(FRAMES, |ends| ends.saturating_sub(self.stream.pos()) / self.frame);
        let length = left.min(FRAMES) * self.frame;
        let mut data = vec![0; usize::try_from(length).unwrap_or(0).min(PACKET)];
        let mut read = 0;
        while read < data.len() {
            match some(&mut self.stream, &mut data[read..])? {
                0 => break,
                more => read += more,
            }
        }
        let frames = read as u64 / self.frame;
        if frames == 0 {
            return Err(ended());
        }
        data.truncate(usize::try_from(frames * self.frame).unwrap_or(0));
        Ok(Packet::new_from_boxed_slice(0, at, frames, data.into_boxed_slice()))
    }

    fn into_stream(self) -> MediaSourceStream {
        self.stream
    }
}
