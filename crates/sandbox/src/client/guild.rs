//! Guilds as their owners and members see them: boosts, features, invites, screening.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Error, escape};

impl Client {
    /// Returns a channel that a user sees: by id, by name in a guild, the oldest by default, or as `@NAME`.
    pub async fn channel(&self, user: &str, channel: &str, guild: Option<&str>) -> Result<Value, Error> {
        let guild = guild.map_or_else(String::new, |guild| format!("&guild={}", escape(guild)));
        self.get(&format!("channels/{}?as={}{guild}", escape(channel), escape(user))).await
    }

    /// Changes a guild as its owner: `boosts`, `add_features`, `remove_features`, `vanity_url_code`. Returns the guild
    /// object.
    pub async fn edit_guild(&self, guild: &str, change: &Value) -> Result<Value, Error> {
        self.call(Method::PATCH, &format!("guilds/{}", escape(guild)), change).await
    }

    /// Accepts an invite, or the vanity code of a guild, as a user. Returns the member object.
    pub async fn accept_invite(&self, code: &str, user: &str) -> Result<Value, Error> {
        self.call(Method::POST, &format!("invites/{}", escape(code)), &json!({ "as": user })).await
    }

    /// Accepts the rules of a guild with membership screening as a new member. Returns the member object.
    pub async fn pass_screening(&self, guild: &str, user: &str) -> Result<Value, Error> {
        let path = format!("guilds/{}/members/{}/screening", escape(guild), escape(user));
        self.call(Method::POST, &path, &json!({})).await
    }

    /// Creates a guild from a template, with all bots in it, and returns the guild object.
    pub async fn create_from_template(&self, code: &str, name: &str, owner: &str) -> Result<Value, Error> {
        let path = format!("templates/{}", escape(code));
        self.call(Method::POST, &path, &json!({ "name": name, "owner": owner })).await
    }
}
