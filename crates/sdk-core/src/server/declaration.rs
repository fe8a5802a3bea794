//! The settings that a plugin declares.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::Value;
use serenity::all::{ChannelId, ChannelType, RoleId, UserId};

use super::SettingValue;

/// Maximum number of characters of a setting's name, a choice and a description, so that each fits Discord's choices
/// and lists. Source: "Application Command Option Choice Structure" (100) in Discord's documentation.
const MAX_NAME: usize = 32;
const MAX_CHOICE: usize = 100;
const MAX_DESCRIPTION: usize = 100;
/// Longest text that a setting can hold. Discord's clients send no more in one option of a command.
const MAX_TEXT: usize = 2000;

/// A setting that each server can change, with the type of its value:
///
/// ```
/// # use sdk_core::server::ServerSetting;
/// # use serenity::all::ChannelId;
/// const CHANNEL: ServerSetting<Option<ChannelId>> =
///     ServerSetting::channel("channel", "Channel that greets new members");
/// const LIMIT: ServerSetting<i64> = ServerSetting::integer("limit", "Greetings in a minute", 1..=60, 10);
/// ```
///
/// [`Plugin::server_settings`](crate::Plugin::server_settings) lists them, and
/// [`Server::get`](super::Server::get) reads them.
pub struct ServerSetting<T> {
    declaration: SettingDeclaration,
    of: PhantomData<fn() -> T>,
}

/// A declared setting without the type of its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SettingDeclaration {
    /// Name within the plugin: lower-case letters, digits, `_` and `-`.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Which values it takes.
    pub kind: SettingKind,
    /// The bot's variable that is the default of all servers.
    pub variable: Option<&'static str>,
}

/// The kind of a setting: which values it takes, and its default. Channels, roles and users have none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SettingKind {
    /// True or false.
    Boolean {
        /// Value where none is set.
        default: bool,
    },
    /// A whole number.
    Integer {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
        /// Value where none is set.
        default: i64,
    },
    /// A text.
    Text {
        /// Maximum number of characters.
        max_length: usize,
        /// Value where none is set.
        default: &'static str,
    },
    /// One of a list of words.
    Choice {
        /// The words.
        choices: &'static [&'static str],
        /// Value where none is set.
        default: &'static str,
    },
    /// A channel of the server.
    Channel {
        /// Types that it may have; any, if empty.
        types: &'static [ChannelType],
    },
    /// A role of the server.
    Role,
    /// A member of the server.
    User,
    /// A duration in whole seconds.
    Duration {
        /// Shortest value.
        min: Duration,
        /// Longest value.
        max: Duration,
        /// Value where none is set.
        default: Duration,
    },
}

impl<T> ServerSetting<T> {
    const fn new(name: &'static str, description: &'static str, kind: SettingKind) -> Self {
        Self { declaration: SettingDeclaration { name, description, kind, variable: None }, of: PhantomData }
    }

    /// Makes one of the bot's variables the default of all servers that have not set a value.
    #[must_use]
    pub const fn or_variable(mut self, name: &'static str) -> Self {
        self.declaration.variable = Some(name);
        self
    }

    /// Returns the declaration, for [`Plugin::server_settings`](crate::Plugin::server_settings).
    pub const fn declaration(&self) -> SettingDeclaration {
        self.declaration
    }
}

impl ServerSetting<bool> {
    /// Declares a setting that is true or false.
    pub const fn boolean(name: &'static str, description: &'static str, default: bool) -> Self {
        Self::new(name, description, SettingKind::Boolean { default })
    }
}

impl ServerSetting<i64> {
    /// Declares a whole number.
    pub const fn integer(
        name: &'static str,
        description: &'static str,
        range: RangeInclusive<i64>,
        default: i64,
    ) -> Self {
        let (min, max) = (*range.start(), *range.end());
        Self::new(name, description, SettingKind::Integer { min, max, default })
    }
}

impl ServerSetting<String> {
    /// Declares a text of at most `max_length` characters.
    pub const fn text(
        name: &'static str,
        description: &'static str,
        max_length: usize,
        default: &'static str,
    ) -> Self {
        Self::new(name, description, SettingKind::Text { max_length, default })
    }
}

impl ServerSetting<&'static str> {
    /// Declares a choice among words, which is read as one of them.
    pub const fn choice(
        name: &'static str,
        description: &'static str,
        choices: &'static [&'static str],
        default: &'static str,
    ) -> Self {
        Self::new(name, description, SettingKind::Choice { choices, default })
    }
}

impl ServerSetting<Option<ChannelId>> {
    /// Declares a channel of the server, of any type.
    pub const fn channel(name: &'static str, description: &'static str) -> Self {
        Self::new(name, description, SettingKind::Channel { types: &[] })
    }

    /// Allows only channels of these types.
    #[must_use]
    pub const fn of_types(mut self, types: &'static [ChannelType]) -> Self {
        self.declaration.kind = SettingKind::Channel { types };
        self
    }
}

impl ServerSetting<Option<RoleId>> {
    /// Declares a role of the server.
    pub const fn role(name: &'static str, description: &'static str) -> Self {
        Self::new(name, description, SettingKind::Role)
    }
}

impl ServerSetting<Option<UserId>> {
    /// Declares a member of the server.
    pub const fn user(name: &'static str, description: &'static str) -> Self {
        Self::new(name, description, SettingKind::User)
    }
}

impl ServerSetting<Duration> {
    /// Declares a duration in whole seconds.
    pub const fn duration(
        name: &'static str,
        description: &'static str,
        range: RangeInclusive<Duration>,
        default: Duration,
    ) -> Self {
        let (min, max) = (*range.start(), *range.end());
        Self::new(name, description, SettingKind::Duration { min, max, default })
    }
}

impl<T> Clone for ServerSetting<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ServerSetting<T> {}

impl<T> fmt::Debug for ServerSetting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.declaration.fmt(f)
    }
}

impl SettingKind {
    /// Returns the value where none is set; `None` for channels, roles and users.
    pub fn default_value(&self) -> Option<SettingValue> {
        Some(match *self {
            Self::Boolean { default } => SettingValue::Boolean(default),
            Self::Integer { default, .. } => SettingValue::Integer(default),
            Self::Text { default, .. } => SettingValue::Text(default.to_owned()),
            Self::Choice { default, .. } => SettingValue::Choice(default),
            Self::Duration { default, .. } => SettingValue::Duration(default),
            Self::Channel { .. } | Self::Role | Self::User => return None,
        })
    }

    /// Returns whether a value belongs to a server: a channel, a role or a member.
    pub(crate) fn is_of_guild(&self) -> bool {
        matches!(self, Self::Channel { .. } | Self::Role | Self::User)
    }

    /// Returns a stored value; `None` if it is not of this kind, or out of its bounds.
    pub fn read(&self, stored: &Value) -> Option<SettingValue> {
        let id = || stored.as_str()?.parse().ok().filter(|id: &u64| *id != 0);
        let value = match *self {
            Self::Boolean { .. } => SettingValue::Boolean(stored.as_bool()?),
            Self::Integer { .. } => SettingValue::Integer(stored.as_i64()?),
            Self::Text { .. } => SettingValue::Text(stored.as_str()?.to_owned()),
            Self::Choice { choices, .. } => {
                let stored = stored.as_str()?;
                SettingValue::Choice(choices.iter().copied().find(|choice| *choice == stored)?)
            }
            Self::Channel { .. } => SettingValue::Channel(ChannelId::new(id()?)),
            Self::Role => SettingValue::Role(RoleId::new(id()?)),
            Self::User => SettingValue::User(UserId::new(id()?)),
            Self::Duration { .. } => SettingValue::Duration(Duration::from_secs(stored.as_u64()?)),
        };
        self.allows(&value).then_some(value)
    }

    /// Returns whether a value of this kind is within its bounds.
    pub(super) fn allows(&self, value: &SettingValue) -> bool {
        match (self, value) {
            (Self::Integer { min, max, .. }, SettingValue::Integer(number)) => (min..=max).contains(&number),
            (Self::Duration { min, max, .. }, SettingValue::Duration(time)) => (min..=max).contains(&time),
            (Self::Text { max_length, .. }, SettingValue::Text(text)) => text.chars().count() <= *max_length,
            (Self::Choice { choices, .. }, SettingValue::Choice(choice)) => choices.contains(choice),
            _ => true,
        }
    }
}

/// Returns a sentence for each declaration that the host does not accept.
pub(crate) fn problems(declarations: &[SettingDeclaration]) -> Vec<String> {
    let (mut problems, mut names) = (Vec::new(), BTreeSet::new());
    for SettingDeclaration { name, description, kind, variable } in declarations {
        let mut refuse = |why: &str| problems.push(format!("the setting '{name}' {why}"));
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(is_word) {
            refuse("needs a name of 1 to 32 lower-case letters, digits, _ and -");
        }
        if !names.insert(*name) {
            refuse("is declared twice");
        }
        if description.is_empty() || description.chars().count() > MAX_DESCRIPTION {
            refuse("needs a description of 1 to 100 characters");
        }
        if variable.is_some_and(str::is_empty) {
            refuse("names a variable without a name");
        }
        match *kind {
            SettingKind::Text { max_length, .. } if !(1..=MAX_TEXT).contains(&max_length) => {
                refuse("needs a maximum length of 1 to 2000 characters");
            }
            SettingKind::Choice { choices, .. } => {
                let differ = choices.iter().map(|choice| choice.to_lowercase()).collect::<BTreeSet<_>>();
                let fits = |choice: &&str| !choice.is_empty() && choice.chars().count() <= MAX_CHOICE;
                if differ.len() != choices.len() || !choices.iter().all(fits) {
                    refuse("needs choices that differ, of 1 to 100 characters each");
                }
            }
            SettingKind::Duration { min, max, default }
                if [min, max, default].iter().any(|time| time.subsec_nanos() != 0) =>
            {
                refuse("needs durations of whole seconds");
            }
            _ => {}
        }
        if kind.default_value().is_some_and(|default| !kind.allows(&default)) {
            refuse("has a default that it does not allow itself");
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_declaration_is_refused_by_its_name() {
        const GOOD: SettingDeclaration = ServerSetting::integer("limit", "How many", 1..=5, 5).declaration();
        assert_eq!(problems(&[GOOD]), Vec::<String>::new());
        let refused = |declaration, word: &str| {
            let problems = problems(&[GOOD, declaration]);
            assert!(problems.len() == 1 && problems[0].contains(word), "{problems:?}");
        };
        refused(GOOD, "twice");
        refused(SettingDeclaration { name: "Big name", ..GOOD }, "'Big name'");
        refused(SettingDeclaration { name: "other", description: "", ..GOOD }, "description");
        refused(ServerSetting::integer("n", "x", 1..=5, 6).declaration(), "default");
        refused(ServerSetting::text("n", "x", 0, "").declaration(), "length");
        refused(ServerSetting::text("n", "x", 2, "abc").declaration(), "default");
        refused(ServerSetting::choice("n", "x", &["a", "A"], "a").declaration(), "differ");
        refused(ServerSetting::choice("n", "x", &["a"], "b").declaration(), "default");
        let half = Duration::from_millis(500);
        refused(ServerSetting::duration("n", "x", half..=half, half).declaration(), "whole seconds");
    }

    #[test]
    fn what_is_stored_fits_its_declaration_or_counts_as_not_set() {
        let kinds = [
            (SettingKind::Boolean { default: false }, json!(true), json!("true")),
            (SettingKind::Integer { min: 1, max: 5, default: 1 }, json!(5), json!(6)),
            (SettingKind::Text { max_length: 2, default: "" }, json!("äö"), json!("äöü")),
            (SettingKind::Choice { choices: &["a", "b"], default: "a" }, json!("b"), json!("c")),
            (SettingKind::Channel { types: &[] }, json!("7"), json!(7)),
            (SettingKind::Role, json!("7"), json!("0")),
            (SettingKind::User, json!("7"), json!("seven")),
            (
                SettingKind::Duration {
                    min: Duration::ZERO,
                    max: Duration::from_mins(1),
                    default: Duration::ZERO,
                },
                json!(60),
                json!(61),
            ),
        ];
        for (kind, good, bad) in kinds {
            assert_eq!(kind.read(&good).map(|value| value.to_json()), Some(good), "{kind:?}");
            assert_eq!(kind.read(&bad), None, "{kind:?}");
        }
    }
}
