//! Close codes for clients that misbehave.

use std::time::Duration;

use sandbox::gateway::{Intents, Options};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::gateway::client::{End, identify};
use crate::gateway::world::{GUILD, Server, World};

/// Sends one frame right after HELLO, and returns how the connection ended.
async fn first_frame(frame: Message) -> End {
    let server = Server::start().await;
    let mut client = server.connect().await;
    client.send_raw(frame).await;
    client.end().await
}

async fn first_payload(op: u64, data: Value) -> End {
    first_frame(Message::text(json!({"op": op, "d": data}).to_string())).await
}

#[tokio::test]
async fn an_unknown_opcode_is_4001() {
    assert_eq!(first_payload(99, Value::Null).await, End::Close(4001));
}

#[tokio::test]
async fn what_can_not_be_decoded_is_4002() {
    for frame in [Message::text("{"), Message::binary(vec![131, 116]), Message::text("\"op\"")] {
        assert_eq!(first_frame(frame).await, End::Close(4002));
    }
}

#[tokio::test]
async fn a_payload_longer_than_4096_bytes_is_4002() {
    let payload = |length: usize| {
        let mut text = json!({"op": 1, "d": null}).to_string();
        text.extend(std::iter::repeat_n(' ', length - text.len()));
        Message::text(text)
    };
    assert_eq!(first_frame(payload(4097)).await, End::Close(4002));
    assert_eq!(first_frame(payload(2 << 20)).await, End::Close(4002));
    let server = Server::start().await;
    let mut client = server.connect().await;
    client.send_raw(payload(4096)).await;
    client.op(11).await;
}

#[tokio::test]
async fn anything_but_a_heartbeat_before_identifying_is_4003() {
    for (op, data) in [
        (3, json!({"status": "idle", "activities": [], "since": null, "afk": false})),
        (4, json!({"guild_id": GUILD, "channel_id": null, "self_mute": false, "self_deaf": false})),
        (8, json!({"guild_id": GUILD, "query": "", "limit": 0})),
        (31, json!({"guild_ids": [GUILD]})),
    ] {
        assert_eq!(first_payload(op, data).await, End::Close(4003), "opcode {op}");
    }
    let server = Server::start().await;
    assert!(server.connect().await.until_ack().await.is_empty());
}

#[tokio::test]
async fn a_wrong_token_is_4004() {
    let mut data = identify(Intents::GUILDS);
    data["token"] = json!("wrong");
    assert_eq!(first_payload(2, data).await, End::Close(4004));
    let resume = json!({"token": "wrong", "session_id": "x", "seq": 1});
    assert_eq!(first_payload(6, resume).await, End::Close(4004));
}

#[tokio::test]
async fn identifying_twice_is_4005() {
    let server = Server::start().await;
    let mut client = server.identified(Intents::GUILDS).await;
    client.identify(Intents::GUILDS).await;
    assert_eq!(client.end().await, End::Close(4005));
}

#[tokio::test]
async fn the_121st_payload_in_a_minute_is_4008() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    for _ in 0..120 {
        client.send(1, Value::Null).await;
        client.op(11).await;
    }
    client.send(1, Value::Null).await;
    assert_eq!(client.end().await, End::Close(4008));
}

#[tokio::test]
async fn a_client_without_heartbeats_is_4009_and_one_with_them_lives() {
    let options = Options {
        heartbeat_interval: Duration::from_secs(1),
        payloads_per_minute: None,
        ..Options::default()
    };
    let server = Server::with(options, World::default()).await;
    let mut silent = server.connect().await;
    let mut beating = server.identified(Intents::empty()).await;
    let heart = async {
        loop {
            beating.until_ack().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        end = silent.end() => assert_eq!(end, End::Close(4009)),
        () = heart => {}
    }
    assert!(beating.until_ack().await.is_empty());
}

#[tokio::test]
async fn a_session_ends_with_4009() {
    let options = Options { heartbeat_interval: Duration::from_secs(1), ..Options::default() };
    let server = Server::with(options, World::default()).await;
    let mut silent = server.identified(Intents::empty()).await;
    assert_eq!(silent.end().await, End::Close(4009));
    let mut late = server.connect().await;
    late.resume(&silent.session_id, silent.seq.unwrap()).await;
    assert_eq!(late.op(9).await, false);
}

#[tokio::test]
async fn a_shard_that_can_not_be_is_4010() {
    let mut data = identify(Intents::GUILDS);
    data["shard"] = json!([2, 2]);
    assert_eq!(first_payload(2, data).await, End::Close(4010));
}

#[tokio::test]
async fn intents_that_do_not_exist_are_4013() {
    let mut data = identify(Intents::GUILDS);
    data["intents"] = json!(1 << 30);
    assert_eq!(first_payload(2, data).await, End::Close(4013));
}
