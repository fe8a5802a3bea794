//! The bot's readiness.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use sdk::host::Host;
use sdk::serenity::all::ConnectionStage;

/// The state from which readiness is determined.
#[derive(Default)]
pub(crate) struct Standing {
    host: OnceLock<Host>,
    /// Number of the bot's shards; 0 until one has been ready.
    shards: AtomicU32,
    /// Shards that this process runs, where others run the rest.
    own: Mutex<Option<BTreeSet<u32>>>,
    was_ready: AtomicBool,
    is_held: AtomicBool,
}

/// Whether the bot is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// Every shard has a session and is connected.
    Ready {
        /// Number of shards.
        shards: u32,
    },
    /// Not every shard has had a session yet.
    Starting,
    /// Discord allows the bot hardly any more sessions for now.
    Held,
    /// A shard that had a session is not connected.
    Disconnected,
    /// The bot is about to exit.
    ShuttingDown,
}

/// One shard's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shard {
    /// Number, from 0.
    pub(crate) number: u32,
    /// Whether it has a session and is connected.
    pub(crate) connected: bool,
    /// Time from its last heartbeat to the response.
    pub(crate) latency: Option<Duration>,
}

impl Standing {
    pub(super) fn set_host(&self, host: &Host) {
        // Each run has only one host.
        let _ = self.host.set(host.clone());
    }

    pub(super) fn set_shards(&self, shards: u32) {
        self.shards.store(shards, Ordering::Relaxed);
    }

    /// Records which shards this process runs, where others run the rest.
    pub(super) fn set_own(&self, own: BTreeSet<u32>) {
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = Some(own);
    }

    /// Returns the numbers of the shards that this process runs; none until one has been ready or they are recorded.
    pub(crate) fn own(&self) -> BTreeSet<u32> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.clone().unwrap_or_else(|| (0..self.shards()).collect())
    }

    /// Returns whether other processes run shards too.
    fn is_divided(&self) -> bool {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Records whether the bot waits until it may start sessions.
    pub(super) fn set_held(&self, is_held: bool) {
        self.is_held.store(is_held, Ordering::Relaxed);
    }

    /// Returns the host, once it is set.
    pub(crate) fn host(&self) -> Option<&Host> {
        self.host.get()
    }

    /// Returns the shards' connections, in order. A shard that is being restarted may be missing.
    pub(crate) async fn connections(&self) -> BTreeSet<Shard> {
        let Some(manager) = self.host.get().and_then(Host::shards) else { return BTreeSet::new() };
        let runners = manager.runners.lock().await;
        let shards = runners.iter().map(|(shard, runner)| Shard {
            number: shard.0,
            connected: runner.stage == ConnectionStage::Connected,
            latency: runner.latency,
        });
        shards.collect()
    }

    /// Returns the number of shards; 0 until one has been ready.
    pub(crate) fn shards(&self) -> u32 {
        self.shards.load(Ordering::Relaxed)
    }

    /// Returns the current readiness.
    pub(crate) async fn readiness(&self) -> Readiness {
        if self.host.get().is_some_and(Host::is_closing) {
            return Readiness::ShuttingDown;
        }
        let connections = self.connections().await;
        let connected: BTreeSet<u32> =
            connections.iter().filter(|shard| shard.connected).map(|shard| shard.number).collect();
        let own = self.own();
        // A process for which no shard is left stands by.
        if (self.is_divided() || !own.is_empty()) && own.is_subset(&connected) {
            self.was_ready.store(true, Ordering::Relaxed);
            return Readiness::Ready { shards: u32::try_from(own.len()).unwrap_or(u32::MAX) };
        }
        if self.is_held.load(Ordering::Relaxed) {
            return Readiness::Held;
        }
        if self.was_ready.load(Ordering::Relaxed) { Readiness::Disconnected } else { Readiness::Starting }
    }
}

impl Readiness {
    /// Returns why the bot is not ready; `None` if it is.
    pub(crate) const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Ready { .. } => None,
            Self::Starting => Some("starting"),
            Self::Held => Some("waiting until sessions may be started"),
            Self::Disconnected => Some("disconnected"),
            Self::ShuttingDown => Some("shutting down"),
        }
    }
}
