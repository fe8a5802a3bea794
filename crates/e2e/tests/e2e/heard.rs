//! Every format that plays without ffmpeg is received through the bot and Discord's voice as the melody that was
//! encoded, and so is sound with each encryption.

use std::path::Path;

use e2e::audio::{SECONDS, find, melody};
use e2e::music_host::{MusicOptions, MusicTestHost};
use e2e::song::RATE;
use e2e::wait::until;
use e2e::{Playground, song};
use sandbox::voice::{Dave, Mode, Options};

/// Files, and their number of channels.
const FILES: [(&str, usize); 8] = [
    ("melody.aac", 1),
    ("melody.flac", 2),
    ("melody.m4a", 2),
    ("melody.mp3", 2),
    ("melody.ogg", 2),
    ("melody.opus", 2),
    ("melody.wav", 1),
    ("melody.webm", 1),
];

/// Starts a bot with the media files as library, and voice servers that offer one encryption.
async fn host(mode: Mode, dave: Dave) -> MusicTestHost {
    let voice = Options { modes: vec![mode], dave, ..Options::default() };
    let music = Path::new(env!("CARGO_MANIFEST_DIR")).join("media");
    let program = MusicOptions { seconds: 1, voice, music: Some(music), ..MusicOptions::default() };
    MusicTestHost::on(Playground::new().unwrap(), program).await.unwrap()
}

/// Plays a file and compares the received sound with the melody, on both channels.
async fn is_heard(host: &MusicTestHost, file: &str, channels: usize) {
    let room = &host.rooms[0];
    let bot = host.sandbox.bot_id();
    host.sandbox.voice().forget(room.guild, bot);
    let from = host.position(room);
    let command = format!("/play what:{file}");
    let told = until("the library is there", async || {
        let answer = host.say(room, &command).await.ok()?;
        answer.content.starts_with("Playing **").then_some(answer.content)
    });
    let told = told.await.unwrap();
    assert!(told.to_lowercase().contains("melody"), "{told}");
    // Some silence follows at the end.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = (SECONDS * f64::from(RATE)) as u64;
    host.until_heard(room, from + whole).await.unwrap();
    let samples = host.samples(room, from, whole + u64::from(RATE));
    let sides = [song::left(&samples), song::left(&samples[1..])];
    for (side, heard) in sides.iter().enumerate() {
        let of = if channels == 1 { 0 } else { side };
        let found = find(heard, &melody(RATE, of), RATE);
        println!("{file} side {side}: {found:?}");
        assert!(found.correlation > 0.9, "{file} side {side}: {found:?}");
    }
    let heard = host.heard(room).unwrap().counts;
    let lost = (heard.sequence_gaps, heard.timestamp_gaps, heard.lost);
    assert_eq!(lost, (0, 0, 0), "{file}: {heard:?}");
    let unread = heard.undecryptable + heard.unopened + heard.undecodable;
    assert_eq!(unread, 0, "{file}: {heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_format_is_heard_through_voice() {
    let host = host(Mode::Aes256Gcm, Dave::Off).await;
    for (file, channels) in FILES {
        is_heard(&host, file, channels).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_encryption_is_heard() {
    for (mode, dave) in [
        (Mode::XChaCha20Poly1305, Dave::Off),
        (Mode::Aes256Gcm, Dave::Required),
        (Mode::XChaCha20Poly1305, Dave::Required),
    ] {
        let host = host(mode, dave).await;
        is_heard(&host, "melody.opus", 2).await;
        let encrypted = host.heard(&host.rooms[0]).unwrap().counts.encrypted;
        assert_eq!(encrypted > 0, dave == Dave::Required, "{mode:?} {dave:?}: {encrypted} frames end to end");
    }
}
