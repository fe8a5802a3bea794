//! Lobbies of games: their members and messages, and the channels that they are linked to.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::channel::{Channel, HISTORY_LIMIT, kind};
use super::message::Message;
use super::{World, clock};
use crate::error::{ApiError, ApiResult};
use crate::snowflake::Snowflake;
use crate::validate::lobby::{MemberBody, Metadata};

/// Flag of a member who may link the lobby to a channel.
pub const CAN_LINK_LOBBY: u8 = 1;
/// Flag of messages that games send (Webhook Events, "Lobby Message Create Example").
const FROM_A_GAME: u64 = 1 << 16;
/// Validity of the secret of a lobby.
pub const SECRET_LIFETIME: time::Duration = time::Duration::days(30);
/// Age above which messages of a lobby are not returned any more.
const HISTORY: time::Duration = time::Duration::hours(72);

/// A member of a lobby.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct LobbyMember {
    /// Metadata.
    pub metadata: Option<Metadata>,
    /// Flags, see [`CAN_LINK_LOBBY`].
    pub flags: u8,
    /// Name beside the user's own.
    pub additional_name: Option<String>,
}

impl LobbyMember {
    /// Changes the fields that a body names.
    pub fn apply(&mut self, body: MemberBody) {
        body.metadata.apply(&mut self.metadata);
        body.flags.apply_or(&mut self.flags, 0);
        body.additional_name.apply(&mut self.additional_name);
    }

    /// Returns the lobby member object.
    pub fn json(&self, user: Snowflake) -> Value {
        let mut value = json!({ "id": user, "metadata": self.metadata, "flags": self.flags });
        if let Some(name) = &self.additional_name {
            value["additional_name"] = name.clone().into();
        }
        value
    }
}

/// A message that a member has sent to a lobby.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct LobbyMessage {
    /// Its author.
    pub author: Snowflake,
    /// Its text.
    pub content: String,
    /// The author's additional name when it was sent.
    pub additional_name: Option<String>,
    /// Flags.
    pub flags: u64,
}

/// The place of a message of a lobby.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum Origin {
    /// The lobby itself.
    Lobby(LobbyMessage),
    /// A channel that was linked to it.
    Channel(Snowflake),
}

/// The secret with which users create and find a lobby.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Secret {
    /// The text.
    pub text: String,
    /// Until when others can join with it.
    pub expires: OffsetDateTime,
}

/// A lobby.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Lobby {
    /// Its id.
    pub id: Snowflake,
    /// Application that it belongs to.
    pub application: Snowflake,
    /// Metadata.
    pub metadata: Option<Metadata>,
    /// Members, first to last.
    pub members: IndexMap<Snowflake, LobbyMember>,
    /// Channel that it was linked to, which may not exist any more.
    pub channel: Option<Snowflake>,
    /// Flags.
    pub flags: u8,
    /// Address for its events in place of the application's.
    pub webhooks_url: Option<String>,
    /// Time for which it may be idle.
    pub idle_timeout: Duration,
    /// Its secret, if a user created it.
    pub secret: Option<Secret>,
    /// Members whose game is connected to it.
    pub connected: BTreeSet<Snowflake>,
    /// Since when it is idle.
    pub idle_since: OffsetDateTime,
    /// When the agenda looks at it next.
    pub looked_at: OffsetDateTime,
    /// Messages by id, oldest first.
    pub messages: VecDeque<(Snowflake, Origin)>,
}

impl Lobby {
    /// Creates an empty lobby.
    pub fn new(id: Snowflake, application: Snowflake, idle_timeout: Duration, now: OffsetDateTime) -> Self {
        Self {
            id,
            application,
            metadata: None,
            members: IndexMap::new(),
            channel: None,
            flags: 0,
            webhooks_url: None,
            idle_timeout,
            secret: None,
            connected: BTreeSet::new(),
            idle_since: now,
            looked_at: clock::later(now, idle_timeout),
            messages: VecDeque::new(),
        }
    }

    /// Returns when it is deleted, unless something happens in it before.
    pub fn ends(&self) -> OffsetDateTime {
        clock::later(self.idle_since, self.idle_timeout)
    }

    /// Removes a member, if the user is one.
    pub fn remove(&mut self, user: Snowflake) {
        self.members.shift_remove(&user);
        self.connected.remove(&user);
    }

    /// Makes another user the author of a user's messages.
    pub fn reattribute(&mut self, from: Snowflake, to: Snowflake) {
        for (_, origin) in &mut self.messages {
            if let Origin::Lobby(message) = origin
                && message.author == from
            {
                message.author = to;
            }
        }
    }

    /// Adds a message, and drops the oldest above the limit of a history.
    pub fn push(&mut self, id: Snowflake, origin: Origin) {
        self.messages.push_back((id, origin));
        if self.messages.len() > HISTORY_LIMIT {
            self.messages.pop_front();
        }
    }

    fn message_json(&self, world: &World, id: Snowflake, message: &LobbyMessage) -> Value {
        let author = world.users.get(&message.author).map(super::user::User::json);
        let gone = || {
            super::user::User::person(message.author, "deleted_user", None, message.author.created_at())
                .json()
        };
        let mut value = json!({
            "id": id,
            "type": 0,
            "content": message.content,
            "lobby_id": self.id,
            "channel_id": self.id,
            "author": author.unwrap_or_else(gone),
            "flags": message.flags | FROM_A_GAME,
            "application_id": self.application,
        });
        if let Some(name) = &message.additional_name {
            value["lobby_member"] = json!({ "additional_name": name });
        }
        value
    }

    fn copied_json(&self, world: &World, message: &Message) -> Value {
        let shown = message.json(world, None);
        json!({
            "id": message.id,
            "type": message.kind,
            "content": message.content,
            "lobby_id": self.id,
            "channel_id": message.channel_id,
            "author": shown["author"],
            "flags": message.flags,
        })
    }
}

impl World {
    /// Returns a lobby of an application, or Discord's error.
    pub fn lobby(&self, application: Snowflake, id: Snowflake) -> ApiResult<&Lobby> {
        let found = self.lobbies.get(&id).filter(|lobby| lobby.application == application);
        found.ok_or_else(ApiError::unknown_lobby)
    }

    /// Returns a lobby of an application to change it, or Discord's error.
    pub fn lobby_mut(&mut self, application: Snowflake, id: Snowflake) -> ApiResult<&mut Lobby> {
        let found = self.lobbies.get_mut(&id).filter(|lobby| lobby.application == application);
        found.ok_or_else(ApiError::unknown_lobby)
    }

    /// Returns a lobby of an application that a user is in, or Discord's error.
    pub fn lobby_of(&self, application: Snowflake, id: Snowflake, user: Snowflake) -> ApiResult<&Lobby> {
        let lobby = self.lobby(application, id)?;
        if lobby.members.contains_key(&user) { Ok(lobby) } else { Err(ApiError::missing_access()) }
    }

    /// Returns the channel that a lobby is linked to.
    pub fn linked_channel(&self, lobby: &Lobby) -> Option<&Channel> {
        self.channels.get(&lobby.channel?)
    }

    /// Returns the lobby that a channel is linked to.
    pub fn linked_lobby(&self, channel: Snowflake) -> Option<Snowflake> {
        self.lobbies.values().find(|lobby| lobby.channel == Some(channel)).map(|lobby| lobby.id)
    }

    /// Returns the lobby object.
    pub fn lobby_json(&self, lobby: &Lobby) -> Value {
        let mut value = json!({
            "id": lobby.id,
            "application_id": lobby.application,
            "metadata": lobby.metadata,
            "members": lobby.members.iter().map(|(user, member)| member.json(*user)).collect::<Vec<_>>(),
            "flags": lobby.flags,
        });
        if let Some(channel) = self.linked_channel(lobby) {
            value["linked_channel"] = channel.json();
        }
        if let Some(url) = &lobby.webhooks_url {
            value["override_event_webhooks_url"] = url.clone().into();
        }
        value
    }

    /// Returns the newest messages of a lobby, oldest first: its own, and those of the channels that it was linked to.
    pub fn lobby_messages(&self, lobby: &Lobby, limit: usize) -> Vec<Value> {
        let oldest = self.clock.now() - HISTORY;
        let recent = lobby.messages.iter().rev().take_while(|(id, _)| id.created_at() > oldest);
        let shown = recent.filter_map(|(id, origin)| self.lobby_message(lobby, *id, origin));
        let mut list: Vec<Value> = shown.take(limit).collect();
        list.reverse();
        list
    }

    /// Returns a message of a lobby with its moderation metadata; nothing if it was deleted from its channel.
    fn lobby_message(&self, lobby: &Lobby, id: Snowflake, origin: &Origin) -> Option<Value> {
        let mut value = match origin {
            Origin::Lobby(message) => lobby.message_json(self, id, message),
            Origin::Channel(channel) => lobby.copied_json(self, self.message(*channel, id)?),
        };
        let of_message = self.moderation.get(&id).and_then(|of| of.get(&lobby.application));
        if let Some(metadata) = of_message.filter(|pairs| !pairs.is_empty()) {
            value["moderation_metadata"] = json!(metadata);
        }
        Some(value)
    }

    /// Returns one message of a lobby, or Discord's error.
    pub fn one_lobby_message(&self, lobby: &Lobby, id: Snowflake) -> ApiResult<Value> {
        let found = lobby.messages.iter().rev().find(|(known, _)| *known == id);
        let shown = found.and_then(|(_, origin)| self.lobby_message(lobby, id, origin));
        shown.ok_or_else(ApiError::unknown_message)
    }

    /// Returns the number of lobbies of an application that a user is in.
    pub fn lobbies_of(&self, application: Snowflake, user: Snowflake) -> usize {
        let theirs = |lobby: &&Lobby| lobby.application == application && lobby.members.contains_key(&user);
        self.lobbies.values().filter(theirs).count()
    }

    /// Returns the direct-message channel of two accounts, if there is one.
    pub fn dm_of(&self, a: Snowflake, b: Snowflake) -> Option<Snowflake> {
        self.dms.get(&if a < b { (a, b) } else { (b, a) }).copied()
    }
}

/// Returns whether a game shows a message of a channel: one that somebody wrote, or an answer to a command.
pub fn is_shown_in_games(message: &Message) -> bool {
    matches!(message.kind, 0 | 19 | 20 | 23) && message.ephemeral_for.is_none()
}

/// Returns whether a lobby can be linked to a channel.
pub fn is_linkable(channel: &Channel) -> bool {
    channel.kind == kind::TEXT && !channel.nsfw
}
