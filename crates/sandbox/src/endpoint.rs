//! Requests to the endpoints of applications: interactions, webhook events, and the PINGs that verify an address.
//!
//! # Layout
//! - `target`: which addresses may be reached;
//! - `request`: one signed request, and its answer within bounds;
//! - `verify`: whether an address may be set;
//! - `interactions`, `events`: what is sent, what counts as its answer, and the faults that strike it.

mod events;
mod interactions;
mod request;
mod target;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::event_log::{Event, EventLog};
use crate::fault::{Faults, GatewayEffect, Place, Strike};
use crate::live::Discord;
use crate::live::outbox::Outgoing;
use crate::parity::Gaps;
use crate::snowflake::Snowflake;
use crate::state::endpoint::Endpoint;
pub(crate) use target::Targets;

/// Most webhook events that are sent at once.
const EVENTS_AT_ONCE: usize = 64;

/// Handle to what sends requests to endpoints. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    discord: Arc<Discord>,
    log: EventLog,
    faults: Faults,
    gaps: Gaps,
    targets: Targets,
    http: Result<reqwest::Client, String>,
    events: Semaphore,
}

impl Endpoints {
    /// Creates a sender that also reaches these hosts outside of private networks. Without a list it sends nothing at all.
    pub(crate) fn new(
        discord: Arc<Discord>,
        log: EventLog,
        faults: Faults,
        gaps: Gaps,
        hosts: Option<&[String]>,
    ) -> Self {
        let offline = hosts.is_none().then(|| "this sandbox sends no requests".to_owned());
        let targets = Targets::new(hosts.unwrap_or_default());
        let http = offline.map_or_else(|| request::client(&targets), Err);
        let events = Semaphore::new(EVENTS_AT_ONCE);
        Self(Arc::new(Inner { discord, log, faults, gaps, targets, http, events }))
    }

    /// Sends what the world wants to be sent, until the sandbox stops. What is on its way then is given up.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<bool>) {
        let mut sending = JoinSet::new();
        loop {
            tokio::select! {
                outgoing = self.0.discord.outbox().next() => {
                    let inner = Arc::clone(&self.0);
                    match outgoing {
                        Outgoing::Interaction { id, application, payload } => {
                            sending.spawn(async move { inner.send_interaction(id, application, payload).await });
                        }
                        Outgoing::Event(id) => {
                            sending.spawn(async move { inner.send_event(id).await });
                        }
                    }
                }
                Some(_) = sending.join_next() => {}
                // The sender exists as long as the sandbox itself.
                _ = stopped.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Checks that an address can be set: requests may be sent to it, and it answers PINGs as it has to. The error is one
    /// sentence without its end.
    pub(crate) async fn verify(
        &self,
        application: Snowflake,
        endpoint: Endpoint,
        url: &str,
    ) -> Result<(), String> {
        self.0.verify(application, endpoint, url).await
    }

    /// Checks only that requests may be sent to an address. The error is one sentence without its end.
    pub(crate) fn check(&self, url: &str) -> Result<(), String> {
        self.0.targets.check(url).map(drop)
    }
}

impl Inner {
    /// Returns the time within which an endpoint has to answer.
    fn deadline(&self) -> Duration {
        self.discord.limits().response
    }

    /// Finds the fault that strikes a delivery, logs it, waits for its delay, and returns its effect and number.
    async fn strike(&self, application: Snowflake, event: &str) -> (GatewayEffect, Option<u64>) {
        let place = Place { event: Some(event), bot: Some(application), ..Place::default() };
        let Some(Strike { rule, delay, effect, .. }) = self.faults.on_delivery(place) else {
            return (GatewayEffect::Pass, None);
        };
        let mut shown = serde_json::to_value(&effect).unwrap_or_default();
        if shown == "pass" {
            shown = serde_json::json!({ "delay_ms": u64::try_from(delay.as_millis()).unwrap_or(u64::MAX) });
        }
        let place = format!("{event} to the endpoint of {application}");
        self.log.push(Event::Fault { rule: Some(rule), place, effect: shown });
        tokio::time::sleep(delay).await;
        (effect, Some(rule))
    }
}
