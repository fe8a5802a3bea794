//! Users and bots: the user object, and the application of a bot.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::command::Commands;
use super::guild::Emoji;
use super::key_pair::KeyPair;
use crate::gateway::Intents;
use crate::snowflake::Snowflake;

/// Default language of an account's client.
pub const DEFAULT_LOCALE: &str = "en-US";

/// An account, of a user or of a bot.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct User {
    /// Its id.
    pub id: Snowflake,
    /// The unique name; lower case for users who are no bots.
    pub username: String,
    /// The name displayed instead of `username`, if set.
    pub global_name: Option<String>,
    /// `0` for users who are no bots; four digits for bots.
    pub discriminator: String,
    /// Whether an application owns this account.
    pub bot: bool,
    /// Hash of the avatar.
    pub avatar: Option<String>,
    /// Hash of the banner.
    pub banner: Option<String>,
    /// Language of the account's client, sent with each interaction.
    pub locale: String,
    /// When they last did anything, or were last online.
    pub last_seen: OffsetDateTime,
}

impl User {
    /// Creates the account of a user who is no bot.
    pub fn person(id: Snowflake, username: &str, global_name: Option<&str>, now: OffsetDateTime) -> Self {
        Self {
            id,
            username: username.to_owned(),
            global_name: global_name.map(str::to_owned),
            discriminator: "0".to_owned(),
            bot: false,
            avatar: None,
            banner: None,
            locale: DEFAULT_LOCALE.to_owned(),
            last_seen: now,
        }
    }

    /// Creates a bot's account.
    pub fn bot(id: Snowflake, username: &str, now: OffsetDateTime) -> Self {
        let mut user = Self::person(id, username, None, now);
        user.bot = true;
        user.discriminator = format!("{:04}", id.0 / 7 % 9999 + 1);
        user
    }

    /// Returns the name that other members see if no nickname is set.
    pub fn display_name(&self) -> &str {
        self.global_name.as_deref().unwrap_or(&self.username)
    }

    /// Returns the public [user object](https://discord.com/developers/docs/resources/user#user-object).
    pub fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("id".into(), self.id.to_string().into());
        object.insert("username".into(), self.username.clone().into());
        object.insert("avatar".into(), self.avatar.clone().into());
        object.insert("discriminator".into(), self.discriminator.clone().into());
        object.insert("public_flags".into(), 0.into());
        object.insert("flags".into(), 0.into());
        if self.bot {
            object.insert("bot".into(), true.into());
        }
        object.insert("banner".into(), self.banner.clone().into());
        object.insert("accent_color".into(), Value::Null);
        object.insert("global_name".into(), self.global_name.clone().into());
        object.insert("avatar_decoration_data".into(), Value::Null);
        object.insert("collectibles".into(), Value::Null);
        object.insert("primary_guild".into(), Value::Null);
        Value::Object(object)
    }

    /// Returns the user object as the account itself sees it.
    pub fn private_json(&self) -> Value {
        let mut value = self.json();
        value["mfa_enabled"] = true.into();
        value["locale"] = self.locale.clone().into();
        value["premium_type"] = 0.into();
        value["email"] = Value::Null;
        value["verified"] = true.into();
        value
    }
}

/// An application with its bot.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Application {
    /// Its id, which is also the bot's user id.
    pub id: Snowflake,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Its owner.
    pub owner: Snowflake,
    /// The bot's token.
    pub token: String,
    /// Key pair that signs what is sent to its addresses.
    #[serde(default)]
    pub key_pair: KeyPair,
    /// Privileged intents that are enabled.
    pub privileged: Intents,
    /// Users who have installed it to their account.
    pub users: BTreeSet<Snowflake>,
    /// Tags set through the API.
    pub tags: Vec<String>,
    /// Hash of the icon.
    pub icon: Option<String>,
    /// Hash of the cover image.
    pub cover_image: Option<String>,
    /// Settings that are shown as they were set through the API: addresses, installation, events.
    pub settings: HashMap<Cow<'static, str>, Value>,
    /// Number of webhook events in a row that were given up.
    #[serde(default)]
    pub events_given_up: u32,
    /// Records of linked roles.
    pub role_metadata: Vec<Value>,
    /// Users' role connections.
    pub role_connections: HashMap<Snowflake, Value>,
    /// Emojis that only this application uses.
    pub emojis: IndexMap<Snowflake, Emoji>,
    /// Global and guild commands.
    pub commands: Commands,
    /// The guild-wide and per-command permissions set by admins: `(guild, command or application)`.
    #[serde(with = "super::pairs")]
    pub command_permissions: HashMap<(Snowflake, Snowflake), Vec<Value>>,
}

impl Application {
    /// Returns the application object as its own bot sees it.
    pub fn json(&self, bot: &User, owner: &User, guilds: usize) -> Value {
        let mut value = json!({
            "id": self.id,
            "name": self.name,
            "icon": self.icon,
            "description": self.description,
            "summary": "",
            "type": null,
            "bot": bot.json(),
            "bot_public": true,
            "bot_require_code_grant": false,
            "verify_key": self.key_pair.public(),
            "flags": self.intent_flags(),
            "flags_new": self.intent_flags().to_string(),
            "hook": true,
            "redirect_uris": [],
            "interactions_endpoint_url": null,
            "role_connections_verification_url": null,
            "event_webhooks_url": null,
            "event_webhooks_status": 1,
            "owner": owner.json(),
            "approximate_guild_count": guilds,
            "approximate_user_install_count": self.users.len(),
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "team": null,
            "eligible_oauth2_scopes": ["bot", "applications.commands"],
            // Both ways of installation, so that commands of either can be tested.
            "integration_types_config": {
                "0": { "oauth2_install_params": { "scopes": ["applications.commands", "bot"], "permissions": "8" } },
                "1": { "oauth2_install_params": { "scopes": ["applications.commands"], "permissions": "0" } },
            },
        });
        if !self.tags.is_empty() {
            value["tags"] = json!(self.tags);
        }
        if let Some(hash) = &self.cover_image {
            value["cover_image"] = json!(hash);
        }
        for (key, set) in &self.settings {
            value[&**key] = set.clone();
        }
        value
    }

    /// Returns the application object as others see it.
    pub fn public_json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "icon": self.icon,
            "description": self.description,
            "summary": "",
            "type": null,
            "hook": true,
            "bot_public": true,
            "bot_require_code_grant": false,
            "verify_key": self.key_pair.public(),
            "flags": self.intent_flags(),
            "flags_new": self.intent_flags().to_string(),
        })
    }

    /// Returns the partial object in READY.
    pub fn partial_json(&self) -> Value {
        json!({ "id": self.id, "flags": self.intent_flags() })
    }
}
