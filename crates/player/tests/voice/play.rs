//! Playback, as it is received.

use std::io::{BufRead as _, BufReader, Write as _};
use std::time::Duration;

use player::Sources;
use player::source::{HostList, SourceConfig};
use sdk_core::voice::{
    At, ConnectionState, EndReason, Loop, Playable, PlayerStatus, Seek, Track, VoiceError, VoiceEventKind,
};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::rig::{PATIENCE, Rig, until};

/// Similarity of the received audio to its source, after Opus.
const ALIKE: f64 = 0.9;

pub(crate) async fn a_file_is_heard_as_it_is() {
    let mut rig = Rig::start().await;
    let player = rig.player();
    assert_eq!(player.enqueue(vec![rig.sound(1, 20)], At::End).await, Err(VoiceError::NotConnected));
    rig.join().await;
    assert_eq!(player.status().connection, ConnectionState::Connected);
    assert_eq!(player.status().listeners, 1);
    let put = player.enqueue(vec![rig.sound(1, 20), rig.sound(1, 20)], At::End).await.unwrap();
    assert_eq!((put.position, put.added, put.left_out, put.eta), (0, 2, 0, Some(Duration::ZERO)));
    rig.event("the track begins", |kind| matches!(kind, VoiceEventKind::TrackStarted { .. }).then_some(()))
        .await;

    let place = rig.hear(1, 20).await;
    assert!(place.likeness > ALIKE, "{place:?}");
    let status = player.status();
    let current = status.current.unwrap();
    // The format states the length.
    assert_eq!(current.track.duration, Some(Duration::from_secs(20)));
    // The audio received a moment ago is behind the mixer, never ahead of it.
    let position = current.position.as_secs_f64();
    assert!(place.at < position && position < place.at + 10.0, "{place:?} {position}");

    let heard = rig.people.heard(&rig.guild.to_string(), rig.bot()).await.unwrap();
    assert_eq!((heard.counts.sequence_gaps, heard.counts.timestamp_gaps), (0, 0), "{heard:?}");
    assert_eq!((heard.counts.undecryptable, heard.counts.undecodable), (0, 0), "{heard:?}");
}

pub(crate) async fn the_next_track_follows_at_once() {
    let mut rig = Rig::start().await;
    rig.join().await;
    let player = rig.player();
    player.enqueue(vec![rig.sound(1, 4), rig.sound(2, 20)], At::End).await.unwrap();
    let reason = rig
        .event("the first track is over", |kind| match kind {
            VoiceEventKind::TrackEnded { reason, .. } => Some(*reason),
            _ => None,
        })
        .await;
    assert_eq!(reason, EndReason::Finished);
    let place = rig.hear(2, 20).await;
    assert!(place.likeness > ALIKE, "{place:?}");
    let heard = rig.people.heard(&rig.guild.to_string(), rig.bot()).await.unwrap();
    let counts = heard.counts;
    assert_eq!((counts.sequence_gaps, counts.timestamp_gaps), (0, 0), "{heard:?}");
    // None on a quiet machine: the next track is opened before the first is over.
    assert!(counts.silence < 25, "{heard:?}");
}

pub(crate) async fn a_seek_goes_there_and_one_that_fails_changes_nothing() {
    let rig = Rig::start().await;
    rig.join().await;
    let player = rig.player();
    assert_eq!(player.seek(Seek::To(Duration::ZERO)).await, Err(VoiceError::NothingPlaying));
    player.enqueue(vec![rig.sound(1, 60)], At::End).await.unwrap();
    rig.hear(1, 60).await;

    let number = player.status().current.unwrap().number;
    let reached = player.seek(Seek::To(Duration::from_secs(30))).await.unwrap();
    assert!((29..=30).contains(&reached.as_secs()), "{reached:?}");
    let place = rig.hear(1, 60).await;
    assert!(place.likeness > ALIKE && place.at > 29.0, "{place:?}");
    assert_eq!(player.status().current.unwrap().number, number);

    let back = player.seek(Seek::Back(Duration::from_mins(5))).await.unwrap();
    assert_eq!(back, Duration::ZERO);
    let past = player.seek(Seek::Forward(Duration::from_mins(2))).await;
    assert_eq!(past, Err(VoiceError::PastEnd { duration: Duration::from_mins(1) }));

    std::fs::remove_file(rig.folder.path().join("1.wav")).unwrap();
    let failed = player.seek(Seek::To(Duration::from_secs(40))).await.unwrap_err();
    assert!(matches!(failed, VoiceError::CannotSeek(_)), "{failed:?}");
    let place = rig.hear(1, 60).await;
    assert!(place.likeness > ALIKE && place.at < 29.0, "{place:?}");
}

pub(crate) async fn a_seek_before_the_source_has_answered_begins_there() {
    let mut rig = Rig::start().await;
    rig.join().await;
    let (hold, released) = watch::channel(false);
    let mut track = rig.sound(1, 60);
    let file = std::fs::read(rig.folder.path().join("1.wav")).unwrap();
    let mut source = Source::start(&file, released);
    let allow = HostList::parse(&source.address).unwrap();
    rig.engine().set_sources(Sources::new(SourceConfig { allow, ..SourceConfig::default() }));
    track.playable = Playable::Http { url: format!("http://{}/", source.address) };
    track.duration = Some(Duration::from_mins(1));
    let player = rig.player();
    player.enqueue(vec![track], At::End).await.unwrap();
    let current = player.status().current.unwrap();
    assert!(current.opening, "{current:?}");
    let past = player.seek(Seek::To(Duration::from_mins(2))).await;
    assert_eq!(past, Err(VoiceError::PastEnd { duration: Duration::from_mins(1) }));

    let sought = tokio::spawn({
        let player = player.clone();
        async move { player.seek(Seek::Forward(Duration::from_secs(30))).await }
    });
    source.requests(2).await;
    hold.send(true).unwrap();
    let reached = sought.await.unwrap().unwrap();
    assert!((29..=30).contains(&reached.as_secs()), "{reached:?}");
    let place = rig.hear(1, 60).await;
    assert!(place.likeness > ALIKE, "{place:?}");
    let plays = player.status().current.unwrap();
    assert!(plays.number == current.number && plays.position.as_secs() >= 29, "{plays:?}");
    let started = |kind: &VoiceEventKind| matches!(kind, VoiceEventKind::TrackStarted { .. });
    assert_eq!(rig.events().iter().filter(|kind| started(kind)).count(), 1);
}

pub(crate) async fn a_pause_holds_the_place() {
    let rig = Rig::start().await;
    rig.join().await;
    let player = rig.player();
    assert_eq!(player.pause().await, Err(VoiceError::NothingPlaying));
    player.enqueue(vec![rig.sound(1, 60)], At::End).await.unwrap();
    rig.hear(1, 60).await;

    player.pause().await.unwrap();
    assert_eq!(player.pause().await, Err(VoiceError::AlreadyPaused));
    // songbird announces a pause with silence.
    let (guild, bot) = (rig.guild.to_string(), rig.bot());
    until("silence is heard", async || {
        let heard = rig.people.heard(&guild, bot).await.unwrap();
        (heard.counts.silence >= 5).then_some(())
    })
    .await;
    let held = player.status().current.unwrap();
    assert!(held.paused && !held.paused_alone);

    player.resume().await.unwrap();
    assert_eq!(player.resume().await, Err(VoiceError::NotPaused));
    let place = rig.hear(1, 60).await;
    assert!(place.likeness > ALIKE, "{place:?}");
    assert!((place.at - held.position.as_secs_f64()).abs() < 5.0, "{place:?} {held:?}");
}

pub(crate) async fn what_cannot_be_played_is_told_and_the_next_one_follows() {
    let mut rig = Rig::start().await;
    rig.join().await;
    std::fs::write(rig.folder.path().join("noise.mp3"), [7; 5000]).unwrap();
    let tracks = vec![Rig::file("missing.wav"), Rig::file("noise.mp3"), rig.sound(1, 20)];
    rig.player().set_loop(Loop::Queue).await.unwrap();
    rig.player().enqueue(tracks, At::End).await.unwrap();
    for name in ["missing.wav", "noise.mp3"] {
        let why = rig
            .event("a track fails", |kind| match kind {
                VoiceEventKind::TrackFailed { track, why } => Some((track.title.clone(), why.clone())),
                _ => None,
            })
            .await;
        assert_eq!(why.0, name);
        assert!(why.1.ends_with('.') && why.1.len() > 10, "{why:?}");
    }
    assert!(rig.hear(1, 20).await.likeness > ALIKE);
    // A repeated queue does not repeat what failed.
    assert_eq!(rig.player().status().upcoming.len(), 0);
}

pub(crate) async fn the_queue_is_steered_while_it_plays() {
    let mut rig = Rig::start().await;
    rig.join().await;
    let player = rig.player();
    let tracks = (1..=3).map(|voice| rig.sound(voice, 30)).collect();
    player.enqueue(tracks, At::End).await.unwrap();
    assert!(rig.hear(1, 30).await.likeness > ALIKE);

    let skipped = player.skip(1).await.unwrap();
    assert_eq!(skipped[0].title, "1.wav");
    assert!(rig.hear(2, 30).await.likeness > ALIKE);

    assert_eq!(player.previous().await.unwrap().title, "1.wav");
    assert!(rig.hear(1, 30).await.likeness > ALIKE);
    assert_eq!(player.jump(3).await, Err(VoiceError::BadPosition { position: 3, len: 2 }));
    assert_eq!(player.jump(2).await.unwrap().title, "3.wav");
    assert!(rig.hear(3, 30).await.likeness > ALIKE);

    player.enqueue(vec![rig.sound(4, 30)], At::Now).await.unwrap();
    assert!(rig.hear(4, 30).await.likeness > ALIKE);
    assert_eq!(player.set_volume(101).await, Err(VoiceError::TooLoud { max: 100 }));
    player.set_volume(50).await.unwrap();
    rig.status("the volume is shown", |status| status.volume == 50).await;
    assert!(rig.hear(4, 30).await.likeness > ALIKE);

    rig.events();
    assert_eq!(player.stop().await.unwrap(), 0);
    let reason = rig
        .event("the track is over", |kind| match kind {
            VoiceEventKind::TrackEnded { reason, .. } => Some(*reason),
            _ => None,
        })
        .await;
    assert_eq!(reason, EndReason::Stopped);
    assert_eq!(player.stop().await, Err(VoiceError::NothingPlaying));
    player.leave().await.unwrap();
    assert_eq!(player.leave().await, Err(VoiceError::NotConnected));
}

pub(crate) async fn what_is_meant_is_skipped_and_removed_or_nothing() {
    let rig = Rig::start().await;
    rig.join().await;
    let player = rig.player();
    let sounds = (1..=4).map(|voice| rig.sound(voice, 30)).collect();
    player.enqueue(sounds, At::End).await.unwrap();
    let before = rig.status("the first is on", |status| status.current.is_some()).await;
    let number = before.current.unwrap().number;
    // Of two users who mean the same track, one skips it.
    let both = tokio::join!(player.skip_start(number, 1), player.skip_start(number, 1));
    assert_eq!(both.0.unwrap().len(), 1);
    assert_eq!(both.1, Err(VoiceError::TrackOver));
    // Of two users who mean the same number in the queue, one removes the track there.
    let waiting = player.status().upcoming;
    let first = || waiting[..1].to_vec();
    let both = tokio::join!(player.remove_those(1, first()), player.remove_those(1, first()));
    assert_eq!(both.0.unwrap().len(), 1);
    assert_eq!(both.1, Err(VoiceError::Superseded));
    let past = player.remove_those(9, waiting.to_vec()).await;
    assert_eq!(past, Err(VoiceError::Superseded));
    assert_eq!(player.status().upcoming.len(), 1);
}

pub(crate) async fn a_length_that_cannot_be_is_not_believed() {
    let rig = Rig::start().await;
    rig.join().await;
    let player = rig.player();
    let mut endless = rig.sound(1, 30);
    endless.duration = Some(Duration::MAX);
    let put = player.enqueue(vec![endless.clone(), endless.clone()], At::End).await.unwrap();
    assert_eq!(put.added, 2);
    assert!(rig.hear(1, 30).await.likeness > ALIKE);
    let status = player.status();
    // The format states the length of one; that of the other is not known.
    assert_eq!(status.current.as_ref().unwrap().track.duration, Some(Duration::from_secs(30)));
    assert_eq!((status.upcoming[0].duration, status.remaining()), (None, None));
    let put = player.enqueue(vec![endless], At::End).await.unwrap();
    assert_eq!(put.eta, None);
}

pub(crate) async fn a_radio_is_not_sought_and_plays_on() {
    let rig = Rig::start().await;
    rig.join().await;
    let station = Station::start();
    let allow = HostList::parse(&station.address).unwrap();
    rig.engine().set_sources(Sources::new(SourceConfig { allow, ..SourceConfig::default() }));
    let player = rig.player();
    let url = format!("http://{}/", station.address);
    player.enqueue(vec![Track::new("Radio", Playable::Http { url })], At::End).await.unwrap();
    let plays = |status: &PlayerStatus| status.current.as_ref().is_some_and(|current| !current.opening);
    let number = rig.status("the radio plays", plays).await.current.unwrap().number;
    rig.packets(50).await;
    for to in [Seek::To(Duration::ZERO), Seek::Forward(Duration::from_secs(30))] {
        let error = player.seek(to).await.unwrap_err();
        assert_eq!(error.to_string(), "This track cannot be sought: it is a live stream.");
    }
    rig.packets(50).await;
    assert_eq!(player.status().current.unwrap().number, number);
}

pub(crate) async fn a_file_that_lies_of_its_sizes_is_told_and_the_next_one_follows() {
    let mut rig = Rig::start().await;
    rig.join().await;
    let forged = b"\x1a\x45\xdf\xa3\x01\x80\0\0\0\0\0\0\x42\x82\x01\x40\0\0\0\0\0\0";
    std::fs::write(rig.folder.path().join("forged.webm"), forged).unwrap();
    let tracks = vec![Rig::file("forged.webm"), rig.sound(1, 30)];
    rig.player().enqueue(tracks, At::End).await.unwrap();
    let failed = |kind: &VoiceEventKind| match kind {
        VoiceEventKind::TrackFailed { track, .. } => Some(track.playable.clone()),
        _ => None,
    };
    let which = rig.event("the file is refused", failed).await;
    assert_eq!(which, Rig::file("forged.webm").playable);
    assert!(rig.hear(1, 30).await.likeness > ALIKE);
}

/// A server of one file that answers no request before it is told to.
struct Source {
    address: String,
    requests: mpsc::UnboundedReceiver<()>,
}

impl Source {
    fn start(file: &[u8], released: watch::Receiver<bool>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: {}\r\n\r\n", file.len());
        let answer = [head.as_bytes(), file].concat();
        let (request, requests) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, request, mut released) = (answer.clone(), request.clone(), released.clone());
                tokio::spawn(async move {
                    let mut stream = tokio::io::BufReader::new(stream);
                    let mut line = String::new();
                    while stream.read_line(&mut line).await? > 2 {
                        line.clear();
                    }
                    let _ = request.send(());
                    let _ = released.wait_for(|released| *released).await;
                    stream.write_all(&answer).await
                });
            }
        });
        Self { address, requests }
    }

    /// Waits for that many more requests.
    async fn requests(&mut self, count: usize) {
        for _ in 0..count {
            timeout(PATIENCE, self.requests.recv()).await.unwrap().unwrap();
        }
    }
}

/// A station that plays one melody for ever.
struct Station {
    address: String,
}

impl Station {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let melody = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e/media/melody.mp3");
        let melody = std::fs::read(melody).unwrap();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let melody = melody.clone();
                std::thread::spawn(move || {
                    // An answer before the request is not valid.
                    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                    lines.find(String::is_empty);
                    let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n");
                    while sent.is_ok() {
                        sent = stream.write_all(&melody);
                    }
                });
            }
        });
        Self { address }
    }
}
