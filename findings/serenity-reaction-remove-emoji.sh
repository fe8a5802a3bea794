#!/usr/bin/env bash
# serenity: MESSAGE_REACTION_REMOVE_EMOJI as documented is not delivered to the handler.
#
# A good guess: reaction_remove_emoji of the EventHandler runs when a bot removes all reactions of one emoji.
# What happens: the event does not parse, and the handler does not run. The type of the event is that of a single
#   reaction, which requires "burst" and "type"; the documented event has neither, since it concerns many reactions.
#   The client logs a warning (target serenity::gateway) and reads on; nothing else tells the bot.
# Package: serenity 0.12.5.
# Source: src/model/event.rs, ReactionRemoveEmojiEvent (transparent over Reaction); src/model/channel/reaction.rs, the
#   fields burst and reaction_type of Reaction; src/gateway/ws.rs, recv_json.
# Protocol: discord/discord-api-docs, developers/events/gateway-events.mdx, "Message Reaction Remove Emoji": channel_id,
#   guild_id?, message_id, emoji.
# Affected: bots that keep counts of reactions, such as polls and starboards: their count stays when a moderator bot
#   clears one emoji. raw_event does not get it either, it runs after parsing.
#
# How it is shown: a client runs against a gateway on loopback in the same program, which sends the event and, after it,
# MESSAGE_REACTION_REMOVE_ALL. Only the second arrives.
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
use tokio::net::TcpListener;
use tokio::sync::mpsc;
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

struct Handler(mpsc::UnboundedSender<&'static str>);

#[async_trait]
impl EventHandler for Handler {
    async fn reaction_remove_emoji(&self, _: Context, _removed: Reaction) {
        self.0.send("remove_emoji").unwrap();
    }
    async fn reaction_remove_all(&self, _: Context, _channel: ChannelId, _message: MessageId) {
        self.0.send("remove_all").unwrap();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let all = json!({ "channel_id": "3001", "guild_id": "3002", "message_id": "3003" });
    let mut emoji = all.clone();
    emoji["emoji"] = json!({ "id": null, "name": "\u{1f525}" });
    let events = vec![
        ("READY", ready()),
        ("MESSAGE_REACTION_REMOVE_EMOJI", emoji.clone()),
        ("MESSAGE_REACTION_REMOVE_ALL", all),
    ];
    tokio::spawn(gateway(listener, events));

    let (sender, mut handled) = mpsc::unbounded_channel();
    let http = HttpBuilder::new("token").proxy(format!("http://{address}")).ratelimiter_disabled(true).build();
    let intents = GatewayIntents::GUILD_MESSAGE_REACTIONS;
    let mut client = ClientBuilder::new_with_http(http, intents).event_handler(Handler(sender)).await.unwrap();
    *client.ws_url.lock().await = format!("ws://{address}");
    tokio::spawn(async move { client.start().await });

    let mut ran = vec![tokio::time::timeout(Duration::from_secs(20), handled.recv()).await.expect("no event").unwrap()];
    tokio::time::sleep(Duration::from_millis(300)).await;
    while let Ok(more) = handled.try_recv() {
        ran.push(more);
    }
    let why = match serde_json::from_value::<ReactionRemoveEmojiEvent>(emoji) {
        Ok(_) => "it parses".to_owned(),
        Err(error) => error.to_string(),
    };

    let holds = ran == ["remove_all"] && why.contains("missing field");
    let word = if holds { "holds" } else { "CHANGED" };
    println!(
        "{word}: serenity 0.12.5, sent MESSAGE_REACTION_REMOVE_EMOJI and MESSAGE_REACTION_REMOVE_ALL as documented: \
         handlers that ran {ran:?}; parsing the first: {why}"
    );
    std::process::exit(i32::from(!holds));
}
RUST

CARGO_TARGET_DIR=$dir/target cargo run --quiet
