//! The queue between a track's feeder and songbird's mixer.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use symphonia::core::audio::{AudioBuffer, Signal as _};
use symphonia::core::codecs::{CODEC_TYPE_OPUS, Decoder};
use symphonia::core::errors::{Error, Result, unsupported_error};
use symphonia::core::formats::{Cue, FormatOptions, FormatReader, Packet, SeekMode, SeekTo, SeekedTo, Track};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::{Metadata, MetadataLog};
use symphonia::core::units::{Time, TimeBase};
use tokio::sync::watch;

use super::TrackUpdate;
use super::probe::{Form, nothing};
use super::underrun::Underrun;
use crate::source::Bounds;

/// Most packets that are read ahead, however small.
const PACKETS: usize = 4_096;
/// Length of a silent packet.
const FRAME: Duration = Duration::from_millis(20);
/// Its samples in Opus, whose clock runs at 48 kHz.
const FRAME_SAMPLES: u64 = 960;
/// Most bytes of a packet with one frame of Opus: RFC 6716, section 3.2.
const FRAME_BYTES: usize = 1_276;
/// 20 ms of silence in Opus.
const OPUS_SILENCE: [u8; 3] = [0xf8, 0xff, 0xfe];

/// The state shared by the feeder and the mixer.
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Replaces the decoder before the next packet.
    pub(super) decoder: Mutex<Option<Box<dyn Decoder>>>,
    /// The decoded audio for the next packet, which is empty.
    pub(super) sound: Mutex<Option<AudioBuffer<f32>>>,
    updates: Arc<watch::Sender<TrackUpdate>>,
    most: Duration,
    most_bytes: usize,
    prefill: Duration,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    /// Length of the audio in the queue.
    held: Duration,
    /// Length of all audio that was ever pushed.
    pushed: Duration,
    bytes: usize,
    /// Whether the mixer waits for more audio before it continues.
    is_filling: bool,
    mixer: Mixer,
    has_ended: bool,
    is_closed: bool,
    seek: Option<Time>,
    sought: Option<Result<SeekedTo>>,
}

/// How the mixer handles Opus.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Mixer {
    /// It decodes the next packet.
    #[default]
    Decodes,
    /// It may send the next packet as it is.
    PassesOn,
    /// Its frames do not begin where packets do, so that it must decode all that follows.
    Uneven,
}

/// An entry of the queue.
pub(super) enum Item {
    /// A packet and its length.
    Packet(Packet, Duration),
    /// Decoded audio, its time, and its length in the same unit and as a duration.
    Sound(AudioBuffer<f32>, u64, u64, Duration),
    /// A decoder for the packets after it.
    Decoder(Box<dyn Decoder>),
    /// The station's title from here on.
    Title(String),
}

/// What the mixer's end takes from the queue.
enum Taken {
    Packet(Packet),
    /// Decoded audio, with its time and length.
    Sound(u64, u64),
    /// Nothing is available yet.
    Nothing,
}

/// The next task of the feeder.
pub(super) enum Work {
    Read,
    Seek(Time),
    Close,
}

impl Shared {
    pub(super) fn new(bounds: &Bounds, updates: Arc<watch::Sender<TrackUpdate>>) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            decoder: Mutex::default(),
            sound: Mutex::default(),
            updates,
            most: bounds.ahead,
            most_bytes: bounds.ahead_bytes,
            prefill: bounds.prefill,
        }
    }

    /// Waits until there is work, and returns it.
    pub(super) fn work(&self) -> Work {
        let mut state = self.state.lock();
        loop {
            if state.is_closed {
                return Work::Close;
            }
            if let Some(time) = state.seek.take() {
                return Work::Seek(time);
            }
            if !state.has_ended && !self.is_full(&state) {
                return Work::Read;
            }
            self.changed.wait(&mut state);
        }
    }

    /// Adds an entry to the queue.
    pub(super) fn push(&self, item: Item) {
        let mut state = self.state.lock();
        let (length, bytes) = item.size();
        state.held += length;
        state.pushed += length;
        state.bytes += bytes;
        state.items.push_back(item);
        self.changed.notify_all();
    }

    /// Marks the end of the track.
    pub(super) fn end(&self) {
        self.state.lock().has_ended = true;
        self.changed.notify_all();
    }

    /// Empties the queue, because the next entries are from another position.
    pub(super) fn clear(&self) {
        let mut state = self.state.lock();
        let State { is_closed, pushed, .. } = *state;
        *state = State { is_closed, pushed, is_filling: true, ..State::default() };
    }

    /// Returns how much audio was ever pushed.
    pub(super) fn pushed(&self) -> Duration {
        self.state.lock().pushed
    }

    /// Answers a seek request.
    pub(super) fn answer(&self, sought: Result<SeekedTo>) {
        self.state.lock().sought = Some(sought);
        self.changed.notify_all();
    }

    /// Returns whether there is enough audio to begin with.
    pub(super) fn is_filled(&self) -> bool {
        self.has_enough(&self.state.lock())
    }

    fn has_enough(&self, state: &State) -> bool {
        state.has_ended || state.held >= self.prefill || self.is_full(state)
    }

    fn is_full(&self, state: &State) -> bool {
        state.held >= self.most || state.bytes >= self.most_bytes || state.items.len() >= PACKETS
    }

    /// Returns whether the mixer may send the next packet to listeners as it is. It is then Opus, and the mixer is
    /// given nothing else until it has taken one.
    pub(super) fn pass_on(&self) -> bool {
        let mut state = self.state.lock();
        let is_waiting = state.is_filling && !self.has_enough(&state);
        if state.mixer != Mixer::Uneven {
            let passes_on = is_waiting || state.is_frame_next();
            state.mixer = if passes_on { Mixer::PassesOn } else { Mixer::Decodes };
        }
        state.mixer == Mixer::PassesOn
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// At the end.
    fn next(&self) -> Result<Taken> {
        let mut state = self.state.lock();
        let is_passed_on = state.mixer == Mixer::PassesOn;
        if is_passed_on {
            state.mixer = Mixer::Decodes;
        }
        if state.is_filling && !self.has_enough(&state) {
            return Ok(Taken::Nothing);
        }
        state.is_filling = false;
        // It was added just after the mixer had asked.
        if is_passed_on && !state.is_frame_next() {
            return Ok(Taken::Nothing);
        }
        loop {
            let Some(item) = state.items.pop_front() else {
                if state.has_ended {
                    return Err(ended());
                }
                state.is_filling = true;
                return Ok(Taken::Nothing);
            };
            let (length, bytes) = item.size();
            state.held = state.held.saturating_sub(length);
            state.bytes = state.bytes.saturating_sub(bytes);
            // Waking the feeder for each packet would cost the mixer more than the packet.
            if state.held < self.most / 2 && state.bytes < self.most_bytes / 2 {
                self.changed.notify_all();
            }
            match item {
                Item::Packet(packet, _) => {
                    if !is_frame(&packet) {
                        state.mixer = Mixer::Uneven;
                    }
                    return Ok(Taken::Packet(packet));
                }
                Item::Sound(sound, ts, dur, _) => {
                    *self.sound.lock() = Some(sound);
                    return Ok(Taken::Sound(ts, dur));
                }
                Item::Decoder(decoder) => *self.decoder.lock() = Some(decoder),
                Item::Title(title) => TrackUpdate::title(&self.updates, title),
            }
        }
    }

    /// Requests a seek to `time` from the feeder, and waits until there is audio from there.
    fn seek(&self, time: Time, within: Duration) -> Result<SeekedTo> {
        let until = Instant::now() + within;
        let mut state = self.state.lock();
        state.sought = None;
        state.seek = Some(time);
        self.changed.notify_all();
        loop {
            if state.sought.as_ref().is_some_and(|sought| sought.is_err() || self.has_enough(&state))
                && let Some(sought) = state.sought.take()
            {
                state.is_filling = false;
                return sought;
            }
            if self.changed.wait_until(&mut state, until).timed_out() {
                // Audio that arrives later is still played, after silence.
                return state.sought.take().unwrap_or_else(|| {
                    Err(Error::IoError(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "no sound from there in time",
                    )))
                });
            }
        }
    }
}

impl State {
    /// Returns whether the next entry, if there is one, is a frame of Opus.
    fn is_frame_next(&self) -> bool {
        let next = self.items.iter().find_map(|item| match item {
            Item::Packet(packet, _) => Some(is_frame(packet)),
            Item::Sound(..) => Some(false),
            Item::Decoder(_) | Item::Title(_) => None,
        });
        next.unwrap_or(true)
    }
}

/// Returns whether a packet of Opus is what the mixer sends in one step: 20 ms, with room left for encryption.
fn is_frame(packet: &Packet) -> bool {
    packet.data.len() <= FRAME_BYTES && demux::opus_samples(&packet.data) == FRAME_SAMPLES
}

impl Item {
    /// Returns its length as a duration, and its bytes.
    fn size(&self) -> (Duration, usize) {
        match self {
            Self::Packet(packet, length) => (*length, packet.data.len()),
            Self::Sound(sound, _, _, length) => {
                (*length, sound.frames() * sound.spec().channels.count() * size_of::<f32>())
            }
            Self::Decoder(_) | Self::Title(_) => (Duration::ZERO, 0),
        }
    }
}

fn ended() -> Error {
    Error::IoError(io::Error::new(io::ErrorKind::UnexpectedEof, "end of stream"))
}

/// The mixer's end of the queue.
pub(super) struct PrefetchReader {
    shared: Arc<Shared>,
    tracks: Vec<Track>,
    metadata: MetadataLog,
    base: TimeBase,
    /// Time of the last packet.
    at: u64,
    /// 20 ms in units of the base.
    frame: u64,
    is_opus: bool,
    is_live: bool,
    within: Duration,
    underrun: Underrun,
    /// Stops the reader of a connection when dropped.
    _stop: watch::Sender<()>,
}

impl PrefetchReader {
    pub(super) fn new(
        shared: Arc<Shared>,
        form: &Form,
        within: Duration,
        stop: watch::Sender<()>,
        underrun: Underrun,
    ) -> Self {
        Self {
            shared,
            tracks: vec![Track::new(form.track, form.params.clone())],
            metadata: MetadataLog::default(),
            base: form.base,
            at: 0,
            frame: form.base.calc_timestamp(Time::new(0, 0.02)),
            is_opus: form.params.codec == CODEC_TYPE_OPUS,
            is_live: form.is_live,
            within,
            underrun,
            _stop: stop,
        }
    }

    fn track(&self) -> u32 {
        self.tracks[0].id
    }

    /// Returns a packet that plays as silence.
    fn silence(&self) -> Packet {
        // Any other decoder takes an empty packet as silence. `ResilientDecoder` does so if there is no decoded audio
        // for it.
        let data: &[u8] = if self.is_opus { &OPUS_SILENCE } else { &[] };
        Packet::new_from_slice(self.track(), self.at, self.frame, data)
    }
}

impl FormatReader for PrefetchReader {
    fn try_new(_: MediaSourceStream, _: &FormatOptions) -> Result<Self> {
        unsupported_error("packets that are read ahead are no format")
    }

    fn cues(&self) -> &[Cue] {
        &[]
    }

    fn metadata(&mut self) -> Metadata<'_> {
        self.metadata.metadata()
    }

    fn seek(&mut self, _: SeekMode, to: SeekTo) -> Result<SeekedTo> {
        let (required_ts, time) = match to {
            SeekTo::Time { time, .. } => (self.base.calc_timestamp(time), time),
            SeekTo::TimeStamp { ts, .. } => (ts, self.base.calc_time(ts)),
        };
        if self.is_live {
            // There is no other position, and an error would end the track.
            return Ok(SeekedTo { track_id: self.track(), required_ts, actual_ts: self.at });
        }
        let sought = self.shared.seek(time, self.within)?;
        self.at = sought.actual_ts;
        self.underrun.forget();
        Ok(SeekedTo { required_ts, ..sought })
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn next_packet(&mut self) -> Result<Packet> {
        let packet = match self.shared.next()? {
            Taken::Packet(packet) => packet,
            // It is never sent as it is: `Shared::pass_on` has returned `false` for it.
            Taken::Sound(ts, dur) => Packet::new_from_slice(self.track(), ts, dur, &[]),
            Taken::Nothing if self.underrun.missed(FRAME) => return Err(ended()),
            Taken::Nothing => return Ok(self.silence()),
        };
        self.underrun.heard(self.base.calc_time(packet.dur).into());
        self.at = packet.ts.saturating_add(packet.dur);
        Ok(packet)
    }

    fn into_inner(self: Box<Self>) -> MediaSourceStream {
        nothing()
    }
}

impl Drop for PrefetchReader {
    fn drop(&mut self) {
        self.shared.state.lock().is_closed = true;
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use symphonia::core::audio::{Channels, SignalSpec};

    use super::*;

    fn packet(bytes: &[u8]) -> Item {
        Item::Packet(Packet::new_from_slice(0, 0, FRAME_SAMPLES, bytes), FRAME)
    }

    fn sound() -> Item {
        let spec = SignalSpec::new(48_000, Channels::FRONT_LEFT);
        Item::Sound(AudioBuffer::new(FRAME_SAMPLES, spec), 0, FRAME_SAMPLES, FRAME)
    }

    fn shared() -> Shared {
        Shared::new(&Bounds::default(), Arc::new(watch::channel(TrackUpdate::default()).0))
    }

    #[test]
    fn what_comes_after_the_mixer_has_been_told_that_it_may_send_it_waits_a_frame() {
        let shared = shared();
        assert!(shared.pass_on(), "20 ms of silence are Opus too");
        shared.push(Item::Title("Second".to_owned()));
        shared.push(sound());
        shared.push(packet(&OPUS_SILENCE));
        assert!(matches!(shared.next(), Ok(Taken::Nothing)));
        assert!(!shared.pass_on());
        assert!(matches!(shared.next(), Ok(Taken::Sound(..))));
        assert!(shared.pass_on());
        assert!(matches!(shared.next(), Ok(Taken::Packet(_))));
    }

    #[test]
    fn only_packets_of_20_ms_that_leave_room_are_sent_as_they_are() {
        // Two frames of 20 ms; none at all; 20 ms in one frame, with any amount of padding.
        let padded = [&[0xfb, 0x41][..], &[0xff; 6], &[0; 1_500]].concat();
        for bytes in [&[0xf9, 0, 0][..], &[], &padded] {
            let shared = shared();
            shared.push(packet(&OPUS_SILENCE));
            shared.push(packet(bytes));
            shared.push(packet(&OPUS_SILENCE));
            let told: Vec<_> = std::iter::repeat_with(|| {
                let told = shared.pass_on();
                assert!(matches!(shared.next(), Ok(Taken::Packet(_))));
                told
            })
            .take(3)
            .collect();
            // The mixer is within a packet from then on, and would lose the rest of it.
            assert_eq!(told, [true, false, false], "{} bytes", bytes.len());
            shared.clear();
            shared.push(packet(&OPUS_SILENCE));
            assert!(shared.pass_on(), "another place begins a frame");
        }
    }
}
