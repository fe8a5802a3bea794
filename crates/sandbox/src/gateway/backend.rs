//! What the gateway needs to know of the world behind it, and what it tells that world.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Intents;
use super::info::SessionInfo;
use crate::snowflake::Snowflake;

/// World behind the gateway: accounts, guilds and members.
///
/// Calls come from the connections' tasks, with no lock of the hub held; they must not block for long.
pub trait Backend: Send + Sync + 'static {
    /// Bot that this token belongs to; the token comes as sent, without a `Bot ` prefix.
    fn authenticate(&self, token: &str) -> Option<Snowflake>;

    /// What READY says of a bot.
    fn profile(&self, bot: Snowflake) -> BotProfile;

    /// Guilds that a bot is a member of.
    fn guilds(&self, bot: Snowflake) -> Vec<Snowflake>;

    /// Data of GUILD_CREATE with all members and presences; the gateway leaves out what a session may not see.
    ///
    /// Nothing if the guild is gone or unavailable.
    fn guild_create(&self, bot: Snowflake, guild: Snowflake) -> Option<Value>;

    /// Privileged intents that are enabled for a bot's application.
    fn privileged_intents(&self, bot: Snowflake) -> Intents;

    /// Member objects (with `user`) of a guild that match a query; nothing if the bot is not in this guild.
    fn members(&self, bot: Snowflake, guild: Snowflake, query: &MemberQuery) -> Option<Vec<Value>>;

    /// Presence objects of those of these users who are not offline.
    fn presences(&self, guild: Snowflake, users: &[Snowflake]) -> Vec<Value>;

    /// Soundboard sounds of a guild.
    fn soundboard_sounds(&self, _bot: Snowflake, _guild: Snowflake) -> Vec<Value> {
        Vec::new()
    }

    /// A bot changed its presence; `presence` is an Update Presence structure with a valid `status`.
    fn presence_update(&self, bot: Snowflake, presence: &Value);

    /// A bot joins, moves in or leaves voice; an answer is dispatched as VOICE_STATE_UPDATE and VOICE_SERVER_UPDATE.
    fn voice_state_update(&self, bot: Snowflake, session_id: &str, update: &VoiceStateUpdate);

    /// A session began: READY and the first GUILD_CREATEs are on their way.
    fn session_started(&self, _session: &SessionInfo) {}

    /// A session ended and can't be resumed any more.
    fn session_ended(&self, _session: &SessionInfo) {}
}

/// What READY says of a bot.
#[derive(Clone, Debug)]
pub struct BotProfile {
    /// User object of the bot.
    pub user: Value,
    /// Partial application object, `id` and `flags`.
    pub application: Value,
}

/// Which members REQUEST_GUILD_MEMBERS asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberQuery {
    /// Those whose username or nickname begins with `query`, without regard to case; all if it is empty.
    Prefix {
        /// Beginning of the name.
        query: String,
        /// Members at most; zero for no limit.
        limit: usize,
    },
    /// Those of these ids.
    Users(Vec<Snowflake>),
}

/// Data of a client's VOICE_STATE_UPDATE (opcode 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoiceStateUpdate {
    /// Guild to be in voice in.
    pub guild_id: Snowflake,
    /// Channel to be in, or nothing to leave.
    #[serde(default)]
    pub channel_id: Option<Snowflake>,
    /// Whether the bot mutes itself.
    #[serde(default)]
    pub self_mute: bool,
    /// Whether the bot deafens itself.
    #[serde(default)]
    pub self_deaf: bool,
}
