//! What a user sees: messages, and answers to what they did.

use std::ops::Deref;

use sandbox::Answer;
use sandbox::snowflake::Snowflake;
use serde_json::Value;

/// A message as its reader sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: Snowflake,
    /// Its text.
    pub content: String,
    /// Name of the account that sent it.
    pub author: String,
    /// Whether a bot sent it.
    pub by_bot: bool,
    /// Its embeds.
    pub embeds: Vec<Value>,
    /// Its components.
    pub components: Vec<Value>,
    /// Whether only one user sees it.
    pub ephemeral: bool,
    /// The message object of Discord's API.
    pub raw: Value,
}

impl Message {
    /// Reads a message object.
    pub(crate) fn of(raw: Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        Self {
            id: raw["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default(),
            content: text(&raw["content"]),
            author: text(&raw["author"]["username"]),
            by_bot: raw["author"]["bot"] == true,
            embeds: list(&raw["embeds"]),
            components: list(&raw["components"]),
            ephemeral: raw["flags"].as_u64().unwrap_or_default() & 64 != 0,
            raw,
        }
    }

    /// Returns the labels of its buttons.
    pub fn buttons(&self) -> Vec<String> {
        buttons(&self.components)
    }
}

/// The bot's answer to an interaction, as the user sees it. It has all fields of [`Answer`].
#[derive(Debug, Clone)]
pub struct Reply(pub(crate) Answer);

impl Deref for Reply {
    type Target = Answer;

    fn deref(&self) -> &Answer {
        &self.0
    }
}

impl Reply {
    /// Returns the labels of its buttons.
    pub fn buttons(&self) -> Vec<String> {
        buttons(&self.components)
    }

    /// Returns its message, if it is one.
    pub fn message(&self) -> Option<Message> {
        self.message.clone().map(Message::of)
    }

    /// Returns further messages.
    pub fn followups(&self) -> Vec<Message> {
        self.followups.iter().cloned().map(Message::of).collect()
    }
}

/// A message that can be used: a [`Message`], or a [`Reply`] with one.
pub trait On {
    /// Returns the id of the message, if there is one.
    fn message_id(&self) -> Option<Snowflake>;
}

impl On for Message {
    fn message_id(&self) -> Option<Snowflake> {
        Some(self.id)
    }
}

impl On for Reply {
    fn message_id(&self) -> Option<Snowflake> {
        self.message().map(|message| message.id)
    }
}

fn buttons(components: &[Value]) -> Vec<String> {
    let mut labels = Vec::new();
    for component in components {
        if component["type"] == 2 {
            labels.push(component["label"].as_str().unwrap_or_default().to_owned());
        }
        let inner = component["components"].as_array().into_iter().flatten();
        let inner: Vec<Value> = inner.chain(component.get("accessory")).cloned().collect();
        labels.extend(buttons(&inner));
    }
    labels
}
