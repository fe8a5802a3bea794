//! Webhooks of channels, and invites to them.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::World;
use super::clock;
use crate::snowflake::Snowflake;

/// A webhook: an incoming one, or one that follows a channel.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Its id.
    pub id: Snowflake,
    /// Guild of its channel.
    pub guild_id: Option<Snowflake>,
    /// Channel in which it posts.
    pub channel_id: Snowflake,
    /// Default name of its messages.
    pub name: String,
    /// Default picture of its messages.
    pub avatar: Option<String>,
    /// Secret with which it can be used.
    pub token: String,
    /// Application whose bot created it.
    pub application_id: Option<Snowflake>,
    /// User who created it.
    pub creator: Snowflake,
    /// Announcement channel that it follows.
    pub follows: Option<Snowflake>,
}

impl Webhook {
    /// Returns the webhook object; without the user if it was requested by token.
    pub fn json(&self, world: &World, with_user: bool) -> Value {
        let mut value = json!({
            "id": self.id,
            "type": if self.follows.is_some() { 2 } else { 1 },
            "guild_id": self.guild_id,
            "channel_id": self.channel_id,
            "name": self.name,
            "avatar": self.avatar,
            "application_id": self.application_id,
        });
        match self.follows {
            None => {
                value["token"] = json!(self.token);
                value["url"] = json!(format!("{}/api/webhooks/{}/{}", world.base_url, self.id, self.token));
            }
            Some(source) => self.add_source(world, source, &mut value),
        }
        if with_user && let Some(user) = world.users.get(&self.creator) {
            value["user"] = user.json();
        }
        value
    }

    /// Adds the followed channel and its guild, as long as the webhook's creator is there.
    fn add_source(&self, world: &World, source: Snowflake, value: &mut Value) {
        let Some(channel) = world.channels.get(&source) else { return };
        let guild = channel.guild_id.and_then(|id| world.guilds.get(&id));
        if let Some(guild) = guild.filter(|guild| guild.members.contains_key(&self.creator)) {
            value["source_guild"] = json!({ "id": guild.id, "name": guild.name, "icon": guild.icon });
            value["source_channel"] = json!({ "id": source, "name": channel.name });
        }
    }
}

/// An invite to a channel of a guild.
#[derive(Debug, Clone)]
pub struct Invite {
    /// Its code.
    pub code: String,
    /// Its guild.
    pub guild_id: Snowflake,
    /// Its channel.
    pub channel_id: Snowflake,
    /// User who created it.
    pub inviter: Snowflake,
    /// Seconds until it expires, 0 for never.
    pub max_age: u64,
    /// Joins until it expires, 0 for no limit.
    pub max_uses: u64,
    /// Number of joins so far.
    pub uses: u64,
    /// Whether members are removed when they go offline.
    pub temporary: bool,
    /// When it was created.
    pub created_at: OffsetDateTime,
}

impl Invite {
    /// Returns when it expires.
    pub fn expires_at(&self) -> Option<OffsetDateTime> {
        let seconds = i64::try_from(self.max_age).unwrap_or(i64::MAX);
        (seconds > 0).then(|| self.created_at.saturating_add(time::Duration::seconds(seconds)))
    }

    /// Returns the invite object; with usage if the requester may manage it.
    pub fn json(&self, world: &World, metadata: bool, counts: bool) -> Value {
        let guild = world.guilds.get(&self.guild_id);
        let channel = world.channels.get(&self.channel_id);
        let mut value = json!({
            "type": 0,
            "code": self.code,
            "guild_id": self.guild_id,
            "guild": guild.map(|guild| json!({
                "id": guild.id, "name": guild.name, "splash": null, "banner": null, "description": guild.description,
                "icon": guild.icon, "features": guild.features(), "verification_level": guild.verification_level,
                "vanity_url_code": null, "nsfw_level": 0, "nsfw": false,
                "premium_subscription_count": guild.perks.boosts, "premium_tier": guild.perks.tier(),
            })),
            "channel": channel.map(|channel| json!({
                "id": channel.id, "type": channel.kind, "name": channel.name,
            })),
            "inviter": world.users.get(&self.inviter).map(super::user::User::json),
            "expires_at": self.expires_at().map(clock::iso),
            "flags": 0,
        });
        if metadata {
            value["uses"] = self.uses.into();
            value["max_uses"] = self.max_uses.into();
            value["max_age"] = self.max_age.into();
            value["temporary"] = self.temporary.into();
            value["created_at"] = clock::iso(self.created_at).into();
        }
        if counts && let Some(guild) = guild {
            value["approximate_member_count"] = guild.members.len().into();
            value["approximate_presence_count"] = guild.presences.len().into();
        }
        value
    }
}
