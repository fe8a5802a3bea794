//! Files that consist of frames only: MP3 and ADTS, which state no length, unless in a frame without audio.
//!
//! symphonia reads the frames. It takes the first 17 frames for the mean of all, which makes a file of a variable bit
//! rate half or twice as long as it is, and cuts off what comes past that. So the length is measured here, by the heads
//! of all frames, or reported as an estimate.

use symphonia::core::codecs::{CODEC_TYPE_AAC, CODEC_TYPE_MP3};
use symphonia::core::errors::Result;
use symphonia::core::formats::{Cue, FormatOptions, FormatReader, Packet, SeekMode, SeekTo, SeekedTo, Track};
use symphonia::core::io::{MediaSource as _, MediaSourceStream, ReadBytes as _, SeekBuffered as _};
use symphonia::core::meta::{Metadata, MetadataOptions};
use symphonia::core::probe::{Hint, Probe};
use symphonia::default::formats::{AdtsReader, MpaReader};

use crate::bytes::{go, some};
use crate::{How, Length};

/// Size of the part in which the first two frames are searched, in bytes.
const FIRST: usize = 32 << 10;
/// Maximum number of bytes between two frames, such as a tag in the middle.
const GAP: u64 = 1 << 20;
/// Size of the largest file that is measured, in bytes; 7 days of 320 kbit/s are more.
const LARGEST: u64 = 2 << 30;
/// Size of the part of a frame's head that is read, in bytes.
const HEAD: usize = 7;

/// Opens frames of MP3 or AAC, wherever they begin.
pub(crate) fn open(mut stream: MediaSourceStream, how: How) -> Result<(Box<dyn FormatReader>, Length)> {
    let first = First::find(&mut stream)?;
    let begins = stream.pos();
    let is_told = first.as_ref().is_some_and(|first| first.is_told);
    let is_small = stream.byte_len().is_some_and(|length| length <= LARGEST);
    let measured = match first.filter(|first| !first.is_told && how.is_near && is_small) {
        Some(first) if stream.is_seekable() => {
            let samples = measure(&mut stream, first.kind);
            go(&mut stream, begins)?;
            samples
        }
        _ => None,
    };
    let mut probe = Probe::default();
    probe.register_all::<MpaReader>();
    probe.register_all::<AdtsReader>();
    // Without a stated length, what comes past the estimated one would be cut off.
    let options = FormatOptions { enable_gapless: how.gapless && is_told, ..FormatOptions::default() };
    let inner = probe.format(&Hint::new(), stream, &options, &MetadataOptions::default())?.format;
    let is_known = |track: &Track| [CODEC_TYPE_MP3, CODEC_TYPE_AAC].contains(&track.codec_params.codec);
    let length = if is_told || measured.is_some() || !inner.tracks().iter().any(is_known) {
        Length::Told
    } else {
        Length::About
    };
    let mut tracks = inner.tracks().to_vec();
    if let (Some(samples), Some(track)) = (measured, tracks.first_mut()) {
        track.codec_params.with_n_frames(samples);
    }
    Ok((Box::new(Measured { inner, tracks }), length))
}

/// Sample rates of MPEG 1; those of 2 are half, and of 2.5 a quarter.
const RATES: [usize; 3] = [44_100, 48_000, 32_000];
/// Bit rates in kbit/s: of MPEG 1's layers 1, 2 and 3, and of the others' layer 1, and 2 and 3.
const BITS: [[usize; 14]; 5] = [
    [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

#[derive(Clone, Copy, Debug)]
struct Frame {
    /// What all frames of a stream have in common.
    kind: u32,
    /// Length in bytes, the head included.
    length: usize,
    samples: u64,
    /// Offset in bytes from the frame's beginning to where a count of frames may be.
    told_at: usize,
}

impl Frame {
    fn read(head: &[u8]) -> Option<Self> {
        let head: [u8; HEAD] = head.get(..HEAD)?.try_into().ok()?;
        let [0xff, second, third, fourth, ..] = head else { return None };
        let kind = |mask: u8| u32::from_be_bytes([0, 0xff, second, third & mask]);
        if second & 0xf6 == 0xf0 {
            // ADTS: ISO/IEC 14496-3, section 1.A.2.2. Its length has 13 bits.
            let length = u32::from_be_bytes([0, fourth & 3, head[4], head[5] & 0xe0]) >> 5;
            let length = usize::try_from(length).ok().filter(|length| *length > HEAD)?;
            let blocks = u64::from(head[6] & 3) + 1;
            let is_rate = third >> 2 & 0xf < 13;
            return is_rate.then_some(Self { kind: kind(0xfc), length, samples: 1_024 * blocks, told_at: 0 });
        }
        // MPEG audio: ISO/IEC 11172-3, section 2.4.2.3, and 13818-3.
        if second & 0xe0 != 0xe0 {
            return None;
        }
        let (version, layer) = (second >> 3 & 3, second >> 1 & 3);
        let halved = match version {
            3 => 1,
            2 => 2,
            0 => 4,
            _ => return None,
        };
        let (table, samples) = match (layer, halved) {
            (3, 1) => (0, 384),
            (3, _) => (3, 384),
            (2, 1) => (1, 1_152),
            (2, _) => (4, 1_152),
            (1, 1) => (2, 1_152),
            (1, _) => (4, 576),
            _ => return None,
        };
        let rate = RATES.get(usize::from(third >> 2 & 3))? / halved;
        let bits = BITS[table].get(usize::from(third >> 4).checked_sub(1)?)? * 1_000;
        let padding = usize::from(third >> 1 & 1);
        let length =
            if layer == 3 { (12 * bits / rate + padding) * 4 } else { samples / 8 * bits / rate + padding };
        let is_mono = fourth >> 6 == 3;
        let side = match (halved == 1, is_mono) {
            (true, false) => 32,
            (true, true) | (false, false) => 17,
            (false, true) => 9,
        };
        // The bit for a checksum may differ.
        let kind = kind(0x0c) | 0x100;
        Some(Self { kind, length, samples: samples as u64, told_at: 4 + side })
    }
}

/// Returns how many samples a frame holds; `None` where its head is not that of a frame.
pub(crate) fn samples(frame: &[u8]) -> Option<u64> {
    Frame::read(frame).map(|frame| frame.samples)
}

/// First frame of a stream.
struct First {
    kind: u32,
    /// Whether it holds a count of all frames.
    is_told: bool,
}

impl First {
    /// Searches two consecutive frames and leaves the stream where it was.
    fn find(stream: &mut MediaSourceStream) -> Result<Option<Self>> {
        stream.ensure_seekback_buffer(FIRST);
        let (mut ahead, mut length) = (vec![0; FIRST], 0);
        let mut found = None;
        let mut tried = 0;
        while found.is_none() && length < ahead.len() {
            let more = some(stream, &mut ahead[length..])?;
            length += more;
            let seen = &ahead[..length];
            while found.is_none() && tried + HEAD <= length {
                let Some(frame) = Frame::read(&seen[tried..]) else {
                    tried += 1;
                    continue;
                };
                match seen.get(tried + frame.length..).filter(|next| next.len() >= HEAD) {
                    Some(next) if Frame::read(next).is_some_and(|next| next.kind == frame.kind) => {
                        let is_told = is_told(&seen[tried..], &frame);
                        found = Some(Self { kind: frame.kind, is_told });
                    }
                    Some(_) => tried += 1,
                    // The second one has not come yet.
                    None => break,
                }
            }
            if more == 0 {
                break;
            }
        }
        stream.seek_buffered_rev(length);
        Ok(found)
    }
}

/// Returns whether a frame holds a count of all frames instead of audio, in the form of Xing, LAME or Fraunhofer.
fn is_told(frame: &[u8], head: &Frame) -> bool {
    let at = |at: usize, mark: &[u8]| frame.get(at..).is_some_and(|rest| rest.starts_with(mark));
    let has_count = || frame.get(head.told_at + 7).is_some_and(|flags| flags & 1 == 1);
    let is_xing = at(head.told_at, b"Xing") || at(head.told_at, b"Info");
    head.told_at > 0 && (is_xing && has_count() || at(36, b"VBRI"))
}

/// Counts the samples of all frames of a kind; returns `None` when there are none, or when the gap between two is too
/// large.
fn measure(stream: &mut MediaSourceStream, kind: u32) -> Option<u64> {
    let mut samples: u64 = 0;
    let mut head = [0; HEAD];
    stream.read_buf_exact(&mut head).ok()?;
    let mut gap = 0;
    loop {
        let next = match Frame::read(&head).filter(|frame| is_same(frame.kind, kind)) {
            Some(frame) => {
                (samples, gap) = (samples + frame.samples, 0);
                let rest = (frame.length as u64).saturating_sub(HEAD as u64);
                stream.ignore_bytes(rest).and_then(|()| stream.read_buf_exact(&mut head))
            }
            None => {
                gap += 1;
                if gap > GAP {
                    return None;
                }
                head.rotate_left(1);
                stream.read_u8().map(|byte| head[HEAD - 1] = byte)
            }
        };
        if next.is_err() {
            break;
        }
    }
    (samples > 0).then_some(samples)
}

/// Returns whether frames are of one stream; some may have a checksum.
fn is_same(one: u32, other: u32) -> bool {
    (one ^ other) & !0x100 == 0
}

/// Reader of frames whose length has been measured.
struct Measured {
    inner: Box<dyn FormatReader>,
    tracks: Vec<Track>,
}

impl FormatReader for Measured {
    fn try_new(_: MediaSourceStream, _: &FormatOptions) -> Result<Self> {
        symphonia::core::errors::unsupported_error("frames are opened otherwise")
    }

    fn cues(&self) -> &[Cue] {
        self.inner.cues()
    }

    fn metadata(&mut self) -> Metadata<'_> {
        self.inner.metadata()
    }

    fn seek(&mut self, mode: SeekMode, to: SeekTo) -> Result<SeekedTo> {
        self.inner.seek(mode, to)
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn next_packet(&mut self) -> Result<Packet> {
        self.inner.next_packet()
    }

    fn into_inner(self: Box<Self>) -> MediaSourceStream {
        self.inner.into_inner()
    }
}
