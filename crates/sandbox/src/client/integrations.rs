//! Integrations of guilds.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Error, escape};

impl Client {
    /// Returns the integrations of a guild.
    pub async fn integrations(&self, guild: &str) -> Result<Vec<Value>, Error> {
        self.get(&format!("guilds/{}/integrations", escape(guild))).await
    }

    /// Adds an integration to a guild: `type` (`twitch`, `youtube`, `guild_subscription`), `name`, `as`. Returns it.
    pub async fn add_integration(&self, guild: &str, integration: &Value) -> Result<Value, Error> {
        self.call(Method::POST, &format!("guilds/{}/integrations", escape(guild)), integration).await
    }

    /// Changes an integration: `name`, `enabled`, `role`, `expire_behavior`, `expire_grace_period`, `enable_emoticons`.
    /// Returns it.
    pub async fn edit_integration(&self, guild: &str, id: &str, change: &Value) -> Result<Value, Error> {
        let path = format!("guilds/{}/integrations/{}", escape(guild), escape(id));
        self.call(Method::PATCH, &path, change).await
    }

    /// Removes an integration; a bot leaves the guild.
    pub async fn remove_integration(&self, guild: &str, id: &str) -> Result<(), Error> {
        let path = format!("guilds/{}/integrations/{}", escape(guild), escape(id));
        self.tell(Method::DELETE, &path, &json!({})).await
    }
}
