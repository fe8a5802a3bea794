//! Chained Ogg, as every station of Vorbis, Opus or FLAC sends it: it continues to play, with correct titles and times.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "some seconds of samples"
)]

use super::places::{go, library, likeness, open_file, some};
use super::*;

/// Chains of a first and a second link, and the rate of the first.
const CHAINS: [(&str, &str, u32); 3] = [
    // Stereo at 44.1 kHz, then mono at 22.05.
    ("first.ogg", "second.ogg", 44_100),
    ("first.opus", "second.opus", 48_000),
    // 16 kHz, then 22.05.
    ("first.oga", "second.oga", 16_000),
];

fn link(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../demux/tests/media").join(name)).unwrap()
}

/// Plays all of a track as songbird's mixer does. Returns its samples, and checks what the mixer relies on.
fn played(parsed: &mut Parsed) -> Vec<f32> {
    let (mut heard, mut at, mut spec) = (Vec::new(), 0, None);
    while let Ok(packet) = parsed.format.next_packet() {
        // The mixer skips packets of other tracks.
        assert_eq!(packet.track_id(), parsed.track_id);
        assert!(packet.ts + 1 >= at, "{} after {at}", packet.ts);
        let is_silence = packet.buf() == [0xf8, 0xff, 0xfe];
        let sound = parsed.decoder.decode(&packet).unwrap();
        if is_silence {
            super::until_next_frame();
            continue;
        }
        if sound.frames() == 0 {
            continue;
        }
        let first = *spec.get_or_insert(*sound.spec());
        assert_eq!((sound.spec().rate, sound.spec().channels), (first.rate, first.channels));
        let mut samples = SampleBuffer::<f32>::new(sound.capacity() as u64, first);
        samples.copy_interleaved_ref(sound);
        let samples: Vec<_> = samples.samples().iter().step_by(first.channels.count()).copied().collect();
        // Silence in place of audio that is behind; otherwise decoded audio belongs to the empty packet.
        if packet.buf().is_empty() && samples.iter().all(|sample| *sample == 0.0) {
            super::until_next_frame();
        } else {
            heard.extend(samples);
            at = packet.ts + packet.dur;
        }
    }
    heard
}

/// Returns the frequency of a tone in hertz, from its zero crossings.
fn hertz(tone: &[f32], rate: u32) -> f64 {
    let crossings = tone.windows(2).filter(|two| two[0] < 0.0 && two[1] >= 0.0).count();
    crossings as f64 * f64::from(rate) / tone.len() as f64
}

/// Checks that each of the links plays the melody, whose first notes have 440 and 587 Hz.
fn is_melody(heard: &[f32], rate: u32, links: usize, what: &str) {
    let seconds = heard.len() as f64 / f64::from(rate);
    let expected = 3.0 * links as f64;
    assert!((seconds - expected).abs() < 0.12, "{what}: {seconds} s");
    for link in 0..links {
        for (note, expected) in [(0, 440.0), (1, 587.3)] {
            let place = |part: usize| (link * 12 + note) * rate as usize / 4 + rate as usize * part / 100;
            let heard = hertz(&heard[place(8)..place(20)], rate);
            assert!((heard - expected).abs() < 12.0, "{what}: link {link}, note {note}: {heard} Hz");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_plays_on_with_its_titles_and_its_length_on_disk() {
    let (folder, sources) = library();
    for (first, second, rate) in CHAINS {
        let name = format!("chain-{first}");
        std::fs::write(folder.path().join(&name), [link(first), link(second), link(first)].concat()).unwrap();
        let opened = open_file(&sources, &name).await;
        let length = opened.duration().unwrap().as_secs_f64();
        assert!((length - 9.0).abs() < 0.1, "{name}: {length} s");
        let updates = opened.updates.clone();
        let heard = played(&mut parsed(opened));
        is_melody(&heard, rate, 3, &name);
        assert_eq!(
            *updates.borrow(),
            TrackUpdate { title: Some("Hotcord - First".to_owned()), failure: None }
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_that_begins_a_new_link_with_each_song_tells_them_when_they_are_heard() {
    for (first, second, rate) in CHAINS {
        let chain = [link(first), link(second)].concat();
        let server = Server::start(move |_| {
            let mut answer =
                b"HTTP/1.0 200 OK\r\nContent-Type: application/ogg\r\nicy-name: Radio\r\n\r\n".to_vec();
            answer.extend_from_slice(&chain);
            Reply::raw(answer)
        })
        .await;
        let sources = sources(&server, bounds());
        let found = resolve(&sources, &server.url("/live")).await.unwrap();
        assert_eq!((found.tracks[0].title.as_str(), found.tracks[0].duration), ("Radio", None));
        let opened = sources.begin_track(&found.tracks[0].playable).await.unwrap();
        let updates = opened.updates.clone();
        let mut parsed = parsed(opened);
        // It has been read to its end by now or soon, but plays from its beginning.
        let mut heard = some(&mut parsed, rate as usize * 2);
        assert_eq!(updates.borrow().title.as_deref(), Some("Hotcord - First"), "{first}");
        heard.extend(played(&mut parsed));
        assert_eq!(updates.borrow().title.as_deref(), Some("Hotcord - Second"), "{first}");
        assert_eq!(updates.borrow().failure, None, "{first}");
        is_melody(&heard, rate, 2, first);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_in_any_link_of_a_chain_is_found_on_disk_and_over_the_web() {
    let (folder, library) = library();
    for (first, second, rate) in CHAINS {
        let chain = [link(first), link(second), link(first)].concat();
        let name = format!("sought-{first}");
        std::fs::write(folder.path().join(&name), &chain).unwrap();
        let whole = played(&mut parsed(open_file(&library, &name).await));
        let server = Server::start(move |head| Reply::file(head, "application/ogg", &chain)).await;
        let web = sources(&server, bounds());
        let opened = open(&web, &server.url("/chain")).await;
        // Its links become known as they are read.
        assert_eq!(opened.duration(), None, "{first}");
        for mut parsed in [parsed(open_file(&library, &name).await), parsed(opened)] {
            for seconds in [7.1, 1.3, 4.2, 8.0, 3.4] {
                let at = go(&mut parsed, seconds);
                assert!((at - seconds).abs() < 0.001, "{first}: asked for {seconds}, is at {at}");
                let heard = some(&mut parsed, rate as usize * 4 / 10);
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                // Some seconds of samples.
                let place = (seconds * f64::from(rate)) as usize;
                // If links differ in rate, a resampler's delay is in between.
                let near = (0..rate as usize / 20).step_by(2).flat_map(|late| [place + late, place - late]);
                let best = near.map(|at| likeness(&heard, &whole[at.min(whole.len())..])).fold(0.0, f64::max);
                assert!(best > 0.9, "{first} at {seconds}: {best}");
            }
        }
    }
}
