//! Pages for new members: welcome screen, onboarding, Server Guide, and requests to join.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::guilds::require;
use super::request::Bot;
use super::{Ids, Payload, Query, Reason, Rest};
use crate::error::{ApiError, ApiResult};
use crate::permissions::Permissions;
use crate::state::community::{JoinRequest, RequestStatus};
use crate::validate;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/guilds/{guild_id}/welcome-screen", get(welcome_screen).patch(edit_welcome_screen))
        .route("/guilds/{guild_id}/onboarding", get(onboarding).put(set_onboarding))
        .route("/guilds/{guild_id}/new-member-welcome", get(guide))
        .route("/guilds/{guild_id}/requests", get(requests))
        .route("/guilds/{guild_id}/requests/{request_id}", patch(review))
}

async fn welcome_screen(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let screen = live.guild_for(id, bot)?.community.welcome_screen.as_ref();
    let screen = screen.ok_or_else(ApiError::unknown_welcome_screen)?;
    if !screen.enabled {
        require(&live, id, bot, Permissions::MANAGE_GUILD)?;
    }
    Ok(Json(screen.json()))
}

async fn edit_welcome_screen(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let body = validate::community::welcome_screen(&payload.json)?;
    let mut live = rest.discord.lock();
    let guild = require(&live, id, bot, Permissions::MANAGE_GUILD)?;
    if !guild.perks.has("COMMUNITY") {
        return Err(ApiError::unknown_welcome_screen());
    }
    let screen = live.set_welcome_screen(id, body, bot, reason.as_deref())?;
    Ok(Json(screen))
}

async fn onboarding(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let onboarding = live.guild_for(id, bot)?.community.onboarding.clone();
    Ok(Json(onboarding.unwrap_or_default().json(id)))
}

async fn set_onboarding(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let body = validate::community::onboarding(&payload.json)?;
    let mut live = rest.discord.lock();
    require(&live, id, bot, Permissions::MANAGE_GUILD | Permissions::MANAGE_ROLES)?;
    live.set_onboarding(id, body, bot, reason.as_deref()).map(Json)
}

async fn guide(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Response> {
    let live = rest.discord.lock();
    let guide = live.guild_for(id, bot)?.community.guide.clone();
    Ok(guide.map_or_else(|| StatusCode::NO_CONTENT.into_response(), |guide| Json(guide).into_response()))
}

async fn requests(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let limit = query.number("limit", 1..=100, 100)?;
    let (before, after) = (query.id("before")?, query.id("after")?);
    let names =
        [RequestStatus::Started, RequestStatus::Submitted, RequestStatus::Rejected, RequestStatus::Approved]
            .map(RequestStatus::name);
    let status = query.word("status", &names)?;
    let live = rest.discord.lock();
    let guild = require(&live, id, bot, Permissions::KICK_MEMBERS)?;
    let fits = |request: &&JoinRequest| status.is_none_or(|status| request.status.name() == status);
    let all: Vec<&JoinRequest> = guild.community.requests.values().filter(fits).collect();
    let in_range = |request: &&&JoinRequest| {
        before.is_none_or(|before| request.id < before) && after.is_none_or(|after| request.id > after)
    };
    // The newest first, but those right after `after` if it is given.
    let mut page: Vec<&&JoinRequest> = all.iter().filter(in_range).collect();
    if after.is_none() {
        page.reverse();
    }
    page.truncate(limit);
    page.sort_by_key(|request| std::cmp::Reverse(request.id));
    let shown: Vec<Value> = page.into_iter().map(|request| request.json(&live, id)).collect();
    Ok(Json(json!({ "total": all.len(), "guild_join_requests": shown })))
}

async fn review(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id, request]): Ids<2>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let (approved, rejection) = validate::community::review(&payload.json)?;
    let mut live = rest.discord.lock();
    require(&live, id, bot, Permissions::KICK_MEMBERS)?;
    live.review(id, request, bot, approved, rejection).map(Json)
}
