//! Lobbies: who is in them, what is said in them, and their link to a channel.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::Live;
use crate::error::{ApiError, ApiResult};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::agenda::Due;
use crate::state::invite::Invite;
use crate::state::lobby::{
    CAN_LINK_LOBBY, Lobby, LobbyMember, LobbyMessage, Origin, SECRET_LIFETIME, Secret, is_linkable,
    is_shown_in_games,
};
use crate::state::message::{Author, Message};
use crate::validate::Change;
use crate::validate::lobby::{JoinBody, LobbyBody, MemberBody, MessageBody, Metadata};

/// Most members of a lobby (Managing Lobbies, "Lobby Members").
const MOST_MEMBERS: usize = 1000;
/// Most lobbies of an application that a user is in.
const MOST_LOBBIES: usize = 100;
/// Seconds for which an invite to a linked channel is valid.
const INVITE_SECONDS: u64 = 3600;

/// Returns an error to which Discord documents no code.
fn refused(status: StatusCode, sentence: &str) -> ApiError {
    ApiError::new(status, 0, sentence)
}

impl Live<'_> {
    /// Creates a lobby of an application, and returns its id.
    pub fn create_lobby(&mut self, application: Snowflake, body: LobbyBody) -> ApiResult<Snowflake> {
        for member in body.members.iter().flatten() {
            self.may_enter(application, None, member.id)?;
        }
        let id = self.new_lobby(application);
        self.edit_lobby(application, id, body)?;
        Ok(id)
    }

    fn new_lobby(&mut self, application: Snowflake) -> Snowflake {
        let lobby = Lobby::new(self.next_id(), application, self.limits.lobby_idle, self.clock.now());
        let (id, ends) = (lobby.id, lobby.looked_at);
        self.lobbies.insert(id, lobby);
        self.schedule(ends, Due::IdleLobby { lobby: id });
        id
    }

    /// Changes a lobby. Members that are named replace all others, and keep their additional name.
    pub fn edit_lobby(&mut self, application: Snowflake, id: Snowflake, body: LobbyBody) -> ApiResult<()> {
        self.lobby(application, id)?;
        for member in body.members.iter().flatten() {
            self.may_enter(application, Some(id), member.id)?;
        }
        let lobby = self.lobby_mut(application, id)?;
        body.metadata.apply(&mut lobby.metadata);
        body.flags.apply_or(&mut lobby.flags, 0);
        body.override_event_webhooks_url.apply(&mut lobby.webhooks_url);
        if let Some(members) = body.members {
            let mut before = std::mem::take(&mut lobby.members);
            for member in members {
                let user = member.id;
                let name = before.shift_remove(&user).and_then(|known| known.additional_name);
                let mut now = LobbyMember { additional_name: name, ..LobbyMember::default() };
                now.apply(member);
                lobby.members.insert(user, now);
            }
            let members = &lobby.members;
            lobby.connected.retain(|user| members.contains_key(user));
        }
        self.set_idle_timeout(id, body.idle_timeout_seconds);
        self.lobby_is_used(id);
        Ok(())
    }

    /// Deletes a lobby, if there is one of this application.
    pub fn delete_lobby(&mut self, application: Snowflake, id: Snowflake) {
        if self.lobby(application, id).is_ok() {
            self.forget_lobby(id);
        }
    }

    fn forget_lobby(&mut self, id: Snowflake) {
        let Some(gone) = self.lobbies.shift_remove(&id) else { return };
        for (message, _) in &gone.messages {
            if let Some(of_message) = self.moderation.get_mut(message) {
                of_message.remove(&gone.application);
            }
        }
    }

    /// Checks that a user can be added to a lobby, or is in it.
    fn may_be_added(&self, application: Snowflake, id: Snowflake, user: Snowflake) -> ApiResult<()> {
        let lobby = self.lobby(application, id)?;
        self.may_enter(application, Some(id), user)?;
        if lobby.members.len() < MOST_MEMBERS || lobby.members.contains_key(&user) {
            return Ok(());
        }
        Err(refused(StatusCode::BAD_REQUEST, "Maximum number of lobby members reached (1000)"))
    }

    /// Checks that a user can be in a lobby, or in a new one, whose other members may go.
    fn may_enter(&self, application: Snowflake, lobby: Option<Snowflake>, user: Snowflake) -> ApiResult<()> {
        if self.user(user)?.bot {
            return Err(ApiError::invalid_user_type());
        }
        let lobby = lobby.and_then(|id| self.lobbies.get(&id));
        if lobby.is_some_and(|lobby| lobby.members.contains_key(&user)) {
            return Ok(());
        }
        if self.lobbies_of(application, user) >= MOST_LOBBIES {
            return Err(refused(StatusCode::BAD_REQUEST, "Maximum number of lobbies reached (100)"));
        }
        Ok(())
    }

    /// Adds a member to a lobby, or changes one, and returns the lobby member object.
    pub fn put_lobby_member(
        &mut self,
        application: Snowflake,
        id: Snowflake,
        body: MemberBody,
    ) -> ApiResult<Value> {
        self.may_be_added(application, id, body.id)?;
        let lobby = self.lobby_mut(application, id)?;
        let user = body.id;
        let member = lobby.members.entry(user).or_default();
        member.apply(body);
        let shown = member.json(user);
        self.lobby_is_used(id);
        Ok(shown)
    }

    /// Adds, changes and removes members of a lobby, and returns those that are in it. Users who cannot be in it are left
    /// out; one who does not exist changes nothing at all.
    pub fn bulk_lobby_members(
        &mut self,
        application: Snowflake,
        id: Snowflake,
        members: Vec<MemberBody>,
    ) -> ApiResult<Vec<Value>> {
        self.lobby(application, id)?;
        for member in &members {
            self.user(member.id)?;
        }
        let mut shown = Vec::new();
        for member in members {
            if member.remove {
                self.remove_lobby_member(application, id, member.id)?;
            } else if let Ok(member) = self.put_lobby_member(application, id, member) {
                shown.push(member);
            }
        }
        Ok(shown)
    }

    /// Removes a member from a lobby, if the user is one.
    pub fn remove_lobby_member(
        &mut self,
        application: Snowflake,
        id: Snowflake,
        user: Snowflake,
    ) -> ApiResult<()> {
        self.lobby_mut(application, id)?.remove(user);
        self.lobby_is_used(id);
        Ok(())
    }

    /// Lets a user leave a lobby that users created.
    pub fn leave_lobby(&mut self, application: Snowflake, id: Snowflake, user: Snowflake) -> ApiResult<()> {
        if self.lobby(application, id)?.secret.is_none() {
            return Err(refused(StatusCode::FORBIDDEN, "Lobbies that a server created cannot be left"));
        }
        self.remove_lobby_member(application, id, user)
    }

    /// Lets a user into the lobby of a secret, which is created if there is none, and returns its id.
    pub fn join_lobby(
        &mut self,
        application: Snowflake,
        user: Snowflake,
        body: JoinBody,
    ) -> ApiResult<Snowflake> {
        let now = self.clock.now();
        let mine = |lobby: &&Lobby| {
            lobby.application == application
                && lobby.secret.as_ref().is_some_and(|own| own.text == body.secret && own.expires > now)
        };
        let known = self.lobbies.values().find(mine).map(|lobby| lobby.id);
        match known {
            Some(id) => self.may_be_added(application, id, user)?,
            None => self.may_enter(application, None, user)?,
        }
        let id = known.unwrap_or_else(|| self.new_lobby(application));
        let lobby = self.lobby_mut(application, id)?;
        lobby.secret.get_or_insert_with(|| Secret { text: body.secret, expires: now + SECRET_LIFETIME });
        body.lobby_metadata.apply(&mut lobby.metadata);
        body.flags.apply_or(&mut lobby.flags, 0);
        body.member_metadata.apply(&mut lobby.members.entry(user).or_default().metadata);
        self.set_idle_timeout(id, body.idle_timeout_seconds);
        self.lobby_is_used(id);
        Ok(id)
    }

    /// Links a lobby to a channel in the name of a member, or unlinks it.
    pub fn link_lobby(
        &mut self,
        application: Snowflake,
        id: Snowflake,
        user: Snowflake,
        channel: Option<Snowflake>,
    ) -> ApiResult<()> {
        let lobby = self.lobby_of(application, id, user)?;
        if lobby.members.get(&user).is_none_or(|member| member.flags & CAN_LINK_LOBBY == 0) {
            return Err(ApiError::missing_permissions());
        }
        if let Some(wanted) = channel {
            let created_by_user = lobby.secret.is_some();
            let needed = Permissions::MANAGE_CHANNELS | Permissions::SEND_MESSAGES;
            let found = self.channel_for(wanted, user, needed)?;
            if !is_linkable(found) {
                return Err(ApiError::wrong_channel_type());
            }
            let refused = |sentence| Err(refused(StatusCode::BAD_REQUEST, sentence));
            if created_by_user {
                return refused("Lobbies with a secret cannot be linked to a channel");
            }
            if self.linked_lobby(wanted).is_some_and(|other| other != id) {
                return refused("Channel is already linked to another lobby");
            }
        }
        self.lobby_mut(application, id)?.channel = channel;
        self.lobby_is_used(id);
        Ok(())
    }

    /// Creates an invite of one user to the channel that a lobby is linked to, and returns its code.
    pub fn invite_from_lobby(
        &mut self,
        lobby: Snowflake,
        user: Snowflake,
        by: Snowflake,
    ) -> ApiResult<String> {
        if self.user(user)?.bot || self.identities.is_provisional(user) {
            return Err(ApiError::invalid_user_type());
        }
        let found = self.lobbies.get(&lobby).ok_or_else(ApiError::unknown_lobby)?;
        let channel = self.linked_channel(found).and_then(|channel| Some((channel.guild_id?, channel.id)));
        let Some((guild, channel)) = channel else {
            return Err(refused(StatusCode::BAD_REQUEST, "Lobby is not linked to a channel"));
        };
        self.has_room_for_invite(guild)?;
        let now = self.clock.now();
        let mut invite = Invite::new(guild, channel, None, now);
        invite.max_age = INVITE_SECONDS;
        invite.max_uses = 1;
        invite.set_users(Some(vec![user]), now);
        let code = invite.code.clone();
        self.add_invite(invite);
        self.audit_invite(40, &code, by, None);
        self.lobby_is_used(lobby);
        Ok(code)
    }

    /// Sends a message to a lobby and to the channel that it is linked to, and returns it with its metadata, which is not
    /// kept. Auto moderation of the channel's guild keeps it out of the channel only.
    pub fn say_in_lobby(
        &mut self,
        application: Snowflake,
        id: Snowflake,
        user: Snowflake,
        body: MessageBody,
    ) -> ApiResult<Value> {
        let lobby = self.lobby_of(application, id, user)?;
        let channel = self.linked_channel(lobby).map(|channel| channel.id);
        let additional_name = lobby.members.get(&user).and_then(|member| member.additional_name.clone());
        let message = self.next_id();
        let content = body.content;
        if let Some(lobby) = self.lobbies.get_mut(&id) {
            let own =
                LobbyMessage { author: user, content: content.clone(), additional_name, flags: body.flags };
            lobby.push(message, Origin::Lobby(own));
        }
        self.lobby_is_used(id);
        self.saw(user);
        if let Some(channel) = channel {
            self.forward_from_lobby(application, channel, user, &content, body.flags);
        }
        let mut shown = self.one_lobby_message(self.lobby(application, id)?, message)?;
        if let Some(metadata) = body.metadata {
            shown["metadata"] = json!(metadata);
        }
        self.lobby_message_sent(id, shown.clone());
        Ok(shown)
    }

    fn forward_from_lobby(
        &mut self,
        application: Snowflake,
        channel: Snowflake,
        user: Snowflake,
        content: &str,
        flags: u64,
    ) {
        let Ok(verdicts) = self.moderate(user, channel, content) else { return };
        let mut copy = Message::new(self.next_id(), channel, Author::User(user));
        content.clone_into(&mut copy.content);
        copy.flags = flags;
        copy.application_id = Some(application);
        let copy = self.deliver(copy);
        self.flag(&verdicts, user, channel, copy, content);
    }

    /// Shows a new message of a channel in the lobby that is linked to it.
    pub(super) fn show_in_lobby(&mut self, channel: Snowflake, message: Snowflake) {
        if !self.message(channel, message).is_some_and(is_shown_in_games) {
            return;
        }
        let Some(lobby) = self.linked_lobby(channel) else { return };
        if let Some(lobby) = self.lobbies.get_mut(&lobby) {
            lobby.push(message, Origin::Channel(channel));
        }
        self.lobby_is_used(lobby);
        let shown = self.lobbies.get(&lobby).map(|found| self.one_lobby_message(found, message));
        if let Some(Ok(shown)) = shown {
            self.lobby_message_sent(lobby, shown);
        }
    }

    /// Sets an application's moderation metadata of a message, which is in place until its text is edited.
    pub fn set_moderation(&mut self, application: Snowflake, message: Snowflake, metadata: Metadata) {
        self.moderation.entry(message).or_default().insert(application, metadata);
    }

    /// Removes the moderation metadata of a message that is edited or deleted.
    pub(super) fn clear_moderation(&mut self, message: Snowflake) {
        self.moderation.remove(&message);
    }

    /// Notes that the game of a member is connected to a lobby, or is not any more.
    pub fn set_in_lobby(&mut self, id: Snowflake, user: Snowflake, connected: bool) -> ApiResult<()> {
        let lobby = self.lobbies.get_mut(&id).ok_or_else(ApiError::unknown_lobby)?;
        if !lobby.members.contains_key(&user) {
            return Err(ApiError::unknown_member());
        }
        if connected {
            lobby.connected.insert(user);
        } else {
            lobby.connected.remove(&user);
        }
        self.lobby_is_used(id);
        Ok(())
    }

    fn set_idle_timeout(&mut self, id: Snowflake, seconds: Change<u32>) {
        let default = self.limits.lobby_idle;
        if let Some(lobby) = self.lobbies.get_mut(&id) {
            seconds
                .map(|seconds| Duration::from_secs(seconds.into()))
                .apply_or(&mut lobby.idle_timeout, default);
        }
    }

    /// Notes that something has happened in a lobby, so that it is idle from now on.
    fn lobby_is_used(&mut self, id: Snowflake) {
        let now = self.clock.now();
        let Some(lobby) = self.lobbies.get_mut(&id) else { return };
        lobby.idle_since = now;
        let ends = lobby.ends();
        // Later moments are put on the agenda when the one that is there has come.
        if ends < lobby.looked_at {
            lobby.looked_at = ends;
            self.schedule(ends, Due::IdleLobby { lobby: id });
        }
    }

    /// Deletes a lobby that has been idle for too long, or looks at it again later.
    pub(super) fn lobby_is_due(&mut self, id: Snowflake, now: OffsetDateTime) {
        let Some(lobby) = self.lobbies.get_mut(&id).filter(|lobby| lobby.looked_at <= now) else { return };
        if !lobby.connected.is_empty() {
            lobby.idle_since = now;
        }
        let ends = lobby.ends();
        if ends <= now {
            self.forget_lobby(id);
            self.hub.log().note(format!("lobby {id} is deleted, since it was idle"), None);
            return;
        }
        lobby.looked_at = ends;
        self.schedule(ends, Due::IdleLobby { lobby: id });
    }
}
