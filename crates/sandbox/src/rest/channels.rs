//! Channels: read, change, delete, and their permission overwrites.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::request::Bot;
use super::{Ids, Payload, Reason, Rest};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::permissions::{Overwrite, Permissions};
use crate::state::channel::{Channel, kind};

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
    let body = payload.object()?;
    let mut live = rest.discord.lock();
    let channel = live.channel_for(id, bot, Permissions::NONE)?;
    let own_thread = channel.thread.as_ref().is_some_and(|thread| thread.owner_id == bot);
    let needed = if channel.is_thread() { Permissions::MANAGE_THREADS } else { Permissions::MANAGE_CHANNELS };
    if !own_thread {
        live.require(id, bot, needed)?;
    }
    if channel.is_dm() {
        return Err(ApiError::not_in_dm());
    }
    let now = live.now();
    let channel = live.channel_mut(id)?;
    apply(channel, body)?;
    if let Some(thread) = &mut channel.thread {
        let archived = body.get("archived").and_then(Value::as_bool).unwrap_or(thread.archived);
        if archived != thread.archived {
            thread.archived = archived;
            thread.archive_timestamp = now;
        }
        thread.locked = body.get("locked").and_then(Value::as_bool).unwrap_or(thread.locked);
        thread.invitable = body.get("invitable").and_then(Value::as_bool).unwrap_or(thread.invitable);
        if let Some(minutes) = body.get("auto_archive_duration").and_then(Value::as_u64) {
            thread.auto_archive_duration = minutes;
        }
    }
    let guild = channel.guild_id;
    live.channel_changed(id);
    if let Some(guild) = guild {
        live.audit(guild, 11, bot, Some(id), reason.as_deref(), Vec::new());
    }
    let channel = live.channel(id)?;
    Ok(Json(live.channel_json(channel, Some(bot))))
}

/// Writes the fields that a body names into a channel.
pub(super) fn apply(channel: &mut Channel, body: &Map<String, Value>) -> ApiResult<()> {
    if let Some(name) = body.get("name").filter(|name| !name.is_null()) {
        let name =
            name.as_str().ok_or_else(|| ApiError::field(&["name"], FieldError::not_text(name)))?.trim();
        if !(1..=100).contains(&name.chars().count()) {
            return Err(ApiError::field(&["name"], FieldError::bad_length(1, 100)));
        }
        channel.name = if matches!(channel.kind, kind::TEXT | kind::ANNOUNCEMENT) {
            name.to_lowercase().split_whitespace().collect::<Vec<_>>().join("-")
        } else {
            name.to_owned()
        };
    }
    if let Some(topic) = body.get("topic") {
        let text = topic.as_str().unwrap_or_default();
        let most = if channel.kind == kind::FORUM { 4096 } else { 1024 };
        if text.chars().count() > most {
            return Err(ApiError::field(&["topic"], FieldError::max_length(most)));
        }
        channel.topic = (!text.is_empty()).then(|| text.to_owned());
    }
    let number = |key: &str| body.get(key).and_then(Value::as_u64);
    if let Some(position) = body.get("position").and_then(Value::as_i64) {
        channel.position = position;
    }
    if let Some(parent) = body.get("parent_id") {
        channel.parent_id = serde_json::from_value(parent.clone()).ok();
    }
    if let Some(nsfw) = body.get("nsfw").and_then(Value::as_bool) {
        channel.nsfw = nsfw;
    }
    if let Some(seconds) = number("rate_limit_per_user") {
        if seconds > 21_600 {
            return Err(ApiError::field(&["rate_limit_per_user"], FieldError::max("int", 21_600)));
        }
        channel.rate_limit_per_user = seconds;
    }
    channel.bitrate = number("bitrate").unwrap_or(channel.bitrate);
    channel.user_limit = number("user_limit").unwrap_or(channel.user_limit);
    if let Some(region) = body.get("rtc_region") {
        channel.rtc_region = region.as_str().map(str::to_owned);
    }
    if let Some(minutes) = number("default_auto_archive_duration") {
        channel.default_auto_archive_duration = Some(minutes);
    }
    if let Some(overwrites) = body.get("permission_overwrites").filter(|list| !list.is_null()) {
        channel.overwrites = overwrites
            .as_array()
            .into_iter()
            .flatten()
            .map(read_overwrite)
            .collect::<Option<_>>()
            .ok_or_else(|| ApiError::field(&["permission_overwrites"], FieldError::not_an_object()))?;
    }
    Ok(())
}

fn read_overwrite(value: &Value) -> Option<Overwrite> {
    let mut value = value.clone();
    for key in ["allow", "deny"] {
        if value.get(key).is_none_or(Value::is_null) {
            value[key] = json!("0");
        }
    }
    if let Some(text) = value["type"].as_str() {
        value["type"] = json!(text.parse::<u8>().ok()?);
    }
    serde_json::from_value(value).ok()
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
    let mut body = Value::Object(payload.object()?.clone());
    body["id"] = json!(target);
    let overwrite =
        read_overwrite(&body).ok_or_else(|| ApiError::field(&["type"], FieldError::choices([0, 1])))?;
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
