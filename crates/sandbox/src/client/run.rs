//! A command that a user runs.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};

/// A command to run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Run {
    #[serde(rename = "as")]
    user: String,
    channel: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    focused: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    files: BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settle_ms: Option<u64>,
}

impl Run {
    /// Creates a slash command as typed, by alice in #bot-test.
    pub fn typed(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::somewhere() }
    }

    /// Creates a slash command with separate options: `[{"name": …, "value": …}]`, or an object of names and values.
    pub fn named(name: impl Into<String>, options: Value) -> Self {
        Self { name: Some(name.into()), options: Some(options), ..Self::somewhere() }
    }

    /// Creates a user command or message command on a target: a user's name or id, or a message's id.
    pub fn on(name: impl Into<String>, target: impl Into<String>) -> Self {
        Self { name: Some(name.into()), target: Some(target.into()), ..Self::somewhere() }
    }

    fn somewhere() -> Self {
        Self { user: "alice".into(), channel: "bot-test".into(), ..Self::default() }
    }

    /// Sets the user who runs it.
    #[must_use]
    pub fn by(mut self, user: impl Into<String>) -> Self {
        self.user = user.into();
        self
    }

    /// Sets the channel: its name or id, or `@name` for direct messages with that account.
    #[must_use]
    pub fn at(mut self, channel: impl Into<String>) -> Self {
        self.channel = channel.into();
        self
    }

    /// Sets the guild in which the channel is looked up by name. The default is the oldest.
    #[must_use]
    pub fn in_guild(mut self, guild: impl Into<String>) -> Self {
        self.guild = Some(guild.into());
        self
    }

    /// Sets the bot of the command, if several have one of that name.
    #[must_use]
    pub fn of(mut self, bot: impl Into<String>) -> Self {
        self.bot = Some(bot.into());
        self
    }

    /// Sets the option being typed, for autocompletion with separate options.
    #[must_use]
    pub fn focused(mut self, option: impl Into<String>) -> Self {
        self.focused = Some(option.into());
        self
    }

    /// Adds the bytes of a file that an option names by this path.
    #[must_use]
    pub fn file(mut self, path: impl Into<String>, bytes: &[u8]) -> Self {
        self.files.insert(path.into(), json!({ "base64": STANDARD.encode(bytes) }));
        self
    }

    /// Sets how long to wait for a deferred answer. The default is 30 seconds.
    #[must_use]
    pub fn deadline(mut self, time: Duration) -> Self {
        self.deadline_ms = Some(millis(time));
        self
    }

    /// Sets how long to wait after the answer, so that it includes second answers and followups.
    #[must_use]
    pub fn settle(mut self, time: Duration) -> Self {
        self.settle_ms = Some(millis(time));
        self
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
