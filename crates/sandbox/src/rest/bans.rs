//! Bans.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::guilds::require;
use super::members::outranks;
use super::request::Bot;
use super::{Ids, Payload, Query, Reason, Rest};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/guilds/{guild_id}/bans", get(list))
        .route("/guilds/{guild_id}/bans/{user_id}", get(one).put(ban).delete(unban))
        .route("/guilds/{guild_id}/bulk-ban", post(bulk))
}

/// Seven days, the most that a ban deletes back.
const MAX_DELETE_SECONDS: u64 = 604_800;

async fn list(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let limit = query.number("limit", 1..=1000, 1000)?;
    let (before, after) = (query.id("before")?, query.id("after")?);
    let live = rest.discord.lock();
    let guild = require(&live, guild, bot, Permissions::BAN_MEMBERS)?;
    let mut bans: Vec<_> = guild
        .bans
        .iter()
        .filter(|(id, _)| before.is_none_or(|before| **id < before) && after.is_none_or(|after| **id > after))
        .collect();
    bans.sort_by_key(|(id, _)| **id);
    let shown = bans
        .into_iter()
        .take(limit)
        .filter_map(|(id, reason)| Some(json!({ "user": live.users.get(id)?.json(), "reason": reason })));
    Ok(Json(shown.collect()))
}

async fn one(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild, user]): Ids<2>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let guild = require(&live, guild, bot, Permissions::BAN_MEMBERS)?;
    let reason = guild.bans.get(&user).ok_or_else(ApiError::unknown_ban)?;
    Ok(Json(json!({ "user": live.user(user)?.json(), "reason": reason })))
}

fn delete_seconds(body: &Value) -> ApiResult<u64> {
    let seconds = body.get("delete_message_seconds").and_then(Value::as_u64);
    let days = body.get("delete_message_days").and_then(Value::as_u64);
    let seconds = seconds.or(days.map(|days| days.saturating_mul(86_400))).unwrap_or(0);
    if seconds > MAX_DELETE_SECONDS {
        return Err(ApiError::field(&["delete_message_seconds"], FieldError::max("int", MAX_DELETE_SECONDS)));
    }
    Ok(seconds)
}

async fn ban(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, user]): Ids<2>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<StatusCode> {
    let seconds = delete_seconds(&payload.json)?;
    let mut live = rest.discord.lock();
    outranks(&live, guild, bot, user, Permissions::BAN_MEMBERS)?;
    live.ban(guild, user, reason.clone(), seconds)?;
    live.audit(guild, 22, bot, Some(user), reason.as_deref(), Vec::new());
    Ok(StatusCode::NO_CONTENT)
}

async fn unban(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, user]): Ids<2>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    require(&live, guild, bot, Permissions::BAN_MEMBERS)?;
    live.unban(guild, user)?;
    live.audit(guild, 23, bot, Some(user), reason.as_deref(), Vec::new());
    Ok(StatusCode::NO_CONTENT)
}

async fn bulk(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let seconds = delete_seconds(&payload.json)?;
    let users: Vec<Snowflake> = payload
        .json
        .get("user_ids")
        .and_then(|ids| serde_json::from_value(ids.clone()).ok())
        .ok_or_else(|| ApiError::field(&["user_ids"], FieldError::required()))?;
    if users.is_empty() || users.len() > 200 {
        return Err(ApiError::field(&["user_ids"], FieldError::bad_length(1, 200)));
    }
    let mut live = rest.discord.lock();
    require(&live, guild, bot, Permissions::BAN_MEMBERS | Permissions::MANAGE_GUILD)?;
    let (mut banned, mut failed) = (Vec::new(), Vec::new());
    for user in users {
        let allowed = outranks(&live, guild, bot, user, Permissions::BAN_MEMBERS);
        match allowed.and_then(|()| live.ban(guild, user, reason.clone(), seconds)) {
            Ok(()) => banned.push(user),
            Err(_) => failed.push(user),
        }
    }
    if banned.is_empty() {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, 500_000, "Failed to ban users"));
    }
    Ok(Json(json!({ "banned_users": banned, "failed_users": failed })))
}
