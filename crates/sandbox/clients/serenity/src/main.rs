//! An ordinary serenity bot; only the client's `Http` differs from one for discord.com.

#![allow(clippy::wildcard_imports, clippy::large_futures)] // As serenity's examples are written.

mod events;
mod interactions;
mod messages;
mod posts;
mod tour;

use std::env;
use std::sync::{Mutex, OnceLock};

use serenity::all::{ClientBuilder, GatewayIntents, GuildId, HttpBuilder, Message, Settings};
use tokio::signal::unix::{SignalKind, signal};

/// The state that the handlers keep between events.
#[derive(Default)]
struct Bot {
    guild: OnceLock<GuildId>,
    post: Mutex<Option<Message>>,
    poll: Mutex<Option<Message>>,
}

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome {
    tracing_subscriber::fmt().with_env_filter("serenity=warn").with_writer(std::io::stderr).init();
    let token = env::var("DISCORD_TOKEN")?;
    // serenity uses its proxy only while its own ratelimiter is off.
    let http = HttpBuilder::new(token).proxy(env::var("SANDBOX_URL")?).ratelimiter_disabled(true).build();
    let mut settings = Settings::default();
    settings.max_messages = 100;
    let mut client = ClientBuilder::new_with_http(http, GatewayIntents::all())
        .cache_settings(settings)
        .event_handler(Bot::default())
        .await?;
    let shards = client.shard_manager.clone();
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        terminate.recv().await;
        shards.shutdown_all().await;
    });
    client.start().await?;
    Ok(())
}
