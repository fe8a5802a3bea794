//! Health and metrics over HTTP, for service managers, containers and Prometheus.
//!
//! # Theory of operation
//!
//! A small server serves three pages, on the runtime that runs the bot: `/health` whenever that runtime responds at
//! all, `/ready` while every shard has a session at Discord's gateway, and `/metrics` with metrics in OpenMetrics' text
//! format. It opens before the bot connects to Discord and closes with the process, so that a start and a shutdown are
//! visible too. An observer of dispatch counts each event and call; gauges are read with each request.
//!
//! No page contains users, servers or secrets. A request is limited to a few seconds and a few kilobytes, and when too
//! many connections are open the oldest is closed, so that slow clients do not affect others.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use sdk::host::Host;
use sdk::observer::Observer;
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
    /// Opens the server, if configured.
    ///
    /// # Errors
    /// If it cannot listen on an address that was configured explicitly.
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
                %address,
                %error,
                "health and metrics are not served; set HEALTH_ADDR to another address, or to off"
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

    /// Returns the observer of dispatch, if metrics are served.
    pub(crate) fn observer(&self) -> Option<Arc<dyn Observer>> {
        self.is_served.then(|| self.metrics.clone() as _)
    }

    /// Reports on this host from now on.
    pub(crate) fn watch(&mut self, host: &Host) {
        self.standing.set_host(host);
        if self.is_served {
            self.work.spawn(self.metrics.clone().follow_voice(host.voice().listen()));
            #[cfg(feature = "hmr")]
            self.work.spawn(self.metrics.clone().follow_reloads(host.bus().listen()));
        }
    }

    /// Returns a handle to report gateway sessions.
    pub(crate) fn sessions(&self) -> Sessions {
        Sessions { standing: self.standing.clone(), metrics: self.metrics.clone() }
    }
}

async fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Records gateway sessions and waits for REST's limits.
pub(crate) struct Sessions {
    standing: Arc<Standing>,
    metrics: Arc<Metrics>,
}

impl Sessions {
    /// Records that one of `of` shards has a new session.
    pub(crate) fn ready(&self, shard: u32, of: u32) {
        self.standing.set_shards(of);
        self.metrics.identified(shard);
    }

    /// Records which shards this process runs, where others run the rest.
    pub(crate) fn own(&self, shards: std::collections::BTreeSet<u32>) {
        self.standing.set_own(shards);
    }

    /// Records that the bot waits until it may start sessions, until the returned value is dropped.
    pub(crate) fn hold(&self) -> Held<'_> {
        self.standing.set_held(true);
        Held(&self.standing)
    }

    /// Records that a shard has resumed its session.
    pub(crate) fn resumed(&self, shard: u32) {
        self.metrics.resumed(shard);
    }

    /// Records that a request has waited for its limit, or for the global one.
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
