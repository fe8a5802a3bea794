//! Invites to channels of guilds.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{World, clock, secret};
use crate::snowflake::Snowflake;
pub use crate::validate::invite::Target;

/// Users who can see and accept an invite.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TargetUsers {
    /// Their ids.
    pub ids: Vec<Snowflake>,
    /// When their file was processed.
    pub processed_at: OffsetDateTime,
}

/// An invite to a channel of a guild.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
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
    /// What it leads to in a voice channel.
    pub target: Option<Target>,
    /// Roles for those who accept it.
    pub roles: Vec<Snowflake>,
    /// Users who can see and accept it; `None` for anyone.
    pub users: Option<TargetUsers>,
    /// Whether it is that of a guild's widget.
    pub of_widget: bool,
    /// When it was created.
    pub created_at: OffsetDateTime,
}

impl Invite {
    /// Creates an invite for a day that anyone can accept, with a new code.
    pub fn new(
        guild_id: Snowflake,
        channel_id: Snowflake,
        inviter: Option<Snowflake>,
        now: OffsetDateTime,
    ) -> Self {
        Self {
            code: secret(8),
            guild_id,
            channel_id,
            inviter,
            max_age: 86_400,
            max_uses: 0,
            uses: 0,
            temporary: false,
            target: None,
            roles: Vec::new(),
            users: None,
            of_widget: false,
            created_at: now,
        }
    }

    /// Sets the users who can see and accept it.
    pub fn set_users(&mut self, ids: Option<Vec<Snowflake>>, now: OffsetDateTime) {
        self.users = ids.map(|ids| TargetUsers { ids, processed_at: now });
    }

    /// Returns whether a user can see and accept it; `None` is one who is not known.
    pub fn is_for(&self, user: Option<Snowflake>) -> bool {
        let among = |ids: &[Snowflake]| user.is_some_and(|user| ids.contains(&user));
        self.users.as_ref().is_none_or(|users| among(&users.ids) || (user.is_some() && user == self.inviter))
    }

    /// Returns whether it does the same as another, so that it can be given out again.
    pub fn is_like(&self, other: &Self) -> bool {
        let settings = |invite: &Self| {
            (
                invite.channel_id,
                invite.inviter,
                invite.max_age,
                invite.max_uses,
                invite.temporary,
                invite.target,
            )
        };
        settings(self) == settings(other)
            && self.roles == other.roles
            && self.users.is_none()
            && !self.of_widget
    }

    /// Returns when it expires.
    pub fn expires_at(&self) -> Option<OffsetDateTime> {
        let seconds = i64::try_from(self.max_age).unwrap_or(i64::MAX);
        (seconds > 0).then(|| self.created_at.saturating_add(time::Duration::seconds(seconds)))
    }

    /// Returns whether it has not expired yet.
    pub fn is_open(&self, now: OffsetDateTime) -> bool {
        self.expires_at().is_none_or(|at| at > now)
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
                "icon": guild.icon, "features": guild.features(), "verification_level": guild.verification_level,
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
        match self.target {
            Some(Target::Stream(user)) => {
                value["target_type"] = 1.into();
                value["target_user"] = world.users.get(&user).map(super::user::User::json).into();
            }
            Some(Target::Activity(id)) => {
                value["target_type"] = 2.into();
                value["target_application"] = world.applications.get(&id).map(|application| {
                    // Not documented, but py-cord 2.8 and interactions.py 5.16 fail without `summary`.
                    json!({ "id": id, "name": application.name, "icon": application.icon, "summary": "",
                        "description": application.description, "type": null, "verify_key": application.key_pair.public(),
                        "flags": application.intent_flags(), "flags_new": application.intent_flags().to_string() })
                }).into();
            }
            None => {}
        }
        let roles =
            guild.into_iter().flat_map(|guild| self.roles.iter().filter_map(|id| guild.roles.get(id)));
        let roles: Vec<Value> = roles.map(super::role::Role::invite_json).collect();
        if !roles.is_empty() {
            value["roles"] = roles.into();
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
        if self.invites.contains_key(code) {
            return self.open_invite(code).cloned();
        }
        let guild = self.guilds.values().find(|guild| guild.perks.vanity_code() == Some(code))?;
        let mut invite = Invite::new(guild.id, guild.entrance(self)?, None, guild.id.created_at());
        code.clone_into(&mut invite.code);
        invite.max_age = 0;
        invite.uses = guild.perks.vanity.as_ref().map_or(0, |vanity| vanity.uses);
        Some(invite)
    }

    /// Returns the invite of this code that was created and has not expired.
    pub fn open_invite(&self, code: &str) -> Option<&Invite> {
        self.invites.get(code).filter(|invite| invite.is_open(self.clock.now()))
    }

    /// Returns the invites that were created and have not expired.
    pub fn open_invites(&self) -> impl Iterator<Item = &Invite> {
        let now = self.clock.now();
        self.invites.values().filter(move |invite| invite.is_open(now))
    }
}
