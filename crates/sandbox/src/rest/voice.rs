//! Voice states: reading, and changing on stages.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use super::request::{Bot, parse_id};
use super::{Path, Payload, Rest};
use crate::error::{ApiError, ApiResult};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::kind;
use crate::state::clock;
use crate::validate;
use crate::validate::Change;

pub(super) fn routes() -> Router<Rest> {
    Router::new().route("/guilds/{guild_id}/voice-states/{user_id}", get(one).patch(edit))
}

/// Returns the guild and the member of a path, whose last part may be `@me`.
fn place((guild, user): &(String, String), bot: Snowflake) -> ApiResult<(Snowflake, Snowflake)> {
    let user = if user == "@me" { bot } else { parse_id("user_id", user)? };
    Ok((parse_id("guild_id", guild)?, user))
}

async fn one(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Path(path): Path<(String, String)>,
) -> ApiResult<Json<Value>> {
    let (id, user) = place(&path, bot)?;
    let live = rest.discord.lock();
    let guild = live.guild_for(id, bot)?;
    let state = guild.voice_states.get(&user).ok_or_else(ApiError::unknown_voice_state)?;
    let mut value = guild.voice_json(state, Some(state.channel_id));
    value["member"] = live.member_json(id, user)?;
    Ok(Json(value))
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Path(path): Path<(String, String)>,
    payload: Payload,
) -> ApiResult<StatusCode> {
    let is_own = path.1 == "@me";
    let (guild, user) = place(&path, bot)?;
    let body = validate::guild::voice_state(&payload.json)?;
    let mut live = rest.discord.lock();
    let state = live.guild_for(guild, bot)?.voice_states.get(&user);
    let mut state = state.cloned().ok_or_else(ApiError::unknown_voice_state)?;
    if body.channel_id.is_some_and(|channel| channel != state.channel_id) {
        return Err(ApiError::not_in_voice());
    }
    let channel = live.channel(state.channel_id)?;
    if channel.kind != kind::STAGE {
        return Err(ApiError::wrong_channel_type());
    }
    let may = live.permissions_in(bot, channel);
    if let Some(suppress) = body.suppress {
        // Every member may return into the audience.
        let is_retreat = is_own && suppress;
        if !is_retreat && !may.contains(Permissions::MUTE_MEMBERS) {
            return Err(ApiError::missing_permissions());
        }
        state.suppress = suppress;
        let is_person = !live.applications.contains_key(&user);
        state.request_to_speak = (!suppress && is_person).then(|| clock::iso(live.clock.now()));
    }
    // For others only the suppression can be changed.
    match body.request_to_speak_timestamp {
        Change::Set(at) if is_own => {
            if !may.contains(Permissions::REQUEST_TO_SPEAK) {
                return Err(ApiError::missing_permissions());
            }
            state.request_to_speak = Some(clock::iso(at));
        }
        Change::Clear if is_own => state.request_to_speak = None,
        _ => {}
    }
    live.set_voice(guild, user, Some(state));
    Ok(StatusCode::NO_CONTENT)
}
