//! Health and metrics over HTTP, for service managers, containers and Prometheus.
//!
//! # Theory of operation
//!
//! A small server of its own answers three pages, on the runtime that runs the bot: `/health` whenever that runtime
//! answers at all, `/ready` while every shard has a session at Discord's gateway, and `/metrics` with figures in
//! OpenMetrics' text. It opens before the bot talks to Discord and closes with the process, so that a start and an end are
//! seen too. Figures come from an observer that dispatch tells of each event and call; gauges are read when somebody asks.
//!
//! No page tells who uses the bot or where, and none holds a secret. A request has a few seconds and a few kilobytes, and
//! when too many connections are open the oldest is dropped, so that whoever is slow hurts nobody else.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use sdk::host::Host;
use sdk::tokio::net::TcpListener;
use sdk::tokio::task::JoinSet;
use sdk::tracing::{info, warn};

use crate::config;
use crate::failure::Failure;
use crate::metrics::Metrics;
use pages::Pages;
pub(crate) use standing::Standing;

pub(crate) mod ask;
mod hosts;
mod pages;
mod server;
mod standing;

/// Serves health and metrics until it is dropped.
pub(crate) struct Health {
    standing: Arc<Standing>,
    metrics: Arc<Metrics>,
    is_served: bool,
    work: JoinSet<()>,
}

impl Health {
    /// Opens the server where the configuration wants it.
    ///
    /// # Errors
    /// When it wants it somewhere else than usual, and that cannot be.
    pub(crate) async fn open(setting: config::Health) -> Result<Self, Failure> {
        let mut health = Self {
            standing: Arc::default(),
            metrics: Arc::new(Metrics::new()),
            is_served: false,
            work: JoinSet::new(),
        };
        let Some(address) = setting.address() else { return Ok(health) };
        match listen(address).await {
            Ok((listener, address)) => {
                info!(%address, "health and metrics are served");
                let pages = Pages::new(health.standing.clone(), health.metrics.clone());
                health.work.spawn(server::serve(listener, Arc::new(pages)));
                health.is_served = true;
            }
            Err(error) if setting == config::Health::Usual => warn!(
                "health and metrics are not served, because {address} cannot be listened on ({error}); set HEALTH_ADDR \
                 to another address, or to off"
            ),
            Err(error) => {
                return Err(Failure::configuration(format!(
                    "HEALTH_ADDR is '{address}', which cannot be listened on ({error}); name another address, port 0 \
                     for any free one, or off."
                )));
            }
        }
        Ok(health)
    }

    /// Tells of this host from now on.
    pub(crate) fn watch(&mut self, host: &Host) {
        self.standing.set_host(host);
        if self.is_served {
            host.set_observer(self.metrics.clone());
            self.work.spawn(self.metrics.clone().follow_voice(host.voice().listen()));
            #[cfg(feature = "hmr")]
            self.work.spawn(self.metrics.clone().follow_reloads(host.bus().listen()));
        }
    }

    /// Gives who hears of sessions as they begin.
    pub(crate) fn sessions(&self) -> Sessions {
        Sessions { standing: self.standing.clone(), metrics: self.metrics.clone() }
    }
}

async fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Hears of the gateway's sessions and of REST's limits.
pub(crate) struct Sessions {
    standing: Arc<Standing>,
    metrics: Arc<Metrics>,
}

impl Sessions {
    /// Hears that one of so many shards has a new session.
    pub(crate) fn ready(&self, shard: u32, of: u32) {
        self.standing.set_shards(of);
        self.metrics.identified(shard);
    }

    /// Hears that the bot waits until it may start sessions, for as long as what is given lives.
    pub(crate) fn hold(&self) -> Held<'_> {
        self.standing.set_held(true);
        Held(&self.standing)
    }

    /// Hears that a shard has its session back.
    pub(crate) fn resumed(&self, shard: u32) {
        self.metrics.resumed(shard);
    }

    /// Hears that a request has waited for its limit, or for the one that counts all requests.
    pub(crate) fn limited(&self, is_global: bool, wait: std::time::Duration) {
        self.metrics.limited(is_global, wait);
    }
}

/// A wait until sessions may be started.
pub(crate) struct Held<'a>(&'a Standing);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.set_held(false);
    }
}
