//! Invites.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use super::guilds::require;
use super::request::Bot;
use super::{Form, Ids, Path, Query, Rest};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::permissions::Permissions;
use crate::state::invite::Invite;
use crate::state::{clock, secret};
use crate::validate::unread::all_but;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/channels/{channel_id}/invites", get(of_channel).post(create))
        .route("/guilds/{guild_id}/invites", get(of_guild))
        .route("/invites/{code}", get(one).delete(remove))
}

async fn create(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel]): Ids<1>,
    Form(payload): Form,
) -> ApiResult<Json<Value>> {
    let body = payload.object()?;
    // Every invite is a new one, so `unique` needs nothing.
    all_but(body, &["max_age", "max_uses", "temporary", "unique"]);
    let number = |key: &str, default, most| match body.get(key).and_then(Value::as_u64) {
        Some(number) if number > most => Err(ApiError::field(&[key], FieldError::max("int", most))),
        number => Ok(number.unwrap_or(default)),
    };
    let (max_age, max_uses) = (number("max_age", 86_400, 604_800)?, number("max_uses", 0, 100)?);
    let mut live = rest.discord.lock();
    let found = live.channel_for(channel, bot, Permissions::CREATE_INSTANT_INVITE)?;
    let guild_id = found.guild_id.ok_or_else(ApiError::wrong_channel_type)?;
    let invite = Invite {
        code: secret(8),
        guild_id,
        channel_id: channel,
        inviter: Some(bot),
        max_age,
        max_uses,
        uses: 0,
        temporary: body.get("temporary").and_then(Value::as_bool).unwrap_or(false),
        of_widget: false,
        created_at: clock::now(),
    };
    let shown = invite.json(&live, true, false);
    live.add_invite(invite);
    Ok(Json(shown))
}

async fn of_channel(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel]): Ids<1>,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    live.require(channel, bot, Permissions::MANAGE_CHANNELS)?;
    let list = live.invites.values().filter(|invite| invite.channel_id == channel);
    Ok(Json(list.map(|invite| invite.json(&live, true, false)).collect()))
}

async fn of_guild(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    require(&live, guild, bot, Permissions::MANAGE_GUILD)?;
    let list = live.invites.values().filter(|invite| invite.guild_id == guild);
    Ok(Json(list.map(|invite| invite.json(&live, true, false)).collect()))
}

async fn one(
    State(rest): State<Rest>,
    _: Bot,
    Path(code): Path<String>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let invite = live.invite(&code).ok_or_else(ApiError::unknown_invite)?;
    Ok(Json(invite.json(&live, false, query.flag("with_counts"))))
}

async fn remove(State(rest): State<Rest>, Bot(bot): Bot, Path(code): Path<String>) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let invite = live.invites.get(&code).cloned().ok_or_else(ApiError::unknown_invite)?;
    live.require(invite.channel_id, bot, Permissions::MANAGE_CHANNELS)?;
    live.remove_invite(&code);
    Ok(Json(invite.json(&live, false, false)))
}
