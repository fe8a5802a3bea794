//! Conversion of audio from one form into another: a chain's later links into that of the first, which the mixer relies
//! on, and surround into stereo.

use std::f32::consts::FRAC_1_SQRT_2;

use rubato::{FastFixedIn, FftFixedIn, PolynomialDegree, ResampleResult, Resampler as _};
use symphonia::core::audio::{AudioBuffer, Channels, Signal as _, SignalSpec};

/// Samples that are resampled at a time.
const CHUNK: usize = 512;
/// Parts into which they are divided.
const PARTS: usize = 2;
/// Longest transform. For rates with too small a common divisor, it would take all samples of a second.
const LONGEST: u32 = 2_048;

/// Converts samples from one rate to another.
enum Rates {
    Transform(Box<FftFixedIn<f32>>),
    /// By interpolation, for rates whose transform would be too long.
    Between(FastFixedIn<f32>),
}

impl Rates {
    fn new(from: u32, to: u32, channels: usize) -> Option<Self> {
        let (mut common, mut rest) = (from, to);
        while rest != 0 {
            (common, rest) = (rest, common % rest);
        }
        if common != 0 && from.max(to) / common <= LONGEST {
            let (from, to) = (usize::try_from(from).ok()?, usize::try_from(to).ok()?);
            Some(Self::Transform(Box::new(FftFixedIn::new(from, to, CHUNK, PARTS, channels).ok()?)))
        } else {
            let ratio = f64::from(to) / f64::from(from);
            // 5 ms, so that hardly any of the end is left waiting.
            let chunk = usize::try_from(from / 200).ok()?.max(8);
            Some(Self::Between(FastFixedIn::new(ratio, 1.0, PolynomialDegree::Septic, chunk, channels).ok()?))
        }
    }

    fn needed(&self) -> usize {
        match self {
            Self::Transform(resampler) => resampler.input_frames_next(),
            Self::Between(resampler) => resampler.input_frames_next(),
        }
    }

    fn process(&mut self, chunk: &[Vec<f32>]) -> ResampleResult<Vec<Vec<f32>>> {
        match self {
            Self::Transform(resampler) => resampler.process(chunk, None),
            Self::Between(resampler) => resampler.process(chunk, None),
        }
    }
}

/// Converts audio of one form into another.
pub(super) struct Conform {
    from: SignalSpec,
    to: SignalSpec,
    resampler: Option<Rates>,
    /// Samples of each channel that wait for a whole chunk.
    waiting: Vec<Vec<f32>>,
}

impl Conform {
    /// Creates a converter; `None` if there is no conversion from one rate to the other.
    pub(super) fn new(from: SignalSpec, to: SignalSpec) -> Option<Self> {
        let channels = to.channels.count();
        let resampler =
            if from.rate == to.rate { None } else { Some(Rates::new(from.rate, to.rate, channels)?) };
        Some(Self { from, to, resampler, waiting: vec![Vec::new(); channels] })
    }

    /// Returns whether it is made for audio of this form.
    pub(super) fn is_for(&self, from: SignalSpec) -> bool {
        self.from.rate == from.rate && self.from.channels.count() == from.channels.count()
    }

    /// Converts audio into the form. The last part of it may be returned with the next.
    pub(super) fn bring(&mut self, sound: &AudioBuffer<f32>) -> AudioBuffer<f32> {
        let wanted = self.to.channels.count();
        for (channel, waiting) in self.waiting.iter_mut().enumerate() {
            let start = waiting.len();
            waiting.resize(start + sound.frames(), 0.0);
            for (from, part) in shares(sound.spec().channels, wanted, channel).into_iter().enumerate() {
                if part != 0.0 {
                    for (sum, sample) in waiting[start..].iter_mut().zip(sound.chan(from)) {
                        *sum += part * sample;
                    }
                }
            }
        }
        let Some(resampler) = &mut self.resampler else {
            let done: Vec<_> = self.waiting.iter_mut().map(std::mem::take).collect();
            return filled(self.to, &done);
        };
        let mut done: Vec<Vec<f32>> = vec![Vec::new(); wanted];
        loop {
            let needed = resampler.needed();
            if self.waiting.first().is_none_or(|waiting| waiting.len() < needed) {
                return filled(self.to, &done);
            }
            let chunk: Vec<Vec<f32>> =
                self.waiting.iter_mut().map(|waiting| waiting.drain(..needed).collect()).collect();
            let Ok(more) = resampler.process(&chunk) else { return filled(self.to, &done) };
            for (done, more) in done.iter_mut().zip(more) {
                done.extend(more);
            }
        }
    }
}

/// Returns the share of each channel of the input in one of the wanted channels.
///
/// More than two become stereo by ITU-R BS.775: centre and rear with 3 dB less, without low-frequency effects, and all
/// of it attenuated so that the loudest is not clipped.
fn shares(given: Channels, wanted: usize, channel: usize) -> Vec<f32> {
    let count = given.count();
    match (count, wanted) {
        (0 | 1, _) => vec![1.0; count],
        #[expect(clippy::cast_precision_loss)] // At most 32.
        (_, 1) => vec![1.0 / count as f32; count],
        (3.., 2) => {
            let parts: Vec<f32> = given.iter().map(|from| share(from, channel == 0)).collect();
            let loudest: f32 = parts.iter().sum();
            parts.into_iter().map(|part| part / loudest.max(1.0)).collect()
        }
        _ => (0..count).map(|from| if from == channel { 1.0 } else { 0.0 }).collect(),
    }
}

/// Returns the share of a channel in the left or the right one of two.
fn share(channel: Channels, is_left: bool) -> f32 {
    let fronts = Channels::FRONT_LEFT
        | Channels::FRONT_LEFT_CENTRE
        | Channels::FRONT_LEFT_WIDE
        | Channels::FRONT_RIGHT
        | Channels::FRONT_RIGHT_CENTRE
        | Channels::FRONT_RIGHT_WIDE;
    let lefts = Channels::FRONT_LEFT
        | Channels::FRONT_LEFT_CENTRE
        | Channels::FRONT_LEFT_WIDE
        | Channels::FRONT_LEFT_HIGH
        | Channels::SIDE_LEFT
        | Channels::REAR_LEFT
        | Channels::REAR_LEFT_CENTRE
        | Channels::TOP_FRONT_LEFT
        | Channels::TOP_REAR_LEFT;
    let rights = Channels::FRONT_RIGHT
        | Channels::FRONT_RIGHT_CENTRE
        | Channels::FRONT_RIGHT_WIDE
        | Channels::FRONT_RIGHT_HIGH
        | Channels::SIDE_RIGHT
        | Channels::REAR_RIGHT
        | Channels::REAR_RIGHT_CENTRE
        | Channels::TOP_FRONT_RIGHT
        | Channels::TOP_REAR_RIGHT;
    let (same, other) = if is_left { (lefts, rights) } else { (rights, lefts) };
    if other.contains(channel) || (Channels::LFE1 | Channels::LFE2).contains(channel) {
        0.0
    } else if fronts.contains(channel) {
        1.0
    } else if same.contains(channel) || channel == Channels::FRONT_CENTRE {
        FRAC_1_SQRT_2
    } else {
        // Behind or above the middle.
        0.5
    }
}

/// Creates a buffer of these channels.
fn filled(spec: SignalSpec, channels: &[Vec<f32>]) -> AudioBuffer<f32> {
    let frames = channels.first().map_or(0, Vec::len);
    let mut buffer = AudioBuffer::new(u64::try_from(frames.max(1)).unwrap_or(1), spec);
    buffer.render_reserved(Some(frames));
    for (channel, samples) in channels.iter().enumerate() {
        buffer.chan_mut(channel).copy_from_slice(samples);
    }
    buffer
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEREO: Channels = Channels::FRONT_LEFT.union(Channels::FRONT_RIGHT);

    /// Returns the output for one channel of `given` while the others are silent.
    fn alone(given: Channels, to: Channels, channel: usize) -> Vec<f32> {
        let mut conform = Conform::new(SignalSpec::new(48_000, given), SignalSpec::new(48_000, to)).unwrap();
        let mut sound = vec![vec![0.0; 4]; given.count()];
        sound[channel].fill(1.0);
        let done = conform.bring(&filled(SignalSpec::new(48_000, given), &sound));
        (0..to.count()).map(|channel| done.chan(channel)[3]).collect()
    }

    #[test]
    fn of_surround_sound_no_voice_is_lost_and_none_changes_its_side() {
        let five =
            STEREO | Channels::FRONT_CENTRE | Channels::LFE1 | Channels::REAR_LEFT | Channels::REAR_RIGHT;
        let heard: Vec<_> = (0..6).map(|channel| alone(five, STEREO, channel)).collect();
        let (front, behind) = (heard[0][0], heard[4][0]);
        assert_eq!(heard[0], [front, 0.0]);
        assert_eq!(heard[1], [0.0, front]);
        assert_eq!(heard[2], [behind, behind], "who speaks is in the middle");
        assert_eq!(heard[3], [0.0, 0.0]);
        assert_eq!(heard[4..], [vec![behind, 0.0], vec![0.0, behind]]);
        assert!((behind / front - FRAC_1_SQRT_2).abs() < 1e-6, "{behind} of {front}");
        let all: f32 = heard.iter().map(|heard| heard[0]).sum();
        assert!((all - 1.0).abs() < 1e-6, "{all} is cut off, or too soft");
    }

    #[test]
    fn one_channel_is_heard_on_both_sides_and_two_become_their_mean() {
        assert_eq!(alone(Channels::FRONT_LEFT, STEREO, 0), [1.0, 1.0]);
        assert_eq!(alone(STEREO, Channels::FRONT_LEFT, 1), [0.5]);
        assert_eq!(alone(STEREO, STEREO, 1), [0.0, 1.0]);
    }
}
