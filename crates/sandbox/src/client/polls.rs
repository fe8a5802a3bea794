//! Polls of users.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Error};
use crate::snowflake::Snowflake;

impl Client {
    /// Votes for these answers of a poll, by text or number, and for no others. Returns the message.
    pub async fn vote(&self, user: &str, message: Snowflake, answers: &[&str]) -> Result<Value, Error> {
        let path = format!("messages/{message}/votes");
        self.call(Method::PUT, &path, &json!({ "as": user, "answers": answers })).await
    }

    /// Ends a user's own poll and returns the message.
    pub async fn expire_poll(&self, user: &str, message: Snowflake) -> Result<Value, Error> {
        self.call(Method::POST, &format!("messages/{message}/poll/expire"), &json!({ "as": user })).await
    }
}
