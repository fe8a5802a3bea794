//! The cost of a file that is opened, decoded and sought in, as the bot does it.
#![allow(dead_code, reason = "no test uses all of it")]

use std::cell::RefCell;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use symphonia::core::codecs::DecoderOptions;
use symphonia::core::formats::{SeekMode, SeekTo};
use symphonia::core::io::{MediaSource, ReadOnlySource};
use symphonia::core::units::Time;

/// How a file of the library is read.
pub(crate) const HOW: demux::How = demux::How { gapless: true, is_near: true };

/// Files of the same melody, 3 seconds long, in each format.
pub(crate) const FILES: [&str; 8] = [
    "melody.aac",
    "melody.flac",
    "melody.m4a",
    "melody.mp3",
    "melody.ogg",
    "melody.opus",
    "melody.wav",
    "melody.webm",
];

pub(crate) fn file(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e/media").join(name)).unwrap()
}

/// Reads one of the files for these tests alone.
pub(crate) fn own(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media").join(name)).unwrap()
}

pub(crate) fn source(bytes: &[u8], is_seekable: bool) -> Box<dyn MediaSource> {
    let cursor = Cursor::new(bytes.to_vec());
    if is_seekable {
        Box::new(cursor)
    } else {
        Box::new(ReadOnlySource::new(Box::new(cursor) as Box<dyn Whole>))
    }
}

pub(crate) trait Whole: Read + Send + Sync {}

impl<R: Read + Send + Sync> Whole for R {}

/// Measurements of a file.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) tags: demux::Tags,
    pub(crate) length: Option<Duration>,
    /// Duration of all packets.
    pub(crate) sum: Duration,
    pub(crate) packets: usize,
    /// Number of packets that decoded.
    pub(crate) decoded: usize,
}

/// Opens, decodes up to `most` packets, and seeks to another position; returns `None` when there is no audio.
pub(crate) fn play(bytes: &[u8], is_seekable: bool, most: usize) -> Option<Found> {
    let sound = demux::open(source(bytes, is_seekable), HOW).ok()?;
    let mut format = sound.format;
    let track = format.default_track()?.clone();
    let params = &track.codec_params;
    demux::check(params).ok()?;
    let mut decoder = symphonia::default::get_codecs().make(params, &DecoderOptions::default()).ok();
    let base = params.time_base?;
    let mut found = Found { tags: sound.tags, ..Found::default() };
    found.length = params.n_frames.map(|frames| base.calc_time(frames).into());
    let mut read = |format: &mut Box<dyn symphonia::core::formats::FormatReader>, most: usize| {
        for _ in 0..most {
            let Ok(packet) = format.next_packet() else { break };
            assert!(packet.data.len() <= 16 << 20, "a packet of {} bytes", packet.data.len());
            found.packets += 1;
            found.sum += Duration::from(base.calc_time(packet.dur));
            if let Some(decoder) = &mut decoder {
                found.decoded += usize::from(decoder.decode(&packet).is_ok_and(|sound| sound.frames() > 0));
            }
        }
    };
    read(&mut format, most);
    for seconds in [1.5, 0.0, 1e6] {
        let to = SeekTo::Time { time: Time::from(seconds), track_id: Some(track.id) };
        let _ = format.seek(SeekMode::Accurate, to);
        for _ in 0..3.min(most) {
            let _ = format.next_packet();
        }
    }
    Some(found)
}

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Plays any bytes; only symphonia may panic, whose panics the bot takes for broken files.
pub(crate) fn survive(bytes: &[u8], is_seekable: bool, most: usize) -> Option<Found> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let default = std::panic::take_hook();
        set_hook(Box::new(move |info| {
            let place = info.location().map(|place| place.file().to_owned()).unwrap_or_default();
            if !place.contains("symphonia") {
                default(info);
            }
            PANIC.set(Some(place));
        }));
    });
    match catch_unwind(AssertUnwindSafe(|| play(bytes, is_seekable, most))) {
        Ok(found) => found,
        Err(_) => {
            let place = PANIC.take().unwrap_or_default();
            assert!(place.contains("symphonia"), "a panic in {place}");
            None
        }
    }
}
