//! What games of users do with lobbies and messages.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Error, escape};

impl Client {
    /// Connects a member's game to a lobby, or disconnects it. Returns the members whose games are connected.
    pub async fn set_in_lobby(&self, user: &str, lobby: &str, connected: bool) -> Result<Value, Error> {
        let path = format!("lobbies/{}/connections/{}", escape(lobby), escape(user));
        self.call(if connected { Method::PUT } else { Method::DELETE }, &path, &json!({})).await
    }

    /// Returns what a bot's games know of the moderation of a message.
    pub async fn moderation_metadata(&self, bot: &str, message: &str) -> Result<Value, Error> {
        let path = format!("bots/{}/messages/{}/moderation-metadata", escape(bot), escape(message));
        self.get(&path).await
    }

    /// Authorizes a bot's application in the name of a user, into whose account the provisional one of this external token
    /// is merged. Returns the `access_token`.
    pub async fn authorize_and_merge(
        &self,
        user: &str,
        bot: &str,
        scopes: &[&str],
        auth_type: &str,
        auth_token: &str,
    ) -> Result<Value, Error> {
        let path = format!("bots/{}/authorizations", escape(bot));
        let body = json!({
            "as": user, "scopes": scopes,
            "external_auth_type": auth_type, "external_auth_token": auth_token,
        });
        self.call(Method::POST, &path, &body).await
    }
}
