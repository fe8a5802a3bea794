//! Custom emojis: of guilds, and of applications.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::applications::own;
use super::guilds::require;
use super::request::Bot;
use super::{Ids, Payload, Reason, Rest};
use crate::error::{ApiError, ApiResult};
use crate::live::Live;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::guild::{Emoji, Guild};
use crate::state::user::Application;
use crate::validate::expression;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/guilds/{guild_id}/emojis", get(list).post(create))
        .route("/guilds/{guild_id}/emojis/{emoji_id}", get(one).patch(edit).delete(remove))
        .route("/applications/{application_id}/emojis", get(list_own).post(create_own))
        .route(
            "/applications/{application_id}/emojis/{emoji_id}",
            get(one_own).patch(edit_own).delete(remove_own),
        )
}

const EITHER: Permissions =
    Permissions::CREATE_GUILD_EXPRESSIONS.union(Permissions::MANAGE_GUILD_EXPRESSIONS);

/// Returns whether a bot sees who created the guild's emojis, stickers and sounds.
pub(super) fn sees_creators(live: &Live<'_>, guild: &Guild, bot: Snowflake) -> bool {
    live.guild_permissions(bot, guild).intersects(EITHER)
}

/// Checks that a bot may change or delete what this user created: with MANAGE_GUILD_EXPRESSIONS anything, with
/// CREATE_GUILD_EXPRESSIONS its own.
pub(super) fn may_change(
    live: &Live<'_>,
    guild: &Guild,
    bot: Snowflake,
    creator: Snowflake,
) -> ApiResult<()> {
    let enough = if creator == bot { EITHER } else { Permissions::MANAGE_GUILD_EXPRESSIONS };
    if live.guild_permissions(bot, guild).intersects(enough) {
        Ok(())
    } else {
        Err(ApiError::missing_permissions())
    }
}

async fn list(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let guild = live.guild_for(guild, bot)?;
    let sees = sees_creators(&live, guild, bot);
    Ok(Json(guild.emojis_json(|creator| live.users.get(&creator).filter(|_| sees)).into()))
}

async fn one(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild, id]): Ids<2>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let guild = live.guild_for(guild, bot)?;
    let emoji = guild.emojis.get(&id).ok_or_else(ApiError::unknown_emoji)?;
    let sees = may_change(&live, guild, bot, emoji.creator).is_ok();
    Ok(Json(guild.emoji_json(emoji, live.users.get(&emoji.creator).filter(|_| sees))))
}

async fn create(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let body = expression::emoji_create(&payload.json, true)?;
    let mut live = rest.discord.lock();
    require(&live, guild, bot, Permissions::CREATE_GUILD_EXPRESSIONS)?;
    let emoji = live.add_emoji(guild, body, bot, reason.as_deref())?;
    Ok((StatusCode::CREATED, Json(emoji.json(live.users.get(&bot)))))
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id]): Ids<2>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let body = expression::emoji_edit(&payload.json, true)?;
    let mut live = rest.discord.lock();
    let found = live.guild_for(guild, bot)?;
    let mut emoji = found.emojis.get(&id).cloned().ok_or_else(ApiError::unknown_emoji)?;
    may_change(&live, found, bot, emoji.creator)?;
    if let Some(name) = body.name {
        emoji.name = name;
    }
    body.roles.apply_or(&mut emoji.roles, Vec::new());
    live.change_emoji(guild, emoji.clone(), bot, reason.as_deref())?;
    Ok(Json(live.guild_for(guild, bot)?.emoji_json(&emoji, live.users.get(&emoji.creator))))
}

async fn remove(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id]): Ids<2>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    let found = live.guild_for(guild, bot)?;
    let creator = found.emojis.get(&id).ok_or_else(ApiError::unknown_emoji)?.creator;
    may_change(&live, found, bot, creator)?;
    live.remove_emoji(guild, id, bot, reason.as_deref())?;
    Ok(StatusCode::NO_CONTENT)
}

/// Returns the bot's own application, to change it.
fn application<'a>(live: &'a mut Live<'_>, bot: Snowflake, id: Snowflake) -> ApiResult<&'a mut Application> {
    own(bot, id)?;
    live.applications.get_mut(&id).ok_or_else(ApiError::unknown_application)
}

async fn list_own(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let emojis: Vec<Emoji> = application(&mut live, bot, id)?.emojis.values().cloned().collect();
    let items: Vec<Value> = emojis.iter().map(|emoji| emoji.json(live.users.get(&emoji.creator))).collect();
    Ok(Json(json!({ "items": items })))
}

async fn one_own(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id, emoji]): Ids<2>,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let emoji = application(&mut live, bot, id)?.emojis.get(&emoji).cloned();
    let emoji = emoji.ok_or_else(ApiError::unknown_emoji)?;
    Ok(Json(emoji.json(live.users.get(&emoji.creator))))
}

async fn create_own(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    payload: Payload,
) -> ApiResult<(StatusCode, Json<Value>)> {
    own(bot, id)?;
    let body = expression::emoji_create(&payload.json, false)?;
    let mut live = rest.discord.lock();
    let emoji = live.add_application_emoji(id, body)?;
    Ok((StatusCode::CREATED, Json(emoji.json(live.users.get(&bot)))))
}

async fn edit_own(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id, emoji]): Ids<2>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let found =
        application(&mut live, bot, id)?.emojis.get_mut(&emoji).ok_or_else(ApiError::unknown_emoji)?;
    if let Some(name) = expression::emoji_edit(&payload.json, false)?.name {
        found.name = name;
    }
    let emoji = found.clone();
    Ok(Json(emoji.json(live.users.get(&emoji.creator))))
}

async fn remove_own(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id, emoji]): Ids<2>,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    let gone = application(&mut live, bot, id)?.emojis.shift_remove(&emoji);
    gone.ok_or_else(ApiError::unknown_emoji)?;
    live.files.remove(&emoji);
    Ok(StatusCode::NO_CONTENT)
}
