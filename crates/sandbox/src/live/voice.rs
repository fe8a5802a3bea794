//! Members in voice: joining, moving, leaving, and the voice servers that bots are sent to.

use serde_json::json;

use super::Live;
use crate::error::{ApiError, ApiResult};
use crate::event_log::Event;
use crate::fault::{VoicePlace, VoiceServerEffect};
use crate::gateway::VoiceStateUpdate;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::kind;
use crate::state::guild::VoiceState;
use crate::state::secret;
use crate::voice::close;

impl Live<'_> {
    /// Handles a bot that asks to join, to move, to leave, or to mute or deafen itself (opcode 4).
    ///
    /// If it may not go there nothing happens, as on Discord. The log contains the reason.
    pub fn ask_voice(&mut self, bot: Snowflake, session_id: &str, update: &VoiceStateUpdate) {
        let guild = update.guild_id;
        let Some(channel) = update.channel_id else { return self.set_voice(guild, bot, None) };
        if let Err(why) = self.may_join(guild, channel, bot) {
            self.hub.log().note(format!("bot {bot} can't join voice channel {channel}: {why}"), None);
            return;
        }
        let before = self.guilds.get(&guild).and_then(|guild| guild.voice_states.get(&bot));
        let same = before.is_some_and(|state| state.channel_id == channel && state.session_id == session_id);
        let (suppress, request_to_speak) = self.floor(guild, channel, bot, session_id);
        let state = VoiceState {
            user_id: bot,
            channel_id: channel,
            session_id: session_id.to_owned(),
            self_mute: update.self_mute,
            self_deaf: update.self_deaf,
            self_video: false,
            suppress,
            request_to_speak,
        };
        self.set_voice(guild, bot, Some(state));
        // A bot that asks again because its voice connection is lost needs a server again.
        if same && !self.voice.is_live(guild, channel, bot, session_id) {
            self.send_to_server(guild, channel, bot, session_id);
            self.set_silence(guild, bot);
        }
    }

    /// Checks that a member may join a voice channel. The error is the reason.
    pub fn may_join(&self, guild: Snowflake, id: Snowflake, user: Snowflake) -> Result<(), &'static str> {
        let channel = self.channels.get(&id).filter(|channel| channel.guild_id == Some(guild));
        let channel = channel.ok_or("there is no such channel in the guild")?;
        if !channel.is_voice() {
            return Err("it is no voice channel");
        }
        let may = self.permissions_in(user, channel);
        if !may.contains(Permissions::VIEW_CHANNEL | Permissions::CONNECT) {
            return Err("VIEW_CHANNEL and CONNECT are needed");
        }
        let others = self.guilds.get(&guild).map_or(0, |guild| {
            let here = |state: &&VoiceState| state.channel_id == id && state.user_id != user;
            guild.voice_states.values().filter(here).count()
        });
        let full = channel.user_limit > 0 && others as u64 >= channel.user_limit;
        if full && !may.contains(Permissions::MOVE_MEMBERS) {
            return Err("it is full, and MOVE_MEMBERS is missing");
        }
        Ok(())
    }

    /// Returns whether a member who joins a channel, or mutes themselves there, is suppressed, and when they asked to
    /// speak. A member who is already on a stage keeps both.
    pub fn floor(
        &self,
        guild: Snowflake,
        channel: Snowflake,
        user: Snowflake,
        session_id: &str,
    ) -> (bool, Option<String>) {
        let before = self.guilds.get(&guild).and_then(|guild| guild.voice_states.get(&user));
        let is_stage = self.channels.get(&channel).is_some_and(|channel| channel.kind == kind::STAGE);
        match before {
            Some(before) if is_stage && before.channel_id == channel && before.session_id == session_id => {
                (before.suppress, before.request_to_speak.clone())
            }
            _ => (self.is_suppressed(channel, user), None),
        }
    }

    /// Returns whether a member who joins is suppressed: on a stage, or without SPEAK.
    pub fn is_suppressed(&self, channel: Snowflake, user: Snowflake) -> bool {
        self.channels.get(&channel).is_none_or(|channel| {
            channel.kind == kind::STAGE || !self.permissions_in(user, channel).contains(Permissions::SPEAK)
        })
    }

    /// Moves a member, bot or not, to another voice channel, or out of voice.
    pub fn move_voice(
        &mut self,
        guild: Snowflake,
        user: Snowflake,
        channel: Option<Snowflake>,
    ) -> ApiResult<()> {
        let state = self.guilds.get(&guild).and_then(|guild| guild.voice_states.get(&user)).cloned();
        let mut state = state.ok_or_else(ApiError::not_in_voice)?;
        if let Some(id) = channel {
            let target = self.channel(id)?;
            if !target.is_voice() || target.guild_id != Some(guild) {
                return Err(ApiError::wrong_channel_type());
            }
            state.channel_id = id;
            (state.suppress, state.request_to_speak) = (self.is_suppressed(id, user), None);
        }
        self.set_voice(guild, user, channel.map(|_| state));
        Ok(())
    }

    /// Adds a member to voice, changes their state there or removes them. Sends the events, and sends a bot that changed
    /// channels to a server.
    pub fn set_voice(&mut self, guild_id: Snowflake, user: Snowflake, state: Option<VoiceState>) {
        let now_in = state.as_ref().map(|state| state.channel_id);
        let states = self.guilds.get(&guild_id).map(|guild| &guild.voice_states);
        let was_in = states.and_then(|states| states.get(&user)).map(|state| state.channel_id);
        self.put_voice(guild_id, user, state);
        for channel in was_in.filter(|was_in| Some(*was_in) != now_in).into_iter().chain(now_in) {
            self.voice_changed(guild_id, channel);
        }
    }

    fn put_voice(&mut self, guild_id: Snowflake, user: Snowflake, state: Option<VoiceState>) {
        let is_bot = self.applications.contains_key(&user);
        self.saw(user);
        let access = is_bot.then(|| self.access(guild_id));
        let Some(guild) = self.guilds.get_mut(&guild_id) else { return };
        let before = match &state {
            Some(state) => guild.voice_states.insert(user, state.clone()),
            None => guild.voice_states.shift_remove(&user),
        };
        let channel = state.as_ref().map(|state| state.channel_id);
        let Some(shown) = state.as_ref().or(before.as_ref()) else { return };
        let mut event = guild.voice_json(shown, channel);
        event["member"] = self.member_json(guild_id, user).unwrap_or_default();
        self.dispatch_guild(guild_id, "VOICE_STATE_UPDATE", event);
        let Some(access) = access else { return self.voice.person(guild_id, user, channel) };
        self.access_changed(guild_id, &access, None);
        let Some(state) = state else { return self.voice.remove(guild_id, user, close::disconnected()) };
        let stays = before.is_some_and(|before| {
            before.channel_id == state.channel_id && before.session_id == state.session_id
        });
        if !stays {
            self.send_to_server(guild_id, state.channel_id, user, &state.session_id);
        }
        self.set_silence(guild_id, user);
    }

    /// Sends a bot its voice server (VOICE_SERVER_UPDATE) and ends its earlier connection.
    fn send_to_server(&self, guild: Snowflake, channel: Snowflake, bot: Snowflake, session_id: &str) {
        let found = self.channels.get(&channel);
        let region = found.and_then(|channel| channel.rtc_region.as_deref());
        let stage = found.is_some_and(|channel| channel.kind == kind::STAGE);
        let assigned = self.voice.assign(guild, channel, bot, session_id, region, stage);
        let mut server = json!({ "token": assigned.token, "guild_id": guild, "endpoint": assigned.endpoint });
        let place = VoicePlace { op: None, guild: Some(guild), user: Some(bot) };
        let strike = self.hub.faults().on_voice_server(place);
        if let Some(strike) = &strike {
            let effect = json!(strike.effect);
            let place = "VOICE_SERVER_UPDATE".to_owned();
            self.hub.log().push(Event::Fault { rule: Some(strike.rule), place, effect });
            server["endpoint"].take();
        }
        if strike.is_none_or(|strike| strike.effect == VoiceServerEffect::NullEndpoint) {
            self.dispatch_bot(bot, "VOICE_SERVER_UPDATE", Some(guild), server);
        }
        if let Some(before) = assigned.before {
            self.voice.end(&before, close::disconnected());
        }
    }

    /// Informs the voice server whether a bot is muted or deafened.
    fn set_silence(&self, guild_id: Snowflake, user: Snowflake) {
        let Some(guild) = self.guilds.get(&guild_id) else { return };
        let Some(state) = guild.voice_states.get(&user) else { return };
        let member = guild.members.get(&user);
        let muted = state.suppress || member.is_some_and(|member| member.mute);
        let deaf = state.self_deaf || member.is_some_and(|member| member.deaf);
        self.voice.silence(guild_id, user, muted, deaf);
    }

    /// Removes a user from the voice channels that a session had joined, because the session has ended.
    pub fn drop_voice(&mut self, user: Snowflake, session_id: &str) {
        let left = |guild: &&crate::state::guild::Guild| {
            guild.voice_states.get(&user).is_some_and(|state| state.session_id == session_id)
        };
        let guilds: Vec<Snowflake> = self.guilds.values().filter(left).map(|guild| guild.id).collect();
        for guild in guilds {
            self.set_voice(guild, user, None);
        }
    }

    /// Ends the call in a channel: all members leave voice.
    pub(super) fn end_call(&mut self, guild: Snowflake, channel: Snowflake) {
        for user in self.in_voice(guild, channel) {
            self.voice.remove(guild, user, close::call_terminated());
            self.set_voice(guild, user, None);
        }
    }

    /// Moves the call in a channel to another server, that of the channel's region. Bots first get an event without a
    /// server, then one with the new server.
    pub fn change_server(&mut self, channel: Snowflake) {
        let Some(guild) = self.channels.get(&channel).and_then(|channel| channel.guild_id) else { return };
        for bot in self.in_voice(guild, channel) {
            let state = self.guilds.get(&guild).and_then(|guild| guild.voice_states.get(&bot));
            let session_id = state.map(|state| state.session_id.clone()).unwrap_or_default();
            if !self.applications.contains_key(&bot) {
                continue;
            }
            let gone = json!({ "token": secret(16), "guild_id": guild, "endpoint": null });
            self.dispatch_bot(bot, "VOICE_SERVER_UPDATE", Some(guild), gone);
            self.voice.remove(guild, bot, close::call_terminated());
            self.send_to_server(guild, channel, bot, &session_id);
            self.set_silence(guild, bot);
        }
    }

    pub(super) fn in_voice(&self, guild: Snowflake, channel: Snowflake) -> Vec<Snowflake> {
        let states = self.guilds.get(&guild).into_iter().flat_map(|guild| guild.voice_states.values());
        states.filter(|state| state.channel_id == channel).map(|state| state.user_id).collect()
    }
}
