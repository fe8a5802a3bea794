//! Values of settings.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};
use serenity::all::{ChannelId, RoleId, UserId};

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
    /// One of the declared words.
    Choice(&'static str),
    /// A channel.
    Channel(ChannelId),
    /// A role.
    Role(RoleId),
    /// A user.
    User(UserId),
    /// A duration in whole seconds.
    Duration(Duration),
}

impl SettingValue {
    /// Returns the value as it is stored. Ids are texts, because other readers of JSON lose digits of large numbers.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Boolean(value) => json!(value),
            Self::Integer(value) => json!(value),
            Self::Text(value) => json!(value),
            Self::Choice(value) => json!(value),
            Self::Channel(id) => json!(id.to_string()),
            Self::Role(id) => json!(id.to_string()),
            Self::User(id) => json!(id.to_string()),
            Self::Duration(value) => json!(value.as_secs()),
        }
    }
}

/// Writes the value as a user would enter it: `true`, `7`, an id, `1h 30m`.
impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Text(value) => f.write_str(value),
            Self::Choice(value) => f.write_str(value),
            Self::Channel(id) => id.get().fmt(f),
            Self::Role(id) => id.get().fmt(f),
            Self::User(id) => id.get().fmt(f),
            Self::Duration(value) => f.write_str(&units(value.as_secs())),
        }
    }
}

/// Formats seconds exactly, as they are entered: `1h 30m`.
fn units(seconds: u64) -> String {
    let parts = [(86_400, "d", u64::MAX), (3_600, "h", 24), (60, "m", 60), (1, "s", 60)];
    let words: Vec<_> = parts
        .into_iter()
        .map(|(unit, name, wraps)| (seconds / unit % wraps, name))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count}{name}"))
        .collect();
    if words.is_empty() { "0s".to_owned() } else { words.join(" ") }
}

/// The type by which a plugin reads a setting. Implemented for `bool`, `i64`, `String`, `&'static str`,
/// [`Duration`], and for channels, roles and users as options.
pub trait SettingType: Sized {
    #[doc(hidden)]
    fn from_value(value: Option<SettingValue>) -> Self;
}

macro_rules! types {
    ($($type:ty: $kind:ident),*) => {
        $(impl SettingType for $type {
            fn from_value(value: Option<SettingValue>) -> Self {
                match value {
                    Some(SettingValue::$kind(value)) => value,
                    // A declaration has values of its own kind only, and its default is one.
                    _ => Self::default(),
                }
            }
        })*
    };
    (options $($type:ty: $kind:ident),*) => {
        $(impl SettingType for Option<$type> {
            fn from_value(value: Option<SettingValue>) -> Self {
                match value {
                    Some(SettingValue::$kind(value)) => Some(value),
                    _ => None,
                }
            }
        })*
    };
}

types!(bool: Boolean, i64: Integer, String: Text, &'static str: Choice, Duration: Duration);
types!(options ChannelId: Channel, RoleId: Role, UserId: User);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_exactly() {
        for (seconds, words) in
            [(0, "0s"), (59, "59s"), (3_600, "1h"), (90_061, "1d 1h 1m 1s"), (8_640_000, "100d")]
        {
            assert_eq!(SettingValue::Duration(Duration::from_secs(seconds)).to_string(), words);
        }
    }
}
