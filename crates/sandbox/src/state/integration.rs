//! Integrations of guilds: bots, and channels of Twitch and YouTube.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::guild::Guild;
use super::{World, clock};
use crate::snowflake::Snowflake;

/// Type of an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A bot.
    Discord,
    /// A channel of Twitch.
    Twitch,
    /// A channel of YouTube.
    Youtube,
    /// Subscriptions that the guild itself sells.
    GuildSubscription,
}

/// What concerns the subscribers of a channel elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Subscribers {
    /// Their role.
    pub role: Option<Snowflake>,
    /// What happens when a subscription ends: 0 the role is taken away, 1 the member is removed.
    pub expire_behavior: u8,
    /// Days until then.
    pub expire_grace_period: u8,
    /// Whether emojis are synchronised.
    pub enable_emoticons: bool,
}

impl Default for Subscribers {
    fn default() -> Self {
        Self { role: None, expire_behavior: 0, expire_grace_period: 1, enable_emoticons: false }
    }
}

/// An integration of a guild.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Integration {
    /// Its id.
    pub id: Snowflake,
    /// Its type.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Id of the account elsewhere; of a bot, that of its application.
    pub account: String,
    /// Whether it is in use.
    pub enabled: bool,
    /// The bot.
    pub application: Option<Snowflake>,
    /// User who added it.
    pub user: Option<Snowflake>,
    /// For a channel elsewhere.
    pub subscribers: Subscribers,
    /// When it was last synchronised.
    pub synced_at: OffsetDateTime,
}

impl Kind {
    /// Returns the id of an account elsewhere in the form that the service gives it.
    pub fn account(self, number: Snowflake) -> String {
        match self {
            Self::Youtube => format!("UC{:0>22}", number.to_string()),
            // A number at Twitch, too, as discordeno 21 expects.
            Self::Discord | Self::Twitch | Self::GuildSubscription => number.to_string(),
        }
    }
}

impl Integration {
    /// Creates the integration of a bot.
    pub fn of_bot(
        id: Snowflake,
        application: Snowflake,
        name: &str,
        user: Snowflake,
        now: OffsetDateTime,
    ) -> Self {
        Self {
            id,
            kind: Kind::Discord,
            name: name.to_owned(),
            account: application.to_string(),
            enabled: true,
            application: Some(application),
            user: Some(user),
            subscribers: Subscribers::default(),
            synced_at: now,
        }
    }

    /// Returns the integration object.
    pub fn json(&self, world: &World) -> Value {
        let mut value = json!({
            "id": self.id,
            "type": self.kind,
            "name": self.name,
            "enabled": self.enabled,
            "account": { "id": self.account, "name": self.name },
        });
        if let Some(user) = self.user.and_then(|id| world.users.get(&id)) {
            value["user"] = user.json();
        }
        if let Some(application) = self.application.and_then(|id| world.applications.get(&id)) {
            value["application"] = json!({
                "id": application.id,
                "name": application.name,
                "icon": application.icon,
                // Not documented, but discord.py 2.7 ends without it.
                "summary": "",
                "description": application.description,
                "type": null,
                "bot": world.users.get(&application.id).map(super::user::User::json),
            });
            value["scopes"] = json!(["applications.commands", "bot"]);
        }
        if matches!(self.kind, Kind::Twitch | Kind::Youtube) {
            value["syncing"] = false.into();
            value["role_id"] = json!(self.subscribers.role);
            value["enable_emoticons"] = self.subscribers.enable_emoticons.into();
            value["expire_behavior"] = self.subscribers.expire_behavior.into();
            value["expire_grace_period"] = self.subscribers.expire_grace_period.into();
            value["synced_at"] = clock::iso(self.synced_at).into();
            value["subscriber_count"] = 0.into();
            value["revoked"] = false.into();
        }
        value
    }

    /// Returns the smaller form of audit logs.
    pub fn partial_json(&self) -> Value {
        let mut value = json!({
            "id": self.id,
            "type": self.kind,
            "name": self.name,
            "account": { "id": self.account, "name": self.name },
        });
        if let Some(application) = self.application {
            value["application_id"] = json!(application);
        }
        value
    }
}

impl Guild {
    /// Returns the integration of a bot.
    pub fn integration_of(&self, bot: Snowflake) -> Option<&Integration> {
        self.integrations.values().find(|integration| integration.application == Some(bot))
    }
}
