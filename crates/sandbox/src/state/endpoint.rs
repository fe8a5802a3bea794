//! The addresses of an application to which requests are sent: interactions (Interactions Overview, "Configuring an
//! Interactions Endpoint URL") and webhook events (Webhook Events, "Configuring a Webhook Events URL").

use serde_json::{Value, json};

use super::user::Application;
use super::webhook_event::status;
use crate::validate::Change;

/// An address of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// For interactions, in place of the gateway.
    Interactions,
    /// For webhook events.
    Events,
}

impl Endpoint {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Interactions, Self::Events];

    /// Returns the field of the application object.
    pub fn field(self) -> &'static str {
        match self {
            Self::Interactions => "interactions_endpoint_url",
            Self::Events => "event_webhooks_url",
        }
    }
}

impl Application {
    /// Returns an address, if it is set.
    pub fn endpoint(&self, endpoint: Endpoint) -> Option<&str> {
        self.settings.get(endpoint.field()).and_then(Value::as_str)
    }

    /// Returns whether webhook events are enabled, and those of this type are subscribed to.
    pub fn subscribes_to(&self, event: &str) -> bool {
        let types = self.settings.get("event_webhooks_types").and_then(Value::as_array);
        self.event_webhooks_status() == status::ENABLED
            && types.is_some_and(|types| types.iter().any(|name| name == event))
    }

    /// Returns its event webhook status.
    pub fn event_webhooks_status(&self) -> u64 {
        self.settings.get("event_webhooks_status").and_then(Value::as_u64).unwrap_or(status::DISABLED)
    }

    /// Disables webhook events as Discord does.
    pub fn disable_event_webhooks(&mut self) {
        self.settings.insert("event_webhooks_status".into(), status::DISABLED_BY_DISCORD.into());
    }

    /// Stores settings as they are.
    pub fn store_settings(&mut self, settings: Vec<(&'static str, Change<Value>)>) {
        for (key, value) in settings {
            if key == "event_webhooks_status" && !matches!(value, Change::Keep) {
                self.events_given_up = 0;
            }
            match value {
                Change::Keep => {}
                Change::Clear => drop(self.settings.remove(key)),
                Change::Set(value) => drop(self.settings.insert(key.into(), value)),
            }
        }
    }

    /// Returns the addresses with what belongs to them, by the names of the application object.
    pub fn endpoints_json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "public_key": self.key_pair.public(),
            "interactions_endpoint_url": self.endpoint(Endpoint::Interactions),
            "event_webhooks_url": self.endpoint(Endpoint::Events),
            "event_webhooks_status": self.event_webhooks_status(),
            "event_webhooks_types": self.settings.get("event_webhooks_types").cloned().unwrap_or_else(|| json!([])),
        })
    }
}
