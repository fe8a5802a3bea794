//! What plugins may know of the bot's configuration; the token is not part of it.

use std::collections::{BTreeMap, BTreeSet};

use serenity::all::{GuildId, UserId};

/// The mode the bot runs in, from `APP_ENV`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// Commands go to the test guild; failures are told in detail.
    #[default]
    Development,
    /// Commands are registered globally.
    Production,
    /// As development, with delays cut short.
    Testing,
}

impl Environment {
    /// Gives the word that `APP_ENV` uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
            Self::Testing => "testing",
        }
    }
}

/// Configuration that commands and handlers read; a whole new value replaces it when it changes.
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
    /// Variables of the plugins' own, by name.
    pub variables: BTreeMap<String, String>,
}

impl Settings {
    /// Gives a plugin's own variable, as the environment or `.env` sets it; an empty one counts as not set.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}
