//! Lobbies: managed by applications, used by users.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get, patch, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::bearer::Bearer;
use super::request::Bot;
use super::{Form, Ids, Payload, Query, Rest};
use crate::error::ApiResult;
use crate::live::Live;
use crate::snowflake::Snowflake;
use crate::validate;

/// What users authorize an application for that uses lobbies in their name.
const SCOPE: &str = "sdk.social_layer";

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/lobbies", post(create).put(join))
        .route("/lobbies/{lobby_id}", get(one).patch(edit).delete(remove))
        .route("/lobbies/{lobby_id}/channel-linking", patch(link))
        .route("/lobbies/{lobby_id}/members/@me", delete(leave))
        .route("/lobbies/{lobby_id}/members/@me/invites", post(invite_self))
        .route("/lobbies/{lobby_id}/members/bulk", post(bulk))
        .route("/lobbies/{lobby_id}/members/{user_id}", put(put_member).delete(remove_member))
        .route("/lobbies/{lobby_id}/members/{user_id}/invites", post(invite_user))
        .route("/lobbies/{lobby_id}/messages", get(messages).post(say))
        .route("/lobbies/{lobby_id}/messages/{message_id}/moderation-metadata", put(moderate))
}

async fn create(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    payload: Payload,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let body = validate::lobby::lobby(&payload.json)?;
    let mut live = rest.discord.lock();
    let id = live.create_lobby(bot, body)?;
    Ok((StatusCode::CREATED, Json(live.lobby_json(live.lobby(bot, id)?))))
}

async fn join(State(rest): State<Rest>, bearer: Bearer, payload: Payload) -> ApiResult<Json<Value>> {
    bearer.require(SCOPE)?;
    let body = validate::lobby::join(&payload.json)?;
    let (application, user) = (bearer.0.application, bearer.0.user);
    let mut live = rest.discord.lock();
    let id = live.join_lobby(application, user, body)?;
    Ok(Json(live.lobby_json(live.lobby(application, id)?)))
}

async fn one(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    Ok(Json(live.lobby_json(live.lobby(bot, id)?)))
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let body = validate::lobby::lobby(&payload.json)?;
    let mut live = rest.discord.lock();
    live.edit_lobby(bot, id, body)?;
    Ok(Json(live.lobby_json(live.lobby(bot, id)?)))
}

async fn remove(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> StatusCode {
    rest.discord.lock().delete_lobby(bot, id);
    StatusCode::NO_CONTENT
}

async fn link(
    State(rest): State<Rest>,
    bearer: Bearer,
    Ids([id]): Ids<1>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    bearer.require(SCOPE)?;
    let channel = validate::lobby::link(&payload.json)?;
    let (application, user) = (bearer.0.application, bearer.0.user);
    let mut live = rest.discord.lock();
    live.link_lobby(application, id, user, channel)?;
    Ok(Json(live.lobby_json(live.lobby(application, id)?)))
}

async fn leave(State(rest): State<Rest>, bearer: Bearer, Ids([id]): Ids<1>) -> ApiResult<StatusCode> {
    bearer.require(SCOPE)?;
    rest.discord.lock().leave_lobby(bearer.0.application, id, bearer.0.user)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn put_member(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id, user]): Ids<2>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let body = validate::lobby::member(&payload.json, user)?;
    Ok(Json(rest.discord.lock().put_lobby_member(bot, id, body)?))
}

async fn bulk(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let members = validate::lobby::bulk(&payload.json)?;
    Ok(Json(rest.discord.lock().bulk_lobby_members(bot, id, members)?.into()))
}

async fn remove_member(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id, user]): Ids<2>,
) -> ApiResult<StatusCode> {
    rest.discord.lock().remove_lobby_member(bot, id, user)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn invite_self(State(rest): State<Rest>, bearer: Bearer, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    bearer.require(SCOPE)?;
    let user = bearer.0.user;
    let mut live = rest.discord.lock();
    live.lobby_of(bearer.0.application, id, user)?;
    invite(&mut live, id, user, user)
}

async fn invite_user(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id, user]): Ids<2>,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    live.lobby(bot, id)?;
    invite(&mut live, id, user, bot)
}

fn invite(live: &mut Live<'_>, lobby: Snowflake, user: Snowflake, by: Snowflake) -> ApiResult<Json<Value>> {
    let code = live.invite_from_lobby(lobby, user, by)?;
    Ok(Json(json!({ "code": code })))
}

async fn messages(
    State(rest): State<Rest>,
    bearer: Bearer,
    Ids([id]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    bearer.require(SCOPE)?;
    let limit = query.number("limit", 1..=200, 50)?;
    let live = rest.discord.lock();
    let lobby = live.lobby_of(bearer.0.application, id, bearer.0.user)?;
    Ok(Json(live.lobby_messages(lobby, limit).into()))
}

async fn say(
    State(rest): State<Rest>,
    bearer: Bearer,
    Ids([id]): Ids<1>,
    Form(payload): Form,
) -> ApiResult<(StatusCode, Json<Value>)> {
    bearer.require(SCOPE)?;
    let body = validate::lobby::message(&payload.json)?;
    let mut live = rest.discord.lock();
    let sent = live.say_in_lobby(bearer.0.application, id, bearer.0.user, body)?;
    Ok((StatusCode::CREATED, Json(sent)))
}

async fn moderate(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id, message]): Ids<2>,
    Form(payload): Form,
) -> ApiResult<StatusCode> {
    let metadata = validate::lobby::moderation(&payload.json)?;
    let mut live = rest.discord.lock();
    live.one_lobby_message(live.lobby(bot, id)?, message)?;
    live.set_moderation(bot, message, metadata);
    Ok(StatusCode::NO_CONTENT)
}
