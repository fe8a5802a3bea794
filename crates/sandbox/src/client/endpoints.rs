//! The endpoints of a bot's application: for interactions, and for webhook events.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Error, escape};

impl Client {
    /// Returns the endpoints of a bot's application: its `public_key`, `interactions_endpoint_url`, `event_webhooks_url`,
    /// `event_webhooks_status` and `event_webhooks_types`.
    pub async fn endpoints(&self, bot: &str) -> Result<Value, Error> {
        self.get(&format!("bots/{}/endpoints", escape(bot))).await
    }

    /// Sets endpoints, by the names of their fields. With `verify: false` an address need not answer yet. Returns all.
    pub async fn edit_endpoints(&self, bot: &str, change: &Value) -> Result<Value, Error> {
        self.call(Method::PATCH, &format!("bots/{}/endpoints", escape(bot)), change).await
    }

    /// Verifies the addresses again, as Discord does from time to time, and removes one that fails. Returns all, and the
    /// reasons as `removed`.
    pub async fn check_endpoints(&self, bot: &str) -> Result<Value, Error> {
        self.call(Method::POST, &format!("bots/{}/endpoints/check", escape(bot)), &json!({})).await
    }
}
