//! What a user's client shows: their guilds with the channels that they see, direct messages, and everybody's account.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::find::As;
use super::{BadRequest, Control, Query, accounts, find};
use crate::live::Live;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::Channel;
use crate::state::guild::{Guild, Role};
use crate::state::presence_json;
use crate::state::sound::defaults;

pub(super) fn routes() -> Router<Control> {
    Router::new().route("/sandbox/view", get(view))
}

/// Most members of a guild in a view. Bots and those who are online come first.
const MEMBERS: usize = 1000;
/// Most threads of a guild in a view, newest first.
const THREADS: usize = 1000;

async fn view(State(control): State<Control>, Query(asked): Query<As>) -> Result<Json<Value>, BadRequest> {
    let live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    Ok(Json(whole(&live, user)))
}

/// Returns all that a user's client shows but messages.
pub(super) fn whole(live: &Live<'_>, user: Snowflake) -> Value {
    let mut view = world(live, user);
    view["user"] = live.users.get(&user).map(crate::state::user::User::json).into();
    view["guilds"] = live.guilds_of(user).map(|found| guild(live, user, found)).collect();
    view["default_sounds"] = defaults().into();
    view["url"] = live.base_url.clone().into();
    view["version"] = env!("CARGO_PKG_VERSION").into();
    view
}

/// Returns what is in no guild: accounts, bots and the user's direct messages.
pub(super) fn world(live: &Live<'_>, user: Snowflake) -> Value {
    let bots = live.applications.values().map(|application| {
        json!({
            "id": application.id,
            "name": application.name,
            "owner": application.owner,
            "online": live.is_online(application.id),
        })
    });
    let own = |channel: &&Channel| channel.is_dm() && channel.recipients.contains(&user);
    let mut direct: Vec<&Channel> = live.channels.values().filter(own).collect();
    direct.sort_by_key(|channel| std::cmp::Reverse(channel.last_message_id.unwrap_or(channel.id)));
    json!({
        "users": accounts::people(live),
        "bots": bots.collect::<Vec<_>>(),
        "direct_messages": direct.iter().map(|found| channel(live, user, found)).collect::<Vec<_>>(),
    })
}

/// Returns a channel object with the user's permissions there, and what is no part of Discord's object.
fn channel(live: &Live<'_>, user: Snowflake, channel: &Channel) -> Value {
    let mut shown = live.channel_json(channel, Some(user));
    shown["permissions"] = live.permissions_in(user, channel).to_string().into();
    if channel.status.is_some() {
        shown["status"] = channel.status.clone().into();
    }
    shown
}

/// Returns a guild as one of its members sees it.
pub(super) fn guild(live: &Live<'_>, user: Snowflake, guild: &Guild) -> Value {
    let seen = live.seen_in(user, guild);
    let visible = guild.channels.iter().filter(|id| seen.contains(id));
    let channels = visible.filter_map(|id| live.channels.get(id)).map(|found| channel(live, user, found));
    let threads = guild.threads.iter().rev().filter_map(|id| live.channels.get(id));
    let sees = |thread: &&Channel| live.permissions_in(user, thread).contains(Permissions::VIEW_CHANNEL);
    let threads = threads.filter(sees).take(THREADS).map(|found| channel(live, user, found));
    let mut members: Vec<_> = guild.members.values().collect();
    if members.len() > MEMBERS {
        let rank = |id: Snowflake| {
            (id != user, !live.applications.contains_key(&id), !guild.presences.contains_key(&id))
        };
        members.sort_by_key(|member| rank(member.user_id));
    }
    let members = members.into_iter().take(MEMBERS);
    let members = members.filter_map(|member| Some(member.json(live.users.get(&member.user_id)?)));
    let events = guild.scheduled_events.values().filter(|event| event.is_open());
    let events = events.filter(|event| event.body.channel_id.is_none_or(|id| seen.contains(&id)));
    let events = events.map(|event| {
        let mut shown = event.shown(live, true);
        shown["interested"] = event.users.contains(&user).into();
        shown
    });
    let voice = guild.voice_states.values().filter(|state| seen.contains(&state.channel_id));
    json!({
        "id": guild.id,
        "name": guild.name,
        "icon": guild.icon,
        "owner_id": guild.owner_id,
        "description": guild.description,
        "features": guild.features(),
        "permissions": live.guild_permissions(user, guild).to_string(),
        "roles": guild.roles.values().map(Role::json).collect::<Vec<_>>(),
        "emojis": guild.emojis_json(|_| None),
        "stickers": guild.stickers.values().map(|sticker| guild.sticker_json(sticker, None)).collect::<Vec<_>>(),
        "channels": channels.collect::<Vec<_>>(),
        "threads": threads.collect::<Vec<_>>(),
        "member_count": guild.members.len(),
        "members": members.collect::<Vec<_>>(),
        "presences": guild.presences.iter().map(|(id, is)| presence_json(*id, None, is)).collect::<Vec<_>>(),
        "voice_states": voice.map(|state| guild.voice_json(state, Some(state.channel_id))).collect::<Vec<_>>(),
        "stage_instances": live.stages_json(guild, user),
        "scheduled_events": events.collect::<Vec<_>>(),
        "soundboard_sounds": live.sounds_json(guild),
    })
}
