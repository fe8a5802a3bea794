//! The session with Discord: twilight keeps it, this module starts it and hands on what it receives.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use twilight_gateway::error::ReceiveMessageErrorType;
use twilight_gateway::queue::{InMemoryQueue, Queue};
use twilight_gateway::{CloseFrame, ConfigBuilder, Intents, Message, Session, ShardId};
use twilight_model::gateway::payload::outgoing::identify::IdentifyProperties;

use crate::Core;
use crate::limits::Limits;
use crate::shard::{Close, SharedShard};
use crate::status::StoredSession;

/// Time between two attempts to learn Discord's address.
const AGAIN: Duration = Duration::from_secs(5);
/// Longest wait for the end of a session.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);
/// IDENTIFYs of a day, which the in-memory queue counts. Discord's own count is the caller's to watch.
const STARTS: u32 = 1000;
const DAY: Duration = Duration::from_hours(24);

/// Any queue of IDENTIFYs.
#[derive(Clone)]
pub(crate) struct SharedQueue(pub(crate) Arc<dyn Queue + Send + Sync>);

impl Queue for SharedQueue {
    fn enqueue(&self, id: u32) -> oneshot::Receiver<()> {
        self.0.enqueue(id)
    }
}

/// Returns twilight's queue in memory.
pub(crate) fn queue_in_memory(max_concurrency: u16) -> SharedQueue {
    SharedQueue(Arc::new(InMemoryQueue::new(max_concurrency.max(1), STARTS, DAY, STARTS)))
}

/// What a host asks for with its IDENTIFY, besides shard and intents.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) large_threshold: Option<u64>,
    pub(crate) presence: Option<Box<RawValue>>,
}

/// Keeps the session of a shard until it is stopped or Discord refuses the bot.
pub(crate) async fn run(
    core: Arc<Core>,
    shard: SharedShard,
    wishes: Wishes,
    stored: Option<StoredSession>,
    mut commands: mpsc::Receiver<String>,
) {
    let mut stop = shard.stop.subscribe();
    let (url, queue) = loop {
        let error = tokio::select! {
            found = core.upstream() => match found {
                Ok(found) => break found,
                Err(error) => error,
            },
            _ = stop.changed() => return,
        };
        tracing::warn!(
            shard = shard.id,
            error,
            again_in_ms = AGAIN.as_millis(),
            "Discord's gateway is not known yet"
        );
        tokio::select! {
            () = sleep(AGAIN) => {}
            _ = stop.changed() => return,
        }
    };
    let mut config = ConfigBuilder::new(core.token().to_owned(), Intents::from_bits_retain(shard.intents))
        .identify_properties(IdentifyProperties::new("hotcord", "hotcord", std::env::consts::OS))
        .large_threshold(wishes.large_threshold.unwrap_or(50).clamp(50, 250))
        .proxy_url(url.trim_end_matches('/').to_owned())
        .queue(queue);
    // serenity writes `since` as an object, which Discord ignores.
    if let Some(mut presence) =
        wishes.presence.and_then(|text| serde_json::from_str::<Value>(text.get()).ok())
    {
        if !presence["since"].is_u64() {
            presence["since"] = Value::Null;
        }
        match serde_json::from_value(presence) {
            Ok(presence) => config = config.presence(presence),
            Err(error) => tracing::warn!(shard = shard.id, %error, "the presence of IDENTIFY is left out"),
        }
    }
    if let Some(stored) = stored {
        let session = stored.session;
        config = config.session(Session::new(session.sequence, session.id));
        if !session.resume_url.is_empty() {
            config = config.resume_url(session.resume_url);
        }
    }
    let mut discord =
        twilight_gateway::Shard::with_config(ShardId::new(shard.id, shard.total), config.build());
    let sender = discord.sender();
    let (mut limits, mut closed) = (Limits::default(), None);
    loop {
        let may_send_at = limits.next();
        tokio::select! {
            message = discord.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    if let Some(event) = shard.receive(&text) {
                        core.tap.publish(&event);
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    shard.disconnected();
                    closed = frame.map(|frame| Close { code: frame.code, reason: frame.reason.into_owned() });
                    let code = closed.as_ref().map(|close| close.code);
                    tracing::info!(shard = shard.id, code, "the connection to Discord is closed");
                }
                // The text of an error contains the event.
                Some(Err(error)) => {
                    let words = match error.kind() {
                        ReceiveMessageErrorType::Reconnect => "Discord cannot be reached yet",
                        _ => "a message of Discord cannot be read",
                    };
                    tracing::warn!(shard = shard.id, "{words}");
                }
                None => {
                    let close = closed.unwrap_or(Close { code: 4000, reason: String::new() });
                    tracing::error!(shard = shard.id, code = close.code, "Discord refuses the bot");
                    shard.refuse(close);
                    return;
                }
            },
            Some(command) = async {
                if let Some(at) = may_send_at {
                    sleep_until(at).await;
                }
                commands.recv().await
            } => {
                limits.sent(Instant::now());
                let _ = sender.send(command);
            }
            _ = stop.changed() => {
                let code = (*stop.borrow()).unwrap_or(CloseFrame::NORMAL.code);
                discord.close(CloseFrame::new(code, "closing connection"));
                let end = async {
                    while let Some(message) = discord.next().await {
                        if matches!(message, Ok(Message::Close(_)) | Err(_)) {
                            break;
                        }
                    }
                };
                let _ = timeout(CLOSE_WITHIN, end).await;
                shard.disconnected();
                return;
            }
        }
    }
}
