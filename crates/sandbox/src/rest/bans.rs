//! Bans.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::guilds::require;
use super::members::may_moderate;
use super::request::Bot;
use super::{Ids, Payload, Query, Reason, Rest};
use crate::error::{ApiError, ApiResult};
use crate::permissions::Permissions;
use crate::validate;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/guilds/{guild_id}/bans", get(list))
        .route("/guilds/{guild_id}/bans/{user_id}", get(one).put(ban).delete(unban))
        .route("/guilds/{guild_id}/bulk-ban", post(bulk))
}

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

async fn ban(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, user]): Ids<2>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<StatusCode> {
    let seconds = validate::guild::ban(&payload.json)?;
    let mut live = rest.discord.lock();
    may_moderate(&live, guild, bot, user, Permissions::BAN_MEMBERS)?;
    live.ban(guild, user, reason.clone(), seconds.into())?;
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
    let (users, seconds) = validate::guild::bulk_ban(&payload.json)?;
    let mut live = rest.discord.lock();
    require(&live, guild, bot, Permissions::BAN_MEMBERS | Permissions::MANAGE_GUILD)?;
    let (mut banned, mut failed) = (Vec::new(), Vec::new());
    for user in users {
        let allowed = may_moderate(&live, guild, bot, user, Permissions::BAN_MEMBERS);
        match allowed.and_then(|()| live.ban(guild, user, reason.clone(), seconds.into())) {
            Ok(()) => {
                live.audit(guild, 22, bot, Some(user), reason.as_deref(), Vec::new());
                banned.push(user);
            }
            Err(_) => failed.push(user),
        }
    }
    if banned.is_empty() {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, 500_000, "Failed to ban users"));
    }
    Ok(Json(json!({ "banned_users": banned, "failed_users": failed })))
}
