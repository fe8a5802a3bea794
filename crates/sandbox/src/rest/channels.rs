//! Channels: read, change, delete, and their permission overwrites.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::Value;

use super::request::Bot;
use super::{Ids, Payload, Reason, Rest};
use crate::error::{ApiError, ApiResult};
use crate::live::Live;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::{Channel, kind};
use crate::validate;
use crate::validate::channel::ChannelBody;

pub(super) fn routes() -> Router<Rest> {
    Router::new().route("/channels/{channel_id}", get(one).patch(edit).delete(remove)).route(
        "/channels/{channel_id}/permissions/{overwrite_id}",
        put(set_overwrite).delete(remove_overwrite),
    )
}

async fn one(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let channel = live.channel_for(id, bot, Permissions::NONE)?;
    Ok(Json(live.channel_json(channel, Some(bot))))
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let channel = live.channel_for(id, bot, Permissions::NONE)?;
    if channel.is_dm() {
        return Err(ApiError::not_in_dm());
    }
    let mut moves_call = false;
    if channel.is_thread() {
        edit_thread(&mut live, bot, id, &payload.json)?;
    } else {
        live.require(id, bot, Permissions::MANAGE_CHANNELS)?;
        let body = validate::channel::modify(&payload.json, channel.kind)?;
        let channel = live.channel_mut(id)?;
        let region = channel.rtc_region.clone();
        apply(channel, body);
        moves_call = channel.rtc_region != region;
    }
    let guild = live.channel(id)?.guild_id;
    live.channel_changed(id);
    if moves_call {
        live.change_server(id);
    }
    if let Some(guild) = guild {
        live.audit(guild, 11, bot, Some(id), reason.as_deref(), Vec::new());
    }
    let channel = live.channel(id)?;
    Ok(Json(live.channel_json(channel, Some(bot))))
}

fn edit_thread(live: &mut Live<'_>, bot: Snowflake, id: Snowflake, body: &Value) -> ApiResult<()> {
    let body = validate::channel::thread_modify(body)?;
    let own = live.channel(id)?.thread.as_ref().is_some_and(|thread| thread.owner_id == bot);
    if !own || body.locked.is_change() {
        live.require(id, bot, Permissions::MANAGE_THREADS)?;
    }
    let now = live.now();
    let channel = live.channel_mut(id)?;
    let Some(thread) = &mut channel.thread else { return Err(ApiError::wrong_channel_type()) };
    if body.archived.apply_or(&mut thread.archived, false) {
        thread.archive_timestamp = now;
    }
    body.locked.apply_or(&mut thread.locked, false);
    body.invitable.apply_or(&mut thread.invitable, true);
    if let Some(minutes) = body.auto_archive_duration.value() {
        thread.auto_archive_duration = minutes.into();
    }
    if let Some(name) = body.name {
        channel.name = name;
    }
    body.rate_limit_per_user.map(u64::from).apply_or(&mut channel.rate_limit_per_user, 0);
    Ok(())
}

/// Writes the fields that a body names into a channel.
pub(super) fn apply(channel: &mut Channel, body: ChannelBody) {
    body.kind.apply_or(&mut channel.kind, kind::TEXT);
    if let Some(name) = body.name {
        channel.name = name;
    }
    body.position.map(i64::from).apply_or(&mut channel.position, 0);
    body.topic.apply(&mut channel.topic);
    body.bitrate.map(u64::from).apply_or(&mut channel.bitrate, 64_000);
    body.user_limit.map(u64::from).apply_or(&mut channel.user_limit, 0);
    body.nsfw.apply_or(&mut channel.nsfw, false);
    body.rate_limit_per_user.map(u64::from).apply_or(&mut channel.rate_limit_per_user, 0);
    body.parent_id.apply(&mut channel.parent_id);
    body.permission_overwrites.apply_or(&mut channel.overwrites, Vec::new());
    body.rtc_region.apply(&mut channel.rtc_region);
    body.default_auto_archive_duration.map(u64::from).apply(&mut channel.default_auto_archive_duration);
    body.flags.map(u64::from).apply_or(&mut channel.flags, 0);
}

async fn remove(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    Reason(reason): Reason,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let channel = live.channel_for(id, bot, Permissions::NONE)?;
    if channel.is_dm() {
        return Ok(Json(live.channel_json(channel, Some(bot))));
    }
    let needed = if channel.is_thread() { Permissions::MANAGE_THREADS } else { Permissions::MANAGE_CHANNELS };
    live.require(id, bot, needed)?;
    let guild = channel.guild_id;
    let shown = live.delete_channel(id)?;
    if let Some(guild) = guild {
        live.audit(guild, 12, bot, Some(id), reason.as_deref(), Vec::new());
    }
    Ok(Json(shown))
}

async fn set_overwrite(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id, target]): Ids<2>,
    payload: Payload,
) -> ApiResult<StatusCode> {
    let overwrite = validate::channel::overwrite(&payload.json, target)?;
    let mut live = rest.discord.lock();
    live.require(id, bot, Permissions::MANAGE_ROLES)?;
    let channel = live.channel_mut(id)?;
    if channel.guild_id.is_none() || channel.is_thread() {
        return Err(ApiError::wrong_channel_type());
    }
    channel.overwrites.retain(|other| other.id != target);
    channel.overwrites.push(overwrite);
    live.channel_changed(id);
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_overwrite(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id, target]): Ids<2>,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    live.require(id, bot, Permissions::MANAGE_ROLES)?;
    let channel = live.channel_mut(id)?;
    let before = channel.overwrites.len();
    channel.overwrites.retain(|other| other.id != target);
    if channel.overwrites.len() == before {
        return Err(ApiError::unknown_overwrite());
    }
    live.channel_changed(id);
    Ok(StatusCode::NO_CONTENT)
}
