//! Whether the mixer keeps its 20 ms clock, measured where it takes each frame of a track.
//!
//! # Theory of operation
//!
//! songbird does not count late frames. But its mixer asks a track's decoder for its parameters exactly once for each
//! frame that it mixes, on the thread that keeps the clock, so a decoder wrapped in [`Timed`] sees every frame. The
//! clock advances by 20 ms a frame and catches up after a late frame. So the earliest frame, relative to the clock,
//! shows the clock's position, and every other frame is late by its distance from that. A frame is mixed one clock step
//! before it is sent: one that is behind by more than 20 ms cannot be sent in time.
//!
//! Nothing is measured while a track is paused or the connection is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sdk_core::voice::FrameCounts;
use symphonia::core::audio::AudioBufferRef;
use symphonia::core::codecs::{CodecDescriptor, CodecParameters, Decoder, DecoderOptions, FinalizeResult};
use symphonia::core::errors::{Result, unsupported_error};
use symphonia::core::formats::Packet;

/// Time from one frame to the next.
pub(super) const FRAME: Duration = Duration::from_millis(20);
/// Frames after which an early frame is forgotten, at the latest after twice as many: 5 s.
const WINDOW: u32 = 250;

/// Frames of all tracks since the host began.
#[derive(Debug, Default)]
pub(super) struct Frames {
    mixed: AtomicU64,
    late: AtomicU64,
}

impl Frames {
    pub(super) fn counts(&self) -> FrameCounts {
        // The late ones are read first, so that they never exceed the mixed ones.
        let late = self.late.load(Ordering::Relaxed);
        FrameCounts { mixed: self.mixed.load(Ordering::Relaxed), late }
    }
}

const ON: u8 = 0;
const RESTS: u8 = 1;
const BEGINS: u8 = 2;

/// The pace of one start of a track.
#[derive(Debug)]
pub(super) struct Pace {
    frames: Arc<Frames>,
    state: AtomicU8,
    clock: Mutex<Option<Clock>>,
}

impl Pace {
    pub(super) fn new(frames: Arc<Frames>) -> Self {
        Self { frames, state: AtomicU8::new(ON), clock: Mutex::default() }
    }

    /// Sets whether the mixer rests from now on.
    pub(super) fn set_resting(&self, resting: bool) {
        if resting {
            self.state.store(RESTS, Ordering::Relaxed);
        } else {
            // The next frame shows where the clock is by then.
            let _ = self.state.compare_exchange(RESTS, BEGINS, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    fn frame(&self, now: Instant) {
        self.frames.mixed.fetch_add(1, Ordering::Relaxed);
        let mut clock = self.clock.lock();
        if self.state.load(Ordering::Relaxed) != ON {
            *clock = None;
            let _ = self.state.compare_exchange(BEGINS, ON, Ordering::Relaxed, Ordering::Relaxed);
        }
        if clock.get_or_insert_with(|| Clock::new(now)).frame(now) > FRAME {
            self.frames.late.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The position of the mixer's clock, as far as frames have shown it.
#[derive(Debug)]
struct Clock {
    /// When the next frame is due, if the first one was in time.
    due: Instant,
    /// Lateness of the earliest frame in this window, and in the one before.
    earliest: [Option<Lateness>; 2],
    left: u32,
}

/// Nanoseconds by which a frame was late, relative to the first one; negative for an early frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Lateness(i64);

impl Clock {
    fn new(now: Instant) -> Self {
        Self { due: now, earliest: [None; 2], left: WINDOW }
    }

    /// Records a frame, and returns how far it is behind the clock.
    fn frame(&mut self, now: Instant) -> Duration {
        let nanos = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        let late = match now.checked_duration_since(self.due) {
            Some(after) => Lateness(nanos(after)),
            None => Lateness(-nanos(self.due - now)),
        };
        self.due += FRAME;
        if self.left == 0 {
            self.earliest = [None, self.earliest[0]];
            self.left = WINDOW;
        }
        self.left -= 1;
        let earliest = self.earliest[0].map_or(late, |earliest| earliest.min(late));
        self.earliest[0] = Some(earliest);
        let earliest = self.earliest[1].map_or(earliest, |before| before.min(earliest));
        Duration::from_nanos(late.0.saturating_sub(earliest.0).unsigned_abs())
    }
}

/// A decoder that counts frames as the mixer takes them.
pub(super) struct Timed {
    pub(super) inner: Box<dyn Decoder>,
    pub(super) pace: Arc<Pace>,
}

impl Decoder for Timed {
    fn try_new(_: &CodecParameters, _: &DecoderOptions) -> Result<Self> {
        unsupported_error("a timed decoder is made around another one")
    }

    fn supported_codecs() -> &'static [CodecDescriptor] {
        &[]
    }

    fn reset(&mut self) {
        self.inner.reset();
    }

    fn codec_params(&self) -> &CodecParameters {
        self.pace.frame(Instant::now());
        self.inner.codec_params()
    }

    fn decode(&mut self, packet: &Packet) -> Result<AudioBufferRef<'_>> {
        self.inner.decode(packet)
    }

    fn finalize(&mut self) -> FinalizeResult {
        self.inner.finalize()
    }

    fn last_decoded(&self) -> AudioBufferRef<'_> {
        self.inner.last_decoded()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn late(pace: &Pace) -> u64 {
        pace.frames.counts().late
    }

    #[test]
    fn a_stall_makes_those_frames_late_that_could_not_be_sent_in_time() {
        let (pace, began) = (Pace::new(Arc::default()), Instant::now());
        for frame in 0..10 {
            pace.frame(began + ms(20) * frame);
        }
        // The mixer resumes 100 ms late and catches up: 100, 80, 60, 40 and 20 ms behind, then in time.
        for _ in 10..16 {
            pace.frame(began + ms(300));
        }
        pace.frame(began + ms(320));
        assert_eq!(pace.frames.counts(), FrameCounts { mixed: 17, late: 4 });
    }

    #[test]
    fn a_mixer_that_is_too_slow_for_good_is_late_all_the_time() {
        let (pace, began) = (Pace::new(Arc::default()), Instant::now());
        for frame in 0..1000 {
            pace.frame(began + ms(25) * frame);
        }
        assert!((990..1000).contains(&late(&pace)), "{}", late(&pace));
    }

    #[test]
    fn a_clock_that_was_set_anew_is_learnt() {
        let (pace, began) = (Pace::new(Arc::default()), Instant::now());
        pace.frame(began);
        for frame in 0..2000 {
            pace.frame(began + ms(1000) + ms(20) * frame);
        }
        let until_learnt = late(&pace);
        assert!(until_learnt <= 2 * u64::from(WINDOW), "{until_learnt}");
        pace.frame(began + ms(1000) + ms(20) * 2000);
        assert_eq!(late(&pace), until_learnt);
    }

    #[test]
    fn a_pause_is_not_late() {
        let (pace, began) = (Pace::new(Arc::default()), Instant::now());
        pace.frame(began);
        pace.set_resting(true);
        // Commands reach the mixer later than they are recorded.
        pace.frame(began + ms(20));
        pace.set_resting(false);
        pace.set_resting(false);
        pace.frame(began + ms(9_000));
        pace.frame(began + ms(9_020));
        assert_eq!(pace.frames.counts(), FrameCounts { mixed: 4, late: 0 });
        pace.frame(began + ms(9_140));
        assert_eq!(late(&pace), 1);
    }

    proptest! {
        #[test]
        fn frames_that_are_off_by_less_than_one_are_in_time(offs in prop::collection::vec(0_u64..20, 1..600)) {
            let (pace, began) = (Pace::new(Arc::default()), Instant::now());
            for (frame, off) in (0_u32..).zip(&offs) {
                pace.frame(began + ms(20) * frame + ms(*off));
            }
            prop_assert_eq!(pace.frames.counts(), FrameCounts { mixed: offs.len() as u64, late: 0 });
        }
    }
}
