//! Parameters of decoders, and limits for them.

use symphonia::core::audio::Channels;
use symphonia::core::codecs::{CODEC_TYPE_VORBIS, CodecParameters};
use symphonia::core::errors::{Error, Result};

use crate::vorbis;

/// Maximum number of channels.
const CHANNELS: usize = 8;
/// Maximum number of samples of a packet, for which some decoders allocate.
const FRAMES: u64 = 65_536;
/// Maximum size of a decoder's extra data, in bytes.
const EXTRA: usize = 1 << 20;

/// Checks that a decoder takes no more memory than audio needs.
pub(crate) fn check(params: &CodecParameters) -> Result<()> {
    let channels = params.channels.map_or(1, Channels::count);
    let frames = params.max_frames_per_packet.unwrap_or(0).max(params.frames_per_block.unwrap_or(0));
    let extra = params.extra_data.as_deref().unwrap_or_default();
    if !(1..=CHANNELS).contains(&channels) || frames > FRAMES || extra.len() > EXTRA {
        return Err(Error::LimitError("a decoder is told of more than it may be"));
    }
    if params.codec == CODEC_TYPE_VORBIS {
        let (ident, setup) = extra.split_at_checked(vorbis::IDENT).ok_or(vorbis::broken())?;
        vorbis::Modes::read(&vorbis::Ident::read(ident).ok_or(vorbis::broken())?, setup)?;
    }
    Ok(())
}

/// Returns the positions of this number of channels; `None` unless it is 1 to 8.
pub(crate) fn channels(count: u32) -> Option<Channels> {
    let count = usize::try_from(count).ok().filter(|count| (1..=CHANNELS).contains(count))?;
    if count == 1 {
        return Some(Channels::FRONT_LEFT);
    }
    Channels::from_bits((1 << count) - 1)
}
