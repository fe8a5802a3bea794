//! Every format that plays without ffmpeg decodes to the melody that was encoded.

use std::path::{Path, PathBuf};
use std::time::Duration;

use e2e::audio::{Match, find, melody};
use player::Sources;
use player::source::{Opened, SourceConfig};
use sdk_core::voice::source::{LibraryStatus, SourceError};
use sdk_core::voice::{Playable, Track};
use songbird::input::Parsed;
use symphonia::core::audio::SampleBuffer;
use symphonia::core::formats::{SeekMode, SeekTo};
use symphonia::core::units::Time;

/// Files, their sample rate as decoded, and their number of channels.
const FILES: [(&str, u32, usize); 8] = [
    ("melody.aac", 44_100, 1),
    ("melody.flac", 16_000, 2),
    ("melody.m4a", 44_100, 2),
    ("melody.mp3", 44_100, 2),
    ("melody.ogg", 44_100, 2),
    ("melody.opus", 48_000, 2),
    ("melody.wav", 8_000, 1),
    // songbird always decodes Opus into two channels.
    ("melody.webm", 48_000, 2),
];

fn media() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("media")
}

async fn library() -> Sources {
    let sources = Sources::new(SourceConfig { music: Some(media()), ..SourceConfig::default() });
    sources.library().refresh().await;
    sources
}

async fn open(sources: &Sources, path: &str) -> Opened {
    let playable = Playable::Library { path: path.to_owned() };
    sources.open_track(&playable).await.unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn parsed(opened: Opened) -> Parsed {
    opened.sound
}

/// Decodes the rest of a track. Returns its rate and its channels.
fn hear(parsed: &mut Parsed) -> (u32, Vec<Vec<f32>>) {
    let (mut rate, mut channels) = (0, Vec::new());
    // The end is the only error, as for the mixer.
    while let Ok(packet) = parsed.format.next_packet() {
        // The mixer reads once in 20 ms. Reading faster finds an empty queue, which is returned as silence.
        let is_silence = packet.buf() == [0xf8, 0xff, 0xfe];
        let is_empty = packet.buf().is_empty();
        let sound = parsed.decoder.decode(&packet).unwrap();
        let spec = *sound.spec();
        rate = spec.rate;
        channels.resize(spec.channels.count(), Vec::new());
        let mut samples = SampleBuffer::<f32>::new(sound.capacity() as u64, spec);
        samples.copy_interleaved_ref(sound);
        // An empty packet that is not silence stands for sound that has been decoded.
        if is_silence || is_empty && samples.samples().iter().all(|sample| *sample == 0.0) {
            std::thread::yield_now();
            continue;
        }
        for frame in samples.samples().chunks_exact(channels.len()) {
            for (channel, sample) in channels.iter_mut().zip(frame) {
                channel.push(*sample);
            }
        }
    }
    (rate, channels)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_format_is_heard_as_the_melody() {
    let sources = library().await;
    for (file, rate, channels) in FILES {
        let opened = open(&sources, file).await;
        let updates = opened.updates.clone();
        let mut parsed = parsed(opened);
        let (heard_rate, heard) = hear(&mut parsed);
        assert_eq!((heard_rate, heard.len()), (rate, channels), "{file}");
        for (channel, heard) in heard.iter().enumerate() {
            // A mono file has the left channel's melody, on both channels if it is Opus.
            let of = if file == "melody.webm" { 0 } else { channel };
            let Match { at, correlation } = find(heard, &melody(rate, of), rate);
            println!("{file} channel {channel}: correlation {correlation:.4} at sample {at}");
            assert!(correlation > 0.95, "{file} channel {channel}: {correlation}");
            let other = find(heard, &melody(rate, 1 - of), rate);
            assert!(other.correlation < 0.5, "{file}: the channels are mixed up ({other:?})");
        }
        assert_eq!(updates.borrow().failure, None, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_format_can_be_sought_in_both_directions() {
    let sources = library().await;
    for (file, ..) in FILES {
        let mut parsed = parsed(open(&sources, file).await);
        let base = parsed.decoder.codec_params().time_base.unwrap();
        for seconds in [2.0, 0.5, 1.25, 0.0] {
            let time = Time::from(Duration::from_secs_f64(seconds));
            let to = SeekTo::Time { time, track_id: None };
            let sought =
                parsed.format.seek(SeekMode::Accurate, to).unwrap_or_else(|error| panic!("{file}: {error}"));
            parsed.decoder.reset();
            let actual = Duration::from(base.calc_time(sought.actual_ts)).as_secs_f64();
            assert!((actual - seconds).abs() < 0.001, "{file}: asked for {seconds}, is at {actual}");
        }
        let time = Time::from(Duration::from_secs_f64(1.5));
        let sought = parsed.format.seek(SeekMode::Accurate, SeekTo::Time { time, track_id: None }).unwrap();
        parsed.decoder.reset();
        let from = Duration::from(base.calc_time(sought.actual_ts)).as_secs_f64();
        let (rate, heard) = hear(&mut parsed);
        // The sound is the rest of the melody, from the position that was returned.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rest = &melody(rate, 0)[(from * f64::from(rate)) as usize..];
        let found = find(&heard[0], rest, rate);
        println!("{file} from {from:.3} s: {found:?}");
        assert!(found.correlation > 0.9, "{file}: {found:?}");
        #[expect(clippy::cast_precision_loss)]
        let late = found.at as f64 / f64::from(rate);
        assert!(late.abs() < 0.1, "{file}: {late} s beside the place that was told");
        // Past the end there is no more sound, and no error that would end the track as broken.
        let time = Time::from(Duration::from_mins(1));
        parsed.format.seek(SeekMode::Accurate, SeekTo::Time { time, track_id: None }).unwrap();
        assert_eq!(hear(&mut parsed).1.first().map_or(0, Vec::len), 0, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_and_lengths_are_read() {
    let sources = library().await;
    assert_eq!(sources.status().library, LibraryStatus::Ready { tracks: FILES.len(), left_out: 0 });
    for (file, ..) in FILES {
        let tracks = sources.library().search(file, 25);
        let [track] = &tracks[..] else { panic!("{file}: {tracks:?}") };
        assert_eq!(track.path, file);
        let length = track.duration.unwrap_or_else(|| panic!("{file} has no length")).as_secs_f64();
        assert!((length - 3.0).abs() < 0.1, "{file}: {length} s");
        // Neither ADTS nor the WAV file has tags.
        let tagged = !matches!(file, "melody.aac" | "melody.wav");
        let told = tagged.then(|| "Hotcord".to_owned());
        assert_eq!((&track.title.to_lowercase()[..], &track.artist), ("melody", &told), "{file}");
        let Track { title, playable, .. } = track.track();
        assert_eq!((title, playable), (track.title.clone(), Playable::Library { path: file.to_owned() }));
    }
    assert_eq!(sources.library().search("hotcord mel", 25).len(), FILES.len() - 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_no_sound_is_told_before_it_plays() {
    let sources = library().await;
    for (path, error) in [
        ("README.md", SourceError::NoSound),
        ("none.mp3", SourceError::NotInLibrary),
        ("../Cargo.toml", SourceError::NotInLibrary),
    ] {
        let playable = Playable::Library { path: path.to_owned() };
        assert_eq!(sources.open_track(&playable).await.unwrap_err(), error, "{path}");
    }
    let playable = Playable::Library { path: "melody.mp3".to_owned() };
    assert_eq!(Sources::default().open_track(&playable).await.unwrap_err(), SourceError::NoLibrary);
}
