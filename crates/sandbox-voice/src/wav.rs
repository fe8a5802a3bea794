//! WAV files of what was heard: 16 bits, 48 kHz, stereo.

/// Samples per second and channel.
pub const RATE: u32 = 48_000;
/// Channels, interleaved.
pub const CHANNELS: u16 = 2;
const HEADER: usize = 44;

/// Returns a whole file of these samples, left and right in turns.
pub fn write(samples: &[i16]) -> Vec<u8> {
    const BYTES: u16 = 2;
    // A file that would not fit into the format's 32 bits is hours long; what is kept is minutes.
    let length = u32::try_from(samples.len() * usize::from(BYTES)).unwrap_or(u32::MAX);
    let mut file = Vec::with_capacity(HEADER + samples.len() * usize::from(BYTES));
    file.extend(b"RIFF");
    file.extend(length.saturating_add(36).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(1_u16.to_le_bytes());
    file.extend(CHANNELS.to_le_bytes());
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * u32::from(CHANNELS * BYTES)).to_le_bytes());
    file.extend((CHANNELS * BYTES).to_le_bytes());
    file.extend((BYTES * 8).to_le_bytes());
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

/// Returns the samples of a file that [`write()`] made; `None` for any other.
pub fn read(file: &[u8]) -> Option<Vec<i16>> {
    let (header, data) = file.split_at_checked(HEADER)?;
    let samples: Vec<i16> =
        data.chunks_exact(2).map(|sample| i16::from_le_bytes([sample[0], sample[1]])).collect();
    (header == &write(&samples)[..HEADER]).then_some(samples)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{read, write};

    proptest! {
        #[test]
        fn what_is_written_is_read(samples in vec(any::<i16>(), 0..300)) {
            prop_assert_eq!(read(&write(&samples)), Some(samples));
        }

        #[test]
        fn no_file_makes_the_reader_panic(file in vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(read(&file), None);
        }
    }
}
