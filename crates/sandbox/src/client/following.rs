//! Announcement channels.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Error, escape};
use crate::snowflake::Snowflake;

impl Client {
    /// Makes a channel follow an announcement channel. Returns `channel_id` and `webhook_id`.
    pub async fn follow(&self, user: &str, source: &str, channel: &str) -> Result<Value, Error> {
        let path = format!("channels/{}/followers", escape(source));
        self.call(Method::POST, &path, &json!({ "as": user, "channel": channel })).await
    }

    /// Publishes a message of an announcement channel, and returns the message object.
    pub async fn crosspost(&self, user: &str, message: Snowflake) -> Result<Value, Error> {
        self.call(Method::POST, &format!("messages/{message}/crosspost"), &json!({ "as": user })).await
    }
}
