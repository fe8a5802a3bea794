//! Sounds whose content shows the position in them, and finding received audio in them.

use std::f64::consts::TAU;
use std::path::Path;

/// Frames per second, in files and as received.
const RATE: usize = 48_000;
/// Frames that are averaged before two sounds are compared.
const STEP: usize = 24;
/// Compared frames per second.
const COARSE: usize = RATE / STEP;

/// Writes a WAV file of `seconds` whose pitch depends on the position in it. `voice` distinguishes sounds.
pub(crate) fn write(path: &Path, seconds: u32, voice: u32) {
    let frames = seconds * 48_000;
    let mut data = Vec::with_capacity(frames as usize * 4 + 44);
    let bytes = frames * 4;
    data.extend(b"RIFF");
    data.extend((36 + bytes).to_le_bytes());
    data.extend(b"WAVEfmt ");
    data.extend(16_u32.to_le_bytes());
    data.extend(1_u16.to_le_bytes());
    data.extend(2_u16.to_le_bytes());
    data.extend(48_000_u32.to_le_bytes());
    data.extend(192_000_u32.to_le_bytes());
    data.extend(4_u16.to_le_bytes());
    data.extend(16_u16.to_le_bytes());
    data.extend(b"data");
    data.extend(bytes.to_le_bytes());
    for sample in samples(seconds as usize, voice) {
        data.extend(sample.to_le_bytes());
        data.extend(sample.to_le_bytes());
    }
    std::fs::write(path, data).unwrap();
}

/// Returns such a sound, one sample per frame: steps of a tenth of a second with pseudo-random pitches.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // Samples and times are small.
fn samples(seconds: usize, voice: u32) -> Vec<i16> {
    let mut phase = 0.0_f64;
    (0..seconds * RATE)
        .map(|frame| {
            let mixed = (frame / (RATE / 10)) as u32 ^ voice.wrapping_mul(0x9E37_79B9);
            let mixed = mixed.wrapping_mul(0x85EB_CA6B) ^ (mixed >> 7);
            // Low, so that half a compared frame is a small part of a wave.
            let pitch = 100.0 + f64::from(mixed.wrapping_mul(0xC2B2_AE35) >> 16) / 65_536.0 * 220.0;
            phase += pitch / RATE as f64;
            ((phase * TAU).sin() * 12_000.0) as i16
        })
        .collect()
}

/// The position of received audio in a sound.
#[derive(Debug)]
pub(crate) struct Place {
    /// Seconds from the sound's beginning.
    pub(crate) at: f64,
    /// Their similarity, from 0 to 1.
    pub(crate) likeness: f64,
}

/// Finds a quarter of a second of received audio, left and right in turns, in a sound of `seconds`.
#[allow(clippy::cast_precision_loss)] // Times are small.
pub(crate) fn find(heard: &[i16], seconds: usize, voice: u32) -> Place {
    let left: Vec<i16> = heard.iter().step_by(2).copied().collect();
    let (heard, sound) = (coarse(&left), coarse(&samples(seconds, voice)));
    let length = heard.len().min(COARSE / 4);
    let heard = &heard[..length];
    let mut sums = vec![0.0_f64];
    for sample in &sound {
        sums.push(sums[sums.len() - 1] + f64::from(sample * sample));
    }
    let loudness = f64::from(dot(heard, heard)).sqrt();
    let likeness = |index: usize| {
        let part = (sums[index + length] - sums[index]).sqrt();
        f64::from(dot(&sound[index..index + length], heard)) / (part * loudness).max(1.0)
    };
    let places = (0..=sound.len() - length).map(|index| (index, likeness(index)));
    let found = places.max_by(|one, two| one.1.total_cmp(&two.1));
    let (index, likeness) = found.expect("the sound is longer than a second");
    Place { at: index as f64 / COARSE as f64, likeness }
}

/// A loop, since tests are compiled without optimisation and this is most of their work.
fn dot(one: &[f32], two: &[f32]) -> f32 {
    let (mut sum, mut index) = (0.0, 0);
    while index < one.len() {
        sum += one[index] * two[index];
        index += 1;
    }
    sum
}

#[allow(clippy::cast_precision_loss)] // A step is small.
fn coarse(samples: &[i16]) -> Vec<f32> {
    samples
        .chunks_exact(STEP)
        .map(|step| step.iter().map(|s| f32::from(*s)).sum::<f32>() / STEP as f32)
        .collect()
}
