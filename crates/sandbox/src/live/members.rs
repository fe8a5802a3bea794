//! Members who join, change, leave and are banned.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::Live;
use crate::error::{ApiError, ApiResult};
use crate::gateway::Intents;
use crate::snowflake::Snowflake;
use crate::validate::Change;

/// Changes of a member. A field that is not given stays.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct MemberChange {
    /// Nickname.
    pub nick: Change<String>,
    /// Hash of the picture in this guild.
    pub avatar: Change<String>,
    /// Hash of the banner in this guild.
    pub banner: Change<String>,
    /// Text about the member in this guild.
    pub bio: Change<String>,
    /// All roles.
    pub roles: Change<Vec<Snowflake>>,
    /// Muted in voice.
    pub mute: Change<bool>,
    /// Deafened in voice.
    pub deaf: Change<bool>,
    /// End of a timeout.
    pub timeout: Change<OffsetDateTime>,
    /// Member flags.
    pub flags: Change<u64>,
}

impl Live<'_> {
    /// Sends the event of a joined member. A bot that joins gets GUILD_CREATE instead.
    pub(super) fn dispatch_joined(&self, guild: Snowflake, user: Snowflake) {
        if let Ok(mut event) = self.member_json(guild, user) {
            event["guild_id"] = json!(guild);
            let intents = Intents::for_event("GUILD_MEMBER_ADD", true);
            let others = self.bots_in(guild).into_iter().filter(|bot| *bot != user);
            self.dispatch_each(others, "GUILD_MEMBER_ADD", Some(guild), intents, |_| Some(event.clone()));
        }
    }

    /// Removes a member. A removed bot gets GUILD_DELETE.
    pub fn leave(&mut self, guild_id: Snowflake, user: Snowflake) -> ApiResult<()> {
        let shown = self.user(user)?.json();
        self.set_voice(guild_id, user, None);
        let guild = self.guild_mut(guild_id)?;
        if guild.members.shift_remove(&user).is_none() {
            return Err(ApiError::unknown_member());
        }
        guild.presences.remove(&user);
        guild.former.insert(user);
        let threads = guild.threads.clone();
        guild.visitors.remove(&user);
        let own_role = guild.roles.values().find(|role| role.bot_id == Some(user)).map(|role| role.id);
        if self.applications.contains_key(&user) {
            self.dispatch_bot(user, "GUILD_DELETE", Some(guild_id), json!({ "id": guild_id }));
        }
        if let Some(role) = own_role {
            self.delete_role(guild_id, role);
        }
        for thread in threads {
            self.leave_thread(thread, user)?;
        }
        self.dispatch_guild(guild_id, "GUILD_MEMBER_REMOVE", json!({ "guild_id": guild_id, "user": shown }));
        self.integration_left(guild_id, user);
        Ok(())
    }

    /// Bans a user, member or not, and deletes their messages of the last `delete_seconds`.
    pub fn ban(
        &mut self,
        guild_id: Snowflake,
        user: Snowflake,
        reason: Option<String>,
        delete_seconds: u64,
    ) -> ApiResult<()> {
        let shown = self.user(user)?.json();
        let guild = self.guild_mut(guild_id)?;
        if guild.bans.contains_key(&user) {
            return Ok(());
        }
        guild.bans.insert(user, reason);
        let channels: Vec<Snowflake> = guild.channels.iter().chain(&guild.threads).copied().collect();
        if delete_seconds > 0 {
            let since =
                Snowflake::first_at(self.next_id().timestamp_ms().saturating_sub(delete_seconds * 1000));
            for id in channels {
                let Some(channel) = self.channels.get(&id) else { continue };
                let theirs: Vec<Snowflake> = channel
                    .messages
                    .range(since..)
                    .filter(|(_, message)| message.author_id() == Some(user))
                    .map(|(id, _)| *id)
                    .collect();
                self.delete(id, &theirs);
            }
        }
        if self.guilds.get(&guild_id).is_some_and(|guild| guild.members.contains_key(&user)) {
            self.leave(guild_id, user)?;
        }
        self.dispatch_guild(guild_id, "GUILD_BAN_ADD", json!({ "guild_id": guild_id, "user": shown }));
        Ok(())
    }

    /// Lifts a ban.
    pub fn unban(&mut self, guild_id: Snowflake, user: Snowflake) -> ApiResult<()> {
        if self.guild_mut(guild_id)?.bans.shift_remove(&user).is_none() {
            return Err(ApiError::unknown_ban());
        }
        let shown = self.user(user)?.json();
        self.dispatch_guild(guild_id, "GUILD_BAN_REMOVE", json!({ "guild_id": guild_id, "user": shown }));
        Ok(())
    }

    /// Changes a member and sends the event.
    pub fn change_member(
        &mut self,
        guild_id: Snowflake,
        user: Snowflake,
        change: MemberChange,
    ) -> ApiResult<()> {
        let gains = change.roles.is_change() && self.applications.contains_key(&user);
        let before = gains.then(|| self.access(guild_id));
        let guild = self.guild_mut(guild_id)?;
        let member = guild.members.get_mut(&user).ok_or_else(ApiError::unknown_member)?;
        let renamed = change.nick.apply(&mut member.nick);
        change.avatar.apply(&mut member.avatar);
        change.banner.apply(&mut member.banner);
        change.bio.apply(&mut member.bio);
        change.roles.apply_or(&mut member.roles, Vec::new());
        change.timeout.apply(&mut member.communication_disabled_until);
        change.flags.apply_or(&mut member.flags, 0);
        let muted = change.mute.apply_or(&mut member.mute, false);
        let deafened = change.deaf.apply_or(&mut member.deaf, false);
        let voice = muted || deafened;
        self.member_changed(guild_id, user);
        if let Some(before) = before {
            self.access_changed(guild_id, &before, None);
        }
        if voice {
            let state = self.guilds.get(&guild_id).and_then(|guild| guild.voice_states.get(&user)).cloned();
            if let Some(state) = state {
                self.set_voice(guild_id, user, Some(state));
            }
        }
        if renamed {
            self.judge_profile(guild_id, user, "username_update");
        }
        Ok(())
    }

    /// Sends the event of a changed member.
    pub fn member_changed(&self, guild: Snowflake, user: Snowflake) {
        if let Ok(mut event) = self.member_json(guild, user) {
            event["guild_id"] = json!(guild);
            self.dispatch_guild(guild, "GUILD_MEMBER_UPDATE", event);
        }
    }

    /// Sends the events of a changed account of a bot.
    pub fn user_changed(&self, user: Snowflake) {
        let Ok(account) = self.user(user) else { return };
        if account.bot {
            self.dispatch_bot(user, "USER_UPDATE", None, account.private_json());
        }
        let guilds: Vec<Snowflake> = self.guilds_of(user).map(|guild| guild.id).collect();
        for guild in guilds {
            self.member_changed(guild, user);
        }
    }

    /// Returns the `changes` of an audit log entry for added and removed roles.
    pub fn role_changes(&self, guild: Snowflake, before: &[Snowflake], after: &[Snowflake]) -> Vec<Value> {
        let Some(guild) = self.guilds.get(&guild) else { return Vec::new() };
        let named = |ids: Vec<&Snowflake>| -> Vec<Value> {
            ids.into_iter()
                .filter_map(|id| guild.roles.get(id))
                .map(|role| json!({ "id": role.id, "name": role.name }))
                .collect()
        };
        let added = named(after.iter().filter(|id| !before.contains(id)).collect());
        let removed = named(before.iter().filter(|id| !after.contains(id)).collect());
        let mut changes = Vec::new();
        if !added.is_empty() {
            changes.push(json!({ "key": "$add", "new_value": added }));
        }
        if !removed.is_empty() {
            changes.push(json!({ "key": "$remove", "new_value": removed }));
        }
        changes
    }
}
