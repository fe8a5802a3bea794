//! The thread that reads a track's packets ahead of the mixer.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use symphonia::core::audio::{AudioBuffer, Signal as _};
use symphonia::core::codecs::{
    CODEC_TYPE_AAC, CODEC_TYPE_FLAC, CODEC_TYPE_MP3, CODEC_TYPE_OPUS, CODEC_TYPE_VORBIS, CodecParameters,
    Decoder,
};
use symphonia::core::errors::{Error, Result, SeekErrorKind};
use symphonia::core::formats::{FormatReader, Packet, SeekMode, SeekTo, SeekedTo};
use symphonia::core::meta::StandardTagKey;
use symphonia::core::units::{Time, TimeBase};

use super::budget::Budget;
use super::prefetch::{Item, Shared, Work};
use super::probe::{Form, decoder, of, probe};
use super::resilient::plain;
use super::{Origin, TrackEventSender};
use crate::source::{Bounds, SourceError};

/// Packets that are tried to find out whether they decode.
const TRIED: usize = 40;
/// Packets that must decode. Bytes that only look like audio do not have that many in a row.
const SOUND: usize = 3;
/// Length of packets that do not state it.
const UNTOLD: Duration = Duration::from_millis(20);
/// Audio before a position that is decoded and dropped. RFC 7845, section 4.6, requires 80 ms of it for Opus.
const LEAD: Duration = Duration::from_millis(120);
/// Most packets of that.
const LEAD_PACKETS: usize = 64;
/// Packets that are checked for the upper half of the spectrum.
const ASKED: u32 = 16;

/// Reads a track's packets ahead.
pub(super) struct Feeder {
    form: Form,
    format: Box<dyn FormatReader>,
    is_seekable: bool,
    origin: Box<dyn Origin>,
    events: TrackEventSender,
    shared: Arc<Shared>,
    budget: Budget,
    /// Longest time for a seek.
    seek_within: Duration,
    /// Position after the last packet.
    at: u64,
    /// The track that is read now, and its codec parameters. Those of a chain's later links differ.
    link: u32,
    params: CodecParameters,
    /// Packets before the first audio to be played.
    held: Vec<Packet>,
    /// Number of AAC packets that were checked for the upper half of the spectrum, and of those that seem to have it.
    extended: (u32, u32),
}

impl Feeder {
    pub(super) fn new(
        form: Form,
        format: Box<dyn FormatReader>,
        is_seekable: bool,
        origin: Box<dyn Origin>,
        events: TrackEventSender,
        bounds: &Bounds,
    ) -> Self {
        let shared = Arc::new(Shared::new(bounds, events.updates.clone()));
        let (link, params) = (form.track, form.params.clone());
        let (held, extended) = (Vec::new(), (0, 0));
        let budget = Budget::new(bounds.stall + bounds.ahead);
        // The mixer waits that long, and then tolerates that much silence.
        let seek_within = bounds.open + bounds.stall;
        Self {
            form,
            format,
            is_seekable,
            origin,
            events,
            shared,
            budget,
            seek_within,
            at: 0,
            link,
            params,
            held,
            extended,
        }
    }

    /// Returns what is known of the audio so far.
    pub(super) fn form(&self) -> Form {
        self.form.clone()
    }

    pub(super) fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// Reads until there is enough to begin with.
    ///
    /// # Errors
    /// When the audio does not decode.
    pub(super) fn begin(&mut self) -> std::result::Result<(), SourceError> {
        let mut decoder = decoder(&self.form.params)?;
        let (mut tried, mut decoded) = (0, 0);
        while decoded < SOUND && tried < TRIED {
            let packet = match self.next() {
                Ok(packet) => packet,
                // Shorter audio must decode as a whole.
                Err(_) if decoded > 0 && decoded == tried => {
                    self.shared.end();
                    break;
                }
                Err(error) => return Err(of(&error)),
            };
            tried += 1;
            decoded += usize::from(decoder.decode(&packet).is_ok());
            self.push(packet);
        }
        if decoded < SOUND.min(tried) {
            return Err(SourceError::NoSound);
        }
        while !self.shared.is_filled() {
            self.read_one();
        }
        let (asked, extended) = self.extended;
        // One in 60 looks so by chance.
        if asked >= 3 && extended * 4 >= asked * 3 {
            self.form.info.is_core_only = true;
        }
        // A station's first link contains a song's title, as the later ones do.
        let is_link = matches!(self.params.codec, CODEC_TYPE_FLAC | CODEC_TYPE_OPUS | CODEC_TYPE_VORBIS);
        let tags = &self.form.info.tags;
        if let Some(title) = tags.title.clone().filter(|_| self.form.is_live && is_link) {
            self.events.title(line_of(tags.artist.as_deref(), &title));
        }
        Ok(())
    }

    /// Reads ahead until the track is dropped.
    pub(super) fn run(mut self) {
        loop {
            match self.shared.work() {
                Work::Read => self.read(),
                Work::Seek(time) => {
                    self.shared.clear();
                    self.budget.renew();
                    self.events.allow(self.seek_within);
                    let sought = self.seek(time);
                    self.shared.answer(sought);
                }
                Work::Close => return,
            }
        }
    }

    /// Reads one packet into the queue, or ends it, in a time that the audio in the queue makes up for.
    pub(super) fn read(&mut self) {
        let (began, before) = (Instant::now(), self.shared.pushed());
        self.events.allow(self.budget.left());
        self.read_one();
        self.budget.spend(began.elapsed(), self.shared.pushed().saturating_sub(before));
    }

    fn read_one(&mut self) {
        match self.next() {
            Ok(packet) => self.push(packet),
            Err(Error::ResetRequired) => {
                if let Err(error) = self.follow() {
                    self.end(&error);
                }
            }
            Err(error) => self.end(&error),
        }
    }

    fn end(&mut self, error: &Error) {
        if !is_end(error) && self.events.stop.has_changed().is_ok() {
            let why = of(error);
            tracing::debug!(%error, "a track breaks off");
            self.events.fail(if why == SourceError::NoSound { SourceError::Broken } else { why });
        }
        self.shared.end();
    }

    fn push(&mut self, packet: Packet) {
        // The encoder's padding before the audio is in the packet, and decoders other than these play it.
        let trims_itself = matches!(self.params.codec, CODEC_TYPE_MP3 | CODEC_TYPE_VORBIS);
        // A packet of nothing but padding is decoded along with the one after it, which continues it.
        if (packet.trim_start > 0 || !self.held.is_empty()) && !trims_itself {
            let begins = packet.ts;
            self.held.push(packet);
            if self.held.last().is_some_and(|packet| packet.dur > 0) || self.held.len() >= LEAD_PACKETS {
                let held = std::mem::take(&mut self.held);
                self.push_from(&held, begins);
            }
            return;
        }
        let length = Duration::from(self.form.base.calc_time(packet.block_dur()));
        let length = if length.is_zero() { UNTOLD } else { length };
        self.shared.push(Item::Packet(self.own(packet), length));
    }

    /// Sets a packet's track number to that of the first link, since the mixer takes no other.
    fn own(&self, packet: Packet) -> Packet {
        if packet.track_id() == self.form.track {
            return packet;
        }
        let Packet { ts, dur, trim_start, trim_end, data, .. } = packet;
        let mut packet = Packet::new_from_boxed_slice(self.form.track, ts, dur, data);
        (packet.trim_start, packet.trim_end) = (trim_start, trim_end);
        packet
    }

    /// Decodes packets with a new decoder, and pushes the audio of the last one from a time on, and the decoder.
    fn push_from(&mut self, packets: &[Packet], from: u64) {
        let Ok(mut decoder) = decoder(&self.params) else { return };
        let sound = catch_unwind(AssertUnwindSafe(|| self.sound(&mut *decoder, packets, from)));
        let Ok(sound) = sound else { return };
        self.shared.push(Item::Decoder(decoder));
        if let (Some((sound, dur)), Some(last)) = (sound, packets.last()) {
            let length = Duration::from(self.form.base.calc_time(dur));
            let ts = last.ts.saturating_add(last.dur).saturating_sub(dur);
            self.shared.push(Item::Sound(sound, ts, dur, length));
        }
    }

    /// Decodes packets, and returns the audio of the last one from a time on, with its length in units of time.
    fn sound(
        &self,
        decoder: &mut dyn Decoder,
        packets: &[Packet],
        from: u64,
    ) -> Option<(AudioBuffer<f32>, u64)> {
        let (last, before) = packets.split_last()?;
        for packet in before {
            // A decoder that has not converged yet may fail on earlier packets.
            let _ = decoder.decode(packet);
        }
        let mut sound = plain(&decoder.decode(last).ok()?);
        let dur = last.ts.saturating_add(last.dur).checked_sub(from)?.min(last.dur);
        let base = self.form.base;
        let per = u128::from(base.numer) * u128::from(sound.spec().rate);
        let kept = (u128::from(dur) * per + u128::from(base.denom) / 2) / u128::from(base.denom.max(1));
        let frames = sound.frames();
        let kept = usize::try_from(kept).unwrap_or(frames).min(frames);
        sound.trim(frames - kept, 0);
        if self.params.codec == CODEC_TYPE_OPUS {
            sound = whole_frames(&sound);
        }
        (kept > 0).then_some((sound, dur))
    }

    /// Returns the next packet of the track that is played.
    fn next(&mut self) -> Result<Packet> {
        loop {
            let packet = self.format.next_packet()?;
            if packet.track_id() == self.link {
                self.at = packet.ts.saturating_add(packet.dur);
                let (asked, extended) = &mut self.extended;
                if self.params.codec == CODEC_TYPE_AAC && *asked < ASKED {
                    *asked += 1;
                    *extended += u32::from(demux::is_extended_packet(&packet.data));
                }
                return Ok(packet);
            }
        }
    }

    /// Continues with the next stream of a chain. A station begins one with each song.
    fn follow(&mut self) -> Result<()> {
        self.enter()?;
        let decoder = decoder(&self.params)
            .map_err(|_| Error::Unsupported("the chain goes on with what cannot be decoded"))?;
        self.held.clear();
        self.shared.push(Item::Decoder(decoder));
        Ok(())
    }

    /// Selects the track of the link that is read from here on, and publishes its title.
    fn enter(&mut self) -> Result<()> {
        // The mixer passes on packets of Opus as they are, and no others.
        let is_opus = |params: &CodecParameters| params.codec == CODEC_TYPE_OPUS;
        let mut tracks = self.format.tracks().iter();
        let same = tracks.find(|track| is_opus(&track.codec_params) == is_opus(&self.form.params));
        let track = same.ok_or(Error::Unsupported("the chain goes on with another codec"))?;
        (self.link, self.params) = (track.id, track.codec_params.clone());
        let metadata = self.format.metadata().skip_to_latest().map(|latest| {
            let text = |key: StandardTagKey| {
                let tag = latest.tags().iter().find(|tag| tag.std_key == Some(key));
                tag.map(|tag| tag.value.to_string())
            };
            (text(StandardTagKey::Artist), text(StandardTagKey::TrackTitle))
        });
        if let Some((artist, Some(title))) = metadata {
            self.shared.push(Item::Title(line_of(artist.as_deref(), &title)));
        }
        Ok(())
    }

    /// Seeks to `time`, in the fastest way that the source supports. Playback begins there.
    pub(super) fn seek(&mut self, time: Time) -> Result<SeekedTo> {
        let required_ts = units(self.form.base, time);
        let track_id = self.form.track;
        let is_whole = self.params.codec == CODEC_TYPE_FLAC || is_pcm(&self.params);
        let lead = if is_whole { Duration::ZERO } else { LEAD };
        let lead = self.form.base.calc_timestamp(Time::from(lead));
        let from = required_ts.saturating_sub(lead);
        self.held.clear();
        let ended = Ok(SeekedTo { track_id, required_ts, actual_ts: required_ts });
        if self.is_seekable {
            match self.format.seek(SeekMode::Accurate, SeekTo::TimeStamp { ts: from, track_id: self.link }) {
                Ok(_) => self.enter()?,
                Err(Error::SeekError(SeekErrorKind::OutOfRange)) => {
                    self.shared.end();
                    return ended;
                }
                Err(error) if is_end(&error) => {
                    self.end(&error);
                    return ended;
                }
                // A format that cannot seek back is opened again.
                Err(_) => self.again()?,
            }
        } else if from < self.at {
            self.again()?;
        }
        let mut before = VecDeque::new();
        loop {
            match self.next() {
                Ok(packet) if packet.ts.saturating_add(packet.dur) <= required_ts => {
                    before.push_back(packet);
                    let is_far = |packet: &Packet| packet.ts.saturating_add(packet.dur) < from;
                    if before.len() > LEAD_PACKETS || before.front().is_some_and(is_far) {
                        before.pop_front();
                    }
                }
                Ok(packet) => {
                    let actual_ts = required_ts.max(packet.ts);
                    before.push_back(packet);
                    self.push_from(before.make_contiguous(), actual_ts);
                    return Ok(SeekedTo { track_id, required_ts, actual_ts });
                }
                Err(Error::ResetRequired) => {
                    before.clear();
                    self.enter()?;
                }
                Err(error) => {
                    self.end(&error);
                    return ended;
                }
            }
        }
    }

    /// Opens the track again.
    fn again(&mut self) -> Result<()> {
        let opened =
            self.origin.open().and_then(|source| probe(source, self.origin.is_live(), self.origin.is_near()));
        let opened = opened.map_err(|error| {
            self.events.fail(error.clone());
            self.shared.end();
            Error::IoError(io::Error::other(error))
        })?;
        self.format = opened.format;
        self.at = 0;
        self.enter()
    }
}

/// Returns a time in units of a base, rounded to the nearest. symphonia rounds down, which is one sample off for 1.7
/// seconds.
fn units(base: TimeBase, time: Time) -> u64 {
    let part = time.frac * f64::from(base.denom) / f64::from(base.numer.max(1));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Less than the units of a second.
    let part = part.round() as u64;
    base.calc_timestamp(Time::new(time.seconds, 0.0)).saturating_add(part)
}

fn is_end(error: &Error) -> bool {
    matches!(error, Error::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof)
}

/// Returns whether each packet can be played by itself, since the audio is not compressed.
fn is_pcm(params: &CodecParameters) -> bool {
    !matches!(
        params.codec,
        CODEC_TYPE_AAC | CODEC_TYPE_FLAC | CODEC_TYPE_MP3 | CODEC_TYPE_OPUS | CODEC_TYPE_VORBIS
    )
}

/// Puts silence before audio, so that it fills frames of 20 ms. The packets after it are passed on as they are, one
/// frame each, and songbird drops what it has of a frame by then.
fn whole_frames(sound: &AudioBuffer<f32>) -> AudioBuffer<f32> {
    let frame = usize::try_from(sound.spec().rate / 50).unwrap_or(960).max(1);
    let frames = sound.frames().next_multiple_of(frame);
    let mut whole = AudioBuffer::new(u64::try_from(frames.max(1)).unwrap_or(1), *sound.spec());
    whole.render_silence(Some(frames));
    for channel in 0..sound.spec().channels.count() {
        whole.chan_mut(channel)[frames - sound.frames()..].copy_from_slice(sound.chan(channel));
    }
    whole
}

/// Returns artist and title in the form of stations.
fn line_of(artist: Option<&str>, title: &str) -> String {
    artist.map_or_else(|| title.to_owned(), |artist| format!("{artist} - {title}"))
}
