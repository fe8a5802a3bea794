//! AAC: its configuration, and whether frames carry the upper half of the spectrum beside it (HE-AAC).
//!
//! HE-AAC codes the lower half of the spectrum as plain AAC at half the rate, and the data to restore the upper half
//! (spectral band replication, SBR) in fill elements that other decoders skip. A file states that in its configuration,
//! or not at all: ISO/IEC 14496-3, sections 1.6.2.1 and 1.6.5, and 4.4.2.7 for fill elements.

use symphonia::core::io::{BitReaderLtr, FiniteBitStream as _, ReadBitsLtr as _};

/// Sample rates, by their numbers.
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
/// Object types: spectral band replication, and the same with parametric stereo.
const EXTENDED: [u32; 2] = [5, 29];
/// Types of fill elements with spectral band replication: without and with a checksum.
const SBR: [u64; 2] = [0xd, 0xe];
/// Types of fill elements without content.
const FILLING: [u64; 2] = [0, 1];

/// Maximum number of elements behind the last audio that only fill up a frame.
const FILLS: usize = 2;

/// Content of an `AudioSpecificConfig`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// Sample rate of the output of a decoder without SBR.
    pub(crate) rate: u32,
    /// Samples of a frame, at the same rate.
    pub(crate) samples: u64,
    /// Whether there is an upper half of the spectrum as well.
    pub(crate) is_extended: bool,
    /// Number of the channel arrangement: 1 to 6 for that number of channels, 7 for eight; 0 if they are described
    /// elsewhere.
    pub(crate) channels: u32,
}

impl Config {
    /// Reads an `AudioSpecificConfig`; returns `None` where it is cut off or names no rate.
    pub(crate) fn read(config: &[u8]) -> Option<Self> {
        let bits = &mut BitReaderLtr::new(config);
        let mut kind = object_type(bits)?;
        let rate = sample_rate(bits)?;
        let channels = bits.read_bits_leq32(4).ok()?;
        let mut is_extended = EXTENDED.contains(&kind);
        if is_extended {
            sample_rate(bits)?;
            kind = object_type(bits)?;
        }
        let mut samples = 1_024;
        // No decoder here supports the others.
        if matches!(kind, 1..=4) {
            if bits.read_bool().ok()? {
                samples = 960;
            }
            if bits.read_bool().ok()? {
                bits.ignore_bits(14).ok()?;
            }
            bits.ignore_bit().ok()?;
            // With 0 the channels would be stated here, at length.
            is_extended |= channels != 0 && is_extended_behind(bits).unwrap_or(false);
        }
        Some(Self { rate, samples, is_extended, channels })
    }
}

/// Reads what old decoders do not see, behind the configuration of the lower half.
fn is_extended_behind(bits: &mut BitReaderLtr<'_>) -> Option<bool> {
    if bits.bits_left() < 16 || bits.read_bits_leq32(11).ok()? != 0x2b7 {
        return None;
    }
    let kind = object_type(bits)?;
    Some(EXTENDED.contains(&kind) && bits.read_bool().ok()?)
}

fn object_type(bits: &mut BitReaderLtr<'_>) -> Option<u32> {
    match bits.read_bits_leq32(5).ok()? {
        31 => Some(32 + bits.read_bits_leq32(6).ok()?),
        kind => Some(kind),
    }
}

fn sample_rate(bits: &mut BitReaderLtr<'_>) -> Option<u32> {
    match bits.read_bits_leq32(4).ok()? {
        15 => bits.read_bits_leq32(24).ok(),
        number => RATES.get(number as usize).copied(),
    }
    .filter(|rate| *rate > 0)
}

/// Returns whether a frame ends with a fill element of SBR, as far as that can be determined without decoding what is
/// before it.
///
/// A frame ends with the three bits of its end, and zeros up to a whole byte. The element before those matches if its
/// length leads to it; 1 in 60 frames without one matches by chance.
pub(crate) fn is_extended(frame: &[u8]) -> bool {
    let Some(last) = frame.last().filter(|last| **last != 0) else { return false };
    let whole = frame.len() * 8;
    let Some(end) = whole.checked_sub(last.trailing_zeros() as usize + 3) else { return false };
    take(frame, end, 3) == Some(7) && ends_extended(frame, end, FILLS)
}

/// Returns whether a fill element of SBR ends at a bit, or before at most `most` elements behind it that fill up a
/// frame.
fn ends_extended(frame: &[u8], end: usize, most: usize) -> bool {
    fills(frame, end).any(|(kind, begins)| {
        let is_filling = FILLING.contains(&kind) && most > 0;
        SBR.contains(&kind) || is_filling && ends_extended(frame, begins, most - 1)
    })
}

/// Returns the types of the fill elements that may end at a bit, and the bits at which they begin.
fn fills(frame: &[u8], end: usize) -> impl Iterator<Item = (u64, usize)> {
    let short = (0..15).map(|count| (count, 7));
    let long = (15..=14 + 255).map(|count| (count, 15));
    short.chain(long).filter_map(move |(count, head)| {
        let begins = end.checked_sub(count * 8 + head)?;
        let is_fill = take(frame, begins, 3)? == 6;
        let told = usize::try_from(take(frame, begins + 3, 4)?).ok()?;
        let told = match head {
            7 => told,
            _ if told == 15 => 14 + usize::try_from(take(frame, begins + 7, 8)?).ok()?,
            _ => return None,
        };
        let kind = if count == 0 { 0 } else { take(frame, begins + head, 4)? };
        (is_fill && told == count).then_some((kind, begins))
    })
}

/// Returns up to 8 bits from a bit on.
fn take(frame: &[u8], at: usize, count: usize) -> Option<u64> {
    let two = [*frame.get(at / 8)?, frame.get(at / 8 + 1).copied().unwrap_or(0)];
    let shifted = u16::from_be_bytes(two) << (at % 8);
    Some(u64::from(shifted >> (16 - count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_tells_of_the_upper_half_before_or_behind_the_lower_one_or_not_at_all() {
        let plain = Config { rate: 44_100, samples: 1_024, is_extended: false, channels: 2 };
        assert_eq!(Config::read(&[0x12, 0x10]), Some(plain));
        // The form of ffmpeg and Apple: behind, and stated to be absent.
        assert_eq!(
            Config::read(&[0x13, 0x90, 0x56, 0xe5, 0xa5, 0x48]).unwrap(),
            Config { rate: 22_050, is_extended: true, ..plain }
        );
        assert_eq!(Config::read(&[0x12, 0x10, 0x56, 0xe5, 0x00]), Some(plain));
        // Before: 5, 24000 Hz, stereo, 48000 Hz, 2; and 29, of which the lower half is mono.
        let before = Config { rate: 24_000, is_extended: true, ..plain };
        assert_eq!(Config::read(&[0x2b, 0x11, 0x88, 0x00]), Some(before));
        assert_eq!(Config::read(&[0xeb, 0x09, 0x88, 0x00]), Some(Config { channels: 1, ..before }));
        // 5.1.
        assert_eq!(Config::read(&[0x12, 0x30]), Some(Config { channels: 6, ..plain }));
        assert_eq!(Config::read(&[0x12]), None);
        assert_eq!(Config::read(&[]), None);
    }

    /// Writes bits, and zeros up to a whole byte.
    fn frame(bits: &[(u64, usize)]) -> Vec<u8> {
        let bits: Vec<u64> = bits
            .iter()
            .flat_map(|(value, width)| (0..*width).rev().map(move |bit| value >> bit & 1))
            .collect();
        bits.chunks(8)
            .map(|eight| {
                eight
                    .iter()
                    .enumerate()
                    .fold(0, |byte, (at, bit)| byte | u8::try_from(*bit).unwrap() << (7 - at))
            })
            .collect()
    }

    #[test]
    fn a_frame_that_ends_with_the_upper_half_is_known_by_that() {
        for before in 3..11 {
            let sound = (0b101_1010_0110 >> (11 - before), before);
            let (fill, end) = ((6, 3), (7, 3));
            let short = [sound, fill, (3, 4), (0xd, 4), (0x12345, 20), end];
            assert!(is_extended(&frame(&short)), "{before}");
            let mut long = vec![sound, fill, (15, 4), (18, 8), (0xe, 4)];
            long.extend([(0x5a, 8); 31].into_iter().chain([(1, 4), end]));
            assert!(is_extended(&frame(&long)), "{before}");
            let filled = [sound, fill, (3, 4), (0xd, 4), (0x12345, 20), fill, (2, 4), (0, 16), end];
            assert!(is_extended(&frame(&filled)), "{before}");
            let other = [sound, fill, (3, 4), (0, 4), (0, 20), end];
            assert!(!is_extended(&frame(&other)), "{before}");
            assert!(!is_extended(&frame(&[sound, end])), "{before}");
        }
        assert!(!is_extended(&[]) && !is_extended(&[0, 0]) && !is_extended(&[0xe0]));
    }
}
