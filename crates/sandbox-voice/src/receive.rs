//! What the server hears of one user: counts and times of every stream, and the decoded audio.

use std::collections::VecDeque;
use std::ops::AddAssign;
use std::time::{Duration, Instant};

use discord_rules::snowflake::Snowflake;
use serde::{Deserialize, Serialize};

use super::intervals::{Between, Intervals};
use super::pcm::{Ear, LONGEST_GAP, Pcm};
use super::rtp::SILENCE;
use super::sequence::{Place, SequenceTracker};
use super::wav::RATE;

/// Number of streams kept for a user; the oldest are dropped.
const STREAMS: usize = 32;
/// Number of samples of a packet whose length Opus does not state: 20 ms.
const USUAL: u32 = RATE / 50;

/// Counts of packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Packets that could be decrypted and were not repetitions.
    pub packets: u64,
    /// Bytes of all datagrams.
    pub bytes: u64,
    /// Packets that were frames of silence.
    pub silence: u64,
    /// Sequence numbers that never came.
    pub lost: u64,
    /// Gaps in the sequence numbers.
    pub sequence_gaps: u64,
    /// Packets that came after later ones.
    pub reordered: u64,
    /// Packets that came again.
    pub duplicates: u64,
    /// Packets whose timestamp does not follow from the one before; jumps after silence are not counted.
    pub timestamp_gaps: u64,
    /// Packets whose transport encryption could not be opened.
    pub undecryptable: u64,
    /// Packets with end-to-end encryption that could be opened, repetitions included.
    pub encrypted: u64,
    /// Packets whose end-to-end encryption could not be opened.
    pub unopened: u64,
    /// Those of them that were in plain where they must be encrypted.
    pub unopened_plain: u64,
    /// Those of them that were encrypted while no user of the sandbox was in the channel.
    pub unopened_unheard: u64,
    /// Packets that are not Opus.
    pub undecodable: u64,
    /// Packets that were dropped because the user is muted or may not speak.
    pub muted: u64,
    /// Packets that came before the first SPEAKING.
    pub unannounced: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.silence += other.silence;
        self.lost += other.lost;
        self.sequence_gaps += other.sequence_gaps;
        self.reordered += other.reordered;
        self.duplicates += other.duplicates;
        self.timestamp_gaps += other.timestamp_gaps;
        self.undecryptable += other.undecryptable;
        self.encrypted += other.encrypted;
        self.unopened += other.unopened;
        self.unopened_plain += other.unopened_plain;
        self.unopened_unheard += other.unopened_unheard;
        self.undecodable += other.undecodable;
        self.muted += other.muted;
        self.unannounced += other.unannounced;
    }
}

/// What was heard of a user in a guild since the beginning or the last reset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    /// Guild.
    pub guild: Snowflake,
    /// User.
    pub user: Snowflake,
    /// Sums over all streams.
    #[serde(flatten)]
    pub counts: Counts,
    /// Times between packets in all streams.
    pub between: Between,
    /// Number of the oldest kept frame of audio, at 48,000 a second.
    pub oldest: u64,
    /// Number that the next frame will have.
    pub position: u64,
    /// Each stream, oldest first.
    pub streams: Vec<StreamHeard>,
}

/// What was heard of one SSRC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamHeard {
    /// Its SSRC.
    pub ssrc: u32,
    /// Channel in which it was sent.
    pub channel: Snowflake,
    /// Counts.
    #[serde(flatten)]
    pub counts: Counts,
    /// Times between packets.
    pub between: Between,
}

/// Packet that could be decrypted.
pub(crate) struct Packet<'a> {
    pub(crate) at: Instant,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    /// Length of the datagram.
    pub(crate) bytes: usize,
    /// Opus frame; `None` if its end-to-end encryption could not be opened.
    pub(crate) frame: Option<&'a [u8]>,
}

/// Everything heard of one user in one guild.
pub(crate) struct Receiver {
    streams: VecDeque<Stream>,
    pcm: Pcm,
}

struct Stream {
    ssrc: u32,
    channel: Snowflake,
    counts: Counts,
    between: Intervals,
    sequence: SequenceTracker,
    newest: Option<Newest>,
    ear: Ear,
}

/// Newest packet of a stream in the order of its sequence numbers.
#[derive(Clone, Copy)]
struct Newest {
    /// When it came; `None` after a reset.
    at: Option<Instant>,
    timestamp: u32,
    samples: u32,
    silent: bool,
}

impl Receiver {
    /// Creates one that has heard nothing yet and keeps this much audio.
    pub(crate) fn new(keep: Duration) -> Self {
        Self { streams: VecDeque::new(), pcm: Pcm::new(keep) }
    }

    /// Begins a stream, whose packets are to be expected.
    pub(crate) fn begin(&mut self, ssrc: u32, channel: Snowflake) {
        if self.streams.len() == STREAMS {
            self.streams.pop_front();
        }
        self.streams.push_back(Stream {
            ssrc,
            channel,
            counts: Counts::default(),
            between: Intervals::default(),
            sequence: SequenceTracker::default(),
            newest: None,
            ear: Ear::default(),
        });
    }

    /// Counts something that is not a packet heard.
    pub(crate) fn count(&mut self, ssrc: u32, count: impl FnOnce(&mut Counts)) {
        if let Some(stream) = self.streams.iter_mut().find(|stream| stream.ssrc == ssrc) {
            count(&mut stream.counts);
        }
    }

    /// Handles a packet; returns whether it is the first of its stream.
    pub(crate) fn receive(&mut self, ssrc: u32, packet: &Packet<'_>) -> bool {
        let Some(stream) = self.streams.iter_mut().find(|stream| stream.ssrc == ssrc) else { return false };
        stream.receive(packet, &mut self.pcm)
    }

    /// Resets counts and audio; streams that continue have no gap because of it.
    pub(crate) fn reset(&mut self) {
        for stream in &mut self.streams {
            stream.counts = Counts::default();
            stream.between = Intervals::default();
            if let Some(newest) = &mut stream.newest {
                newest.at = None;
            }
        }
        self.pcm.clear();
    }

    /// Returns the decoded audio that is kept.
    pub(crate) fn pcm(&self) -> &Pcm {
        &self.pcm
    }

    /// Returns all of it in numbers.
    pub(crate) fn report(&self, guild: Snowflake, user: Snowflake) -> Heard {
        let mut counts = Counts::default();
        let mut between = Intervals::default();
        for stream in &self.streams {
            counts += stream.counts;
            between.merge(&stream.between);
        }
        let streams = self.streams.iter().map(|stream| StreamHeard {
            ssrc: stream.ssrc,
            channel: stream.channel,
            counts: stream.counts,
            between: stream.between.report(),
        });
        let kept = self.pcm.kept();
        Heard {
            guild,
            user,
            counts,
            between: between.report(),
            oldest: kept.start,
            position: kept.end,
            streams: streams.collect(),
        }
    }
}

impl Stream {
    fn receive(&mut self, packet: &Packet<'_>, pcm: &mut Pcm) -> bool {
        let counts = &mut self.counts;
        counts.bytes += packet.bytes as u64;
        let place = self.sequence.take(packet.sequence);
        match place {
            Place::Again => {
                counts.duplicates += 1;
                return false;
            }
            Place::Late => {
                // Its time in the audio is over, as it would be for a listener.
                counts.packets += 1;
                counts.reordered += 1;
                counts.lost = counts.lost.saturating_sub(1);
                return false;
            }
            Place::First => {}
            Place::Newest { missing } => {
                counts.lost += u64::from(missing);
                counts.sequence_gaps += u64::from(missing > 0);
            }
        }
        counts.packets += 1;
        let silent = packet.frame == Some(&SILENCE[..]);
        counts.silence += u64::from(silent);
        if let (Some(newest), Place::Newest { missing }) = (self.newest, place) {
            if let Some(at) = newest.at.filter(|_| !newest.silent) {
                self.between.add(packet.at.saturating_duration_since(at));
            }
            let follows = newest.timestamp.wrapping_add(newest.samples);
            let expected = follows.wrapping_add(newest.samples.wrapping_mul(u32::from(missing)));
            counts.timestamp_gaps += u64::from(packet.timestamp != expected && !newest.silent);
            let gap = packet.timestamp.wrapping_sub(follows);
            if gap <= LONGEST_GAP {
                pcm.silence(gap as usize);
            }
        }
        let samples = packet.frame.and_then(|frame| opus2::packet::get_nb_samples(frame, RATE).ok());
        let samples = samples.and_then(|samples| u32::try_from(samples).ok()).unwrap_or(USUAL);
        match packet.frame.map(|frame| self.ear.decode(frame)) {
            Some(Some(samples)) => pcm.push(samples.iter().copied()),
            unheard => {
                counts.undecodable += u64::from(unheard.is_some());
                counts.unopened += u64::from(unheard.is_none());
                pcm.silence(samples as usize);
            }
        }
        self.newest = Some(Newest { at: Some(packet.at), timestamp: packet.timestamp, samples, silent });
        place == Place::First
    }
}

#[cfg(test)]
mod tests;
