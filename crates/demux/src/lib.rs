//! Finds the audio in untrusted bytes, and allocates nothing only because they state a size.
//!
//! # Theory of operation
//!
//! A file states how long its parts are, and symphonia's readers of containers and tags allocate that much before they
//! read: 24 bytes can ask for 2^54, and an allocation that fails ends the process. So whatever has a length of more
//! than a few bits is read here instead: Matroska, MP4, Ogg and WAV, and the tags of all formats. What is read into
//! memory grows as bytes come and has a limit ([`PACKET`], [`TABLE`], [`TAG`]); what is longer is skipped, or the file
//! is refused. Of symphonia the crate uses the readers of MP3, ADTS and FLAC frames, whose lengths have at most 24
//! bits, and the decoders, whose parameters [`check`] checks first.
//!
//! Times are counted in samples wherever the codec states how many a packet holds, not in what the container states of
//! packets, which may be rounded or missing. A reader that seeks to a time stops at a packet that begins there or
//! before.
//!
//! The crate can be removed once symphonia's own readers allocate no more than the bytes that they have read:
//! `tests/forged.rs`, run against them, shows it.
//!
//! # Layout
//!
//! `bytes`: reading from a stream and from memory. `id3`, `comments`, `tags`: a file's description of itself. `flac`,
//! `wav`, `ogg`, `matroska`, `mp4`: one container each, which `reader` adapts to symphonia. `frames`: MP3 and ADTS.
//! `codec`: parameters of decoders; `aac`, `opus`, `vorbis`: their packets.

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

/// Maximum size of a packet, in bytes.
pub const PACKET: usize = 2 << 20;
/// Maximum size of a table of packets, in bytes; a file has a few of them.
pub const TABLE: usize = 12 << 20;
/// Maximum size of tags that are read, in bytes.
pub const TAG: usize = 1 << 20;
/// Maximum number of tags before the audio.
const TAGS: usize = 8;

/// Audio found in bytes.
pub struct Sound {
    /// Reader of the packets.
    pub format: Box<dyn FormatReader>,
    /// Tags of the file.
    pub tags: Tags,
    /// How reliable the length of its track is.
    pub length: Length,
}

/// How reliable a length is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Length {
    /// It is stated by the file, or was measured.
    #[default]
    Told,
    /// It was estimated, and may be half or twice the real one.
    About,
}

/// How bytes are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// Whether what a coder put around the audio is cut off.
    pub gapless: bool,
    /// Whether reading all bytes, and from any position, costs little: a length that is not stated is measured.
    pub is_near: bool,
}

/// Finds the audio in bytes.
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

/// Returns whether the configuration of an AAC track states an upper half of the spectrum (HE-AAC), which a decoder of
/// plain AAC leaves out.
pub fn is_extended(params: &CodecParameters) -> bool {
    let config = params.extra_data.as_deref().filter(|_| params.codec == CODEC_TYPE_AAC);
    config.and_then(aac::Config::read).is_some_and(|config| config.is_extended)
}

/// Returns whether an AAC track has more than two channels, which symphonia's decoders do not decode.
pub fn is_surround(params: &CodecParameters) -> bool {
    let config = params.extra_data.as_deref().and_then(aac::Config::read);
    let by_config = config.is_some_and(|config| config.channels > 2);
    params.codec == CODEC_TYPE_AAC
        && (by_config || params.channels.is_some_and(|channels| channels.count() > 2))
}

/// Returns whether a packet of AAC seems to hold the upper half of the spectrum, which its configuration need not
/// state. About one in 60 packets without it seems to: several in a row are to be checked.
pub fn is_extended_packet(packet: &[u8]) -> bool {
    aac::is_extended(packet)
}

/// Returns how many samples at 48 kHz a packet of Opus holds, by its first bytes: RFC 6716, section 3.1.
pub fn opus_samples(packet: &[u8]) -> u64 {
    opus::samples(packet)
}

/// Checks that a decoder with these parameters takes no more memory than audio needs.
///
/// # Errors
/// When it would take more, or the headers of Vorbis are broken.
pub fn check(params: &CodecParameters) -> Result<()> {
    codec::check(params)
}

/// Returns the first 12 bytes, or as many as there are, and leaves them to be read again.
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
