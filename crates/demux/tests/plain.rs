//! Files as coders write them, read to their end, and sought in.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "some seconds of samples"
)]

mod common;

use std::time::Duration;

use common::{FILES, HOW, file, own, play, source};
use demux::{How, Length};
use symphonia::core::formats::{SeekMode, SeekTo};
use symphonia::core::units::Time;

#[test]
fn each_format_tells_its_tags_and_length_and_decodes_to_its_end() {
    for name in FILES {
        for is_seekable in [true, false] {
            // Its table is behind its audio.
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
            // Those of Opus are decoded by songbird. A coder's first packet may hold no audio.
            let is_opus = ["melody.opus", "melody.webm"].contains(&name);
            assert!(is_opus || found.decoded + 2 >= found.packets, "{name}: {found:?}");
        }
    }
}

#[test]
fn the_edit_list_of_an_mp4_file_cuts_off_what_the_coder_has_added() {
    let mut format = demux::open(source(&file("melody.m4a"), true), HOW).unwrap().format;
    let track = format.default_track().unwrap().clone();
    let rate = u64::from(track.codec_params.sample_rate.unwrap());
    assert_eq!(track.codec_params.n_frames, Some(3 * rate));
    let to = |ts| SeekTo::TimeStamp { ts, track_id: track.id };
    for at in [0, 5_000, 0] {
        let sought = format.seek(SeekMode::Accurate, to(at)).unwrap();
        let first = format.next_packet().unwrap();
        assert_eq!(first.ts, sought.actual_ts);
        assert!(first.ts <= at && at < first.ts + first.dur, "asked for {at}, is at {}", first.ts);
    }
    let mut format = demux::open(source(&file("melody.m4a"), true), HOW).unwrap().format;
    let (mut padding, mut ends) = (0, 0);
    while let Ok(packet) = format.next_packet() {
        assert_eq!(packet.ts, ends, "no gap");
        padding += packet.trim_start;
        ends = packet.ts + packet.dur;
    }
    assert_eq!((padding, ends), (1_024, 3 * rate));
}

#[test]
fn a_place_that_is_sought_is_found() {
    for name in FILES.into_iter().filter(|name| *name != "melody.aac") {
        let mut format = demux::open(source(&file(name), true), HOW).unwrap().format;
        let track = format.default_track().unwrap().clone();
        let base = track.codec_params.time_base.unwrap();
        for seconds in [2.0, 0.5, 1.25, 0.0, 2.75] {
            let to = SeekTo::Time { time: Time::from(seconds), track_id: Some(track.id) };
            let sought =
                format.seek(SeekMode::Accurate, to).unwrap_or_else(|error| panic!("{name}: {error}"));
            let at = Duration::from(base.calc_time(sought.actual_ts)).as_secs_f64();
            let mut packet = format.next_packet().unwrap();
            // A reader may stop at an earlier position, from which the rest is read.
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
    // The table of MP4 is behind its audio, and this Ogg file has one page of it.
    for name in FILES.into_iter().filter(|name| !["melody.m4a", "melody.ogg"].contains(name)) {
        let whole = file(name);
        let found = play(&whole[..whole.len() / 2], true, usize::MAX).unwrap_or_else(|| panic!("{name}"));
        assert!(
            found.sum > Duration::from_millis(900) && found.sum < Duration::from_secs(2),
            "{name}: {found:?}"
        );
    }
}

/// Matroska files of each codec, and their sample rates.
const MATROSKA: [(&str, u64); 5] = [
    ("vorbis.mkv", 44_100),
    ("aac.mkv", 44_100),
    ("mp3.mkv", 44_100),
    ("flac.mkv", 16_000),
    ("melody.webm", 48_000),
];

fn any(name: &str) -> Vec<u8> {
    if FILES.contains(&name) { file(name) } else { own(name) }
}

#[test]
fn matroska_counts_time_in_samples_though_its_own_is_in_thousandths() {
    for (name, rate) in MATROSKA {
        let mut format = demux::open(source(&any(name), true), HOW).unwrap().format;
        let params = format.default_track().unwrap().codec_params.clone();
        let base = params.time_base.unwrap();
        assert_eq!((u64::from(base.numer), u64::from(base.denom)), (1, rate), "{name}");
        let (mut at, mut sum, mut first) = (0, 0, true);
        while let Ok(packet) = format.next_packet() {
            // Each follows on the one before, to the sample; the first one of Vorbis outputs no audio, but has a time.
            assert!(first || sum == 0 || packet.ts.abs_diff(at) <= 1, "{name}: {} after {at}", packet.ts);
            (at, sum, first) = (packet.ts + packet.dur, sum + packet.dur, false);
        }
        let seconds = sum as f64 / rate as f64;
        assert!((seconds - 3.0).abs() < 0.06, "{name}: {seconds} s of packets");
    }
}

#[test]
fn a_place_in_matroska_is_come_to_at_the_packet_in_which_it_is() {
    for (name, rate) in MATROSKA {
        let mut format = demux::open(source(&any(name), true), HOW).unwrap().format;
        let track = format.default_track().unwrap().id;
        for tenth in (0..30).rev().chain([29, 3, 15]) {
            let ts = tenth * rate / 10 + 7;
            let sought = format.seek(SeekMode::Accurate, SeekTo::TimeStamp { ts, track_id: track }).unwrap();
            let packet = format.next_packet().unwrap();
            assert_eq!(packet.ts, sought.actual_ts, "{name}");
            assert!(packet.ts <= ts, "{name}: asked for {ts}, is {} late", packet.ts - ts);
            // The first one of Vorbis outputs no audio, because the one before it is missing.
            let next = format.next_packet().unwrap();
            assert!(ts < next.ts + next.dur.max(1), "{name}: {ts} is past {}", next.ts);
        }
    }
}

#[test]
fn the_length_of_mp3_without_one_is_measured_or_said_to_be_about_right() {
    for name in ["quiet-then-loud.mp3", "loud-then-quiet.mp3"] {
        for (is_near, expected) in [(true, Length::Told), (false, Length::About)] {
            let how = How { gapless: true, is_near };
            let sound = demux::open(source(&own(name), true), how).unwrap();
            assert_eq!(sound.length, expected, "{name}");
            let mut format = sound.format;
            let params = format.default_track().unwrap().codec_params.clone();
            let seconds = params.n_frames.unwrap() as f64 / 44_100.0;
            assert!(!is_near || (seconds - 6.0).abs() < 0.1, "{name}: {seconds} s");
            // What comes past an estimate is played all the same.
            let mut sum = 0;
            while let Ok(packet) = format.next_packet() {
                sum += packet.dur;
            }
            let heard = sum as f64 / 44_100.0;
            assert!((heard - 6.0).abs() < 0.1, "{name}: {heard} s are heard, {seconds} s are told");
        }
    }
    // A header states it, and so it is neither measured nor doubted; ADTS has none.
    for (name, length) in [("melody.mp3", Length::Told), ("melody.aac", Length::About)] {
        let how = How { gapless: true, is_near: false };
        assert_eq!(demux::open(source(&file(name), true), how).unwrap().length, length, "{name}");
    }
}

#[test]
fn he_aac_is_known_in_each_way_in_which_it_is_told_or_not() {
    let extended = |bytes: &[u8]| {
        let mut format = demux::open(source(bytes, true), HOW).unwrap().format;
        let params = format.default_track().unwrap().codec_params.clone();
        let (mut packets, mut extended) = (0, 0);
        while let Ok(packet) = format.next_packet() {
            packets += 1;
            extended += usize::from(demux::is_extended_packet(&packet.data));
        }
        (demux::is_extended(&params), extended * 100 / packets)
    };
    for name in ["he.aac", "he-v2.aac", "he-implicit.m4a"] {
        let (is_told, share) = extended(&own(name));
        assert!(!is_told && share > 90, "{name}: {share} %");
    }
    assert!(extended(&explicit(&own("he-implicit.m4a"))).0);
    for name in ["melody.aac", "melody.m4a"] {
        let (is_told, share) = extended(&file(name));
        assert!(!is_told && share < 20, "{name}: {share} %");
    }
}

/// Makes an MP4 file state the content of its packets behind its configuration of AAC.
fn explicit(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let add = |file: &mut Vec<u8>, at: usize, more: u8| file[at] += more;
    for kind in [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"mp4a", b"esds"] {
        let at = file.windows(4).position(|four| four == kind).unwrap();
        let size = u32::from_be_bytes(file[at - 4..at].try_into().unwrap()) + 3;
        file[at - 4..at].copy_from_slice(&size.to_be_bytes());
    }
    let esds = file.windows(4).position(|four| four == b"esds").unwrap() + 8;
    // Descriptors of kinds 3, 4 and 5, whose lengths have four bytes each.
    add(&mut file, esds + 4, 3);
    add(&mut file, esds + 4 + 8, 3);
    let config = esds + 4 + 8 + 18;
    assert_eq!(file[config - 4], 5);
    assert_eq!(file[config], 2);
    add(&mut file, config, 3);
    file.splice(config + 3..config + 3, [0x56, 0xe5, 0xa0]);
    file
}

#[test]
fn the_links_of_a_chain_follow_one_another_in_time() {
    for (first, second, rate) in [
        ("first.ogg", "second.ogg", 44_100),
        ("first.opus", "second.opus", 48_000),
        ("first.oga", "second.oga", 16_000),
        // Both with one number.
        ("first.ogg", "first.ogg", 44_100),
    ] {
        let chain = [own(first), own(second), own(first)].concat();
        for is_seekable in [true, false] {
            let mut format = demux::open(source(&chain, is_seekable), HOW).unwrap().format;
            let length = format.default_track().unwrap().codec_params.n_frames;
            if is_seekable {
                let seconds = length.unwrap() as f64 / f64::from(rate);
                assert!((seconds - 9.0).abs() < 0.1, "{first}: {seconds} s");
            }
            let (mut at, mut links, mut titles) = (0, 1, Vec::new());
            loop {
                match format.next_packet() {
                    Ok(packet) => {
                        assert!(packet.ts + 1 >= at, "{first}: {} after {at}", packet.ts);
                        at = packet.ts + packet.dur;
                    }
                    Err(symphonia::core::errors::Error::ResetRequired) => {
                        links += 1;
                        let mut metadata = format.metadata();
                        let latest = metadata.skip_to_latest().unwrap();
                        titles.push(latest.tags().iter().map(|tag| tag.value.to_string()).next().unwrap());
                    }
                    Err(_) => break,
                }
            }
            let seconds = at as f64 / f64::from(rate);
            assert!((seconds - 9.0).abs() < 0.1, "{first}: {seconds} s are heard");
            let middle = if second == first { "First" } else { "Second" };
            assert_eq!((links, &titles[..]), (3, &[middle.to_owned(), "First".to_owned()][..]), "{first}");
        }
    }
}

#[test]
fn a_chain_that_reading_has_come_to_is_not_sought_in_as_if_its_link_were_all() {
    use symphonia::core::errors::{Error, SeekErrorKind};
    for name in ["first.ogg", "first.opus", "first.oga"] {
        // Links with one number, of a file that is too remote to be read through first.
        let how = How { is_near: false, ..HOW };
        let chain = [own(name), own(name)].concat();
        let mut format = demux::open(source(&chain, true), how).unwrap().format;
        let track_id = format.default_track().unwrap().id;
        let seek = |format: &mut Box<dyn symphonia::core::formats::FormatReader>| {
            format.seek(SeekMode::Accurate, SeekTo::TimeStamp { ts: 0, track_id })
        };
        assert_eq!(seek(&mut format).unwrap().actual_ts, 0, "{name}");
        loop {
            match format.next_packet() {
                Ok(_) => {}
                Err(Error::ResetRequired) => break,
                Err(error) => panic!("{name}: {error}"),
            }
        }
        // The player starts it again.
        let sought = seek(&mut format);
        assert!(matches!(sought, Err(Error::SeekError(SeekErrorKind::Unseekable))), "{name}: {sought:?}");
    }
}
