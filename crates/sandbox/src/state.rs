//! The world of the local Discord: all objects, in memory, and queries of them.
//!
//! [`World`] is plain data behind one lock that is never held across an await. Changes with events go through
//! [`crate::live`], which sends them to gateways under the same lock, so that events arrive in the order in which the
//! changes happened.

pub mod agenda;
pub mod authorization;
pub mod auto_moderation;
pub mod channel;
pub mod clock;
pub mod command;
pub mod community;
pub mod endpoint;
pub mod forum;
pub mod group;
pub mod guild;
pub mod identity;
pub mod incidents;
pub mod installation;
pub mod integration;
pub mod interaction;
pub mod invite;
pub mod key_pair;
pub mod lobby;
pub mod message;
mod moment;
mod pairs;
pub mod perks;
pub mod picture;
pub mod poll;
mod privileged;
pub mod role;
pub mod saved;
pub mod scenario;
pub mod scheduled_event;
pub mod sound;
pub mod stage;
pub mod sticker;
pub mod store;
pub mod template;
pub mod user;
pub mod visibility;
pub mod webhook;
pub mod webhook_event;
pub mod widget;

use std::collections::{HashMap, VecDeque};

use axum::body::Bytes;
use indexmap::IndexMap;
use rand::Rng;
use serde_json::{Value, json};

use crate::error::{ApiError, ApiResult};
use crate::permissions::Permissions;
use crate::snowflake::{Generator, Snowflake};
use channel::Channel;
use guild::{Guild, Member};
use interaction::Interactions;
use invite::Invite;
use message::Message;
use template::Template;
use user::{Application, User};
use webhook::Webhook;

/// Bytes of a file, with its media type.
#[derive(Debug, Clone)]
pub struct File {
    /// Name in its address.
    pub filename: String,
    /// Media type.
    pub content_type: String,
    /// The bytes.
    pub bytes: Bytes,
}

/// The bot and the guild that a world began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Home {
    /// The bot's application.
    pub application: Snowflake,
    /// The guild.
    pub guild: Snowflake,
}

/// All objects of the world.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct World {
    ids: Generator,
    /// The bot and the guild that it began with.
    pub home: Option<Home>,
    /// Its time.
    pub clock: clock::Clock,
    /// Base address, such as `http://127.0.0.1:8787`.
    pub base_url: String,
    /// Address under which files are served, which is the same unless TLS has a name for it.
    pub files_url: String,
    /// Applications by id, which is their bot's user id too.
    pub applications: IndexMap<Snowflake, Application>,
    /// Derived from the applications.
    #[serde(skip)]
    tokens: HashMap<String, Snowflake>,
    /// All accounts.
    pub users: IndexMap<Snowflake, User>,
    /// All guilds.
    pub guilds: IndexMap<Snowflake, Guild>,
    /// All channels, including threads and direct messages.
    pub channels: IndexMap<Snowflake, Channel>,
    #[serde(with = "pairs")]
    dms: HashMap<(Snowflake, Snowflake), Snowflake>,
    /// Messages that only one user sees, which are in no channel's history.
    pub ephemeral: HashMap<Snowflake, Message>,
    /// Interactions that can be answered.
    pub interactions: Interactions,
    /// Webhooks by id.
    pub webhooks: IndexMap<Snowflake, Webhook>,
    /// Invites by code.
    pub invites: IndexMap<String, Invite>,
    /// Templates of guilds by code.
    pub templates: IndexMap<String, Template>,
    /// What applications sell, and who bought it.
    pub store: store::Store,
    /// Users' authorizations of applications, by access token.
    pub authorizations: HashMap<String, authorization::Authorization>,
    /// Running Activities by instance id.
    pub activities: HashMap<String, authorization::Activity>,
    /// Players of applications, and their accounts.
    pub identities: identity::Identities,
    /// Lobbies by id.
    pub lobbies: IndexMap<Snowflake, lobby::Lobby>,
    /// Moderation metadata by message and application.
    pub moderation: HashMap<Snowflake, HashMap<Snowflake, crate::validate::lobby::Metadata>>,
    /// Users' accounts elsewhere.
    pub connections: HashMap<Snowflake, Vec<Value>>,
    /// Bytes of attachments by attachment id.
    #[serde(skip)]
    pub files: HashMap<Snowflake, File>,
    uploads: VecDeque<Snowflake>,
    /// When each guild and channel that was searched is indexed.
    pub indexed: HashMap<Snowflake, time::OffsetDateTime>,
    /// What falls due by itself.
    pub agenda: agenda::Agenda,
    /// Webhook events that have not been acknowledged yet, oldest first.
    #[serde(default)]
    pub webhook_events: IndexMap<Snowflake, webhook_event::WebhookEvent>,
}

/// Files for options and modals are stored apart from messages. Above this number, the oldest are removed.
const UPLOAD_LIMIT: usize = 256;

impl World {
    /// Sets the base address, and the address of files.
    pub(crate) fn serve_at(&mut self, base_url: &str, files_url: &str) {
        base_url.clone_into(&mut self.base_url);
        files_url.clone_into(&mut self.files_url);
    }

    /// Returns the next id.
    pub fn next_id(&self) -> Snowflake {
        self.ids.generate_at(self.clock.unix_ms())
    }

    /// Adds an application with its bot account.
    pub fn add_application(&mut self, application: Application, bot: User) {
        self.tokens.insert(application.token.clone(), application.id);
        self.users.insert(bot.id, bot);
        self.applications.insert(application.id, application);
    }

    /// Replaces a bot's token, which makes the old one void. Returns `false` if there is no such bot.
    pub fn reset_token(&mut self, bot: Snowflake, token: String) -> bool {
        let Some(application) = self.applications.get_mut(&bot) else { return false };
        let old = std::mem::replace(&mut application.token, token.clone());
        self.tokens.remove(&old);
        self.tokens.insert(token, bot);
        true
    }

    /// Returns the bot that this token belongs to.
    pub fn bot_by_token(&self, token: &str) -> Option<Snowflake> {
        self.tokens.get(token).copied()
    }

    /// Returns an account, by id or unique name.
    pub fn find_user(&self, wanted: &str) -> Option<&User> {
        let wanted = wanted.strip_prefix('@').unwrap_or(wanted);
        match wanted.parse().ok().and_then(|id: Snowflake| self.users.get(&id)) {
            Some(user) => Some(user),
            None => self.users.values().find(|user| user.username.eq_ignore_ascii_case(wanted)),
        }
    }

    /// Returns an account, or Discord's error.
    pub fn user(&self, id: Snowflake) -> ApiResult<&User> {
        self.users.get(&id).ok_or_else(ApiError::unknown_user)
    }

    /// Returns a guild that `user` is in, or Discord's error.
    pub fn guild_for(&self, guild: Snowflake, user: Snowflake) -> ApiResult<&Guild> {
        match self.guilds.get(&guild) {
            Some(guild) if guild.members.contains_key(&user) => Ok(guild),
            Some(_) => Err(ApiError::missing_access()),
            None => Err(ApiError::unknown_guild()),
        }
    }

    /// Returns a guild, or Discord's error.
    pub fn guild_mut(&mut self, guild: Snowflake) -> ApiResult<&mut Guild> {
        self.guilds.get_mut(&guild).ok_or_else(ApiError::unknown_guild)
    }

    /// Returns a channel, or Discord's error.
    pub fn channel(&self, id: Snowflake) -> ApiResult<&Channel> {
        self.channels.get(&id).ok_or_else(ApiError::unknown_channel)
    }

    /// Returns a channel, or Discord's error.
    pub fn channel_mut(&mut self, id: Snowflake) -> ApiResult<&mut Channel> {
        self.channels.get_mut(&id).ok_or_else(ApiError::unknown_channel)
    }

    /// Returns a channel in which `user` has VIEW_CHANNEL and all of `needed`.
    pub fn channel_for(&self, id: Snowflake, user: Snowflake, needed: Permissions) -> ApiResult<&Channel> {
        let channel = self.channel(id)?;
        let has = self.permissions_in(user, channel);
        if !has.contains(Permissions::VIEW_CHANNEL) {
            return Err(ApiError::missing_access());
        }
        if channel.is_dm() || has.contains(needed) {
            Ok(channel)
        } else {
            Err(ApiError::missing_permissions())
        }
    }

    /// Returns a message in the history of a channel.
    pub fn message(&self, channel: Snowflake, message: Snowflake) -> Option<&Message> {
        self.channels.get(&channel)?.messages.get(&message)
    }

    /// Returns a message by its id, in any channel.
    pub fn find_message(&self, message: Snowflake) -> Option<&Message> {
        self.channels.values().find_map(|channel| channel.messages.get(&message))
    }

    /// Stores a file of an option or modal.
    pub fn keep_upload(&mut self, id: Snowflake, file: File) {
        self.files.insert(id, file);
        self.uploads.push_back(id);
        if self.uploads.len() > UPLOAD_LIMIT
            && let Some(oldest) = self.uploads.pop_front()
        {
            self.files.remove(&oldest);
        }
    }

    /// Returns a message in the history of a channel, or one that a single user sees.
    pub fn any_message(&self, channel: Snowflake, message: Snowflake) -> Option<&Message> {
        self.message(channel, message)
            .or_else(|| self.ephemeral.get(&message).filter(|message| message.channel_id == channel))
    }

    /// Returns the same mutably.
    pub fn any_message_mut(&mut self, channel: Snowflake, message: Snowflake) -> Option<&mut Message> {
        if self.ephemeral.get(&message).is_some_and(|message| message.channel_id == channel) {
            return self.ephemeral.get_mut(&message);
        }
        self.channels.get_mut(&channel)?.messages.get_mut(&message)
    }

    /// Returns a member, or Discord's error.
    pub fn member(&self, guild: Snowflake, user: Snowflake) -> ApiResult<&Member> {
        let guild = self.guilds.get(&guild).ok_or_else(ApiError::unknown_guild)?;
        guild.members.get(&user).ok_or_else(ApiError::unknown_member)
    }

    /// Returns the member object, with its user.
    pub fn member_json(&self, guild: Snowflake, user: Snowflake) -> ApiResult<Value> {
        Ok(self.member(guild, user)?.json(self.user(user)?))
    }

    /// Returns the channel object, for any type of channel, as `viewer` sees it.
    pub fn channel_json(&self, channel: &Channel, viewer: Option<Snowflake>) -> Value {
        let mut value = channel.json();
        if channel.is_dm() {
            value["recipients"] = channel
                .recipients
                .iter()
                .filter(|id| Some(**id) != viewer)
                .filter_map(|id| self.users.get(id))
                .map(User::json)
                .collect();
        }
        if let Some(member) = viewer.and_then(|viewer| channel.thread_member(viewer)) {
            value["member"] = member;
        }
        value
    }

    /// Returns a user's permissions in a guild, before any channel's overwrites.
    pub fn guild_permissions(&self, user: Snowflake, guild: &Guild) -> Permissions {
        guild.standing(user, &self.clock, |standing| standing.in_guild())
    }

    /// Returns a user's permissions in a channel. Threads follow their parent. In direct messages both users have all
    /// permissions.
    pub fn permissions_in(&self, user: Snowflake, channel: &Channel) -> Permissions {
        let Some(guild) = channel.guild_id.and_then(|id| self.guilds.get(&id)) else {
            return if channel.recipients.contains(&user) { Permissions::ALL } else { Permissions::NONE };
        };
        let governing = match (&channel.thread, channel.parent_id.and_then(|id| self.channels.get(&id))) {
            (Some(_), Some(parent)) => parent,
            _ => channel,
        };
        let granted =
            guild.standing(user, &self.clock, |standing| standing.in_channel(&governing.overwrites));
        let hidden = channel.kind == channel::kind::PRIVATE_THREAD
            && !granted.contains(Permissions::MANAGE_THREADS)
            && channel.thread.as_ref().is_some_and(|thread| !thread.members.contains_key(&user));
        if hidden { Permissions::NONE } else { granted.effective_in_channel() }
    }

    /// Returns the direct-message channel of two accounts, which is created if there is none.
    pub fn open_dm(&mut self, a: Snowflake, b: Snowflake) -> Snowflake {
        let pair = if a < b { (a, b) } else { (b, a) };
        if let Some(id) = self.dms.get(&pair) {
            return *id;
        }
        let id = self.next_id();
        let mut channel = Channel::new(id, channel::kind::DM, None, "", self.clock.now());
        channel.recipients = vec![a, b];
        self.channels.insert(id, channel);
        self.dms.insert(pair, id);
        id
    }

    /// Returns the bots that are in a guild.
    pub fn bots_in(&self, guild: Snowflake) -> Vec<Snowflake> {
        let Some(guild) = self.guilds.get(&guild) else { return Vec::new() };
        self.applications.keys().copied().filter(|bot| guild.members.contains_key(bot)).collect()
    }

    /// Returns the guilds that a user is in, oldest first.
    pub fn guilds_of(&self, user: Snowflake) -> impl Iterator<Item = &Guild> {
        self.guilds.values().filter(move |guild| guild.members.contains_key(&user))
    }

    /// Returns the data of GUILD_CREATE for a bot, in full, since the hub removes what a session may not see.
    pub fn guild_create_json(&self, guild: &Guild, bot: Snowflake) -> Value {
        let mut value = guild.json();
        let visible = |id: &&Snowflake| {
            self.channels
                .get(*id)
                .is_some_and(|channel| self.permissions_in(bot, channel).contains(Permissions::VIEW_CHANNEL))
        };
        value["joined_at"] = guild.members.get(&bot).map(|member| member.joined_at.clone()).into();
        value["large"] = false.into();
        value["member_count"] = guild.members.len().into();
        value["voice_states"] = guild
            .voice_states
            .values()
            .map(|state| guild.voice_json(state, Some(state.channel_id)))
            .collect();
        value["members"] = guild
            .members
            .values()
            .filter_map(|member| Some(member.json(self.users.get(&member.user_id)?)))
            .collect();
        let seen = self.seen_in(bot, guild);
        value["channels"] = guild
            .channels
            .iter()
            .filter_map(|id| self.channels.get(id))
            .map(|channel| {
                let mut value =
                    if seen.contains(&channel.id) { channel.json() } else { channel.hidden_json() };
                if let Some(object) = value.as_object_mut() {
                    object.remove("guild_id");
                }
                value
            })
            .collect();
        value["threads"] = guild
            .threads
            .iter()
            .filter(visible)
            .filter_map(|id| self.channels.get(id))
            .filter(|channel| channel.thread.as_ref().is_some_and(|thread| !thread.archived))
            .map(|channel| self.channel_json(channel, Some(bot)))
            .collect();
        value["presences"] =
            guild.presences.iter().map(|(id, presence)| presence_json(*id, None, presence)).collect();
        value["stage_instances"] = self.stages_json(guild, bot);
        value["guild_scheduled_events"] = self.events_json(guild, bot);
        value["soundboard_sounds"] = self.sounds_json(guild).into();
        value
    }
}

/// Returns the presence object of a user, in PRESENCE_UPDATE with its guild.
pub fn presence_json(user: Snowflake, guild: Option<Snowflake>, presence: &Value) -> Value {
    let status = presence.get("status").cloned().unwrap_or_else(|| "online".into());
    let mut value = json!({
        "user": { "id": user },
        "status": status,
        "activities": presence.get("activities").filter(|list| list.is_array()).cloned().unwrap_or_else(|| json!([])),
        "client_status": if status == "offline" { json!({}) } else { json!({ "web": status }) },
    });
    if let Some(guild) = guild {
        value["guild_id"] = json!(guild);
    }
    value
}

/// Returns random letters and digits that cannot be guessed.
pub fn secret(length: usize) -> String {
    rand::rng().sample_iter(rand::distr::Alphanumeric).take(length).map(char::from).collect()
}

/// Returns a hash in the form of Discord's pictures: 32 hexadecimal digits.
pub fn picture_hash() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

impl World {
    /// Returns the members whose username, display name or nickname begins with `prefix`, ignoring case.
    pub fn members_named<'a>(&self, guild: &'a Guild, prefix: &str) -> Vec<&'a Member> {
        let prefix = prefix.to_lowercase();
        let begins = |name: &str| name.to_lowercase().starts_with(&prefix);
        guild
            .members
            .values()
            .filter(|member| {
                let user = self.users.get(&member.user_id);
                member.nick.as_deref().is_some_and(begins)
                    || user.is_some_and(|user| {
                        begins(&user.username) || user.global_name.as_deref().is_some_and(begins)
                    })
            })
            .collect()
    }
}
