//! The world's clock.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Error};

impl Client {
    /// Returns the world's time (`now`) and how far it was moved (`ahead_ms`).
    pub async fn clock(&self) -> Result<Value, Error> {
        self.get("clock").await
    }

    /// Moves the world's clock forward and returns it. What is due by then has happened.
    pub async fn advance_clock(&self, by: Duration) -> Result<Value, Error> {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.call(Method::POST, "clock", &json!({ "advance_ms": by })).await
    }

    /// Moves the world's clock forward to a moment in ISO 8601, and returns it. What is due by then has happened.
    pub async fn advance_clock_to(&self, at: &str) -> Result<Value, Error> {
        self.call(Method::POST, "clock", &json!({ "to": at })).await
    }
}
