//! Guilds and their parts: members, emojis, bans, voice states.

use std::collections::{BTreeSet, HashMap, HashSet};

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::World;
use super::auto_moderation::Rule;
use super::channel::kind;
use super::clock::{self, Clock};
use super::community::Community;
use super::incidents::Incidents;
use super::integration::Integration;
use super::perks::Perks;
pub use super::role::Role;
use super::scheduled_event::ScheduledEvent;
use super::sound::Sound;
use super::stage::StageInstance;
use super::sticker::Sticker;
use super::user::User;
use super::widget::Widget;
use crate::permissions::{MemberPermissions, Overwrite, Permissions};
use crate::snowflake::Snowflake;

/// Member flag of a member whose names auto moderation blocks (AUTOMOD_QUARANTINED_USERNAME).
pub const QUARANTINED: u64 = 1 << 7;

/// A user's membership of a guild.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Member {
    /// User of the membership.
    pub user_id: Snowflake,
    /// Nickname in this guild.
    pub nick: Option<String>,
    /// Hash of the picture in this guild.
    pub avatar: Option<String>,
    /// Hash of the banner in this guild.
    pub banner: Option<String>,
    /// Text about the member in this guild, which no object of the API contains.
    pub bio: Option<String>,
    /// Roles beyond @everyone.
    pub roles: Vec<Snowflake>,
    /// When they joined.
    pub joined_at: String,
    /// Muted by the server in voice.
    pub mute: bool,
    /// Deafened by the server in voice.
    pub deaf: bool,
    /// Whether they must still pass membership screening.
    pub pending: bool,
    /// End of a timeout.
    pub communication_disabled_until: Option<OffsetDateTime>,
    /// Member flags.
    pub flags: u64,
}

impl Member {
    /// Creates the membership of a user who joins now.
    pub fn new(user_id: Snowflake, now: OffsetDateTime) -> Self {
        Self {
            user_id,
            nick: None,
            avatar: None,
            banner: None,
            bio: None,
            roles: Vec::new(),
            joined_at: clock::iso(now),
            mute: false,
            deaf: false,
            pending: false,
            communication_disabled_until: None,
            flags: 0,
        }
    }

    /// Returns the member object without `user`, as in MESSAGE_CREATE.
    pub fn partial_json(&self) -> Value {
        let mut o = Map::new();
        o.insert("avatar".into(), self.avatar.clone().into());
        o.insert("banner".into(), self.banner.clone().into());
        o.insert(
            "communication_disabled_until".into(),
            self.communication_disabled_until.map(clock::iso).into(),
        );
        o.insert("flags".into(), self.flags.into());
        o.insert("joined_at".into(), self.joined_at.clone().into());
        o.insert("nick".into(), self.nick.clone().into());
        o.insert("pending".into(), self.pending.into());
        o.insert("premium_since".into(), Value::Null);
        o.insert("roles".into(), self.roles.iter().map(|id| Value::from(id.to_string())).collect());
        o.insert("mute".into(), self.mute.into());
        o.insert("deaf".into(), self.deaf.into());
        Value::Object(o)
    }

    /// Returns the whole member object.
    pub fn json(&self, user: &User) -> Value {
        let mut value = self.partial_json();
        value["user"] = user.json();
        value
    }

    /// Returns whether auto moderation has quarantined them, which restricts them like a timeout.
    pub fn quarantined(&self) -> bool {
        self.flags & QUARANTINED != 0
    }

    /// Returns whether a timeout is in force.
    pub fn timed_out(&self, clock: &Clock) -> bool {
        self.communication_disabled_until.is_some_and(|until| until > clock.now())
    }
}

/// A guild's own emoji.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Emoji {
    /// Its id.
    pub id: Snowflake,
    /// Its name, without colons.
    pub name: String,
    /// Roles that may use it; empty for all.
    pub roles: Vec<Snowflake>,
    /// Whether it is animated.
    pub animated: bool,
    /// User who uploaded it.
    pub creator: Snowflake,
}

impl Emoji {
    /// Returns the emoji object.
    pub fn json(&self, creator: Option<&User>) -> Value {
        let mut value = json!({
            "id": self.id,
            "name": self.name,
            "roles": self.roles,
            "require_colons": true,
            "managed": false,
            "animated": self.animated,
            "available": true,
        });
        if let Some(user) = creator {
            value["user"] = user.json();
        }
        value
    }
}

/// A member's state in voice.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "Discord's object has just these switches")]
pub struct VoiceState {
    /// Member.
    pub user_id: Snowflake,
    /// Channel.
    pub channel_id: Snowflake,
    /// Id of the session in voice.
    pub session_id: String,
    /// Muted by themselves.
    pub self_mute: bool,
    /// Deafened by themselves.
    pub self_deaf: bool,
    /// Camera on.
    pub self_video: bool,
    /// Not allowed to speak; on a stage, in its audience.
    pub suppress: bool,
    /// When they asked to speak on a stage.
    pub request_to_speak: Option<String>,
}

/// A guild.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Guild {
    /// Its id.
    pub id: Snowflake,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// Hash of its icon.
    pub icon: Option<String>,
    /// Owner, who has all permissions in it.
    pub owner_id: Snowflake,
    /// Channel in which joins are announced.
    pub system_channel_id: Option<Snowflake>,
    /// Flags of the announcements that are off.
    pub system_channel_flags: u64,
    /// Channel to which inactive members are moved.
    pub afk_channel_id: Option<Snowflake>,
    /// Seconds until a member counts as inactive.
    pub afk_timeout: u64,
    /// Channel of the rules.
    pub rules_channel_id: Option<Snowflake>,
    /// Channel of Discord's notices.
    pub public_updates_channel_id: Option<Snowflake>,
    /// Requirements for new members.
    pub verification_level: u64,
    /// Which messages members are notified of.
    pub default_message_notifications: u64,
    /// Whose media are scanned.
    pub explicit_content_filter: u64,
    /// Language of the guild.
    pub preferred_locale: String,
    /// Features, boosts, vanity code and pictures.
    pub perks: Perks,
    /// Widget for web pages.
    pub widget: Widget,
    /// Pages for new members.
    pub community: Community,
    /// Paused invites and direct messages.
    pub incidents: Incidents,
    /// Channel of Discord's safety alerts.
    pub safety_alerts_channel_id: Option<Snowflake>,
    /// Members who are removed when they go offline, unless they have a role.
    pub visitors: HashSet<Snowflake>,
    /// Users who were members and left.
    pub former: HashSet<Snowflake>,
    /// Members by user id, in order of joining.
    pub members: IndexMap<Snowflake, Member>,
    /// Roles by id, @everyone first.
    pub roles: IndexMap<Snowflake, Role>,
    /// Channels in order of creation, without threads.
    pub channels: Vec<Snowflake>,
    /// Active and archived threads.
    pub threads: Vec<Snowflake>,
    /// Integrations by id.
    pub integrations: IndexMap<Snowflake, Integration>,
    /// Emojis by id.
    pub emojis: IndexMap<Snowflake, Emoji>,
    /// Stickers by id.
    pub stickers: IndexMap<Snowflake, Sticker>,
    /// Sounds of the soundboard by id.
    pub sounds: IndexMap<Snowflake, Sound>,
    /// Banned users with the reason.
    pub bans: IndexMap<Snowflake, Option<String>>,
    /// Voice states of the members in voice.
    pub voice_states: IndexMap<Snowflake, VoiceState>,
    /// Presences of members who are online: status and activities.
    pub presences: HashMap<Snowflake, Value>,
    /// Rules of auto moderation by id.
    pub auto_moderation: IndexMap<Snowflake, Rule>,
    /// Scheduled events by id, also those that are over.
    pub scheduled_events: IndexMap<Snowflake, ScheduledEvent>,
    /// Live stages by channel.
    pub stage_instances: IndexMap<Snowflake, StageInstance>,
    /// Audit log entries, newest last.
    pub audit_log: std::collections::VecDeque<Value>,
}

impl Guild {
    /// Creates a guild with only @everyone.
    pub fn new(id: Snowflake, name: &str, owner_id: Snowflake, everyone: Permissions) -> Self {
        let mut role = Role::new(id, "@everyone");
        role.permissions = everyone;
        role.position = 0;
        Self {
            id,
            name: name.to_owned(),
            description: None,
            icon: None,
            owner_id,
            system_channel_id: None,
            system_channel_flags: 0,
            afk_channel_id: None,
            afk_timeout: 300,
            rules_channel_id: None,
            public_updates_channel_id: None,
            verification_level: 0,
            default_message_notifications: 0,
            explicit_content_filter: 0,
            preferred_locale: "en-US".to_owned(),
            perks: Perks::default(),
            widget: Widget::default(),
            community: Community::default(),
            incidents: Incidents::default(),
            safety_alerts_channel_id: None,
            visitors: HashSet::new(),
            former: HashSet::new(),
            members: IndexMap::new(),
            roles: IndexMap::from([(id, role)]),
            channels: Vec::new(),
            threads: Vec::new(),
            integrations: IndexMap::new(),
            emojis: IndexMap::new(),
            stickers: IndexMap::new(),
            sounds: IndexMap::new(),
            bans: IndexMap::new(),
            voice_states: IndexMap::new(),
            presences: HashMap::new(),
            auto_moderation: IndexMap::new(),
            scheduled_events: IndexMap::new(),
            stage_instances: IndexMap::new(),
            audit_log: std::collections::VecDeque::new(),
        }
    }

    /// Returns the guild object of REST. GUILD_CREATE adds to it.
    pub fn json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "icon": self.icon,
            "description": self.description,
            "home_header": null,
            "splash": self.perks.splash,
            "discovery_splash": self.perks.discovery_splash,
            "features": self.features(),
            "banner": self.perks.banner,
            "owner_id": self.owner_id,
            "application_id": null,
            "region": "sandbox",
            "afk_channel_id": self.afk_channel_id,
            "afk_timeout": self.afk_timeout,
            "system_channel_id": self.system_channel_id,
            "system_channel_flags": self.system_channel_flags,
            "widget_enabled": self.widget.enabled,
            "widget_channel_id": self.widget.channel_id,
            "verification_level": self.verification_level,
            "roles": self.roles.values().map(Role::json).collect::<Vec<_>>(),
            "default_message_notifications": self.default_message_notifications,
            "mfa_level": 0,
            "explicit_content_filter": self.explicit_content_filter,
            "max_presences": null,
            "max_members": 500_000,
            "max_stage_video_channel_users": 50,
            "max_video_channel_users": 25,
            "vanity_url_code": self.perks.vanity_code(),
            "premium_tier": self.perks.tier(),
            "premium_subscription_count": self.perks.boosts,
            "preferred_locale": self.preferred_locale,
            "rules_channel_id": self.rules_channel_id,
            "safety_alerts_channel_id": self.safety_alerts_channel_id,
            "public_updates_channel_id": self.public_updates_channel_id,
            "premium_progress_bar_enabled": self.perks.progress_bar,
            "nsfw": false,
            "nsfw_level": 0,
            "emojis": self.emojis_json(|_| None),
            "stickers": self.stickers.values().map(|sticker| self.sticker_json(sticker, None)).collect::<Vec<_>>(),
            "incidents_data": self.incidents.of_guild(),
        })
    }

    /// Returns all features, in the order of the alphabet.
    pub fn features(&self) -> BTreeSet<&str> {
        let automod = (!self.auto_moderation.is_empty()).then_some("AUTO_MODERATION");
        self.perks.features().into_iter().chain(automod).collect()
    }

    /// Returns a function from a channel's overwrites to what @everyone may do there.
    pub fn everyone_in(&self) -> impl Fn(&[Overwrite]) -> Permissions + use<> {
        let id = self.id;
        let base = self.roles.get(&id).map_or(Permissions::NONE, |role| role.permissions);
        move |overwrites| {
            let own = overwrites.iter().find(|overwrite| overwrite.id == id);
            own.map_or(base, |own| base & !own.deny | own.allow)
        }
    }

    /// Returns the channel that people who join without an invite to one see first.
    pub fn entrance(&self, world: &World) -> Option<Snowflake> {
        let text = |id: &Snowflake| world.channels.get(id).is_some_and(|channel| channel.kind == kind::TEXT);
        self.system_channel_id.or_else(|| self.channels.iter().copied().find(text))
    }

    /// Returns the position of a member in the hierarchy. The owner is above all others.
    pub fn rank(&self, user: Snowflake) -> i64 {
        if user == self.owner_id {
            return i64::MAX;
        }
        self.members.get(&user).map_or(-1, |member| {
            member
                .roles
                .iter()
                .filter_map(|id| self.roles.get(id))
                .map(|role| role.position)
                .max()
                .unwrap_or(0)
        })
    }

    /// Calls `ask` with a user's permissions here. For a user who is no member, returns the default.
    pub fn standing<T: Default>(
        &self,
        user: Snowflake,
        clock: &Clock,
        ask: impl FnOnce(MemberPermissions<'_>) -> T,
    ) -> T {
        let Some(member) = self.members.get(&user) else { return T::default() };
        let roles: Vec<_> =
            member.roles.iter().filter_map(|id| Some((*id, self.roles.get(id)?.permissions))).collect();
        ask(MemberPermissions {
            guild_id: self.id,
            user_id: user,
            owner: user == self.owner_id,
            timed_out: member.timed_out(clock) || member.quarantined() || member.pending,
            everyone: self.roles.get(&self.id).map_or(Permissions::NONE, |role| role.permissions),
            roles: &roles,
        })
    }

    /// Returns the voice-state object of a member, with or without the member in it.
    pub fn voice_json(&self, state: &VoiceState, channel: Option<Snowflake>) -> Value {
        let member = self.members.get(&state.user_id);
        json!({
            "guild_id": self.id,
            "channel_id": channel,
            "user_id": state.user_id,
            "session_id": state.session_id,
            "deaf": member.is_some_and(|member| member.deaf),
            "mute": member.is_some_and(|member| member.mute),
            "self_deaf": state.self_deaf,
            "self_mute": state.self_mute,
            "self_stream": false,
            "self_video": state.self_video,
            "suppress": state.suppress,
            "request_to_speak_timestamp": state.request_to_speak,
        })
    }
}
