#!/usr/bin/env bash
# poise: the check of cooldowns ignores manual_cooldowns of a command, in both directions.
#
# A good guess: #[poise::command(manual_cooldowns)] leaves the cooldown of this command to its own code, and
#   manual_cooldowns = false gives the automatic one back where the framework's option is true. The documentation says
#   that the command's setting overrides the framework's.
# What happens: only starting the timer asks the command. The check before each call asks the framework's option alone.
#   So a manual command is rejected before its own code runs, and a command that is set back to automatic never is.
# Package: poise 0.7.1, poise_macros 0.7.1.
# Source: src/dispatch/common.rs, check_permissions_and_cooldown_single, reads FrameworkOptions::manual_cooldowns only;
#   poise_macros src/command/prefix.rs and slash.rs, is_framework_cooldown, reads the command first.
#   Documentation: docs.rs/poise/0.7.1, Command::manual_cooldowns ("Will override FrameworkOptions::manual_cooldowns").
# Protocol: discord/discord-api-docs, developers/events/gateway-events.mdx, "Message Create".
# Affected: commands with a cooldown in their attributes that decide themselves whether a call counts or who may pass.
#
# How it is shown: a client runs against a gateway on loopback in the same program, which sends each command twice. Both
# commands have a user cooldown of 60 s; the manual one starts it itself and lets every call pass.
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
poise = { version = "=0.7.1", default-features = false }
poise_macros = "=0.7.1"
# What serenity takes; pinned since serenity accepts any newer version.
reqwest = { version = "=0.12.28", default-features = false }
serde_json = "=1.0.154"
tokio = { version = "=1.54.1", features = ["macros", "net", "rt", "time"] }
tokio-tungstenite = { version = "=0.21.0", default-features = false, features = ["handshake"] }

[dependencies.serenity]
version = "=0.12.5"
default-features = false
features = ["client", "framework", "gateway", "model", "rustls_backend"]

[profile.dev]
debug = false
incremental = false
TOML

cat >src/main.rs <<'RUST'
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{json, Value};
use serenity::all::{ClientBuilder, GatewayIntents, HttpBuilder};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message as Ws;

/// A gateway: Hello, and the events after Identify. It answers no HTTP request.
async fn gateway(listener: TcpListener, events: Vec<(&'static str, Value)>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let events = events.clone();
        tokio::spawn(async move {
            let Ok(mut ws) = tokio_tungstenite::accept_async(stream).await else { return };
            ws.send(Ws::text(json!({ "op": 10, "d": { "heartbeat_interval": 41250 } }).to_string())).await.unwrap();
            while let Some(Ok(Ws::Text(text))) = ws.next().await {
                let sent: Value = serde_json::from_str(&text).unwrap();
                if sent["op"] == 1 {
                    ws.send(Ws::text(json!({ "op": 11 }).to_string())).await.unwrap();
                }
                if sent["op"] == 2 {
                    for (i, (name, data)) in events.iter().enumerate() {
                        let event = json!({ "op": 0, "s": i + 1, "t": name, "d": data });
                        ws.send(Ws::text(event.to_string())).await.unwrap();
                    }
                }
            }
        });
    }
}

fn ready() -> Value {
    json!({
        "v": 10, "guilds": [], "session_id": "session",
        "resume_gateway_url": "ws://127.0.0.1:1", "shard": [0, 1], "application": { "id": "2001", "flags": 0 },
        "user": { "id": "2001", "username": "bot", "discriminator": "0000", "global_name": null, "avatar": null,
            "bot": true, "mfa_enabled": true, "verified": true, "email": null }
    })
}

fn message(id: u64, content: &str) -> Value {
    json!({
        "id": id.to_string(), "channel_id": "3001", "content": content, "timestamp": "2024-01-01T00:00:00+00:00",
        "edited_timestamp": null, "tts": false, "mention_everyone": false, "mentions": [], "mention_roles": [],
        "attachments": [], "embeds": [], "pinned": false, "type": 0,
        "author": { "id": "1001", "username": "user", "discriminator": "0", "global_name": null, "avatar": null }
    })
}

#[derive(Default)]
struct Counts {
    ran: AtomicUsize,
    rejected: AtomicUsize,
}

type Error = Box<dyn std::error::Error + Send + Sync>;
type Context<'a> = poise::Context<'a, Arc<Counts>, Error>;

#[poise::command(prefix_command, manual_cooldowns, user_cooldown = 60)]
async fn manual(ctx: Context<'_>) -> Result<(), Error> {
    ctx.data().ran.fetch_add(1, SeqCst);
    ctx.command().cooldowns.lock().unwrap().start_cooldown(ctx.cooldown_context());
    Ok(())
}

#[poise::command(prefix_command, manual_cooldowns = false, user_cooldown = 60)]
async fn automatic(ctx: Context<'_>) -> Result<(), Error> {
    ctx.data().ran.fetch_add(1, SeqCst);
    Ok(())
}

/// Sends `content` twice; how often the command ran, and how often it was rejected because of its cooldown.
async fn twice(framework_is_manual: bool, content: &str) -> (usize, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let events = vec![
        ("READY", ready()),
        ("MESSAGE_CREATE", message(4001, content)),
        ("MESSAGE_CREATE", message(4002, content)),
    ];
    tokio::spawn(gateway(listener, events));

    let counts = Arc::new(Counts::default());
    let data = counts.clone();
    let framework = poise::Framework::builder()
        .options(poise::FrameworkOptions {
            commands: vec![manual(), automatic()],
            manual_cooldowns: framework_is_manual,
            initialize_owners: false,
            prefix_options: poise::PrefixFrameworkOptions { prefix: Some("!".into()), ..Default::default() },
            on_error: |error| {
                Box::pin(async move {
                    match error {
                        poise::FrameworkError::CooldownHit { ctx, .. } => ctx.data().rejected.fetch_add(1, SeqCst),
                        other => panic!("{other}"),
                    };
                })
            },
            ..Default::default()
        })
        .setup(|_, _, _| Box::pin(async move { Ok(data) }))
        .build();
    let http = HttpBuilder::new("token").proxy(format!("http://{address}")).ratelimiter_disabled(true).build();
    let intents = GatewayIntents::DIRECT_MESSAGES;
    let mut client = ClientBuilder::new_with_http(http, intents).framework(framework).await.unwrap();
    *client.ws_url.lock().await = format!("ws://{address}");
    tokio::spawn(async move { client.start().await });

    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (ran, rejected) = (counts.ran.load(SeqCst), counts.rejected.load(SeqCst));
        if ran + rejected == 2 {
            return (ran, rejected);
        }
    }
    panic!("two calls did not arrive within 20 s");
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let manual = twice(false, "!manual").await;
    let automatic = twice(true, "!automatic").await;

    let holds = manual == (1, 1) && automatic == (2, 0);
    let word = if holds { "holds" } else { "CHANGED" };
    println!(
        "{word}: poise 0.7.1, of two calls within the cooldown: a command with manual_cooldowns ran {} (rejected {}); \
         one with manual_cooldowns = false in a manual framework ran {} (rejected {})",
        manual.0, manual.1, automatic.0, automatic.1
    );
    std::process::exit(i32::from(!holds));
}
RUST

CARGO_TARGET_DIR=$dir/target cargo run --quiet
