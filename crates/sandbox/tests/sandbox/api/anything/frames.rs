//! Frames of the gateway, in JSON and in ETF, and interactions for the requests that answer them.

use futures_util::{SinkExt as _, StreamExt as _};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::bodies::value;
use super::{Known, PATIENCE};
use crate::gateway::terms;

/// Addresses of the gateway, by their queries.
const QUERIES: &[&str] = &[
    "?v=10&encoding=json",
    "?v=10&encoding=etf",
    "?v=10&encoding=json&compress=zlib-stream",
    "?v=10&encoding=etf&compress=zstd-stream",
    "?v=9&encoding=json",
    "?v=3&encoding=xml&compress=lzma",
    "",
];

fn address(known: &Known, query: &str) -> String {
    format!("{}/{query}", known.url.replacen("http", "ws", 1))
}

fn identify(known: &Known) -> Value {
    json!({ "op": 2, "d": { "token": known.token, "intents": 0x0331_ffff, "properties": { "os": "test" } } })
}

/// Connects, sends any frames, and reads until the gateway has read them: up to a heartbeat's acknowledgement, or the end.
pub(super) async fn converse(known: &Known, random: &mut StdRng, told: &str) {
    let query = *QUERIES.choose(random).unwrap();
    let is_etf = query.contains("etf");
    let packed = |payload: &Value| {
        if is_etf { Message::binary(terms::pack(payload)) } else { Message::text(payload.to_string()) }
    };
    // A query that the gateway does not take is refused with a close, not while the connection is made.
    let connected = tokio_tungstenite::connect_async(address(known, query)).await;
    let (mut socket, _) = connected.unwrap_or_else(|error| panic!("{told}gateway{query}: {error}"));
    let mut frames = Vec::new();
    if random.random_ratio(3, 4) {
        frames.push(packed(&identify(known)));
    }
    for _ in 0..random.random_range(0..5) {
        let op = *[0, 1, 2, 3, 4, 6, 7, 8, 11, 31, 43, 99].choose(random).unwrap();
        let bytes: Vec<u8> = (0..random.random_range(0..60)).map(|_| random.random()).collect();
        frames.push(match random.random_range(0..8) {
            0 => Message::binary(bytes),
            1 => Message::text(String::from_utf8_lossy(&bytes).into_owned()),
            2 => Message::binary([&[131][..], &bytes].concat()),
            _ => packed(&json!({ "op": op, "d": value(known, random, 3) })),
        });
    }
    frames.push(packed(&json!({ "op": 1, "d": null })));
    frames.push(Message::Close(None));
    let talk = async {
        for frame in frames {
            if socket.send(frame).await.is_err() {
                break;
            }
        }
        while let Some(Ok(_)) = socket.next().await {}
    };
    let ended = timeout(PATIENCE, talk).await;
    assert!(ended.is_ok(), "{told}gateway{query}: the connection does not end");
}

/// Runs a command as users and remembers the interactions, which the bot leaves to requests.
pub(super) async fn interactions(known: &mut Known, random: &mut StdRng, http: &reqwest::Client) {
    let (mut socket, _) =
        tokio_tungstenite::connect_async(address(known, QUERIES[0])).await.expect("a connection");
    socket.send(Message::text(identify(known).to_string())).await.expect("the gateway reads");
    let url = format!("{}/sandbox/interactions/command", known.url);
    for user in ["alice", "bob", "alice"] {
        let body = json!({ "user": user, "text": "/ping", "channel": "general", "deadline_ms": 1 });
        let secret = format!("Bearer {}", known.secret);
        // Without the command, or the user, there is no interaction.
        let _ = http.post(&url).header(AUTHORIZATION, secret).json(&body).send().await;
    }
    // What has happened so far comes before the acknowledgement of a heartbeat.
    socket.send(Message::text(r#"{"op":1,"d":null}"#)).await.expect("the gateway reads");
    while let Ok(Some(Ok(frame))) = timeout(PATIENCE, socket.next()).await {
        let Message::Text(text) = frame else { continue };
        let payload: Value = serde_json::from_str(&text).expect("JSON");
        if payload["op"] == 11 {
            break;
        }
        if payload["t"] == "INTERACTION_CREATE" {
            let id = payload["d"]["id"].as_str().unwrap_or_default();
            known.remember("interaction_id", id, random);
            known.learn(&payload["d"], random);
        }
    }
    let _ = socket.close(None).await;
}
