//! Users' authorizations of applications, their accounts elsewhere, and Activities.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Error, escape};

impl Client {
    /// Authorizes a bot's application in the name of a user, and returns the `access_token`.
    pub async fn authorize(&self, user: &str, bot: &str, scopes: &[&str]) -> Result<Value, Error> {
        let path = format!("bots/{}/authorizations", escape(bot));
        self.call(Method::POST, &path, &json!({ "as": user, "scopes": scopes })).await
    }

    /// Sets a user's accounts elsewhere: a list of `type`, `id`, `name`, `verified`. Returns the connection objects.
    pub async fn set_connections(&self, user: &str, connections: &Value) -> Result<Value, Error> {
        self.call(Method::PUT, &format!("users/{}/connections", escape(user)), connections).await
    }

    /// Lets a user take part in an Activity, or leave it. Returns the users who take part.
    pub async fn set_in_activity(&self, user: &str, instance: &str, inside: bool) -> Result<Value, Error> {
        let path = format!("activities/{}/users/{}", escape(instance), escape(user));
        self.call(if inside { Method::PUT } else { Method::DELETE }, &path, &json!({})).await
    }
}
