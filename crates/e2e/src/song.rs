//! Long songs in which the position of a recording can be found, and missing parts be noticed.

use std::f64::consts::TAU;
use std::io::{self, BufWriter, Write as _};
use std::ops::Range;
use std::path::Path;

use crate::audio;

/// Sample rate of the received sound in hertz.
pub const RATE: u32 = 48_000;
/// Sample rate of the files in hertz. The highest note is far below half of it.
const FILE_RATE: u32 = 8_000;
/// Length of a note in frames of the received sound: a tenth of a second.
const NOTE: u64 = 4_800;
/// Largest sample.
const PEAK: f64 = 0.4;

/// A song of notes without a pattern. Each number is another song.
pub struct Song {
    /// Frequency of each note in hertz.
    notes: Vec<f64>,
    /// Phase at which each note begins, in turns.
    phases: Vec<f64>,
}

/// The position of a recording in a song.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// Frame of the song.
    pub frame: u64,
    /// Normalised correlation: 1 is equal except for loudness, 0 is unrelated.
    pub correlation: f64,
}

impl Place {
    /// Returns the position in the song in seconds.
    pub fn seconds(&self) -> f64 {
        to_f64(self.frame) / f64::from(RATE)
    }
}

impl Song {
    /// Creates the song with this number and length.
    pub fn new(number: u32, seconds: u32) -> Self {
        // Each song uses a range of the generator of its own: two seeds one step apart would give the same song,
        // shifted by a note.
        let first = u64::from(number) << 32;
        let notes: Vec<_> = (first..first + u64::from(seconds) * u64::from(RATE) / NOTE)
            .map(|note| 180.0 + to_f64(mixed(note) >> 44) / to_f64(1 << 20) * 420.0)
            .collect();
        let length = to_f64(NOTE) / f64::from(RATE);
        let phases = notes.iter().scan(0.0, |phase, note| {
            let begins = *phase;
            *phase = f64::fract(begins + note * length);
            Some(begins)
        });
        let phases = phases.collect();
        Self { notes, phases }
    }

    /// Returns its number of frames.
    pub fn frames(&self) -> u64 {
        self.notes.len() as u64 * NOTE
    }

    /// Writes it as a WAV file with 16 bits and one channel.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let step = u64::from(RATE / FILE_RATE);
        let bytes = u32::try_from(self.frames() / step * 2).map_err(io::Error::other)?;
        let mut file = BufWriter::new(std::fs::File::create(path)?);
        file.write_all(b"RIFF")?;
        file.write_all(&(36 + bytes).to_le_bytes())?;
        file.write_all(b"WAVEfmt ")?;
        file.write_all(&16_u32.to_le_bytes())?;
        file.write_all(&[1_u16, 1].map(u16::to_le_bytes).concat())?;
        file.write_all(&[FILE_RATE, FILE_RATE * 2].map(u32::to_le_bytes).concat())?;
        file.write_all(&[2_u16, 16].map(u16::to_le_bytes).concat())?;
        file.write_all(b"data")?;
        file.write_all(&bytes.to_le_bytes())?;
        for frame in (0..self.frames()).step_by(RATE as usize / FILE_RATE as usize) {
            #[expect(clippy::cast_possible_truncation)] // Below the largest sample.
            let sample = (self.sample(frame) * f64::from(i16::MAX)) as i16;
            file.write_all(&sample.to_le_bytes())?;
        }
        file.flush()
    }

    /// Returns a range of its samples, as far as it has them.
    pub fn samples(&self, frames: Range<u64>) -> Vec<f32> {
        #[expect(clippy::cast_possible_truncation)] // What a sample has.
        (frames.start..frames.end.min(self.frames())).map(|frame| self.sample(frame) as f32).collect()
    }

    fn sample(&self, frame: u64) -> f64 {
        let Ok(note) = usize::try_from(frame / NOTE) else { return 0.0 };
        let (Some(hertz), Some(begins)) = (self.notes.get(note), self.phases.get(note)) else { return 0.0 };
        let within = to_f64(frame % NOTE) / f64::from(RATE);
        PEAK * (TAU * (begins + hertz * within)).sin()
    }

    /// Finds the position among these frames of the song that is most similar to the recording.
    pub fn find(&self, heard: &[f32], among: Range<u64>) -> Place {
        let start = among.start;
        let found = audio::find(&self.samples(among), heard, RATE);
        Place {
            frame: start.saturating_add_signed(i64::try_from(found.at).unwrap_or(i64::MAX)),
            correlation: found.correlation,
        }
    }

    /// Returns the similarity of a recording to the song from `frame` on.
    pub fn likeness(&self, heard: &[f32], frame: u64) -> f64 {
        let song = self.samples(frame..frame + heard.len() as u64);
        let mut sums = [0.0; 3];
        for (heard, song) in heard.iter().zip(&song) {
            let (heard, song) = (f64::from(*heard), f64::from(*song));
            sums = [sums[0] + heard * song, sums[1] + heard * heard, sums[2] + song * song];
        }
        let scale = (sums[1] * sums[2]).sqrt();
        if scale > 0.0 { sums[0] / scale } else { 0.0 }
    }
}

/// Returns the left channel of the received sound.
pub fn left(samples: &[i16]) -> Vec<f32> {
    samples.iter().step_by(2).map(|sample| f32::from(*sample) / f32::from(i16::MAX)).collect()
}

/// Returns the number of SplitMix64 at a step.
fn mixed(step: u64) -> u64 {
    let mixed = step.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[expect(clippy::cast_precision_loss)] // Far below 2^52.
fn to_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_found_where_it_is_and_in_its_own_song_alone() {
        let song = Song::new(1, 20);
        assert_eq!(song.frames(), 960_000);
        let heard: Vec<_> = song.samples(345_678..393_678).iter().map(|sample| sample * 0.5).collect();
        let place = song.find(&heard, 0..song.frames());
        assert_eq!(place.frame, 345_678);
        assert!(place.correlation > 0.999 && (place.seconds() - 7.2016).abs() < 0.001, "{place:?}");
        assert!(song.likeness(&heard, 345_678) > 0.999);
        assert!(song.likeness(&heard, 345_678 + 960) < 0.5, "a lost packet would not show");
        assert!(Song::new(2, 20).find(&heard, 0..960_000).correlation < 0.5);
    }

    #[test]
    fn its_file_is_a_wav_file_of_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("song.wav");
        Song::new(3, 2).write(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!((&bytes[..4], bytes.len()), (&b"RIFF"[..], 44 + 2 * 8_000 * 2));
    }
}
