//! One audio stream among the pages.

use std::collections::VecDeque;

use symphonia::core::codecs::{CODEC_TYPE_FLAC, CODEC_TYPE_OPUS, CODEC_TYPE_VORBIS, CodecParameters};
use symphonia::core::errors::{Error, Result};
use symphonia::core::formats::Packet;
use symphonia::core::units::TimeBase;

use super::page::Page;
use crate::bytes::Cursor;
use crate::codec::channels;
use crate::tags::Tags;
use crate::vorbis::{Ident, Modes};
use crate::{PACKET, comments, flac, opus};

/// Coding of a stream.
enum Codec {
    Opus { skip: u64 },
    Vorbis { ident: Ident, modes: Option<Modes> },
    Flac,
}

/// One audio stream.
pub(super) struct Logical {
    pub(super) serial: u32,
    codec: Codec,
    params: CodecParameters,
    /// Whether all headers have been read.
    is_ready: bool,
    pub(super) packets: VecDeque<Packet>,
    /// What has come of a packet that continues.
    part: Vec<u8>,
    sequence: Option<u32>,
    /// Time of the next packet, in samples; below zero is what a coder put before the audio.
    at: Option<i64>,
    /// Position in time at which the stream begins.
    origin: u64,
    /// Time that the last page stated.
    told: Option<u64>,
}

impl Logical {
    /// Reads the first page; returns `None` when its audio is of an unknown kind.
    pub(super) fn begin(page: &Page) -> Option<Self> {
        let packet = page.parts().first()?.bytes;
        let mut params = CodecParameters::new();
        let codec = if packet.starts_with(b"OpusHead") {
            let mut head = Cursor(packet.get(9..)?);
            let (count, skip) = (head.u8()?, head.u16_le()?);
            params.for_codec(CODEC_TYPE_OPUS).with_sample_rate(48_000).with_channels(channels(count.into())?);
            params.with_delay(skip.into()).with_extra_data(packet.into());
            Codec::Opus { skip: skip.into() }
        } else if let Some(ident) = Ident::read(packet) {
            params.for_codec(CODEC_TYPE_VORBIS).with_sample_rate(ident.rate);
            params.with_channels(channels(ident.channels.into())?).with_extra_data(packet.into());
            Codec::Vorbis { ident, modes: None }
        } else {
            let info = packet.strip_prefix(b"\x7fFLAC")?.get(4..)?.strip_prefix(b"fLaC")?.get(4..)?;
            flac_params(info.get(..flac::INFO)?, &mut params)?;
            Codec::Flac
        };
        params.with_time_base(TimeBase::new(1, params.sample_rate?));
        Some(Self {
            serial: page.serial,
            codec,
            params,
            is_ready: false,
            packets: VecDeque::new(),
            part: Vec::new(),
            sequence: None,
            at: None,
            origin: 0,
            told: None,
        })
    }

    pub(super) fn params(&self) -> &CodecParameters {
        &self.params
    }

    pub(super) fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// Returns the sample rate.
    pub(super) fn rate(&self) -> u64 {
        u64::from(self.params.sample_rate.unwrap_or(1)).max(1)
    }

    /// Returns the time that the last page stated.
    pub(super) fn told(&self) -> Option<u64> {
        self.told.map(|granule| self.time_of(granule))
    }

    /// Returns the time of a page.
    pub(super) fn time_of(&self, granule: u64) -> u64 {
        granule.saturating_sub(self.origin)
    }

    /// Reads a page of headers.
    pub(super) fn header(&mut self, page: &Page, tags: &mut Tags) -> Result<()> {
        for packet in self.collect(page)? {
            match &mut self.codec {
                Codec::Opus { .. } => {
                    let text = packet.strip_prefix(b"OpusTags").ok_or(broken())?;
                    comments::read(text, tags);
                    self.is_ready = true;
                }
                Codec::Vorbis { ident, modes } => match packet.first() {
                    Some(3) => comments::read(packet.get(7..).ok_or(broken())?, tags),
                    Some(5) => {
                        *modes = Some(Modes::read(ident, &packet)?);
                        let head = self.params.extra_data.take().unwrap_or_default();
                        self.params.with_extra_data([&head, &packet[..]].concat().into());
                        self.is_ready = true;
                    }
                    _ => return Err(broken()),
                },
                Codec::Flac => {
                    let [kind, _, _, _, text @ ..] = &packet[..] else { return Err(broken()) };
                    if kind & 0x7f == 4 {
                        comments::read(text, tags);
                    }
                    self.is_ready = kind & 0x80 != 0;
                }
            }
        }
        Ok(())
    }

    /// Reads the first page of audio.
    pub(super) fn start(&mut self, page: &Page, gapless: bool) -> Result<()> {
        self.reset(false);
        let packets = self.measured(page)?;
        let length: u64 = packets.iter().map(|(_, samples)| samples).sum();
        // A stream that is joined late has run for a while.
        self.origin =
            page.granule.filter(|_| !page.is_last()).map_or(0, |granule| granule.saturating_sub(length));
        if self.origin == 0 {
            self.origin = self.before();
            self.at = Some(-self.before().cast_signed());
        } else {
            self.at = Some(0);
        }
        self.put(page, packets, gapless);
        Ok(())
    }

    /// Returns how many samples before the audio a coder needs to settle.
    fn before(&self) -> u64 {
        if let Codec::Opus { skip } = self.codec { skip } else { 0 }
    }

    /// Resets the position.
    pub(super) fn reset(&mut self, at_begin: bool) {
        self.packets.clear();
        self.part.clear();
        self.sequence = None;
        let begin = if self.origin == self.before() { -self.before().cast_signed() } else { 0 };
        self.at = at_begin.then_some(begin);
        if let Codec::Vorbis { modes: Some(modes), .. } = &mut self.codec {
            modes.reset();
        }
    }

    /// Reads a page of audio.
    pub(super) fn add(&mut self, page: &Page, gapless: bool) -> Result<()> {
        let packets = self.measured(page)?;
        self.put(page, packets, gapless);
        Ok(())
    }

    /// Returns the packets that end on a page, and how many samples each adds.
    fn measured(&mut self, page: &Page) -> Result<Vec<(Vec<u8>, u64)>> {
        let collected = self.collect(page)?;
        let packets = collected.into_iter().map(|data| {
            let samples = match &mut self.codec {
                Codec::Opus { .. } => opus::samples(&data),
                Codec::Vorbis { modes: Some(modes), .. } => modes.samples(&data),
                Codec::Vorbis { modes: None, .. } => 0,
                Codec::Flac => flac::samples(&data).unwrap_or(0),
            };
            (data, samples)
        });
        Ok(packets.collect())
    }

    /// Assigns times to packets, by the end of their page.
    fn put(&mut self, page: &Page, packets: Vec<(Vec<u8>, u64)>, gapless: bool) {
        self.told = page.granule.or(self.told);
        let length: u64 = packets.iter().map(|(_, samples)| samples).sum();
        let length = length.cast_signed();
        let end = page.granule.map(|granule| granule.cast_signed() - self.origin.cast_signed());
        let mut at = match (end, self.at) {
            // The last page may end before its packets do.
            (Some(end), Some(at)) if page.is_last() && at + length > end => at,
            (Some(end), _) => (end - length).max(-self.before().cast_signed()),
            (None, Some(at)) => at,
            // The position is unknown.
            (None, None) => return,
        };
        for (data, samples) in packets {
            let (begins, ends) = (at, at + samples.cast_signed());
            let before = begins.min(0).unsigned_abs().min(samples);
            let over =
                end.filter(|_| gapless && page.is_last()).map_or(0, |end| (ends - end).max(0).unsigned_abs());
            let over = over.min(samples - before);
            let ts = begins.max(0).unsigned_abs();
            let dur = samples - before - over;
            let mut packet = Packet::new_from_boxed_slice(self.serial, ts, dur, data.into_boxed_slice());
            packet.trim_start = u32::try_from(before).unwrap_or(0);
            packet.trim_end = u32::try_from(over).unwrap_or(0);
            self.packets.push_back(packet);
            at = ends;
        }
        self.at = Some(at);
    }

    /// Returns the packets that end on a page.
    fn collect(&mut self, page: &Page) -> Result<Vec<Vec<u8>>> {
        let follows =
            self.sequence.replace(page.sequence).is_none_or(|last| last.wrapping_add(1) == page.sequence);
        if !follows || !page.is_continued() {
            self.part.clear();
        }
        // The rest of a missing packet cannot be used.
        let mut is_lost = page.is_continued() && self.part.is_empty();
        let mut packets = Vec::new();
        for part in page.parts() {
            if !is_lost {
                if self.part.len() + part.bytes.len() > PACKET {
                    return Err(Error::LimitError("a packet is longer than it may be"));
                }
                self.part.extend_from_slice(part.bytes);
                if part.is_end {
                    packets.push(std::mem::take(&mut self.part));
                }
            }
            is_lost &= !part.is_end;
        }
        Ok(packets)
    }
}

/// Reads the coding of FLAC: RFC 9639, section 8.2.
pub(crate) fn flac_params(info: &[u8], params: &mut CodecParameters) -> Option<()> {
    let mut bits = Cursor(info.get(10..18)?);
    let bits = bits.u64()?;
    let rate = u32::try_from(bits >> 44).ok().filter(|rate| *rate > 0)?;
    let count = u32::try_from(bits >> 41 & 7).ok()? + 1;
    params.for_codec(CODEC_TYPE_FLAC).with_sample_rate(rate).with_channels(channels(count)?);
    params.with_bits_per_sample(u32::try_from(bits >> 36 & 31).ok()? + 1);
    params.with_packet_data_integrity(true).with_extra_data(info.into());
    let frames = bits & 0xf_ffff_ffff;
    if frames > 0 {
        params.with_n_frames(frames);
    }
    Some(())
}

fn broken() -> Error {
    Error::DecodeError("a broken header in an Ogg file")
}
