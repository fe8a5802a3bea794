//! Files as coders write them, read to their end, and sought in.

mod common;

use std::time::Duration;

use common::{FILES, HOW, file, play, source};
use symphonia::core::formats::{SeekMode, SeekTo};
use symphonia::core::units::Time;

#[test]
fn each_format_tells_its_tags_and_length_and_decodes_to_its_end() {
    for name in FILES {
        for is_seekable in [true, false] {
            // Its table is behind its sound.
            if name == "melody.m4a" && !is_seekable {
                continue;
            }
            let found =
                play(&file(name), is_seekable, usize::MAX).unwrap_or_else(|| panic!("{name}: no sound"));
            let told = (found.tags.title.as_deref(), found.tags.artist.as_deref());
            // ADTS has no tags, and the WAV file was written without.
            let expected = if ["melody.aac", "melody.wav"].contains(&name) {
                (None, None)
            } else {
                (Some("Melody"), Some("Hotcord"))
            };
            assert_eq!(told, expected, "{name}: {found:?}");
            if is_seekable {
                let length = found.length.unwrap_or_else(|| panic!("{name}: {found:?}")).as_secs_f64();
                assert!((length - 3.0).abs() < 0.1, "{name}: {length}");
            }
            let sum = found.sum.as_secs_f64();
            assert!((sum - 3.0).abs() < 0.15, "{name}: {sum}");
            // Those of Opus are decoded by songbird. A coder's first packet may hold no sound.
            let is_opus = ["melody.opus", "melody.webm"].contains(&name);
            assert!(is_opus || found.decoded + 2 >= found.packets, "{name}: {found:?}");
        }
    }
}

#[test]
fn a_place_that_is_sought_is_found() {
    for name in FILES.into_iter().filter(|name| *name != "melody.aac") {
        let mut format = containers::open(source(&file(name), true), HOW).unwrap().format;
        let track = format.default_track().unwrap().clone();
        let base = track.codec_params.time_base.unwrap();
        for seconds in [2.0, 0.5, 1.25, 0.0, 2.75] {
            let to = SeekTo::Time { time: Time::from(seconds), track_id: Some(track.id) };
            let sought =
                format.seek(SeekMode::Accurate, to).unwrap_or_else(|error| panic!("{name}: {error}"));
            let at = Duration::from(base.calc_time(sought.actual_ts)).as_secs_f64();
            let mut packet = format.next_packet().unwrap();
            // A reader may stop at an earlier place, from which the rest is read.
            assert!(at <= seconds + 0.1, "{name}: asked for {seconds}, is at {at}");
            while Duration::from(base.calc_time(packet.ts + packet.dur.max(1))).as_secs_f64() < seconds {
                packet = format.next_packet().unwrap();
            }
            let at = Duration::from(base.calc_time(packet.ts)).as_secs_f64();
            assert!((at - seconds).abs() < 0.15, "{name}: asked for {seconds}, is at {at}");
        }
    }
}

#[test]
fn a_file_that_is_cut_off_is_heard_up_to_there() {
    // The table of MP4 is behind its sound, and this Ogg file has one page of it.
    for name in FILES.into_iter().filter(|name| !["melody.m4a", "melody.ogg"].contains(name)) {
        let whole = file(name);
        let found = play(&whole[..whole.len() / 2], true, usize::MAX).unwrap_or_else(|| panic!("{name}"));
        assert!(
            found.sum > Duration::from_millis(900) && found.sum < Duration::from_secs(2),
            "{name}: {found:?}"
        );
    }
}
