//! Pinned messages, with the present routes and the deprecated ones that libraries still call.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::request::Bot;
use super::{Ids, Query, Reason, Rest};
use crate::error::ApiResult;
use crate::permissions::Permissions;
use crate::state::clock;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/channels/{channel_id}/messages/pins", get(list))
        .route("/channels/{channel_id}/messages/pins/{message_id}", put(pin).delete(unpin))
        .route("/channels/{channel_id}/pins", get(list_old))
        .route("/channels/{channel_id}/pins/{message_id}", put(pin).delete(unpin))
}

async fn list(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let limit = query.number("limit", 1..=50, 50)?;
    let before = query.moment("before")?;
    let live = rest.discord.lock();
    let channel = live.channel_for(channel, bot, Permissions::READ_MESSAGE_HISTORY)?;
    let mut older = channel
        .pins
        .iter()
        .filter(|(_, at)| before.is_none_or(|before| clock::parse(at).is_some_and(|at| at < before)));
    let items: Vec<Value> = older
        .by_ref()
        .filter_map(|(id, at)| {
            Some(json!({ "pinned_at": at, "message": live.message_for(bot, channel.messages.get(id)?) }))
        })
        .take(limit)
        .collect();
    let has_more = older.next().is_some();
    Ok(Json(json!({ "items": items, "has_more": has_more })))
}

async fn list_old(State(rest): State<Rest>, Bot(bot): Bot, Ids([channel]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let channel = live.channel_for(channel, bot, Permissions::READ_MESSAGE_HISTORY)?;
    let pinned = channel.pins.iter().filter_map(|(id, _)| channel.messages.get(id)).take(50);
    Ok(Json(pinned.map(|message| live.message_for(bot, message)).collect()))
}

async fn pin(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel, message]): Ids<2>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    set(&rest, bot, channel, message, true, reason.as_deref())
}

async fn unpin(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel, message]): Ids<2>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    set(&rest, bot, channel, message, false, reason.as_deref())
}

fn set(
    rest: &Rest,
    bot: crate::snowflake::Snowflake,
    channel: crate::snowflake::Snowflake,
    message: crate::snowflake::Snowflake,
    pinned: bool,
    reason: Option<&str>,
) -> ApiResult<StatusCode> {
    rest.discord.lock().pin(channel, message, pinned, bot, reason)?;
    Ok(StatusCode::NO_CONTENT)
}
