//! What new members of a Community guild do: answer onboarding, follow the Server Guide, request to join.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Error, escape};

impl Client {
    /// Answers the prompts of onboarding as a member: lists of options by the title or id of each prompt; null only
    /// begins. Returns the `member` and the `channels` that they opt into.
    pub async fn answer_onboarding(&self, guild: &str, user: &str, answers: &Value) -> Result<Value, Error> {
        let path = format!("guilds/{}/members/{}/onboarding", escape(guild), escape(user));
        self.call(Method::POST, &path, &json!({ "answers": answers })).await
    }

    /// Sets the Server Guide as the owner, an object of Discord's form. Returns it.
    pub async fn set_guide(&self, guild: &str, guide: &Value) -> Result<Value, Error> {
        self.call(Method::PUT, &format!("guilds/{}/new-member-welcome", escape(guild)), guide).await
    }

    /// Completes the Server Guide's action in a channel as a member. Returns the member object.
    pub async fn complete_action(&self, guild: &str, user: &str, channel: &str) -> Result<Value, Error> {
        let path = format!("guilds/{}/members/{}/actions", escape(guild), escape(user));
        self.call(Method::POST, &path, &json!({ "channel": channel })).await
    }

    /// Sets the form for those who want to join: a list of fields in Discord's form. Returns it.
    pub async fn set_join_form(&self, guild: &str, fields: &Value) -> Result<Value, Error> {
        self.call(Method::PUT, &format!("guilds/{}/join-form", escape(guild)), fields).await
    }

    /// Requests to join a guild as a user, with `responses` by label; `start` only begins. Returns the request.
    pub async fn request_join(&self, guild: &str, user: &str, asked: &Value) -> Result<Value, Error> {
        let path = format!("guilds/{}/requests/{}", escape(guild), escape(user));
        self.call(Method::PUT, &path, asked).await
    }

    /// Withdraws a request to join.
    pub async fn withdraw_request(&self, guild: &str, user: &str) -> Result<(), Error> {
        let path = format!("guilds/{}/requests/{}", escape(guild), escape(user));
        self.tell(Method::DELETE, &path, &json!({})).await
    }
}
