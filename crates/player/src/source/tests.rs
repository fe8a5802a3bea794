//! Sources as commands and the player use them, against servers on loopback.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serenity::all::{GuildId, UserId};
use songbird::input::Parsed;
use symphonia::core::audio::SampleBuffer;
use symphonia::core::formats::{SeekMode, SeekTo};
use symphonia::core::units::Time;

use super::*;
use crate::loopback::{Reply, Server, range_of};

mod chains;
mod drips;
mod once;
mod passed;
mod places;
mod spooled;
mod surround;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_mins(1);

/// The caller of all queries.
const CALLER: Caller = Caller { guild: GuildId::new(1), user: UserId::new(2) };

fn media(file: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e/media").join(file)).unwrap()
}

/// Returns a WAV file of 8 kHz in which the value of each sample is its second.
fn wav(seconds: i16) -> Vec<u8> {
    let length = u32::try_from(seconds).unwrap() * 16_000;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + length).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    for (number, bytes) in [(16, 4), (1, 2), (1, 2), (8_000, 4), (16_000, 4), (2, 2), (16, 2)] {
        wav.extend(&u32::to_le_bytes(number)[..bytes]);
    }
    wav.extend(b"data");
    wav.extend(length.to_le_bytes());
    wav.extend((0..seconds).flat_map(|second| (second + 1).to_le_bytes().repeat(8_000)));
    wav
}

fn sources(server: &Server, mut bounds: Bounds) -> Sources {
    // Its failures are reported in detail, like those of a web server.
    bounds.ports.push(server.address.port());
    let allow = HostList::parse(&server.address.to_string()).unwrap();
    let guard = Guard::new(allow, bounds.address);
    let web = Web::new(guard, Arc::new(bounds));
    Sources(Arc::new(Inner { web, ..Inner::default() }))
}

fn bounds() -> Bounds {
    Bounds { reconnect: Duration::from_millis(50), ..Bounds::default() }
}

async fn resolve(sources: &Sources, url: &str) -> Result<Resolved, SourceError> {
    sources.resolve(Query::from_text(url), Limits::default(), CALLER).await
}

async fn open(sources: &Sources, url: &str) -> Opened {
    sources.open_track(&Playable::Http { url: url.to_owned() }).await.unwrap()
}

fn parsed(opened: Opened) -> Parsed {
    opened.sound
}

/// Waits as long as the mixer does before it takes more: silence that is taken at once would soon count as a stall.
fn until_next_frame() {
    std::thread::sleep(Duration::from_millis(20));
}

/// Returns the next samples of the first channel; none at the end.
fn next(parsed: &mut Parsed) -> Vec<f32> {
    let began = Instant::now();
    loop {
        let Ok(packet) = parsed.format.next_packet() else { return Vec::new() };
        if packet.buf() == [0xf8, 0xff, 0xfe] {
            // Silence in Opus, because the feeder is behind.
            assert!(began.elapsed() < PATIENCE, "nothing more comes");
            until_next_frame();
            continue;
        }
        let is_empty = packet.buf().is_empty();
        let sound = parsed.decoder.decode(&packet).unwrap();
        let mut samples = SampleBuffer::<f32>::new(sound.capacity() as u64, *sound.spec());
        let channels = sound.spec().channels.count();
        samples.copy_interleaved_ref(sound);
        // The feeder is behind, because this takes all at once; or decoded audio belongs to the packet.
        if is_empty && samples.samples().iter().all(|sample| *sample == 0.0) {
            assert!(began.elapsed() < PATIENCE, "nothing more comes");
            until_next_frame();
            continue;
        }
        // The encoder's padding before the first audio is cut off, which may be a whole packet.
        if !samples.is_empty() {
            return samples.samples().iter().step_by(channels).copied().collect();
        }
    }
}

fn all(parsed: &mut Parsed) -> Vec<f32> {
    std::iter::repeat_with(|| next(parsed)).take_while(|samples| !samples.is_empty()).flatten().collect()
}

/// Returns the second of a sample of a [`wav`].
fn told(sample: f32) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A whole number from 1.
    let second = (sample * 32_768.0).round() as u32;
    second - 1
}

/// Seeks to a second of a [`wav`], and returns the second that is played there.
fn second_at(parsed: &mut Parsed, second: u32) -> u32 {
    let to = SeekTo::Time { time: Time::from(Duration::from_secs(second.into())), track_id: None };
    let sought = parsed.format.seek(SeekMode::Accurate, to).unwrap();
    parsed.decoder.reset();
    let base = parsed.decoder.codec_params().time_base.unwrap();
    let at = Duration::from(base.calc_time(sought.actual_ts)).as_secs_f64();
    assert!((at - f64::from(second)).abs() < 0.2, "asked for second {second}, is at {at}");
    // A packet may begin just before the second.
    told(*next(parsed).last().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_on_the_web_sounds_as_on_disk() {
    for (file, kind) in [("melody.mp3", "audio/mpeg"), ("melody.ogg", "application/ogg"), ("melody.m4a", "")]
    {
        let server = Server::start(move |head| Reply::file(head, kind, &media(file))).await;
        let sources = sources(&server, bounds());
        let found = resolve(&sources, &server.url("/a%20song.bin")).await.unwrap();
        let [track] = &found.tracks[..] else { panic!("{found:?}") };
        assert_eq!((track.title.as_str(), track.artist.as_deref()), ("Melody", Some("Hotcord")), "{file}");
        let length = track.duration.unwrap().as_secs_f64();
        assert!((length - 3.0).abs() < 0.1, "{file}: {length}");
        let opened = sources.open_track(&track.playable).await.unwrap();
        let updates = opened.updates.clone();
        let heard = all(&mut parsed(opened));

        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join(file), media(file)).unwrap();
        let library = Library::open(Some(folder.path().to_owned()), &bounds());
        let (events, receiver) = media::track_events();
        let bounds = Arc::new(bounds());
        let of_disk = super::media::open(library.origin(file), events, receiver, bounds).await.unwrap();
        assert!(heard == all(&mut parsed(of_disk)), "{file} sounds otherwise");
        assert!(heard.len() > 120_000, "{file}: {} samples", heard.len());
        assert_eq!(*updates.borrow(), TrackUpdate::default(), "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn seeking_asks_for_the_part_that_is_wanted() {
    let server = Server::start(|head| Reply::file(head, "audio/wav", &wav(120))).await;
    let sources = sources(&server, bounds());
    let mut parsed = parsed(open(&sources, &server.url("/long.wav")).await);
    for second in [100, 3, 60] {
        assert_eq!(second_at(&mut parsed, second), second);
    }
    let asked: Vec<_> = server.requests().iter().map(|head| range_of(head).unwrap()).collect();
    let near = |from: usize, second: usize| from.abs_diff(second * 16_000) < 200_000;
    // A position soon after the beginning is read through the connection that was kept for the first position.
    assert!(asked[0] == 0 && asked.len() == 3, "{asked:?}");
    assert!(
        asked.iter().any(|from| near(*from, 100)) && asked.iter().any(|from| near(*from, 60)),
        "{asked:?}"
    );
    // Past the end there is nothing, which is no failure.
    let to = SeekTo::Time { time: Time::from(Duration::from_secs(500)), track_id: None };
    parsed.format.seek(SeekMode::Accurate, to).unwrap();
    assert_eq!(all(&mut parsed).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_parts_can_be_sought_too() {
    let server = Server::start(|_| Reply::ok("audio/wav", wav(60))).await;
    let sources = sources(&server, bounds());
    let mut parsed = parsed(open(&sources, &server.url("/")).await);
    for second in [40, 5, 50] {
        assert_eq!(second_at(&mut parsed, second), second);
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_is_taken_up_where_it_broke() {
    let server = Server::start(|head| Reply::file(head, "audio/wav", &wav(60)).cut(200_000)).await;
    let sources = sources(&server, bounds());
    let opened = open(&sources, &server.url("/")).await;
    let updates = opened.updates.clone();
    let heard = all(&mut parsed(opened));
    assert_eq!(heard.len(), 60 * 8_000);
    for (second, samples) in (0..).zip(heard.chunks(8_000)) {
        assert!(samples.iter().all(|sample| told(*sample) == second), "second {second}");
    }
    assert_eq!(updates.borrow().failure, None);
    assert!(server.requests().len() >= 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_for_good_is_told() {
    let server = Server::start(|_| Reply::ok("audio/wav", wav(60)).cut(200_000)).await;
    let sources = sources(&server, bounds());
    let opened = open(&sources, &server.url("/")).await;
    let mut updates = opened.updates.clone();
    let heard = all(&mut parsed(opened));
    assert!(heard.len() > 8_000 && heard.len() < 60 * 8_000);
    let failed = updates.wait_for(|updates| updates.failure.is_some());
    let failed = tokio::time::timeout(PATIENCE, failed).await.unwrap().unwrap();
    assert_eq!(failed.failure, Some(SourceError::Broken));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_radio_station_is_heard_with_its_titles() {
    // Longer than the client reads at once, so that no title is skipped.
    let sound = media("melody.mp3").repeat(12);
    let mut cycle = Vec::new();
    for title in ["One", "Two's"] {
        cycle.extend_from_slice(&sound);
        let mut text = format!("StreamTitle='{title}';").into_bytes();
        text.resize(32, 0);
        cycle.push(2);
        cycle.extend(text);
    }
    let head = format!(
        "HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\nicy-name: Radio\r\nicy-metaint: {}\r\n\r\n",
        sound.len()
    );
    let server = Server::start(move |_| Reply::raw(head.clone()).then_repeat(cycle.clone())).await;
    let sources = sources(&server, bounds());
    let found = resolve(&sources, &server.url("/live")).await.unwrap();
    assert_eq!((found.tracks[0].title.as_str(), found.tracks[0].duration), ("Radio", None));
    assert!(server.requests().iter().all(|head| head.contains("icy-metadata: 1")));

    let opened = sources.open_track(&found.tracks[0].playable).await.unwrap();
    assert_eq!(opened.duration(), None);
    let mut updates = opened.updates.clone();
    let mut parsed = parsed(opened);
    let mut titles = Vec::new();
    let mut samples = 0;
    while titles.len() < 3 || samples < 44_100 * 12 {
        let heard = next(&mut parsed).len();
        assert!(heard > 0, "it ends: {:?}", updates.borrow());
        samples += heard;
        if updates.has_changed().unwrap() {
            titles.extend(updates.borrow_and_update().title.clone());
        }
    }
    assert!(titles.windows(2).all(|two| two[0] != two[1]), "{titles:?}");
    assert!(titles.iter().all(|title| title == "One" || title == "Two's"), "{titles:?}");
    assert_eq!(updates.borrow().failure, None);
    // There is no other position, and trying does not end it.
    let to = SeekTo::Time { time: Time::from(Duration::from_secs(1)), track_id: None };
    parsed.format.seek(SeekMode::Accurate, to).unwrap();
    assert!(!next(&mut parsed).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stalls_is_silence_and_never_waited_for() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let server = Server::start(move |head| {
        count.fetch_add(1, Ordering::SeqCst);
        Reply::file(head, "audio/wav", &wav(60)).cut(100_000).then_hang()
    })
    .await;
    let short = Duration::from_millis(500);
    let bounds = Bounds { silence: short, reconnects: 0, ..bounds() };
    let sources = sources(&server, bounds);
    let opened = open(&sources, &server.url("/")).await;
    let mut updates = opened.updates.clone();
    let mut parsed = parsed(opened);
    let (mut sound, mut silence, mut longest) = (0, 0, Duration::ZERO);
    loop {
        let began = Instant::now();
        let packet = parsed.format.next_packet();
        longest = longest.max(began.elapsed());
        let Ok(packet) = packet else { break };
        let samples = parsed.decoder.decode(&packet).unwrap().frames();
        if packet.buf().is_empty() {
            silence += 1;
            assert_eq!(samples, 160, "20 ms of silence");
            std::thread::sleep(Duration::from_millis(1));
        } else {
            sound += samples;
        }
    }
    assert!(sound > 30_000 && silence > 10, "{sound} samples of sound, {silence} packets of silence");
    // A read of its own would have waited for all of the server's silence.
    assert!(longest < Duration::from_millis(400), "the mixer would have waited {longest:?}");
    let failed = tokio::time::timeout(PATIENCE, updates.wait_for(|updates| updates.failure.is_some())).await;
    assert_eq!(failed.unwrap().unwrap().failure, Some(SourceError::TimedOut));
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decoded_or_has_its_index_at_the_end_is_refused_with_the_reason() {
    let file = |name: &str| {
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media").join(name)).unwrap()
    };
    let server = Server::start(move |head| match head.split(' ').nth(1).unwrap() {
        "/parts.m4a" => Reply::file(head, "audio/mp4", &file("index-at-end.m4a")),
        "/whole.m4a" => Reply::ok("audio/mp4", file("index-at-end.m4a")),
        "/surround.m4a" => Reply::file(head, "audio/mp4", &file("surround.m4a")),
        _ => Reply::file(head, "audio/aac", &file("surround.aac")),
    })
    .await;
    let sources = sources(&server, bounds());
    assert!(resolve(&sources, &server.url("/parts.m4a")).await.is_ok());
    for (path, error) in [
        ("/whole.m4a", SourceError::IndexAtEnd),
        ("/surround.m4a", SourceError::Surround),
        ("/surround.aac", SourceError::Surround),
    ] {
        assert_eq!(resolve(&sources, &server.url(path)).await, Err(error), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn playlists_lead_to_their_entries() {
    let server = Server::start(|head| match head.split(' ').nth(1).unwrap() {
        "/all.m3u" => Reply::ok(
            "audio/x-mpegurl",
            "#EXTM3U\n#PLAYLIST:Mix\n#EXTINF:12,First\na.mp3\n#EXTINF:-1,\nb%20c.mp3\nhttp://10.0.0.1/d.mp3\nfile:///e\n",
        ),
        "/radio.pls" => Reply::ok("audio/x-scpls", "[playlist]\nFile1=/nested.m3u\nTitle1=Station\n"),
        "/nested.m3u" => Reply::ok("text/plain", "/a.mp3\n"),
        "/round.m3u" => Reply::ok("text/plain", "/round.m3u\n"),
        "/mix.m3u" => Reply::ok(
            "audio/x-mpegurl",
            "#EXTM3U\n#EXTINF:5,Opening\n/a.mp3\n/all.m3u\n/gone.pls\n/mix.m3u\n/radio.pls\n",
        ),
        "/many.m3u" => Reply::ok("text/plain", "/nested.m3u\n".repeat(40)),
        "/hls.m3u8" => Reply::ok("application/vnd.apple.mpegurl", "#EXTM3U\n#EXT-X-VERSION:3\n"),
        "/empty.m3u" => Reply::ok("text/plain", "# nothing\n"),
        "/private.m3u" => Reply::ok("text/plain", "http://127.0.0.1:1/\n"),
        "/huge.m3u" => Reply::raw("HTTP/1.1 200 OK\r\n\r\n#EXTM3U\n").then_repeat(vec![b'x'; 4096]),
        "/page" => Reply::ok("text/html", "<!doctype html><title>x</title>"),
        "/image.mp3" => Reply::ok("image/png", [0x89, b'P', b'N', b'G', 0xff, 0xfb, 0x90, 0]),
        "/text.mp3" => Reply::ok("audio/mpeg", "no sound at all\0".repeat(500)),
        "/large.wav" => Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nRIFF").then_hang(),
        "/a.mp3" | "/b%20c.mp3" => Reply::file(head, "audio/mpeg", &media("melody.mp3")),
        _ => Reply::status(404),
    })
    .await;
    let silence = Duration::from_secs(2);
    let sources = sources(&server, Bounds { silence, ..bounds() });
    let found = resolve(&sources, &server.url("/all.m3u")).await.unwrap();
    assert_eq!((found.playlist.as_deref(), found.skipped), (Some("Mix"), 2));
    let [first, second] = &found.tracks[..] else { panic!("{found:?}") };
    assert_eq!((first.title.as_str(), first.duration), ("First", Some(Duration::from_secs(12))));
    assert_eq!((second.title.as_str(), second.duration), ("b c", None));
    assert_eq!(second.playable, Playable::Http { url: server.url("/b%20c.mp3") });
    sources.open_track(&second.playable).await.unwrap();

    let found = resolve(&sources, &server.url("/radio.pls")).await.unwrap();
    assert_eq!(found.tracks[0].title, "Station");
    assert_eq!(found.tracks[0].playable, Playable::Http { url: server.url("/a.mp3") });
    // Playlists inside a playlist are read in their positions. Those that lead nowhere or back are left out.
    let found = resolve(&sources, &server.url("/mix.m3u")).await.unwrap();
    let titles: Vec<_> = found.tracks.iter().map(|track| track.title.as_str()).collect();
    assert_eq!(titles[..3], ["Opening", "First", "b c"], "{titles:?}");
    assert_eq!(titles.last(), Some(&"Station"));
    assert!(found.skipped >= 3, "{found:?}");
    // A limited number of them is read, and the others are entries.
    let before = server.requests().len();
    let found = resolve(&sources, &server.url("/many.m3u")).await.unwrap();
    assert_eq!(found.tracks.len(), 40);
    assert!(server.requests().len() - before < 50, "{}", server.requests().len() - before);
    assert_eq!(found.tracks[39].playable, Playable::Http { url: server.url("/nested.m3u") });
    // A track may be at an address that was no playlist when it was found.
    open(&sources, &server.url("/radio.pls")).await;

    for (path, error) in [
        ("/round.m3u", SourceError::EmptyPlaylist),
        ("/hls.m3u8", SourceError::Hls),
        ("/empty.m3u", SourceError::EmptyPlaylist),
        ("/private.m3u", SourceError::EmptyPlaylist),
        ("/huge.m3u", SourceError::TooLarge),
        ("/page", SourceError::NoPages),
        ("/image.mp3", SourceError::NoSound),
        ("/text.mp3", SourceError::NoSound),
        ("/large.wav", SourceError::TooLarge),
        ("/none", SourceError::Status(404)),
    ] {
        assert_eq!(resolve(&sources, &server.url(path)).await.unwrap_err(), error, "{path}");
    }

    let limits = Limits { tracks: 1, duration: None };
    let found = sources.resolve(Query::Url(server.url("/all.m3u")), limits, CALLER).await.unwrap();
    assert_eq!((found.tracks.len(), found.skipped, found.more), (1, 2, 1));
    let most = Duration::from_secs(2);
    let limits = Limits { tracks: 9, duration: Some(most) };
    let found = sources.resolve(Query::Url(server.url("/a.mp3")), limits, CALLER).await;
    assert_eq!(found.unwrap_err(), SourceError::TooLong { most });

    let attached = Query::Attachment { url: server.url("/a.mp3"), name: "my song.mp3".to_owned() };
    let found = sources.resolve(attached, Limits::default(), CALLER).await.unwrap();
    let playable = Playable::Attachment { url: server.url("/a.mp3"), name: "my song.mp3".to_owned() };
    assert_eq!((&found.tracks[0].playable, &found.tracks[0].url), (&playable, &None));
    let attached = Query::Attachment { url: server.url("/page"), name: "page.mp3".to_owned() };
    assert_eq!(sources.resolve(attached, Limits::default(), CALLER).await.unwrap_err(), SourceError::NoSound);
}

#[test]
fn every_failure_is_one_sentence() {
    for error in [
        SourceError::NoAddress,
        SourceError::Scheme,
        SourceError::Credentials,
        SourceError::NotPublic,
        SourceError::NoHost,
        SourceError::Unreachable,
        SourceError::TimedOut,
        SourceError::Late { most: Bounds::default().resolve },
        SourceError::NothingThere,
        SourceError::Stalled,
        SourceError::Status(404),
        SourceError::Status(403),
        SourceError::Status(500),
        SourceError::Redirects,
        SourceError::TooLarge,
        SourceError::TooLong { most: Duration::from_mins(10) },
        SourceError::Hls,
        SourceError::NoSound,
        SourceError::EmptyPlaylist,
        SourceError::Broken,
        SourceError::NoPages,
        SourceError::Page,
        SourceError::NoRuntime,
        SourceError::NothingFound,
        SourceError::NoSearch,
        SourceError::Busy,
        SourceError::BusyUser(3),
        SourceError::BusyGuild(8),
        SourceError::NoLibrary,
        SourceError::NotInLibrary,
    ] {
        let sentence = error.to_string();
        assert!(
            sentence.ends_with('.') && !sentence.contains(". ") && !sentence.contains('\n'),
            "{sentence}"
        );
        assert!(!sentence.contains("127.") && sentence.len() < 150, "{sentence}");
    }
}

/// Returns sources that run a script in place of yt-dlp.
fn with_yt_dlp(server: &Server, folder: &Path, script: &str) -> Sources {
    use std::os::unix::fs::PermissionsExt as _;
    let (new, program) = (folder.join("new"), folder.join("yt-dlp"));
    let version = "#!/bin/sh\nif [ \"$2\" = --version ]; then echo 2026.11.01; exit; fi\n";
    std::fs::write(&new, format!("{version}cd '{}'\n{script}\n", folder.display())).unwrap();
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
    // A file that is written while another thread starts a program cannot be run; a renamed one can.
    std::fs::rename(&new, &program).unwrap();
    let allow = HostList::parse(&server.address.to_string()).unwrap();
    let mut bounds = bounds();
    bounds.ports.push(server.address.port());
    Sources::new(SourceConfig { yt_dlp: Some(program), allow, bounds, ..SourceConfig::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_a_playlist_is_looked_into_and_yt_dlp_gets_the_address_that_answered() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|head| match head.split(' ').nth(1).unwrap_or_default() {
        "/list" => Reply::ok("audio/x-mpegurl", "#EXTM3U\n/short\n/short?2\n"),
        "/one" => Reply::ok("audio/x-mpegurl", "#EXTM3U\n/page\n"),
        path if path.starts_with("/short") => Reply::redirect("/page"),
        "/page" => Reply::ok("text/html", "<!doctype html>"),
        _ => Reply::file(head, "", &media("melody.mp3")),
    })
    .await;
    let script = format!(
        "printf '%s\\n' \"$@\" >>arguments\necho '{{\"title\": \"x\", \"protocol\": \"http\", \"url\": \"{}\"}}'",
        server.url("/sound")
    );
    let sources = with_yt_dlp(&server, folder.path(), &script);
    let found = resolve(&sources, &server.url("/list")).await.unwrap();
    assert_eq!(found.tracks.len(), 2);
    // The program is looked for in the background.
    assert!(sources.0.yt_dlp.is_there().await);
    let heard = all(&mut parsed(sources.open_track(&found.tracks[1].playable).await.unwrap()));
    assert!(heard.len() > 100_000, "{}", heard.len());
    let arguments = std::fs::read_to_string(folder.path().join("arguments")).unwrap();
    assert_eq!(arguments.lines().last(), Some(server.url("/page").as_str()));
    // A playlist of one page has no more tracks than the page.
    let limits = Limits { tracks: 7, duration: None };
    sources.resolve(Query::Url(server.url("/one")), limits, CALLER).await.unwrap();
    let arguments = std::fs::read_to_string(folder.path().join("arguments")).unwrap();
    assert!(arguments.lines().any(|argument| argument == "1:7"), "{arguments}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_good_no_more_is_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let sound = wav(60);
    let server = Server::start(move |head| match head.split(' ').nth(1).unwrap_or_default() {
        "/old" if range_of(head) == Some(0) => Reply::file(head, "audio/wav", &sound).cut(200_000),
        "/old" => Reply::status(403),
        _ => Reply::file(head, "audio/wav", &sound),
    })
    .await;
    let script = format!(
        "if [ -e asked ]; then url={}; else url={}; fi; touch asked\n\
         echo '{{\"title\": \"x\", \"protocol\": \"http\", \"url\": \"'$url'\"}}'",
        server.url("/new"),
        server.url("/old")
    );
    let sources = with_yt_dlp(&server, folder.path(), &script);
    let playable = Playable::YtDlp { url: server.url("/page") };
    let heard = all(&mut parsed(sources.open_track(&playable).await.unwrap()));
    assert_eq!(heard.len(), 60 * 8_000);
    assert_eq!(told(heard[heard.len() - 1]), 59);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_lies_of_its_sizes_is_refused() {
    // The header of a Matroska file that claims 2^55 bytes with a text of 2^54 in it, and a table of 2^32 packets.
    let matroska = b"\x1a\x45\xdf\xa3\x01\x80\0\0\0\0\0\0\x42\x82\x01\x40\0\0\0\0\0\0".to_vec();
    let mut mp4 = media("melody.m4a");
    let at = mp4.windows(4).position(|at| at == b"stsz").unwrap();
    mp4[at + 12..at + 16].fill(0xff);
    let server = Server::start(move |head| match head.split(' ').nth(1).unwrap_or_default() {
        "/a.webm" => Reply::file(head, "video/webm", &matroska),
        "/list" => Reply::ok("audio/x-mpegurl", "#EXTINF:1e19,Long\n/a.webm\n#EXTINF:5,Short\n/a.m4a\n"),
        _ => Reply::file(head, "audio/mp4", &mp4),
    })
    .await;
    let sources = sources(&server, bounds());
    assert_eq!(resolve(&sources, &server.url("/a.webm")).await.unwrap_err(), SourceError::NoSound);
    let file = Query::Attachment { url: server.url("/a.webm"), name: "a.webm".to_owned() };
    assert_eq!(sources.resolve(file, Limits::default(), CALLER).await.unwrap_err(), SourceError::NoSound);
    let found = resolve(&sources, &server.url("/list")).await.unwrap();
    assert_eq!(found.tracks[0].duration, None);
    assert_eq!(sources.open_track(&found.tracks[0].playable).await.unwrap_err(), SourceError::NoSound);
    // The real packets of the table are there.
    assert!(all(&mut parsed(sources.open_track(&found.tracks[1].playable).await.unwrap())).len() > 100_000);
}
