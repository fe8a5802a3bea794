//! The endpoints of the default bot at the start.

use serde_json::{Value, json};

use super::Builder;
use crate::endpoint::Targets;
use crate::snowflake::Snowflake;
use crate::state::World;
use crate::state::webhook_event::status;
use crate::validate::application;

/// Addresses to set, and hosts that may be reached.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    interactions: Option<String>,
    events: Option<(String, Vec<String>)>,
    hosts: Vec<String>,
    /// Whether nothing is sent at all.
    pub(super) offline: bool,
}

impl Builder {
    /// Sets the interactions endpoint URL of the default bot: its interactions are sent there instead of through the
    /// gateway. It is not verified, since the bot may start later; the first request that fails says why.
    #[must_use]
    pub fn interactions_endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.endpoints.interactions = Some(url.into());
        self
    }

    /// Sets the address for webhook events of the default bot, and the types that it subscribes to, such as
    /// `ENTITLEMENT_CREATE`; none are all. It is not verified.
    #[must_use]
    pub fn event_webhooks(
        mut self,
        url: impl Into<String>,
        types: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.endpoints.events = Some((url.into(), types.into_iter().map(Into::into).collect()));
        self
    }

    /// Adds hosts outside of private networks to which interactions and webhook events may be sent. Without them they go to
    /// this machine and private networks only.
    #[must_use]
    pub fn endpoint_hosts(mut self, hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.endpoints.hosts.extend(hosts.into_iter().map(Into::into));
        self
    }
}

impl Options {
    /// Returns the hosts outside of private networks that may be reached; `None` if nothing is sent at all.
    pub(super) fn hosts(&self) -> Option<&[String]> {
        (!self.offline).then_some(&self.hosts)
    }

    /// Sets the addresses in a world. The error is one sentence.
    pub(super) fn apply(&self, world: &mut World, application: Snowflake) -> Result<(), String> {
        let mut settings = json!({});
        if let Some(url) = &self.interactions {
            settings["interactions_endpoint_url"] = url.clone().into();
        }
        if let Some((url, types)) = &self.events {
            let all = || application::WEBHOOK_EVENTS.iter().copied().map(Value::from).collect();
            settings["event_webhooks_url"] = url.clone().into();
            settings["event_webhooks_status"] = status::ENABLED.into();
            settings["event_webhooks_types"] = if types.is_empty() { all() } else { json!(types) };
        }
        let body = application::modify(&settings, &["https", "http"])
            .map_err(|error| format!("the endpoints of the bot can't be set: {}", error.to_json()))?;
        let targets = Targets::new(&self.hosts);
        for url in self.interactions.iter().chain(self.events.iter().map(|(url, _)| url)) {
            targets.check(url)?;
        }
        if let Some(application) = world.applications.get_mut(&application) {
            application.store_settings(body.stored);
        }
        Ok(())
    }
}
