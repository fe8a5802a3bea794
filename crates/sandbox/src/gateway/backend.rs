//! The interface of the gateway to the world behind it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Intents;
use super::info::SessionInfo;
use crate::snowflake::Snowflake;

/// The world behind the gateway: accounts, guilds and members.
///
/// Calls come from the connections' tasks, with no lock of the hub held. They must not block for long.
pub trait Backend: Send + Sync + 'static {
    /// Returns the bot that a token belongs to. The token is as sent, without a `Bot ` prefix.
    fn authenticate(&self, token: &str) -> Option<Snowflake>;

    /// Returns the profile of a bot for READY.
    fn profile(&self, bot: Snowflake) -> BotProfile;

    /// Returns the guilds that a bot is a member of.
    fn guilds(&self, bot: Snowflake) -> Vec<Snowflake>;

    /// Returns the data of GUILD_CREATE with all members and presences. The gateway removes what a session may not see.
    ///
    /// `None` if the guild does not exist or is unavailable.
    fn guild_create(&self, bot: Snowflake, guild: Snowflake) -> Option<Value>;

    /// Returns the privileged intents that are enabled for a bot's application.
    fn privileged_intents(&self, bot: Snowflake) -> Intents;

    /// Returns the member objects (with `user`) of a guild that match a query; `None` if the bot is not in this guild.
    fn members(&self, bot: Snowflake, guild: Snowflake, query: &MemberQuery) -> Option<Vec<Value>>;

    /// Returns the presence objects of those of these users who are not offline.
    fn presences(&self, guild: Snowflake, users: &[Snowflake]) -> Vec<Value>;

    /// Returns the soundboard sounds of a guild.
    fn soundboard_sounds(&self, _bot: Snowflake, _guild: Snowflake) -> Vec<Value> {
        Vec::new()
    }

    /// Returns the channel info objects of a guild's channels that have a value for any of these fields.
    fn channel_info(&self, _bot: Snowflake, _guild: Snowflake, _fields: &[String]) -> Vec<Value> {
        Vec::new()
    }

    /// Handles a changed presence of a bot. `presence` is an Update Presence structure with a valid `status`.
    fn presence_update(&self, bot: Snowflake, presence: &Value);

    /// Handles a bot that joins, moves in or leaves voice. The answer is dispatched as VOICE_STATE_UPDATE and
    /// VOICE_SERVER_UPDATE.
    fn voice_state_update(&self, bot: Snowflake, session_id: &str, update: &VoiceStateUpdate);

    /// Handles the start of a session: READY and the first GUILD_CREATEs are on their way.
    fn session_started(&self, _session: &SessionInfo) {}

    /// Handles a bot that has connected, or lost its connection.
    fn connection_changed(&self) {}

    /// Handles the end of a session, which cannot be resumed any more.
    fn session_ended(&self, _session: &SessionInfo) {}
}

/// The profile of a bot for READY.
#[derive(Clone, Debug)]
pub struct BotProfile {
    /// User object of the bot.
    pub user: Value,
    /// Partial application object, `id` and `flags`.
    pub application: Value,
}

/// The members that REQUEST_GUILD_MEMBERS asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberQuery {
    /// Members whose username or nickname begins with `query`, ignoring case; all if it is empty.
    Prefix {
        /// Prefix of the name.
        query: String,
        /// Most members; zero for no limit.
        limit: usize,
    },
    /// Members with these ids.
    Users(Vec<Snowflake>),
}

/// Data of a client's VOICE_STATE_UPDATE (opcode 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoiceStateUpdate {
    /// Guild of the voice channel.
    pub guild_id: Snowflake,
    /// Channel to join; `None` to leave.
    #[serde(default)]
    pub channel_id: Option<Snowflake>,
    /// Whether the bot mutes itself.
    #[serde(default)]
    pub self_mute: bool,
    /// Whether the bot deafens itself.
    #[serde(default)]
    pub self_deaf: bool,
}
