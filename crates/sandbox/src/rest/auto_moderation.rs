//! Auto moderation: the rules of a guild.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use super::guilds::require;
use super::request::Bot;
use super::{Ids, Payload, Reason, Rest};
use crate::error::{ApiError, ApiResult};
use crate::live::Live;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::auto_moderation::Rule;
use crate::validate;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/guilds/{guild_id}/auto-moderation/rules", get(list).post(create))
        .route("/guilds/{guild_id}/auto-moderation/rules/{rule_id}", get(one).patch(edit).delete(remove))
}

fn rule<'a>(live: &'a Live<'_>, guild: Snowflake, id: Snowflake, bot: Snowflake) -> ApiResult<&'a Rule> {
    let guild = require(live, guild, bot, Permissions::MANAGE_GUILD)?;
    guild.auto_moderation.get(&id).ok_or_else(ApiError::not_found)
}

async fn list(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let guild = require(&live, guild, bot, Permissions::MANAGE_GUILD)?;
    Ok(Json(guild.auto_moderation.values().map(Rule::json).collect()))
}

async fn one(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild, id]): Ids<2>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    Ok(Json(rule(&live, guild, id, bot)?.json()))
}

async fn create(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let body = validate::auto_moderation::create(&payload.json)?;
    let mut live = rest.discord.lock();
    require(&live, guild, bot, Permissions::MANAGE_GUILD)?;
    live.create_rule(guild, body, bot, reason.as_deref()).map(Json)
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id]): Ids<2>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let kind = rule(&live, guild, id, bot)?.trigger.kind();
    let body = validate::auto_moderation::modify(&payload.json, kind)?;
    live.edit_rule(guild, id, body, bot, reason.as_deref()).map(Json)
}

async fn remove(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id]): Ids<2>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    rule(&live, guild, id, bot)?;
    live.delete_rule(guild, id, bot, reason.as_deref())?;
    Ok(StatusCode::NO_CONTENT)
}
