//! Decoded audio: the newest minutes of what a user sent, as samples of 48 kHz stereo.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use opus2::{Channels, Decoder};

use super::wav::{CHANNELS, RATE};

/// Samples of both channels in one frame of time.
const WIDTH: usize = CHANNELS as usize;
/// Frames of the longest packet of Opus, 120 ms.
const LONGEST: usize = 5_760;
/// Longest gap between packets that is filled with silence, in frames: a second. A longer one was a pause.
pub(crate) const LONGEST_GAP: u32 = RATE;

/// Bounded stretch of audio; its frames are numbered from its beginning, also after the oldest have been dropped.
#[derive(Debug)]
pub(crate) struct Pcm {
    samples: VecDeque<i16>,
    /// Number of the oldest frame that is kept.
    oldest: u64,
    /// Number of frames kept at most.
    limit: usize,
}

impl Pcm {
    /// Creates one that keeps this much of the newest audio.
    pub(crate) fn new(keep: Duration) -> Self {
        let limit = keep.as_millis() * u128::from(RATE) / 1000;
        Self { samples: VecDeque::new(), oldest: 0, limit: usize::try_from(limit).unwrap_or(usize::MAX) }
    }

    /// Appends interleaved samples of both channels.
    pub(crate) fn push(&mut self, samples: impl IntoIterator<Item = i16>) {
        self.samples.extend(samples);
        let excess = (self.samples.len() / WIDTH).saturating_sub(self.limit);
        self.samples.drain(..excess * WIDTH);
        self.oldest += excess as u64;
    }

    /// Appends silence.
    pub(crate) fn silence(&mut self, frames: usize) {
        self.push(std::iter::repeat_n(0, frames * WIDTH));
    }

    /// Returns the numbers of the frames that are kept.
    pub(crate) fn kept(&self) -> Range<u64> {
        self.oldest..self.oldest + (self.samples.len() / WIDTH) as u64
    }

    /// Returns kept samples from a frame on, this many frames at most.
    pub(crate) fn read(&self, from: u64, frames: usize) -> Vec<i16> {
        let skip = usize::try_from(from.saturating_sub(self.oldest)).unwrap_or(usize::MAX);
        let start = skip.saturating_mul(WIDTH).min(self.samples.len());
        self.samples.range(start..).take(frames.saturating_mul(WIDTH)).copied().collect()
    }

    /// Drops all samples; the numbers continue.
    pub(crate) fn clear(&mut self) {
        self.oldest = self.kept().end;
        self.samples = VecDeque::new();
    }
}

/// Opus decoder of one stream.
pub(crate) struct Ear {
    decoder: Option<Decoder>,
    buffer: Box<[i16]>,
}

impl Default for Ear {
    fn default() -> Self {
        // Opus refuses only rates and channels that it does not know.
        let decoder = Decoder::new(RATE, Channels::Stereo).ok();
        Self { decoder, buffer: vec![0; LONGEST * WIDTH].into_boxed_slice() }
    }
}

impl Ear {
    /// Returns the samples of a packet; `None` if it is not Opus.
    pub(crate) fn decode(&mut self, packet: &[u8]) -> Option<&[i16]> {
        // An empty input would make the decoder conceal a lost packet.
        if packet.is_empty() {
            return None;
        }
        let frames = self.decoder.as_mut()?.decode(packet, &mut self.buffer, false).ok()?;
        self.buffer.get(..frames * WIDTH)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{Ear, Pcm};

    #[test]
    fn the_oldest_goes_first_and_the_numbers_stay() {
        let mut pcm = Pcm::new(Duration::from_millis(1));
        pcm.push((0..40).flat_map(|frame| [frame, -frame]));
        assert_eq!(pcm.kept(), 0..40);
        pcm.push((40..60).flat_map(|frame| [frame, -frame]));
        assert_eq!(pcm.kept(), 12..60);
        assert_eq!(pcm.read(0, 1), [12, -12]);
        assert_eq!(pcm.read(58, 10), [58, -58, 59, -59]);
        assert!(pcm.read(60, 10).is_empty() && pcm.read(u64::MAX, usize::MAX).is_empty());
        pcm.clear();
        pcm.silence(2);
        assert_eq!((pcm.kept(), pcm.read(0, 9)), (60..62, vec![0; 4]));
    }

    proptest! {
        #[test]
        fn no_packet_makes_the_decoder_panic(packets in vec(vec(any::<u8>(), 0..60), 1..10)) {
            let mut ear = Ear::default();
            for packet in packets {
                let _ = ear.decode(&packet);
            }
        }
    }
}
