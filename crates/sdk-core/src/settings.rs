//! What plugins may know of the bot's configuration; the token is not part of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serenity::all::{ChannelId, GuildId, UserId};

use crate::Error;

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

    /// Gives how long a timer set for `delay` really takes: while testing, a minute lasts a second.
    pub fn delay(self, delay: Duration) -> Duration {
        match self {
            Self::Development | Self::Production => delay,
            Self::Testing => delay / 60,
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
    /// Channel that tells developers of reloads; `None` tells them in the log alone.
    pub dev_channel: Option<ChannelId>,
    /// Variables of the plugins' own, by name.
    pub variables: BTreeMap<String, String>,
}

impl Settings {
    /// Gives a plugin's own variable, as the environment or `.env` sets it; an empty one counts as not set.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Gives the channel that a plugin's own variable names by id.
    ///
    /// # Errors
    /// When the variable is set to something else.
    pub fn channel(&self, name: &str) -> Result<Option<ChannelId>, Error> {
        let Some(value) = self.variable(name) else { return Ok(None) };
        match value.parse::<u64>() {
            Ok(id) if id > 0 => Ok(Some(ChannelId::new(id))),
            _ => Err(format!(
                "{name} has to be the id of a channel, such as 1120000000000000000, not '{value}'"
            )
            .into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_no_channel_is_named() {
        let settings = |value: &str| Settings {
            variables: BTreeMap::from([("LOG_ID".to_owned(), value.to_owned())]),
            ..Settings::default()
        };
        assert_eq!(settings("42").channel("LOG_ID").unwrap(), Some(ChannelId::new(42)));
        assert_eq!(settings("").channel("LOG_ID").unwrap(), None);
        for wrong in ["#log", "0", "-1"] {
            let error = settings(wrong).channel("LOG_ID").unwrap_err().to_string();
            assert!(error.contains("LOG_ID") && error.contains(wrong), "{error}");
        }
    }
}
