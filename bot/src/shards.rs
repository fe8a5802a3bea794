//! Which shards run in this process, and when they may identify.
//!
//! serenity starts and stops single shards, but knows neither leases nor other processes. [`Division::run`] starts the first
//! shard with the client, which returns what ends the bot, and all others by the shard manager, each when its
//! IDENTIFY is permitted. A shard that serenity itself restarts, as after an invalid session, identifies at least 5 s after
//! the last one of this process, without asking the other processes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use database::{Database, IdentifyGate, IdentifyPermit, ShardLeases, Timing};
use sdk::database::DatabaseError;
use sdk::host::Host;
use sdk::serenity;
use sdk::serenity::all::{ApplicationId, Client, ShardId, ShardManager};
use sdk::tokio::sync::{OnceCell, broadcast, watch};
use sdk::tokio::time::timeout;
use sdk::tracing::{info, warn};

use crate::config::Shards;
use crate::health::Sessions;
use crate::starts::Starts;

/// Longest wait for `READY`, which follows the IDENTIFY.
const READY_WITHIN: Duration = Duration::from_secs(9);
/// Longest wait at the end for the database to take the shards back.
const LEFT_WITHIN: Duration = Duration::from_secs(1);
/// Close code after which a session can be resumed elsewhere.
const MOVED: u16 = 4000;
/// Shards that became ready and are not seen yet.
const NEWS: usize = 1024;

/// Why the shards cannot be run.
pub(crate) enum Stop {
    Discord(serenity::Error),
    Database(DatabaseError),
}

impl From<serenity::Error> for Stop {
    fn from(error: serenity::Error) -> Self {
        Self::Discord(error)
    }
}

impl From<DatabaseError> for Stop {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

/// The division of shards over processes.
pub(crate) struct Division {
    host: Host,
    database: Arc<Database>,
    application: ApplicationId,
    leases: OnceCell<Arc<ShardLeases>>,
    /// Sends the ids of shards that have become ready.
    ready: broadcast::Sender<u32>,
}

impl Division {
    pub(crate) fn new(host: &Host, database: Arc<Database>, application: ApplicationId) -> Self {
        let (host, leases, ready) = (host.clone(), OnceCell::new(), broadcast::Sender::new(NEWS));
        Self { host, database, application, leases, ready }
    }

    /// Returns a sender to report shards that have become ready.
    pub(crate) fn ready(&self) -> broadcast::Sender<u32> {
        self.ready.clone()
    }

    /// Runs the shards of this process. Returns when they are closed permanently.
    pub(crate) async fn run(
        &self,
        client: &mut Client,
        shards: &Shards,
        is_shared: bool,
        starts: &Starts,
        account: &Sessions,
    ) -> Result<(), Stop> {
        let application = self.application.get();
        let gate = if is_shared {
            Some(self.database.identify_gate(application, starts.max_concurrency, None).await?)
        } else {
            None
        };
        let (total, source) = match shards {
            Shards::All => return Ok(client.start_shards(starts.shards).await?),
            Shards::Fixed { total, ids } => {
                info!(total, shards = ?ids, "these shards run here");
                (*total, Source::Fixed(ids.iter().map(|id| (*id, 0)).collect()))
            }
            Shards::Auto => {
                let join = || async {
                    let leases =
                        self.database.shard_leases(application, starts.shards, Timing::default()).await?;
                    let filter = leases.clone();
                    self.host.set_shard_filter(Box::new(move |shard| filter.is_ours(shard)));
                    Ok::<_, DatabaseError>(leases)
                };
                let leases = self.leases.get_or_try_init(join).await?;
                (leases.total(), Source::Leases(leases.clone()))
            }
        };
        let quiet = watch::Sender::new(());
        let follower = Follower {
            manager: client.shard_manager.clone(),
            changes: match &source {
                Source::Fixed(_) => quiet.subscribe(),
                Source::Leases(leases) => leases.changes(),
            },
            source: source.clone(),
            gate,
            ready: self.ready.clone(),
            account,
            running: BTreeMap::new(),
        };
        let renewing = async {
            match &source {
                Source::Fixed(_) => std::future::pending().await,
                Source::Leases(leases) => leases.run().await,
            }
        };
        sdk::tokio::select! {
            outcome = follower.run(client, total) => Ok(outcome?),
            () = renewing => Ok(()),
        }
    }

    /// Releases the shards, once all are closed.
    pub(crate) async fn leave(&self) {
        let Some(leases) = self.leases.get() else { return };
        if !matches!(timeout(LEFT_WITHIN, leases.leave()).await, Ok(Ok(()))) {
            warn!(
                "the database has not taken the shards back; other processes take them when the lease has ended"
            );
        }
    }
}

/// What says which shards run here.
#[derive(Clone)]
enum Source {
    Fixed(BTreeMap<u32, i64>),
    Leases(Arc<ShardLeases>),
}

impl Source {
    /// Returns the shards that should run here, with their terms.
    fn held(&self) -> BTreeMap<u32, i64> {
        match self {
            Self::Fixed(shards) => shards.clone(),
            Self::Leases(leases) => leases.held(),
        }
    }

    fn leaving(&self) -> BTreeSet<u32> {
        match self {
            Self::Fixed(_) => BTreeSet::new(),
            Self::Leases(leases) => leases.leaving(),
        }
    }

    fn started(&self, shard: u32, term: i64) -> bool {
        match self {
            Self::Fixed(_) => true,
            Self::Leases(leases) => leases.started(shard, term),
        }
    }

    fn stopped(&self, shard: u32) {
        if let Self::Leases(leases) = self {
            leases.stopped(shard);
        }
    }
}

/// Starts and stops shards as its source says.
struct Follower<'a> {
    manager: Arc<ShardManager>,
    source: Source,
    gate: Option<Arc<IdentifyGate>>,
    changes: watch::Receiver<()>,
    ready: broadcast::Sender<u32>,
    account: &'a Sessions,
    /// Shards that were started, with their terms.
    running: BTreeMap<u32, i64>,
}

impl Follower<'_> {
    async fn run(mut self, client: &mut Client, total: u32) -> serenity::Result<()> {
        let (first, permit) = loop {
            match self.next().await {
                Some(next) => break next,
                None => self.changed().await,
            }
        };
        let ready = self.ready.subscribe();
        let following = async {
            self.identified(first, ready, permit).await;
            // The manager forgets what was started before the client has set the number of shards.
            while !self.manager.has(ShardId(first)).await {
                self.changed().await;
            }
            loop {
                self.stop().await;
                match self.next().await {
                    Some((shard, permit)) => {
                        let ready = self.ready.subscribe();
                        // `restart` waits for the end of a shard that is not there.
                        self.manager.shutdown_finished(ShardId(shard));
                        self.manager.restart(ShardId(shard)).await;
                        self.identified(shard, ready, permit).await;
                    }
                    None => self.changed().await,
                }
            }
        };
        sdk::tokio::select! {
            outcome = client.start_shard(first, total) => outcome,
            () = following => Ok(()),
        }
    }

    /// Waits until other shards should run, or the lease is renewed.
    async fn changed(&mut self) {
        // The sender lives as long as this.
        let _ = self.changes.changed().await;
    }

    /// Waits until something has to be stopped or started that was not known before.
    async fn differs(&mut self, held: &BTreeMap<u32, i64>) {
        loop {
            self.changed().await;
            if self.source.held() != *held || !self.source.leaving().is_empty() {
                return;
            }
        }
    }

    /// Stops the shards that should not run here.
    async fn stop(&mut self) {
        let held = self.source.held();
        let present = self.manager.shards_instantiated().await;
        let known = present.into_iter().map(|shard| shard.0).chain(self.running.keys().copied());
        let known: BTreeSet<u32> = known.collect();
        for shard in known {
            if held.get(&shard).is_none_or(|term| self.running.get(&shard) != Some(term)) {
                info!(shard, "the shard is stopped here");
                self.manager.shutdown(ShardId(shard), MOVED).await;
                self.running.remove(&shard);
                self.source.stopped(shard);
            }
        }
        for shard in self.source.leaving() {
            self.source.stopped(shard);
        }
    }

    /// Waits for permission to start the next shard. Returns `None` if there is none to start, or other shards should run.
    async fn next(&mut self) -> Option<(u32, Option<IdentifyPermit>)> {
        let held = self.source.held();
        self.account.own(held.keys().copied().collect());
        let (shard, term) = held.iter().find(|(shard, _)| !self.running.contains_key(shard))?;
        let permit = match self.gate.clone() {
            None => None,
            Some(gate) => sdk::tokio::select! {
                permit = gate.acquire(*shard) => Some(permit).filter(IdentifyPermit::is_valid)?.into(),
                () = self.differs(&held) => return None,
            },
        };
        if !self.source.started(*shard, *term) {
            return None;
        }
        info!(shard, "the shard is started here");
        self.running.insert(*shard, *term);
        Some((*shard, permit))
    }

    /// Keeps a permission until the shard has identified, or other shards should run.
    async fn identified(
        &mut self,
        shard: u32,
        mut ready: broadcast::Receiver<u32>,
        permit: Option<IdentifyPermit>,
    ) {
        // The permission lasts until the IDENTIFY is sent, also if this goes on earlier.
        let identifying = sdk::tokio::spawn(async move {
            let is_ready = async { while !matches!(ready.recv().await, Ok(other) if other == shard) {} };
            let _: Result<(), _> = timeout(READY_WITHIN, is_ready).await;
            drop(permit);
        });
        let held = self.source.held();
        sdk::tokio::select! {
            _ = identifying => {}
            () = self.differs(&held) => {}
        }
    }
}
