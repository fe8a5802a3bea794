//! A guild's own emojis.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use super::guilds::require;
use super::request::Bot;
use super::{Ids, Payload, Rest};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::permissions::Permissions;
use crate::state::guild::Emoji;
use crate::validate::unread::all_but;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/guilds/{guild_id}/emojis", get(list).post(create))
        .route("/guilds/{guild_id}/emojis/{emoji_id}", get(one).patch(edit).delete(remove))
}

async fn list(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let emojis = live.guild_for(guild, bot)?.emojis.values();
    Ok(Json(emojis.map(|emoji| emoji.json(live.users.get(&emoji.creator))).collect()))
}

async fn one(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild, id]): Ids<2>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let emoji = live.guild_for(guild, bot)?.emojis.get(&id).ok_or_else(ApiError::unknown_emoji)?;
    Ok(Json(emoji.json(live.users.get(&emoji.creator))))
}

fn read_name(body: &Value) -> ApiResult<Option<String>> {
    let Some(name) = body.get("name").and_then(Value::as_str) else { return Ok(None) };
    if !(2..=32).contains(&name.chars().count()) {
        return Err(ApiError::field(&["name"], FieldError::bad_length(2, 32)));
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(ApiError::field(&["name"], FieldError::regex()));
    }
    Ok(Some(name.to_owned()))
}

async fn create(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild]): Ids<1>,
    payload: Payload,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let name = read_name(&payload.json)?.ok_or_else(|| ApiError::field(&["name"], FieldError::required()))?;
    all_but(payload.object()?, &["name", "image", "roles"]);
    let image = payload.json.get("image").and_then(Value::as_str).unwrap_or_default();
    if !image.starts_with("data:image/") {
        return Err(ApiError::field(&["image"], FieldError::new("IMAGE_INVALID", "Invalid image data")));
    }
    let animated = image.starts_with("data:image/gif");
    let mut live = rest.discord.lock();
    require(&live, guild, bot, Permissions::CREATE_GUILD_EXPRESSIONS)?;
    let roles = payload.json.get("roles").and_then(|ids| serde_json::from_value(ids.clone()).ok());
    let emoji = Emoji { id: live.next_id(), name, roles: roles.unwrap_or_default(), animated, creator: bot };
    let shown = emoji.json(live.users.get(&bot));
    live.guild_mut(guild)?.emojis.insert(emoji.id, emoji);
    live.emojis_changed(guild);
    Ok((StatusCode::CREATED, Json(shown)))
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id]): Ids<2>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let name = read_name(&payload.json)?;
    all_but(payload.object()?, &["name", "roles"]);
    let mut live = rest.discord.lock();
    require(&live, guild, bot, Permissions::MANAGE_GUILD_EXPRESSIONS)?;
    let emoji = live.guild_mut(guild)?.emojis.get_mut(&id).ok_or_else(ApiError::unknown_emoji)?;
    if let Some(name) = name {
        emoji.name = name;
    }
    if let Some(roles) = payload.json.get("roles") {
        emoji.roles = serde_json::from_value(roles.clone()).unwrap_or_default();
    }
    let emoji = emoji.clone();
    live.emojis_changed(guild);
    Ok(Json(emoji.json(live.users.get(&emoji.creator))))
}

async fn remove(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild, id]): Ids<2>) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    require(&live, guild, bot, Permissions::MANAGE_GUILD_EXPRESSIONS)?;
    if live.guild_mut(guild)?.emojis.shift_remove(&id).is_none() {
        return Err(ApiError::unknown_emoji());
    }
    live.emojis_changed(guild);
    Ok(StatusCode::NO_CONTENT)
}
