//! The store: what applications sell, and purchases of users.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Error, escape};

impl Client {
    /// Returns all `skus`, `entitlements` and `subscriptions`.
    pub async fn store(&self) -> Result<Value, Error> {
        self.get("store").await
    }

    /// Creates an SKU of a bot: `name`, `type` (`durable`, `consumable`, `user_subscription`, `guild_subscription`),
    /// `price`. Returns the SKU object.
    pub async fn create_sku(&self, bot: &str, sku: &Value) -> Result<Value, Error> {
        self.call(Method::POST, &format!("bots/{}/skus", escape(bot)), sku).await
    }

    /// Buys an SKU, by id or name: `as`, `sku`, for a guild's subscription `guild`, `test_mode`. Returns the
    /// `entitlement`, and the `subscription` if it is one.
    pub async fn buy(&self, purchase: &Value) -> Result<Value, Error> {
        self.call(Method::POST, "purchases", purchase).await
    }

    /// Consumes or refunds an entitlement (`consume`, `refund`), and returns it.
    pub async fn on_entitlement(&self, id: &str, action: &str) -> Result<Value, Error> {
        self.call(Method::POST, &format!("entitlements/{}/{}", escape(id), escape(action)), &json!({})).await
    }

    /// Changes a subscription (`cancel`, `resume`, `renew`, `expire`, `refund`, `delete`), and returns it.
    pub async fn on_subscription(&self, id: &str, action: &str) -> Result<Value, Error> {
        self.call(Method::POST, &format!("subscriptions/{}/{}", escape(id), escape(action)), &json!({})).await
    }
}
