//! Scheduled events and stages.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Error, escape};
use crate::snowflake::Snowflake;

impl Client {
    /// Returns the events of a guild, also those that are over.
    pub async fn scheduled_events(&self, guild: &str) -> Result<Vec<Value>, Error> {
        self.get(&format!("guilds/{}/scheduled-events", escape(guild))).await
    }

    /// Creates an event as a user, with the fields of Discord's `POST /guilds/{guild.id}/scheduled-events`.
    pub async fn create_event(&self, guild: &str, user: &str, event: &Value) -> Result<Value, Error> {
        let path = format!("guilds/{}/scheduled-events", escape(guild));
        self.call(Method::POST, &path, &by(user, event)).await
    }

    /// Changes an event, found by id or name, as a user, and returns it.
    pub async fn edit_event(
        &self,
        guild: &str,
        event: &str,
        user: &str,
        change: &Value,
    ) -> Result<Value, Error> {
        let path = format!("guilds/{}/scheduled-events/{}", escape(guild), escape(event));
        self.call(Method::PATCH, &path, &by(user, change)).await
    }

    /// Deletes an event as a user.
    pub async fn delete_event(&self, guild: &str, event: &str, user: &str) -> Result<(), Error> {
        let path = format!("guilds/{}/scheduled-events/{}", escape(guild), escape(event));
        self.tell(Method::DELETE, &path, &json!({ "as": user })).await
    }

    /// Subscribes a user to an event, or to one exception of it, or withdraws that. Returns the event.
    pub async fn subscribe(
        &self,
        guild: &str,
        event: &str,
        user: &str,
        exception: Option<Snowflake>,
        interested: bool,
    ) -> Result<Value, Error> {
        let path =
            format!("guilds/{}/scheduled-events/{}/users/{}", escape(guild), escape(event), escape(user));
        let method = if interested { Method::PUT } else { Method::DELETE };
        self.call(method, &path, &json!({ "exception": exception })).await
    }

    /// Opens a stage in a channel as a user, with this topic.
    pub async fn open_stage(&self, user: &str, channel: &str, topic: &str) -> Result<Value, Error> {
        let stage = json!({ "as": user, "channel": channel, "topic": topic });
        self.call(Method::POST, "stages", &stage).await
    }

    /// Closes the stage in a channel as a user.
    pub async fn close_stage(&self, user: &str, channel: &str) -> Result<(), Error> {
        self.tell(Method::DELETE, &format!("stages/{}", escape(channel)), &json!({ "as": user })).await
    }
}

/// Returns the fields of a request with the user who makes it.
fn by(user: &str, fields: &Value) -> Value {
    let mut body = fields.clone();
    body["as"] = user.into();
    body
}
