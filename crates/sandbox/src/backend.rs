//! The gateway's queries about the world, answered from its state.

use std::sync::Arc;

use serde_json::Value;

use crate::gateway::{Backend, BotProfile, Intents, MemberQuery, SessionInfo, VoiceStateUpdate};
use crate::live::{Discord, Notice};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::presence_json;
use crate::state::user::{Application, User};

/// A [`Discord`] behind a gateway.
#[derive(Debug, Clone)]
pub(crate) struct GatewayBackend(pub(crate) Arc<Discord>);

impl Backend for GatewayBackend {
    fn authenticate(&self, token: &str) -> Option<Snowflake> {
        self.0.lock().bot_by_token(token)
    }

    fn profile(&self, bot: Snowflake) -> BotProfile {
        let live = self.0.lock();
        BotProfile {
            user: live.users.get(&bot).map(User::private_json).unwrap_or_default(),
            application: live.applications.get(&bot).map(Application::partial_json).unwrap_or_default(),
        }
    }

    fn guilds(&self, bot: Snowflake) -> Vec<Snowflake> {
        self.0.lock().guilds_of(bot).map(|guild| guild.id).collect()
    }

    fn guild_create(&self, bot: Snowflake, guild: Snowflake) -> Option<Value> {
        let live = self.0.lock();
        let guild = live.guilds.get(&guild).filter(|guild| guild.members.contains_key(&bot))?;
        Some(live.guild_create_json(guild, bot))
    }

    fn privileged_intents(&self, bot: Snowflake) -> Intents {
        let live = self.0.lock();
        live.applications.get(&bot).map_or(Intents::empty(), |application| application.privileged)
    }

    fn members(&self, bot: Snowflake, guild: Snowflake, query: &MemberQuery) -> Option<Vec<Value>> {
        let live = self.0.lock();
        let guild = live.guild_for(guild, bot).ok()?;
        let render = |user: &Snowflake| live.member_json(guild.id, *user).ok();
        Some(match query {
            MemberQuery::Users(ids) => ids.iter().filter_map(render).collect(),
            MemberQuery::Prefix { query, limit } => {
                let limit = if *limit == 0 { usize::MAX } else { *limit };
                let found = live.members_named(guild, query);
                found.into_iter().take(limit).filter_map(|member| render(&member.user_id)).collect()
            }
        })
    }

    fn presences(&self, guild: Snowflake, users: &[Snowflake]) -> Vec<Value> {
        let live = self.0.lock();
        let Some(guild) = live.guilds.get(&guild) else { return Vec::new() };
        users
            .iter()
            .filter_map(|user| Some(presence_json(*user, Some(guild.id), guild.presences.get(user)?)))
            .collect()
    }

    fn soundboard_sounds(&self, _: Snowflake, guild: Snowflake) -> Vec<Value> {
        let live = self.0.lock();
        live.guilds.get(&guild).map(|guild| live.sounds_json(guild)).unwrap_or_default()
    }

    fn channel_info(&self, bot: Snowflake, guild: Snowflake, fields: &[String]) -> Vec<Value> {
        let live = self.0.lock();
        let Some(guild) = live.guilds.get(&guild) else { return Vec::new() };
        let channels = guild.channels.iter().filter_map(|id| live.channels.get(id));
        let visible =
            channels.filter(|channel| live.permissions_in(bot, channel).contains(Permissions::VIEW_CHANNEL));
        visible.filter_map(|channel| channel.info_json(fields)).collect()
    }

    fn presence_update(&self, bot: Snowflake, presence: &Value) {
        self.0.lock().set_presence(bot, presence);
    }

    fn voice_state_update(&self, bot: Snowflake, session_id: &str, update: &VoiceStateUpdate) {
        self.0.lock().ask_voice(bot, session_id, update);
    }

    fn connection_changed(&self) {
        self.0.feed().push(Notice::World);
    }

    fn session_ended(&self, session: &SessionInfo) {
        let mut live = self.0.lock();
        live.drop_voice(session.bot, &session.id);
        live.go_offline(session.bot);
    }
}
