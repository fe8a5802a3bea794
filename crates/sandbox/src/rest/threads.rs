//! Threads: opening, joining, leaving, listing.

use std::cmp::Reverse;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::request::Bot;
use super::{Form, Ids, Payload, Query, Rest};
use crate::draft::{self, Draft};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::gateway::Intents;
use crate::live::{Live, Sender};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::{Channel, kind};
use crate::validate;
use crate::validate::form::parse_moment;
use crate::validate::message::MessageOrigin;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/channels/{channel_id}/threads", post(open))
        .route("/channels/{channel_id}/messages/{message_id}/threads", post(open_from_message))
        .route("/channels/{channel_id}/thread-members", get(members))
        .route("/channels/{channel_id}/thread-members/@me", put(join).delete(leave))
        .route("/channels/{channel_id}/thread-members/{user_id}", get(member).put(add).delete(remove))
        .route("/channels/{channel_id}/threads/archived/public", get(archived_public))
        .route("/channels/{channel_id}/threads/archived/private", get(archived_private))
        .route("/channels/{channel_id}/users/@me/threads/archived/private", get(archived_joined))
        .route("/guilds/{guild_id}/threads/active", get(active))
}

fn show(live: &Live<'_>, bot: Snowflake, id: Snowflake) -> ApiResult<Json<Value>> {
    let channel = live.channel(id)?;
    Ok(Json(live.channel_json(channel, Some(bot))))
}

async fn open(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([parent]): Ids<1>,
    Form(payload): Form,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let body = validate::channel::thread_create(&payload.json)?;
    let Payload { json, uploads } = payload;
    let names = draft::names(&uploads);
    let message = validate::message::create_within(&json, "message", &names, MessageOrigin::Channel)?;
    let draft = message.map(|message| Draft { message, uploads });
    let mut live = rest.discord.lock();
    let channel = live.channel_for(parent, bot, Permissions::NONE)?;
    let forum = matches!(channel.kind, kind::FORUM | kind::MEDIA);
    if !forum && !matches!(channel.kind, kind::TEXT | kind::ANNOUNCEMENT) {
        return Err(ApiError::wrong_channel_type());
    }
    // Without a type the thread is private, as Discord's reference notes.
    let private = !forum && body.kind.as_ref().is_none_or(|kind| *kind == kind::PRIVATE_THREAD);
    let needed = match (forum, private) {
        (true, _) => Permissions::SEND_MESSAGES,
        (_, true) => Permissions::CREATE_PRIVATE_THREADS,
        _ => Permissions::CREATE_PUBLIC_THREADS,
    };
    live.require(parent, bot, needed)?;
    if forum && draft.is_none() {
        return Err(ApiError::field(&["message"], FieldError::required()));
    }
    let kind = if private { kind::PRIVATE_THREAD } else { kind::PUBLIC_THREAD };
    let id = live.open_thread(parent, None, kind, bot, body)?;
    if forum {
        let message = match live.send(id, &Sender::User(bot), draft.unwrap_or_default()) {
            Ok(message) => message,
            Err(error) => {
                live.delete_channel(id)?;
                return Err(error);
            }
        };
        let Json(mut shown) = show(&live, bot, id)?;
        shown["message"] = live.message(id, message).map(|message| live.message_for(bot, message)).into();
        return Ok((StatusCode::CREATED, Json(shown)));
    }
    Ok((StatusCode::CREATED, show(&live, bot, id)?))
}

async fn open_from_message(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([parent, message]): Ids<2>,
    payload: Payload,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let body = validate::channel::thread_create(&payload.json)?;
    let mut live = rest.discord.lock();
    live.require(parent, bot, Permissions::CREATE_PUBLIC_THREADS)?;
    if live.message(parent, message).is_none() {
        return Err(ApiError::unknown_message());
    }
    let id = live.open_thread(parent, Some(message), kind::PUBLIC_THREAD, bot, body)?;
    Ok((StatusCode::CREATED, show(&live, bot, id)?))
}

async fn join(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    live.require(id, bot, Permissions::NONE)?;
    live.refuse_if_archived(id)?;
    live.join_thread(id, bot)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn leave(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    live.require(id, bot, Permissions::NONE)?;
    live.refuse_if_archived(id)?;
    live.leave_thread(id, bot)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn add(State(rest): State<Rest>, Bot(bot): Bot, Ids([id, user]): Ids<2>) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    live.require(id, bot, Permissions::SEND_MESSAGES_IN_THREADS)?;
    live.user(user)?;
    live.refuse_if_archived(id)?;
    live.join_thread(id, user)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(State(rest): State<Rest>, Bot(bot): Bot, Ids([id, user]): Ids<2>) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    live.require(id, bot, Permissions::MANAGE_THREADS)?;
    live.refuse_if_archived(id)?;
    live.leave_thread(id, user)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn member(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id, user]): Ids<2>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let channel = live.channel_for(id, bot, Permissions::NONE)?;
    member_json(&live, channel, user, query.flag("with_member"))
        .map(Json)
        .ok_or_else(ApiError::unknown_member)
}

fn member_json(live: &Live<'_>, channel: &Channel, user: Snowflake, full: bool) -> Option<Value> {
    let mut value = channel.thread_member(user)?;
    if full {
        value["member"] = live.member_json(channel.guild_id?, user).ok()?;
    }
    Some(value)
}

async fn members(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let channel = live.channel_for(id, bot, Permissions::NONE)?;
    let Some(thread) = &channel.thread else { return Err(ApiError::wrong_channel_type()) };
    live.require_intent(bot, Intents::GUILD_MEMBERS)?;
    let full = query.flag("with_member");
    Ok(Json(thread.members.keys().filter_map(|user| member_json(&live, channel, *user, full)).collect()))
}

fn listing(live: &Live<'_>, bot: Snowflake, threads: &[&Channel]) -> Value {
    json!({
        "threads": threads.iter().map(|thread| live.channel_json(thread, Some(bot))).collect::<Vec<_>>(),
        "members": threads.iter().filter_map(|thread| thread.thread_member(bot)).collect::<Vec<_>>(),
        "has_more": false,
    })
}

async fn active(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let guild = live.guild_for(guild, bot)?;
    let threads = guild.threads.iter().filter_map(|id| live.channels.get(id)).filter(|channel| {
        channel.thread.as_ref().is_some_and(|thread| !thread.archived)
            && live.permissions_in(bot, channel).contains(Permissions::VIEW_CHANNEL)
    });
    Ok(Json(listing(&live, bot, &threads.collect::<Vec<_>>())))
}

/// A list of archived threads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Archive {
    Public,
    Private,
    /// Private ones that the bot has joined.
    Joined,
}

/// Returns a page of archived threads: ordered by the time of archiving, or for those that the bot has joined by their
/// ids.
fn archived(
    rest: &Rest,
    bot: Snowflake,
    parent: Snowflake,
    of: Archive,
    query: &Query,
) -> ApiResult<Json<Value>> {
    let limit = query.number("limit", 2..=100, 50)?;
    let (before_id, before) = match of {
        Archive::Joined => (query.id("before")?, None),
        Archive::Public | Archive::Private => (None, query.moment("before")?),
    };
    let needed = match of {
        Archive::Private => Permissions::READ_MESSAGE_HISTORY | Permissions::MANAGE_THREADS,
        Archive::Public | Archive::Joined => Permissions::READ_MESSAGE_HISTORY,
    };
    let live = rest.discord.lock();
    let channel = live.channel_for(parent, bot, needed)?;
    let guild =
        channel.guild_id.and_then(|id| live.guilds.get(&id)).ok_or_else(ApiError::wrong_channel_type)?;
    let mut threads: Vec<_> = guild
        .threads
        .iter()
        .filter_map(|id| live.channels.get(id))
        .filter_map(|channel| Some((channel, channel.thread.as_ref()?)))
        .filter(|(channel, thread)| {
            channel.parent_id == Some(parent)
                && (channel.kind == kind::PRIVATE_THREAD) == (of != Archive::Public)
                && (of != Archive::Joined || thread.members.contains_key(&bot))
                && thread.archived
                && before_id.is_none_or(|before| channel.id < before)
                && before.is_none_or(|before| parse_moment(&thread.archive_timestamp) < Some(before))
                && live.permissions_in(bot, channel).contains(Permissions::VIEW_CHANNEL)
        })
        .collect();
    if of == Archive::Joined {
        threads.sort_by_key(|(channel, _)| Reverse(channel.id));
    } else {
        threads
            .sort_by_key(|(channel, thread)| Reverse((parse_moment(&thread.archive_timestamp), channel.id)));
    }
    let more = threads.len() > limit;
    let threads: Vec<_> = threads.into_iter().take(limit).map(|(channel, _)| channel).collect();
    let mut listed = listing(&live, bot, &threads);
    listed["has_more"] = more.into();
    Ok(Json(listed))
}

async fn archived_public(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    archived(&rest, bot, id, Archive::Public, &query)
}

async fn archived_private(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    archived(&rest, bot, id, Archive::Private, &query)
}

async fn archived_joined(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    archived(&rest, bot, id, Archive::Joined, &query)
}
