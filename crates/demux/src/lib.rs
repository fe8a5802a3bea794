//! Finds the sound in bytes that nobody vouches for, and allocates nothing only because they say so.
//!
//! # Theory of operation
//!
//! A file tells how long its parts are, and symphonia's readers of containers and tags allocate what they are told
//! before they read: 24 bytes can ask for 2^54, and an allocation that fails ends the process. So whatever is told a
//! length in more than a few bits is read here instead: Matroska, MP4, Ogg and WAV, and the tags of all formats. What
//! is read into memory grows as bytes come and has a limit ([`PACKET`], [`TABLE`], [`TAG`]); what is longer is passed
//! over, or the file is refused. Of symphonia remain the readers of MP3, ADTS and FLAC frames, whose lengths have at
//! most 24 bits, and the decoders, whose parameters [`check`] judges first.
//!
//! Times are counted in samples wherever the codec tells how many a packet holds, not in what the container says of
//! packets, which may be rounded or missing. A reader that is sent to a time stops at a packet that begins there or before.
//!
//! The crate can go once symphonia's own readers allocate no more than the bytes that they have read: `tests/forged.rs`, run
//! against them, tells.
//!
//! # Layout
//!
//! `bytes`: reading from a stream and from memory. `id3`, `comments`, `tags`: what a file says of itself. `flac`, `wav`,
//! `ogg`, `matroska`, `mp4`: a container each, which `reader` has symphonia read. `frames`: MP3 and ADTS. `codec`: what
//! decoders are told; `aac`, `opus`, `vorbis`: their packets.

use symphonia::core::codecs::{CODEC_TYPE_AAC, CodecParameters};
use symphonia::core::errors::Result;
use symphonia::core::formats::FormatReader;
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions, SeekBuffered as _};

mod aac;
mod bytes;
mod codec;
mod comments;
mod flac;
mod frames;
mod id3;
mod joined;
mod matroska;
mod mp4;
mod ogg;
mod opus;
mod reader;
mod tags;
mod vorbis;
mod wav;

pub use mp4::INDEX_AT_END;
use reader::Reader;
pub use tags::Tags;

/// Most bytes of a packet.
pub const PACKET: usize = 2 << 20;
/// Most bytes of a table of packets, of which a file has a few.
pub const TABLE: usize = 12 << 20;
/// Most bytes of tags that are looked into.
pub const TAG: usize = 1 << 20;
/// Tags that may come before the sound.
const TAGS: usize = 8;

/// Sound found in bytes.
pub struct Sound {
    /// Reads the packets.
    pub format: Box<dyn FormatReader>,
    /// What it says of itself.
    pub tags: Tags,
    /// How far the length of its track is to be relied on.
    pub length: Length,
}

/// How far a length is to be relied on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Length {
    /// The file tells it, or it was measured.
    #[default]
    Told,
    /// It was estimated, and may be half or twice what it is.
    About,
}

/// How bytes are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// What a coder put around the sound is cut off.
    pub gapless: bool,
    /// Reading all of them, and from any place, costs little: a length that is not told is measured.
    pub is_near: bool,
}

/// Finds the sound in bytes.
///
/// # Errors
/// When there is none in a known format, or when reading fails.
pub fn open(source: Box<dyn MediaSource>, how: How) -> Result<Sound> {
    let mut stream = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
    let mut tags = Tags::default();
    let mut first = peek(&mut stream)?;
    for _ in 0..TAGS {
        if !first.starts_with(b"ID3") {
            break;
        }
        id3::read(&mut stream, &mut tags)?;
        first = peek(&mut stream)?;
    }
    let (tags, mut length) = (&mut tags, Length::Told);
    let format: Box<dyn FormatReader> = match first {
        _ if first.starts_with(b"\x1a\x45\xdf\xa3") => {
            Box::new(Reader::new(matroska::Matroska::open(stream, tags)?))
        }
        _ if first.starts_with(b"OggS") => Box::new(Reader::new(ogg::Ogg::open(stream, how, tags)?)),
        _ if first.starts_with(b"fLaC") => Box::new(flac::open(stream, tags)?),
        _ if first.starts_with(b"RIFF") && first.ends_with(b"WAVE") => {
            Box::new(Reader::new(wav::Wav::open(stream, tags)?))
        }
        _ if mp4::begins(&first) => Box::new(Reader::new(mp4::Mp4::open(stream, tags)?)),
        _ => {
            let (format, told) = frames::open(stream, how)?;
            length = told;
            format
        }
    };
    Ok(Sound { format, tags: std::mem::take(tags), length })
}

/// Returns whether the configuration of an AAC track tells of an upper half of the spectrum (HE-AAC), which a decoder of
/// plain AAC leaves out.
pub fn is_extended(params: &CodecParameters) -> bool {
    let config = params.extra_data.as_deref().filter(|_| params.codec == CODEC_TYPE_AAC);
    config.and_then(aac::Config::read).is_some_and(|config| config.is_extended)
}

/// Returns whether an AAC track has more than two channels, which no decoder of symphonia's decodes.
pub fn is_surround(params: &CodecParameters) -> bool {
    let config = params.extra_data.as_deref().and_then(aac::Config::read);
    let by_config = config.is_some_and(|config| config.channels > 2);
    params.codec == CODEC_TYPE_AAC
        && (by_config || params.channels.is_some_and(|channels| channels.count() > 2))
}

/// Returns whether a packet of AAC seems to hold the upper half of the spectrum, of which its configuration need not tell.
/// About one in 60 packets without it seems so: several in a row are to be asked.
pub fn is_extended_packet(packet: &[u8]) -> bool {
    aac::is_extended(packet)
}

/// Returns how many samples at 48 kHz a packet of Opus holds, as its first bytes tell: RFC 6716, section 3.1.
pub fn opus_samples(packet: &[u8]) -> u64 {
    opus::samples(packet)
}

/// Says whether a decoder can be made with these parameters, and takes no more memory than sound has need of.
///
/// # Errors
/// When not.
pub fn check(params: &CodecParameters) -> Result<()> {
    codec::check(params)
}

/// Gives the first 12 bytes, or as many as there are, and leaves them to be read again.
fn peek(stream: &mut MediaSourceStream) -> Result<Vec<u8>> {
    let mut first = vec![0; 12];
    let mut length = 0;
    while length < first.len() {
        match bytes::some(stream, &mut first[length..])? {
            0 => break,
            more => length += more,
        }
    }
    first.truncate(length);
    stream.seek_buffered_rev(length);
    Ok(first)
}
