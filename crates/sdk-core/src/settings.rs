//! The part of the bot's configuration that plugins can read. The token is not part of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serenity::all::{ChannelId, GuildId, UserId};

/// The mode the bot runs in, from `APP_ENV`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// Commands are registered in the test guild. Failures are reported in detail.
    #[default]
    Development,
    /// Commands are registered globally.
    Production,
    /// As development, with shortened delays.
    Testing,
}

impl Environment {
    /// Returns the value of `APP_ENV`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
            Self::Testing => "testing",
        }
    }

    /// Returns how long a timer set for `delay` really takes: in tests a minute lasts a second.
    pub fn delay(self, delay: Duration) -> Duration {
        match self {
            Self::Development | Self::Production => delay,
            Self::Testing => delay / 60,
        }
    }
}

/// Configuration for commands and handlers. It is replaced as a whole when it changes.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Mode the bot runs in.
    pub environment: Environment,
    /// Guild that development commands are registered to.
    pub test_guild: Option<GuildId>,
    /// Users who may run owner-only commands.
    pub owners: BTreeSet<UserId>,
    /// Prefix of text commands; `None` turns them off.
    pub prefix: Option<String>,
    /// Channel for messages about reloads; `None` if they only go to the log.
    pub dev_channel: Option<ChannelId>,
    /// Variables of plugins, by name.
    pub variables: BTreeMap<String, String>,
}

impl Settings {
    /// Returns a plugin's own variable, as set by the environment or `.env`. An empty one counts as not set.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}
