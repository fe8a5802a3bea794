//! A command as it is stored: comparable, and written in the form in which Discord shows commands.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::permissions::Permissions;
use crate::snowflake::Snowflake;

/// Kinds of commands.
pub mod kind {
    /// Slash command.
    pub const CHAT_INPUT: u8 = 1;
    /// Command in a user's menu.
    pub const USER: u8 = 2;
    /// Command in a message's menu.
    pub const MESSAGE: u8 = 3;
    /// Command that starts the application's Activity.
    pub const PRIMARY_ENTRY_POINT: u8 = 4;
}

/// Kinds of options.
pub mod option {
    /// One action of a command.
    pub const SUB_COMMAND: u8 = 1;
    /// Group of actions.
    pub const SUB_COMMAND_GROUP: u8 = 2;
    /// Text.
    pub const STRING: u8 = 3;
    /// Whole number within 2^53.
    pub const INTEGER: u8 = 4;
    /// Boolean.
    pub const BOOLEAN: u8 = 5;
    /// User.
    pub const USER: u8 = 6;
    /// Channel.
    pub const CHANNEL: u8 = 7;
    /// Role.
    pub const ROLE: u8 = 8;
    /// User or role.
    pub const MENTIONABLE: u8 = 9;
    /// Number within 2^53.
    pub const NUMBER: u8 = 10;
    /// File.
    pub const ATTACHMENT: u8 = 11;
}

/// Texts by locale.
pub type Localizations = BTreeMap<String, String>;

/// Returns a text as a client in this locale shows it: its translation, that of the fallback, or the text itself.
///
/// Source: "Localization" in Discord's documentation of application commands.
pub fn localized<'a>(text: &'a str, translations: Option<&'a Localizations>, locale: &str) -> &'a str {
    let translation = |locale: &str| translations?.get(locale);
    let found = translation(locale).or_else(|| translation(fallback(locale)?));
    found.map_or(text, String::as_str)
}

/// Returns the locale used where there is no translation for this one ("Locale fallbacks").
fn fallback(locale: &str) -> Option<&'static str> {
    match locale {
        "en-US" => Some("en-GB"),
        "en-GB" => Some("en-US"),
        "es-419" => Some("es-ES"),
        _ => None,
    }
}

/// Everything about a command that its author decides; two equal definitions are the same command, and replacing one by
/// the other gives it no new version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// One of [`kind`].
    #[serde(rename = "type")]
    pub kind: u8,
    /// Name, unique among commands of this type in this scope.
    pub name: String,
    /// Translations of the name.
    #[serde(default)]
    pub name_localizations: Option<Localizations>,
    /// Description; empty except for slash commands.
    #[serde(default)]
    pub description: String,
    /// Translations of the description.
    #[serde(default)]
    pub description_localizations: Option<Localizations>,
    /// Parameters, or subcommands.
    #[serde(default)]
    pub options: Vec<CommandOption>,
    /// Permissions that a member needs to see it; `None` for everyone.
    #[serde(default)]
    pub default_member_permissions: Option<Permissions>,
    /// Whether it works in direct messages with the bot (global commands).
    #[serde(default)]
    pub dm_permission: bool,
    /// Where it can be used: 0 guild, 1 direct messages with the bot, 2 other private channels (global commands).
    #[serde(default)]
    pub contexts: Option<Vec<u8>>,
    /// For which installations: 0 guild, 1 user (global commands); `None` for what the application supports.
    #[serde(default)]
    pub integration_types: Option<Vec<u8>>,
    /// Whether it is age-restricted.
    #[serde(default)]
    pub nsfw: bool,
    /// Handler of an entry point: 1 for the application, 2 for Discord.
    #[serde(default)]
    pub handler: Option<u8>,
}

/// One parameter, subcommand or group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandOption {
    /// One of [`option`].
    #[serde(rename = "type")]
    pub kind: u8,
    /// Name, unique among its siblings.
    pub name: String,
    /// Translations of the name.
    #[serde(default)]
    pub name_localizations: Option<Localizations>,
    /// Description.
    pub description: String,
    /// Translations of the description.
    #[serde(default)]
    pub description_localizations: Option<Localizations>,
    /// Whether the user must give it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// Parameters of a subcommand, or subcommands of a group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<CommandOption>,
    /// The only values allowed, unless empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// Kinds of channels to choose from, unless empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channel_types: Vec<u8>,
    /// Minimum number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_value: Option<Bound>,
    /// Maximum number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_value: Option<Bound>,
    /// Minimum length of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u32>,
    /// Maximum length of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// Whether the application suggests values while the user types.
    #[serde(default, skip_serializing_if = "is_false")]
    pub autocomplete: bool,
    /// Types of files to choose from, unless empty: names of groups, and extensions with their dot in lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub file_types: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference to what it asks")]
fn is_false(value: &bool) -> bool {
    !value
}

/// End of a range of numbers, written as it was given: `5` for whole numbers, `5.5` for others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Bound {
    /// Bound of an INTEGER option.
    Int(i64),
    /// Bound of a NUMBER option.
    Float(f64),
}

impl Bound {
    /// Returns the bound as a number to compare with; exact, since Discord's numbers stay within 2^53.
    #[expect(clippy::cast_precision_loss, reason = "within 2^53 nothing is lost")]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(bound) => bound as f64,
            Self::Float(bound) => bound,
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(bound) => bound.fmt(f),
            Self::Float(bound) => bound.fmt(f),
        }
    }
}

/// Value that a user may choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Name that the user sees.
    pub name: String,
    /// Translations of the name.
    #[serde(default)]
    pub name_localizations: Option<Localizations>,
    /// Value that the application receives.
    pub value: ChoiceValue,
}

/// Value of a choice; its type is that of its option.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ChoiceValue {
    /// Value of an INTEGER option.
    Int(i64),
    /// Value of a NUMBER option.
    Float(f64),
    /// Value of a STRING option.
    Text(String),
}

impl std::fmt::Display for ChoiceValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}

/// Everything about a command that Discord decides, not the author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Id of the command.
    pub id: Snowflake,
    /// Id of its application.
    pub application_id: Snowflake,
    /// Id of its guild, unless global.
    pub guild_id: Option<Snowflake>,
    /// Version, which changes with every change of the definition.
    pub version: Snowflake,
}

/// Installation types that every application of the sandbox supports, which a command that names none takes over.
const INSTALLS: [u8; 2] = [0, 1];

/// Translations that an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShownIn<'a> {
    /// All translations, as after `with_localizations=true` and every write.
    Every,
    /// Only the translation of one locale, as `name_localized`; `None` when the request names none.
    Locale(Option<&'a str>),
    /// The translation that a client in this locale shows, also as `name_localized`: fallbacks apply.
    Client(&'a str),
}

impl Definition {
    /// Returns the application command object of Discord's documentation.
    pub fn to_json(&self, identity: &Identity, shown: ShownIn<'_>) -> Value {
        let mut object = self.body();
        object.insert("id".to_owned(), json!(identity.id));
        object.insert("application_id".to_owned(), json!(identity.application_id));
        object.insert("version".to_owned(), json!(identity.version));
        object.insert("default_member_permissions".to_owned(), json!(self.default_member_permissions));
        object.insert("nsfw".to_owned(), json!(self.nsfw));
        if let Some(guild_id) = identity.guild_id {
            object.insert("guild_id".to_owned(), json!(guild_id));
            for global_only in ["dm_permission", "contexts", "integration_types"] {
                object.remove(global_only);
            }
        } else {
            object.insert("dm_permission".to_owned(), json!(self.dm_permission));
            object.insert("contexts".to_owned(), json!(self.contexts));
            object.insert(
                "integration_types".to_owned(),
                json!(self.integration_types.as_deref().unwrap_or(&INSTALLS)),
            );
        }
        let mut object = Value::Object(object);
        match shown {
            ShownIn::Every => {}
            ShownIn::Locale(locale) => localize(&mut object, [locale, None]),
            ShownIn::Client(locale) => localize(&mut object, [Some(locale), fallback(locale)]),
        }
        object
    }

    /// Returns the name that a client in this locale shows.
    pub fn shown_name(&self, locale: &str) -> &str {
        localized(&self.name, self.name_localizations.as_ref(), locale)
    }

    /// Returns the body of a creation with this definition as its result.
    pub(super) fn body(&self) -> Map<String, Value> {
        let Ok(Value::Object(mut object)) = serde_json::to_value(self) else { return Map::new() };
        let unset = |key: &str, value: &Value| match key {
            "options" => value.as_array().is_some_and(Vec::is_empty),
            "contexts" | "integration_types" | "handler" | "default_member_permissions" => value.is_null(),
            _ => false,
        };
        object.retain(|key, value| !unset(key, value));
        // Where contexts are given they decide; repeating the older switch would make an edit of it look void.
        if self.contexts.is_some() {
            object.remove("dm_permission");
        }
        object
    }

    /// Returns the number of characters that count towards the size of a command: of each text the longest translation.
    pub(super) fn size(&self) -> usize {
        longest(&self.name, self.name_localizations.as_ref())
            + longest(&self.description, self.description_localizations.as_ref())
            + self.options.iter().map(CommandOption::size).sum::<usize>()
    }
}

impl CommandOption {
    /// Returns the name that a client in this locale shows.
    pub fn shown_name(&self, locale: &str) -> &str {
        localized(&self.name, self.name_localizations.as_ref(), locale)
    }

    fn size(&self) -> usize {
        let choice = |choice: &Choice| {
            let value = match &choice.value {
                ChoiceValue::Text(text) => text.chars().count(),
                ChoiceValue::Int(_) | ChoiceValue::Float(_) => 0,
            };
            longest(&choice.name, choice.name_localizations.as_ref()) + value
        };
        longest(&self.name, self.name_localizations.as_ref())
            + longest(&self.description, self.description_localizations.as_ref())
            + self.options.iter().map(Self::size).sum::<usize>()
            + self.choices.iter().map(choice).sum::<usize>()
    }
}

impl Choice {
    /// Returns the name that a client in this locale shows.
    pub fn shown_name(&self, locale: &str) -> &str {
        localized(&self.name, self.name_localizations.as_ref(), locale)
    }

    /// Returns the choice as a client in this locale receives it: with the translation that it shows as
    /// `name_localized`.
    pub fn to_json(&self, locale: &str) -> Value {
        let mut object = json!(self);
        localize(&mut object, [Some(locale), fallback(locale)]);
        object
    }
}

fn longest(text: &str, translations: Option<&Localizations>) -> usize {
    let translated = translations.into_iter().flatten().map(|(_, text)| text.chars().count());
    translated.fold(text.chars().count(), usize::max)
}

/// Replaces `*_localizations` by `*_localized` in the value and everything in it: the translation of the first of these
/// locales that has one.
fn localize(value: &mut Value, locales: [Option<&str>; 2]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| localize(item, locales)),
        Value::Object(object) => {
            for field in ["name", "description"] {
                let translations = object.remove(&format!("{field}_localizations"));
                let translation =
                    |locale: &str| translations.as_ref()?.get(locale).filter(|text| text.is_string());
                if let Some(text) = locales.into_iter().flatten().find_map(translation) {
                    object.insert(format!("{field}_localized"), text.clone());
                }
            }
            for list in ["options", "choices"] {
                if let Some(items) = object.get_mut(list) {
                    localize(items, locales);
                }
            }
        }
        _ => {}
    }
}
