//! Messages with stickers.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Error};
use crate::snowflake::Snowflake;

impl Client {
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
