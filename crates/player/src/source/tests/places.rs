//! The position after a seek, to the sample: the audio from there on is the same as without a seek.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "some seconds of samples"
)]

use super::*;

/// Files of the melody, including those for the tests of containers, and by how many samples a seek in them may be off.
///
/// The times of Matroska are rounded to a thousandth of a second.
const FILES: [(&str, usize); 13] = [
    ("melody.aac", 0),
    ("melody.flac", 0),
    ("melody.m4a", 0),
    ("melody.mp3", 0),
    ("melody.ogg", 0),
    ("melody.opus", 0),
    ("melody.wav", 0),
    ("melody.webm", 48),
    ("vorbis.mkv", 45),
    ("aac.mkv", 45),
    ("mp3.mkv", 45),
    ("flac.mkv", 17),
    ("fragments.m4a", 0),
];

/// Creates a library of all of them.
pub(super) fn library() -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for media in ["e2e/media", "demux/tests/media"] {
        for file in std::fs::read_dir(root.join(media)).unwrap().flatten() {
            std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
    }
    let sources =
        Sources::new(SourceConfig { music: Some(folder.path().to_owned()), ..SourceConfig::default() });
    (folder, sources)
}

pub(super) async fn open_file(sources: &Sources, path: &str) -> Opened {
    let playable = Playable::Library { path: path.to_owned() };
    sources.open_track(&playable).await.unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Seeks to a time, and returns the time that was reached.
pub(super) fn go(parsed: &mut Parsed, seconds: f64) -> f64 {
    let time = Time::from(Duration::from_secs_f64(seconds));
    let sought = parsed.format.seek(SeekMode::Accurate, SeekTo::Time { time, track_id: None }).unwrap();
    parsed.decoder.reset();
    let base = parsed.decoder.codec_params().time_base.unwrap();
    Duration::from(base.calc_time(sought.actual_ts)).as_secs_f64()
}

/// Returns `count` samples, and drops the rest of the last packet.
pub(super) fn some(parsed: &mut Parsed, count: usize) -> Vec<f32> {
    let mut heard = Vec::new();
    while heard.len() < count {
        let more = next(parsed);
        if more.is_empty() {
            break;
        }
        heard.extend(more);
    }
    heard
}

/// Removes the silence before Opus that fills up its first frame.
fn sounding(file: &str, mut heard: Vec<f32>) -> Vec<f32> {
    if matches!(file.rsplit('.').next(), Some("opus" | "webm")) {
        let silent = heard.iter().take_while(|sample| **sample == 0.0).count();
        heard.drain(..silent);
    }
    heard
}

/// Returns the similarity of two pieces of audio: 1 is the same.
pub(super) fn likeness(one: &[f32], other: &[f32]) -> f64 {
    let (mut both, mut ones, mut others) = (0.0, 0.0, 0.0);
    for (one, other) in one.iter().zip(other) {
        let (one, other) = (f64::from(*one), f64::from(*other));
        (both, ones, others) = (both + one * other, ones + one * one, others + other * other);
    }
    both / (ones * others).sqrt().max(f64::MIN_POSITIVE)
}

/// Returns by how many samples the audio is late, compared with a position in the whole, and its similarity there.
fn lateness(heard: &[f32], whole: &[f32], place: usize) -> (isize, f64) {
    const MOST: isize = 240;
    let lates = (-MOST..=MOST).filter_map(|late| {
        let at = place.checked_add_signed(late)?;
        let there = whole.get(at..)?;
        Some((late, likeness(heard, there)))
    });
    lates.max_by(|one, other| one.1.total_cmp(&other.1)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_mp4_file_begins_and_ends_with_the_audio_that_was_coded() {
    let (_folder, sources) = library();
    let exact = all(&mut parsed(open_file(&sources, "vorbis.mkv").await));
    let opened = open_file(&sources, "melody.m4a").await;
    assert_eq!(opened.duration(), Some(Duration::from_secs(3)));
    let mut parsed = parsed(opened);
    let aac = all(&mut parsed);
    let rate = parsed.decoder.codec_params().sample_rate.unwrap() as usize;
    // The coder has put 1,024 samples before the audio, and filled up the last packet, which is decoded whole.
    for place in [0, 300, rate] {
        let (late, likeness) = lateness(&aac[place + 300..place + 300 + rate / 4], &exact, place + 300);
        assert!(late.abs() <= 2 && likeness > 0.9, "{late} samples late, {likeness}");
    }
    assert!((rate * 3..rate * 3 + 1_024).contains(&aac.len()), "{} samples", aac.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seek_lands_at_the_sample_that_was_asked_for_in_every_container() {
    let (_folder, sources) = library();
    for (file, most) in FILES {
        let opened = open_file(&sources, file).await;
        // The length of fragments without an index is not stated anywhere.
        let duration = opened.duration().map(|duration| duration.as_secs_f64());
        let is_told = duration.is_some_and(|duration| (duration - 3.0).abs() < 0.1);
        assert!(is_told || file == "fragments.m4a" && duration.is_none(), "{file}: {duration:?}");
        assert!(!opened.is_about(), "{file}");
        let mut parsed = parsed(opened);
        let whole = sounding(file, all(&mut parsed));
        let rate = parsed.decoder.codec_params().sample_rate.unwrap();
        let whole_seconds = whole.len() as f64 / f64::from(rate);
        assert!((whole_seconds - 3.0).abs() < 0.06, "{file}: {whole_seconds} s");
        for seconds in [2.1, 0.55, 1.234, 0.02, 1.7, 0.0] {
            let at = go(&mut parsed, seconds);
            assert!((at - seconds).abs() < 0.000_1, "{file}: asked for {seconds}, is said to be at {at}");
            // Two notes, so that no other position is similar.
            let heard = sounding(file, some(&mut parsed, rate as usize * 3 / 10));
            let place = (seconds * f64::from(rate)) as usize;
            let (late, likeness) = lateness(&heard, &whole, place);
            println!("{file} at {seconds}: {late} samples late, {likeness:.4}");
            assert!(likeness > 0.99, "{file} at {seconds}: {likeness}");
            assert!(late.unsigned_abs() <= most, "{file}: at {seconds} it is {late} samples late");
        }
        let at = go(&mut parsed, 60.0);
        assert!((at - 60.0).abs() < 0.1 && next(&mut parsed).is_empty(), "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seek_lands_there_over_the_web_too_with_parts_and_without() {
    let file = |head: &str, name: &str| match name.strip_prefix("whole-") {
        Some(name) => Reply::ok("", media(name)),
        None => Reply::file(head, "", &media(name)),
    };
    let server = Server::start(move |head| {
        file(head, head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/'))
    })
    .await;
    let sources = sources(&server, bounds());
    for name in ["melody.ogg", "melody.webm", "whole-melody.mp3", "whole-melody.webm", "whole-melody.opus"] {
        let url = server.url(&format!("/{name}"));
        let whole = sounding(name, all(&mut parsed(open(&sources, &url).await)));
        let mut parsed = parsed(open(&sources, &url).await);
        let rate = parsed.decoder.codec_params().sample_rate.unwrap();
        for seconds in [1.234, 0.55] {
            go(&mut parsed, seconds);
            let heard = sounding(name, some(&mut parsed, rate as usize * 3 / 10));
            let (late, likeness) = lateness(&heard, &whole, (seconds * f64::from(rate)) as usize);
            assert!(
                late.abs() <= 48 && likeness > 0.99,
                "{name} at {seconds}: {late} samples late, {likeness}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_that_nothing_tells_is_measured_on_disk_and_a_guess_from_the_web() {
    let (folder, library) = library();
    let folder = folder.path().to_owned();
    let server = Server::start(move |head| {
        let name = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
        Reply::file(head, "audio/mpeg", &std::fs::read(folder.join(name)).unwrap())
    })
    .await;
    let sources = sources(&server, bounds());
    for name in ["quiet-then-loud.mp3", "loud-then-quiet.mp3"] {
        let on_disk = open_file(&library, name).await;
        let length = on_disk.duration().unwrap().as_secs_f64();
        assert!((length - 6.0).abs() < 0.1 && !on_disk.is_about(), "{name}: {length}");
        let found = resolve(&sources, &server.url(&format!("/{name}"))).await.unwrap();
        assert!(found.tracks[0].is_about && found.tracks[0].duration.is_some(), "{name}");
        let opened = sources.begin_track(&found.tracks[0].playable).await.unwrap();
        let heard = all(&mut parsed(opened)).len() as f64 / 44_100.0;
        assert!((heard - 6.0).abs() < 0.1, "{name}: {heard} s are heard");
        // An estimate is no reason to refuse.
        let limits = Limits { tracks: 1, duration: Some(Duration::from_secs(1)) };
        sources.resolve(Query::Url(server.url(&format!("/{name}"))), limits, CALLER).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn he_aac_is_told_wherever_it_comes_from_and_plain_aac_is_not_taken_for_it() {
    let (_folder, sources) = library();
    for (file, is_core_only) in [
        ("he.aac", true),
        ("he-v2.aac", true),
        ("he-implicit.m4a", true),
        ("melody.aac", false),
        ("melody.m4a", false),
        ("aac.mkv", false),
        ("melody.mp3", false),
    ] {
        assert_eq!(open_file(&sources, file).await.is_core_only(), is_core_only, "{file}");
    }
    // The same as a station.
    let sound = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../demux/tests/media/he.aac"));
    let sound = sound.unwrap();
    let server = Server::start(move |_| {
        Reply::raw("HTTP/1.0 200 OK\r\nContent-Type: audio/aacp\r\n\r\n").then_repeat(sound.clone())
    })
    .await;
    let found = resolve(&super::sources(&server, bounds()), &server.url("/live")).await.unwrap();
    assert!(found.is_core_only);
}
