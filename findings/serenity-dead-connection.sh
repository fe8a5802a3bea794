#!/usr/bin/env bash
# serenity: a connection whose heartbeats are not acknowledged is replaced by a new session, and what happened is lost.
#
# A good guess: serenity closes such a connection and resumes its session, as it does after a dropped connection, so no
#   event is lost. Discord's documentation asks for it: terminate the connection, reconnect, "attempt to Resume".
# What happens: the shard is shut down and booted anew, and identifies. Events since the connection died are never
#   delivered, one of the day's session starts is used, and the shard's voice connections are forgotten.
# Package: serenity 0.12.5.
# Source: src/gateway/bridge/shard_runner.rs, run: if !self.shard.do_heartbeat() { self.request_restart() }, which ends in
#   ShardManager::restart (shutdown, boot). A dropped connection goes through Shard::should_reconnect and resumes.
# Protocol: discord/discord-api-docs, developers/events/gateway.mdx, "Sending Heartbeats" (a zombied connection) and
#   "Resuming".
# Affected: every bot, whenever a network path dies without a word: a NAT or a router restarted, a machine asleep.
#
# How it is shown: a client runs against a gateway on loopback in the same program. The first connection is dropped after
# READY, the second acknowledges no heartbeat after RESUMED. The opcode that each connection begins with is compared.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir src

cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
futures-util = { version = "=0.3.34", default-features = false, features = ["sink"] }
# What serenity takes; pinned since serenity accepts any newer version.
reqwest = { version = "=0.12.28", default-features = false }
serde_json = "=1.0.154"
tokio = { version = "=1.54.1", features = ["macros", "net", "rt", "time"] }
tokio-tungstenite = { version = "=0.21.0", default-features = false, features = ["handshake"] }

[dependencies.serenity]
version = "=0.12.5"
default-features = false
features = ["client", "gateway", "model", "rustls_backend"]

[profile.dev]
debug = false
incremental = false
TOML

cat >src/main.rs <<'RUST'
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{json, Value};
use serenity::all::*;
use serenity::async_trait;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message as Ws;

/// Serves one connection: Hello, READY or RESUMED, and then what becomes of the `number`th. Returns the opcode that it began
/// with.
async fn connection(stream: TcpStream, number: u32, url: &str) -> Option<u64> {
    let mut ws = tokio_tungstenite::accept_async(stream).await.ok()?;
    ws.send(Ws::text(json!({ "op": 10, "d": { "heartbeat_interval": 2000 } }).to_string())).await.ok()?;
    let mut began = None;
    while let Some(Ok(Ws::Text(text))) = ws.next().await {
        let sent: Value = serde_json::from_str(&text).unwrap();
        let answer = match sent["op"].as_u64()? {
            1 if began.is_none() || number != 2 => json!({ "op": 11 }),
            2 => json!({ "op": 0, "s": 1, "t": "READY", "d": {
                "v": 10, "guilds": [], "session_id": "session", "resume_gateway_url": url, "shard": [0, 1],
                "application": { "id": "2001", "flags": 0 },
                "user": { "id": "2001", "username": "bot", "discriminator": "0000", "global_name": null, "avatar": null,
                    "bot": true, "mfa_enabled": true, "verified": true, "email": null }
            } }),
            6 => json!({ "op": 0, "s": 2, "t": "RESUMED", "d": {} }),
            _ => continue,
        };
        if answer["op"] == 0 {
            began = sent["op"].as_u64();
        }
        ws.send(Ws::text(answer.to_string())).await.ok()?;
        if began.is_some() && number != 2 {
            break;
        }
    }
    began
}

struct Handler;

#[async_trait]
impl EventHandler for Handler {}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let (sender, mut began) = mpsc::unbounded_channel();
    let gateway = url.clone();
    tokio::spawn(async move {
        for number in 1.. {
            let (stream, _) = listener.accept().await.unwrap();
            let (sender, gateway) = (sender.clone(), gateway.clone());
            tokio::spawn(async move {
                if let Some(op) = connection(stream, number, &gateway).await {
                    sender.send(op).unwrap();
                }
            });
        }
    });

    let http = HttpBuilder::new("token").proxy("http://127.0.0.1:1").ratelimiter_disabled(true).build();
    let mut client =
        ClientBuilder::new_with_http(http, GatewayIntents::GUILDS).event_handler(Handler).await.unwrap();
    *client.ws_url.lock().await = url;
    tokio::spawn(async move { client.start().await });

    let mut ops = Vec::new();
    while ops.len() < 3 {
        ops.push(tokio::time::timeout(Duration::from_secs(30), began.recv()).await.expect("no connection").unwrap());
    }
    let holds = ops == [2, 6, 2];
    let word = if holds { "holds" } else { "CHANGED" };
    println!(
        "{word}: serenity 0.12.5 begins with opcode {}, after a dropped connection with {} (6 resumes), after heartbeats \
         that nobody acknowledged with {} (2 identifies)",
        ops[0], ops[1], ops[2]
    );
    std::process::exit(i32::from(!holds));
}
RUST

CARGO_TARGET_DIR=$dir/target cargo run --quiet
