//! Values as answers show them.

use sdk::prelude::*;
use sdk::server::SettingValue;
use serenity::Mentionable as _;

/// Maximum number of characters of a text that an answer shows.
const SHOWN: usize = 200;

/// Formats a value: channels, roles and users as mentions.
pub(crate) fn value(value: &SettingValue) -> String {
    match value {
        SettingValue::Channel(id) => id.mention().to_string(),
        SettingValue::Role(id) => id.mention().to_string(),
        SettingValue::User(id) => id.mention().to_string(),
        SettingValue::Text(text) if text.is_empty() => "no text".to_owned(),
        other => code(&other.to_string()),
    }
}

/// Formats a text that users have entered.
pub(crate) fn code(text: &str) -> String {
    format!("`{}`", foreign(text, Surface::Code, SHOWN))
}
