//! Any bytes, opened, decoded and sought in as the player does, on one thread.

use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use symphonia::core::codecs::{CODEC_TYPE_OPUS, Decoder as _};
use symphonia::core::formats::{FormatReader as _, SeekMode, SeekTo};
use symphonia::core::io::{MediaSource, ReadOnlySource};
use symphonia::core::units::Time;

use super::feeder::Feeder;
use super::prefetch::PrefetchReader;
use super::probe::{Probed, decoder, probe};
use super::resilient::ResilientDecoder;
use super::underrun::Underrun;
use super::{Origin, TrackEventSender, track_events};
use crate::source::{Bounds, SourceError};

/// Most packets that are played in one stretch.
const PACKETS: usize = 120;
/// Audio after which a stretch ends.
const SOUND: Duration = Duration::from_secs(2);
/// Times into the track that are sought.
const PLACES: [f64; 6] = [0.0, 0.04, 0.5, 1.5, 60.0, 1e6];
/// Processor time for reading: for any input, and for each byte. The measured program runs with instrumentation and
/// checks, about ten times slower than a release build.
const READING: (Duration, Duration) = (Duration::from_secs(1), Duration::from_micros(20));
/// Processor time for decoding: for any input, and for each second of audio.
const DECODING: (Duration, u32) = (Duration::from_secs(1), 4);

/// Returns how much processor time this thread has used.
pub(crate) type Clock<'a> = &'a dyn Fn() -> Duration;

/// Bytes as a media source.
#[derive(Clone)]
struct Bytes {
    bytes: Arc<[u8]>,
    is_seekable: bool,
    is_live: bool,
    is_near: bool,
}

trait Whole: Read + Send + Sync {}

impl<R: Read + Send + Sync> Whole for R {}

impl Bytes {
    /// Creates a source. The last byte selects how the bytes are read, so that a file can be used as it is.
    fn new(bytes: &[u8]) -> Self {
        let mode = bytes.last().copied().unwrap_or(0) >> 6;
        let (is_seekable, is_live, is_near) =
            [(true, false, true), (true, false, false), (false, false, false), (false, true, false)]
                [usize::from(mode)];
        Self { bytes: bytes.into(), is_seekable, is_live, is_near }
    }
}

impl Origin for Bytes {
    fn open(&mut self) -> Result<Box<dyn MediaSource>, SourceError> {
        let cursor = Cursor::new(self.bytes.clone());
        if self.is_seekable {
            return Ok(Box::new(cursor));
        }
        Ok(Box::new(ReadOnlySource::new(Box::new(cursor) as Box<dyn Whole>)))
    }

    fn is_live(&self) -> bool {
        self.is_live
    }

    fn is_near(&self) -> bool {
        self.is_near
    }
}

/// The time used and the audio returned.
struct Meter<'a> {
    clock: Clock<'a>,
    /// Bytes of the input.
    length: u32,
    reading: Duration,
    decoding: Duration,
    sound: Duration,
}

impl<'a> Meter<'a> {
    fn new(clock: Clock<'a>, length: usize) -> Self {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        Self { clock, length, reading: Duration::ZERO, decoding: Duration::ZERO, sound: Duration::ZERO }
    }

    fn read<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = (self.clock)();
        let done = work();
        self.reading += (self.clock)().saturating_sub(before);
        let most = READING.0 + READING.1 * self.length;
        assert!(self.reading <= most, "reading takes {:?}, and may take {most:?}", self.reading);
        done
    }

    fn decode<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = (self.clock)();
        let done = work();
        self.decoding += (self.clock)().saturating_sub(before);
        let most = DECODING.0 + self.sound * DECODING.1;
        assert!(self.decoding <= most, "decoding takes {:?}, and may take {most:?}", self.decoding);
        done
    }
}

/// Does what the feeder's thread does, which ends the track if a format reader panics.
fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// Plays bytes.
///
/// # Panics
/// When something goes wrong that the player does not contain, or when it takes too long.
pub(crate) fn play(bytes: &[u8], clock: Clock<'_>) {
    let mut meter = Meter::new(clock, bytes.len());
    let origin = Bytes::new(bytes);
    let (events, receiver) = track_events();
    let bounds = Bounds::default();
    let begun = meter.read(|| guarded(|| begin(&origin, &events, &bounds)));
    let Some(Some(mut feeder)) = begun else { return };
    let (form, shared) = (feeder.form(), feeder.shared());
    let Ok(inner) = decoder(&form.params) else { panic!("what has decoded has no decoder") };
    let underrun = Underrun::new(events.updates.clone(), Arc::default(), bounds.stall);
    let mut track = Playing {
        ahead: PrefetchReader::new(shared.clone(), &form, bounds.open, receiver.stop, underrun),
        decoder: ResilientDecoder::new(inner, &form, shared.clone()),
        passes_on: bytes.first().is_some_and(|byte| byte & 1 == 1),
        spec: None,
    };
    let seeks = bytes.len() % PLACES.len();
    if track.play(&mut feeder, &mut meter).is_none() || form.is_live {
        return;
    }
    for place in [PLACES[seeks], PLACES[(seeks + 3) % PLACES.len()]] {
        shared.clear();
        let Some(sought) = meter.read(|| guarded(|| feeder.seek(Time::from(place)))) else { return };
        if let Ok(sought) = &sought {
            assert!(sought.actual_ts >= sought.required_ts, "it begins before it was asked to: {sought:?}");
        }
        track.decoder.reset();
        if sought.is_err() || track.play(&mut feeder, &mut meter).is_none() {
            return;
        }
    }
}

fn begin(origin: &Bytes, events: &TrackEventSender, bounds: &Bounds) -> Option<Feeder> {
    let mut origin = origin.clone();
    let source = origin.open().ok()?;
    let Probed { form, format, is_seekable } = probe(source, origin.is_live, origin.is_near).ok()?;
    let mut feeder = Feeder::new(form, format, is_seekable, Box::new(origin), events.clone(), bounds);
    feeder.begin().ok().map(|()| feeder)
}

/// The mixer's view of a track.
struct Playing {
    ahead: PrefetchReader,
    decoder: ResilientDecoder,
    /// Whether the mixer sends Opus as it is where it may.
    passes_on: bool,
    /// Rate and channels of the first audio.
    spec: Option<(u32, usize)>,
}

impl Playing {
    /// Plays a stretch. Returns `None` if the track has ended.
    fn play(&mut self, feeder: &mut Feeder, meter: &mut Meter<'_>) -> Option<()> {
        let until = meter.sound + SOUND;
        for _ in 0..PACKETS {
            let shared = feeder.shared();
            let filled = meter.read(|| {
                guarded(|| {
                    while !shared.is_filled() {
                        feeder.read();
                    }
                })
            });
            filled?;
            let is_sent = self.passes_on && self.decoder.codec_params().codec == CODEC_TYPE_OPUS;
            let packet = self.ahead.next_packet().ok()?;
            assert!(packet.data.len() <= demux::PACKET, "a packet of {} bytes", packet.data.len());
            if is_sent {
                assert!(
                    packet.data.len() <= 1_276 && demux::opus_samples(&packet.data) == 960,
                    "no frame of 20 ms is sent as it is"
                );
                continue;
            }
            let decoder = &mut self.decoder;
            let decoded = meter.decode(|| {
                decoder
                    .decode(&packet)
                    .ok()
                    .map(|sound| (sound.spec().rate, sound.spec().channels.count(), sound.frames()))
            });
            let (rate, channels, frames) = decoded?;
            if frames > 0 {
                assert!(rate > 0 && channels > 0, "{rate} Hz in {channels} channels");
                assert_eq!(*self.spec.get_or_insert((rate, channels)), (rate, channels), "another form");
                let frames = u32::try_from(frames).expect("no more than a packet holds");
                meter.sound += Duration::from_secs(1) * frames / rate;
            }
            if meter.sound > until {
                break;
            }
        }
        Some(())
    }
}

/// Reads bytes from a source that can seek and from one that cannot, and compares the results.
///
/// # Panics
/// When they differ, or when a seek ends after the requested position.
pub(crate) fn compare(bytes: &[u8]) {
    let how = demux::How { gapless: true, is_near: false };
    let open = |is_seekable| {
        let mut origin = Bytes { is_seekable, is_live: false, is_near: false, ..Bytes::new(bytes) };
        guarded(|| demux::open(origin.open().ok()?, how).ok()).flatten()
    };
    let (Some(mut one), Some(mut other)) = (open(true), open(false)) else { return };
    let mut first = None;
    for _ in 0..PACKETS {
        let next = guarded(|| (one.format.next_packet().ok(), other.format.next_packet().ok()));
        let Some((Some(one), Some(other))) = next else { break };
        let of = |packet: &symphonia::core::formats::Packet| (packet.track_id(), packet.ts, packet.dur);
        assert_eq!((of(&one), &one.data), (of(&other), &other.data), "they differ");
        first.get_or_insert(one.ts);
    }
    // The others are symphonia's own, which guarantee less.
    let is_ours = [&b"\x1a\x45\xdf\xa3"[..], b"OggS", b"RIFF"].iter().any(|mark| bytes.starts_with(mark))
        || bytes.get(4..8) == Some(b"ftyp");
    let Some(track) = one.format.default_track().map(|track| track.id).filter(|_| is_ours) else { return };
    for ts in [0, 1_000, 48_000, u64::from(u32::MAX), u64::MAX] {
        let to = SeekTo::TimeStamp { ts, track_id: track };
        let Some(sought) = guarded(|| one.format.seek(SeekMode::Accurate, to)) else { return };
        let Ok(sought) = sought else { continue };
        // There is nothing before the first packet, which may be late.
        let latest = ts.max(first.unwrap_or(0));
        assert!(sought.actual_ts <= latest, "it stops after the place: {sought:?}");
        let Some(next) = guarded(|| one.format.next_packet()) else { return };
        let Ok(packet) = next else { continue };
        assert_eq!(packet.ts, sought.actual_ts, "the next packet is another one: {sought:?}");
    }
}
