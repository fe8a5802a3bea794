//! Files of the soundboard: MP3 and Ogg (Vorbis or Opus), and how long they last ("Create Guild Soundboard Sound").

use super::bytes::{array, be32};
use crate::error::{ApiError, ApiResult};

/// Largest file, in bytes.
pub const MAX_BYTES: usize = 512 << 10;
/// Longest sound, in seconds.
const MAX_SECONDS: f64 = 5.2;

/// Checks a file and returns its media type.
pub fn check(bytes: &[u8]) -> ApiResult<&'static str> {
    if bytes.len() > MAX_BYTES {
        return Err(ApiError::file_too_large());
    }
    let (kind, seconds) = match bytes {
        [b'O', b'g', b'g', b'S', ..] => ("audio/ogg", ogg(bytes)),
        [b'I', b'D', b'3', ..] | [0xff, 0xe0..=0xff, ..] => ("audio/mpeg", mp3(bytes)),
        _ => return Err(ApiError::invalid_file_type()),
    };
    match seconds {
        Some(seconds) if seconds > MAX_SECONDS => Err(ApiError::sound_too_long()),
        Some(seconds) if seconds > 0.0 => Ok(kind),
        _ => Err(ApiError::no_duration()),
    }
}

/// Returns the seconds of an Ogg file with one stream: the position of its last page by its first packet's rate.
fn ogg(bytes: &[u8]) -> Option<f64> {
    let (mut at, mut last, mut head) = (0, 0, None);
    while at < bytes.len() {
        if bytes.get(at..at + 4)? != b"OggS" {
            return None;
        }
        let position = i64::from_le_bytes(array(bytes, at + 6)?);
        let segments = usize::from(*bytes.get(at + 26)?);
        let table = bytes.get(at + 27..at + 27 + segments)?;
        let data = at + 27 + segments;
        let end = data + table.iter().map(|length| usize::from(*length)).sum::<usize>();
        let packet = bytes.get(data..end)?;
        if head.is_none() {
            head = Some(rate(packet)?);
        }
        // A page on which no packet ends has no position.
        last = last.max(position);
        at = end;
    }
    let (rate, skipped) = head?;
    #[expect(clippy::cast_precision_loss, reason = "a sound has far fewer samples")]
    Some((last - skipped).max(0) as f64 / f64::from(rate))
}

/// Returns the samples per second of a stream, and how many are skipped, by its first packet.
fn rate(packet: &[u8]) -> Option<(u32, i64)> {
    if packet.starts_with(b"OpusHead") {
        return Some((48_000, i64::from(u16::from_le_bytes(array(packet, 10)?))));
    }
    packet.strip_prefix(b"\x01vorbis")?;
    Some((u32::from_le_bytes(array(packet, 12)?), 0)).filter(|(rate, _)| *rate > 0)
}

/// Returns the seconds of an MP3 file: the sum of its frames.
fn mp3(bytes: &[u8]) -> Option<f64> {
    let mut at = if bytes.starts_with(b"ID3") { 10 + synchsafe(bytes, 6)? } else { 0 };
    let mut seconds = 0.0;
    while let Some(header) = be32(bytes, at) {
        let Some((length, duration)) = frame(header) else { break };
        seconds += duration;
        at += length;
    }
    Some(seconds)
}

/// Returns a number of which each byte has seven bits.
fn synchsafe(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes: [u8; 4] = array(bytes, at)?;
    Some(bytes.iter().fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7f)))
}

/// Returns the bytes and seconds of a frame of MPEG 1, 2 or 2.5, layer III.
fn frame(header: u32) -> Option<(usize, f64)> {
    const V1: [u32; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const V2: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let field = |shift: u32, mask: u32| header >> shift & mask;
    if field(21, 0x7ff) != 0x7ff || field(17, 3) != 1 {
        return None;
    }
    let version = field(19, 3);
    let (rates, samples, shift) = match version {
        3 => (V1, 1152, 0),
        2 => (V2, 576, 1),
        0 => (V2, 576, 2),
        _ => return None,
    };
    let kilobits = *rates.get(usize::try_from(field(12, 15)).ok()?).filter(|rate| **rate > 0)?;
    let rate = [44_100, 48_000, 32_000].get(usize::try_from(field(10, 3)).ok()?)? >> shift;
    let length = samples / 8 * kilobits * 1000 / rate + field(9, 1);
    Some((usize::try_from(length).ok()?, f64::from(samples) / f64::from(rate)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns an MP3 of 128 kbit/s at 44.1 kHz: frames of 417 bytes, 1152 samples each.
    fn mp3_of(frames: usize) -> Vec<u8> {
        let mut frame = vec![0xff, 0xfb, 0x90, 0x00];
        frame.resize(417, 0);
        [b"ID3\x04\0\0\0\0\x01\x02".to_vec(), vec![0; 130], frame.repeat(frames)].concat()
    }

    fn page(position: i64, packet: &[u8]) -> Vec<u8> {
        let head = [
            b"OggS\0\0".as_slice(),
            &position.to_le_bytes(),
            &[0; 12],
            &[1, u8::try_from(packet.len()).unwrap()],
        ];
        [head.concat(), packet.to_vec()].concat()
    }

    fn opus_of(samples: i64) -> Vec<u8> {
        let head = b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0";
        [page(0, head), page(0, b"OpusTags"), page(samples + 312, &[0; 20])].concat()
    }

    fn vorbis_of(samples: i64) -> Vec<u8> {
        let head = [b"\x01vorbis\0\0\0\0\x02".as_slice(), &44_100_u32.to_le_bytes(), &[0; 14]].concat();
        [page(0, &head), page(samples, &[0; 20])].concat()
    }

    #[test]
    fn both_formats_last_5_2_seconds_at_most() {
        for (file, expected) in [
            (mp3_of(199), Ok("audio/mpeg")),
            (mp3_of(200), Err(50124)),
            (mp3_of(0), Err(50192)),
            (opus_of(249_600), Ok("audio/ogg")),
            (opus_of(249_601), Err(50124)),
            (opus_of(0), Err(50192)),
            (vorbis_of(229_320), Ok("audio/ogg")),
            (vorbis_of(229_321), Err(50124)),
            (b"RIFF\0\0\0\0WAVE".to_vec(), Err(50123)),
            (page(1, b"Speex   "), Err(50192)),
            (vec![0; MAX_BYTES + 1], Err(50045)),
        ] {
            assert_eq!(check(&file).map_err(|error| error.code()), expected, "{} bytes", file.len());
        }
    }

    proptest! {
        #[test]
        fn noise_never_panics(noise: Vec<u8>, cut in 0_usize..300) {
            for file in [mp3_of(2), opus_of(48_000), vorbis_of(44_100)] {
                let _ = check(&[&file[..cut.min(file.len())], &noise].concat());
            }
            let _ = check(&[b"OggS", noise.as_slice()].concat());
            let _ = check(&[&[0xff, 0xfb][..], &noise].concat());
        }
    }
}
