//! Bringing sound of one form into another: a chain's later links into that of the first, which the mixer counts on.

use rubato::{FftFixedIn, Resampler as _};
use symphonia::core::audio::{AudioBuffer, Signal as _, SignalSpec};

/// Samples that are resampled at a time.
const CHUNK: usize = 512;
/// Parts in which they are.
const PARTS: usize = 2;

/// Brings sound of one form into another.
pub(super) struct Conform {
    from: SignalSpec,
    to: SignalSpec,
    resampler: Option<FftFixedIn<f32>>,
    /// Samples of each channel that wait for more.
    waiting: Vec<Vec<f32>>,
}

impl Conform {
    /// Makes one; `None` where there is no way from one rate to the other.
    pub(super) fn new(from: SignalSpec, to: SignalSpec) -> Option<Self> {
        let channels = to.channels.count();
        let resampler = if from.rate == to.rate {
            None
        } else {
            let rates = (usize::try_from(from.rate).ok()?, usize::try_from(to.rate).ok()?);
            Some(FftFixedIn::new(rates.0, rates.1, CHUNK, PARTS, channels).ok()?)
        };
        Some(Self { from, to, resampler, waiting: vec![Vec::new(); channels] })
    }

    /// Returns whether it is made for sound of this form.
    pub(super) fn is_for(&self, from: SignalSpec) -> bool {
        self.from.rate == from.rate && self.from.channels.count() == from.channels.count()
    }

    /// Brings sound into the form; the last of it may come with the next.
    pub(super) fn bring(&mut self, sound: &AudioBuffer<f32>) -> AudioBuffer<f32> {
        let (given, wanted) = (sound.spec().channels.count(), self.to.channels.count());
        for (channel, waiting) in self.waiting.iter_mut().enumerate() {
            match (given, wanted) {
                (1, _) => waiting.extend_from_slice(sound.chan(0)),
                (given, 1) => waiting.extend((0..sound.frames()).map(|at| {
                    let sum: f32 = (0..given).map(|channel| sound.chan(channel)[at]).sum();
                    #[expect(clippy::cast_precision_loss)] // At most 8.
                    let count = given as f32;
                    sum / count
                })),
                (given, _) if channel < given => waiting.extend_from_slice(sound.chan(channel)),
                _ => waiting.resize(waiting.len() + sound.frames(), 0.0),
            }
        }
        let Some(resampler) = &mut self.resampler else {
            let done: Vec<_> = self.waiting.iter_mut().map(std::mem::take).collect();
            return filled(self.to, &done);
        };
        let mut done: Vec<Vec<f32>> = vec![Vec::new(); wanted];
        loop {
            let needed = resampler.input_frames_next();
            if self.waiting.first().is_none_or(|waiting| waiting.len() < needed) {
                return filled(self.to, &done);
            }
            let chunk: Vec<Vec<f32>> =
                self.waiting.iter_mut().map(|waiting| waiting.drain(..needed).collect()).collect();
            let Ok(more) = resampler.process(&chunk, None) else { return filled(self.to, &done) };
            for (done, more) in done.iter_mut().zip(more) {
                done.extend(more);
            }
        }
    }
}

/// Makes a buffer of these channels.
fn filled(spec: SignalSpec, channels: &[Vec<f32>]) -> AudioBuffer<f32> {
    let frames = channels.first().map_or(0, Vec::len);
    let mut buffer = AudioBuffer::new(u64::try_from(frames.max(1)).unwrap_or(1), spec);
    buffer.render_reserved(Some(frames));
    for (channel, samples) in channels.iter().enumerate() {
        buffer.chan_mut(channel).copy_from_slice(samples);
    }
    buffer
}
