//! Elements before the clusters: tracks, tags, and positions of others.

use symphonia::core::codecs::{
    CODEC_TYPE_AAC, CODEC_TYPE_FLAC, CODEC_TYPE_MP3, CODEC_TYPE_OPUS, CODEC_TYPE_PCM_F32LE,
    CODEC_TYPE_PCM_S16LE, CODEC_TYPE_PCM_S24LE, CODEC_TYPE_PCM_S32LE, CODEC_TYPE_VORBIS, CodecParameters,
};
use symphonia::core::errors::{Error, Result};
use symphonia::core::units::TimeBase;

use super::ebml::{children, float, text, unsigned};
use super::{CUES, TAGS};
use crate::bytes::Cursor;
use crate::codec::channels;
use crate::tags::{Kind, Tags};
use crate::{aac, flac, frames, ogg, opus, vorbis};

/// Nanoseconds of a unit of time, where a file does not state it.
const SCALE: u32 = 1_000_000;
/// Maximum number of points of an index.
const POINTS: usize = 65_536;
/// Maximum number of elements that are searched behind the clusters.
const ELSEWHERE: usize = 4;

/// Content of the elements before the clusters.
#[derive(Default)]
pub(super) struct Head {
    scale: Option<u32>,
    duration: Option<f64>,
    sound: Option<(Sound, CodecParameters)>,
    pub(super) cues: Vec<(u64, u64)>,
    /// Positions of the index and the tags, from the segment on.
    pub(super) elsewhere: Vec<Option<u64>>,
}

/// Track that is played. Its times are counted in samples, since the file's own are rounded to its unit, which is a
/// thousandth of a second in most.
pub(super) struct Sound {
    pub(super) number: u64,
    packets: Packets,
    rate: u32,
    scale: u32,
    /// Length of a packet in nanoseconds.
    each: Option<u64>,
    /// Samples before the audio that a coder needs to settle.
    pub(super) delay: u64,
}

/// How the number of samples of a packet is determined.
enum Packets {
    Opus,
    Vorbis(vorbis::Modes),
    Flac,
    Mp3,
    /// All hold the same number.
    Even(u64),
    /// Size of one sample of each channel, in bytes.
    Pcm(u64),
}

impl Sound {
    /// Returns the number by which packets name it.
    pub(super) fn id(&self) -> u32 {
        u32::try_from(self.number).unwrap_or(u32::MAX)
    }

    /// Returns how many samples a packet holds, where that is known.
    pub(super) fn length(&mut self, packet: &[u8]) -> Option<u64> {
        match &mut self.packets {
            Packets::Opus => Some(opus::samples(packet)),
            Packets::Vorbis(modes) => Some(modes.samples(packet)),
            Packets::Flac => flac::samples(packet),
            Packets::Mp3 => frames::samples(packet),
            Packets::Even(samples) => Some(*samples),
            Packets::Pcm(frame) => Some(packet.len() as u64 / *frame),
        }
        .or_else(|| self.each.map(|nanos| self.samples_of(nanos.into())))
    }

    /// Resets for another position.
    pub(super) fn reset(&mut self) {
        if let Packets::Vorbis(modes) = &mut self.packets {
            modes.reset();
        }
    }

    /// Returns the samples of this number of the file's units.
    pub(super) fn time(&self, units: u64) -> u64 {
        self.samples_of(u128::from(units) * u128::from(self.scale))
    }

    /// Returns by how many samples a time of the file may be off because of its rounding.
    pub(super) fn rounding(&self) -> u64 {
        self.time(1) + 1
    }

    fn samples_of(&self, nanos: u128) -> u64 {
        let samples = nanos.saturating_mul(self.rate.into()).saturating_add(500_000_000) / 1_000_000_000;
        u64::try_from(samples).unwrap_or(u64::MAX)
    }

    /// Returns how many samples at a packet's end are not played, from a number of nanoseconds.
    pub(super) fn discarded(&self, nanos: u64) -> u32 {
        let samples = self.samples_of(nanos.into());
        u32::try_from(samples).ok().filter(|samples| *samples <= self.rate).unwrap_or(0)
    }
}

impl Head {
    /// Reads the positions of other elements.
    pub(super) fn find(&mut self, data: &[u8]) {
        for (_, entry) in children(data).filter(|(id, _)| *id == 0x4dbb) {
            let find =
                |wanted| children(entry).find(|(id, _)| *id == wanted).and_then(|(_, data)| unsigned(data));
            let is_wanted = find(0x53ab).is_some_and(|id| [CUES, TAGS].map(u64::from).contains(&id));
            if is_wanted && self.elsewhere.len() < ELSEWHERE {
                self.elsewhere.push(find(0x53ac));
            }
        }
    }

    /// Reads the description of the whole.
    pub(super) fn info(&mut self, data: &[u8], tags: &mut Tags) {
        for (id, data) in children(data) {
            match id {
                0x2a_d7b1 => {
                    let scale = unsigned(data).and_then(|scale| u32::try_from(scale).ok());
                    self.scale = scale.filter(|scale| (1..=1_000_000_000).contains(scale));
                }
                0x4489 => self.duration = float(data),
                0x7ba9 => tags.note(Kind::Title, &text(data)),
                _ => {}
            }
        }
    }

    /// Reads the tracks, and takes the first one with audio.
    pub(super) fn tracks(&mut self, data: &[u8]) {
        let mut tracks = children(data).filter(|(id, _)| *id == 0xae);
        if self.sound.is_none() {
            self.sound = tracks.find_map(|(_, track)| sound(track));
        }
    }

    pub(super) fn points(&mut self, data: &[u8]) {
        for (_, point) in children(data).filter(|(id, _)| *id == 0xbb) {
            let find = |within, wanted| children(within).find(|(id, _)| *id == wanted).map(|(_, data)| data);
            let time = find(point, 0xb3).and_then(unsigned);
            let place = find(point, 0xb7).and_then(|place| find(place, 0xf1)).and_then(unsigned);
            if let (Some(time), Some(place), true) = (time, place, self.cues.len() < POINTS) {
                self.cues.push((time, place));
            }
        }
    }

    /// Returns the track that is played.
    pub(super) fn sound(&mut self) -> Result<(Sound, CodecParameters)> {
        let sound = self.sound.take().ok_or(Error::Unsupported("a Matroska file without known sound"))?;
        let (mut sound, mut params) = sound;
        sound.scale = self.scale.unwrap_or(SCALE);
        params.with_time_base(TimeBase::new(1, sound.rate));
        let nanos =
            self.duration.filter(|duration| *duration >= 1.0).map(|units| units * f64::from(sound.scale));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // A value out of range becomes the largest in range.
        if let Some(nanos) = nanos {
            params.with_n_frames(sound.samples_of(nanos as u128));
        }
        Ok((sound, params))
    }
}

/// Reads a track; returns `None` when its audio is of an unknown kind or absent.
fn sound(track: &[u8]) -> Option<(Sound, CodecParameters)> {
    let find = |within, wanted| children(within).find(|(id, _)| *id == wanted).map(|(_, data)| data);
    // Compressed or encrypted tracks are not supported.
    if find(track, 0x83).and_then(unsigned) != Some(2) || find(track, 0x6d80).is_some() {
        return None;
    }
    let audio = find(track, 0xe1).unwrap_or_default();
    let rate = find(audio, 0xb5).and_then(float).unwrap_or(8_000.0);
    let count = find(audio, 0x9f).and_then(unsigned).unwrap_or(1);
    let depth = find(audio, 0x6264).and_then(unsigned).unwrap_or(0);
    let private = find(track, 0x63a2).unwrap_or_default();
    let codec = text(find(track, 0x86)?);
    let mut params = CodecParameters::new();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // A value out of range becomes the largest in range, which is refused.
    params.with_sample_rate(rate as u32).with_channels(channels(u32::try_from(count).ok()?)?);
    match codec.as_str() {
        "A_OPUS" => params.for_codec(CODEC_TYPE_OPUS).with_extra_data(private.into()),
        "A_VORBIS" => params.for_codec(CODEC_TYPE_VORBIS).with_extra_data(vorbis(private)?),
        "A_FLAC" => {
            let info = private.strip_prefix(b"fLaC")?.get(4..4 + flac::INFO)?;
            ogg::flac_params(info, &mut params)?;
            &mut params
        }
        "A_MPEG/L3" => params.for_codec(CODEC_TYPE_MP3),
        "A_PCM/INT/LIT" | "A_PCM/FLOAT/IEEE" => {
            let kind = match (codec.as_str(), depth) {
                ("A_PCM/INT/LIT", 16) => CODEC_TYPE_PCM_S16LE,
                ("A_PCM/INT/LIT", 24) => CODEC_TYPE_PCM_S24LE,
                ("A_PCM/INT/LIT", 32) => CODEC_TYPE_PCM_S32LE,
                ("A_PCM/FLOAT/IEEE", 32) => CODEC_TYPE_PCM_F32LE,
                _ => return None,
            };
            let depth = u32::try_from(depth).ok()?;
            params.for_codec(kind).with_bits_per_coded_sample(depth).with_bits_per_sample(depth);
            params.with_max_frames_per_packet(65_536)
        }
        codec if codec.starts_with("A_AAC") => {
            params.for_codec(CODEC_TYPE_AAC);
            if let Some(config) = aac::Config::read(private) {
                params.with_sample_rate(config.rate).with_extra_data(private.into());
            }
            &mut params
        }
        _ => return None,
    };
    // songbird's decoder always outputs 48 kHz.
    if params.codec == CODEC_TYPE_OPUS {
        params.with_sample_rate(48_000);
    }
    let mut sound = Sound {
        number: find(track, 0xd7).and_then(unsigned)?,
        packets: packets(&params, private)?,
        rate: params.sample_rate.filter(|rate| *rate > 0)?,
        scale: SCALE,
        each: find(track, 0x23_e383).and_then(unsigned),
        delay: 0,
    };
    let delay = sound.samples_of(find(track, 0x56aa).and_then(unsigned).unwrap_or(0).into());
    sound.delay = Some(delay).filter(|delay| *delay <= u64::from(sound.rate)).unwrap_or(0);
    Some((sound, params))
}

/// Determines how the number of samples of a packet is read.
fn packets(params: &CodecParameters, private: &[u8]) -> Option<Packets> {
    Some(match params.codec {
        CODEC_TYPE_OPUS => Packets::Opus,
        CODEC_TYPE_VORBIS => {
            let (ident, setup) = params.extra_data.as_deref()?.split_at_checked(vorbis::IDENT)?;
            Packets::Vorbis(vorbis::Modes::read(&vorbis::Ident::read(ident)?, setup).ok()?)
        }
        CODEC_TYPE_FLAC => Packets::Flac,
        CODEC_TYPE_MP3 => Packets::Mp3,
        CODEC_TYPE_AAC => Packets::Even(aac::Config::read(private).map_or(1_024, |config| config.samples)),
        _ => {
            let channels = params.channels.map_or(1, symphonia::core::audio::Channels::count) as u64;
            let frame = u64::from(params.bits_per_coded_sample? / 8) * channels;
            Packets::Pcm(Some(frame).filter(|frame| *frame > 0)?)
        }
    })
}

/// Returns the first and the last header of the three that Vorbis has.
fn vorbis(private: &[u8]) -> Option<Box<[u8]>> {
    let mut private = Cursor(private);
    if private.u8()? != 2 {
        return None;
    }
    let mut length = || {
        let mut length = 0;
        loop {
            let byte = private.u8()?;
            length += usize::from(byte);
            if byte < 255 {
                return Some(length);
            }
        }
    };
    let (first, second) = (length()?, length()?);
    let first = private.take(first)?;
    private.take(second)?;
    Some([first, private.0].concat().into())
}

pub(super) fn tags(data: &[u8], tags: &mut Tags) {
    let simple = children(data).filter(|(id, _)| *id == 0x7373).flat_map(|(_, tag)| children(tag));
    for (_, tag) in simple.filter(|(id, _)| *id == 0x67c8) {
        let find = |wanted| children(tag).find(|(id, _)| *id == wanted).map(|(_, data)| text(data));
        if let (Some(kind), Some(text)) = (find(0x45a3).and_then(|name| Kind::of(&name)), find(0x4487)) {
            tags.note(kind, &text);
        }
    }
}
