//! Rules of auto moderation.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Error, escape};

impl Client {
    /// Returns the rules of a guild.
    pub async fn auto_moderation_rules(&self, guild: &str) -> Result<Vec<Value>, Error> {
        self.get(&format!("guilds/{}/auto-moderation/rules", escape(guild))).await
    }

    /// Creates a rule, with the fields of Discord's `POST /guilds/{guild.id}/auto-moderation/rules`.
    pub async fn create_auto_moderation_rule(&self, guild: &str, rule: &Value) -> Result<Value, Error> {
        self.call(Method::POST, &format!("guilds/{}/auto-moderation/rules", escape(guild)), rule).await
    }

    /// Changes a rule, found by id or name, and returns it.
    pub async fn edit_auto_moderation_rule(
        &self,
        guild: &str,
        rule: &str,
        change: &Value,
    ) -> Result<Value, Error> {
        let path = format!("guilds/{}/auto-moderation/rules/{}", escape(guild), escape(rule));
        self.call(Method::PATCH, &path, change).await
    }

    /// Deletes a rule, found by id or name.
    pub async fn delete_auto_moderation_rule(&self, guild: &str, rule: &str) -> Result<(), Error> {
        let path = format!("guilds/{}/auto-moderation/rules/{}", escape(guild), escape(rule));
        self.tell(Method::DELETE, &path, &json!({})).await
    }
}
