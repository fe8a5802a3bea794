//! The user of a request and their permissions. All messages that refuse a listener are here.

use std::collections::BTreeSet;

use sdk::prelude::*;
use sdk::voice::queue::MAX_SHARE;
use sdk::voice::source::Caller;
use sdk::voice::{ConnectionState, Current, GuildSettings, Player, PlayerStatus, VoiceError};
use serenity::{
    ChannelId, ChannelType, ComponentInteraction, GuildId, Member, Mentionable as _, Permissions, RoleId,
    UserId,
};

/// A server's player, its state, and the user of the request.
pub(crate) struct MusicContext {
    pub(crate) data: Data,
    pub(crate) guild: GuildId,
    pub(crate) user: UserId,
    /// The user's name in the server.
    pub(crate) name: String,
    pub(crate) player: Player,
    pub(crate) status: PlayerStatus,
    pub(crate) settings: GuildSettings,
    /// The user's voice channel.
    pub(crate) channel: Option<ChannelId>,
    /// Users in the bot's voice channel who are listening.
    pub(crate) listeners: BTreeSet<UserId>,
    roles: Vec<RoleId>,
    is_manager: bool,
}

impl MusicContext {
    /// Returns the context of a command's user.
    pub(crate) fn of(ctx: Context<'_>) -> Result<Self, Error> {
        let poise::Context::Application(app) = ctx else { return Err(elsewhere()) };
        Self::new(ctx.data(), &ctx.serenity_context().cache, app.interaction.member.as_deref())
    }

    /// Returns the context of a command's user, who has to be in the bot's channel.
    pub(crate) fn listening(ctx: Context<'_>) -> Result<Self, Error> {
        let music = Self::of(ctx)?;
        music.is_listening()?;
        Ok(music)
    }

    /// Returns the context of the user of a command that affects the other listeners.
    pub(crate) fn steering(ctx: Context<'_>) -> Result<Self, Error> {
        let music = Self::of(ctx)?;
        music.may_steer()?;
        Ok(music)
    }

    /// Returns the context of a user who presses a button.
    pub(crate) fn pressing(ctx: &EventContext, press: &ComponentInteraction) -> Result<Self, Error> {
        Self::new(ctx.data(), &ctx.cache, press.member.as_ref())
    }

    fn new(data: &Data, cache: &serenity::Cache, member: Option<&Member>) -> Result<Self, Error> {
        let member = member.ok_or_else(elsewhere)?;
        let (guild, user) = (member.guild_id, member.user.id);
        let player = data.voice().player(guild);
        let status = player.status();
        let Some(cached) = cache.guild(guild) else {
            return Err(Refusal::new(
                "Discord has not told me about this server yet; try again in a moment.",
            )
            .into());
        };
        let bot = cache.current_user().id;
        let in_channel = |user: &UserId| cached.voice_states.get(user).and_then(|state| state.channel_id);
        let is_bot = |user: &UserId, seen: Option<&Member>| {
            let known = cached.members.get(user).or(seen);
            *user == bot || known.is_some_and(|member| member.user.bot)
        };
        let here = cached
            .voice_states
            .values()
            .filter(|state| status.channel.is_some() && state.channel_id == status.channel);
        let listeners = here.filter(|state| !is_bot(&state.user_id, state.member.as_ref()));
        let managing = Permissions::MANAGE_GUILD | Permissions::ADMINISTRATOR;
        Ok(Self {
            data: data.clone(),
            guild,
            user,
            name: member.display_name().to_owned(),
            channel: in_channel(&user),
            listeners: listeners.map(|state| state.user_id).collect(),
            settings: data.voice().settings(guild),
            roles: member.roles.clone(),
            is_manager: member.permissions.is_some_and(|all| all.intersects(managing)),
            player,
            status,
        })
    }

    /// Returns the caller for whom other servers are requested.
    pub(crate) fn caller(&self) -> Caller {
        Caller { guild: self.guild, user: self.user }
    }

    /// Refuses users who are not in the bot's channel.
    pub(crate) fn is_listening(&self) -> Result<(), Error> {
        let Some(channel) = self.status.channel else { return Err(VoiceError::NotConnected.into()) };
        if self.channel == Some(channel) { Ok(()) } else { Err(self.apart(channel)) }
    }

    /// Refuses users who are not in the bot's channel, or are not DJs.
    pub(crate) fn may_steer(&self) -> Result<(), Error> {
        self.is_listening()?;
        self.is_dj()
    }

    /// Refuses users who are not DJs. DJs are managers of the server, a user who listens alone, and members with the DJ
    /// role; without such a role, everyone.
    pub(crate) fn is_dj(&self) -> Result<(), Error> {
        self.is_dj_or("")
    }

    /// Refuses users who are not DJs, with a text about what they can do instead.
    pub(crate) fn is_dj_or(&self, instead: &str) -> Result<(), Error> {
        let Some(role) = self.settings.dj_role else { return Ok(()) };
        if self.is_manager || self.roles.contains(&role) || self.is_alone() {
            return Ok(());
        }
        let role = role.mention();
        Err(Refusal::new(format!("Only a DJ ({role}) may do that while others listen{instead}.")).into())
    }

    /// Returns the current track.
    pub(crate) fn current(&self) -> Result<&Current, Error> {
        self.status.current.as_ref().ok_or_else(|| VoiceError::NothingPlaying.into())
    }

    /// Returns the channel to play in, which is the user's. Refuses to leave others who are listening elsewhere.
    pub(crate) fn meeting(&self) -> Result<ChannelId, Error> {
        let Some(channel) = self.channel else {
            return Err(Refusal::new("Join a voice channel first, so that I know where to play.").into());
        };
        match self.status.channel {
            Some(other) if other != channel && !self.listeners.is_empty() && self.is_playing() => {
                Err(self.apart(other))
            }
            _ => Ok(channel),
        }
    }

    /// Returns whether the bot is in that channel or connecting to it.
    pub(crate) fn is_in(&self, channel: ChannelId) -> bool {
        self.status.channel == Some(channel) && self.status.connection != ConnectionState::Disconnected
    }

    /// Returns how many of the user's tracks may wait; `None` for managers of the server, members with the DJ role and
    /// a user who listens alone.
    pub(crate) fn share(&self) -> Option<usize> {
        let has_role = self.settings.dj_role.is_some_and(|role| self.roles.contains(&role));
        if self.is_manager || has_role || self.is_alone() { None } else { Some(MAX_SHARE) }
    }

    fn is_playing(&self) -> bool {
        self.status.current.is_some()
    }

    fn is_alone(&self) -> bool {
        self.listeners.len() == 1 && self.listeners.contains(&self.user)
    }

    fn apart(&self, channel: ChannelId) -> Error {
        let channel = channel.mention();
        let words = match self.channel {
            None => format!("You are in no voice channel; join me in {channel} for that."),
            Some(_) => format!("You are in another voice channel; join me in {channel} for that."),
        };
        Refusal::new(words).into()
    }
}

/// Refuses a channel that the bot cannot see, join or speak in, and one that is full.
pub(crate) fn can_speak(cache: &serenity::Cache, guild: GuildId, channel: ChannelId) -> Result<(), Error> {
    let Some(guild) = cache.guild(guild) else { return Ok(()) };
    let (place, bot) = (guild.channels.get(&channel), cache.current_user().id);
    // Without cached data, Discord decides.
    let (Some(place), Some(member)) = (place, guild.members.get(&bot)) else { return Ok(()) };
    let may = guild.user_permissions_in(place, member);
    let people = guild.voice_states.values().filter(|state| state.channel_id == Some(channel)).count();
    let limit = place.user_limit.unwrap_or_default();
    let is_full = limit > 0 && people >= usize::try_from(limit).unwrap_or(usize::MAX);
    let name = channel.mention();
    let is_stage = place.kind == ChannelType::Stage;
    let words = if !may.contains(Permissions::VIEW_CHANNEL | Permissions::CONNECT) {
        format!("I may not join {name}; give me the permissions View Channel and Connect there.")
    } else if is_stage && !may.intersects(Permissions::MUTE_MEMBERS | Permissions::REQUEST_TO_SPEAK) {
        format!("I may not speak on {name}; give me the permission Mute Members there.")
    } else if !is_stage && !may.contains(Permissions::SPEAK) {
        format!("I may not speak in {name}; give me the permission Speak there.")
    } else if is_full && !may.contains(Permissions::MOVE_MEMBERS) {
        format!("{name} is full; make room, or give me the permission Move Members there.")
    } else {
        return Ok(());
    };
    Err(Refusal::new(words).into())
}

fn elsewhere() -> Error {
    Refusal::new("Music plays in servers only.").into()
}
