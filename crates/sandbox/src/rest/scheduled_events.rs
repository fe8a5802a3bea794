//! Scheduled events, who subscribed to them, and exceptions from their recurrence.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::request::Bot;
use super::{Ids, Payload, Query, Reason, Rest};
use crate::error::{ApiError, ApiResult};
use crate::live::Live;
use crate::snowflake::Snowflake;
use crate::validate::scheduled_event as body;

pub(super) fn routes() -> Router<Rest> {
    const EVENT: &str = "/guilds/{guild_id}/scheduled-events/{guild_scheduled_event_id}";
    Router::new()
        .route("/guilds/{guild_id}/scheduled-events", get(list).post(create))
        .route(EVENT, get(one).patch(edit).delete(remove))
        .route(&format!("{EVENT}/users"), get(users))
        .route(&format!("{EVENT}/users/counts"), get(counts))
        .route(&format!("{EVENT}/exceptions"), post(create_exception))
        .route(
            &format!("{EVENT}/exceptions/{{exception_id}}"),
            patch(edit_exception).delete(remove_exception),
        )
        .route(&format!("{EVENT}/{{guild_scheduled_event_exception_id}}/users"), get(exception_users))
}

fn show(
    live: &Live<'_>,
    guild: Snowflake,
    id: Snowflake,
    bot: Snowflake,
    count: bool,
) -> ApiResult<Json<Value>> {
    Ok(Json(live.event_for(guild, id, bot)?.shown(live, count)))
}

async fn list(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let events = live.guild_for(guild, bot)?.scheduled_events.values();
    let seen = events.filter(|event| event.is_open() && live.sees_event(bot, event));
    Ok(Json(seen.map(|event| event.shown(&live, query.flag("with_user_count"))).collect()))
}

async fn one(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id]): Ids<2>,
    query: Query,
) -> ApiResult<Json<Value>> {
    show(&rest.discord.lock(), guild, id, bot, query.flag("with_user_count"))
}

async fn create(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let body = body::create(&payload.json, live.clock.now())?;
    let id = live.create_event(guild, body, bot, reason.as_deref())?;
    show(&live, guild, id, bot, false)
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id]): Ids<2>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let body = body::modify(&payload.json, live.clock.now())?;
    live.edit_event(guild, id, body, bot, reason.as_deref())?;
    show(&live, guild, id, bot, false)
}

async fn remove(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id]): Ids<2>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    rest.discord.lock().delete_event(guild, id, bot, reason.as_deref())?;
    Ok(StatusCode::NO_CONTENT)
}

/// Returns one page of users, by ascending id. With both `before` and `after`, only `before` counts.
fn page(
    query: &Query,
    users: impl DoubleEndedIterator<Item = (Snowflake, bool)>,
) -> ApiResult<Vec<(Snowflake, bool)>> {
    let limit = query.number("limit", 1..=100, 100)?;
    let (before, after) = (query.id("before")?, query.id("after")?);
    Ok(match (before, after) {
        (Some(before), _) => {
            let mut page: Vec<_> = users.rev().filter(|(id, _)| *id < before).take(limit).collect();
            page.reverse();
            page
        }
        (None, Some(after)) => users.filter(|(id, _)| *id > after).take(limit).collect(),
        (None, None) => users.take(limit).collect(),
    })
}

async fn users(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id]): Ids<2>,
    query: Query,
) -> ApiResult<Json<Value>> {
    list_users(&rest, bot, guild, id, None, &query)
}

async fn exception_users(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id, exception]): Ids<3>,
    query: Query,
) -> ApiResult<Json<Value>> {
    list_users(&rest, bot, guild, id, Some(exception), &query)
}

fn list_users(
    rest: &Rest,
    bot: Snowflake,
    guild: Snowflake,
    id: Snowflake,
    exception: Option<Snowflake>,
    query: &Query,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let event = live.event_for(guild, id, bot)?;
    let page = match exception {
        Some(exception) => {
            let found = event.exceptions.get(&exception).ok_or_else(ApiError::unknown_scheduled_event)?;
            page(query, found.users.iter().map(|(id, interested)| (*id, *interested)))?
        }
        None => page(query, event.users.iter().map(|id| (*id, true)))?,
    };
    let with_member = query.flag("with_member");
    let user = |(user, interested): (Snowflake, bool)| {
        let mut value = event.user_json(live.users.get(&user)?, exception, interested);
        if with_member && let Ok(member) = live.member_json(guild, user) {
            value["member"] = member;
        }
        Some(value)
    };
    Ok(Json(page.into_iter().filter_map(user).collect()))
}

/// Returns the number of users who subscribed to an event, and of those who are interested in each exception; without
/// `guild_scheduled_event_exception_ids`, in all of them.
async fn counts(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id]): Ids<2>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let wanted = query.ids("guild_scheduled_event_exception_ids", 10)?;
    let live = rest.discord.lock();
    let event = live.event_for(guild, id, bot)?;
    let asked = event.exceptions.iter().filter(|(id, _)| wanted.is_empty() || wanted.contains(id));
    let counts: Map<String, Value> = asked
        .map(|(id, exception)| {
            (id.to_string(), exception.users.values().filter(|interested| **interested).count().into())
        })
        .collect();
    Ok(Json(json!({
        "guild_scheduled_event_count": event.users.len(),
        "guild_scheduled_event_exception_counts": counts,
    })))
}

async fn create_exception(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, event]): Ids<2>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let (original, body) = body::exception(&payload.json)?;
    let mut live = rest.discord.lock();
    live.create_exception(guild, event, original, body, bot, reason.as_deref()).map(Json)
}

async fn edit_exception(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, event, id]): Ids<3>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let body = body::modify_exception(&payload.json)?;
    let mut live = rest.discord.lock();
    live.edit_exception(guild, event, id, body, bot, reason.as_deref()).map(Json)
}

async fn remove_exception(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, event, id]): Ids<3>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    rest.discord.lock().delete_exception(guild, event, id, bot, reason.as_deref())?;
    Ok(StatusCode::NO_CONTENT)
}
