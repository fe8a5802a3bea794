//! Messages: history, sending, editing, deleting, and typing.

use std::ops::Bound;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::request::Bot;
use super::{Form, Ids, Payload, Query, Reason, Rest};
use crate::error::{ApiError, ApiResult};
use crate::live::{Live, Sender};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::message::Message;
use crate::validate;
use crate::validate::message::MessageOrigin;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/channels/{channel_id}/messages", get(history).post(create))
        .route("/channels/{channel_id}/messages/bulk-delete", post(bulk_delete))
        .route("/channels/{channel_id}/messages/{message_id}", get(one).patch(edit).delete(remove))
        .route("/channels/{channel_id}/typing", post(typing))
}

async fn history(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let limit = query.number("limit", 1..=100, 50)?;
    let (around, before, after) = (query.id("around")?, query.id("before")?, query.id("after")?);
    let live = rest.discord.lock();
    let channel = live.channel_for(channel, bot, Permissions::NONE)?;
    if !channel.is_text() {
        return Err(ApiError::wrong_channel_type());
    }
    if !live.permissions_in(bot, channel).contains(Permissions::READ_MESSAGE_HISTORY) && !channel.is_dm() {
        return Ok(Json(Value::Array(Vec::new())));
    }
    let all = &channel.messages;
    let newest_first: Vec<&Message> = if let Some(around) = around {
        let older = all.range(..around).rev().take(limit / 2);
        let newer = all.range(around..).take(limit - limit / 2);
        let mut both: Vec<&Message> = older.chain(newer).map(|(_, message)| message).collect();
        both.sort_by_key(|message| std::cmp::Reverse(message.id));
        both
    } else if let Some(after) = after {
        let mut newer: Vec<&Message> = all
            .range((Bound::Excluded(after), Bound::Unbounded))
            .take(limit)
            .map(|(_, message)| message)
            .collect();
        newer.reverse();
        newer
    } else {
        let end = before.map_or(Bound::Unbounded, Bound::Excluded);
        all.range((Bound::Unbounded, end)).rev().take(limit).map(|(_, message)| message).collect()
    };
    Ok(Json(newest_first.into_iter().map(|message| live.message_for(bot, message)).collect()))
}

/// Returns the message object as the bot sees it.
pub(super) fn show(
    live: &Live<'_>,
    bot: Snowflake,
    channel: Snowflake,
    id: Snowflake,
) -> ApiResult<Json<Value>> {
    let message = live.message(channel, id).ok_or_else(ApiError::unknown_message)?;
    Ok(Json(live.message_for(bot, message)))
}

async fn one(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel, message]): Ids<2>,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    live.require(channel, bot, Permissions::READ_MESSAGE_HISTORY)?;
    show(&live, bot, channel, message)
}

async fn create(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel]): Ids<1>,
    Form(payload): Form,
) -> ApiResult<Json<Value>> {
    let draft = payload.draft(MessageOrigin::Channel)?;
    let mut live = rest.discord.lock();
    let id = live.send(channel, &Sender::User(bot), draft)?;
    show(&live, bot, channel, id)
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel, id]): Ids<2>,
    Form(payload): Form,
) -> ApiResult<Json<Value>> {
    let Payload { json: body, uploads } = payload;
    let mut live = rest.discord.lock();
    let found = live.channel_for(channel, bot, Permissions::NONE)?;
    let may_manage = live.permissions_in(bot, found).contains(Permissions::MANAGE_MESSAGES);
    let message = live.message(channel, id).ok_or_else(ApiError::unknown_message)?;
    if message.author_id() != Some(bot) {
        // Moderators may hide the embeds of others, and nothing else.
        let only_flags =
            body.as_object().is_some_and(|body| body.keys().all(|key| key == "flags")) && uploads.is_empty();
        if !only_flags || !may_manage {
            return Err(ApiError::not_author());
        }
    }
    live.refuse_if_archived(channel)?;
    live.refuse_if_locked(channel, bot)?;
    live.edit(channel, id, &body, uploads)?;
    show(&live, bot, channel, id)
}

async fn remove(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel, id]): Ids<2>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    let found = live.channel_for(channel, bot, Permissions::NONE)?;
    let guild = found.guild_id;
    let message = found.messages.get(&id).ok_or_else(ApiError::unknown_message)?;
    let author = message.author_id();
    if author != Some(bot) {
        if guild.is_none() {
            return Err(ApiError::new(StatusCode::FORBIDDEN, 50003, "Cannot execute action on a DM channel"));
        }
        live.require(channel, bot, Permissions::MANAGE_MESSAGES)?;
    }
    message.check_deletable()?;
    live.delete(channel, &[id]);
    if let Some(guild) = guild.filter(|_| author != Some(bot)) {
        let options = json!({ "channel_id": channel, "count": "1" });
        live.audit_with_options(guild, 72, bot, author, reason.as_deref(), &options);
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn bulk_delete(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    let Some(guild) = live.channel_for(channel, bot, Permissions::MANAGE_MESSAGES)?.guild_id else {
        return Err(ApiError::not_in_dm());
    };
    let ids = validate::message::bulk_delete(&payload.json, live.next_id().timestamp_ms())?;
    for message in ids.iter().filter_map(|id| live.message(channel, *id)) {
        message.check_deletable()?;
    }
    live.delete(channel, &ids);
    let options = json!({ "count": ids.len().to_string() });
    live.audit_with_options(guild, 73, bot, Some(channel), reason.as_deref(), &options);
    Ok(StatusCode::NO_CONTENT)
}

async fn typing(State(rest): State<Rest>, Bot(bot): Bot, Ids([channel]): Ids<1>) -> ApiResult<StatusCode> {
    let live = rest.discord.lock();
    live.require(channel, bot, Permissions::SEND_MESSAGES)?;
    live.typing(channel, bot);
    Ok(StatusCode::NO_CONTENT)
}
