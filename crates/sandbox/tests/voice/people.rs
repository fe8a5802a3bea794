//! Voice from the command line, and its output.

use std::process::Output;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use sandbox::voice::wav;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::audio::{encode, likeness, tone};
use crate::client::End;
use crate::packets::heard;
use crate::world::{GUILD, World};

async fn sandbox(world: &World, arguments: &[&str]) -> Output {
    tokio::process::Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .env_remove("SANDBOX_STATE_FILE")
        .env("SANDBOX_URL", world.sandbox.url())
        .env("SANDBOX_CONTROL_SECRET", world.sandbox.control_secret())
        .args(arguments)
        .output()
        .await
        .unwrap()
}

async fn said(world: &World, arguments: &[&str]) -> String {
    let output = sandbox(world, arguments).await;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_person_enters_sees_who_is_there_and_leaves() {
    let mut world = World::start().await;
    assert_eq!(said(&world, &["voice"]).await, "Nobody is in voice.\n");
    said(&world, &["voice", "join", "Lounge"]).await;
    let state = world.bot.event("VOICE_STATE_UPDATE").await;
    assert_eq!(state["channel_id"], world.lounge.to_string());
    let (_, mut client, audio) = world.talk().await;
    let seen = said(&world, &["voice"]).await;
    assert_eq!(seen, format!("Lounge  alice\nLounge  Sandbot  bot, connected, {}\n", audio.mode));
    let line: Value =
        serde_json::from_str(said(&world, &["voice", "--json"]).await.lines().nth(1).unwrap()).unwrap();
    assert_eq!(line["connection"]["ssrc"], audio.ssrc);

    said(&world, &["voice", "leave"]).await;
    let session = state["session_id"].clone();
    let left = loop {
        let state = world.bot.event("VOICE_STATE_UPDATE").await;
        if state["session_id"] == session {
            break state;
        }
    };
    assert_eq!(left["channel_id"], Value::Null);
    said(&world, &["region", "Lounge"]).await;
    assert_eq!(client.end().await, End::Close(4022));
    said(&world, &["move", "Sandbot", "Attic"]).await;
    assert_eq!(said(&world, &["voice", "list"]).await, "Attic  Sandbot  bot, not connected\n");
    said(&world, &["move", "Sandbot"]).await;
    assert_eq!(said(&world, &["voice"]).await, "Nobody is in voice.\n");
    // By their former names.
    said(&world, &["enter", "Attic"]).await;
    assert_eq!(said(&world, &["voice"]).await, "Attic  alice\n");
    said(&world, &["exit"]).await;
    let output = sandbox(&world, &["move", "Sandbot", "Attic"]).await;
    let sentence = String::from_utf8(output.stderr).unwrap();
    assert!(sentence.contains("joins by itself") && sentence.lines().count() == 1, "{sentence}");
}

#[tokio::test]
async fn what_a_bot_plays_is_written_into_a_file() {
    let mut world = World::start().await;
    let output = sandbox(&world, &["voice", "record"]).await;
    assert!(String::from_utf8(output.stderr).unwrap().contains("no bot is in voice"));
    let (ticket, mut client, mut audio) = world.talk().await;
    audio.speak(&mut client).await;
    client.until_ack().await;
    let source = tone(500.0, Duration::from_millis(400));
    for packet in encode(&source) {
        audio.send(&packet).await;
    }
    heard(&world, &ticket, |heard| heard.counts.packets == 20).await;
    let folder = std::env::temp_dir().join(format!("sandbox-voice-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("heard.wav");
    let told = said(&world, &["voice", "record", "--wav", path.to_str().unwrap()]).await;
    assert!(told.starts_with("0.4 s of audio") && told.contains("20 packets, 0 lost in 0 gaps"), "{told}");
    let samples = wav::read(&std::fs::read(&path).unwrap()).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(likeness(&samples, &source) > 0.99);
    // Nothing new while nothing plays: the exit code reports a silent bot. By the former name of the command.
    let output = sandbox(&world, &["hear", "--seconds", "0", "--user", "Sandbot", "--json"]).await;
    assert_eq!(output.status.code(), Some(1));
    let counts: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&counts["packets"], &counts["streams"][0]["ssrc"]), (&json!(20), &json!(audio.ssrc)));
}

#[tokio::test]
async fn packets_are_waited_for_over_http() {
    let mut world = World::start().await;
    let (ticket, mut client, mut audio) = world.talk().await;
    let user = ticket.user.to_string();
    audio.speak(&mut client).await;
    client.until_ack().await;
    let waiting = world.control.heard_packets(GUILD, &user, 2, crate::world::PATIENCE);
    let sending = async {
        let frame = encode(&[0; 1920]).remove(0);
        audio.send(&frame).await;
        audio.send(&frame).await;
    };
    let (heard, ()) = tokio::join!(waiting, sending);
    assert_eq!(heard.unwrap().counts.packets, 2);
    let late = world.control.heard_packets(GUILD, &user, 3, Duration::from_millis(1)).await.unwrap();
    assert_eq!(late.counts.packets, 2);
    let nobody = world.control.heard(GUILD, "alice").await.unwrap_err().to_string();
    assert!(nobody.contains("alice has had no voice connection"), "{nobody}");
}

#[tokio::test]
async fn faults_of_voice_are_one_command_away() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    let mut client = world.dial(&ticket, 8).await;
    client.identified(&ticket).await;
    assert_eq!(said(&world, &["fault", "voice", "close", "4015", "--user", "alice"]).await, "0\n");
    assert_eq!(said(&world, &["fault", "voice", "close", "4015", "--user", "Sandbot"]).await, "1\n");
    assert_eq!(client.end().await, End::Close(4015));
    for arguments in [
        &["loss", "5", "--direction", "received"][..],
        &["dead", "--user", "Sandbot"],
        &["stall"],
        &["stall", "session-description", "--count", "2"],
        &["no-server"],
        &["null-endpoint"],
    ] {
        said(&world, &[&["fault", "voice"], arguments].concat()).await;
    }
    let rules = world.control.faults().await.unwrap();
    let on = |index: usize| rules[index]["rule"]["on"].clone();
    assert_eq!(on(0), json!({ "voice_packet": { "direction": "received", "percent": 5.0 } }));
    assert_eq!(on(1), json!({ "voice_packet": { "user": ticket.user, "percent": 100.0 } }));
    assert_eq!(on(2), json!({ "voice_connect": { "effect": "stall" } }));
    assert_eq!(on(3), json!({ "voice_received": { "op": 1, "effect": "ignore" } }));
    assert_eq!(rules[3]["rule"]["count"], 2);
    assert_eq!(on(4), json!({ "voice_server": { "effect": "withhold" } }));
    assert_eq!(on(5), json!({ "voice_server": { "effect": "null_endpoint" } }));
}

type Stream = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// Opens the stream of a page that hears the voice channel of its user.
async fn listening(world: &World, user: &str) -> Stream {
    let url = format!("{}/sandbox/stream", world.sandbox.gateway_url());
    let (mut stream, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
    let hello = json!({ "secret": world.sandbox.control_secret(), "as": user });
    stream.send(Message::text(hello.to_string())).await.unwrap();
    stream.send(Message::text(json!({ "do": "listen", "on": true }).to_string())).await.unwrap();
    // The answer to a wish that follows shows that this one has been read.
    stream.send(Message::text("nonsense")).await.unwrap();
    loop {
        let frame = stream.next().await.unwrap().unwrap();
        if frame.to_text().is_ok_and(|text| text.contains("refused")) {
            return stream;
        }
    }
}

/// Waits until alice enters or leaves voice.
async fn alice_is_in(world: &mut World, channel: Value) {
    assert_eq!(world.bot.event("VOICE_STATE_UPDATE").await["channel_id"], channel);
}

#[tokio::test]
async fn who_closes_the_last_page_that_hears_a_channel_leaves_it() {
    let mut world = World::start().await;
    let lounge = Value::from(world.lounge.to_string());
    let (mut one, mut two) = (listening(&world, "alice").await, listening(&world, "alice").await);
    said(&world, &["voice", "join", "Lounge"]).await;
    alice_is_in(&mut world, lounge.clone()).await;
    one.close(None).await.unwrap();
    while one.next().await.is_some() {}
    assert_eq!(said(&world, &["voice"]).await, "Lounge  alice\n");
    two.close(None).await.unwrap();
    alice_is_in(&mut world, Value::Null).await;

    // One whose connection is lost may come back for a while.
    let lost = listening(&world, "alice").await;
    said(&world, &["voice", "join", "Lounge"]).await;
    alice_is_in(&mut world, lounge.clone()).await;
    drop(lost);
    let mut back = listening(&world, "alice").await;
    said(&world, &["voice", "join", "Attic"]).await;
    let attic = Value::from(world.attic.to_string());
    alice_is_in(&mut world, attic).await;
    back.send(Message::text(json!({ "do": "listen", "on": false }).to_string())).await.unwrap();
    back.close(None).await.unwrap();
    while back.next().await.is_some() {}
    // Who does not listen does not leave.
    assert_eq!(said(&world, &["voice"]).await, "Attic  alice\n");

    drop(listening(&world, "alice").await);
    alice_is_in(&mut world, Value::Null).await;
}

#[tokio::test]
async fn a_page_hears_the_channel_that_its_user_is_in() {
    let mut world = World::start().await;
    let mut streams = [listening(&world, "alice").await, listening(&world, "bob").await];
    said(&world, &["voice", "join", "Lounge"]).await;
    let (ticket, mut client, mut audio) = world.talk().await;
    audio.speak(&mut client).await;
    client.until_ack().await;
    let frames = encode(&tone(440.0, Duration::from_millis(200)));
    for frame in &frames {
        audio.send(frame).await;
    }
    heard(&world, &ticket, |heard| heard.counts.packets >= frames.len() as u64).await;
    let mut got = Vec::new();
    while got.len() < frames.len() {
        if let Message::Binary(frame) = streams[0].next().await.unwrap().unwrap() {
            let number = |range: std::ops::Range<usize>| {
                frame[range].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
            };
            assert_eq!((number(0..8), number(16..20)), (world.guild().0, u64::from(audio.ssrc)));
            got.push(frame[26..].to_vec());
        }
    }
    assert_eq!(got, frames);
    // bob is in no voice channel: between here and a change that he sees there is no sound.
    world.sandbox.client().send("alice", "general", "over").await.unwrap();
    loop {
        match streams[1].next().await.unwrap().unwrap() {
            Message::Text(text) if text.contains("over") => break,
            Message::Binary(_) => panic!("bob hears a channel that he is not in"),
            _ => {}
        }
    }
}
