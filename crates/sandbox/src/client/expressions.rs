//! Boosts of guilds, and messages with stickers.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Error, escape};
use crate::snowflake::Snowflake;

impl Client {
    /// Sets a guild's `boosts`, and whether Discord has it `verified` or `partnered`. Returns them with its
    /// `premium_tier`.
    pub async fn set_perks(&self, guild: &str, perks: &Value) -> Result<Value, Error> {
        self.call(Method::PUT, &format!("guilds/{}/perks", escape(guild)), perks).await
    }

    /// Sends a message with stickers, and returns the message object.
    pub async fn send_stickers(
        &self,
        user: &str,
        channel: &str,
        content: &str,
        stickers: &[Snowflake],
    ) -> Result<Value, Error> {
        let body = json!({ "as": user, "channel": channel, "content": content, "stickers": stickers });
        self.call(Method::POST, "messages", &body).await
    }
}
