//! The melody of the media files, and how similar a recording is to it.

use std::f64::consts::TAU;

/// Length of the melody in seconds.
pub const SECONDS: f64 = 3.0;

/// Notes of each channel in hertz. No two parts of it are similar, so that it matches itself at only one position.
const NOTES: [[f64; 12]; 2] = [
    [440.0, 587.3, 349.2, 784.0, 261.6, 659.3, 932.3, 311.1, 523.3, 1046.5, 392.0, 698.5],
    [329.6, 880.0, 493.9, 277.2, 987.8, 415.3, 554.4, 1174.7, 370.0, 622.3, 293.7, 830.6],
];

/// Share of a note's length in which it fades in, and fades out.
const FADE: f64 = 0.08;
/// Largest sample.
const PEAK: f64 = 0.5;
/// Sample rate to which the search for a position is reduced first.
const COARSE: u32 = 3_000;

/// The similarity of a recording to a reference, at its best position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// Sample of the recording at which the reference begins; negative if its beginning is missing.
    pub at: isize,
    /// Normalised correlation: 1 is equal except for loudness, 0 is unrelated, -1 is inverted.
    pub correlation: f64,
}

/// Creates the melody at a sample rate. Channel 0 is the left one and that of mono files, channel 1 the right one.
pub fn melody(rate: u32, channel: usize) -> Vec<f32> {
    let notes = &NOTES[channel % NOTES.len()];
    let length = SECONDS / to_f64(notes.len());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Some seconds of samples.
    let samples = (SECONDS * f64::from(rate)).round() as u32;
    (0..samples)
        .map(f64::from)
        .map(|sample| {
            let place = sample / f64::from(rate) / length;
            let (note, within) = (place.floor(), place.fract());
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Below the number of notes.
            let hertz = notes[(note as usize).min(notes.len() - 1)];
            let swell = (within / FADE).min((1.0 - within) / FADE).min(1.0);
            #[expect(clippy::cast_possible_truncation)] // What a sample has.
            let value = (PEAK * swell * (TAU * hertz * within * length).sin()) as f32;
            value
        })
        .collect()
}

/// Finds the position in `heard` that is most similar to `reference`, both at `rate`. Missing parts count as silence.
pub fn find(heard: &[f32], reference: &[f32], rate: u32) -> Match {
    let step = usize::try_from(rate / COARSE).unwrap_or(1).max(1);
    let (few_heard, few_reference) = (thinned(heard, step), thinned(reference, step));
    // At least half of the reference has to overlap.
    let half = signed(few_reference.len() / 2);
    let energy = energy(&few_reference);
    let coarse = (-half..=signed(few_heard.len()) - half)
        .map(|at| correlate(&few_heard, &few_reference, energy, at))
        .max_by(|one, other| one.correlation.total_cmp(&other.correlation));
    let around = coarse.map_or(0, |coarse| coarse.at * signed(step));
    let energy = self::energy(reference);
    (around - signed(step)..=around + signed(step))
        .map(|at| correlate(heard, reference, energy, at))
        .max_by(|one, other| one.correlation.total_cmp(&other.correlation))
        .unwrap_or(Match { at: 0, correlation: 0.0 })
}

/// Returns the match of `reference`, whose energy is given, with the recording from `at` on.
fn correlate(heard: &[f32], reference: &[f32], energy: f64, at: isize) -> Match {
    let skipped = usize::try_from(-at).unwrap_or(0).min(reference.len());
    let from = usize::try_from(at).unwrap_or(0).min(heard.len());
    let pairs = heard[from..].iter().zip(&reference[skipped..]);
    let (mut both, mut of_heard) = (0.0, 0.0);
    for (&heard, &reference) in pairs {
        let (heard, reference) = (f64::from(heard), f64::from(reference));
        both += heard * reference;
        of_heard += heard * heard;
    }
    let scale = (of_heard * energy).sqrt();
    Match { at, correlation: if scale > 0.0 { both / scale } else { 0.0 } }
}

fn energy(samples: &[f32]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample).powi(2)).sum()
}

/// Returns the mean of every `step` samples.
fn thinned(samples: &[f32], step: usize) -> Vec<f32> {
    #[expect(clippy::cast_possible_truncation)] // What a sample has.
    let mean = |chunk: &[f32]| {
        (chunk.iter().map(|sample| f64::from(*sample)).sum::<f64>() / to_f64(chunk.len())) as f32
    };
    samples.chunks_exact(step).map(mean).collect()
}

fn signed(length: usize) -> isize {
    isize::try_from(length).unwrap_or(isize::MAX)
}

fn to_f64(length: usize) -> f64 {
    f64::from(u32::try_from(length).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_melody_is_found_where_it_was_put_and_nowhere_in_what_is_not_it() {
        let rate = 8_000;
        let melody = melody(rate, 0);
        assert_eq!(melody.len(), 24_000);
        let mut heard = vec![0.0; 1_234];
        heard.extend(melody.iter().map(|sample| sample * 0.3));
        heard.extend([0.0; 400]);
        let found = find(&heard, &melody, rate);
        assert_eq!(found.at, 1_234);
        assert!(found.correlation > 0.999, "{found:?}");

        let cut = find(&melody[800..], &melody, rate);
        assert_eq!(cut.at, -800);
        assert!(cut.correlation > 0.9, "{cut:?}");

        for other in [vec![0.0; 24_000], super::melody(rate, 1), melody.iter().rev().copied().collect()] {
            let found = find(&other, &melody, rate);
            assert!(found.correlation < 0.5, "{found:?}");
        }
        assert!(find(&[], &melody, rate).correlation.abs() < f64::EPSILON);
    }

    #[test]
    fn a_gap_in_what_was_heard_costs() {
        let rate = 8_000;
        let melody = melody(rate, 0);
        let mut heard = melody.clone();
        heard.drain(9_000..9_160);
        assert!(find(&heard, &melody, rate).correlation < 0.9);
    }
}
