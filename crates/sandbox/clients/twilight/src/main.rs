//! An ordinary twilight bot; only `proxy` and `proxy_url` differ from one for discord.com.

mod commands;
mod events;
mod interactions;
mod layouts;
mod messages;
mod posts;
mod tour;

use std::env;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, OnceCell, mpsc};
use twilight_cache_inmemory::InMemoryCache;
use twilight_gateway::{
    CloseFrame, ConfigBuilder, Event, EventTypeFlags, Intents, MessageSender, Shard, ShardId, StreamExt as _,
};
use twilight_http::Client;
use twilight_model::channel::Message;
use twilight_model::gateway::payload::incoming::MemberChunk;
use twilight_model::id::Id;
use twilight_model::id::marker::{ApplicationMarker, ChannelMarker, GuildMarker, MessageMarker};

/// The state that every handler uses.
struct Bot {
    http: Client,
    cache: InMemoryCache,
    gateway: MessageSender,
    home: OnceCell<Home>,
    post: Mutex<Option<Message>>,
    poll: Mutex<Option<Id<MessageMarker>>>,
    chunks: Mutex<Option<mpsc::UnboundedSender<MemberChunk>>>,
}

/// The guild, and its channels that the bot writes to.
struct Home {
    application: Id<ApplicationMarker>,
    guild: Id<GuildMarker>,
    general: Id<ChannelMarker>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_env_filter("warn").with_writer(std::io::stderr).init();
    // By twilight's documentation: one provider of cryptography for the process.
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("a provider of cryptography is set already"))?;
    let (url, token) = (env::var("SANDBOX_URL")?, env::var("DISCORD_TOKEN")?);
    let address = url.strip_prefix("http://").context("SANDBOX_URL begins with http://")?;
    let http = Client::builder().token(token.clone()).proxy(address.to_owned(), true).build();
    let config = ConfigBuilder::new(token, Intents::all()).proxy_url(format!("ws://{address}")).build();
    let mut shard = Shard::with_config(ShardId::ONE, config);
    let bot = Arc::new(Bot {
        http,
        cache: InMemoryCache::new(),
        gateway: shard.sender(),
        home: OnceCell::new(),
        post: Mutex::default(),
        poll: Mutex::default(),
        chunks: Mutex::default(),
    });
    let mut terminate = signal(SignalKind::terminate())?;
    let mut closed = None;
    loop {
        let event = tokio::select! {
            event = shard.next_event(EventTypeFlags::all()) => event,
            _ = terminate.recv() => {
                shard.close(CloseFrame::NORMAL);
                while let Some(event) = shard.next_event(EventTypeFlags::all()).await {
                    if matches!(event, Ok(Event::GatewayClose(_))) {
                        break;
                    }
                }
                return Ok(());
            }
        };
        match event {
            Some(Ok(Event::GatewayClose(frame))) => closed = frame,
            Some(Ok(event)) => {
                let before = events::before(&bot, &event);
                bot.cache.update(&event);
                let bot = Arc::clone(&bot);
                tokio::spawn(async move {
                    if let Err(error) = events::handle(&bot, event, before).await {
                        eprintln!("error: {error:?}");
                    }
                });
            }
            Some(Err(error)) => eprintln!("error: {:?}", anyhow::Error::from(error)),
            None => anyhow::bail!("the gateway has closed for good: {closed:?}"),
        }
    }
}
