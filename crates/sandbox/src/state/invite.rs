//! Invites to channels of guilds.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::World;
use super::clock;
use crate::snowflake::Snowflake;

/// An invite to a channel of a guild.
#[derive(Debug, Clone)]
pub struct Invite {
    /// Its code.
    pub code: String,
    /// Its guild.
    pub guild_id: Snowflake,
    /// Its channel.
    pub channel_id: Snowflake,
    /// User who created it; `None` for a vanity code and for those of a widget.
    pub inviter: Option<Snowflake>,
    /// Seconds until it expires, 0 for never.
    pub max_age: u64,
    /// Joins until it expires, 0 for no limit.
    pub max_uses: u64,
    /// Number of joins so far.
    pub uses: u64,
    /// Whether members are removed when they go offline.
    pub temporary: bool,
    /// Whether it is that of a guild's widget.
    pub of_widget: bool,
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
                "id": guild.id, "name": guild.name, "splash": guild.perks.splash, "banner": guild.perks.banner, "description": guild.description,
                "icon": guild.icon, "features": guild.perks.features(), "verification_level": guild.verification_level,
                "vanity_url_code": guild.perks.vanity_code(), "nsfw_level": 0, "nsfw": false, "premium_subscription_count": guild.perks.boosts,
                "premium_tier": guild.perks.tier(),
            })),
            "channel": channel.map(|channel| json!({
                "id": channel.id, "type": channel.kind, "name": channel.name,
            })),
            "expires_at": self.expires_at().map(clock::iso),
            "flags": 0,
        });
        let screen = guild.and_then(|guild| guild.community.welcome_screen.as_ref());
        if let Some(screen) = screen.filter(|screen| screen.enabled) {
            value["guild"]["welcome_screen"] = screen.json();
        }
        if let Some(user) = self.inviter.and_then(|inviter| world.users.get(&inviter)) {
            value["inviter"] = user.json();
        }
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

impl World {
    /// Returns the invite of this code that can still be accepted. A guild's vanity code leads to its first channel.
    pub fn invite(&self, code: &str) -> Option<Invite> {
        let usable = |invite: &&Invite| invite.expires_at().is_none_or(|at| at > clock::now());
        if let Some(invite) = self.invites.get(code) {
            return Some(invite).filter(usable).cloned();
        }
        let guild = self.guilds.values().find(|guild| guild.perks.vanity_code() == Some(code))?;
        Some(Invite {
            code: code.to_owned(),
            guild_id: guild.id,
            channel_id: guild.entrance(self)?,
            inviter: None,
            max_age: 0,
            max_uses: 0,
            uses: guild.perks.vanity.as_ref().map_or(0, |vanity| vanity.uses),
            temporary: false,
            of_widget: false,
            created_at: guild.id.created_at(),
        })
    }
}
