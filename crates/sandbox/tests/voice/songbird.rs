//! songbird, a voice client that does not know the sandbox, plays a file to it.
//!
//! It runs in a process of its own, since it reads the certificates that it trusts from `SSL_CERT_FILE`: this program
//! again, with one test, which is the client if there is a ticket.

use std::num::NonZeroU64;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use sandbox::voice::{Dave, Heard, Mode, Options};
use songbird::ConnectionInfo;
use songbird::driver::Driver;
use songbird::id::{ChannelId, GuildId, UserId};
use songbird::input::RawAdapter;
use tokio::io::AsyncReadExt;

use crate::world::{self, World};
use crate::{audio, client};

/// Time for a whole playback, which takes three seconds.
const PATIENCE: Duration = Duration::from_mins(1);
/// Variable with the ticket of the client's process: endpoint, guild, channel, user, session id, token, file to play.
const TICKET: &str = "SONGBIRD_TICKET";

#[tokio::test]
async fn songbird_plays_with_every_mode() {
    if let Ok(ticket) = std::env::var(TICKET) {
        return play(&ticket).await;
    }
    for mode in Mode::ALL {
        listen(mode, Dave::Off).await;
    }
}

#[tokio::test]
async fn songbird_plays_end_to_end_encrypted() {
    listen(Mode::ALL[0], Dave::Required).await;
}

/// The client: connects, plays a file, and continues until its standard input ends.
async fn play(ticket: &str) {
    let fields: Vec<&str> = ticket.split('|').collect();
    let [endpoint, guild, channel, user, session_id, token, file] = fields[..] else { panic!("{ticket}") };
    let id = |text: &str| text.parse::<NonZeroU64>().unwrap();
    let info = ConnectionInfo {
        channel_id: ChannelId(id(channel)),
        endpoint: endpoint.to_owned(),
        guild_id: GuildId(id(guild)),
        session_id: session_id.to_owned(),
        token: token.to_owned(),
        user_id: UserId(id(user)),
    };
    let mut driver = Driver::new(songbird::Config::default());
    driver.connect(info).await.unwrap();
    let samples = std::fs::File::open(file).unwrap();
    driver.play_input(RawAdapter::new(samples, 48_000, 2).into());
    let mut end = Vec::new();
    tokio::io::stdin().read_to_end(&mut end).await.unwrap();
    driver.leave();
}

/// The sandbox: accepts the client and compares the received audio with the file.
async fn listen(mode: Mode, dave: Dave) {
    let mut world = World::start_with(Options { modes: vec![mode], dave, ..Options::default() }).await;
    world.control.enter_voice(world::GUILD, "alice", "Lounge").await.unwrap();
    let ticket = world.join().await;
    let folder = tempfile::tempdir().unwrap();
    let (root, file) = (folder.path().join("root.pem"), folder.path().join("source.pcm"));
    std::fs::write(&root, world.sandbox.voice().root_certificate()).unwrap();
    let source = rising();
    let samples = source.iter().flat_map(|sample| (f32::from(*sample) / f32::from(i16::MAX)).to_le_bytes());
    std::fs::write(&file, samples.collect::<Vec<_>>()).unwrap();
    let mut client = start(&world, &ticket, &root, &file);

    let voice = world.sandbox.voice();
    if dave == Dave::Required {
        // Keys change while it plays.
        let playing = |heard: &Heard| heard.counts.encrypted >= 30;
        let heard = voice.heard_when(ticket.guild, ticket.user, PATIENCE, playing).await.unwrap();
        assert!(playing(&heard), "{heard:?}");
        world.control.enter_voice(world::GUILD, "bob", "Lounge").await.unwrap();
    }
    let heard = voice
        .heard_when(ticket.guild, ticket.user, PATIENCE, |heard| heard.counts.silence >= 5)
        .await
        .unwrap();
    let counts = heard.counts;
    assert!(counts.packets >= 150 && counts.silence >= 5, "{counts:?}");
    assert_eq!((counts.lost, counts.sequence_gaps, counts.timestamp_gaps, counts.duplicates), (0, 0, 0, 0));
    assert_eq!((counts.undecryptable, counts.unopened, counts.undecodable), (0, 0, 0));
    assert_eq!(counts.encrypted > 0, dave == Dave::Required, "{counts:?}");
    let samples = voice.pcm(ticket.guild, ticket.user, 0, usize::MAX);
    let likeness = audio::likeness(&samples, &source);
    assert!(likeness > 0.95, "{likeness}");
    // The received audio is this sound and no other: half a second later it differs.
    let late = audio::likeness(&samples[48_000..], &source);
    assert!(late < 0.3, "{late}");

    drop(client.stdin.take());
    let ended = tokio::time::timeout(PATIENCE, client.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "{ended}");
}

fn start(world: &World, ticket: &client::Ticket, root: &Path, file: &Path) -> tokio::process::Child {
    let client::Ticket { guild, user, session_id, token, endpoint } = ticket;
    let (channel, file) = (world.lounge, file.display());
    tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "songbird::songbird_plays_with_every_mode", "--nocapture"])
        .env(TICKET, format!("{endpoint}|{guild}|{channel}|{user}|{session_id}|{token}|{file}"))
        .env("SSL_CERT_FILE", root)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Returns three seconds of a tone that rises from 200 to 2000 hertz, so that no two moments of it are similar.
#[expect(clippy::cast_possible_truncation, reason = "12,000 fits into 16 bits")]
fn rising() -> Vec<i16> {
    let sample = |frame: u32| {
        let seconds = f64::from(frame) / 48_000.0;
        let angle = (200.0 * seconds + 300.0 * seconds * seconds) * std::f64::consts::TAU;
        (angle.sin() * 12_000.0) as i16
    };
    (0..3 * 48_000).flat_map(|frame| [sample(frame); 2]).collect()
}
