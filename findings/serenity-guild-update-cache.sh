#!/usr/bin/env bash
# serenity: a guild in the cache keeps its old name and owner after GUILD_UPDATE.
#
# A good guess: the cache follows the gateway, so after GUILD_UPDATE the cached guild has the new name and owner.
#   serenity even implements CacheUpdate for GuildUpdateEvent, with nearly forty fields.
# What happens: the client gives the new guild to the handler and never runs that update. The cached guild keeps the
#   old data until the next GUILD_CREATE, usually that of the next new session. Roles and channels have events of their
#   own and do follow.
# Package: serenity 0.12.5, feature "cache".
# Source: src/client/dispatch.rs, update_cache_with_event, the arm Event::GuildUpdate: reads the cached guild for
#   old_data_if_available, has no update_cache! as its neighbours do. The unused update: src/cache/event.rs.
# Protocol: discord/discord-api-docs, developers/events/gateway-events.mdx, "Guild Update" (the payload is a guild
#   object) and "Guild Create Extra Fields"; developers/resources/guild.mdx, "Example Guild".
# Affected: bots that read name, owner, icon, features, verification level or AFK channel from the cache, and whatever
#   derives from them: Guild::member_permissions treats the former owner as the owner.
#
# How it is shown: a client runs against a gateway on loopback in the same program, which sends READY, GUILD_CREATE and
# GUILD_UPDATE. The same event given to Cache::update by hand changes the cached guild.
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
features = ["cache", "client", "gateway", "model", "rustls_backend"]

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

const GUILD: u64 = 197038439483310086;

fn guild(name: &str, owner: &str) -> Value {
    json!({
        "id": GUILD.to_string(), "name": name, "owner_id": owner, "icon": null, "description": null, "splash": null,
        "discovery_splash": null, "features": [], "emojis": [], "stickers": [], "banner": null, "application_id": null,
        "afk_channel_id": null, "afk_timeout": 300, "system_channel_id": null, "widget_enabled": false,
        "widget_channel_id": null, "verification_level": 3, "roles": [], "default_message_notifications": 1,
        "mfa_level": 1, "explicit_content_filter": 2, "max_presences": null, "max_members": 250000,
        "vanity_url_code": null, "premium_tier": 0, "premium_subscription_count": 0, "system_channel_flags": 0,
        "preferred_locale": "en-US", "rules_channel_id": null, "public_updates_channel_id": null,
        "safety_alerts_channel_id": null, "nsfw_level": 0, "premium_progress_bar_enabled": false
    })
}

fn guild_create() -> Value {
    let mut whole = guild("Old name", "1001");
    let extra = json!({
        "joined_at": "2024-01-01T00:00:00+00:00", "large": false, "unavailable": false, "member_count": 2,
        "voice_states": [], "members": [], "channels": [], "threads": [], "presences": [], "stage_instances": [],
        "guild_scheduled_events": [], "soundboard_sounds": []
    });
    whole.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    whole
}

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
        "v": 10, "guilds": [{ "id": GUILD.to_string(), "unavailable": true }], "session_id": "session",
        "resume_gateway_url": "ws://127.0.0.1:1", "shard": [0, 1], "application": { "id": "2001", "flags": 0 },
        "user": { "id": "2001", "username": "bot", "discriminator": "0000", "global_name": null, "avatar": null,
            "bot": true, "mfa_enabled": true, "verified": true, "email": null }
    })
}

struct Handler(mpsc::UnboundedSender<String>);

#[async_trait]
impl EventHandler for Handler {
    async fn guild_update(&self, _: Context, _old: Option<Guild>, new: PartialGuild) {
        self.0.send(new.name).unwrap();
    }
}

fn cached(cache: &Cache) -> (String, u64) {
    let guild = cache.guild(GuildId::new(GUILD)).unwrap();
    (guild.name.clone(), guild.owner_id.get())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let update = guild("New name", "1002");
    let events = vec![("READY", ready()), ("GUILD_CREATE", guild_create()), ("GUILD_UPDATE", update.clone())];
    tokio::spawn(gateway(listener, events));

    let (sender, mut handled) = mpsc::unbounded_channel();
    let http = HttpBuilder::new("token").proxy(format!("http://{address}")).ratelimiter_disabled(true).build();
    let mut client =
        ClientBuilder::new_with_http(http, GatewayIntents::GUILDS).event_handler(Handler(sender)).await.unwrap();
    *client.ws_url.lock().await = format!("ws://{address}");
    let cache = client.cache.clone();
    tokio::spawn(async move { client.start().await });

    let told = tokio::time::timeout(Duration::from_secs(20), handled.recv()).await.expect("no GUILD_UPDATE").unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (name, owner) = cached(&cache);

    let mut event: GuildUpdateEvent = serde_json::from_value(update).unwrap();
    cache.update(&mut event);
    let (by_hand, _) = cached(&cache);

    let holds = told == "New name" && name == "Old name" && owner == 1001 && by_hand == "New name";
    let word = if holds { "holds" } else { "CHANGED" };
    println!(
        "{word}: serenity 0.12.5, after GUILD_UPDATE (name {told:?}, owner 1002): the cached guild is {name:?}, owner \
         {owner}; Cache::update by hand gives {by_hand:?}"
    );
    std::process::exit(i32::from(!holds));
}
RUST

CARGO_TARGET_DIR=$dir/target cargo run --quiet
