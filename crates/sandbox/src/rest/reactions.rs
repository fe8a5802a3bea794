//! Reactions.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, put};
use axum::{Json, Router};
use serde_json::Value;

use super::request::{Bot, parse_id};
use super::{Ids, Path, Query, Rest};
use crate::error::{ApiError, ApiResult};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::user::User;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/channels/{channel_id}/messages/{message_id}/reactions", delete(clear))
        .route(
            "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}",
            delete(clear_emoji).get(users),
        )
        .route(
            "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me",
            put(add).delete(remove_own),
        )
        .route("/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/{user_id}", delete(remove))
}

type Place = (String, String, String);

fn place((channel, message, emoji): &Place) -> ApiResult<(Snowflake, Snowflake, &str)> {
    Ok((parse_id("channel_id", channel)?, parse_id("message_id", message)?, emoji))
}

async fn add(State(rest): State<Rest>, Bot(bot): Bot, Path(path): Path<Place>) -> ApiResult<StatusCode> {
    let (channel, message, emoji) = place(&path)?;
    let mut live = rest.discord.lock();
    let emoji = live.emoji(emoji)?;
    live.refuse_if_archived(channel)?;
    live.react(channel, message, bot, emoji)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_own(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Path(path): Path<Place>,
) -> ApiResult<StatusCode> {
    let (channel, message, emoji) = place(&path)?;
    let mut live = rest.discord.lock();
    live.require(channel, bot, Permissions::NONE)?;
    let emoji = live.emoji(emoji)?;
    live.unreact(channel, message, bot, &emoji)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Path((channel, message, emoji, user)): Path<(String, String, String, String)>,
) -> ApiResult<StatusCode> {
    let user = parse_id("user_id", &user)?;
    let path = (channel, message, emoji);
    let (channel, message, emoji) = place(&path)?;
    let mut live = rest.discord.lock();
    if user != bot {
        live.require(channel, bot, Permissions::MANAGE_MESSAGES)?;
    }
    let emoji = live.emoji(emoji)?;
    live.unreact(channel, message, user, &emoji)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn clear(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel, message]): Ids<2>,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    live.require(channel, bot, Permissions::MANAGE_MESSAGES)?;
    live.clear_reactions(channel, message, None)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn clear_emoji(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Path(path): Path<Place>,
) -> ApiResult<StatusCode> {
    let (channel, message, emoji) = place(&path)?;
    let mut live = rest.discord.lock();
    live.require(channel, bot, Permissions::MANAGE_MESSAGES)?;
    let emoji = live.emoji(emoji)?;
    live.clear_reactions(channel, message, Some(&emoji))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn users(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Path(path): Path<Place>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let (channel, message, emoji) = place(&path)?;
    let limit = query.number("limit", 1..=100, 25)?;
    let after = query.id("after")?;
    let live = rest.discord.lock();
    live.require(channel, bot, Permissions::READ_MESSAGE_HISTORY)?;
    let emoji = live.emoji(emoji)?;
    let message = live.message(channel, message).ok_or_else(ApiError::unknown_message)?;
    let mut ids: Vec<Snowflake> = message
        .reactions
        .iter()
        .filter(|reaction| reaction.emoji.same(&emoji))
        .flat_map(|reaction| reaction.users.iter().copied())
        .collect();
    ids.sort_unstable();
    let page = ids.into_iter().filter(|id| after.is_none_or(|after| *id > after)).take(limit);
    Ok(Json(page.filter_map(|id| live.users.get(&id)).map(User::json).collect()))
}
