//! A gateway between Discord and the bot.
//!
//! It keeps one session with Discord for each shard and what the bot's process needs of it: the guilds as raw JSON, and for
//! a bounded time the events that no host has been sent. A host connects to it as to Discord's gateway (v10, JSON, no
//! compression). A host that ends, whatever the reason, costs no session: the next one is answered with READY and the
//! guilds as they are.
//!
//! - `upstream`: the session with Discord, by twilight. `limits`: the rate of commands.
//! - `shard`: what a session knows and which host it belongs to; `state`: the guilds; `hold`: events that wait;
//!   `session`: the events that a host was sent, for a RESUME.
//! - `downstream`: the server for hosts. `tap`: raw events. [`client`]: what a host says and asks beside serenity.
//! - `status`: what it reports.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;
use tokio::sync::{OnceCell, mpsc};
use tokio::task::JoinSet;
pub use twilight_gateway_queue::Queue;

use crate::shard::{Shard, SharedShard};
pub use crate::status::{SessionId, ShardStatus, Status, StoredSession};
use crate::tap::Tap;
pub use crate::tap::{RawEvent, RawEvents};
use crate::upstream::{SharedQueue, Wishes};

pub mod client;
mod downstream;
mod frame;
mod hold;
mod limits;
mod session;
mod shard;
mod state;
mod status;
mod tap;
mod upstream;

/// Discord's gateway, as GET /gateway/bot names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discord {
    /// Address, without a query.
    pub url: String,
    /// IDENTIFYs that may be sent in 5 seconds.
    pub max_concurrency: u16,
}

/// Finds Discord's gateway before the first session. It may wait until a session may be started; the error is a sentence.
pub type FindDiscord =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<Discord, String>> + Send>> + Send + Sync>;

/// How a gateway works.
pub struct Options {
    /// The bot's token, which hosts must know as well.
    pub token: String,
    /// Finds Discord's gateway.
    pub discord: FindDiscord,
    /// Queue of IDENTIFYs; `None` means twilight's in memory, with Discord's `max_concurrency`.
    pub queue: Option<Arc<dyn Queue + Send + Sync>>,
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Address by which hosts reach it; `None` means where it listens.
    pub public_url: Option<String>,
    /// Sessions to resume.
    pub sessions: Vec<StoredSession>,
    /// Time for which an event waits for a host.
    pub hold_time: Duration,
    /// Bytes of the events of a shard that wait for a host.
    pub hold_bytes: usize,
    /// Events of a shard that can be replayed to a host that resumes.
    pub replay_events: usize,
    /// Bytes of these events.
    pub replay_bytes: usize,
    /// Members, and presences, that are kept of a guild.
    pub members_per_guild: usize,
}

impl Options {
    /// Creates options for a free port of the loopback interface.
    pub fn new(token: impl Into<String>, discord: FindDiscord) -> Self {
        Self {
            token: token.into(),
            discord,
            queue: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_url: None,
            sessions: Vec::new(),
            hold_time: Duration::from_mins(5),
            hold_bytes: 64 << 20,
            replay_events: 16_384,
            replay_bytes: 16 << 20,
            members_per_guild: 1000,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Options").field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// A running gateway. Dropping it ends it without closing the sessions, which Discord keeps for a while.
pub struct Gateway {
    core: Arc<Core>,
    server: JoinSet<()>,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gateway").field("url", &self.core.url).finish_non_exhaustive()
    }
}

impl Gateway {
    /// Starts to listen. The first host that identifies starts the session with Discord.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub async fn start(mut options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let token = options.token.trim();
        options.token = token.strip_prefix("Bot ").unwrap_or(token).to_owned();
        let url = match options.public_url.take() {
            Some(url) => url,
            None => format!("ws://{}", listener.local_addr()?),
        };
        let secret = Sha256::digest(options.token.as_bytes()).into();
        let stored = std::mem::take(&mut options.sessions);
        let core = Arc::new(Core {
            options,
            url,
            secret,
            stored: Mutex::new(stored.into_iter().map(|stored| (stored.shard.0, stored)).collect()),
            shards: Mutex::new(HashMap::new()),
            tap: Tap::default(),
            upstream: OnceCell::new(),
            tasks: Mutex::new(JoinSet::new()),
            connections: AtomicU64::new(0),
            answering: AtomicUsize::new(0),
        });
        let mut server = JoinSet::new();
        server.spawn(downstream::serve(core.clone(), listener));
        Ok(Self { core, server })
    }

    /// Returns the address for hosts: `ws://host:port`.
    pub fn url(&self) -> &str {
        &self.core.url
    }

    /// Returns raw events of all shards with these names; with none, all events.
    pub fn subscribe(&self, names: BTreeSet<String>) -> RawEvents {
        self.core.tap.subscribe(names)
    }

    /// Returns what the gateway keeps and how it is connected.
    pub fn status(&self) -> Status {
        let mut shards: Vec<_> = self.core.all().iter().map(|shard| shard.status()).collect();
        shards.sort_by_key(|shard| shard.id);
        Status { shards }
    }

    /// Returns the sessions with Discord with their state, for a later start.
    pub fn sessions(&self) -> Vec<StoredSession> {
        self.core.all().iter().filter_map(|shard| shard.store()).collect()
    }

    /// Ends the gateway and closes the sessions with Discord, so that the bot is offline.
    pub async fn shutdown(mut self) {
        self.server.shutdown().await;
        self.core.end(1000).await;
    }

    /// Ends the gateway and leaves the sessions with Discord to be resumed. Returns them.
    pub async fn suspend(mut self) -> Vec<StoredSession> {
        self.server.shutdown().await;
        self.core.end(4000).await;
        self.sessions()
    }
}

/// What all connections and tasks share.
pub(crate) struct Core {
    options: Options,
    url: String,
    secret: [u8; 32],
    stored: Mutex<HashMap<u32, StoredSession>>,
    shards: Mutex<HashMap<u32, SharedShard>>,
    pub(crate) tap: Tap,
    upstream: OnceCell<(String, SharedQueue)>,
    tasks: Mutex<JoinSet<()>>,
    connections: AtomicU64,
    /// Hosts that report which interactions they answer.
    pub(crate) answering: AtomicUsize,
}

impl Core {
    /// Returns whether a text is the token. Takes equally long for every text.
    pub(crate) fn is_token(&self, text: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(text.strip_prefix("Bot ").unwrap_or(text).as_bytes()).into();
        digest.ct_eq(&self.secret).into()
    }

    pub(crate) fn token(&self) -> &str {
        &self.options.token
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns Discord's address and the queue of IDENTIFYs.
    pub(crate) async fn upstream(&self) -> Result<(String, SharedQueue), String> {
        let found = self.upstream.get_or_try_init(|| async {
            let Discord { url, max_concurrency } = (self.options.discord)().await?;
            if !url.starts_with("ws://") && !url.starts_with("wss://") {
                return Err("the address of Discord's gateway does not begin with ws:// or wss://".to_owned());
            }
            let queue = match &self.options.queue {
                Some(queue) => SharedQueue(queue.clone()),
                None => upstream::queue_in_memory(max_concurrency),
            };
            Ok((url, queue))
        });
        found.await.cloned()
    }

    /// Returns the shard that a host identifies as, and starts it if it does not run or was started otherwise. The second
    /// value is `true` if it was started.
    pub(crate) fn shard(
        self: &Arc<Self>,
        (id, total): (u32, u32),
        intents: u64,
        wishes: Wishes,
    ) -> (SharedShard, bool) {
        let mut shards = self.shards.lock();
        shards.retain(|_, shard| {
            if shard.total != total {
                tracing::warn!(
                    shard = shard.id,
                    was = shard.total,
                    is = total,
                    "the number of shards has changed, so the session ends"
                );
                shard.stop.send_replace(Some(1000));
            }
            shard.total == total
        });
        match shards.get(&id) {
            Some(shard) if shard.is_refused() => {}
            Some(shard) if shard.intents == intents => return (shard.clone(), false),
            Some(shard) => {
                tracing::warn!(
                    shard = id,
                    was = shard.intents,
                    is = intents,
                    "the host's intents have changed, so a new session with Discord begins"
                );
                shard.stop.send_replace(Some(1000));
            }
            None => {}
        }
        let (sender, commands) = mpsc::channel(limits::WAITING);
        let shard = Arc::new(Shard::new((id, total), intents, &self.options, sender));
        let stored = self
            .stored
            .lock()
            .remove(&id)
            .filter(|stored| stored.shard == (id, total) && stored.intents == intents);
        if let Some(stored) = &stored {
            shard.restore(stored);
        }
        self.tasks.lock().spawn(upstream::run(self.clone(), shard.clone(), wishes, stored, commands));
        shards.insert(id, shard.clone());
        (shard, true)
    }

    /// Returns all running shards.
    pub(crate) fn all(&self) -> Vec<SharedShard> {
        self.shards.lock().values().cloned().collect()
    }

    /// Ends all sessions with Discord with this close code.
    async fn end(&self, code: u16) {
        for shard in self.all() {
            shard.stop.send_replace(Some(code));
        }
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        while tasks.join_next().await.is_some() {}
    }
}
