//! Finding out the format of bytes, and which of the tracks in them is played.

use std::io;

use crate::length::believed;
use songbird::input::codecs::get_codec_registry;
use symphonia::core::codecs::{CODEC_TYPE_OPUS, CodecParameters, Decoder, DecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatReader, Track};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions, ReadOnlySource};
use symphonia::core::units::TimeBase;

use super::tags::MediaInfo;
use crate::source::SourceError;

/// Sample rates that songbird's resampler takes.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;

/// Audio found in bytes.
pub(super) struct Probed {
    /// What is known of it.
    pub(super) form: Form,
    /// Reader of the packets.
    pub(super) format: Box<dyn FormatReader>,
    /// Whether its bytes can be read from any position.
    pub(super) is_seekable: bool,
}

/// What is known of audio once its format is known.
#[derive(Clone)]
pub(super) struct Form {
    /// Number of the track that is played.
    pub(super) track: u32,
    /// Its codec parameters.
    pub(super) params: CodecParameters,
    /// Unit of its timestamps.
    pub(super) base: TimeBase,
    /// Samples per second.
    pub(super) rate: u32,
    /// Whether seeking is not possible.
    pub(super) is_live: bool,
    /// Metadata of the media.
    pub(super) info: MediaInfo,
}

/// Finds out the format of bytes.
pub(super) fn probe(
    source: Box<dyn MediaSource>,
    is_live: bool,
    is_near: bool,
) -> Result<Probed, SourceError> {
    let is_seekable = source.is_seekable();
    // A station may begin with a file's header, which states an end where there is none.
    let how = demux::How { gapless: !is_live, is_near };
    let demux::Sound { format, tags, length } = demux::open(source, how).map_err(|error| of(&error))?;
    let track = playable(&*format).ok_or_else(|| no_sound(&*format))?;
    let mut params = track.codec_params.clone();
    // songbird's decoder always returns 48 kHz, whatever original rate the file states.
    let rate = if params.codec == CODEC_TYPE_OPUS { 48_000 } else { params.sample_rate.unwrap_or(0) };
    if !RATES.contains(&rate) {
        return Err(SourceError::NoSound);
    }
    let base = params.time_base.unwrap_or_else(|| TimeBase::new(1, rate));
    params.time_base = Some(base);
    params.n_frames = params.n_frames.filter(|frames| *frames > 0 && !is_live);
    let info = MediaInfo {
        tags,
        duration: params.n_frames.and_then(|frames| believed(base.calc_time(frames).into())),
        is_about: length == demux::Length::About,
        is_core_only: demux::is_extended(&params),
    };
    let form = Form { track: track.id, params, base, rate, is_live, info };
    Ok(Probed { form, format, is_seekable })
}

/// Returns the first track with audio that can be decoded, the default one before others.
fn playable(format: &dyn FormatReader) -> Option<Track> {
    let tracks = format.default_track().into_iter().chain(format.tracks());
    let mut sound = tracks.filter(|track| decoder(&track.codec_params).is_ok());
    sound.next().cloned()
}

/// Returns why none of the tracks can be decoded.
fn no_sound(format: &dyn FormatReader) -> SourceError {
    let is_surround = format.tracks().iter().any(|track| demux::is_surround(&track.codec_params));
    if is_surround { SourceError::Surround } else { SourceError::NoSound }
}

/// Creates a decoder, unless the parameters exceed what audio needs.
pub(super) fn decoder(params: &CodecParameters) -> Result<Box<dyn Decoder>, SourceError> {
    demux::check(params).map_err(|_| SourceError::NoSound)?;
    get_codec_registry().make(params, &DecoderOptions::default()).map_err(|_| SourceError::NoSound)
}

/// Converts a format reader's error into a [`SourceError`].
pub(super) fn of(error: &Error) -> SourceError {
    let told = match error {
        Error::Unsupported(demux::INDEX_AT_END) => Some(&SourceError::IndexAtEnd),
        Error::IoError(error) => error.get_ref().and_then(|error| error.downcast_ref::<SourceError>()),
        _ => None,
    };
    told.cloned().unwrap_or(SourceError::NoSound)
}

/// Returns a stream without bytes.
pub(super) fn nothing() -> MediaSourceStream {
    MediaSourceStream::new(Box::new(ReadOnlySource::new(io::empty())), MediaSourceStreamOptions::default())
}
